import { Auton8nError } from '../errors.js'
import { DONE, FOUND, parse, print, printJson, withEngine, type Command } from './command.js'
import { factLines } from './facts.js'

const USAGE = 'auton8n doctor [--json]\n\nSays what is here, what is missing, and what to do about it.'

interface Diagnosis {
  status: 'ok' | 'degraded'
  reasons: { code: string; message: string }[]
  warnings?: string[]
  facts: Record<string, unknown>
}

/** Says what is here and what is missing. */
export const doctor: Command = {
  usage: USAGE,
  run: async (args) => {
    const { values } = parse(args, {}, USAGE, [0, 0])
    const diagnosis = await diagnose()
    if (values.json) printJson(diagnosis)
    else print(...linesOf(diagnosis))
    return diagnosis.status === 'ok' ? DONE : FOUND
  },
}

async function diagnose(): Promise<Diagnosis> {
  const facts: Record<string, unknown> = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    model: process.env.ANTHROPIC_API_KEY ? 'ANTHROPIC_API_KEY is set' : 'no ANTHROPIC_API_KEY: templates only',
  }
  try {
    return await withEngine({}, async (engine) => {
      const [health, found] = await Promise.all([engine.health(), engine.doctor()])
      const { status, reasons, warnings = [] } = health
      return { status, reasons, warnings, facts: { ...found, ...facts } }
    })
  } catch (error) {
    if (!(error instanceof Auton8nError)) throw error
    return { status: 'degraded', reasons: [{ code: error.code, message: error.message }], facts }
  }
}

function linesOf({ status, reasons, warnings = [], facts }: Diagnosis): string[] {
  return [
    ...factLines(facts),
    '',
    status === 'ok' ? 'Everything that a creation needs is here.' : 'Something is missing:',
    ...reasons.map(({ code, message }) => `- ${message} (${code})`),
    ...warnings.map((warning) => `Warning: ${warning}.`),
  ]
}
