import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

/** A process of its own that runs a module script and tells what it does, a line at a time. */
export interface Child {
  pid: number
  /** The lines so far. */
  lines: string[]
  /** Resolves with the first line that begins so; rejects when the process ends without it. */
  line(start: string): Promise<string>
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>
  /** Waits for its end; answers the exit code. */
  ended(): Promise<number | null>
}

/** Starts a script that has `createPlugin`, `openEngine`, `JobQueue`, `formatReply` and `say(line)`. */
export function startChild(script: string): Child {
  const entry = pathToFileURL('dist/index.js').href
  const head = `import { createPlugin, openEngine, JobQueue, formatReply } from '${entry}'\nconst say = (line) => console.log(line)\n`
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  let errors = ''
  const waiting = new Set<() => void>()
  const wake = (): void => waiting.forEach((look) => look())
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    wake()
  })
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const closed = once(child, 'close').then(() => wake())
  return {
    pid: child.pid ?? 0,
    lines,
    line: (start) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((line) => line.startsWith(start))
          if (found === undefined && child.exitCode === null && child.signalCode === null) return
          waiting.delete(look)
          if (found === undefined) reject(new Error(`it ended without '${start}': ${lines.join('; ')} ${errors}`))
          else resolve(found)
        }
        waiting.add(look)
        look()
      }),
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
    ended: async () => {
      await closed
      return child.exitCode
    },
  }
}
