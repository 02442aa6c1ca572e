import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checksum } from './scan-tokens.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
const token = checksum('m8Lw5PdH3sN6yJ1cG0fT8uEaR2vB4k')
const password = `Tr0ub4${'dor&3'}`

interface Run {
  status: number | null
  stdout: string
  stderr: string
}
function scan(...argv: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'scan', ...argv], { encoding: 'utf8', timeout: 60_000 })
  return { status, stdout, stderr }
}
const places = (run: Run): string[] =>
  (JSON.parse(run.stdout) as { file: string; line: number }[]).map((one) => `${one.file}:${one.line}`)

describe('a baseline of auton8n scan', () => {
  let root = ''
  let tree = ''
  let known = ''
  const file = (name: string): string => join(tree, name)
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(file(name)), { recursive: true })
    writeFileSync(file(name), text)
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'auton8n-baseline-'))
    tree = join(root, 'tree')
    known = join(root, 'known.json')
    write('a.ts', `const key = '${token}'\n`)
    write('in/.env', `DB_PASSWORD='${password}'\n`)
    scan(tree, '--write-baseline', known)
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const again = (...more: string[]): Run => scan(tree, '--baseline', known, '--format', 'json', ...more)

  it('knows what stands in a renamed file, and says so', () => {
    mkdirSync(file('moved'))
    renameSync(file('a.ts'), file('moved/b.ts'))
    renameSync(file('in/.env'), file('.env.local'))
    const run = again()
    expect({ status: run.status, found: places(run) }).toEqual({ status: 0, found: [] })
    expect(run.stderr.trim().split('\n')).toEqual([
      'auton8n scan: .env.local:1 moved, and is known from in/.env',
      'auton8n scan: moved/b.ts:1 moved, and is known from a.ts',
    ])
    expect(readFileSync(known, 'utf8')).not.toMatch(/Tr0ub4|m8Lw5P/)
  })

  it('knows each finding once: a copy is new, and so is one whose first file is still there', () => {
    write('c.ts', `const key = '${token}'\n`)
    expect(places(again())).toEqual(['c.ts:1'])
    renameSync(file('a.ts'), file('b.ts'))
    const run = again()
    expect([run.status, places(run).length]).toEqual([1, 1])
    expect(run.stderr).toContain('is known from a.ts')
    // The first file without its secret is not gone.
    rmSync(file('b.ts'))
    write('a.ts', 'export {}\n')
    expect(places(again())).toEqual(['c.ts:1'])
  })

  it('takes another secret of a renamed file for a new one, and a secret twice in it for one', () => {
    rmSync(file('a.ts'))
    write('b.ts', `const a = '${token}'\nconst b = '${token}'\nconst c = '${checksum('zzLw5PdH3sN6yJ1cG0fT8uEaR2vB4k')}'\n`)
    expect(places(again())).toEqual(['b.ts:3'])
    write('b.ts', `const a = '${checksum('yyLw5PdH3sN6yJ1cG0fT8uEaR2vB4k')}'\n`)
    expect(places(again())).toEqual(['b.ts:1'])
  })

  it('knows what is renamed in the next commit, and a renamed variable', () => {
    const git = (...args: string[]): void => {
      const run = spawnSync('git', ['-C', tree, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { encoding: 'utf8' })
      expect(run.status, run.stderr).toBe(0)
    }
    git('init', '-q')
    git('add', '.')
    git('commit', '-q', '-m', 'first')
    git('mv', 'a.ts', 'b.ts')
    const staged = (): Run => scan('--staged', join(tree, 'in'), '--baseline', known, '--format', 'json')
    expect(staged()).toMatchObject({ status: 0, stdout: '[]\n' })
    expect(staged().stderr).toContain('b.ts:1 moved, and is known from a.ts')
    git('reset', '-q', '--hard')
    write('copy.ts', `const key = '${token}'\n`)
    git('add', '.')
    expect(places(staged())).toEqual(['copy.ts:1'])
    const env = (name: string, ...more: string[]): Run => {
      const child = spawnSync(process.execPath, [MAIN, 'scan', '--env', ...more], { encoding: 'utf8', env: { [name]: token } })
      return { status: child.status, stdout: child.stdout, stderr: child.stderr }
    }
    const variables = join(root, 'variables.json')
    expect(env('A_TOKEN', '--write-baseline', variables).status).toBe(0)
    expect(env('B_TOKEN', '--baseline', variables)).toMatchObject({ status: 0 })
  })

  it('reads baselines of the first version, the output for programs and a plain list', () => {
    const rows = (JSON.parse(readFileSync(known, 'utf8')) as { findings: { fingerprint: string; file: string }[] }).findings
    const report = scan(tree, '--format', 'json').stdout
    const old = { version: 1, findings: rows.map(({ fingerprint, file: name }) => ({ fingerprint, rule: 'x', file: name })) }
    for (const text of [JSON.stringify(old), report, JSON.stringify(rows.map(({ fingerprint }) => fingerprint))]) {
      writeFileSync(known, text)
      expect(again()).toMatchObject({ status: 0, stdout: '[]\n', stderr: '' })
    }
    renameSync(file('a.ts'), file('b.ts'))
    expect(places(again())).toEqual(['b.ts:1'])
  })

  it('refuses what is no baseline of a known version, with a code', () => {
    const valid = readFileSync(known, 'utf8')
    for (const [text, said] of [
      ['', 'cannot be read'],
      [valid.slice(0, -9), 'cannot be read'],
      [valid.replace('"version": 2', '"version": 3'), 'the version 3'],
      [valid.replace('"version": 2', '"version": "2"'), 'the version "2"'],
      ['{"findings": []}', 'no version'],
      ['{"version": "1.5.0", "plugins_used": [], "results": {}}', 'the version "1.5.0"'],
      ['{"version": 2}', 'no list'],
      ['{"version": 2, "findings": {}}', 'no list'],
      ['null', 'no list'],
      ['7', 'no list'],
      ['[{"Fingerprint": "abc:a.ts:github-pat:1", "RuleID": "github-pat"}]', 'number 1'],
      [valid.replace(/"fingerprint": "../, '"fingerprint": "zz'), 'number 1'],
      ['[[]]', 'number 1'],
      [`{"version": 2, "findings": ${'['.repeat(50_000)}`, 'cannot be read'],
    ] as const) {
      writeFileSync(known, text)
      const run = again()
      expect([run.status, run.stdout], text.slice(0, 60)).toEqual([2, ''])
      expect(run.stderr).toContain(said)
      expect(run.stderr).toContain('(AUTON8N_BASELINE_INVALID)')
      expect(run.stderr.length).toBeLessThan(600)
    }
  })

  it('refuses a huge file, a folder and a pipe in its place at once', () => {
    truncateSync(known, 3 * 1024 ** 3)
    expect(again()).toMatchObject({ status: 2, stderr: expect.stringContaining('more than 64 MB') as string })
    rmSync(known)
    expect(spawnSync('mkfifo', [known]).status).toBe(0)
    expect(again()).toMatchObject({ status: 2, stderr: expect.stringContaining('no file') as string })
    expect(scan(tree, '--rules', known)).toMatchObject({ status: 2, stderr: expect.stringContaining('no file') as string })
    rmSync(known)
    mkdirSync(known)
    expect(again().status).toBe(2)
  })
})
