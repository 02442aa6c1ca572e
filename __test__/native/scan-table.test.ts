import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BROKEN, KEYS, NO_KEYS } from './scan-keys.js'
import { NONE, type Row, SECRETS } from './scan-table.js'

interface Found {
  file: string
  line: number
  column: number
  endLine: number
  endColumn: number
  rule: string
  severity: string
  redacted: string
}

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')

/** What `auton8n scan` prints of a folder in which each row has a file. */
function scanned(root: string, rows: Row[]): Map<string, Found[]> {
  rows.forEach((row, at) => writeFileSync(join(root, fileOf(row, at)), row.text))
  const run = spawnSync(process.execPath, [MAIN, 'scan', root, '--format', 'json'], { encoding: 'utf8' })
  expect(run.stderr).toBe('')
  const byFile = new Map<string, Found[]>()
  for (const one of JSON.parse(run.stdout) as Found[]) {
    byFile.set(one.file, [...(byFile.get(one.file) ?? []), one])
  }
  expect(run.status).toBe(byFile.size > 0 ? 1 : 0)
  return byFile
}

const fileOf = (row: Row, at: number): string => `${String(at).padStart(3, '0')}-${row.file ?? 'a.ts'}`

/** The characters that a finding names. */
function named(text: string, one: Found): string {
  const lines = text.split('\n').slice(one.line - 1, one.endLine)
  lines.push((lines.pop() ?? '').slice(0, one.endColumn - 1))
  lines.unshift((lines.shift() ?? '').slice(one.column - 1))
  return lines.join('\n')
}

describe('the table of kinds, through the command line', () => {
  const roots: string[] = []
  let found = new Map<string, Found[]>()
  let wrong = new Map<string, Found[]>()
  const secrets = [...SECRETS, ...KEYS, ...BROKEN]
  const none = [...NONE, ...NO_KEYS]
  beforeAll(() => {
    const fresh = (): string => {
      const root = mkdtempSync(join(tmpdir(), 'auton8n-table-'))
      roots.push(root)
      return root
    }
    found = scanned(fresh(), secrets)
    wrong = scanned(fresh(), none)
  })
  afterAll(() => {
    for (const root of roots) rmSync(root, { recursive: true, force: true })
  })

  it.each(secrets.map((row, at) => ({ name: `${row.of}, ${row.rule}`, row, at })))('finds $name', ({ row, at }) => {
    const all = found.get(fileOf(row, at)) ?? []
    expect(all.map((one) => one.rule)).toEqual([row.rule])
    const [one] = all
    if (row.severity !== undefined) expect(one?.severity).toBe(row.severity)
    if (one !== undefined && row.secret !== undefined) {
      expect(named(row.text, one)).toBe(row.secret)
      expect(one.redacted).not.toContain(row.secret)
    }
  })

  it.each(none.map((row, at) => ({ name: `${row.of}, ${row.rule}`, row, at })))('is silent about $name', ({ row, at }) => {
    expect(wrong.get(fileOf(row, at)) ?? []).toEqual([])
  })

})
