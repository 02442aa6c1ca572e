#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Auton8nError } from '../errors.js'
import { CommandError, DONE, FOUND, WRONG_USE, isClosedPipe, type Command } from './command.js'

const COMMANDS: Record<string, () => Promise<Command>> = {
  create: async () => (await import('./create.js')).create,
  verify: async () => (await import('./verify.js')).verify,
  scan: async () => (await import('./scanCommand.js')).scan,
  dependencies: async () => (await import('./dependencies.js')).dependencies,
  advisories: async () => (await import('./advisories.js')).advisories,
  jobs: async () => (await import('./jobs.js')).jobs,
  cancel: async () => (await import('./cancel.js')).cancel,
  trace: async () => (await import('./trace.js')).trace,
  doctor: async () => (await import('./doctor.js')).doctor,
}

const HELP = `auton8n makes ElizaOS plugins and proves them.

  auton8n create SPEC.json|"description" [--out DIR]   make a plugin and show every check
  auton8n verify DIR [--spec FILE]                     run the same checks on a plugin that exists
  auton8n scan PATH [--format text|json|sarif] [--baseline FILE]
                                                       look for secrets
  auton8n dependencies DIR|package.json [--offline] [--format text|json]
                                                       judge what a package depends on
  auton8n advisories [update]                          say which advisories are here, or fetch npm's
  auton8n jobs [--status STATUS]                       list the creations of the data directory
  auton8n jobs export|import FILE [--store STORE]      move jobs from one store to another
  auton8n cancel ID                                    cancel one
  auton8n trace ID                                     draw its stages, model calls and sandbox runs in time
  auton8n doctor                                       say what is here and what is missing

  --json      print JSON for machines
  --help      print this, or how a command is used
  --version   print the version

The exit code is 0 when it is done, 1 when something was found or failed, 2 when it was used in a wrong way.
AUTON8N_DATA_DIR says where jobs and created plugins are kept (default: .auton8n here).
`

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (!isClosedPipe(error)) throw error
  })
}
process.exitCode = await main(process.argv.slice(2))

async function main([name, ...rest]: string[]): Promise<number> {
  if (name === undefined) return wrongUse(HELP)
  if (name === '--help' || name === '-h' || name === 'help') return say(HELP)
  if (name === '--version' || name === '-v') return say(`${version()}\n`)
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!load) return wrongUse(`There is no command '${name}'. There are: ${Object.keys(COMMANDS).join(', ')}.\n`)
  const json = rest.includes('--json')
  try {
    const command = await load()
    if (command.usage && (rest.includes('--help') || rest.includes('-h'))) return say(`${command.usage}\n`)
    return await command.run(rest)
  } catch (error) {
    return failed(error, json)
  }
}

function failed(error: unknown, json: boolean): number {
  const known = error instanceof Auton8nError || error instanceof CommandError
  const code = error instanceof Auton8nError ? error.code : known ? 'AUTON8N_OPTION_INVALID' : 'AUTON8N_INTERNAL'
  const message = error instanceof Error ? error.message : String(error)
  const problems = error instanceof Auton8nError ? problemsOf(error.details) : []
  if (json) {
    const extras = problems.length > 0 ? { problems } : {}
    process.stdout.write(`${JSON.stringify({ error: { code, message, ...extras } })}\n`)
  } else {
    const lines = problems.map(({ path, message: what, fix }) => `  ${path}: ${what}${fix ? ` (${fix})` : ''}`)
    const fault = known ? '' : ' (a fault of auton8n; please report it)'
    process.stderr.write([`${message}${fault}`, ...lines, ''].join('\n'))
    if (error instanceof Auton8nError) process.stderr.write(`${code}\n`)
  }
  return error instanceof CommandError ? WRONG_USE : FOUND
}

function problemsOf(details: unknown): { path: string; message: string; fix?: string }[] {
  const problems = (details as { problems?: unknown } | undefined)?.problems
  return Array.isArray(problems) ? (problems as { path: string; message: string; fix?: string }[]) : []
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function say(text: string): number {
  process.stdout.write(text)
  return DONE
}

function wrongUse(text: string): number {
  process.stderr.write(text)
  return WRONG_USE
}
