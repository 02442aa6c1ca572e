import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { JobQueue } from '../../plugin/api/queue.js'
import { after, killChildren, seeded, startNode, until } from '../support/children.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const script = join(root, '__test__/process/queue-child.mjs')
/** `npm run faults:queue` sets it to 200. */
const rounds = Number(process.env['AUTON8N_FAULT_ROUNDS'] ?? 5)
/** Ends that can be younger than the 10 ms after which they are synced: five at once, of 0 to 6 ms each. */
const YOUNG = 20
const work = realpathSync(mkdtempSync(join(tmpdir(), 'auton8n-power-')))
const shim = join(work, 'powercut.so')
let without: string | undefined

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], { cwd: root })
  try {
    const source = join(root, '__test__/support/powercut.c')
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', shim, source, '-ldl'], { stdio: 'pipe' })
  } catch (error) {
    if (process.env['AUTON8N_REQUIRE_ALL'] === '1' || process.platform === 'linux') throw error
    without = 'there is no C compiler'
  }
  return () => rmSync(work, { recursive: true, force: true })
})

afterEach(() => killChildren())

test('power cuts, after which only what was synced is there, lose no acknowledged job', async context => {
  if (without !== undefined) {
    context.skip(without)
    return
  }
  const random = seeded(11)
  const added: string[] = []
  const completed: string[] = []
  const again: number[] = []
  let [disk, copy] = [join(work, 'disk0'), join(work, 'copy0')]
  mkdirSync(disk)
  for (let round = 0; round < rounds; round++) {
    copy = join(work, `disk${round + 1}`)
    cpSync(disk, copy, { recursive: true, filter: path => !/\.(sock|lock)$/.test(path) })
    const env = { ...process.env, LD_PRELOAD: shim, AUTON8N_CUT_FROM: disk, AUTON8N_CUT_TO: copy }
    const child = startNode([script, 'busy', disk], { env })
    await until(() => after(child.lines, 'added').length > 20)
    await new Promise(resolve => setTimeout(resolve, random() * 150))
    child.process.kill('SIGKILL')
    await child.ended
    const before = new Set(completed)
    again.push(after(child.lines, 'ran').filter(id => before.has(id)).length)
    added.push(...after(child.lines, 'added'))
    completed.push(...after(child.lines, 'completed'))
    rmSync(disk, { recursive: true })
    disk = copy
  }
  const drain = startNode([script, 'drain', disk])
  expect(await drain.ended).toBe(0)
  const before = new Set(completed)
  again.push(after(drain.lines, 'ran').filter(id => before.has(id)).length)
  const queue = await JobQueue.open('q', { dataDir: disk, retention: { count: 1e9 } })
  try {
    const known = await Promise.all(added.map(id => queue.getJob(id)))
    const lost = known.filter(job => job?.status !== 'completed').length
    const most = Math.max(...again)
    console.log(`${rounds} power cuts: acknowledged ${added.length}, lost ${lost}, told as completed and run again ` +
      `${again.reduce((sum, n) => sum + n, 0)}, at most ${most} after one cut`)
    expect(lost).toBe(0)
    expect(most).toBeLessThanOrEqual(YOUNG)
  } finally {
    await queue.shutdown()
  }
})
