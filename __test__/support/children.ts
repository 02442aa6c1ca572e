import { spawn, type ChildProcess } from 'node:child_process'
import { expect, vi } from 'vitest'

/** A process that a test started, and what it said. */
export interface Child {
  process: ChildProcess
  lines: string[]
  ended: Promise<number | null>
  /** Writes a line to its input. */
  tell(line: string): void
  /** Ends it with -9. */
  kill(): Promise<void>
}

const children: Child[] = []

/** Starts `node` with these arguments. */
export function startNode(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Child {
  const child = spawn(process.execPath, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  let rest = ''
  child.stdout.on('data', (data: Buffer) => {
    const parts = (rest + String(data)).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const started: Child = {
    process: child,
    lines,
    ended,
    tell: line => void child.stdin.write(`${line}\n`),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
  children.push(started)
  return started
}

/** Ends all of them with -9. */
export async function killChildren(): Promise<void> {
  const all = children.splice(0)
  for (const { process } of all) process.kill('SIGKILL')
  await Promise.all(all.map(child => child.ended))
}

/** Waits until it is so. */
export async function until(check: () => boolean | Promise<boolean>, timeout = 60_000): Promise<void> {
  await vi.waitFor(async () => expect(await check()).toBe(true), { timeout, interval: 10 })
}

/** What stands behind a word, of the lines that begin with it. */
export function after(lines: readonly string[], word: string): string[] {
  return lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
}

/** A small generator, so that a failing run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
