import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PluginCreation } from '../../plugin/api/pluginCreation.js'
import {
  changed,
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
/** So that a boot lasts until its box is gone, however busy the machine is. */
const SLOW = 'init: async () => await new Promise<void>((resolve) => setTimeout(resolve, 2_000)),'
let place: Workplace
let good: Files

beforeAll(async () => {
  place = await openWorkplace({ sandbox: { engine: 'docker' }, concurrency: 1 })
  good = changed(await templateFiles(place.engine, weather), 'src/index.ts', '  actions: [', `  ${SLOW}\n  actions: [`)
})
afterAll(() => place.remove())

/** Asks Docker over its socket, without a client, which would take longer to start than a stage to end. */
function ask(method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: '/var/run/docker.sock', method, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece)).on('end', () => resolve(text))
    })
    asked.on('error', reject).end()
  })
}

interface Box {
  Id: string
  Labels: Record<string, string>
}

/** Removes all boxes of this process; one that its owner removes already is none of its business. */
async function takeAway(): Promise<void> {
  const boxes = JSON.parse(await ask('GET', '/containers/json?all=true')) as Box[]
  const own = boxes.filter(({ Labels }) => Labels['auton8n.owner']?.split(' ')[0] === String(process.pid))
  await Promise.all(own.map(({ Id }) => ask('DELETE', `/containers/${Id}?force=true`)))
}

/** Takes them away again and again, until it is told to stop. */
function takeAll(): () => Promise<void> {
  const stopping = new AbortController()
  const taking = (async () => {
    while (!stopping.signal.aborted) {
      await takeAway()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return async () => {
    stopping.abort()
    await taking
  }
}

/** Takes every box away from the start of a stage until the job is put back; answers each status that it had. */
async function disturb(creation: PluginCreation, stage: string): Promise<string[]> {
  const seen: string[] = []
  let stop: (() => Promise<void>) | undefined
  try {
    for await (const event of creation.events()) {
      if (event.type === 'status') seen.push(event.status)
      if (event.type === 'stage' && event.stage === stage && !seen.includes('retrying')) stop ??= takeAll()
      if (seen.includes('retrying')) await stop?.()
    }
  } finally {
    await stop?.()
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
    const stop = takeAll()
    try {
      const error = await rejection(creation.result())
      expect(error.code).toBe('AUTON8N_INCONCLUSIVE')
      const report = reportOf(error)
      expect(report.verdict).toBe('inconclusive')
      expect(Object.values(statuses(report))).toContain('inconclusive')
      expect(Object.values(statuses(report))).not.toContain('failed')
      expect((await creation.status()).status).toBe('failed')
    } finally {
      await stop()
    }
  })
})
