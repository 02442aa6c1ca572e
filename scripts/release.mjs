// Packs a release: one package for each platform with its addon and keeper, and the main package that names them in
// `optionalDependencies`. Nothing is packed before the whole set of artifacts is there and is what it says it is.
//
//   node scripts/release.mjs ARTIFACTS [--out DIR] [--publish]
//
// ARTIFACTS holds `auton8n.<platform>.node` of every target and `keeper.linux-<arch>` of both architectures, in any
// folder of it, as builds leave them. `--publish` publishes what was packed, the platforms first.
import { execFileSync } from 'node:child_process'
import {
  chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './run.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, publish: { type: 'boolean', default: false } },
})
if (positionals.length !== 1) fail(['usage: node scripts/release.mjs ARTIFACTS [--out DIR] [--publish]'], 2)

const manifest = readJson(join(root, 'package.json'))
const platforms = readdirSync(join(root, 'npm')).map((name) => ({ name, manifest: readJson(join(root, 'npm', name, 'package.json')) }))
const artifacts = new Map(filesOf(resolve(positionals[0])).map((path) => [basename(path), path]))

const problems = [...checkManifests(), ...checkArtifacts(), ...checkBuilt()]
if (problems.length > 0) fail(problems)

const out = resolve(values.out ?? join(root, 'release'))
mkdirSync(out, { recursive: true })
const stage = mkdtempSync(join(tmpdir(), 'auton8n-release-'))
try {
  const packed = [...platforms.map(packPlatform), packMain()]
  for (const { tarball, bytes } of packed) process.stdout.write(`${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${tarball}\n`)
  if (values.publish) {
    for (const { tarball } of packed) npm(['publish', tarball, '--provenance', '--access', 'public'], out, 'inherit')
  }
} finally {
  rmSync(stage, { recursive: true, force: true })
}

/** The manifests in `npm/` are those of the targets, and all of one version. */
function checkManifests() {
  const found = []
  const cargo = /\[workspace\.package\]\s+version = "([^"]+)"/.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))?.[1]
  if (cargo !== manifest.version) found.push(`Cargo.toml has version ${cargo}, package.json ${manifest.version}`)
  if (platforms.length !== manifest.napi.targets.length) {
    found.push(`npm/ has ${platforms.length} platforms, package.json names ${manifest.napi.targets.length} targets`)
  }
  for (const { name, manifest: own } of platforms) {
    if (own.name !== `${manifest.name}-${name}`) found.push(`npm/${name} is named ${own.name}`)
    if (own.version !== manifest.version) found.push(`npm/${name} has version ${own.version}, package.json ${manifest.version}`)
    if (own.main !== `${manifest.napi.binaryName}.${name}.node`) found.push(`npm/${name} has main ${own.main}`)
  }
  return found
}

/** Every file that a platform's package lists is there, and is made for that platform. */
function checkArtifacts() {
  return platforms.flatMap(({ name, manifest: own }) =>
    own.files.flatMap((file) => {
      const path = artifacts.get(file)
      if (!path) return [`${file} is missing (for ${name})`]
      const wanted = file.startsWith('keeper.') ? `linux-${own.cpu[0]}` : `${own.os[0]}-${own.cpu[0]}`
      const is = builtFor(readFileSync(path).subarray(0, 4096))
      return is === wanted ? [] : [`${file} is built for ${is}, not for ${wanted}`]
    }),
  )
}

function checkBuilt() {
  const needed = ['dist/index.js', 'dist/cli/main.js', 'index.cjs', 'index.d.ts']
  return needed.filter((file) => !existsSync(join(root, file))).map((file) => `${file} is missing: run \`npm run setup\``)
}

function packPlatform({ name, manifest: own }) {
  const folder = join(stage, name)
  cpSync(join(root, 'npm', name), folder, { recursive: true })
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  for (const file of own.files) {
    copyFileSync(artifacts.get(file), join(folder, file))
    chmodSync(join(folder, file), 0o755)
  }
  return pack(folder)
}

/** The main package carries no addon and no keeper: the platforms do. */
function packMain() {
  const folder = join(stage, 'main')
  const { devDependencies: _development, scripts: _scripts, ...shipped } = manifest
  shipped.files = manifest.files.filter((pattern) => pattern !== '*.node' && pattern !== 'keeper.*')
  shipped.optionalDependencies = Object.fromEntries(platforms.map(({ manifest: own }) => [own.name, own.version]))
  mkdirSync(folder)
  for (const pattern of shipped.files.filter((entry) => !entry.startsWith('!'))) {
    const name = pattern.split('/')[0]
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(shipped, null, 2)}\n`)
  return pack(folder)
}

function pack(folder) {
  const [{ filename, size }] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', out], folder, 'pipe'))
  return { tarball: join(out, filename.replace('@', '').replace('/', '-')), bytes: size }
}

function npm(args, cwd, stdout) {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', stdout, 'inherit'], shell: process.platform === 'win32' })
}

/** The platform in a binary's header, as Node names it. */
function builtFor(head) {
  if (head.length >= 20 && head.readUInt32BE(0) === 0x7f454c46) return `linux-${machine(head.readUInt16LE(18), { 62: 'x64', 183: 'arm64' })}`
  if (head.length >= 8 && head.readUInt32LE(0) === 0xfeedfacf) {
    return `darwin-${machine(head.readUInt32LE(4), { 0x01000007: 'x64', 0x0100000c: 'arm64' })}`
  }
  if (head.length >= 64 && head.toString('latin1', 0, 2) === 'MZ') {
    const start = head.readUInt32LE(60)
    if (start + 6 <= head.length) return `win32-${machine(head.readUInt16LE(start + 4), { 0x8664: 'x64', 0xaa64: 'arm64' })}`
  }
  return 'nothing that is known'
}

function machine(value, names) {
  return names[value] ?? `machine ${value}`
}

function filesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesOf(path) : [path]
    })
  } catch (error) {
    return fail([`${folder} cannot be read: ${error.message}`])
  }
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function fail(lines, code = 1) {
  for (const line of lines) process.stderr.write(`${line}\n`)
  process.exit(code)
}
