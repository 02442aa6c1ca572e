import type { Finding, ScanResult, SecretsScanner, Severity } from '../api/scanner.js'

/** SARIF knows three levels; the exact severity stands in its own property. */
const LEVELS: Record<Severity, string> = { low: 'note', medium: 'warning', high: 'error', critical: 'error' }
/** What code hosts sort findings by. */
const SCORES: Record<Severity, string> = { low: '3.0', medium: '5.5', high: '8.0', critical: '9.5' }

/** A path as a reference: `#`, `?` and `:` in a name are none of the reference's. */
function uri(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** What programs read. */
export function json(findings: Finding[]): string {
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

/** SARIF 2.1.0. */
export function sarif(findings: Finding[], scanner: SecretsScanner): string {
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
                artifactLocation: { uri: uri(one.file ?? ''), uriBaseId: '%SRCROOT%' },
                region: {
                  startLine: one.line,
                  startColumn: one.column,
                  endLine: one.endLine,
                  endColumn: one.endColumn,
                },
              },
            },
          ],
          partialFingerprints: { 'auton8n/v2': one.fingerprint },
          properties: { severity: one.severity, confidence: one.confidence },
        })),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

/** Control characters of a file's name could change what a terminal shows. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** A line for each finding, and how many there are. */
export function plain(findings: Finding[], result: ScanResult): string {
  const lines = findings.map((one) =>
    printable(`${one.file ?? ''}:${one.line}:${one.column} ${one.severity} ${one.type} [${one.rule}] ${one.redacted}`),
  )
  const skipped = result.skipped?.length ?? 0
  const rest = skipped > 0 ? `, ${skipped} skipped` : ''
  const count = findings.length === 1 ? '1 secret' : `${findings.length} secrets`
  return `${[...lines, `${count} in ${result.filesScanned} files${rest}`].join('\n')}\n`
}
