import { checkDependencies, type CheckDependenciesOptions, type DependencyFinding, type DependencyReport } from '../api/dependencies.js'
import { CommandError, DONE, FOUND, print, printJson, type Command } from './command.js'
import { parseArgs } from 'node:util'

const USAGE = `auton8n dependencies DIR|package.json [options]

Judges what a package depends on, by its package.json and the package-lock.json beside it: names that are made to be
taken for others, malicious and vulnerable versions, sources other than a registry, install scripts, versions that are
deprecated, too new or not pinned. Nothing is installed, and nothing that is fetched is run.

  --lock FILE            another lock file (version 2 or 3)
  --offline              ask no registry: what is on this machine has to do
  --registry URL         ask this registry
  --advisories FILE      the file of advisories (default: what 'auton8n advisories update' keeps)
  --minimum-age HOURS    how long a version must have been public (24); 0 switches the rule off
  --allow ENTRY          accept 'name', 'name@range' or 'code:name' (may be repeated)
  --omit KIND            leave out 'dev', 'optional' or 'peer' dependencies (may be repeated)
  --format text|json     what is printed (text); --json is the same as --format json

Exit code: 0 passed, 1 failed, unknown or unreadable, 2 wrong use.`

/** Judges what a package depends on. */
export const dependencies: Command = {
  usage: USAGE,
  run: async (args) => {
    const { path, options, json } = await parse(args)
    const report = await checkDependencies(path, options)
    if (json) printJson(report)
    else print(...linesOf(report))
    return report.verdict === 'passed' ? DONE : FOUND
  },
}

async function parse(args: string[]): Promise<{ path: string; options: CheckDependenciesOptions; json: boolean }> {
  const wrong = (what: string): CommandError => new CommandError(`${what}\n\n${USAGE}`)
  let parsed
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        lock: { type: 'string' },
        offline: { type: 'boolean', default: false },
        registry: { type: 'string' },
        advisories: { type: 'string' },
        'minimum-age': { type: 'string' },
        allow: { type: 'string', multiple: true, default: [] },
        omit: { type: 'string', multiple: true, default: [] },
        format: { type: 'string', default: 'text' },
        json: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  const [path, ...more] = positionals
  if (!path) throw wrong('The folder or the package.json is missing.')
  if (more[0] !== undefined) throw wrong(`'${more[0]}' is too much.`)
  if (values.format !== 'text' && values.format !== 'json') throw wrong('--format is text or json.')
  const hours = values['minimum-age'] === undefined ? undefined : Number(values['minimum-age'])
  if (hours !== undefined && !(hours >= 0 && hours <= 24 * 3650)) throw wrong('--minimum-age is a number of hours, at least 0.')
  const kinds = values.omit.filter((kind): kind is 'dev' | 'optional' | 'peer' => ['dev', 'optional', 'peer'].includes(kind))
  if (kinds.length < values.omit.length) throw wrong("--omit is 'dev', 'optional' or 'peer'.")
  const options: CheckDependenciesOptions = {
    offline: values.offline,
    allow: values.allow,
    omit: kinds,
    ...(values.registry === undefined ? {} : { registry: values.registry }),
    ...(values.advisories === undefined ? {} : { advisories: values.advisories }),
    ...(hours === undefined ? {} : { minimumAge: Math.round(hours * 3_600_000) }),
    ...(values.lock === undefined ? {} : { lock: await lockText(values.lock) }),
  }
  return { path: looksLikePath(path), options, json: values.json || values.format === 'json' }
}

async function lockText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const { Auton8nError } = await import('../errors.js')
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Auton8nError('AUTON8N_FILE_UNREADABLE', `The lock file cannot be read: ${why}.`, { cause })
  }
}

/** On a command line everything is a path, even what begins with a brace. */
function looksLikePath(path: string): string {
  return path.startsWith('{') ? `./${path}` : path
}

/** Unknown packages that are named one by one; the rest is counted. */
const MOST_UNKNOWN = 5

function linesOf(report: DependencyReport): string[] {
  const { vulnerable, clean, unknown } = report.answers
  const plain = report.findings.filter(isPlainUnknown)
  const named = report.findings.filter((finding) => !isPlainUnknown(finding))
  const shown = plain.length > MOST_UNKNOWN ? [] : plain
  const rest =
    shown.length === plain.length
      ? []
      : [`? ${plain.length} packages are unknown: ${plain[0]?.reason ?? ''}; ${plain[0]?.fix ?? ''}`]
  return [
    ...[...named, ...shown].flatMap(findingLines),
    ...rest,
    '',
    `Verdict: ${report.verdict}. ${report.packages} packages; by advisories ${vulnerable} vulnerable, ${clean} clean, ` +
      `${unknown} unknown${report.advisoriesAsOf ? ` as of ${report.advisoriesAsOf}` : ''}.`,
  ]
}

function isPlainUnknown({ code, severity, package: name, path }: DependencyFinding): boolean {
  return code === 'unknown' && severity === 'low' && path.length > 0 && name !== ''
}

function findingLines(finding: DependencyFinding): string[] {
  const { code, severity, package: name, range, version, path, reason, fix, advisory } = finding
  const what = version ?? range
  const mark = code === 'unknown' ? '?' : code === 'deprecated' ? '-' : '✗'
  const head = `${mark} ${severity} ${code}: ${name}${what ? `@${what}` : ''}${advisory ? ` (${advisory})` : ''}`
  const way = path.length > 1 ? [`    by ${path.join(' > ')}`] : []
  return [head, `    ${reason}`, ...way, ...(fix ? [`    to do: ${fix}`] : [])]
}
