import { lstat, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { type AllowlistEntry, type ScanResult, SecretsScanner, type Severity, joined } from '../api/scanner.js'
import { Auton8nError } from '../errors.js'
import { isClosedPipe } from './command.js'
import { inputFile } from './inputFile.js'
import { Baseline, type Moved, writeBaseline } from './scanBaseline.js'
import { json, plain, printable, sarif } from './scanFormats.js'
import { stagedFiles, trackedFiles } from './scanStaged.js'
import { WrongUse } from './wrongUse.js'

const USAGE = `Usage: auton8n scan PATH [options]
       auton8n scan --staged [PATH] [options]
       auton8n scan --env [options]

Finds secrets in a file, in every file of a directory, in what is staged for the next commit of the repository at PATH
(default: here), or in the environment variables.

  --format text|json|sarif   what is printed (text)
  --baseline FILE            leave out the findings that FILE lists, also in files that were renamed
  --write-baseline FILE      write all findings to FILE, without their secrets, and end with 0
  --rules FILE               a TOML file with [[rule]] and [[allowlist]] tables and a list disable
  --disable RULE             do without a built-in rule; * at the end stands for any ending (may be repeated)
  --allow-path GLOB          accept every finding in such files (may be repeated)
  --exclude GLOB             do not read such files of a directory (may be repeated)
  --min-severity SEVERITY    low, medium, high or critical (low)
  --gitignore                leave out what .gitignore files leave out
  --no-comments              comments such as auton8n:allow silence nothing
  --help                     print this

Exit code: 0 nothing found, 1 something found or a file cannot be read, 2 wrong use.
`

const SEVERITIES: readonly string[] = ['low', 'medium', 'high', 'critical']
const FORMATS: readonly string[] = ['text', 'json', 'sarif']

interface Request {
  from: 'path' | 'staged' | 'env'
  path: string
  format: string
  baseline: string | undefined
  writeBaseline: string | undefined
  rules: string | undefined
  disable: string[]
  allowPaths: string[]
  exclude: string[]
  minSeverity: Severity
  gitignore: boolean
  comments: boolean
}

function parse(argv: string[]): Request | 'help' {
  let parsed
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        format: { type: 'string', default: 'text' },
        json: { type: 'boolean', default: false },
        staged: { type: 'boolean', default: false },
        env: { type: 'boolean', default: false },
        baseline: { type: 'string' },
        'write-baseline': { type: 'string' },
        rules: { type: 'string' },
        disable: { type: 'string', multiple: true, default: [] },
        'allow-path': { type: 'string', multiple: true, default: [] },
        exclude: { type: 'string', multiple: true, default: [] },
        'min-severity': { type: 'string', default: 'low' },
        gitignore: { type: 'boolean', default: false },
        'no-comments': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  if (values.help) return 'help'
  const [path, ...more] = positionals
  if (values.staged && values.env) throw new WrongUse('--staged and --env cannot be used together')
  if (values.env && path !== undefined) throw new WrongUse('--env takes no path')
  const from = values.staged ? 'staged' : values.env ? 'env' : 'path'
  if (from !== 'path' && (values.gitignore || values.exclude.length > 0)) {
    throw new WrongUse(`--gitignore and --exclude are for a path, not for --${from}`)
  }
  if (from === 'path' && (path === undefined || path === '')) throw new WrongUse('a path is needed')
  if (more.length > 0) throw new WrongUse(`only one path can be scanned, not ${JSON.stringify(more[0])} too`)
  const format = values.json ? 'json' : values.format
  if (!FORMATS.includes(format)) throw new WrongUse(`--format must be one of ${FORMATS.join(', ')}`)
  const minSeverity = values['min-severity']
  if (!SEVERITIES.includes(minSeverity)) throw new WrongUse(`--min-severity must be one of ${SEVERITIES.join(', ')}`)
  return {
    from,
    path: path ?? '.',
    format,
    baseline: values.baseline,
    writeBaseline: values['write-baseline'],
    rules: values.rules,
    disable: values.disable,
    allowPaths: values['allow-path'],
    exclude: values.exclude,
    minSeverity: minSeverity as Severity,
    gitignore: values.gitignore,
    comments: !values['no-comments'],
  }
}

async function scannerOf(request: Request): Promise<SecretsScanner> {
  let rules: string | undefined
  if (request.rules !== undefined) {
    try {
      rules = await inputFile(request.rules)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new WrongUse(`the rules ${request.rules} cannot be read: ${why}`)
    }
  }
  return new SecretsScanner({
    ...(rules === undefined ? {} : { rules }),
    disable: request.disable,
    allowlist: request.allowPaths.map((path): AllowlistEntry => ({ path })),
    minSeverity: request.minSeverity,
    allowComments: request.comments,
  })
}

async function look(request: Request, scanner: SecretsScanner): Promise<ScanResult> {
  if (request.from === 'env') return scanner.validateEnvironmentVariables(process.env)
  if (request.from === 'staged') {
    const results: ScanResult[] = []
    for await (const files of stagedFiles(request.path)) results.push(scanner.scanFiles(files))
    return joined(results)
  }
  return await scanner.scanDirectory(request.path, { gitignore: request.gitignore, exclude: request.exclude })
}

function print(text: string): Promise<void> {
  // Ends when the text is handed over, so that a pipe gets all of it before the process ends.
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error && !isClosedPipe(error) ? reject(error) : resolve()))
  })
}

/** The reasons for which a file is left out on purpose; any other is one that could not be read. */
const LEFT_OUT = /^(?:binary$|too large$|more than )/
const TOLD = 20

/** Says which files could not be read; answers how many. */
function tellUnread(result: ScanResult): number {
  const unread = (result.skipped ?? []).filter(({ reason }) => !LEFT_OUT.test(reason))
  const lines = unread.slice(0, TOLD).map(({ file, reason }) => printable(`${file || 'a folder'} was not read: ${reason}`))
  if (unread.length > TOLD) lines.push(`${unread.length - TOLD} more were not read`)
  for (const line of lines) process.stderr.write(`auton8n scan: ${line}\n`)
  return unread.length
}

/** Which of the files of a baseline are no longer there. */
async function goneFiles(request: Request, files: string[]): Promise<Set<string>> {
  if (files.length === 0) return new Set()
  if (request.from === 'env') return new Set(files.filter((file) => !(file.replace(/^env:/, '') in process.env)))
  if (request.from === 'staged') {
    const tracked = await trackedFiles(request.path)
    return new Set(files.filter((file) => !tracked.has(file)))
  }
  const folder = (await stat(request.path)).isDirectory() ? request.path : dirname(request.path)
  const found = await Promise.all(files.map((file) => lstat(join(folder, file)).then(() => true, () => false)))
  return new Set(files.filter((_file, at) => !found[at]))
}

function tellMoved(moved: Moved[]): void {
  const lines = moved
    .slice(0, TOLD)
    .map(({ finding, from }) => printable(`${finding.file ?? ''}:${finding.line} moved, and is known from ${from}`))
  if (moved.length > TOLD) lines.push(`${moved.length - TOLD} more moved`)
  for (const line of lines) process.stderr.write(`auton8n scan: ${line}\n`)
}

async function run(request: Request): Promise<number> {
  const scanner = await scannerOf(request)
  const known = request.baseline === undefined ? undefined : await Baseline.read(request.baseline)
  const result = await look(request, scanner)
  if (request.writeBaseline !== undefined) await writeBaseline(request.writeBaseline, result.secrets)
  const judged = await known?.judge(result.secrets, (files) => goneFiles(request, files))
  const findings = judged?.fresh ?? result.secrets
  if (request.format === 'json') await print(json(findings))
  else if (request.format === 'sarif') await print(sarif(findings, scanner))
  else await print(plain(findings, result))
  tellMoved(judged?.moved ?? [])
  const unread = tellUnread(result)
  return unread > 0 || (findings.length > 0 && request.writeBaseline === undefined) ? 1 : 0
}

/** `auton8n scan`: prints what it finds and answers the exit code. */
export async function scan(argv: string[]): Promise<number> {
  try {
    const request = parse(argv)
    if (request === 'help') {
      await print(USAGE)
      return 0
    }
    return await run(request)
  } catch (error) {
    if (error instanceof WrongUse) {
      process.stderr.write(`auton8n scan: ${error.message}\n\n${USAGE}`)
      return 2
    }
    if (error instanceof Auton8nError) {
      process.stderr.write(`auton8n scan: ${error.message} (${error.code})\n`)
      // Wrong rules are wrong use; a place that cannot be read is not, as with the other commands.
      return error.code === 'AUTON8N_FILE_UNREADABLE' ? 1 : 2
    }
    throw error
  }
}
