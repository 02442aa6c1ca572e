import { expect, test } from 'vitest'
import { JobQueue, type JobOptions } from '../../plugin/api/queue.js'
import { queues } from '../support/queues.js'

const { open, directory } = queues()

/** Values of a wrong type for each option of a job. */
const WRONG: Record<keyof JobOptions, unknown> = {
  priority: 'high',
  delay: '5',
  runAt: 'now',
  timeout: '5',
  retries: 1.5,
  retryDelay: {},
  retryBackoff: 7,
  jitter: 'a',
  removeOnComplete: 1,
  removeOnFail: 'no',
  uniqueKey: 5,
  onDuplicate: true,
  fairKey: [],
  dependsOn: 'id',
  onParentFailure: 1,
  trace: 1,
  metadata: [1],
}

const refusal = (option: string) => ({
  code: 'AUTON8N_OPTION_INVALID',
  message: expect.stringMatching(new RegExp(`\`${option}\`(?!.*(u32|u64|i64|f64|struct))`)) as string,
})

test('a wrong type of an option of a job is told with its name', async () => {
  const queue = await open()
  for (const [option, wrong] of Object.entries(WRONG)) {
    await expect(queue.addJob('a', 1, { [option]: wrong }), option).rejects.toMatchObject(refusal(option))
    const batch = [{ name: 'a', data: 1 }, { name: 'a', data: 1, options: { [option]: wrong } }]
    await expect(queue.addBulkJobs(batch), option).rejects.toMatchObject(refusal(option))
  }
  expect((await queue.getMetrics()).total).toBe(0)
})

test('a wrong type of an option of a queue, a worker, limits and a filter is told with its name', async () => {
  for (const [option, wrong] of Object.entries({ store: 5, dataDir: [], leaseDuration: '5', retention: 7 })) {
    await expect(JobQueue.open('q', { store: 'memory', [option]: wrong }), option).rejects.toMatchObject(refusal(option))
  }
  for (const [option, wrong] of Object.entries({ count: 'x', age: {} })) {
    const options = { store: 'memory', retention: { [option]: wrong } } as never
    await expect(JobQueue.open('q', options), option).rejects.toMatchObject(refusal(`retention.${option}`))
  }
  const queue = await open()
  for (const [option, wrong] of Object.entries({ concurrency: '2', shutdownTimeout: [] })) {
    expect(() => queue.createWorker({ [option]: wrong }), option).toThrow(expect.objectContaining(refusal(option)) as Error)
  }
  await expect(queue.setLimits({ rate: { count: 'x', per: 1 } } as never)).rejects.toMatchObject(refusal('rate.count'))
  await expect(queue.getJobs({ limit: 'x' } as never)).rejects.toMatchObject(refusal('limit'))
  await expect(queue.getJobs({ status: 5 } as never)).rejects.toMatchObject(refusal('status'))
})

test('names are counted in characters, and what no store can hold is refused', async () => {
  const queue = await open('ü'.repeat(200))
  await queue.addJob('é'.repeat(200), 1)
  await expect(queue.addJob('é'.repeat(201), 1)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  const invalid = { code: 'AUTON8N_OPTION_INVALID', message: expect.stringContaining('NUL') as string }
  await expect(queue.unschedule('a\0')).rejects.toMatchObject(invalid)
  await expect(queue.getJob('a\0')).rejects.toMatchObject(invalid)
  await expect(queue.cancelJob('a\0')).rejects.toMatchObject(invalid)
  await expect(queue.retryJob('a\0')).rejects.toMatchObject(invalid)
  await expect(queue.addJob('a', 1, { dependsOn: ['a\0'] })).rejects.toMatchObject(invalid)
  await expect(queue.getJobs({ name: 'a\0' })).rejects.toMatchObject(invalid)
  await expect(queue.getJobs({ cursor: 'a\0' })).rejects.toMatchObject(invalid)
})

test('jobs that were added before a shutdown of the same tick are stored', async () => {
  const dataDir = directory()
  const queue = await open('q', { dataDir })
  const many = Array.from({ length: 5_000 }, (_, n) => ({ name: 'a', data: n }))
  const adds = [queue.addJob('a', 1), queue.addBulkJobs(many), queue.addJob('b', 2)]
  await Promise.all([queue.shutdown(), ...adds])
  await expect(queue.addJob('a', 3)).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
  const again = await open('q', { dataDir })
  expect((await again.getMetrics()).pending).toBe(5_002)
})
