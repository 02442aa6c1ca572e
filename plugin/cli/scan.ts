import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Finding, type ScanResult, SecretsScanner, type Severity } from '../api/scanner.js'
import { Auton8nError } from '../errors.js'

const USAGE = `Usage: auton8n scan PATH [options]

Finds secrets in a file or in every file of a directory.

  --format text|json|sarif   what is printed (text)
  --baseline FILE            leave out the findings that FILE lists
  --write-baseline FILE      write the fingerprints of all findings to FILE, and end with 0
  --min-severity SEVERITY    low, medium, high or critical (low)
  --gitignore                leave out what .gitignore files leave out
  --help                     print this

Exit code: 0 nothing found, 1 something found, 2 wrong use or a path that cannot be read.
`

const SEVERITIES: readonly string[] = ['low', 'medium', 'high', 'critical']
const FORMATS: readonly string[] = ['text', 'json', 'sarif']

/** SARIF knows three levels; the exact severity stands in its own property. */
const LEVELS: Record<Severity, string> = { low: 'note', medium: 'warning', high: 'error', critical: 'error' }
/** What code hosts sort findings by. */
const SCORES: Record<Severity, string> = { low: '3.0', medium: '5.5', high: '8.0', critical: '9.5' }

/** A baseline: findings that are known, by what does not change when lines move. */
interface Baseline {
  version: 1
  findings: { fingerprint: string; rule: string; file: string }[]
}

interface Request {
  path: string
  format: string
  baseline: string | undefined
  writeBaseline: string | undefined
  minSeverity: Severity
  gitignore: boolean
}

class WrongUse extends Error {}

function parse(argv: string[]): Request | 'help' {
  let parsed
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        format: { type: 'string', default: 'text' },
        json: { type: 'boolean', default: false },
        baseline: { type: 'string' },
        'write-baseline': { type: 'string' },
        'min-severity': { type: 'string', default: 'low' },
        gitignore: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw new WrongUse(error instanceof Error ? error.message : String(error))
  }
  const { values, positionals } = parsed
  if (values.help) return 'help'
  const [path, ...more] = positionals
  if (path === undefined || path === '') throw new WrongUse('a path is needed')
  if (more.length > 0) throw new WrongUse(`only one path can be scanned, not ${JSON.stringify(more[0])} too`)
  const format = values.json ? 'json' : values.format
  if (!FORMATS.includes(format)) throw new WrongUse(`--format must be one of ${FORMATS.join(', ')}`)
  const minSeverity = values['min-severity']
  if (!SEVERITIES.includes(minSeverity)) throw new WrongUse(`--min-severity must be one of ${SEVERITIES.join(', ')}`)
  return {
    path,
    format,
    baseline: values.baseline,
    writeBaseline: values['write-baseline'],
    minSeverity: minSeverity as Severity,
    gitignore: values.gitignore,
  }
}

async function readBaseline(file: string): Promise<Set<string>> {
  let content: unknown
  try {
    content = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new WrongUse(`the baseline ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  // The output of --format json is a baseline too.
  const list: unknown = Array.isArray(content) ? content : (content as Partial<Baseline> | null)?.findings
  if (!Array.isArray(list)) throw new WrongUse(`the baseline ${file} has no list of findings`)
  const fingerprints = list.map((entry: unknown) =>
    typeof entry === 'string' ? entry : (entry as { fingerprint?: unknown } | null)?.fingerprint,
  )
  if (!fingerprints.every((fingerprint) => typeof fingerprint === 'string')) {
    throw new WrongUse(`the baseline ${file} has a finding without a fingerprint`)
  }
  return new Set(fingerprints)
}

async function writeBaseline(file: string, findings: Finding[]): Promise<void> {
  const baseline: Baseline = {
    version: 1,
    findings: findings.map(({ fingerprint, rule, file: path }) => ({ fingerprint, rule, file: path ?? '' })),
  }
  try {
    await writeFile(file, `${JSON.stringify(baseline, null, 2)}\n`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new WrongUse(`the baseline ${file} cannot be written: ${why}`)
  }
}

function json(findings: Finding[]): string {
  const rows = findings.map((one) => ({
    file: one.file ?? '',
    line: one.line,
    column: one.column,
    endLine: one.endLine,
    endColumn: one.endColumn,
    rule: one.rule,
    type: one.type,
    severity: one.severity,
    redacted: one.redacted,
    fingerprint: one.fingerprint,
    confidence: one.confidence,
  }))
  return `${JSON.stringify(rows, null, 2)}\n`
}

function sarif(findings: Finding[], scanner: SecretsScanner): string {
  const rules = scanner.getPatterns()
  const index = new Map(rules.map((rule, place) => [rule.rule, place]))
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'auton8n',
            informationUri: 'https://www.npmjs.com/package/@elizaos/plugin-auton8n',
            rules: rules.map((rule) => ({
              id: rule.rule,
              name: rule.name,
              shortDescription: { text: rule.name },
              fullDescription: { text: rule.description || rule.name },
              defaultConfiguration: { level: LEVELS[rule.severity] },
              properties: { tags: ['security', 'secret'], 'security-severity': SCORES[rule.severity] },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((one) => ({
          ruleId: one.rule,
          ruleIndex: index.get(one.rule) ?? -1,
          level: LEVELS[one.severity],
          message: { text: `${one.type} (${one.severity}): ${one.redacted}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(one.file ?? ''), uriBaseId: '%SRCROOT%' },
                region: {
                  startLine: one.line,
                  startColumn: one.column,
                  endLine: one.endLine,
                  endColumn: one.endColumn,
                },
              },
            },
          ],
          partialFingerprints: { 'auton8n/v1': one.fingerprint },
          properties: { severity: one.severity, confidence: one.confidence },
        })),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

/** Control characters of a file's name could change what a terminal shows. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

function plain(findings: Finding[], result: ScanResult): string {
  const lines = findings.map((one) =>
    printable(`${one.file ?? ''}:${one.line}:${one.column} ${one.severity} ${one.type} [${one.rule}] ${one.redacted}`),
  )
  const skipped = result.skipped?.length ?? 0
  const rest = skipped > 0 ? `, ${skipped} skipped` : ''
  const count = findings.length === 1 ? '1 secret' : `${findings.length} secrets`
  return `${[...lines, `${count} in ${result.filesScanned} files${rest}`].join('\n')}\n`
}

function print(text: string): Promise<void> {
  // Ends when the text is handed over, so that a pipe gets all of it before the process ends.
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

async function run(request: Request): Promise<number> {
  const scanner = new SecretsScanner({ minSeverity: request.minSeverity })
  const known = request.baseline === undefined ? new Set<string>() : await readBaseline(request.baseline)
  const result = await scanner.scanDirectory(request.path, { gitignore: request.gitignore })
  if (request.writeBaseline !== undefined) await writeBaseline(request.writeBaseline, result.secrets)
  const findings = result.secrets.filter((one) => !known.has(one.fingerprint))
  if (request.format === 'json') await print(json(findings))
  else if (request.format === 'sarif') await print(sarif(findings, scanner))
  else await print(plain(findings, result))
  return findings.length > 0 && request.writeBaseline === undefined ? 1 : 0
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
      return 2
    }
    throw error
  }
}
