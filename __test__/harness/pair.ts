import { spawn, type ChildProcess } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

export interface Check {
  name: string
  status: 'passed' | 'failed' | 'inconclusive' | 'skipped'
  detail?: string
  durationMs: number
}

export interface Judgement {
  checks: Check[]
  counts: Record<Check['status'], number>
  requests: { answered: number, http: number }
  exitCode: number | null
  wallMs: number
  subjectOutput: string
}

const root = new URL('../../', import.meta.url).pathname

/** A directory laid out as a sandbox is: the harness beside `node_modules`. */
export class Bench {
  private constructor(readonly directory: string) {}

  static async make(): Promise<Bench> {
    const directory = await mkdtemp(join(tmpdir(), 'auton8n-harness-'))
    await cp(join(root, 'harness'), join(directory, 'harness'), { recursive: true })
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'))
    await mkdir(join(directory, 'plugins'))
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
    return new Bench(directory)
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  /** Examines a plugin given as source text, with the two halves as real processes joined at descriptor 3. */
  async judge(name: string, source: string, request: Record<string, unknown>): Promise<Judgement> {
    const entry = join(this.directory, 'plugins', `${name}.mjs`)
    await writeFile(entry, source)
    return this.judgeWith([join(this.directory, 'harness/subject.mjs'), entry], JSON.stringify(request))
  }

  async judgeWith(subjectArguments: string[], input: string): Promise<Judgement> {
    const start = performance.now()
    const environment = { PATH: process.env['PATH'] ?? '' }
    const judge = spawn(process.execPath, [join(this.directory, 'harness/judge.mjs')], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'], env: environment,
    })
    const subject = spawn(process.execPath, subjectArguments, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: environment,
    })
    bridge(judge, subject)
    let subjectOutput = ''
    for (const stream of [subject.stdout, subject.stderr]) {
      stream?.on('data', (chunk: Buffer) => { if (subjectOutput.length < 10_000) subjectOutput += chunk.toString() })
    }
    let output = ''
    let errors = ''
    judge.stdout?.on('data', (chunk: Buffer) => { output += chunk.toString() })
    judge.stderr?.on('data', (chunk: Buffer) => { errors += chunk.toString() })
    judge.stdin?.on('error', () => {})
    judge.stdin?.end(input)
    const exitCode = await new Promise<number | null>((resolve) => judge.once('close', resolve))
    const wallMs = performance.now() - start
    subject.kill('SIGKILL')
    if (errors !== '' || output === '') throw new Error(`the judge said: ${errors}${output}`)
    const report = JSON.parse(output) as Omit<Judgement, 'exitCode' | 'wallMs' | 'subjectOutput'>
    return { ...report, exitCode, wallMs, subjectOutput }
  }
}

/** Joins the fourth descriptors of two processes; the end of one is the end of the other. */
function bridge(left: ChildProcess, right: ChildProcess): void {
  const one = left.stdio[3] as Duplex
  const other = right.stdio[3] as Duplex
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
    from.pipe(to)
  }
}

export function failed(judgement: Judgement): Check[] {
  return judgement.checks.filter((check) => check.status === 'failed')
}
