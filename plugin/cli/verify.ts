import { readFile } from 'node:fs/promises'
import type { PluginSpecification } from '../api/specification.js'
import { Auton8nError } from '../errors.js'
import { DONE, FOUND, parse, print, printJson, withEngine, type Command } from './command.js'
import { reportLines } from './report.js'

const USAGE = `auton8n verify DIR [--spec FILE] [--json]

Runs the checks of a creation on a plugin project that exists. Without its specification the checks that come from one
are inconclusive, and so is the verdict.`

/** Checks a plugin project that exists. */
export const verify: Command = {
  usage: USAGE,
  run: async (args) => {
    const { values, positionals } = parse(args, { spec: { type: 'string' } }, USAGE, [1, 1])
    const specification = values.spec === undefined ? undefined : await readJson(values.spec)
    return await withEngine({}, async (engine) => {
      const report = await engine.verify(positionals[0] as string, specification)
      if (values.json) printJson(report)
      else print(...reportLines(report))
      return report.verdict === 'passed' ? DONE : FOUND
    })
  },
}

async function readJson(path: string): Promise<PluginSpecification> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as PluginSpecification
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Auton8nError('AUTON8N_FILE_UNREADABLE', `The specification cannot be read: ${reason}.`, { cause })
  }
}
