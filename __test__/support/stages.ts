import { expect } from 'vitest'
import { STAGES, type CreationReport, type Stage } from '../../plugin/api/creation.js'
import { statuses } from './workplace.js'

/** What stands in the report where only `refusing` said no; `also` runs beside it. */
export function expectOnly(report: CreationReport, refusing: Stage, also: Stage[] = []): void {
  const at = STAGES.indexOf(refusing)
  const found = statuses(report)
  const expected = STAGES.map((stage, place) => {
    if (stage === refusing) return [stage, 'failed']
    return [stage, place < at || also.includes(stage) ? 'passed' : 'skipped']
  })
  expect(STAGES.map((stage) => [stage, found[stage]])).toEqual(expected)
  expect(report.verdict).toBe('failed')
  for (const stage of STAGES.slice(at + 1)) {
    if (!also.includes(stage)) expect(report.checks.find((check) => check.name === stage)?.detail).toMatch(/not (run|reached)/)
  }
}
