/** What an answer may be written as: its media type, and what stands for it. */
export interface Offer<T> {
  type: string
  value: T
}

/** The offer that an `Accept` header likes best; the first one where it says nothing or likes none. */
export function negotiate<T>(accept: string | undefined, offers: readonly [Offer<T>, ...Offer<T>[]]): T {
  const ranges = (accept ?? '*/*').slice(0, 4096).split(',').map(rangeOf)
  let best = offers[0].value
  let most = 0
  for (const { type, value } of offers) {
    const weight = weightOf(type, ranges)
    if (weight > most) {
      most = weight
      best = value
    }
  }
  return best
}

interface Range {
  type: string
  weight: number
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 }
}

/** The weight of the narrowest range that holds the type. */
function weightOf(type: string, ranges: Range[]): number {
  for (const range of [type, `${type.split('/')[0] ?? ''}/*`, '*/*']) {
    const found = ranges.filter((one) => one.type === range)
    if (found.length > 0) return Math.max(...found.map(({ weight }) => weight))
  }
  return 0
}
