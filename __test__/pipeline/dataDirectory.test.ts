import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngine } from '../../plugin/api/engine.js'
import type { ModelFunction } from '../../plugin/api/model.js'
import { example, openWorkplace, rejection, temporary, type Workplace } from '../support/workplace.js'

const weather = example('weather')
const mounted = temporary()
const canMount = mount(mounted)
let place: Workplace

beforeAll(async () => {
  place = await openWorkplace({ sandbox: false })
})
afterAll(() => place.remove())

/** Never answers. */
const silent: ModelFunction = () => new Promise(() => {})

describe('a data directory', () => {
  it('in whose place a file lies is refused, and the file is left alone', async () => {
    const file = place.fresh('file')
    writeFileSync(file, 'mine')
    const error = await rejection(openEngine({ dataDir: file }))
    expect(error.code).toBe('AUTON8N_DATA_DIR_UNWRITABLE')
    expect(error.message).toContain(file)
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect((await rejection(openEngine({ dataDir: join(file, 'below') }))).message).toContain(file)
  })

  it.skipIf(!canMount && process.env.AUTON8N_REQUIRE_ALL !== '1')('that cannot be written is refused', async () => {
    expect(canMount).toBe(true)
    const directory = place.fresh('read-only')
    mkdirSync(directory)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', directory])
    try {
      for (const dataDir of [directory, join(directory, 'below')]) {
        const error = await rejection(openEngine({ dataDir }))
        expect(error.code).toBe('AUTON8N_DATA_DIR_UNWRITABLE')
        expect(error.message).toContain(directory)
      }
    } finally {
      execFileSync('umount', [directory])
    }
  })

  it('whose store is damaged keeps it aside, says where, and opens anew the next time', async () => {
    const dataDir = place.fresh('damaged')
    mkdirSync(dataDir)
    const rubbish = `SQLite format 3\0${'rubbish'.repeat(1_000)}`
    writeFileSync(join(dataDir, 'jobs.db'), rubbish)
    const error = await rejection(openEngine({ dataDir }))
    expect(error.code).toBe('AUTON8N_STORE_CORRUPT')
    const kept = readdirSync(dataDir).find((name) => name.startsWith('jobs.db.corrupt-')) ?? ''
    expect(readFileSync(join(dataDir, kept), 'latin1')).toBe(rubbish)
    expect(error.message).toContain(kept)
    const anew = await openEngine({ dataDir, sandbox: false })
    expect(await anew.jobs()).toEqual([])
    await anew.close()
  })

  it('survives a store that is cut short', async () => {
    const dataDir = place.fresh('cut')
    const first = await openEngine({ dataDir, sandbox: false })
    await first.createPlugin(weather, { generator: 'template' })
    await first.close()
    const database = join(dataDir, 'jobs.db')
    writeFileSync(database, readFileSync(database).subarray(0, 5_000))
    for (const name of readdirSync(dataDir)) if (/-(wal|shm)$/.test(name)) rmSync(join(dataDir, name))
    expect((await rejection(openEngine({ dataDir }))).code).toBe('AUTON8N_STORE_CORRUPT')
    await (await openEngine({ dataDir, sandbox: false })).close()
  })
})

describe('an engine that is closed', () => {
  it('may be closed again, and says so to everything else', async () => {
    const closed = await openEngine({ dataDir: place.fresh('closed'), sandbox: false })
    await Promise.all([closed.close(), closed.close()])
    await closed.close()
    const calls: (() => Promise<unknown>)[] = [
      () => closed.createPlugin(weather),
      () => closed.job('x'),
      () => closed.jobs(),
      () => closed.cancel('x'),
      () => closed.creation('x').result(),
    ]
    for (const call of calls) expect((await rejection(call())).code).toBe('AUTON8N_CLOSED')
  })

  it('leaves whoever waits for a result with an answer', async () => {
    const other = await openEngine({ dataDir: place.fresh('closing'), sandbox: false })
    const creation = await other.createPlugin(weather, { model: silent })
    const result = rejection(creation.result())
    await expect.poll(async () => (await creation.status()).status).toBe('running')
    await other.close()
    expect((await result).code).toBe('AUTON8N_CLOSED')
  })
})

describe('a full disk', () => {
  afterAll(async () => {
    if (canMount) execFileSync('umount', [mounted])
    await rm(mounted, { recursive: true, force: true })
  })

  it.skipIf(!canMount && process.env.AUTON8N_REQUIRE_ALL !== '1')(
    'is told with a code, loses nothing, and works again when there is room',
    async () => {
      expect(canMount).toBe(true)
      const dataDir = join(mounted, 'data')
      const full = await openEngine({ dataDir, sandbox: false, concurrency: 1 })
      const kept = await full.createPlugin(weather, { model: silent })
      const filler = join(mounted, 'filler')
      fill(filler)
      let code: string | undefined
      for (let tries = 0; tries < 200 && code === undefined; tries += 1) {
        const created = full.createPlugin({ ...weather, description: 'x'.repeat(1_900) }, { model: silent })
        code = await created.then(() => undefined, (error: { code?: string }) => error.code)
      }
      expect(code).toBe('AUTON8N_STORE_FULL')
      expect((await full.job(kept.id))?.status).toBe('running')
      rmSync(filler)
      const after = await full.createPlugin(weather, { model: silent })
      expect((await full.job(after.id))?.id).toBe(after.id)
      await full.close()
      const again = await openEngine({ dataDir, sandbox: false })
      expect(await again.job(kept.id)).not.toBeNull()
      expect(await again.job(after.id)).not.toBeNull()
      await again.close()
    },
  )
})

function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function fill(path: string): void {
  for (const size of [1 << 16, 1 << 12, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // Full for pieces of this size; smaller ones may still fit.
    }
  }
}
