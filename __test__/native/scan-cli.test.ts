import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Ajv from 'ajv'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { scan } from '../../plugin/cli/scan.js'
import { checksum } from './scan-tokens.js'

const token = checksum('m8Lw5PdH3sN6yJ1cG0fT8uEaR2vB4k')

/** Whether a text is a URI or a part of one. */
function isReference(text: string): boolean {
  return /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/.test(text)
}

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

  it('writes SARIF that its published schema accepts', async () => {
    writeFileSync(join(root, 'a b%\u00e9#?:.ts'), `const key = '${token}'\n`)
    const schema = JSON.parse(
      readFileSync(join(import.meta.dirname, '../support/sarif-2.1.0.schema.json'), 'utf8'),
    ) as object
    // One expression of the published schema is valid without the unicode flag only.
    const formats = { uri: true, 'uri-reference': isReference, 'date-time': true } as const
    const validate = new Ajv({ strict: false, unicodeRegExp: false, formats }).compile(schema)
    expect(await scan([root, '--format', 'sarif'])).toBe(1)
    const log = JSON.parse(out) as { runs: { results: unknown[] }[] }
    expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
    expect(log.runs[0]?.results).toHaveLength(1)
    expect(out).toContain('"uri": "a%20b%25%C3%A9%23%3F%3A.ts"')
    out = ''
    rmSync(join(root, 'a b%\u00e9#?:.ts'))
    expect(await scan([root, '--format', 'sarif'])).toBe(0)
    expect(validate(JSON.parse(out)), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...log, version: '2.0' })).toBe(false)
  })

  it('scans what is staged, not what lies in the folder', async () => {
    const git = (...args: string[]): void => {
      const run = spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' })
      expect(run.status, run.stderr).toBe(0)
    }
    git('init', '-q')
    expect(await scan(['--staged', root])).toBe(0)
    mkdirSync(join(root, 'in'))
    writeFileSync(join(root, 'in', 'b \u00e9.ts'), `const key = '${token}'\n`)
    writeFileSync(join(root, 'wide.txt'), Buffer.from(`\ufeffkey ${token}\n`, 'utf16le'))
    writeFileSync(join(root, 'clean.ts'), 'export {}\n')
    expect(await scan(['--staged', root])).toBe(0)
    git('add', '.')
    // What was staged counts, whatever happened to the file since.
    writeFileSync(join(root, 'in', 'b \u00e9.ts'), 'export {}\n')
    out = ''
    expect(await scan(['--staged', root, '--format', 'json'])).toBe(1)
    expect((JSON.parse(out) as { file: string; line: number }[]).map((one) => `${one.file}:${one.line}`)).toEqual([
      'in/b \u00e9.ts:1',
      'wide.txt:1',
    ])
    git('rm', '-q', '-f', '--cached', 'in/b \u00e9.ts', 'wide.txt')
    expect(await scan(['--staged', root])).toBe(0)
    expect(await scan(['--staged', join(root, 'none')])).toBe(2)
  })

  it('scans the environment', async () => {
    vi.stubEnv('SOME_TOKEN', token)
    try {
      expect(await scan(['--env', '--min-severity', 'critical', '--format', 'json'])).toBe(1)
      expect((JSON.parse(out) as { file: string }[]).map((one) => one.file)).toContain('env:SOME_TOKEN')
      expect(out).not.toContain(token)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('takes rules, accepted values and disabled rules from a file and from options', async () => {
    writeFileSync(join(root, 'a.txt'), `zeta-1234 zeta-4321 ${token} // auton8n:allow`)
    const rules = join(root, 'rules.toml')
    writeFileSync(
      rules,
      "[[rule]]\nname = 'zeta'\npattern = 'zeta-[0-9]{4}'\n[[allowlist]]\nrule = 'zeta'\nvalue = 'zeta-4321'\n",
    )
    const found = async (...options: string[]): Promise<string[]> => {
      out = ''
      await scan([join(root, 'a.txt'), '--format', 'json', ...options])
      return (JSON.parse(out) as { rule: string }[]).map((one) => one.rule)
    }
    expect(await found()).toEqual([])
    expect(await found('--no-comments')).toEqual(['github-token'])
    expect(await found('--no-comments', '--rules', rules)).toEqual(['zeta', 'github-token'])
    expect(await found('--no-comments', '--disable', 'github-*')).toEqual([])
    expect(await found('--no-comments', '--allow-path', '*.txt')).toEqual([])
    writeFileSync(rules, "[[allowlist]]\nrule = 'zeta'\n")
    expect(await scan([root, '--rules', rules])).toBe(2)
    expect(err).toContain('allowlist names "zeta"')
    writeFileSync(rules, "[[rule]]\nname = 'zeta'\npattern = 'ze(ta'\n")
    expect(await scan([root, '--rules', rules])).toBe(2)
    expect(err).toContain('position 2')
  })

  it('writes the same baseline for the same findings, and knows a changed password for a new one', async () => {
    writeFileSync(join(root, 'b.env'), "DB_PASSWORD='Tr0ub4dor&3'\nOTHER=1\n")
    const [first, second] = [join(root, 'one.json'), join(root, 'two.json')]
    for (const file of [first, second]) expect(await scan([join(root, 'b.env'), '--write-baseline', file])).toBe(0)
    expect(readFileSync(first, 'utf8')).toBe(readFileSync(second, 'utf8'))
    // The output for programs is a baseline too.
    out = ''
    expect(await scan([join(root, 'b.env'), '--format', 'json'])).toBe(1)
    writeFileSync(second, out)
    for (const file of [first, second]) expect(await scan([join(root, 'b.env'), '--baseline', file])).toBe(0)
    writeFileSync(join(root, 'b.env'), "DB_PASSWORD='Tr0ub4dor&4'\nOTHER=1\n")
    expect(await scan([join(root, 'b.env'), '--baseline', first])).toBe(1)
  })

  it('ends with 2 on wrong use, and says what is wrong', async () => {
    writeFileSync(join(root, 'bad.json'), '{"version": 2, "findings": [{}]}')
    for (const [argv, said] of [
      [[], 'a path is needed'],
      [[root, 'other'], 'only one path'],
      [[root, '--format', 'xml'], '--format'],
      [['--staged', '--env'], 'together'],
      [['--env', root], 'no path'],
      [['--staged', root, '--gitignore'], 'for a path'],
      [[root, '--rules', join(root, 'none.toml')], 'none.toml'],
      [[root, '--disable', 'nothing'], 'nothing'],
      [[root, '--min-severity', 'bad'], '--min-severity'],
      [[root, '--what'], '--what'],
      [[root, '--baseline', join(root, 'none.json')], 'none.json'],
      [[root, '--baseline', join(root, 'bad.json')], 'fingerprint'],
      [[root, '--write-baseline', join(root, 'no', 'where.json')], 'where.json'],
    ] as [string[], string][]) {
      err = ''
      expect(await scan(argv), said).toBe(2)
      expect(err).toContain(said)
    }
    expect(await scan([join(root, 'none')])).toBe(1)
    expect(err).toContain('AUTON8N_FILE_UNREADABLE')
    expect(await scan(['--help'])).toBe(0)
    expect(out).toContain('Usage: auton8n scan')
  })

  it('says of a folder that it is in no repository', async () => {
    expect(await scan(['--staged', root])).toBe(2)
    expect(err).toContain(`${root} is not inside of a git repository\n`)
  })

  it('reads renamed, partly staged and oddly named files of a worktree, and no link, submodule or mere intent', async () => {
    const git = (folder: string, ...args: string[]): void => {
      const settings = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'protocol.file.allow=always']
      const run = spawnSync('git', ['-C', folder, ...settings, ...args], { encoding: 'utf8' })
      expect(run.status, run.stderr).toBe(0)
    }
    const [main, tree, other] = ['main', 'tree', 'other'].map((name) => join(root, name)) as [string, string, string]
    for (const folder of [main, other]) {
      git(root, 'init', '-q', folder)
      writeFileSync(join(folder, 'a.txt'), 'one\n'.repeat(50))
      git(folder, 'add', '.')
      git(folder, 'commit', '-q', '-m', 'first')
    }
    git(main, 'worktree', 'add', '-q', tree)
    const staged = async (): Promise<string[]> => {
      out = ''
      await scan(['--staged', join(tree, '.'), '--format', 'json'])
      return (JSON.parse(out) as { file: string; line: number }[]).map((one) => `${one.file}:${one.line}`)
    }
    git(tree, 'mv', 'a.txt', 'b \u00fc.txt')
    writeFileSync(join(tree, 'b \u00fc.txt'), `${'one\n'.repeat(50)}${token}\n`)
    expect(await staged()).toEqual([])
    git(tree, 'add', '.')
    writeFileSync(join(tree, 'b \u00fc.txt'), 'clean again\n')
    expect(await staged()).toEqual(['b \u00fc.txt:51'])
    git(tree, 'reset', '-q', '--hard')
    git(tree, 'submodule', 'add', '-q', other, 'part')
    writeFileSync(join(tree, 'later.txt'), token)
    git(tree, 'add', '-N', 'later.txt')
    symlinkSync('/etc/passwd', join(tree, 'link'))
    git(tree, 'add', 'link')
    expect(await staged()).toEqual([])
    writeFileSync(join(tree, 'new\nline "x".txt'), token)
    git(tree, 'add', '.')
    expect(await staged()).toEqual(['later.txt:1', 'new\nline "x".txt:1'])
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
