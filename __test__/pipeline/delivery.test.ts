import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Ajv, type ValidateFunction } from 'ajv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STAGES, type CreatedPlugin } from '../../plugin/api/creation.js'
import { Sandbox } from '../../plugin/api/sandbox.js'
import { changed, docker, example, openWorkplace, rejection, sourcesOf, statuses, type Workplace } from '../support/workplace.js'

const run = promisify(execFile)
const names = readdirSync('examples')
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -5))

let place: Workplace
const made = new Map<string, CreatedPlugin>()

beforeAll(async () => {
  place = await openWorkplace({ concurrency: 2 })
  const creations = await Promise.all(
    names.map((name) => place.engine.createPlugin(example(name), { generator: 'template', outDir: place.fresh(name) })),
  )
  for (const [at, creation] of creations.entries()) made.set(names[at] ?? '', await creation.result())
})
afterAll(() => place.remove())

function plugin(name: string): CreatedPlugin {
  const created = made.get(name)
  if (!created) throw new Error(`${name} was not made`)
  return created
}

function sbomSchema(): ValidateFunction {
  const read = (file: string): object => JSON.parse(readFileSync(join('__test__/support/cyclonedx', file), 'utf8')) as object
  const ajv = new Ajv({ strict: false, validateFormats: false })
  for (const file of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
    ajv.addSchema(read(file), `http://cyclonedx.org/schema/${file}`)
  return ajv.compile(read('bom-1.6.SNAPSHOT.schema.json'))
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe.each(names)('the plugin of examples/%s.json', (name) => {
  it('passed every stage, in full isolation', () => {
    const { report } = plugin(name)
    expect(report.verdict).toBe('passed')
    expect(report.isolation).toMatch(docker ? /^full$/ : /^(full|reduced: .+)$/)
    expect(report.engine).toMatch(docker ? /docker/i : /./)
    expect(STAGES.map((stage) => statuses(report)[stage])).toEqual(STAGES.map(() => 'passed'))
    for (const check of report.checks.filter(({ name: stage, where }) => where === 'sandbox' && !stage.includes(': '))) {
      expect(check.command).toMatch(/\S/)
      expect(check.exitCode).toBe(0)
    }
  })

  it('lies on the disk as its report says, byte for byte', () => {
    const { directory, report } = plugin(name)
    expect(JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8'))).toEqual(report)
    expect(report.files.length).toBeGreaterThan(8)
    for (const file of report.files) {
      const bytes = readFileSync(join(directory, file.path))
      expect([file.path, sha256(bytes), bytes.length]).toEqual([file.path, file.sha256, file.bytes])
    }
    const onDisk = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    const beside = onDisk.filter((path) => !report.files.some((file) => file.path === path))
    expect(beside.toSorted()).toEqual([plugin(name).tarball.slice(directory.length + 1), 'report.json', 'sbom.cdx.json'].toSorted())
  })

  it('has the tarball whose digest stands in its report', () => {
    const { tarball, report } = plugin(name)
    const detail = report.checks.find((check) => check.name === 'package')?.detail
    expect(detail).toContain(sha256(readFileSync(tarball)))
  })

  it('lists what went in, as the schema of CycloneDX 1.6 has it', () => {
    const { directory, report, tarball, version } = plugin(name)
    const bytes = readFileSync(join(directory, 'sbom.cdx.json'))
    const check = report.checks.find((one) => one.name === 'package: sbom')
    expect(check).toMatchObject({ status: 'passed', detail: expect.stringContaining(sha256(bytes)) })
    const list = JSON.parse(bytes.toString()) as {
      metadata: { component: { version: string; hashes: { content: string }[] } }
      components: { name: string; group?: string; version: string; scope: string }[]
    }
    const validate = sbomSchema()
    expect(validate(list), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...list, specVersion: 6 })).toBe(false)
    expect(list.metadata.component).toMatchObject({ version, hashes: [{ content: sha256(readFileSync(tarball)) }] })
    expect(list.components).toHaveLength(check?.counts?.['components'] ?? 0)
    const core = list.components.find(({ group, name: base }) => group === '@elizaos' && base === 'core')
    expect(core).toMatchObject({ version: '1.7.2', scope: 'required' })
  })

  it('has its dependencies judged, and says what no advisory data covers', () => {
    const { report } = plugin(name)
    expect(statuses(report)['install: dependencies']).toBe('passed')
    const advisories = report.checks.find((check) => check.name === 'install: advisories')
    expect(['passed', 'skipped']).toContain(advisories?.status)
    expect(advisories?.detail).toMatch(/^(clean|unknown) as of \d{4}-\d\d-\d\d/)
  })

  it('is made anew to the byte from the same specification', async () => {
    const creation = await place.engine.createPlugin(example(name), { generator: 'template' })
    const again = await creation.result()
    expect(again.report.files).toEqual(plugin(name).report.files)
    expect(again.report.specificationSha256).toBe(plugin(name).report.specificationSha256)
    expect(sha256(readFileSync(again.tarball))).toBe(sha256(readFileSync(plugin(name).tarball)))
  })

  it('passes its own tests with vitest on Node', async () => {
    const project = place.fresh('own-tests')
    cpSync(plugin(name).directory, project, { recursive: true })
    symlinkSync(resolve('node_modules'), join(project, 'node_modules'))
    const { stdout } = await run('npm', ['test'], { cwd: project, env: { ...process.env, NO_COLOR: '1' } })
    const passed = Number(/Tests\s+(\d+) passed/.exec(stdout)?.[1])
    expect(passed).toBe(plugin(name).report.checks.find((check) => check.name === 'test')?.counts?.passed)
    expect(stdout).not.toMatch(/failed|skipped/)
  })
})

describe('the tarball', () => {
  it('is installed by npm into an empty project, runs no script, and loads there by its default export', async () => {
    const project = place.fresh('project')
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{"name":"empty","private":true,"type":"module"}')
    const { tarball, name, version } = plugin('weather')
    // Core is a peer that an agent has already; fetching it here would only try npm.
    const args = ['install', '--ignore-scripts', '--prefer-offline', '--legacy-peer-deps', '--no-audit', '--no-fund', tarball]
    await run('npm', args, { cwd: project })
    const installed = join(project, 'node_modules', name)
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))).toMatchObject({ name, version })
    expect(existsSync(join(installed, 'dist', 'index.d.ts'))).toBe(true)
    const code = `import plugin from '${name}'; console.log(JSON.stringify([plugin.name, plugin.actions.map((a) => a.name)]))`
    // What it imports of core at run time, if anything, lies beside it.
    if (!existsSync(join(project, 'node_modules', '@elizaos'))) {
      symlinkSync(resolve('node_modules', '@elizaos'), join(project, 'node_modules', '@elizaos'))
    }
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: project })
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual([name, ['GET_WEATHER']])
  })
})

describe('verify', () => {
  it('passes the plugin as it was delivered, with its specification', async () => {
    const report = await place.engine.verify(plugin('weather').directory, example('weather'))
    expect(report.verdict).toBe('passed')
    expect(report.specificationSha256).toBe(plugin('weather').report.specificationSha256)
    expect(statuses(report)).toMatchObject({ inspect: 'passed', 'type-check': 'passed', test: 'passed', boot: 'passed' })
  })

  it('is inconclusive without a specification, never passed', async () => {
    const report = await place.engine.verify(plugin('weather').directory)
    expect(report.verdict).toBe('inconclusive')
    expect(statuses(report)).toMatchObject({ test: 'passed', boot: 'inconclusive' })
  })

  it('fails a copy in which one thing is broken, and leaves it as it is', async () => {
    const copy = place.fresh('broken')
    cpSync(plugin('weather').directory, copy, { recursive: true })
    const action = 'src/actions/get-weather.ts'
    const sources = sourcesOf(copy)
    const broken = changed(sources, action, 'got.result, read.values)\n', '21.5, read.values)\n')[action] ?? ''
    writeFileSync(join(copy, action), broken)
    const report = await place.engine.verify(copy, example('weather'))
    expect(report.verdict).toBe('failed')
    expect(statuses(report).boot).toBe('failed')
    expect(readFileSync(join(copy, action), 'utf8')).toBe(broken)
  })

  it('fails the plugin against the specification of another', async () => {
    const report = await place.engine.verify(plugin('weather').directory, example('notes'))
    expect(report.verdict).toBe('failed')
  })

  it('says what is wrong with what is no plugin', async () => {
    const empty = place.fresh('empty')
    mkdirSync(empty)
    for (const directory of [empty, join(empty, 'absent'), plugin('weather').tarball]) {
      const error = await rejection(place.engine.verify(directory))
      expect(error.code).toBe('AUTON8N_FILE_UNREADABLE')
      expect(error.message).toContain(directory)
    }
    const linked = place.fresh('linked')
    cpSync(plugin('weather').directory, linked, { recursive: true })
    symlinkSync('/etc/passwd', join(linked, 'src', 'stolen.ts'))
    expect((await rejection(place.engine.verify(linked))).code).toBe('AUTON8N_PATH_REFUSED')
    expect((await rejection(place.engine.verify('' as string))).code).toBe('AUTON8N_OPTION_INVALID')
    const { code } = await rejection(place.engine.verify(linked, [] as unknown as ReturnType<typeof example>))
    expect(code).toBe('AUTON8N_SPECIFICATION_INVALID')
  })
})

describe('Sandbox.verify', () => {
  it('makes the same checks, and none after it was closed', async () => {
    const sandbox = await Sandbox.open({ memory: '600m' })
    try {
      const { directory } = plugin('weather')
      const [passed, open] = await Promise.all([
        sandbox.verify(directory, example('weather')),
        sandbox.verify(directory),
      ])
      expect([passed.verdict, passed.engine]).toEqual(['passed', sandbox.engine])
      expect(open.verdict).toBe('inconclusive')
      expect((await rejection(sandbox.verify(join(directory, 'absent')))).code).toBe('AUTON8N_FILE_UNREADABLE')
    } finally {
      await sandbox.close()
    }
    expect((await rejection(sandbox.verify(plugin('weather').directory))).code).toBe('AUTON8N_CLOSED')
  })

  it.each([['closes it', 'await sandbox.close()'], ['just ends', '']])('leaves no file of a program that %s', async (_, ending) => {
    const folder = place.fresh('temporary')
    mkdirSync(folder)
    const program = `
      import { Sandbox } from ${JSON.stringify(pathToFileURL('dist/index.js').href)}
      const sandbox = await Sandbox.open({ memory: '600m' })
      const { verdict } = await sandbox.verify(${JSON.stringify(plugin('weather').directory)})
      console.log(verdict)
      ${ending}`
    const env = { ...process.env, TMPDIR: folder, TMP: folder, TEMP: folder }
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { env })
    expect([stdout, readdirSync(folder)]).toEqual(['inconclusive\n', []])
  })
})
