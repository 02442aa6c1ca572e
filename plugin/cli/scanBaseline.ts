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
  /** The same in whatever file. */
  identity?: string
  file?: string
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
    return new Baseline(
      list.map((entry: unknown, at) => {
        const row = isRecord(entry) ? entry : { fingerprint: entry }
        const text = (name: string): string | undefined => {
          const value = row[name]
          return typeof value === 'string' ? value : undefined
        }
        const [fingerprint, identity, from] = [text('fingerprint'), text('identity'), text('file')]
        if (fingerprint === undefined || !FINGERPRINT.test(fingerprint)) {
          throw refused(file, `has a finding without a fingerprint of 32 hex digits (number ${at + 1})`)
        }
        return { fingerprint, ...(identity === undefined ? {} : { identity }), ...(from === undefined ? {} : { file: from }) }
      }),
    )
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
      (row) => row.identity !== undefined && wanted.has(row.identity) && !seen.has(row.fingerprint),
    )
    const without = await gone([...new Set(missing.map(({ file }) => file ?? ''))].filter((file) => file !== ''))
    const byIdentity = new Map<string, Required<Row>[]>()
    for (const { fingerprint, identity = '', file = '' } of missing) {
      if (without.has(file)) {
        byIdentity.set(identity, [...(byIdentity.get(identity) ?? []), { fingerprint, identity, file }])
      }
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
