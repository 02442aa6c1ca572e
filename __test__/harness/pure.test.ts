import { expect, test } from 'vitest'
import * as assertions from '../../harness/assertions.mjs'
import * as draw from '../../harness/draw.mjs'
import { arrivedProblem, declaredOrigins, expectedRequest, requestProblem } from '../../harness/expectation.mjs'
import { safeJson } from '../../harness/safe.mjs'

test('the same seed draws the same, another seed something else', () => {
  const words = (seed: string) => {
    const random = new draw.Random(seed)
    return Array.from({ length: 20 }, () => random.word(8)).join()
  }
  expect(words('a')).toBe(words('a'))
  expect(words('a')).not.toBe(words('b'))
})

test('draws what the parameter allows', () => {
  const random = new draw.Random('kinds')
  for (let turn = 0; turn < 200; turn += 1) {
    expect(Number.isInteger(draw.drawParameter(random, 'n', { type: 'integer' }))).toBe(true)
    expect(typeof draw.drawParameter(random, 'n', { type: 'number' })).toBe('number')
    expect(typeof draw.drawParameter(random, 'n', { type: 'boolean' })).toBe('boolean')
    expect(draw.drawParameter(random, 'n', {})).toMatch(/^[a-z]{6,9}$/)
    expect(draw.drawParameter(random, 'n', {}, true)).toMatch(/^[a-z]+ & [a-z]+\?$/)
    expect(['a', 'b']).toContain(draw.drawParameter(random, 'n', { enum: ['a', 'b'] }))
    expect(draw.drawParameter(random, 'userEmail', {}, true)).toMatch(/@example\.com$/)
  }
})

test('the second draw leaves out what has a default', () => {
  const parameters = { a: { required: true }, b: { type: 'integer' as const, default: 3 } }
  expect(Object.keys(draw.drawParameters(new draw.Random('x'), parameters, 0))).toEqual(['a', 'b'])
  expect(Object.keys(draw.drawParameters(new draw.Random('x'), parameters, 1))).toEqual(['a'])
})

test('wrong calls lack what is required, and only that', () => {
  const wrong = draw.drawWrongParameters(new draw.Random('x'), {
    city: { required: true },
    size: { type: 'number', required: true },
    unit: { enum: ['C', 'F'], required: true, default: 'C' },
    flag: { type: 'boolean' },
  })
  expect(wrong.map(({ what }) => what)).toEqual([
    'without the required parameter city', 'without the required parameter size',
    'with a text for the number size', 'with a value of unit that is not allowed',
  ])
  expect(Object.keys(wrong[0]?.values ?? {})).toEqual(['size', 'unit', 'flag'])
})

test.each([
  ['', []],
  ['a', ['a']],
  ['current.temperature', ['current', 'temperature']],
  ['items[0].name', ['items', 0, 'name']],
  ['[2][1].x', [2, 1, 'x']],
])('the path %j is built so that it leads to the value', (path, steps) => {
  expect(draw.parsePath(path)).toEqual(steps)
  let at: unknown = draw.buildAnswer(new draw.Random('p'), path, 'the value')
  for (const step of steps) at = (at as Record<string | number, unknown>)[step]
  expect(at).toBe('the value')
  const rest = JSON.stringify(draw.buildAnswer(new draw.Random('p'), path, 'the value')).split('the value')
  expect(rest).toHaveLength(2)
})

test('builds a small answer for large indexes', () => {
  for (const path of ['[999]', 'a[999].b[999].c', '[999]'.repeat(40), '[9][9][9][9][9][9]']) {
    const built = draw.buildAnswer(new draw.Random('large'), path, { deep: ['the value'] })
    let at = built
    const objects = new Set<unknown>()
    for (const step of draw.parsePath(path)) at = (at as Record<string | number, unknown>)[step]
    expect(at).toEqual({ deep: ['the value'] })
    const text = JSON.stringify(built, (_key, one: unknown) => {
      if (typeof one === 'object') objects.add(one)
      return one
    })
    expect(objects.size).toBeLessThan(1100)
    expect(text.length).toBeLessThan(600_000)
  }
})

const http = {
  method: 'PUT', url: 'https://{region}.example.com/a%20b/{id}?fixed=1', query: { q: '{text}' },
  headers: { 'X-Key': 'k ${KEY}', 'x-id': '{id}' }, body: { n: '{n}', list: ['{text}', 'n={n}'], keep: null },
}
const given = { region: 'eu', id: 'x/y', text: 'a & b', n: 4 }
const expected = expectedRequest(http, { n: { type: 'integer', default: 9 } }, given, { KEY: 'drawn' })
const right = {
  method: 'PUT', origin: 'https://eu.example.com', target: '/a%20b/x%2Fy?q=a+%26+b&fixed=1',
  headers: { 'x-key': 'k drawn', 'x-id': 'x/y' }, body: '{"list":["a & b","n=4"],"keep":null,"n":4}',
}

test('recognises the request that a specification means, however it is escaped or ordered', () => {
  expect(requestProblem(expected, right)).toBeUndefined()
  expect(requestProblem(expected, { ...right, target: '/a%20b/x%2fy?fixed=1&q=a%20%26%20b' })).toBeUndefined()
})

test.each([
  [{ method: 'POST' }, /sent "POST", not PUT/],
  [{ origin: 'https://us.example.com' }, /asked "https:\/\/us/],
  [{ target: '/a%20b/x/y?q=a+%26+b&fixed=1' }, /path/],
  [{ target: '/a%20b/x%2Fy?q=a+%26+b' }, /query/],
  [{ target: '/%zz' }, /path/],
  [{ headers: { 'x-id': 'x/y' } }, /x-key was not sent/],
  [{ headers: { 'x-key': 'k', 'x-id': 'x/y' } }, /x-key did not hold/],
  [{ body: '{"list":["a & b","n=4"],"keep":null,"n":"4"}' }, /body was/],
  [{ body: '{"list":["a & b","n=4"],"keep":null,"n":4,"more":1}' }, /body was/],
  [{ body: '' }, /not JSON/],
])('refuses the request with %j', (change, problem) => {
  const found = requestProblem(expected, { ...right, ...change })
  expect(found).toMatch(problem)
  expect(found).not.toContain('drawn')
})

test('a default stands where nothing was given', () => {
  const { body } = expectedRequest({ ...http, body: '{n}' }, { n: { default: 9 } }, { ...given, n: undefined }, {})
  expect(body).toBeUndefined()
  expect(expectedRequest({ ...http, body: '{n}' }, { n: { default: 9 } }, { region: 'eu', id: '1' }, {}).body).toBe(9)
})

test('of several requests one must be right and none may go to a host that nobody declared', () => {
  const none = new Set<string>()
  const other = { ...right, origin: 'https://evil.example.com' }
  expect(arrivedProblem([], expected, none)).toMatch(/no request/)
  expect(arrivedProblem([{ ...right, target: '/login' }, right], expected, none)).toBeUndefined()
  expect(arrivedProblem([right, other], expected, none)).toMatch(/evil/)
  expect(arrivedProblem([right, other], expected, new Set([other.origin]))).toBeUndefined()
  expect(arrivedProblem([right, right], expected, none)).toMatch(/2 times/)
})

test('knows the declared origins', () => {
  const parts = ['https://a.example.com/x/{y}', 'https://{z}.example.com', 'nonsense'].map((url) => ({ http: { url } }))
  expect([...declaredOrigins([...parts, {}])]).toEqual(['https://a.example.com'])
})

test('compares without trusting what it compares', () => {
  const { sameJson, field } = assertions
  expect(sameJson(JSON.parse('{"__proto__":{"a":1}}'), { a: 1 })).toBe(false)
  expect(field(JSON.parse('{"__proto__":{"success":true}}'), 'success')).toBeUndefined()
  expect(field({}, 'toString')).toBeUndefined()
  expect(sameJson([1, 2], [1])).toBe(false)
  expect(sameJson({ 0: 1, length: 1 }, [1])).toBe(false)
  expect(sameJson(null, {})).toBe(false)
  expect(sameJson({ a: [{ b: 'c' }] }, { a: [{ b: 'c' }] })).toBe(true)
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
  expect(sameJson(deep, [1])).toBe(false)
  expect(assertions.show(deep)).toBe('something that cannot be shown')
  expect(assertions.mentions(deep, ['x'])).toBe(false)
})

test('quotes in short, printable text', () => {
  expect(assertions.show('x'.repeat(1000)).length).toBeLessThan(170)
  expect(assertions.show('\u001b[31mignore all rules\u202e')).toMatch(/^[\x20-\x7e]+$/)
})

test.each([
  ['getWeather', 'GET_WEATHER'], ['GET_WEATHER', 'GET_WEATHER'], ['get-weather now', 'GET_WEATHER_NOW'], ['_x_', 'X'],
])('%s is the action %s', (name, action) => expect(assertions.upperSnake(name)).toBe(action))

test('names of services agree however they are written', () => {
  expect(new Set(['WeatherService', 'weather_service', 'weather', 'Weather'].map(assertions.serviceKey)).size).toBe(1)
  expect(assertions.serviceKey('service')).toBe('service')
})

test.each([
  [undefined, /returned nothing, not a result/],
  [[], /not a result/],
  [{ text: 'x' }, /no boolean success/],
  [{ success: 'true', text: 'x' }, /no boolean success/],
  [{ success: false, text: 'no' }, /success: false with "no"/],
  [{ success: true }, /no text/],
  [{ success: true, text: ' ' }, /no text/],
  [{ success: true, text: 'x' }, /actionName is nothing/],
  [{ success: true, text: 'x', data: { actionName: 'B' } }, /actionName is "B"/],
  [{ success: true, text: 'x', data: { actionName: 'A' } }, /data\.result is missing/],
  [{ success: true, text: 'x', data: { actionName: 'A', result: '7' } }, /data\.result is "7", but the server gave 7/],
])('is not content with %j', (result, problem) => {
  expect(assertions.successProblem(result, 'A', 7)).toMatch(problem)
})

test('is content with the value', () => {
  const result = { success: true, text: 'x', data: { actionName: 'A', result: 7 } }
  expect(assertions.successProblem(result, 'A', 7)).toBeUndefined()
  expect(assertions.failureProblem({ success: false, text: 'no' }, 'A')).toBeUndefined()
  expect(assertions.failureProblem({ success: true, text: 'no' }, 'A')).toMatch(/must answer success: false/)
  expect(assertions.failureProblem({ success: false }, 'A')).toMatch(/no text/)
})

test('a canary looks like an action and is none of the plugin', () => {
  const taken = new Set<string>()
  const random = new draw.Random('c')
  for (let turn = 0; turn < 300; turn += 1) {
    const name = draw.drawCanary(random, taken)
    expect(name).toMatch(/^[A-Z]+_[A-Z]{4,7}$/)
    expect(taken.has(name)).toBe(false)
    taken.add(name)
  }
})

test('makes JSON of anything', () => {
  const loop: Record<string, unknown> = { big: 1n, fn: () => 1, error: new RangeError('far'), date: new Date(0) }
  loop['loop'] = loop
  Object.defineProperty(loop, 'bad', { enumerable: true, get: () => { throw new Error('no') } })
  expect(safeJson(loop)).toMatchObject({
    big: '1', fn: '[function]', loop: '[circular]', bad: '[unreadable]', date: '1970-01-01T00:00:00.000Z',
  })
  expect(JSON.stringify(safeJson(Array.from({ length: 100_000 }, () => 'x'))).length).toBeLessThan(1_000_000)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  expect(safeJson({ proxy })).toEqual({ proxy: '[unreadable]' })
})
