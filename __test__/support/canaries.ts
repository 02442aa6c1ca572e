import { pathToFileURL } from 'node:url'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A secret, and a text in which the scanner knows it. */
export interface Canary {
  kind: string
  secret: string
  text: string
}

interface Kind {
  kind: string
  names: string[]
  before?: string
  block?: boolean
  make?(random: unknown): string
  parts?(random: unknown): { value: string; before: string; after: string }
}

async function corpus(name: string): Promise<unknown> {
  return await import(pathToFileURL(resolve('bench/scanner/corpus', name)).href)
}

/** One secret of every kind that the accuracy benchmark plants, the same ones each time. */
export async function canaries(seed = 'canary'): Promise<Canary[]> {
  const { Random } = (await corpus('random.mjs')) as { Random: new (seed: string) => unknown }
  const { catalogue } = (await corpus('generate.mjs')) as { catalogue: (words: string[]) => Kind[] }
  const random = new Random(seed)
  const phrase = ['unit wisdom bag safe depart walk', 'pluck glad seat rescue voyage party'].join(' ')
  const all = catalogue([]).filter(({ kind }) => !kind.startsWith('mnemonic'))
  return [
    ...all.map((one) => canary(one, random)),
    { kind: 'mnemonic', secret: phrase, text: `MNEMONIC="${phrase}"` },
  ]
}

function canary(one: Kind, random: unknown): Canary {
  const { value, before, after } = one.parts?.(random) ?? {
    value: one.make?.(random) ?? '',
    before: one.before ?? '',
    after: '',
  }
  if (one.block) return { kind: one.kind, secret: innerLine(value), text: value }
  return { kind: one.kind, secret: value, text: `${one.names[0] ?? 'secret'}=${before}${value}${after}` }
}

/** A line of a key file that is the key's alone. */
function innerLine(file: string): string {
  const lines = file.split('\n')
  const start = lines.findIndex((line) => line.startsWith('Private-Lines'))
  const inner = lines.slice(start < 0 ? 1 : start + 1).filter((line) => /^[A-Za-z0-9+/=]+$/.test(line))
  return inner.sort((a, b) => b.length - a.length)[0] ?? file
}

/** What of the canaries stands in a text. */
export function leaked(all: Canary[], text: string | Buffer): string[] {
  return all.filter(({ secret }) => text.includes(secret)).map(({ kind }) => kind)
}

/** The files below a folder, where there is one, with the kinds that they hold. */
export function leakedFiles(all: Canary[], directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .flatMap((path) => leaked(all, readFileSync(path)).map((kind) => `${kind} in ${path}`))
}
