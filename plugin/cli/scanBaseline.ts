import { randomBytes, scrypt } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { Finding } from '../api/scanner.js'
import { WrongUse } from './wrongUse.js'

/**
 * Findings that are known. A finding is its secret's fingerprint, which does not change when lines move, hashed slowly
 * with the baseline's own salt: a baseline is committed, and a weak password must not be guessed fast from it.
 */
interface Baseline {
  version: 2
  salt: string
  findings: { hash: string; rule: string; file: string }[]
}

/** Some milliseconds and 4 MiB for each guess. */
const COST = { N: 4096, r: 8, p: 1 }

function hash(fingerprint: string, salt: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(fingerprint, Buffer.from(salt, 'hex'), 16, COST, (error, key) =>
      error ? reject(error) : resolve(key.toString('hex')),
    )
  })
}

/** What a baseline knows: asks for one finding at a time. */
export type Known = (finding: Finding) => Promise<boolean>

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a baseline, the output of `--format json`, or a list of fingerprints. */
export async function readBaseline(file: string): Promise<Known> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new WrongUse(`the baseline ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const salt = isRecord(content) ? content['salt'] : undefined
  const list: unknown = isRecord(content) ? content['findings'] : content
  if (!Array.isArray(list)) throw new WrongUse(`the baseline ${file} has no list of findings`)
  if (isRecord(content) && content['version'] === 2) {
    const hashes = list.map((entry: unknown) => (isRecord(entry) ? entry['hash'] : undefined))
    if (typeof salt !== 'string' || !/^[0-9a-f]{32}$/.test(salt) || !hashes.every((one) => typeof one === 'string')) {
      throw new WrongUse(`the baseline ${file} has no salt, or a finding without a hash`)
    }
    const known = new Set(hashes)
    // Without an entry of its rule and file a finding is new, whatever its hash.
    const places = new Set(list.map((entry: unknown) => (isRecord(entry) ? `${String(entry['rule'])}\n${String(entry['file'])}` : '')))
    return async (one) => places.has(`${one.rule}\n${one.file ?? ''}`) && known.has(await hash(one.fingerprint, salt))
  }
  const fingerprints = list.map((entry: unknown) => (isRecord(entry) ? entry['fingerprint'] : entry))
  if (!fingerprints.every((fingerprint) => typeof fingerprint === 'string')) {
    throw new WrongUse(`the baseline ${file} has a finding without a fingerprint`)
  }
  const known = new Set(fingerprints)
  return (one) => Promise.resolve(known.has(one.fingerprint))
}

/** Writes the findings as a baseline with a new salt. */
export async function writeBaseline(file: string, findings: Finding[]): Promise<void> {
  const salt = randomBytes(16).toString('hex')
  const rows: Baseline['findings'] = []
  for (const one of findings) rows.push({ hash: await hash(one.fingerprint, salt), rule: one.rule, file: one.file ?? '' })
  const baseline: Baseline = { version: 2, salt, findings: rows }
  try {
    await writeFile(file, `${JSON.stringify(baseline, null, 2)}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WrongUse(`the baseline ${file} cannot be written: ${why}`)
  }
}
