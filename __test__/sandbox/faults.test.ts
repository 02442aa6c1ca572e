import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Sandbox, type SandboxOptions } from '../../plugin/api/sandbox.js'
import { buildPackage } from '../support/builtPackage.js'
import { OwnDocker } from '../support/dockerd.js'
import { example, openWorkplace, rejection, reportOf, statuses, until as untilJob } from '../support/workplace.js'

/** An engine that goes away, hangs or loses what it had, in the middle of a run. It is one of the test's own. */

const usable = process.env.AUTON8N_REQUIRE_ALL === '1' || OwnDocker.isPossible
/** In the command of each box of this file, so that its program is found among the processes of the machine. */
const mark = `of-${process.pid}`
const endless = { command: ['node', '-e', 'for (;;);', mark] }
const small = { memory: '128m', pids: 40, tmpfs: '4m', work: '4m' } as const

let engine: OwnDocker

beforeAll(async () => {
  if (!usable) return
  engine = new OwnDocker()
  await engine.start()
}, 120_000)
afterAll(() => engine?.remove())

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; !holds(); await new Promise((next) => { setTimeout(next, 50) })) {
    if (Date.now() > end) throw new Error(`it does not come: ${what}`)
  }
}

/** Whether the program of some box runs, and not only its keeper; soon told, since it may have little time. */
function isBusy(): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && /^[^\0]*node\0-e\0/.test(commandOf(pid)) && commandOf(pid).endsWith(`${mark}\0`)
    } catch {
      return false
    }
  })
}

function commandOf(pid: string): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
}

const open = (options: SandboxOptions = {}): Promise<Sandbox> => Sandbox.open({ engine: engine.address, pool: 0, ...small, ...options })

async function fault(running: Promise<unknown>): Promise<{ code: string; after: number }> {
  const started = Date.now()
  const error = await running.then(() => undefined, (reason: { code: string }) => reason)
  return { code: error?.code ?? 'it ended well', after: Date.now() - started }
}

/** An archive of an image of ours without a name, of years ago. */
function oldImage(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'auton8n-image-'))
  try {
    const layer = Buffer.alloc(1_024)
    const rootfs = { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] }
    const config = { Labels: { 'auton8n.recipe': 'old' } }
    const image = { architecture: 'amd64', os: 'linux', created: '2020-01-01T00:00:00Z', config, rootfs }
    writeFileSync(join(folder, 'layer.tar'), layer)
    writeFileSync(join(folder, 'config.json'), JSON.stringify(image))
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers: ['layer.tar'] }]))
    return execFileSync('tar', ['-c', '-C', folder, 'layer.tar', 'config.json', 'manifest.json'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function works(sandbox: Sandbox): Promise<void> {
  expect((await sandbox.run({ command: ['node', '-e', 'console.log(7)'] })).stdout).toBe('7\n')
}

describe.skipIf(!usable)('an engine of its own', () => {
  it('runs boxes by the runtime that the user names, and refuses one that it does not know', async () => {
    const sandbox = await open({ runtime: 'other' })
    expect(sandbox.engine).toMatch(/^docker .* with other$/)
    const run = sandbox.run(endless)
    const ended = fault(run)
    await until('a container', () => engine.containers.length === 1)
    expect(engine.docker('inspect', '--format', '{{.HostConfig.Runtime}}', ...engine.containers)).toBe('other')
    await sandbox.close()
    expect((await ended).code).toBe('AUTON8N_CLOSED')
    await expect(open({ runtime: 'nowhere' })).rejects.toMatchObject({
      code: 'AUTON8N_SANDBOX_UNAVAILABLE',
      message: expect.stringContaining('nowhere'),
    })
  })

  it('loses a container that somebody removes, and goes on', async () => {
    const sandbox = await open()
    const ended = fault(sandbox.run(endless))
    await until('a container', () => engine.containers.length === 1)
    engine.docker('rm', '-f', ...engine.containers)
    expect((await ended).code).toBe('AUTON8N_SANDBOX_FAILED')
    await works(sandbox)
    await sandbox.close()
    expect(engine.containers).toEqual([])
  })

  it('does not hand out a waiting box that somebody removed', async () => {
    const sandbox = await open({ pool: 2 })
    await until('two that wait', () => engine.containers.length === 2)
    engine.docker('rm', '-f', ...engine.containers)
    await works(sandbox)
    await sandbox.close()
    expect(engine.containers).toEqual([])
  })

  it('says that its image is gone, and makes it anew when it is opened again', async () => {
    const sandbox = await open()
    const images = engine.docker('images', '-q', 'auton8n-box').split('\n')
    engine.docker('rmi', '-f', ...new Set(images))
    expect((await fault(sandbox.run(endless))).code).toBe('AUTON8N_SANDBOX_FAILED')
    await sandbox.close()
    engine.load(oldImage())
    expect(engine.nameless).toHaveLength(1)
    const again = await open()
    await works(again)
    await again.close()
    // What lost its name, as where two processes made one at once, would lie there for ever.
    expect(engine.nameless).toEqual([])
  })

  it('a creation is run again where the image was deleted under it', async () => {
    const place = await openWorkplace({ sandbox: { engine: engine.address, pool: 0 } })
    const weather = example('weather')
    await (await place.engine.createPlugin(weather, { generator: 'template' })).result()
    engine.docker('rmi', '-f', ...new Set(engine.docker('images', '-q', 'auton8n-box').split('\n')))
    const { report } = await (await place.engine.createPlugin(weather, { generator: 'template' })).result()
    expect(statuses(report)).toMatchObject({ test: 'passed', boot: 'passed' })
    await place.remove()
    expect(engine.containers).toEqual([])
  })

  it('ends a run in time where the engine hangs', async () => {
    const sandbox = await open()
    const ended = fault(sandbox.run({ ...endless, timeout: 2_500 }))
    await until('a program that runs', isBusy)
    engine.signal('SIGSTOP')
    const { code, after } = await ended
    engine.signal('SIGCONT')
    expect(code).toBe('AUTON8N_SANDBOX_FAILED')
    expect(after).toBeLessThan(90_000)
    await until('no container', () => engine.containers.length === 0)
    await works(sandbox)
    await sandbox.close()
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)('ends a run where the engine ends by %s, and nothing stays', async (signal) => {
    const sandbox = await open()
    const ended = fault(sandbox.run(endless))
    await until('a container', () => engine.containers.length === 1)
    engine.signal(signal)
    expect((await ended).code).toBe('AUTON8N_SANDBOX_FAILED')
    await engine.ended()
    expect((await fault(sandbox.run(endless))).code).toMatch(/AUTON8N_SANDBOX_(FAILED|UNAVAILABLE)/)
    await engine.start()
    await until('no container', () => engine.containers.length === 0)
    await works(sandbox)
    await sandbox.close()
    expect(engine.containers).toEqual([])
  })

  it('leaves nothing of twenty boxes whose owner was killed', async () => {
    const built = await buildPackage({ addon: true })
    const program = `import { Sandbox } from ${JSON.stringify(built.entry)}
      const sandbox = await Sandbox.open(${JSON.stringify({ engine: engine.address, pool: 2, ...small })})
      for (let n = 0; n < 20; n++) sandbox.run(${JSON.stringify(endless)}).catch(() => {})`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
    await until('twenty that run', () => engine.states.filter((state) => state === 'running').length >= 20)
    owner.kill('SIGKILL')
    // One that was made and not started yet has nobody inside who would notice: the next who opens a sandbox sweeps it.
    await until('none that was started', () => engine.states.every((state) => state === 'created'))
    const next = await open()
    await works(next)
    await next.close()
    expect(engine.containers).toEqual([])
    await built.remove()
  }, 400_000)
})

describe.skipIf(!usable)('an engine whose disk is full', () => {
  const isFull = expect.stringMatching(/the disk of the engine is full.*no space left on device/s)
  const print = { command: ['node', '-e', 'console.log(7)'] }
  let full: OwnDocker

  beforeEach(async () => {
    full = new OwnDocker('900m')
    await full.start()
  }, 120_000)
  afterEach(() => full?.remove())

  it.each([['at once', 0], ['later', 100 << 20]])('says so where its image does not fit: %s', async (_, left) => {
    full.fillDisk(left)
    const before = full.space
    const error = await rejection(open({ engine: full.address }))
    expect(error).toMatchObject({ code: 'AUTON8N_SANDBOX_UNAVAILABLE', message: isFull })
    expect([full.docker('images', '-aq'), full.containers]).toEqual(['', []])
    expect(full.space).toBeGreaterThan(before - (1 << 20))
    full.freeDisk()
    const sandbox = await open({ engine: full.address })
    await works(sandbox)
    await sandbox.close()
  })

  it('gives no box and says why, ends those that run as ever, and gives boxes again when there is room', async () => {
    const sandbox = await open({ engine: full.address })
    const stopping = new AbortController()
    const started = fault(sandbox.run({ ...endless, signal: stopping.signal }))
    await until('a program that runs', isBusy)
    full.fillDisk()
    for (let turn = 0; turn < 5; turn++) {
      await expect(sandbox.run(print)).rejects.toMatchObject({ code: 'AUTON8N_SANDBOX_FAILED', message: isFull })
    }
    stopping.abort()
    expect((await started).code).toBe('AUTON8N_CANCELLED')
    await until('no container', () => full.containers.length === 0)
    full.freeDisk()
    await works(sandbox)
    await sandbox.close()
    expect(full.containers).toEqual([])
  })

  it('leaves a creation open, and one that still tries succeeds when there is room', async () => {
    const place = await openWorkplace({ sandbox: { engine: full.address, pool: 0 } })
    const sandbox = await open({ engine: full.address })
    const create = () => place.engine.createPlugin(example('weather'), { generator: 'template' })
    full.fillDisk()
    const error = await rejection((await create()).result())
    expect(error.code).toBe('AUTON8N_INCONCLUSIVE')
    expect(error.message).toContain('the disk of the engine is full')
    const { verdict, checks } = reportOf(error)
    expect(verdict).toBe('inconclusive')
    expect(checks.find((check) => check.where !== 'host')).toMatchObject({ status: 'inconclusive' })
    expect(full.containers).toEqual([])
    const trying = await create()
    await untilJob(place.engine, trying.id, (job) => job.status === 'retrying')
    full.freeDisk()
    const { report } = await trying.result()
    expect(statuses(report)).toMatchObject({ test: 'passed', boot: 'passed' })
    await place.remove()
    await sandbox.close()
    expect(full.containers).toEqual([])
  })
})
