import type { JobStatus } from '../api/queue.js'
import type { CreationFilter } from '../api/engine.js'
import { JOB_STATUSES } from '../api/snapshot.js'
import { CommandError, DONE, parse, print, printJson, wholeNumber, withEngine, type Command } from './command.js'

const USAGE = `auton8n jobs [--status STATUS] [--limit N] [--json]

Lists the creations of the data directory; also beside an agent that is running.

\`auton8n jobs export FILE\` and \`auton8n jobs import FILE\` move the jobs of a queue from one store to another, with the
options --queue NAME and --store STORE; without a FILE they tell more.`

const OPTIONS = { status: { type: 'string' }, limit: { type: 'string', default: '50' } } as const

const MOST_LISTED = 1_000

/** Lists creations. */
export const jobs: Command = {
  usage: USAGE,
  run: async (args) => {
    const [verb, ...rest] = args
    if (verb === 'export' || verb === 'import') {
      const transfer = await import('./jobTransfer.js')
      const command = verb === 'export' ? transfer.exportJobs : transfer.importJobs
      return await command.run(rest)
    }
    const { values } = parse(args, OPTIONS, USAGE, [0, 0])
    const filter: CreationFilter = {
      limit: wholeNumber('--limit', values.limit, MOST_LISTED, USAGE),
      ...(values.status === undefined ? {} : { status: statusOf(values.status) }),
    }
    return await withEngine({}, async (engine) => {
      const list = await engine.jobs(filter)
      if (values.json) printJson(list)
      else if (list.length === 0) print('There are no jobs.')
      else {
        const rows = list.map((job) => [
          job.id,
          job.status,
          `${Math.round(job.progress)} %`,
          job.stage ?? '',
          new Date(job.createdAt).toISOString(),
          job.name,
        ])
        print(...table(rows))
      }
      return DONE
    })
  },
}

function statusOf(value: string): JobStatus {
  const found = JOB_STATUSES.find((status) => status === value)
  if (found) return found
  throw new CommandError(`--status is one of ${JOB_STATUSES.join(', ')}, not '${value}'.\n\n${USAGE}`)
}

function table(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(cell.length, most[at] ?? 0)), [])
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ').trimEnd())
}
