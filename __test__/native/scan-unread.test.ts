import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const DIST = join(import.meta.dirname, '../../dist')
const MAIN = join(DIST, 'cli/main.js')

/**
 * Runs as a user whom rights bind, since root may read every file and its tests would be empty. What it runs is loaded
 * before: that user need not be able to read this folder.
 */
const SCAN = `
  const { SecretsScanner } = await import(${JSON.stringify(join(DIST, 'api/scanner.js'))})
  const { scan } = await import(${JSON.stringify(join(DIST, 'cli/scan.js'))})
  new SecretsScanner()
  if (process.getuid() === 0) {
    process.chdir('/')
    process.setgroups([])
    process.setgid(65534)
    process.setuid(65534)
  }
  process.exitCode = await scan(process.argv.slice(1))
`

describe('what auton8n scan cannot read', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'auton8n-unread-'))
    chmodSync(root, 0o755)
    writeFileSync(join(root, 'good.txt'), 'nothing\n')
    writeFileSync(join(root, 'data.bin'), Buffer.alloc(64))
  })
  afterEach(() => {
    for (const name of readdirSync(root)) chmodSync(join(root, name), 0o700)
    rmSync(root, { recursive: true, force: true })
  })
  function scan(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
    const program = ['--input-type=module', '-e', SCAN, '--', ...argv]
    const { status, stdout, stderr } = spawnSync(process.execPath, program, { encoding: 'utf8', timeout: 60_000 })
    return { status, stdout, stderr }
  }

  it('is told with the reason, and is not called clean', () => {
    expect(scan(root)).toEqual({ status: 0, stdout: '0 secrets in 1 files, 1 skipped\n', stderr: '' })
    writeFileSync(join(root, 'no\nfile'), 'x')
    chmodSync(join(root, 'no\nfile'), 0)
    mkdirSync(join(root, 'shut'))
    writeFileSync(join(root, 'shut', 'a.txt'), 'x')
    chmodSync(join(root, 'shut'), 0)
    for (const more of [[], ['--format', 'json'], ['--format', 'sarif'], ['--gitignore']]) {
      const run = scan(root, ...more)
      expect(run.status, run.stderr).toBe(1)
      expect(run.stderr).toMatch(/^auton8n scan: no\?file was not read: Permission denied/m)
      expect(run.stderr).toMatch(/^auton8n scan: shut was not read: Permission denied/m)
      expect(run.stderr.trim().split('\n')).toHaveLength(2)
    }
    const known = mkdtempSync(join(tmpdir(), 'auton8n-unread-known-'))
    chmodSync(known, 0o777)
    try {
      expect(scan(root, '--write-baseline', join(known, 'known.json')).status).toBe(1)
    } finally {
      rmSync(known, { recursive: true, force: true })
    }
  })

  it('is told in twenty lines at most', () => {
    for (let at = 0; at < 30; at += 1) {
      writeFileSync(join(root, `${at}.txt`), 'x')
      chmodSync(join(root, `${at}.txt`), 0)
    }
    const run = scan(root)
    expect(run.status).toBe(1)
    const lines = run.stderr.trim().split('\n')
    expect(lines).toHaveLength(21)
    expect(lines[20]).toBe('auton8n scan: 10 more were not read')
    expect(run.stdout).toBe('0 secrets in 1 files, 31 skipped\n')
  })

  it('is an error where it is all that was asked for', () => {
    chmodSync(join(root, 'good.txt'), 0)
    const one = scan(join(root, 'good.txt'))
    expect([one.status, one.stderr]).toEqual([1, expect.stringContaining('good.txt was not read: Permission denied')])
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'))
    const link = scan(join(root, 'dangling'))
    expect([link.status, link.stderr]).toEqual([1, expect.stringContaining('AUTON8N_FILE_UNREADABLE')])
    rmSync(join(root, 'dangling'))
    chmodSync(root, 0o700)
    const tree = scan(root)
    expect([tree.status, tree.stderr]).toEqual([1, expect.stringContaining('AUTON8N_FILE_UNREADABLE')])
  })

  it('is no file that a pipe, a device or a link stands for', async () => {
    expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0)
    symlinkSync('nowhere', join(root, 'dangling'))
    symlinkSync('/dev/zero', join(root, 'endless'))
    symlinkSync('.', join(root, 'around'))
    expect(scan(root)).toMatchObject({ status: 0, stderr: '' })
    rmSync(join(root, 'dangling'))
    const child = spawn(process.execPath, [MAIN, 'scan', join(root, 'pipe')], { stdio: 'ignore', timeout: 60_000 })
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1)
  })
})
