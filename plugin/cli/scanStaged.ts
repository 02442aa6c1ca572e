import { spawn } from 'node:child_process'
import { WrongUse } from './wrongUse.js'

/** What `git` printed; it runs no program that a repository's settings name. */
function git(folder: string, args: string[], input = ''): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['-C', folder, '-c', 'core.fsmonitor=false', ...args], { stdio: 'pipe' })
    const out: Buffer[] = []
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
    child.on('error', (error) => reject(new WrongUse(`git cannot be run: ${error.message}`)))
    child.on('close', (code) => {
      // The first line: outside of a repository all options of `git diff` follow.
      const [why = ''] = err.trim().split('\n')
      if (code === 0) resolve(Buffer.concat(out))
      else if (/unknown option `cached'|not a git repository/i.test(why)) {
        reject(new WrongUse(`${folder} is not inside of a git repository`))
      } else reject(new WrongUse(`git ${args[0] ?? ''} failed in ${folder}: ${why || `exit code ${code}`}`))
    })
    // A pipe that closes early is told by the exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** The text of a blob: UTF-16 with its mark, else UTF-8 with any faults. */
function text(bytes: Buffer): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return bytes.toString('utf8')
}

/** The files of the next commit as they are staged, by their paths from the root of the repository. */
export async function stagedFiles(folder: string): Promise<Map<string, string>> {
  const args = ['diff', '--cached', '--raw', '-z', '--no-renames', '--no-abbrev', '--no-ext-diff', '--diff-filter=ACMT']
  const fields = (await git(folder, args)).toString('utf8').split('\0')
  const files: { path: string; blob: string }[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', , blob = ''] = (fields[at] ?? '').slice(1).split(' ')
    // Links and submodules have no text of their own.
    if (mode.startsWith('100')) files.push({ path: fields[at + 1] ?? '', blob })
  }
  const staged = new Map<string, string>()
  if (files.length === 0) return staged
  const blobs = await git(folder, ['cat-file', '--batch'], files.map(({ blob }) => `${blob}\n`).join(''))
  let at = 0
  for (const { path } of files) {
    const line = blobs.indexOf(10, at)
    const size = Number(blobs.subarray(at, line).toString().split(' ')[2])
    if (line < 0 || !Number.isSafeInteger(size)) throw new WrongUse(`git cannot read what is staged of ${path}`)
    staged.set(path, text(blobs.subarray(line + 1, line + 1 + size)))
    at = line + 1 + size + 1
  }
  return staged
}

/** The paths of all files of the next commit. */
export async function trackedFiles(folder: string): Promise<Set<string>> {
  const root = (await git(folder, ['rev-parse', '--show-toplevel'])).toString('utf8').replace(/\n$/, '')
  return new Set((await git(root, ['ls-files', '-z', '--cached'])).toString('utf8').split('\0'))
}
