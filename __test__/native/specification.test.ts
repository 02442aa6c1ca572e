import { readFileSync, readdirSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { formatReply } from '../../plugin/api/reply.js'
import { type SpecificationCheck, validateSpecification } from '../../plugin/api/specification.js'
import { cpuTime } from '../support/cpuTime.js'
import { invalid, type Json, valid, withAction } from './specification.corpus.js'

const root = new URL('../../', import.meta.url)
const schema = JSON.parse(readFileSync(new URL('specification.schema.json', root), 'utf8')) as Record<string, unknown>
const fitsSchema = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false }).compile(schema)

const pathsOf = (check: SpecificationCheck): string[] => check.problems.map((problem) => problem.path)

describe('the schema and the validator', () => {
  it.each(Object.entries(valid))('both accept %s', (_name, specification) => {
    expect(validateSpecification(specification).problems).toEqual([])
    expect(fitsSchema(specification), JSON.stringify(fitsSchema.errors)).toBe(true)
  })

  it.each(Object.entries(invalid))('refuse %s', (_name, { specification, path, inSchema }) => {
    const check = validateSpecification(specification)
    expect(check.ok).toBe(false)
    expect(pathsOf(check)).toContain(path)
    for (const problem of check.problems) {
      expect(problem.message).not.toBe('')
      expect(problem.fix).not.toBe('')
    }
    // What a schema cannot say, it must not refuse either for another reason.
    expect(fitsSchema(specification)).toBe(!inSchema)
  })

  it('accept every example', () => {
    const examples = readdirSync(new URL('examples', root)).filter((name) => name.endsWith('.json'))
    expect(examples.length).toBeGreaterThanOrEqual(3)
    for (const name of examples) {
      const specification: unknown = JSON.parse(readFileSync(new URL(`examples/${name}`, root), 'utf8'))
      expect(validateSpecification(specification).problems, name).toEqual([])
      expect(fitsSchema(specification), name).toBe(true)
    }
  })

  it('agree on the normal form, which is valid again', () => {
    for (const [name, specification] of Object.entries(valid)) {
      const first = validateSpecification(specification)
      if (!first.ok) throw new Error(name)
      const second = validateSpecification(first.specification)
      expect(second.ok && second.specification, name).toEqual(first.specification)
      expect(fitsSchema(first.specification), `${name} ${JSON.stringify(fitsSchema.errors)}`).toBe(true)
    }
  })
})

describe('validateSpecification', () => {
  it('brings names into the style of ElizaOS', () => {
    const check = validateSpecification({
      name: 'plugin-a',
      description: 'x',
      actions: [{ name: 'getWeather', description: 'x', parameters: [{ name: 'city', required: true }] }],
      providers: [{ name: 'weather-now', description: 'x' }],
      services: [{ name: 'WeatherWatch', description: 'x', methods: ['look_out', 'lookBack'] }],
      evaluators: [{ name: 'Weather mentioned', description: 'x', triggers: 'rain' }],
    })
    if (!check.ok) throw new Error(JSON.stringify(check.problems))
    const { actions, providers, services, evaluators } = check.specification
    expect(actions?.[0]?.name).toBe('GET_WEATHER')
    expect(actions?.[0]?.parameters).toEqual({ city: { type: 'string', description: '', required: true } })
    expect(providers?.[0]?.name).toBe('WEATHER_NOW')
    expect(services?.[0]?.name).toBe('weather_watch')
    expect(services?.[0]?.methods?.map((method) => typeof method === 'object' && method.name)).toEqual(['lookOut', 'lookBack'])
    expect(evaluators?.[0]).toEqual({ name: 'WEATHER_MENTIONED', description: 'x', triggers: ['rain'] })
  })

  it('tells every problem at once, with what was probably meant', () => {
    const check = validateSpecification({
      name: '../Evil',
      actoins: [],
      version: 'one',
      actions: [{ name: 'REPLY', description: '' }, 7],
      environmentVariables: [{ name: 'lower', description: 'x', secret: true }],
      dependencies: { left: 'git+https://example.com/x.git' },
    })
    expect(pathsOf(check).sort()).toEqual(
      [
        '$.actions[0].description', '$.actions[0].name', '$.actions[1]', '$.actoins', '$.dependencies.left', '$.description',
        '$.environmentVariables[0].name', '$.environmentVariables[0].secret', '$.name', '$.version',
      ].sort(),
    )
    expect(check.problems.find((problem) => problem.path === '$.actoins')?.fix).toContain('"actions"')
  })

  it('answers for every kind of value, and does not fall over', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    let deep: unknown = 'x'
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    let deepish: Json = 'x'
    for (let level = 0; level < 100; level += 1) deepish = [deepish]
    const values = [
      undefined, null, 0, '', 'text', true, [], {}, cyclic, deep, withAction({ http: { url: 'https://a.example', body: deepish } }),
      () => 1, Symbol('x'), 10n, Number.NaN, { name: 1n }, { name: () => 1 }, new Date(Number.NaN), new Map(), { toJSON: () => undefined },
    ]
    for (const value of values) {
      const check = validateSpecification(value)
      expect(check.ok).toBe(false)
      expect(check.problems.length).toBeGreaterThan(0)
    }
  })

  it('refuses 10 MB by one clear problem, quickly', () => {
    const spent = cpuTime()
    const check = validateSpecification({ name: 'plugin-a', description: 'x'.repeat(10_000_000), actions: [] })
    expect(spent()).toBeLessThan(2000)
    expect(check.problems).toHaveLength(1)
    expect(check.problems[0]?.message).toContain('too large')
  })

  it('leaves an own __proto__ member no way in', () => {
    const specification: unknown = JSON.parse('{"__proto__": {"name": "plugin-a"}, "description": "x", "actions": []}')
    const check = validateSpecification(specification)
    expect(pathsOf(check)).toEqual(expect.arrayContaining(['$.__proto__', '$.name']))
  })
})

describe('formatReply', () => {
  it('writes manifest, blocks and end marker', () => {
    const text = formatReply({ 'src/index.ts': 'a\n=== END OF REPLY\n```\n', 'src/b.ts': 'b' })
    expect(text.split('\n')).toEqual([
      '=== MANIFEST', 'src/b.ts', 'src/index.ts', '=== FILE src/b.ts', 'b', '=== END FILE src/b.ts NO-NEWLINE',
      '=== FILE src/index.ts', 'a', '\\=== END OF REPLY', '\\```', '=== END FILE src/index.ts', '=== END OF REPLY', '',
    ])
  })

  it('refuses what is not an object of texts', () => {
    for (const files of [null, undefined, 'x', [], { a: 1 }, { a: null }]) {
      expect(() => formatReply(files as unknown as Record<string, string>)).toThrow(
        expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }),
      )
    }
  })
})
