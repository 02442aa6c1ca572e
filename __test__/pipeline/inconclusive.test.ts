import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PluginCreation } from '../../plugin/api/pluginCreation.js'
import {
  containersOf,
  docker,
  example,
  openWorkplace,
  rejection,
  reportOf,
  scripted,
  statuses,
  templateFiles,
  type Files,
  type Workplace,
} from '../support/workplace.js'

/** What becomes of a job whose sandbox is taken away while it works: the plugin is never blamed for it. */

const weather = example('weather')
let place: Workplace
let good: Files

beforeAll(async () => {
  place = await openWorkplace({ sandbox: { engine: 'docker' }, concurrency: 1 })
  good = await templateFiles(place.engine, weather)
})
afterAll(() => place.remove())

function takeAway(): void {
  for (const box of containersOf(process.pid)) {
    try {
      execFileSync('docker', ['rm', '-f', box], { stdio: 'ignore' })
    } catch {
      // It is being removed by its owner already.
    }
  }
}

/** Takes every box away from the start of a stage until the job is put back; answers each status that it had. */
async function disturb(creation: PluginCreation, stage: string): Promise<string[]> {
  const seen: string[] = []
  let taking: NodeJS.Timeout | undefined
  try {
    for await (const event of creation.events()) {
      if (event.type === 'status') seen.push(event.status)
      if (event.type === 'stage' && event.stage === stage && !seen.includes('retrying')) taking ??= setInterval(takeAway, 100)
      if (seen.includes('retrying')) clearInterval(taking)
    }
  } finally {
    clearInterval(taking)
  }
  return seen
}

describe.skipIf(!docker)('a box that is taken away', () => {
  it.each(['type-check', 'test', 'boot'])('during %s: the job runs again from there, without its model', async (stage) => {
    const { model, prompts } = scripted(good)
    const creation = await place.engine.createPlugin(weather, { model })
    expect(await disturb(creation, stage)).toContain('retrying')
    const { report } = await creation.result()
    expect(report).toMatchObject({ verdict: 'passed', iterations: 1 })
    expect(prompts).toHaveLength(1)
  })

  it('each time: the job ends as inconclusive, and its report says what could not be checked', async () => {
    const creation = await place.engine.createPlugin(weather, { model: scripted(good).model })
    const taking = setInterval(takeAway, 100)
    try {
      const error = await rejection(creation.result())
      expect(error.code).toBe('AUTON8N_INCONCLUSIVE')
      const report = reportOf(error)
      expect(report.verdict).toBe('inconclusive')
      expect(Object.values(statuses(report))).toContain('inconclusive')
      expect(Object.values(statuses(report))).not.toContain('failed')
      expect((await creation.status()).status).toBe('failed')
    } finally {
      clearInterval(taking)
    }
  })
})
