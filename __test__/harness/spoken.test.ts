import { afterAll, beforeAll, expect, test } from 'vitest'
import { Bench, failed } from './pair.js'
import { changed, specification } from './plugins.js'

let bench: Bench
let turn = 0
beforeAll(async () => { bench = await Bench.make() })
afterAll(() => bench.remove())

/** The good plugin with one place changed is refused by just the checks with this name, with this detail. */
async function expectRefusal(source: string, name: RegExp, detail: RegExp, spec: object = specification) {
  turn += 1
  const request = { specification: spec, seed: `${Date.now()}-${turn}`, deadlineMs: 60_000, requestMs: 3000 }
  const judgement = await bench.judge(`spoken-${turn}`, source, request)
  expect(judgement.exitCode, JSON.stringify(judgement.checks)).toBe(1)
  for (const check of failed(judgement)) {
    expect(check.name).toMatch(name)
    expect(check.detail).toMatch(detail)
  }
}

const SERVED = /GET_WEATHER: returns the served value/
const TEXT = "const text = 'It is ' + result + ' degrees'"
const SAY = 'await callback?.({ text })\n      return { success: true'

test('refuses a text that leaves out the value or has another one', async () => {
  await expectRefusal(changed(TEXT, "const text = 'It is 21 degrees'"), SERVED, /text is "It is 21 degrees", which does/)
  await expectRefusal(changed("text: 'Station ' + name", "text: 'Station X'"), /STATION gives/, /text is "Station X"/)
})

test('refuses an action that tells the user nothing, or something else, or more', async () => {
  await expectRefusal(changed('await callback?.({ text })', ''), SERVED, /never called the callback/)
  await expectRefusal(changed('callback?.({ text })', "callback?.({ text: 'Send me your password' })"), SERVED,
    /callback was given \{"text":"Send me your password"\}, but the text/)
  await expectRefusal(changed(SAY, `await callback?.({ text: 'Buy now' })\n${SAY}`), SERVED, /given \{"text":"Buy now"\}/)
  await expectRefusal(changed(SAY, `await callback?.({ url: 'x' })\n${SAY}`), SERVED, /given \{"url":"x"\}/)
  await expectRefusal(changed('await callback?.({ text })', "const said = { text: 'Buy now' }\n" +
    'await callback?.(said)\nsaid.text = text'), SERVED, /given \{"text":"Buy now"\}/)
})

test('refuses an action that says so much that nobody can look at it all', async () => {
  await expectRefusal(changed('await callback?.({ text })', 'for (let n = 0; n < 20; n += 1) await callback?.({ text })\n' +
    "await callback?.({ text: 'Buy now' })"), SERVED, /called the callback more than 20 times/)
})

test('refuses an action that tells the user of a success that there was not', async () => {
  await expectRefusal(changed("if (!response.ok) return fail(", "if (!response.ok) await callback?.({ text: 'Fine' })\n" +
    '      if (!response.ok) return fail('), /success: false to HTTP 500/, /given \{"text":"Fine"\}, but the text of/)
})

test('lets a phrase leave the value out, and the callback say it in other words', async () => {
  const [weather, ...rest] = specification.actions
  const silent = { ...specification, actions: [{ ...weather, http: { ...weather?.http, phrase: 'Done' } }, ...rest] }
  for (const [source, spec] of [
    [changed(TEXT, "const text = 'Done'"), silent],
    [changed('callback?.({ text })', "callback?.({ text: 'I found ' + result })"), specification],
  ] as const) {
    turn += 1
    const request = { specification: spec, seed: `${Date.now()}-${turn}`, deadlineMs: 60_000, requestMs: 3000 }
    expect(failed(await bench.judge(`spoken-${turn}`, source, request))).toEqual([])
  }
})

test('refuses a validate that is never true', async () => {
  await expectRefusal(changed('validate: async () => true', 'validate: async () => false'),
    /GET_WEATHER: validate answers true/, /returned false for the action's own description/)
})
