import type { CreationCheck, CreationReport } from '../api/creation.js'
import { seconds } from './progress.js'

const MARKS = { passed: '✓', failed: '✗', inconclusive: '?', skipped: '-' } as const
const MOST_DIAGNOSTICS = 10

/** A report for people: a line for each check, and what is to be mended under those that did not pass. */
export function reportLines(report: CreationReport): string[] {
  const width = Math.max(0, ...report.checks.map(({ name }) => name.length))
  const passed = report.checks.filter(({ status }) => status === 'passed').length
  const tokens = report.tokens ? `, ${report.tokens.input} tokens in and ${report.tokens.output} out` : ''
  return [
    `Report: ${report.verdict} (${passed} of ${report.checks.length} checks passed)`,
    ...report.checks.flatMap((check) => checkLines(check, width)),
    `Isolation ${report.isolation}, by ${report.engine}; ${report.iterations} ` +
      `${report.iterations === 1 ? 'iteration' : 'iterations'}${tokens}; ` +
      `${seconds(report.finishedAt - report.startedAt).trim()} in all.`,
  ]
}

function checkLines(check: CreationCheck, width: number): string[] {
  const counts = Object.entries(check.counts ?? {}).map(countText)
  const code = check.exitCode === undefined || check.exitCode === 0 ? [] : [`exit code ${check.exitCode}`]
  const facts = [...counts, ...code].join(', ')
  const name = `${MARKS[check.status]} ${check.name.padEnd(width)}`
  const line = `  ${name}  ${seconds(check.durationMs)}  ${check.where.padEnd(7)}`
  const lines = [facts ? `${line}  ${facts}` : line.trimEnd()]
  if (check.status === 'passed') return lines
  if (check.detail) lines.push(...check.detail.split('\n').map((text) => `      ${text}`))
  const diagnostics = check.diagnostics ?? []
  lines.push(...diagnostics.slice(0, MOST_DIAGNOSTICS).map((diagnostic) => `      ${diagnosticText(diagnostic)}`))
  if (diagnostics.length > MOST_DIAGNOSTICS) lines.push(`      … and ${diagnostics.length - MOST_DIAGNOSTICS} more`)
  return lines
}

/** A count of bytes is told in a unit that one reads, any other as it is. */
function countText([name, count]: [string, number]): string {
  const bytes = /^(.*?)[bB]ytes$/.exec(name)
  if (!bytes) return `${count} ${name}`
  const what = (bytes[1] ?? '').replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)
  const size = sizeText(count)
  return what ? `${size} of ${what}` : size
}

function sizeText(bytes: number): string {
  if (bytes < 10_240) return `${bytes} bytes`
  return bytes < 10_485_760 ? `${Math.round(bytes / 1024)} KB` : `${Math.round(bytes / 1_048_576)} MB`
}

function diagnosticText(diagnostic: Record<string, unknown>): string {
  const { file, line, column, code, message } = diagnostic
  const place = [file, line, column].filter((part) => part !== undefined && part !== null).join(':')
  return [place, code, message].filter((part) => typeof part === 'string' && part !== '').join(' ')
}
