import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openEngine, type Engine } from '../../plugin/api/engine.js'
import { startChild, type Child } from '../support/child.js'
import {
  containersOf,
  docker,
  example,
  openWorkplace,
  scripted,
  templateFiles,
  temporary,
  until,
  type Files,
} from '../support/workplace.js'

/** What becomes of a job whose process is killed. Sandboxes are Docker's here, so that none may be left behind. */

const weather = example('weather')
let good: Files
let directory: string
let dataDir: string
let child: Child | undefined
let engine: Engine | undefined

beforeAll(async () => {
  const place = await openWorkplace()
  good = await templateFiles(place.engine, weather)
  await place.remove()
})
beforeEach(() => {
  directory = temporary()
  dataDir = join(directory, 'data')
})
afterEach(async () => {
  await child?.kill()
  await engine?.close()
  child = undefined
  engine = undefined
  await rm(directory, { recursive: true, force: true })
})

/** A process that makes the plugin and tells each stage; `model` is the source of a model function, if any. */
function start(model?: string): Child {
  return startChild(`
    const good = ${JSON.stringify(good)}
    const engine = await openEngine({ dataDir: ${JSON.stringify(dataDir)} })
    const options = ${model ? `{ model: ${model} }` : "{ generator: 'template' }"}
    const creation = await engine.createPlugin(${JSON.stringify(weather)}, options)
    say('job ' + creation.id)
    for await (const event of creation.events()) if (event.type === 'stage') say('stage ' + event.stage)
    say('over')
  `)
}

const answering = '() => { say("asked"); return Promise.resolve(formatReply(good)) }'

async function jobOf(running: Child): Promise<string> {
  return (await running.line('job ')).slice(4)
}

async function result(id: string): Promise<Awaited<ReturnType<ReturnType<Engine['creation']>['result']>>> {
  if (!engine) throw new Error('no engine is open')
  return await engine.creation(id).result()
}

describe('a process that is killed', () => {
  it('while the model answers: the next one asks again, under the same number', async () => {
    child = start('() => { say("asked"); return new Promise(() => {}) }')
    const id = await jobOf(child)
    await child.line('asked')
    await child.kill()

    const { model, prompts } = scripted(good)
    engine = await openEngine({ dataDir, model })
    const { report } = await result(id)
    expect(report).toMatchObject({ verdict: 'passed', iterations: 1 })
    expect(prompts).toHaveLength(1)
  })

  it('between stages: the next one goes on from the last finished stage and asks no model', async () => {
    child = start(answering)
    const id = await jobOf(child)
    await child.line('stage lint')
    await child.kill()

    const { model, prompts } = scripted(good)
    engine = await openEngine({ dataDir, model })
    const stages: string[] = []
    for await (const event of engine.creation(id).events()) if (event.type === 'stage') stages.push(event.stage)
    const { report } = await result(id)
    expect(report).toMatchObject({ verdict: 'passed', iterations: 1 })
    expect(prompts).toEqual([])
    expect(stages).not.toContain('generate')
    expect(stages).not.toContain('inspect')
  })

  it.skipIf(!docker)('while the plugin runs in a box: none is left, and the job goes on', async () => {
    child = start(answering)
    const id = await jobOf(child)
    await child.line('stage test')
    const { pid } = child
    await expect.poll(() => containersOf(pid).length).toBeGreaterThan(0)
    await child.kill()

    const { model, prompts } = scripted(good)
    engine = await openEngine({ dataDir, model })
    expect((await result(id)).report.verdict).toBe('passed')
    expect(prompts).toEqual([])
    await expect.poll(() => containersOf(pid)).toEqual([])
  })
})

describe('without a model', () => {
  it('a template job goes on by itself', async () => {
    child = start()
    const id = await jobOf(child)
    await child.line('stage type-check')
    await child.kill()
    engine = await openEngine({ dataDir })
    expect((await result(id)).report.verdict).toBe('passed')
  })

  it('a job of a model waits for one, and goes on when it is set', async () => {
    child = start('() => { say("asked"); return new Promise(() => {}) }')
    const id = await jobOf(child)
    await child.line('asked')
    await child.kill()

    engine = await openEngine({ dataDir })
    const waiting = await until(engine, id, (job) => job.status === 'retrying')
    expect(waiting.error?.code).toBe('AUTON8N_MODEL_NEEDED')
    expect(waiting.error?.message).toContain('model')
    const { model, prompts } = scripted(good)
    await engine.setModel(model)
    expect((await result(id)).report.verdict).toBe('passed')
    expect(prompts).toHaveLength(1)
  })

  it('a job that waited goes on in an engine that is opened with a model', async () => {
    child = start('() => { say("asked"); return new Promise(() => {}) }')
    const id = await jobOf(child)
    await child.line('asked')
    await child.kill()

    engine = await openEngine({ dataDir })
    await until(engine, id, (job) => job.error?.code === 'AUTON8N_MODEL_NEEDED')
    await engine.close()
    engine = await openEngine({ dataDir, model: scripted(good).model })
    expect((await result(id)).report.verdict).toBe('passed')
  })
})

it('a process that has its result and does nothing more ends by itself', async () => {
  child = startChild(`
    process.env.AUTON8N_DATA_DIR = ${JSON.stringify(dataDir)}
    const creation = await createPlugin(${JSON.stringify(weather)})
    const { report, directory } = await creation.result()
    say(report.verdict)
    say(directory)
  `)
  expect(await child.ended()).toBe(0)
  expect(child.lines[0]).toBe('passed')
  expect(child.lines[1]).toContain(dataDir)
  const { pid } = child
  await expect.poll(() => (docker ? containersOf(pid) : [])).toEqual([])
})
