/** What `JSON.parse(JSON.stringify(value))` answers, and for plain data much sooner. */
export function copyJson(value: unknown): unknown {
  return isOdd(value) ? readBack(value) : copyPlain(value)
}

/** More items than a job's data can hold: they are not copied one by one. */
const TOO_MANY = 10_000_000

/** Whether only `JSON.stringify` knows what becomes of it, or whether anything does. */
function isOdd(value: unknown): boolean {
  if (typeof value !== 'object') return typeof value === 'bigint'
  if (value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype !== Object.prototype && prototype !== Array.prototype) || 'toJSON' in value
}

function readBack(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null')
}

function copyPlain(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value + 0 : null
    case 'object':
      if (value === null) return null
      return Array.isArray(value) ? copyArray(value) : copyObject(value)
    default:
      return null
  }
}

function copyArray(items: unknown[]): unknown {
  if (items.length > TOO_MANY) return readBack(items)
  const copy: unknown[] = []
  for (let n = 0; n < items.length; n++) {
    const item = items[n]
    // `toJSON` is told the place, too.
    if (isOdd(item)) return readBack(items)
    copy.push(copyPlain(item))
  }
  return copy
}

function copyObject(value: object): unknown {
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    // It would set the prototype.
    if (key === '__proto__') return readBack(value)
    if (isOdd(item)) Object.assign(copy, readBack({ [key]: item }))
    else if (!isLeftOut(item)) copy[key] = copyPlain(item)
  }
  return copy
}

function isLeftOut(value: unknown): boolean {
  return value === undefined || typeof value === 'function' || typeof value === 'symbol'
}
