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

/** Bytes of blobs that are held at once; a larger one is held alone. */
const BATCH = 64 * 1024 * 1024

interface Blob {
  path: string
  name: string
  size: number
}

/** What is staged: a blob for each path from the root of the repository. */
async function stagedBlobs(folder: string): Promise<Blob[]> {
  const args = ['diff', '--cached', '--raw', '-z', '--no-renames', '--no-abbrev', '--no-ext-diff', '--diff-filter=ACMT']
  const fields = (await git(folder, args)).toString('utf8').split('\0')
  const blobs: Blob[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', , name = ''] = (fields[at] ?? '').slice(1).split(' ')
    // Links and submodules have no text of their own.
    if (mode.startsWith('100')) blobs.push({ path: fields[at + 1] ?? '', name, size: 0 })
  }
  if (blobs.length === 0) return []
  const sizes = await git(folder, ['cat-file', '--batch-check'], blobs.map(({ name }) => `${name}\n`).join(''))
  const lines = sizes.toString().split('\n')
  for (const [at, blob] of blobs.entries()) {
    blob.size = Number((lines[at] ?? '').split(' ')[2])
    if (!Number.isSafeInteger(blob.size)) throw new WrongUse(`git cannot read what is staged of ${blob.path}`)
  }
  return blobs
}

/** The files of the next commit as they are staged, some at a time, by their paths from the root of the repository. */
export async function* stagedFiles(folder: string): AsyncGenerator<Map<string, Buffer>> {
  const blobs = await stagedBlobs(folder)
  for (let from = 0, to = 0; from < blobs.length; from = to) {
    let bytes = 0
    for (; to < blobs.length && (to === from || bytes + (blobs[to]?.size ?? 0) <= BATCH); to++) bytes += blobs[to]?.size ?? 0
    const batch = blobs.slice(from, to)
    const read = await git(folder, ['cat-file', '--batch'], batch.map(({ name }) => `${name}\n`).join(''))
    const files = new Map<string, Buffer>()
    let at = 0
    for (const { path, size } of batch) {
      const start = read.indexOf(10, at) + 1
      files.set(path, read.subarray(start, start + size))
      at = start + size + 1
    }
    yield files
  }
}

/** The paths of all files of the next commit. */
export async function trackedFiles(folder: string): Promise<Set<string>> {
  const root = (await git(folder, ['rev-parse', '--show-toplevel'])).toString('utf8').replace(/\n$/, '')
  return new Set((await git(root, ['ls-files', '-z', '--cached'])).toString('utf8').split('\0'))
}
