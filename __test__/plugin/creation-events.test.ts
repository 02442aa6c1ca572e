import { describe, expect, it } from 'vitest'
import { Hub } from '../../plugin/api/hub.js'
import type { JobSnapshot } from '../../plugin/api/creation.js'
import { PluginCreation } from '../../plugin/api/pluginCreation.js'

const ID = '01a215a8-4a94-736a-bb87-db496180f64c'

/** A creation whose worker reaches the stage `inspect` before the call that stored it answers. */
async function overtaken(hub: Hub, late = false): Promise<PluginCreation> {
  const reached = { id: ID, name: 'greeting', createdAt: 1, log: [] as string[] }
  let snapshot: JobSnapshot = { ...reached, status: 'running', stage: 'inspect', iteration: 1, progress: 30 }
  const { id, early } = await hub.storing(async () => {
    const stage = (name: string, iteration: number, progress: number) => ({ type: 'progress', jobId: ID, stage: name, iteration, progress })
    hub.receive([{ type: 'progress', jobId: 'another', stage: 'boot', iteration: 1, progress: 80 }, stage('validate', 0, 1)])
    const next = [stage('generate', 1, 10), stage('inspect', 1, 30)]
    if (late) {
      setTimeout(() => hub.receive([{ type: 'started', jobId: ID }]), 5)
      setTimeout(() => hub.receive(next), 10)
    } else hub.receive(next)
    return ID
  })
  setTimeout(() => {
    snapshot = { ...reached, status: 'cancelled', stage: 'inspect', iteration: 1, progress: 30 }
    hub.receive([{ type: 'cancelled', jobId: ID }])
  }, 20)
  const source = {
    job: async () => snapshot,
    cancel: async () => false,
    listen: hub.listen.bind(hub),
  }
  return new PluginCreation(id, source, early)
}

async function stages(creation: PluginCreation): Promise<string[]> {
  const list: string[] = []
  for await (const event of creation.events()) if (event.type === 'stage') list.push(event.stage)
  return list
}

describe('events of a creation whose worker was faster than the answer that it is stored', () => {
  it('begin with its first stage for whoever listens at once', async () => {
    expect(await stages(await overtaken(new Hub()))).toEqual(['validate', 'generate', 'inspect'])
  })

  it('leave out no stage where the stored state is ahead of what is told', async () => {
    expect(await stages(await overtaken(new Hub(), true))).toEqual(['validate', 'generate', 'inspect'])
  })

  it('begin with the present state for whoever listens later, and for a second listener', async () => {
    const creation = await overtaken(new Hub())
    const [first, second] = await Promise.all([stages(creation), stages(creation)])
    expect([first, second]).toEqual([['validate', 'generate', 'inspect'], ['inspect']])

    const late = await overtaken(new Hub())
    await new Promise((resolve) => setImmediate(resolve))
    expect(await stages(late)).toEqual(['inspect'])
  })
})
