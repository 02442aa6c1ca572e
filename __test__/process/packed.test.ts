import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { sandboxIsHere } from '../support/needs.js'

const run = promisify(execFile)
const PLATFORM = `${process.platform}-${process.arch}`
const KEEPER = `keeper.linux-${process.arch}`

interface Packed {
  tarball: string
  bytes: number
  files: string[]
}

let folder: string
let packed: Packed
let addon: string

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'auton8n-packed-')))
  const found = (await readdir('.')).find((name) => name.startsWith(`auton8n.${PLATFORM}`) && name.endsWith('.node'))
  if (!found || !existsSync('dist/index.js')) throw new Error('nothing is built here: npm run setup')
  addon = found
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { maxBuffer: 1 << 26 })
  const [entry] = JSON.parse(stdout) as { filename: string; size: number; files: { path: string }[] }[]
  if (!entry) throw new Error('npm pack made nothing')
  packed = { tarball: join(folder, entry.filename), bytes: entry.size, files: entry.files.map(({ path }) => path) }
  console.info(`packed: ${(packed.bytes / 1e6).toFixed(1)} MB, ${packed.files.length} files`)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** An empty project outside of the repository. `--offline` proves that the package needs no other. */
async function project(name: string, ...tarballs: string[]): Promise<string> {
  const directory = join(folder, name)
  await mkdir(directory)
  await writeFile(join(directory, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }))
  const flags = ['--offline', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund']
  await run('npm', ['install', ...flags, ...tarballs], { cwd: directory })
  return directory
}

/** What a process sees in which there is no Rust: a PATH that has Node alone. */
function surroundings(directory: string): NodeJS.ProcessEnv {
  const { CARGO_HOME: _cargo, RUSTUP_HOME: _rustup, ANTHROPIC_API_KEY: _key, ...env } = process.env
  return { ...env, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, AUTON8N_DATA_DIR: join(directory, '.auton8n') }
}

async function script(directory: string, text: string, ...args: string[]): Promise<string> {
  const argv = ['--input-type=module', '-e', text, '--', ...args]
  return (await run(process.execPath, argv, { cwd: directory, env: surroundings(directory), maxBuffer: 1 << 26 })).stdout
}

const CREATE = `
  import { readFile } from 'node:fs/promises'
  import { createPlugin } from '@elizaos/plugin-auton8n'
  const creation = await createPlugin(JSON.parse(await readFile(process.argv[1], 'utf8')))
  const { name, tarball, report } = await creation.result()
  console.log(JSON.stringify({ name, tarball, verdict: report.verdict, checks: report.checks }))
`

describe('what npm pack makes', () => {
  it('has all that is needed at run time, and nothing that is not', () => {
    for (const file of [
      'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'index.cjs', 'index.d.ts', addon, KEEPER, 'harness/judge.mjs',
      'harness/subject.mjs', 'toolchain.lock.json', 'specification.schema.json', 'README.md', 'LICENSE', 'package.json',
    ]) expect(packed.files).toContain(file)
    const odd = packed.files.filter((file) => /^(src|plugin|keeper|__test__|scripts|target|npm)\/|\.map$|Cargo/.test(file))
    expect(odd).toEqual([])
  })

  it('runs no script when it is installed', () => {
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
      expect(manifest.scripts).not.toHaveProperty(name)
    }
    expect(manifest).not.toHaveProperty('dependencies')
  })
})

describe('an empty project that installed it', () => {
  let directory: string
  beforeAll(async () => {
    directory = await project('empty', packed.tarball)
  })

  it('has no other package', async () => {
    expect((await readdir(join(directory, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['@elizaos'])
    expect(await readdir(join(directory, 'node_modules', '@elizaos'))).toEqual(['plugin-auton8n'])
  })

  it('imports it by name, without core and without the addon', async () => {
    const shown = await script(directory, `
      import plugin, { createPlugin } from '@elizaos/plugin-auton8n'
      const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'))
      console.log(JSON.stringify({ name: plugin.name, kind: typeof createPlugin, addons }))
    `)
    expect(JSON.parse(shown)).toEqual({ name: 'auton8n', kind: 'function', addons: [] })
  })

  it('answers npx auton8n --version', async () => {
    const { stdout } = await run('npx', ['--offline', 'auton8n', '--version'], { cwd: directory, env: surroundings(directory) })
    expect(stdout).toBe(`${manifest.version}\n`)
  })

  it('creates a plugin, and its doctor says that all is here', async (context) => {
    if (!(await sandboxIsHere())) context.skip('no sandbox can be made here')
    const made = JSON.parse(await script(directory, CREATE, resolve('examples/weather.json'))) as Record<string, unknown>
    expect(made).toMatchObject({ name: 'plugin-weather', verdict: 'passed' })
    expect(existsSync(made.tarball as string)).toBe(true)
    const { stdout } = await run('npx', ['--offline', 'auton8n', 'doctor'], { cwd: directory, env: surroundings(directory) })
    expect(stdout).toContain('Everything that a creation needs is here.')
  }, 300_000)
})

describe('the environment of the command line', () => {
  it('says which engine makes the sandboxes; one that is not here is a refusal, never the host', async () => {
    const directory = await project('nowhere', packed.tarball)
    const env = { ...surroundings(directory), AUTON8N_SANDBOX_ENGINE: 'unix:///nowhere.sock' }
    const argv = ['--offline', 'auton8n', 'create', resolve('examples/weather.json')]
    const refused = await run('npx', argv, { cwd: directory, env }).then(
      () => undefined,
      (error: { code: number; stdout: string }) => error,
    )
    expect(refused?.code).toBe(1)
    expect(refused?.stdout).toContain('AUTON8N_SANDBOX_UNAVAILABLE')
    expect(refused?.stdout).toContain('Install Docker')
  })

  it('is refused by name where it makes no sense', async () => {
    const directory = await project('senseless', packed.tarball)
    const env = { ...surroundings(directory), AUTON8N_SANDBOX_CPUS: 'many' }
    const refused = await run('npx', ['--offline', 'auton8n', 'jobs'], { cwd: directory, env }).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    )
    expect(refused?.code).toBe(1)
    expect(refused?.stderr).toMatch(/AUTON8N_SANDBOX_CPUS must be a number[^]*AUTON8N_OPTION_INVALID/)
  })
})

describe('a release', () => {
  it('is refused while an artifact is missing or is of another platform', async () => {
    const artifacts = join(folder, 'incomplete')
    await mkdir(artifacts)
    await copyFile(KEEPER, join(artifacts, 'auton8n.darwin-arm64.node'))
    const refused = await run(process.execPath, ['scripts/release.mjs', artifacts, '--out', join(folder, 'none')]).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    )
    expect(refused?.code).toBe(1)
    expect(refused?.stderr).toContain(`auton8n.darwin-arm64.node is built for ${PLATFORM}, not for darwin-arm64`)
    for (const missing of ['auton8n.win32-x64-msvc.node', 'auton8n.linux-x64-musl.node', 'keeper.linux-arm64']) {
      expect(refused?.stderr).toContain(`${missing} is missing`)
    }
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  it('is a main package without binaries and one for each platform, which work together', async (context) => {
    if (process.platform !== 'linux') context.skip('the parts of other platforms are not here')
    const artifacts = join(folder, 'artifacts')
    await mkdir(artifacts)
    for (const [name, header] of forged()) await writeFile(join(artifacts, name), header)
    for (const name of [addon, KEEPER]) await copyFile(name, join(artifacts, name))
    const out = join(folder, 'release')
    await run(process.execPath, ['scripts/release.mjs', artifacts, '--out', out])
    const tarballs = await readdir(out)
    expect(tarballs).toHaveLength(manifest.napi.targets.length + 1)

    const suffix = addon.slice('auton8n.'.length, -'.node'.length)
    const main = `elizaos-plugin-auton8n-${manifest.version}.tgz`
    const own = `elizaos-plugin-auton8n-${suffix}-${manifest.version}.tgz`
    const directory = await project('apart', join(out, main), join(out, own))
    const installed = join(directory, 'node_modules', '@elizaos')
    const shipped = JSON.parse(await readFile(join(installed, 'plugin-auton8n', 'package.json'), 'utf8')) as typeof manifest
    expect(shipped).not.toHaveProperty('scripts')
    expect(Object.keys((shipped as unknown as { optionalDependencies: object }).optionalDependencies)).toHaveLength(6)
    expect((await readdir(join(installed, 'plugin-auton8n'))).filter((name) => /\.node$|^keeper/.test(name))).toEqual([])
    if (!(await sandboxIsHere())) return
    const made = JSON.parse(await script(directory, CREATE, resolve('examples/weather.json'))) as Record<string, unknown>
    expect(made).toMatchObject({ verdict: 'passed' })
  }, 300_000)
})

/** Headers of binaries of every platform; what a header says is all that a release looks at. */
function forged(): [string, Buffer][] {
  return [
    ['auton8n.linux-x64-gnu.node', elf(62)],
    ['auton8n.linux-x64-musl.node', elf(62)],
    ['auton8n.linux-arm64-gnu.node', elf(183)],
    ['keeper.linux-x64', elf(62)],
    ['keeper.linux-arm64', elf(183)],
    ['auton8n.darwin-x64.node', mach(0x01000007)],
    ['auton8n.darwin-arm64.node', mach(0x0100000c)],
    ['auton8n.win32-x64-msvc.node', pe(0x8664)],
  ]
}

function elf(machine: number): Buffer {
  const head = Buffer.alloc(64)
  head.writeUInt32BE(0x7f454c46, 0)
  head.writeUInt16LE(machine, 18)
  return head
}

function mach(cpu: number): Buffer {
  const head = Buffer.alloc(64)
  head.writeUInt32LE(0xfeedfacf, 0)
  head.writeUInt32LE(cpu, 4)
  return head
}

function pe(machine: number): Buffer {
  const head = Buffer.alloc(80)
  head.write('MZ')
  head.writeUInt32LE(64, 60)
  head.writeUInt16LE(machine, 68)
  return head
}
