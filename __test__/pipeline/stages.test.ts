import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { STAGES, type CreationReport, type Stage } from '../../plugin/api/creation.js'
import { formatReply } from '../../plugin/api/reply.js'
import type { CreatePluginOptions } from '../../plugin/api/options.js'
import type { PluginSpecification } from '../../plugin/api/specification.js'
import type { Auton8nError } from '../../plugin/errors.js'
import { expectOnly } from '../support/stages.js'
import {
  changed,
  example,
  filesHolding,
  openWorkplace,
  rejection,
  reportOf,
  scripted,
  statuses,
  templateFiles,
  type Files,
  type Workplace,
} from '../support/workplace.js'

/** For every stage a plugin that only this stage refuses, made by breaking one thing of a good one. */

const weather = example('weather')
const index = 'src/index.ts'
const action = 'src/actions/get-weather.ts'
const indexTest = '__tests__/index.test.ts'
const aSecret = ['sk', 'live', 'Zk3Xq8Rn5Wd1Yv7Tb4Jm9Ls6'].join('_')

const HOARD = `const hoard: number[][] = []
    while (hoard.length >= 0) hoard.push(Array.from({ length: 1_000_000 }, () => 1))
    expect(plugin.models).toBeUndefined()`

let place: Workplace
let good: Files

beforeAll(async () => {
  place = await openWorkplace({ concurrency: 1 })
  good = await templateFiles(place.engine, weather)
})
afterAll(() => place.remove())

async function refusal(
  answer: Files | string,
  options: CreatePluginOptions = {},
  specification: PluginSpecification = weather,
): Promise<{ error: Auton8nError; report: CreationReport }> {
  const { model } = scripted(answer)
  const creation = await place.engine.createPlugin(specification, { model, maxIterations: 1, ...options })
  const error = await rejection(creation.result())
  const report = reportOf(error)
  const job = await creation.status()
  expect(job.status).toBe('failed')
  expect(job.error?.code).toBe(error.code)
  expect(job.report).toEqual(report)
  return { error, report }
}

function diagnosticsOf(report: CreationReport, stage: Stage): string {
  return JSON.stringify(report.checks.find((check) => check.name === stage)?.diagnostics ?? [])
}

/** The good plugin as a model's reply. */
const scriptedText = (): string => formatReply(good)

/** The good plugin with a line more in one of its files. */
const adding = (path: string, line: string): Files => ({ ...good, [path]: `${good[path] ?? ''}\n${line}\n` })

it('passes the plugin of which all others are made', async () => {
  const creation = await place.engine.createPlugin(weather, { model: scripted(good).model })
  const { report } = await creation.result()
  expect(report.verdict).toBe('passed')
  expect(STAGES.map((stage) => statuses(report)[stage])).toEqual(STAGES.map(() => 'passed'))
})

describe('validate', () => {
  it('refuses a specification at once, with all of its problems, and stores nothing', async () => {
    const before = (await place.engine.jobs()).length
    const bad = {
      name: '../plugin',
      description: '',
      version: 'one',
      surprise: true,
      actions: [{ name: 'A', description: 'x', http: { url: 'ftp://x' } }],
    }
    const error = await rejection(place.engine.createPlugin(bad as unknown as PluginSpecification))
    expect(error.code).toBe('AUTON8N_SPECIFICATION_INVALID')
    const { problems } = error.details as { problems: { path: string; message: string; fix: string }[] }
    expect(problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['$.name', '$.description', '$.version', '$.surprise', '$.actions[0].http.url']),
    )
    for (const problem of problems) expect(problem.fix).not.toBe('')
    expect(await place.engine.jobs()).toHaveLength(before)
  })
})

describe('scan', () => {
  it.each([
    ['the specification', (secret: string) => place.engine.createPlugin({ ...weather, description: `Weather, ${secret}` })],
    [
      'the description',
      (secret: string) =>
        place.engine.createPluginFromDescription(`Make a plugin with ${secret}`, { model: scripted('').model }),
    ],
    ['metadata', (secret: string) => place.engine.createPlugin(weather, { metadata: { note: { key: secret } } })],
  ])('refuses a secret in %s and stores nothing of it', async (_what, create) => {
    const before = (await place.engine.jobs()).length
    const error = await rejection(create(aSecret))
    expect(error.code).toBe('AUTON8N_SECRET_FOUND')
    expect(error.message).not.toContain(aSecret)
    expect(await place.engine.jobs()).toHaveLength(before)
    expect(filesHolding(place.dataDir, aSecret)).toEqual([])
  })
})

describe('generate', () => {
  it.each([
    ['a reply that was cut off', () => scriptedText().slice(0, -40), 'AUTON8N_MODEL_REPLY_INVALID'],
    ['garbage', () => 'Here is your plugin: {{{', 'AUTON8N_MODEL_REPLY_INVALID'],
    [
      'a path outside of the package',
      () => scriptedText().replaceAll(indexTest, '../../escaped.test.ts'),
      'AUTON8N_PATH_REFUSED',
    ],
    ['a file that the manifest names and the reply lacks', () => scriptedText().replace(/^=== MANIFEST\n/, '=== MANIFEST\nsrc/absent.ts\n'), 'AUTON8N_MODEL_REPLY_INVALID'],
  ])('refuses %s', async (_what, answer, code) => {
    const { error, report } = await refusal(answer())
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'generate')
    expect(diagnosticsOf(report, 'generate')).toContain(code)
  })

  it('takes no for an answer', async () => {
    const { error, report } = await refusal("I'm sorry, but I can't help with that.", { maxIterations: 5 })
    expect(error.code).toBe('AUTON8N_MODEL_REFUSED')
    expectOnly(report, 'generate')
    expect(report.iterations).toBeLessThanOrEqual(1)
  })
})

describe('inspect', () => {
  it.each([
    ['a module that reaches the machine', () => adding(index, "import 'node:child_process'"), 'child_process'],
    ['eval', () => adding(index, "export const made = eval('1')"), 'code-from-text'],
    ['process.exit', () => adding(index, 'export const leave = (): never => process.exit(0)'), 'process'],
    ['a skipped test', () => changed(good, indexTest, "it('has its actions'", "it.skip('has its actions'"), 'skip'],
    ['a secret', () => adding(index, `export const token = '${aSecret}'`), 'secret/'],
  ])('refuses %s', async (_what, files, word) => {
    const { error, report } = await refusal(files())
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'inspect')
    expect(diagnosticsOf(report, 'inspect')).toContain(word)
    expect(JSON.stringify([report, error.message])).not.toContain(aSecret)
  })
})

describe('install', () => {
  it('refuses a package that is not in the lock, before anything is stored', async () => {
    const error = await rejection(place.engine.createPlugin({ ...weather, dependencies: { 'left-pad': '^1.3.0' } }))
    expect(error.code).toBe('AUTON8N_DEPENDENCY_UNSUPPORTED')
    expect(error.message).toContain('left-pad')
  })

  it('refuses a plugin without its entry', async () => {
    const answer = scriptedText().replaceAll(index, 'src/main.ts').replace("'../src/index.js'", "'../src/main.js'")
    const { error, report } = await refusal(answer)
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    const refusing = report.checks.find((check) => check.status === 'failed')?.name
    expect(['generate', 'install']).toContain(refusing)
  })
})

describe('type-check', () => {
  it('refuses a wrong type, and lint runs beside it', async () => {
    const { error, report } = await refusal(adding(index, 'export const broken: string = 1'))
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'type-check', ['lint'])
    expect(diagnosticsOf(report, 'type-check')).toContain('TS2322')
  })

  it('refuses a default export that is no plugin', async () => {
    const { report } = await refusal(changed(good, index, 'export default weatherPlugin', 'export default 7'))
    expect(statuses(report)['type-check']).toBe('failed')
    expect(diagnosticsOf(report, 'type-check')).toContain('face.check.ts')
  })
})

describe('lint', () => {
  it('refuses what the compiler takes', async () => {
    const { error, report } = await refusal(adding(index, "export const alike = (a: string): boolean => a == 'x'"))
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'lint')
  })
})

describe('build', () => {
  // The compiler takes any import attribute; the bundler knows which there are.
  it('refuses what compiler and linter take', async () => {
    const withWords = { ...good, 'src/words.ts': "export const words = 'Tells the weather.'\n" }
    const importing = `import { words } from './words.js' with { flavour: 'sweet' }\n${good[index] ?? ''}`
    const using = importing.replace("'Tells the weather of any place in the world.'", 'words')
    const { error, report } = await refusal({ ...withWords, [index]: using })
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'build')
    expect(diagnosticsOf(report, 'build')).toContain('flavour')
  })
})

describe('test', () => {
  it.each([
    ['a test that fails', () => changed(good, indexTest, "toEqual(['GET_WEATHER'])", "toEqual(['OTHER'])"), 'OTHER'],
    // Inspection refuses every call that ends the process; memory has no name.
    [
      'a test that ends its process',
      () => changed(good, indexTest, 'expect(plugin.models).toBeUndefined()', HOARD),
      'out-of-memory',
    ],
    [
      'tests of which fewer run than are written',
      () => changed(good, indexTest, "describe('the plugin'", "JSON.parse('{')\n\ndescribe('the plugin'"),
      'test-count',
    ],
  ])('refuses %s', async (_what, files, word) => {
    const { error, report } = await refusal(files())
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'test')
    expect(diagnosticsOf(report, 'test')).toContain(word)
  })
})

/** Without the tests that would refuse it before it is booted. */
function withoutItsTest(files: Files): Files {
  const { '__tests__/actions/get-weather.test.ts': _gone, ...rest } = files
  return rest
}

describe('boot', () => {
  it.each([
    ['another value than the served one', () => changed(good, action, 'got.result, read.values)\n', '21.5, read.values)\n')],
    ['a handler that throws', () => changed(good, action, "    const answer = answering(NAME, message, callback)\n", "    if (runtime.agentId !== undefined) throw new Error('no')\n    const answer = answering(NAME, message, callback)\n")],
    [
      'success on HTTP 500',
      () => changed(good, action, 'if (!got.ok) return await answer.fail(got.problem)', "if (!got.ok) return await answer.succeed('done', 1, read.values)"),
    ],
  ])('refuses %s', async (_what, files) => {
    const { error, report } = await refusal(withoutItsTest(files()))
    expect(error.code).toBe('AUTON8N_CHECKS_FAILED')
    expectOnly(report, 'boot')
    expect(report.checks.filter((check) => check.name.startsWith('boot: ') && check.status === 'failed')).not.toEqual([])
  })
})

describe('package', () => {
  it('refuses a folder that is not empty before anything is made', async () => {
    const outDir = place.fresh('full')
    mkdirSync(outDir)
    writeFileSync(join(outDir, 'mine'), 'x')
    const error = await rejection(place.engine.createPlugin(weather, { outDir }))
    expect(error.code).toBe('AUTON8N_OPTION_INVALID')
    expect(error.message).toContain(outDir)
  })

  it('does not write over what came into the folder meanwhile', async () => {
    const outDir = place.fresh('raced')
    const { model } = scripted(good)
    const meddling: CreatePluginOptions['model'] = (request) => {
      mkdirSync(outDir)
      writeFileSync(join(outDir, 'mine'), 'x')
      return model(request)
    }
    const { error, report } = await refusal(good, { model: meddling, outDir })
    expect(error.code).toBe('AUTON8N_FILE_UNREADABLE')
    expectOnly(report, 'package')
    expect(readFileSync(join(outDir, 'mine'), 'utf8')).toBe('x')
  })

  it('says that a place cannot be written', async () => {
    const file = place.fresh('a-file')
    writeFileSync(file, 'x')
    const error = await rejection(place.engine.createPlugin(weather, { outDir: join(file, 'below') }))
    expect(error.code).toBe('AUTON8N_FILE_UNREADABLE')
    expect(readFileSync(file, 'utf8')).toBe('x')
  })
})
