import { expect, test } from 'vitest'
import { copyJson } from '../../plugin/api/queue-copy.js'
import { queues } from '../support/queues.js'

const { open } = queues()

class Items<T> extends Array<T> {}

function odd(): Record<string, unknown> {
  return {
    sparse: [1, , 3], // eslint-disable-line no-sparse-arrays
    'an array that writes itself': Object.assign([1, 2], { toJSON: () => 'x' }),
    'what writes nothing': { a: { toJSON: () => undefined }, b: 1 },
    'what writes nothing in an array': [1, { toJSON: () => undefined }],
    'what writes its key': { a: { toJSON: (key: string) => `of ${key}` }, b: [0, { toJSON: (key: string) => key }] },
    'arrays of a class': { items: Items.from([1, [2]]) },
    dates: { at: new Date(0), none: new Date(Number.NaN), all: [new Date(1)] },
    'maps, sets and bytes': [new Map([[1, 2]]), new Set([1]), new Uint8Array([1, 2])],
    '__proto__': JSON.parse('{"__proto__":{"x":1},"a":[{"__proto__":2}]}') as unknown,
    'functions and symbols': { a: () => 1, b: Symbol('b'), c: [() => 1, Symbol('c'), undefined], [Symbol('d')]: 1 },
    numbers: [-0, Number.NaN, Infinity, 1e21, 0.1],
    'boxed primitives': [Object(1), Object('s'), Object(false)],
    'no prototype': Object.assign(Object.create(null) as object, { a: undefined, b: 1 }),
    'a toJSON that is no function': { toJSON: 5, a: { toJSON: null, b: undefined } },
    text: 'x',
    undefined,
  }
}

test('a copy is what JSON.stringify writes, whatever it is made of', () => {
  for (const [name, value] of Object.entries(odd())) {
    const written: unknown = JSON.parse(JSON.stringify(value) ?? 'null')
    const copy = copyJson(value)
    expect(copy, name).toStrictEqual(written)
    // Holes and prototypes count, too.
    expect(JSON.stringify(copy), name).toBe(JSON.stringify(written))
    if (Array.isArray(copy)) expect(Object.keys(copy), name).toHaveLength(copy.length)
  }
  for (const value of [1n, [1n], { a: 1n }, { a: [1n] }]) expect(() => copyJson(value)).toThrow(TypeError)
})

test('what is stored is what was there when it was added, the same with options and without', async () => {
  const queue = await open()
  const added = Object.entries(odd()).map(async ([name, data]) => {
    const jobs = Promise.all([queue.addJob(name, data), queue.addJob(name, data, {})])
    const expected: unknown = JSON.parse(JSON.stringify(data) ?? 'null')
    if (Array.isArray(data)) data.length = 0
    else if (typeof data === 'object') for (const key of Object.keys(data ?? {})) delete (data as Record<string, unknown>)[key]
    return { jobs: await jobs, expected }
  })
  for (const { jobs, expected } of await Promise.all(added)) {
    for (const job of jobs) {
      expect(job.data, job.name).toStrictEqual(expected)
      expect((await queue.getJob(job.id))?.data, job.name).toStrictEqual(expected)
    }
    const [plain, other] = jobs
    const { id, createdAt, runAt } = plain
    expect(plain).toStrictEqual(Object.assign(other, { id, createdAt, runAt }))
  }
})

test('data that cannot be written is refused alone, and what is added beside it is stored', async () => {
  const queue = await open()
  const circle: { self?: unknown } = {}
  circle.self = circle
  const thrower = { toJSON() { throw new Error('no') } }
  const adds = [1n, { a: 1n }, circle, thrower, { a: thrower }, [thrower]].flatMap(data => [
    queue.addJob('bad', data),
    queue.addJob('good', 1),
  ])
  const told = await Promise.allSettled(adds)
  expect(told.map(one => one.status === 'fulfilled')).toEqual(adds.map((_, n) => n % 2 === 1))
  for (const one of told) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  }
  expect((await queue.getMetrics()).pending).toBe(6)
})
