import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { nativeCall } from '../errors.js'
import { native } from '../native.js'
import { CommandError, DONE, FOUND, parse, print, type Command } from './command.js'

const EXPORT = `auton8n jobs export FILE [--queue NAME] [--store STORE]

Writes a queue to a file: its limits, its schedules, whether it is paused, and its jobs, those that wait and those
that are over, one a line, the newest first. Stop its workers first; a job that runs is told, and waits where it is imported.

  --queue NAME    default: creations, which are those of the engine
  --store STORE   sqlite (the default, in AUTON8N_DATA_DIR), sqlite:PATH, postgres://… or redis://…; also
                  AUTON8N_STORE`

const IMPORT = `auton8n jobs import FILE [--queue NAME] [--store STORE]

Takes over what \`auton8n jobs export\` wrote, the jobs with their ids and in their order, the schedules with the times at
which they are due. It may be repeated: jobs and schedules that are there already, and limits that are set, are left alone.

  --queue NAME    default: the queue that was exported
  --store STORE   as for export`

const OPTIONS = { queue: { type: 'string' }, store: { type: 'string' } } as const
/** The queue of the engine. */
const CREATIONS = 'creations'
const PAGE = 1_000
const FORMAT = 'auton8n-jobs-1'

const ignore = (): void => undefined

type NativeQueue = Awaited<ReturnType<ReturnType<typeof native>['openQueue']>>

/** Writes the jobs of a queue to a file. */
export const exportJobs: Command = {
  usage: EXPORT,
  run: async (args) => {
    const { values, positionals } = parse(args, OPTIONS, EXPORT, [1, 1])
    const name = values.queue ?? CREATIONS
    return await withQueue(name, values.store, async (queue) => {
      const path = positionals[0] ?? ''
      const file = await open(path, 'wx').catch((error: unknown) => Promise.reject(unusable(path, error)))
      try {
        const { written, schedules, running } = await write(queue, file, name)
        await file.sync()
        print(`${written} jobs${also(schedules)} written.`)
        if (running > 0) print(`${running} of them run: stop the workers and export again, or they run twice.`)
        if (written + schedules === 0) print(`The queue '${name}' is empty; is that its name?`)
        return running > 0 || written + schedules === 0 ? FOUND : DONE
      } finally {
        await file.close()
      }
    })
  },
}

/** Takes over the jobs of a file. */
export const importJobs: Command = {
  usage: IMPORT,
  run: async (args) => {
    const { values, positionals } = parse(args, OPTIONS, IMPORT, [1, 1])
    const path = positionals[0] ?? ''
    const { name, settings, lines } = await read(path)
    return await withQueue(values.queue ?? name, values.store, async (queue) => {
      await hold(queue, settings)
      let restored = 0
      // The file has the newest first, and the order of storing is the order of running.
      for (let end = lines.length; end > 0; end -= PAGE) {
        const page = lines.slice(Math.max(0, end - PAGE), end).toReversed()
        restored += await nativeCall(() => queue.restore(`[${page.join(',')}]`))
      }
      // Last, since one that is due adds a job, which comes after those that were there.
      const schedules = await nativeCall(() => queue.restoreSchedules(JSON.stringify(settings.schedules)))
      print(`${restored} jobs${also(schedules)} taken over, ${lines.length - restored} jobs were there already.`)
      return DONE
    })
  },
}

/** What a queue is set to. */
interface Settings {
  paused: boolean
  limits: object
  schedules: object[]
}

function also(schedules: number): string {
  return schedules === 0 ? '' : ` and ${schedules} ${schedules === 1 ? 'schedule' : 'schedules'}`
}

async function settingsOf(queue: NativeQueue): Promise<Settings> {
  const { paused } = JSON.parse(await nativeCall(() => queue.metrics())) as { paused: boolean }
  const limits = JSON.parse(await nativeCall(() => queue.limits())) as object
  const schedules = JSON.parse(await nativeCall(() => queue.schedules())) as object[]
  return { paused, limits, schedules }
}

/** Before the jobs come, since a worker may wait for them. */
async function hold(queue: NativeQueue, { paused, limits }: Settings): Promise<void> {
  if (paused) await nativeCall(() => queue.setPaused(true))
  const here = await settingsOf(queue)
  if (!isSet(here.limits) && isSet(limits)) await nativeCall(() => queue.setLimits(JSON.stringify(limits)))
}

function isSet(limits: object): boolean {
  return Object.values(limits).some((value: unknown) =>
    typeof value === 'object' && value !== null ? isSet(value) : value != null)
}

interface Written {
  written: number
  schedules: number
  running: number
}

async function write(queue: NativeQueue, file: FileHandle, name: string): Promise<Written> {
  const settings = await settingsOf(queue)
  await file.write(`${JSON.stringify({ format: FORMAT, queue: name, ...settings })}\n`)
  let [written, running] = [0, 0]
  let cursor: string | undefined
  for (;;) {
    const page = JSON.stringify({ limit: PAGE, cursor })
    const jobs = JSON.parse(await nativeCall(() => queue.list(page))) as { id: string; status: string }[]
    if (jobs.length === 0) break
    await file.write(jobs.map((job) => `${JSON.stringify(job)}\n`).join(''))
    written += jobs.length
    running += jobs.filter((job) => job.status === 'running').length
    cursor = jobs.at(-1)?.id
  }
  await file.write(`${JSON.stringify({ jobs: written })}\n`)
  return { written, schedules: settings.schedules.length, running }
}

async function read(path: string): Promise<{ name: string; settings: Settings; lines: string[] }> {
  const lines: string[] = []
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) lines.push(line)
  } catch (error) {
    throw unusable(path, error)
  }
  const [head, tail] = [parsed(lines.shift()), parsed(lines.pop())]
  if (head?.['format'] !== FORMAT) throw new CommandError(`${path} was not written by 'auton8n jobs export'.`)
  if (tail?.['jobs'] !== lines.length) throw new CommandError(`${path} is cut off; export the jobs again.`)
  const { queue, paused, limits, schedules } = head
  const settings = {
    paused: paused === true,
    limits: typeof limits === 'object' && limits !== null ? limits : {},
    schedules: Array.isArray(schedules) ? (schedules as object[]) : [],
  }
  return { name: typeof queue === 'string' ? queue : CREATIONS, settings, lines }
}

function unusable(path: string, error: unknown): CommandError {
  return new CommandError(`${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`)
}

function parsed(line: string | undefined): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line ?? '') as Record<string, unknown>
  } catch {
    return undefined
  }
}

async function withQueue(name: string, store: string | undefined, work: (queue: NativeQueue) => Promise<number>): Promise<number> {
  const place = store ?? process.env['AUTON8N_STORE']
  const options = JSON.stringify({
    ...(place ? { store: place } : {}),
    dataDir: process.env['AUTON8N_DATA_DIR'] || '.auton8n',
  })
  const queue = await nativeCall(() => native().openQueue(name, options, ignore, ignore))
  try {
    return await work(queue)
  } finally {
    await nativeCall(() => queue.close(0))
  }
}
