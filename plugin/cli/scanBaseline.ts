import { readFile, writeFile } from 'node:fs/promises'
import type { Finding } from '../api/scanner.js'
import { WrongUse } from './wrongUse.js'

/** Findings that are known, by fingerprints: these do not change when lines move, and confirm no guess at a password. */
interface Baseline {
  version: 1
  findings: { fingerprint: string; rule: string; file: string }[]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads the fingerprints of a baseline, of the output of `--format json`, or of a plain list. */
export async function readBaseline(file: string): Promise<Set<string>> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new WrongUse(`the baseline ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const list: unknown = isRecord(content) ? content['findings'] : content
  if (!Array.isArray(list)) throw new WrongUse(`the baseline ${file} has no list of findings`)
  const fingerprints = list.map((entry: unknown) => (isRecord(entry) ? entry['fingerprint'] : entry))
  if (!fingerprints.every((one) => typeof one === 'string')) {
    throw new WrongUse(`the baseline ${file} has a finding without a fingerprint`)
  }
  return new Set(fingerprints)
}

/** Writes the findings as a baseline; the same findings give the same file. */
export async function writeBaseline(file: string, findings: Finding[]): Promise<void> {
  const rows = new Map(
    findings.map((one) => [one.fingerprint, { fingerprint: one.fingerprint, rule: one.rule, file: one.file ?? '' }]),
  )
  const baseline: Baseline = { version: 1, findings: [...rows.values()] }
  try {
    await writeFile(file, `${JSON.stringify(baseline, null, 2)}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WrongUse(`the baseline ${file} cannot be written: ${why}`)
  }
}
