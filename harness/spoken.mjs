// Whether the user is told what was found out: the text of a result, and what the callback was given.
import { field, show } from './assertions.mjs'

const MAX_SAID = 20

/**
 * Whether a text must hold the value: it does unless the phrase leaves it out. A list or an object has no one writing.
 * @param {{ phrase?: string }} http @param {unknown} value
 * @returns {value is string|number}
 */
function isShown(http, value) {
  const phrase = http.phrase ?? ''
  return (phrase === '' || phrase.includes('{result}')) && (typeof value === 'string' || typeof value === 'number')
}

/**
 * @param {{ phrase?: string }} http @param {unknown} result of an action or provider @param {unknown} value served
 * @returns {string|undefined}
 */
export function textProblem(http, result, value) {
  const text = field(result, 'text')
  if (typeof text !== 'string' || text.trim() === '') return `it has no text: ${show(text)}`
  if (!isShown(http, value) || text.includes(String(value))) return undefined
  return `its text is ${show(text)}, which does not hold the value ${show(value)}`
}

/**
 * What the user was told of a success: at least once the text of the result or another one with the value.
 * @param {{ phrase?: string }} http @param {unknown} answer `{ result, said }` @param {unknown} value served
 * @returns {string|undefined}
 */
export function successSpokenProblem(http, answer, value) {
  const said = saidIn(answer)
  if (said.length === 0) return 'it never called the callback, so the user is told nothing'
  return saidProblem(said, field(answer, 'result'), (text) => isShown(http, value) && text.includes(String(value)))
}

/** A failure may be left to the result; what is said of it must be the same. @param {unknown} answer */
export function failureSpokenProblem(answer) {
  return saidProblem(saidIn(answer), field(answer, 'result'), () => false)
}

/** @param {unknown} answer @returns {unknown[]} */
function saidIn(answer) {
  const said = field(answer, 'said')
  return Array.isArray(said) ? said : []
}

/** @param {unknown[]} said @param {unknown} result @param {(text: string) => boolean} other */
function saidProblem(said, result, other) {
  if (said.length > MAX_SAID) return `it called the callback more than ${MAX_SAID} times`
  const at = said.findIndex((content) => {
    const text = field(content, 'text')
    return typeof text !== 'string' || (text !== field(result, 'text') && !other(text))
  })
  if (at < 0) return undefined
  return `the callback was given ${show(said[at])}, but the text of the result is ${show(field(result, 'text'))}`
}
