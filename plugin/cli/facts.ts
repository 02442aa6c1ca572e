/** Facts of any shape for people: a line each, and one below it for each part of a list or of a fact that has facts in it. */
export function factLines(facts: Record<string, unknown>): string[] {
  return Object.entries(facts).flatMap(([name, fact]) => {
    const parts = partsOf(fact)
    if (!parts || parts.length === 0) return `${name}: ${parts ? 'none' : words(fact)}`
    return [`${name}:`].concat(parts.map((part) => `  ${part}`))
  })
}

function partsOf(fact: unknown): string[] | undefined {
  if (Array.isArray(fact)) return fact.map(words)
  const inner = isObject(fact) ? Object.entries(fact) : []
  if (inner.length === 0 || !inner.every(([, value]) => isObject(value))) return undefined
  return inner.map(([name, value]) => `${name}: ${words(value)}`)
}

/** What is empty is left out; a name needs no word before it. */
function words(fact: unknown): string {
  if (typeof fact === 'boolean') return fact ? 'yes' : 'no'
  if (Array.isArray(fact)) return fact.map(words).join('; ')
  if (!isObject(fact)) return String(fact)
  const parts = Object.entries(fact).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
  return parts.map(([name, value]) => (name === 'name' ? words(value) : `${name} ${words(value)}`)).join(', ')
}

function isObject(fact: unknown): fact is object {
  return typeof fact === 'object' && fact !== null && !Array.isArray(fact)
}
