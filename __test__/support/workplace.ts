import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CreationReport, JobSnapshot } from '../../plugin/api/creation.js'
import { openEngine, type Engine } from '../../plugin/api/engine.js'
import { formatReply } from '../../plugin/api/reply.js'
import type { ModelFunction } from '../../plugin/api/model.js'
import type { EngineOptions } from '../../plugin/api/options.js'
import type { PluginSpecification } from '../../plugin/api/specification.js'
import { Auton8nError } from '../../plugin/errors.js'

/** Sources and tests of a plugin, as a model answers them. */
export type Files = Record<string, string>

/** A folder of its own for one test file, with an engine in it. */
export interface Workplace {
  directory: string
  dataDir: string
  engine: Engine
  /** A path in the folder that nobody used yet. */
  fresh(name: string): string
  remove(): Promise<void>
}

/** Opens an engine in a new folder; `remove` closes it and leaves nothing behind. */
export async function openWorkplace(options: EngineOptions = {}): Promise<Workplace> {
  const directory = temporary()
  const dataDir = options.dataDir ?? join(directory, 'data')
  const engine = await openEngine({ ...options, dataDir })
  let count = 0
  return {
    directory,
    dataDir,
    engine,
    fresh: (name) => join(directory, `${name}-${(count += 1)}`),
    async remove() {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A new folder of the machine's temporary ones. */
export function temporary(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'auton8n-accept-')))
}

/** One of the specifications in `examples/`. */
export function example(name: string): PluginSpecification {
  return JSON.parse(readFileSync(join('examples', `${name}.json`), 'utf8')) as PluginSpecification
}

/** What the template writes for a specification: the files that a model would answer with. */
export async function templateFiles(engine: Engine, specification: PluginSpecification): Promise<Files> {
  const creation = await engine.createPlugin(specification, { generator: 'template' })
  const { directory } = await creation.result()
  return sourcesOf(directory)
}

/** `src/` and `__tests__/` of a plugin. */
export function sourcesOf(directory: string): Files {
  const files: Files = {}
  for (const folder of ['src', '__tests__']) {
    for (const name of readdirSync(join(directory, folder), { recursive: true, withFileTypes: true })) {
      if (!name.isFile()) continue
      const path = join(name.parentPath, name.name)
      files[path.slice(directory.length + 1)] = readFileSync(path, 'utf8')
    }
  }
  return files
}

/** The files with one piece of one of them replaced; it has to be there. */
export function changed(files: Files, path: string, from: string | RegExp, to: string): Files {
  const text = files[path]
  if (text === undefined) throw new Error(`${path} is not among ${Object.keys(files).join(', ')}`)
  const next = text.replace(from, () => to)
  if (next === text) throw new Error(`${path} holds no ${String(from)}`)
  return { ...files, [path]: next }
}

/** A model that gives these answers in turn, the last one again, and remembers what it was asked. */
export interface Scripted {
  model: ModelFunction
  prompts: string[]
}

/** Answers are files, or text as it is. */
export function scripted(...answers: (Files | string)[]): Scripted {
  const prompts: string[] = []
  const model: ModelFunction = ({ prompt }) => {
    const answer = answers[Math.min(prompts.push(prompt), answers.length) - 1]
    return Promise.resolve(typeof answer === 'string' ? answer : formatReply(answer ?? {}))
  }
  return { model, prompts }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Auton8nError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (outcome instanceof Auton8nError) return outcome
  throw new Error('it did not reject with an Auton8nError', { cause: outcome })
}

/** The report that an error of a creation carries. */
export function reportOf(error: Auton8nError): CreationReport {
  const { report } = (error.details ?? {}) as { report?: CreationReport }
  if (!report) throw new Error(`${error.code} has no report: ${error.message}`)
  return report
}

/** The status of each check, by its name. */
export function statuses(report: CreationReport): Record<string, string> {
  return Object.fromEntries(report.checks.map((check) => [check.name, check.status]))
}

/** The files below a folder whose bytes hold a text. */
export function filesHolding(directory: string, text: string): string[] {
  const needle = Buffer.from(text)
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(needle))
}

/** Waits until a job is as wanted, and answers it. */
export async function until(
  engine: Engine,
  id: string,
  wanted: (job: JobSnapshot) => boolean,
  milliseconds = 60_000,
): Promise<JobSnapshot> {
  const end = Date.now() + milliseconds
  for (;;) {
    const job = await engine.job(id)
    if (job && wanted(job)) return job
    if (Date.now() > end) throw new Error(`the job did not get there in time: ${JSON.stringify(job)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Whether a Docker engine answers; where every real part is required, a test that needs it fails without it. */
export const docker = process.env.AUTON8N_REQUIRE_ALL === '1' || dockerAnswers()

function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore', timeout: 10_000 })
    return true
  } catch {
    return false
  }
}

/** Containers of the engines of one process, whether it lives or not. */
export function containersOf(pid: number): string[] {
  const format = '{{.ID}} {{.Label "auton8n.owner"}}'
  const args = ['ps', '-a', '--no-trunc', '--filter', 'label=auton8n.owner', '--format', format]
  const lines = execFileSync('docker', args, { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.split(' ')[1] === String(pid)).map((line) => line.split(' ')[0] ?? '')
}
