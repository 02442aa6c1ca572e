import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Finding } from '../api/scanner.js'
import { Auton8nError } from '../errors.js'
import { inputFile } from './inputFile.js'
import { WrongUse } from './wrongUse.js'

const VERSION = 2
/** Versions that can be read: findings of the first have no `identity`, so a moved one is new. */
const VERSIONS: readonly unknown[] = [1, VERSION]
const FINGERPRINT = /^[0-9a-f]{32}$/

/** A finding that is known; fingerprints do not change when lines move, and confirm no guess at a password. */
interface Row {
  fingerprint: string
  /** The same in whatever file; nothing in a baseline of the first version. */
  identity: string
  file: string
}

/** A known finding in another place, because its file was renamed. */
export interface Moved {
  finding: Finding
  from: string
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(file: string, why: string, cause?: unknown): Auton8nError {
  return new Auton8nError(
    'AUTON8N_BASELINE_INVALID',
    `the baseline ${file} ${why}; write one with --write-baseline`,
    cause === undefined ? {} : { cause },
  )
}

function refuse(file: string, at: number): never {
  throw refused(file, `has a finding without a fingerprint of 32 hex digits (number ${at + 1})`)
}

function rowOf(entry: unknown): Row | undefined {
  const row = isRecord(entry) ? entry : { fingerprint: entry }
  const text = (name: string): string => (typeof row[name] === 'string' ? row[name] : '')
  const fingerprint = text('fingerprint')
  return FINGERPRINT.test(fingerprint) ? { fingerprint, identity: text('identity'), file: text('file') } : undefined
}

/** The findings that are known of. */
export class Baseline {
  readonly #known: Set<string>
  readonly #rows: Row[]

  private constructor(rows: Row[]) {
    this.#rows = rows
    this.#known = new Set(rows.map(({ fingerprint }) => fingerprint))
  }

  /** Reads a baseline, the output of `--format json`, or a plain list of fingerprints. */
  static async read(file: string): Promise<Baseline> {
    let content: unknown
    try {
      content = JSON.parse(await inputFile(file))
    } catch (error) {
      throw refused(file, `cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
    }
    let list = content
    if (isRecord(content)) {
      const version = content['version']
      if (!VERSIONS.includes(version)) {
        const told = version === undefined ? 'no version' : `the version ${JSON.stringify(version).slice(0, 40)}`
        throw refused(file, `has ${told}, and only ${VERSIONS.join(' and ')} can be read`)
      }
      list = content['findings']
    }
    if (!Array.isArray(list)) throw refused(file, 'has no list of findings')
    return new Baseline(list.map((entry: unknown, at) => rowOf(entry) ?? refuse(file, at)))
  }

  /**
   * What is not known. A finding whose file is new has moved where a known one of the same secret is missing, and
   * `gone` says that its file is, too: each known one moves once, so that a copy is new.
   */
  async judge(
    findings: Finding[],
    gone: (files: string[]) => Promise<Set<string>>,
  ): Promise<{ fresh: Finding[]; moved: Moved[] }> {
    const unknown = findings.filter((one) => !this.#known.has(one.fingerprint))
    const seen = new Set(findings.map((one) => one.fingerprint))
    const wanted = new Set(unknown.map((one) => one.identity))
    const missing = this.#rows.filter(
      ({ identity, fingerprint, file }) => file !== '' && wanted.has(identity) && !seen.has(fingerprint),
    )
    const without = await gone([...new Set(missing.map(({ file }) => file))])
    const byIdentity = new Map<string, Row[]>()
    for (const row of missing) {
      if (!without.has(row.file)) continue
      const rows = byIdentity.get(row.identity)
      if (rows === undefined) byIdentity.set(row.identity, [row])
      else rows.push(row)
    }
    const places = new Map<string, string>()
    const fresh: Finding[] = []
    const moved: Moved[] = []
    for (const finding of unknown) {
      // The same secret twice in one file is one entry.
      let from = places.get(finding.fingerprint)
      if (from === undefined) {
        const rows = byIdentity.get(finding.identity) ?? []
        const name = basename(finding.file ?? '')
        const row = rows.find(({ file }) => basename(file) === name) ?? rows[0]
        if (row !== undefined) {
          rows.splice(rows.indexOf(row), 1)
          places.set(finding.fingerprint, (from = row.file))
        }
      }
      if (from === undefined) fresh.push(finding)
      else moved.push({ finding, from })
    }
    return { fresh, moved }
  }
}

/** Writes the findings as a baseline; the same findings give the same file. */
export async function writeBaseline(file: string, findings: Finding[]): Promise<void> {
  const rows = new Map(
    findings.map((one) => {
      const { fingerprint, identity, rule } = one
      return [fingerprint, { fingerprint, identity, rule, file: one.file ?? '' }]
    }),
  )
  try {
    await writeFile(file, `${JSON.stringify({ version: VERSION, findings: [...rows.values()] }, null, 2)}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WrongUse(`the baseline ${file} cannot be written: ${why}`)
  }
}
