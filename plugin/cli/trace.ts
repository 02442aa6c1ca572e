import { DONE, FOUND, parse, print, printJson, withEngine, type Command } from './command.js'
import { waterfall } from './waterfall.js'

const USAGE = `auton8n trace ID [--json]

Draws a creation in time: its stages, model calls and sandbox runs. ID is a job's or a trace's. The last 16 MiB of
spans are kept in the data directory.`

/** Draws a trace. */
export const trace: Command = {
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = parse(args, {}, USAGE, [1, 1])
    return await withEngine({}, async (engine) => {
      const kept = await engine.trace(positionals[0] as string)
      if (values.json) printJson(kept)
      else print(...waterfall(kept))
      return kept.spans.length > 0 ? DONE : FOUND
    })
  },
}
