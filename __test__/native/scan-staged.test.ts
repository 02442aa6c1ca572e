import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checksum } from './scan-tokens.js'

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js')
const token = checksum('m8Lw5PdH3sN6yJ1cG0fT8uEaR2vB4k')

describe('auton8n scan --staged in a repository', () => {
  let root = ''
  const git = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync('git', ['-C', root, '-c', 'user.name=a', '-c', 'user.email=a@b.c', '-c', 'core.autocrlf=false', ...args], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
  const staged = (): { places: string[]; stderr: string; status: number | null } => {
    const run = spawnSync(process.execPath, [MAIN, 'scan', '--staged', root, '--format', 'json'], { encoding: 'utf8' })
    const rows = JSON.parse(run.stdout) as { file: string; line: number; column: number }[]
    return { places: rows.map((one) => `${one.file}:${one.line}:${one.column}`), stderr: run.stderr, status: run.status }
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'auton8n-staged-'))
    git('init', '-q')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('reads each file as one of a folder: bytes, not a text that was made of them', () => {
    const wide = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le')
    writeFileSync(join(root, 'picture.bin'), Buffer.concat([Buffer.alloc(64), Buffer.from(token)]))
    writeFileSync(join(root, 'nul.env'), Buffer.concat([Buffer.from('A=1\0\n'), Buffer.from(`KEY=${token}\n`)]))
    writeFileSync(join(root, 'lines.txt'), `a\r\nb ${token}\r\n`)
    writeFileSync(join(root, 'le.txt'), wide(`x\r\ny ${token}`))
    writeFileSync(join(root, 'be.txt'), wide(`x\r\ny ${token}`).swap16())
    writeFileSync(join(root, 'broken.txt'), Buffer.concat([Buffer.from([0xff, 0xfa, 0x80, 0x0a]), Buffer.from(token)]))
    writeFileSync(join(root, 'empty.txt'), '')
    git('add', '.')
    expect(staged().places).toEqual([
      'be.txt:2:3',
      'broken.txt:2:1',
      'le.txt:2:3',
      'lines.txt:2:3',
      'nul.env:2:5',
    ])
    const run = spawnSync(process.execPath, [MAIN, 'scan', '--staged', root], { encoding: 'utf8' })
    expect(run.stdout).toContain('5 secrets in 6 files, 1 skipped\n')
  })

  it('reads more than fits at once, and one line of many megabytes', () => {
    const line = 'word = other; '.repeat(2_500_000)
    writeFileSync(join(root, 'a.js'), `${line}'${token}'`)
    writeFileSync(join(root, 'b.js'), line)
    writeFileSync(join(root, 'c.js'), `'${token}'`)
    git('add', '.')
    expect(staged().places).toEqual([`a.js:1:${line.length + 2}`, 'c.js:1:2'])
  })

  it('stops a commit as a hook, whatever part of the work is committed', () => {
    const hook = join(root, '.git/hooks/pre-commit')
    writeFileSync(hook, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' scan --staged\n`)
    chmodSync(hook, 0o755)
    writeFileSync(join(root, 'a.txt'), 'clean\n')
    writeFileSync(join(root, 'b.txt'), 'clean\n')
    git('add', '.')
    expect(git('commit', '-q', '-m', 'clean').status).toBe(0)
    writeFileSync(join(root, 'a.txt'), 'clean too\n')
    writeFileSync(join(root, 'b.txt'), token)
    // Git hands another index to the hook for each of these.
    for (const how of [['-a'], ['b.txt'], ['-i', 'b.txt']]) {
      const run = git('commit', '-q', '-m', 'leak', ...how)
      expect([how, run.status]).toEqual([how, 1])
      git('reset', '-q')
    }
    expect(git('commit', '-q', '-m', 'clean', 'a.txt').status).toBe(0)
  })

  it('says that nothing can be read where objects are damaged', () => {
    writeFileSync(join(root, 'a.txt'), token)
    git('add', '.')
    rmSync(join(root, '.git/objects'), { recursive: true })
    const run = spawnSync(process.execPath, [MAIN, 'scan', '--staged', root], { encoding: 'utf8' })
    expect(run.status).toBe(2)
    expect(run.stderr).toMatch(/^auton8n scan: /)
    expect(run.stderr).not.toContain('    at ')
  })
})
