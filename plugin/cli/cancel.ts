import { Auton8nError } from '../errors.js'
import { DONE, FOUND, parse, print, printJson, withEngine, type Command } from './command.js'

const USAGE = 'auton8n cancel ID [--json]\n\nCancels a creation that waits or runs. `auton8n jobs` lists them.'

/** Cancels a creation. */
export const cancel: Command = {
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = parse(args, {}, USAGE, [1, 1])
    const id = positionals[0] as string
    return await withEngine({}, async (engine) => {
      const cancelled = await engine.cancel(id)
      const job = await engine.job(id)
      if (!job) throw new Auton8nError('AUTON8N_JOB_NOT_FOUND', `There is no job '${id}'; \`auton8n jobs\` lists them.`)
      if (values.json) printJson({ id, cancelled, status: job.status })
      else print(cancelled ? `Job ${id} was cancelled.` : `Job ${id} is ${job.status} already; nothing was cancelled.`)
      return cancelled ? DONE : FOUND
    })
  },
}
