import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { scan } from '../../plugin/cli/scan.js'
import { checksum } from './scan-tokens.js'

const token = checksum('m8Lw5PdH3sN6yJ1cG0fT8uEaR2vB4k')

describe('auton8n scan', () => {
  let root = ''
  let out = ''
  let err = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'auton8n-scan-cli-'))
    out = ''
    err = ''
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk, encoding?: unknown, done?: unknown) => {
      out += String(chunk)
      const callback = typeof encoding === 'function' ? encoding : done
      if (typeof callback === 'function') (callback as () => void)()
      return true
    })
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
      err += String(chunk)
      return true
    })
  })
  afterEach(() => {
    vi.restoreAllMocks()
    rmSync(root, { recursive: true, force: true })
  })

  it('ends with 0 on a clean tree and with 1 on a secret, which it does not print', async () => {
    writeFileSync(join(root, 'a.ts'), 'export {}\n')
    expect(await scan([root])).toBe(0)
    expect(out).toBe('0 secrets in 1 files\n')
    out = ''
    writeFileSync(join(root, 'b.ts'), `\nconst key = '${token}'\n`)
    expect(await scan([root])).toBe(1)
    expect(out).toContain('b.ts:2:14 critical GitHub token [github-token] ghp_')
    expect(out).not.toContain(token)
  })

  it('prints the JSON that programs read', async () => {
    writeFileSync(join(root, 'b.ts'), `const key = '${token}'\n`)
    expect(await scan([root, '--format', 'json'])).toBe(1)
    expect(JSON.parse(out)).toEqual([
      {
        file: 'b.ts',
        line: 1,
        column: 14,
        endLine: 1,
        endColumn: 54,
        rule: 'github-token',
        type: 'GitHub token',
        severity: 'critical',
        redacted: expect.stringMatching(/^ghp_\*+.{4}$/) as string,
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        confidence: 0.99,
      },
    ])
  })

  it('prints SARIF whose rules hold each result', async () => {
    writeFileSync(join(root, 'b c.ts'), `const key = '${token}'\n`)
    expect(await scan([root, '--format=sarif'])).toBe(1)
    const log = JSON.parse(out) as {
      version: string
      runs: {
        columnKind: string
        tool: { driver: { rules: { id: string }[] } }
        results: { ruleId: string; ruleIndex: number; level: string; locations: unknown[] }[]
      }[]
    }
    expect(log.version).toBe('2.1.0')
    const run = log.runs[0]!
    const result = run.results[0]!
    expect(run.columnKind).toBe('utf16CodeUnits')
    expect(run.tool.driver.rules[result.ruleIndex]?.id).toBe('github-token')
    expect(result.level).toBe('error')
    expect(result.locations).toEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'b%20c.ts', uriBaseId: '%SRCROOT%' },
          region: { startLine: 1, startColumn: 14, endLine: 1, endColumn: 54 },
        },
      },
    ])
    expect(out).not.toContain(token)
  })

  it('leaves out what the baseline knows, even when lines moved', async () => {
    const file = join(root, 'b.ts')
    const baseline = join(root, '..', `baseline-${process.pid}.json`)
    try {
      writeFileSync(file, `const key = '${token}'\n`)
      expect(await scan([root, '--write-baseline', baseline])).toBe(0)
      expect(readFileSync(baseline, 'utf8')).not.toContain(token)
      writeFileSync(file, `\n\n  const key = '${token}'\n`)
      expect(await scan([root, '--baseline', baseline])).toBe(0)
      const other = checksum('zzLw5PdH3sN6yJ1cG0fT8uEaR2vB4k')
      writeFileSync(file, `const key = '${token}', other = '${other}'\n`)
      out = ''
      expect(await scan([root, '--baseline', baseline, '--format', 'json'])).toBe(1)
      expect(JSON.parse(out)).toHaveLength(1)
    } finally {
      rmSync(baseline, { force: true })
    }
  })

  it('filters by severity and by .gitignore', async () => {
    writeFileSync(join(root, 'a.ts'), ['const key = "AIza', 'SyD3kQ9xW2Rt7Lm5Vb8NpHd4Jc6Fg1YsT0w"\n'].join(''))
    expect(await scan([root, '--min-severity', 'high'])).toBe(0)
    expect(await scan([root])).toBe(1)
    writeFileSync(join(root, '.gitignore'), 'a.ts\n')
    expect(await scan([root, '--gitignore'])).toBe(0)
  })

  it('ends with 2 on wrong use, and says what is wrong', async () => {
    writeFileSync(join(root, 'bad.json'), '{"findings": [{}]}')
    for (const [argv, said] of [
      [[], 'a path is needed'],
      [[root, 'other'], 'only one path'],
      [[root, '--format', 'xml'], '--format'],
      [[root, '--min-severity', 'bad'], '--min-severity'],
      [[root, '--what'], '--what'],
      [[root, '--baseline', join(root, 'none.json')], 'none.json'],
      [[root, '--baseline', join(root, 'bad.json')], 'fingerprint'],
      [[root, '--write-baseline', join(root, 'no', 'where.json')], 'where.json'],
      [[join(root, 'none')], 'AUTON8N_FILE_UNREADABLE'],
    ] as [string[], string][]) {
      err = ''
      expect(await scan(argv), said).toBe(2)
      expect(err).toContain(said)
    }
    expect(await scan(['--help'])).toBe(0)
    expect(out).toContain('Usage: auton8n scan')
  })

  it('lets the process end by itself', () => {
    writeFileSync(join(root, 'a.txt'), token)
    const addon = join(import.meta.dirname, '../../index.cjs')
    const script = `const { NativeScanner } = require(${JSON.stringify(addon)})
      const scan = new NativeScanner({}).scanDirectory(${JSON.stringify(root)}, {})
      scan.then((text) => console.log(JSON.parse(text).secrets.length))`
    const run = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60_000 })
    expect(run).toMatchObject({ status: 0, stdout: '1\n', stderr: '' })
  })
})
