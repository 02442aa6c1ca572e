import { describe, expect, it } from 'vitest'
import { expectOnly } from '../support/stages.js'
import {
  changed,
  example,
  openWorkplace,
  rejection,
  reportOf,
  scripted,
  sourcesOf,
  statuses,
} from '../support/workplace.js'

const weather = example('weather')
const indexTest = '__tests__/index.test.ts'

describe('the built-in sandbox', () => {
  it('passes and refuses the same plugins, and says how well it isolates', async () => {
    const own = await openWorkplace({ sandbox: { engine: 'built-in' } })
    try {
      const { report, directory } = await (await own.engine.createPlugin(weather)).result()
      expect(report.verdict).toBe('passed')
      expect(report.engine).toContain('built-in')
      expect(report.isolation).toMatch(/^(full|reduced: .+)$/)
      const failing = changed(sourcesOf(directory), indexTest, "toEqual(['GET_WEATHER'])", "toEqual(['OTHER'])")
      const refused = await own.engine.createPlugin(weather, { model: scripted(failing).model, maxIterations: 1 })
      expectOnly(reportOf(await rejection(refused.result())), 'test')
    } finally {
      await own.remove()
    }
  })

  it('switched off like any other leaves a job that says what it needs', async () => {
    const own = await openWorkplace({ sandbox: false })
    try {
      const error = await rejection((await own.engine.createPlugin(weather, { generator: 'template' })).result())
      expect(error.code).toMatch(/^AUTON8N_(INCONCLUSIVE|SANDBOX_UNAVAILABLE)$/)
      const report = reportOf(error)
      expect(report.verdict).toBe('inconclusive')
      expect(report.isolation).toBe('refused')
      expect(statuses(report)).toMatchObject({ inspect: 'passed', 'type-check': 'skipped', boot: 'skipped' })
    } finally {
      await own.remove()
    }
  })
})
