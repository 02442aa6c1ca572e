import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import * as api from '../../plugin/index.js'

/** The names that users type: a contract. */
const NAMES = [
  'AbortJobError',
  'AlwaysSampler',
  'Auton8nError',
  'CircuitBreaker',
  'CircuitBreakerFactory',
  'ConsoleExporter',
  'JobPriority',
  'JobQueue',
  'OtlpExporter',
  'ParentBasedSampler',
  'PluginCreationService',
  'ProbabilitySampler',
  'RateLimitingSampler',
  'RetryAfterError',
  'Sandbox',
  'SecretsScanner',
  'Tracer',
  'auton8nPlugin',
  'checkDependencies',
  'createPlugin',
  'createPluginFromDescription',
  'default',
  'formatReply',
  'openEngine',
]

describe('the package root', () => {
  it('exports every name of the public surface', () => {
    expect(NAMES.filter((name) => !(name in api))).toEqual([])
  })

  it('has the plugin as its default export', () => {
    expect(api.default).toBe(api.auton8nPlugin)
    expect(api.default.name).toBe('auton8n')
  })

  it('loads neither the addon nor ElizaOS when it is imported', () => {
    const program = `
      await import('./dist/index.js')
      const report = process.report.getReport()
      const loaded = report.sharedObjects.filter((path) => path.endsWith('.node'))
      console.log(JSON.stringify(loaded))`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(JSON.parse(printed)).toEqual([])
  })
})
