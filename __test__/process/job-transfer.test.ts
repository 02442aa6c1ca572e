import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JobQueue } from '../../plugin/api/queue.js'
import { serverKinds, type Database } from '../support/database.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder = ''
let server: Database | undefined

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'auton8n-transfer-'))
})

afterAll(async () => {
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

function cli(...args: string[]): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, AUTON8N_STORE: '', AUTON8N_DATA_DIR: join(folder, 'data') },
  })
  return { status, out: stdout + stderr }
}

async function fill(store: string): Promise<void> {
  const queue = await JobQueue.open('q', { store })
  const jobs = Array.from({ length: 1_500 }, (_, n) => ({ name: 'a', data: n, options: { uniqueKey: `k${n}` } }))
  await queue.addBulkJobs(jobs)
  await queue.addJob('a', 'later', { delay: 3_600_000 })
  const cancelled = await queue.addJob('a', 'cancelled')
  await queue.cancelJob(cancelled.id)
  await queue.setLimits({ concurrency: 3, perKey: { rate: { count: 2, per: 1_000 } } })
  await queue.schedule('daily', { cron: '30 2 * * *', timeZone: 'Europe/Berlin', missed: 'skip', name: 'a', data: 'night' })
  await queue.pause()
  await queue.shutdown()
}

async function all(store: string): Promise<unknown[]> {
  const queue = await JobQueue.open('q', { store })
  const { paused } = await queue.getMetrics()
  const jobs: unknown[] = [{ paused, limits: await queue.getLimits(), schedules: await queue.getSchedules() }]
  let page = await queue.getJobs({ limit: 1000 })
  while (page.length > 0) {
    jobs.push(...page)
    page = await queue.getJobs({ limit: 1000, cursor: page.at(-1)?.id ?? '' })
  }
  await queue.shutdown()
  return jobs
}

test.for(serverKinds)('jobs move from SQLite to $name and back, as they are', async (kind, context) => {
  const why = kind.without()
  if (why !== undefined) return context.skip(why)
  server = await kind.start()
  const place = (name: string): string => join(folder, `${kind.name}-${name}`)
  const [from, back] = [`sqlite:${place('from')}`, `sqlite:${place('back')}`]
  await fill(from)
  const file = place('jobs.jsonl')
  expect(cli('jobs', 'export', file, '--queue', 'q', '--store', from)).toMatchObject({ status: 0, out: '1502 jobs and 1 schedule written.\n' })
  // Into the queue that it was.
  const take = ['jobs', 'import', file, '--store']
  expect(cli(...take, server.url).out).toBe('1502 jobs and 1 schedule taken over, 0 jobs were there already.\n')
  expect(cli(...take, server.url).out).toBe('0 jobs taken over, 1502 jobs were there already.\n')
  // Ids are those of a store: what another queue has is not there already.
  const elsewhere = cli(...take, server.url, '--queue', 'other')
  expect(elsewhere.status).not.toBe(0)
  expect(elsewhere.out).toContain('another queue of this store has the job')
  const second = place('again.jsonl')
  expect(cli('jobs', 'export', second, '--queue', 'q', '--store', server.url).status).toBe(0)
  expect(readFileSync(second, 'utf8')).toBe(readFileSync(file, 'utf8'))
  cli('jobs', 'import', second, '--queue', 'q', '--store', back)
  const moved = await all(back)
  expect(moved).toHaveLength(1 + 1502)
  expect(moved[0]).toMatchObject({ paused: true, limits: { concurrency: 3 }, schedules: [{ id: 'daily', nextAt: expect.any(Number) }] })
  expect(moved).toEqual(await all(from))
  await server.close()
})

test('a file that is foreign, cut off or there already is told', () => {
  const file = join(folder, 'wrong.jsonl')
  writeFileSync(file, '{"format":"auton8n-jobs-1","queue":"q"}\n{"id":"1"}\n')
  expect(cli('jobs', 'import', file)).toMatchObject({ status: 2, out: expect.stringContaining('cut off') })
  writeFileSync(file, 'hello\n')
  expect(cli('jobs', 'import', file)).toMatchObject({ status: 2, out: expect.stringContaining('was not written by') })
  writeFileSync(file, '{"format":"auton8n-jobs-1"}\n{"id":"1"}\n{"jobs":1}\n')
  expect(cli('jobs', 'import', file)).toMatchObject({ status: 1, out: expect.stringContaining('AUTON8N_OPTION_INVALID') })
  expect(cli('jobs', 'export', file)).toMatchObject({ status: 2, out: expect.stringContaining('cannot be used') })
  expect(cli('jobs', 'import', join(folder, 'none')).status).toBe(2)
  const empty = cli('jobs', 'export', join(folder, 'empty.jsonl'), '--queue', 'mispelt')
  expect(empty).toMatchObject({ status: 1, out: expect.stringContaining("'mispelt' is empty") })
})
