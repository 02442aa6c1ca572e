// Turns whatever a plugin returned into bounded JSON.

const LIMITS = { depth: 24, nodes: 20_000, text: 64 * 1024 }

/** @param {unknown} value @returns {unknown} */
export function safeJson(value) {
  let nodes = 0
  const above = new Set()
  /** @param {unknown} one @param {number} depth @returns {unknown} */
  const walk = (one, depth) => {
    nodes += 1
    if (nodes > LIMITS.nodes || depth > LIMITS.depth) return '[cut]'
    if (typeof one === 'string') return one.slice(0, LIMITS.text)
    if (typeof one === 'bigint') return String(one)
    if (typeof one !== 'object' || one === null) return typeof one === 'function' ? '[function]' : one
    if (above.has(one)) return '[circular]'
    if (one instanceof Error) return errorText(one)
    if (one instanceof Date) return Number.isNaN(one.getTime()) ? null : one.toISOString()
    above.add(one)
    const copy = Array.isArray(one) ? one.map((item) => walk(item, depth + 1)) : walkFields(one, depth)
    above.delete(one)
    return copy
  }
  /** @param {object} one @param {number} depth */
  const walkFields = (one, depth) => {
    /** @type {[string, unknown][]} */
    const entries = []
    for (const key of Object.keys(one)) {
      try {
        entries.push([key, walk(/** @type {Record<string, unknown>} */ (one)[key], depth + 1)])
      } catch {
        entries.push([key, '[unreadable]'])
      }
    }
    return Object.fromEntries(entries)
  }
  try {
    return walk(value, 0)
  } catch {
    return '[unreadable]'
  }
}

/** What was thrown, with the place in the plugin. @param {unknown} error @returns {string} */
export function errorText(error) {
  try {
    if (!(error instanceof Error)) return `a thrown ${typeof error}: ${String(error)}`.slice(0, 1000)
    const lines = String(error.stack ?? '').split('\n')
    const place = lines.find((line) => line.includes('file://') && !line.includes('/harness/'))
    return `${error.name}: ${error.message}${place ? ` (${place.trim()})` : ''}`.slice(0, 1000)
  } catch {
    return 'something that cannot be shown'
  }
}
