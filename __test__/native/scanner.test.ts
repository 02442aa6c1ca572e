import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { SecretsScanner, type SecretsScannerOptions } from '../../plugin/api/scanner.js'
import { checksum } from './scan-tokens.js'

const github = checksum('k3Zq9Xw2Rt7Lm5Vb8NpHd4Jc6Fg1Ys')
const google = ['AIza', 'SyD3kQ9xW2Rt7Lm5Vb8NpHd4Jc6Fg1YsT0w'].join('')

describe('SecretsScanner', () => {
  const directories: string[] = []
  const directory = () => {
    const made = mkdtempSync(join(tmpdir(), 'auton8n-scan-'))
    directories.push(made)
    return made
  }
  afterEach(() => {
    for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true })
  })

  it('finds a token at its exact place, in UTF-16 units', () => {
    const scanner = new SecretsScanner()
    for (const [before, line, column] of [
      ['', 1, 1],
      ['a\r\n  ', 2, 3],
      ['\uFEFFx = ', 1, 5],
      ['const 😀 = "', 1, 13],
      ['\u0000\n\u0000 ', 2, 3],
    ] as const) {
      const result = scanner.scanText(`${before}${github}\nrest`)
      expect(result.found).toBe(true)
      expect(result.secrets).toHaveLength(1)
      expect(result.secrets[0]).toMatchObject({
        rule: 'github-token',
        severity: 'critical',
        line,
        column,
        endLine: line,
        endColumn: column + github.length,
      })
    }
  })

  it('does not hand out the secret unless asked to', () => {
    const hidden = new SecretsScanner().scanText(github)
    expect(JSON.stringify(hidden)).not.toContain(github)
    expect(hidden.secrets[0]).not.toHaveProperty('match')
    expect(new SecretsScanner({ reveal: true }).scanText(github).secrets[0]?.match).toBe(github)
  })

  it('does not report a token with a wrong checksum, and takes it out of a text all the same', () => {
    const wrong = github.slice(0, -1) + (github.endsWith('0') ? '1' : '0')
    const scanner = new SecretsScanner()
    expect(scanner.scanText(wrong).found).toBe(false)
    expect(scanner.redactSecretsInText(`x ${wrong} y`)).not.toContain(wrong)
    expect(new SecretsScanner({ minConfidence: 0 }).scanText(wrong).secrets[0]?.severity).toBe('low')
  })

  it('keeps a fingerprint when lines move', () => {
    const scanner = new SecretsScanner()
    const first = scanner.scanText(`x = "${github}"`, 'a.ts').secrets[0]
    const second = scanner.scanText(`\n\n\n  x = "${github}"`, 'a.ts').secrets[0]
    expect(second?.line).toBe(4)
    expect(second?.fingerprint).toBe(first?.fingerprint)
    expect(scanner.scanText(github, 'b.ts').secrets[0]?.fingerprint).not.toBe(first?.fingerprint)
  })

  it('scans files given as a Map or as an object', () => {
    const scanner = new SecretsScanner()
    const object = scanner.scanFiles({ 'b.ts': `x = "${google}"`, 'a.ts': github, 'c.ts': 'clean' })
    expect(object.filesScanned).toBe(3)
    expect(object.secrets.map((one) => [one.file, one.rule])).toEqual([
      ['a.ts', 'github-token'],
      ['b.ts', 'google-api-key'],
    ])
    expect(scanner.scanFiles(new Map([['a.ts', github]])).secrets).toHaveLength(1)
  })

  it('scans variables by name and value', () => {
    const scanner = new SecretsScanner()
    const result = scanner.validateEnvironmentVariables({
      GITHUB: github,
      DB_PASSWORD: 'h7Q!z92kVm',
      HOME: '/root',
      PATH: undefined,
    })
    expect(result.secrets.map((one) => [one.file, one.rule, one.line, one.column])).toEqual([
      ['env:DB_PASSWORD', 'generic-password', 1, 1],
      ['env:GITHUB', 'github-token', 1, 1],
    ])
  })

  it('scans a tree, without following links, and says what it left out', async () => {
    const root = directory()
    const outside = directory()
    writeFileSync(join(outside, 'outside.ts'), github)
    mkdirSync(join(root, 'src'))
    writeFileSync(join(root, 'src', 'index.ts'), `export const key = '${github}'\n`)
    writeFileSync(join(root, 'ignored.txt'), github)
    writeFileSync(join(root, '.gitignore'), 'ignored.txt\n')
    writeFileSync(join(root, 'blob.bin'), Buffer.concat([Buffer.alloc(16), Buffer.from(github)]))
    writeFileSync(join(root, 'big.txt'), 'x'.repeat(5000))
    writeFileSync(join(root, 'wide.env'), Buffer.from(`\uFEFFKEY=${github}`, 'utf16le'))
    symlinkSync(outside, join(root, 'link'))
    const scanner = new SecretsScanner({ maxFileSize: 4000 })
    const all = await scanner.scanDirectory(root)
    expect(all.secrets.map((one) => one.file)).toEqual(['ignored.txt', 'src/index.ts', 'wide.env'])
    expect(all.skipped).toEqual([
      { file: 'big.txt', reason: 'too large' },
      { file: 'blob.bin', reason: 'binary' },
    ])
    const fewer = await scanner.scanDirectory(root, { gitignore: true, exclude: ['*.env'] })
    expect(fewer.secrets.map((one) => one.file)).toEqual(['src/index.ts'])
    const one = await scanner.scanDirectory(join(root, 'src', 'index.ts'))
    expect(one.secrets[0]).toMatchObject({ file: 'index.ts', line: 1, column: 21 })
    await expect(scanner.scanDirectory(join(root, 'missing'))).rejects.toMatchObject({
      code: 'AUTON8N_FILE_UNREADABLE',
    })
  })

  it('takes secrets out of a text and leaves the rest', () => {
    const scanner = new SecretsScanner()
    const clean = 'GET /plugins/42 took 13 ms, status=200 user=anna'
    expect(scanner.redactSecretsInText(clean)).toBe(clean)
    const text = `login with ${github} at postgres://app:q8Zt-R2v!m@db.acme.io/app 😀`
    const redacted = scanner.redactSecretsInText(text)
    expect(redacted).toMatch(/^login with ghp_\*+\w{4} at postgres:\/\/app:\*+@db\.acme\.io\/app 😀$/)
    expect(scanner.redactSecretsInText(redacted)).toBe(redacted)
    expect(scanner.redactSecret('hunter2')).toBe('********')
  })

  it('uses rules of its user', () => {
    const scanner = new SecretsScanner({ rules: [{ name: 'Acme key', pattern: /acme-[0-9]{4}/i, severity: 'high' }] })
    scanner.addPattern({ name: 'Zeta', pattern: 'zeta=(?<secret>[a-z]{5})', severity: 'low', description: 'A test' })
    const result = scanner.scanText('ACME-1234 zeta=abcde')
    expect(result.secrets.map((one) => [one.rule, one.column, one.severity])).toEqual([
      ['Acme-key', 1, 'high'],
      ['Zeta', 16, 'low'],
    ])
    const patterns = scanner.getPatterns()
    expect(patterns.length).toBeGreaterThan(100)
    expect(patterns.at(-1)).toEqual({
      rule: 'Zeta',
      name: 'Zeta',
      pattern: 'zeta=(?<secret>[a-z]{5})',
      severity: 'low',
      description: 'A test',
    })
    const toml = "[[rule]]\nname = 'Toml'\npattern = 'toml-[0-9]{3}'\n"
    expect(new SecretsScanner({ rules: toml }).scanText('toml-123').secrets[0]?.rule).toBe('Toml')
  })

  it('silences what its user disables or allows', () => {
    const silent: SecretsScannerOptions[] = [
      { disable: ['github-*'] },
      { allowlist: [github] },
      { allowlist: [/^ghp_/] },
      { allowlist: [{ path: '*.ts', rule: 'github-token' }] },
    ]
    for (const options of silent) {
      const { secrets } = new SecretsScanner(options).scanText(`x = '${github}'`, 'src/a.ts')
      expect(secrets, JSON.stringify(options)).toEqual([])
    }
    const scanner = new SecretsScanner({ minSeverity: 'high' })
    expect(scanner.scanText(google).found).toBe(false)
    expect(scanner.scanText(`'${github}' // auton8n:allow`).found).toBe(false)
    expect(new SecretsScanner({ allowComments: false }).scanText(`'${github}' // auton8n:allow`).found).toBe(true)
  })

  it('names the option that is wrong', () => {
    for (const [options, name] of [
      [{ minSeverty: 'low' }, 'minSeverty'],
      [{ minSeverity: 'bad' }, 'minSeverity'],
      [{ minConfidence: 2 }, 'minConfidence'],
      [{ maxFileSize: 0 }, 'maxFileSize'],
      [{ maxFileSize: '5' }, 'maxFileSize'],
      [{ disable: 'x' }, 'disable'],
      [{ disable: ['no-such-rule'] }, 'disable'],
      [{ reveal: 1 }, 'reveal'],
      [{ entropy: 99 }, 'entropy'],
      [{ entropy: null }, 'entropy'],
      [{ entropy: { treshold: 3 } }, 'entropy.treshold'],
      [{ rules: [{ name: 'x' }] }, 'rules[0].pattern'],
      [{ rules: 'not toml' }, 'rules'],
      [{ allowlist: [{}] }, 'allowlist'],
      [{ allowlist: [5] }, 'allowlist[0]'],
      [{ allowlist: [{ rule: 'no-such-rule' }] }, 'no-such-rule'],
      [null, 'options'],
      [{ reveal: null }, 'reveal'],
      [JSON.parse('{"__proto__": {}}'), '__proto__'],
    ] as [SecretsScannerOptions, string][]) {
      let error: unknown
      try {
        void new SecretsScanner(options)
      } catch (caught) {
        error = caught
      }
      expect(error, name).toMatchObject({ name: 'Auton8nError', code: 'AUTON8N_OPTION_INVALID' })
      expect((error as Error).message).toContain(name)
    }
    const scanner = new SecretsScanner()
    const wrong: (() => unknown)[] = [
      () => scanner.scanText(undefined as unknown as string),
      () => scanner.scanText('x', 5 as unknown as string),
      () => scanner.scanFiles(5 as unknown as Record<string, string>),
      () => scanner.scanFiles({ a: 5 } as unknown as Record<string, string>),
      () => scanner.validateEnvironmentVariables(null as unknown as Record<string, string>),
      () => scanner.redactSecret(null as unknown as string),
      () => scanner.addPattern({ name: '', pattern: 'x' }),
    ]
    for (const call of wrong) expect(call).toThrow(expect.objectContaining({ code: 'AUTON8N_OPTION_INVALID' }))
  })

  it('tells where a pattern is wrong, and lets none hang', () => {
    const scanner = new SecretsScanner()
    for (const [pattern, position] of [['ab(c', 2], ['a(?=b)', 1], [/(a)\1/, 3]] as const) {
      expect(() => scanner.addPattern({ name: 'Mine', pattern })).toThrow(
        expect.objectContaining({
          code: 'AUTON8N_PATTERN_INVALID',
          message: expect.stringContaining(`position ${position}`) as string,
          details: { position },
        }),
      )
    }
    scanner.addPattern({ name: 'Slow', pattern: '(a+)+$|(x+x+)+y' })
    expect(scanner.scanText('a'.repeat(20_000) + '!').found).toBe(false)
  })
})
