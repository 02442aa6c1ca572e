import { parseArgs, type ParseArgsConfig } from 'node:util'
import { openEngine, type Engine } from '../api/engine.js'
import type { EngineOptions } from '../api/options.js'
import { environmentOptions } from '../settings.js'

export const DONE = 0
export const FOUND = 1
export const WRONG_USE = 2

/** One command of the command line. */
export interface Command {
  /** What `--help` prints; a command without it answers `--help` itself. */
  usage?: string
  /** Answers the exit code. */
  run(args: string[]): Promise<number>
}

/** The command line was used in a wrong way. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** The options of a command that take a value, with their defaults. */
type Options = Record<string, { type: 'string'; default?: string }>

/** What stands on a command line. */
export interface Parsed<T extends Options> {
  values: { [K in keyof T]: T[K] extends { default: string } ? string : string | undefined } & { json: boolean }
  positionals: string[]
}

/** The options and the words of a command, or a `CommandError` that says how it is used. */
export function parse<T extends Options>(
  args: string[],
  options: T,
  usage: string,
  [least, most]: [least: number, most: number],
): Parsed<T> {
  const known: ParseArgsConfig['options'] = { ...options, json: { type: 'boolean', default: false } }
  let parsed: Parsed<T>
  try {
    parsed = parseArgs({ args, options: known, allowPositionals: true, strict: true }) as unknown as Parsed<T>
  } catch (error) {
    throw new CommandError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  }
  const count = parsed.positionals.length
  if (count < least) throw new CommandError(`Something is missing.\n\n${usage}`)
  if (count > most) throw new CommandError(`'${parsed.positionals[most] ?? ''}' is too much.\n\n${usage}`)
  return parsed
}

/** The value of an option that counts something, or a `CommandError`. */
export function wholeNumber(option: string, value: string, most: number, usage: string): number {
  const number = /^\d{1,12}$/.test(value) ? Number(value) : 0
  if (number >= 1 && number <= most) return number
  throw new CommandError(`${option} is a whole number from 1 to ${most}, not '${value}'.\n\n${usage}`)
}

/** Opens an engine, lends it and closes it, whatever happens. An interrupt cancels by `signal` and then closes. */
export async function withEngine<T>(
  options: EngineOptions,
  work: (engine: Engine, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort()
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    const engine = await openEngine({ ...environmentOptions(), ...options })
    try {
      return await work(engine, interrupted.signal)
    } finally {
      await engine.close()
    }
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/** Whether whoever read what is printed has gone, as `head` does: there is nobody left to tell. */
export function isClosedPipe(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'EPIPE'
}

/** Prints a value for machines. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Prints lines for people. */
export function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
