// Pure decisions over what a subject answered. Every answer is hostile: only own fields are read, nothing is merged,
// and what is quoted is cut short.

/** @param {unknown} value @returns {value is Record<string, unknown>} */
export function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * An own field of an object; undefined of anything else.
 * @param {unknown} value @param {string} name @returns {unknown}
 */
export function field(value, name) {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** @param {unknown} value @param {string} name @returns {string[]} */
export function texts(value, name) {
  const list = field(value, name)
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string').slice(0, 1000) : []
}

/** @param {unknown} value @param {string} name @returns {Record<string, unknown>[]} */
export function records(value, name) {
  const list = field(value, name)
  return Array.isArray(list) ? list.filter(isRecord).slice(0, 1000) : []
}

/** A short quotation, in printable ASCII. @param {unknown} value @param {number} [limit] */
export function show(value, limit = 160) {
  let text
  try {
    text = JSON.stringify(value) ?? 'nothing'
  } catch {
    text = 'something that cannot be shown'
  }
  text = text.replace(/[^\x20-\x7e]/g, '?')
  return text.length > limit ? `${text.slice(0, limit)}...` : text
}

/**
 * Deep equality of JSON. Only as deep as `right`, which is ours, so a bottomless `left` costs nothing.
 * @param {unknown} left @param {unknown} right @returns {boolean}
 */
export function sameJson(left, right) {
  if (Array.isArray(right)) {
    return Array.isArray(left) && left.length === right.length && right.every((item, at) => sameJson(left[at], item))
  }
  if (isRecord(right)) {
    if (!isRecord(left)) return false
    const keys = Object.keys(right)
    return keys.length === Object.keys(left).length &&
      keys.every((key) => Object.hasOwn(left, key) && sameJson(left[key], right[key]))
  }
  return Object.is(left, right)
}

/** `getWeather`, `get-weather` and `Get weather` are GET_WEATHER. @param {string} name */
export function upperSnake(name) {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toUpperCase()
}

/** Of a service: `WeatherService`, `weather_service` and `weather` are the same. @param {string} name */
export function serviceKey(name) {
  const key = name.toLowerCase().replace(/[^a-z0-9]/g, '')
  return key.length > 7 && key.endsWith('service') ? key.slice(0, -7) : key
}

/**
 * @param {string} kind @param {string} wanted @param {string[]} present @param {(name: string) => string} key
 * @param {boolean} exact the name must be written as `key` writes it
 * @returns {string|undefined} what is wrong
 */
export function nameProblem(kind, wanted, present, key, exact) {
  const found = present.filter((name) => key(name) === key(wanted))
  if (exact ? found.includes(key(wanted)) : found.length > 0) return undefined
  if (found.length > 0) return `the ${kind} is named ${show(found[0])}; it must be ${key(wanted)}`
  return `there is no ${kind} ${wanted}; the plugin has ${present.length > 0 ? show(present) : 'none'}`
}

/** What any result of an action must be. @param {unknown} result @param {string} name @returns {string|undefined} */
export function resultProblem(result, name) {
  if (!isRecord(result)) return `the handler returned ${show(result)}, not a result { success, text, data }`
  if (typeof field(result, 'success') !== 'boolean') return `the result has no boolean success: ${show(result)}`
  const text = field(result, 'text')
  if (typeof text !== 'string' || text.trim() === '') return `the result has no text: ${show(result)}`
  const actionName = field(field(result, 'data'), 'actionName')
  if (actionName !== name) return `data.actionName is ${show(actionName)}, not ${show(name)}`
  return undefined
}

/** @param {unknown} result @param {string} name @param {unknown} value @returns {string|undefined} */
export function successProblem(result, name, value) {
  if (field(result, 'success') === false) return `it answered success: false with ${show(field(result, 'text'))}`
  const problem = resultProblem(result, name)
  if (problem) return problem
  return servedProblem(field(result, 'data'), value)
}

/** @param {unknown} data @param {unknown} value @returns {string|undefined} */
export function servedProblem(data, value) {
  if (!isRecord(data) || !Object.hasOwn(data, 'result')) return `data.result is missing: ${show(data)}`
  if (sameJson(data.result, value)) return undefined
  return `data.result is ${show(data.result)}, but the server gave ${show(value)} at the declared place`
}

/** @param {unknown} result @param {string} name @returns {string|undefined} */
export function failureProblem(result, name) {
  if (!isRecord(result)) return `the handler returned ${show(result)}, not a result { success: false, text }`
  if (field(result, 'success') !== false) return `it must answer success: false, but answered ${show(result)}`
  const text = field(result, 'text')
  if (typeof text !== 'string' || text.trim() === '') return `the failed result has no text: ${show(result)}`
  const actionName = field(field(result, 'data'), 'actionName')
  if (actionName === undefined || actionName === name) return undefined
  return `data.actionName is ${show(actionName)}, not ${show(name)}`
}

/** @param {unknown} result @returns {string|undefined} */
export function contextProblem(result) {
  if (!isRecord(result)) return `get returned ${show(result)}, not { text, values, data }`
  return typeof field(result, 'text') === 'string' ? undefined : `get returned no text: ${show(result)}`
}

/** Whether any of the drawn texts is in the value. @param {unknown} value @param {string[]} drawn */
export function mentions(value, drawn) {
  let text
  try {
    text = JSON.stringify(value) ?? ''
  } catch {
    return false
  }
  return drawn.some((one) => text.includes(one))
}
