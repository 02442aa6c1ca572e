// A process that uses the queue, driven by its arguments; it prints a line for each thing it did.
import { writeSync } from 'node:fs'
import { JobQueue } from '../../dist/api/queue.js'

// `place` is a data directory, or the address of a server.
const [mode, place, argument] = process.argv.slice(2)
/** It is said when this returns: what is only in a buffer dies with the process. */
const say = (...words) => void writeSync(1, `${words.join(' ')}\n`)

const modes = {
  // Adds and runs until it is killed.
  async busy(queue) {
    queue.registerHandler('work', async job => {
      say('ran', job.id)
      await new Promise(resolve => setTimeout(resolve, job.data.n % 7))
    })
    queue.on('completed', event => say('completed', event.jobId))
    await queue.createWorker({ concurrency: 5 }).start()
    say('ready')
    const all = argument === 'remove'
    for (let turn = 0; ; turn++) {
      // Every third time they are so many that the embedded store packs them, and some of those leave no trace.
      const count = turn % 3 === 2 ? 20 : 5
      const passes = i => !all && count === 20 && i % 2 === 0
      const adds = await Promise.allSettled(
        Array.from({ length: count }, (_, i) =>
          queue.addJob('work', { n: turn + i }, { removeOnComplete: all || passes(i) }),
        ),
      )
      for (const [i, { value, reason }] of adds.entries()) {
        if (value) say(passes(i) ? 'passing' : 'added', value.id)
        else say('refused', reason.code)
      }
    }
  },
  // Runs what is there, then ends by itself.
  async drain(queue) {
    queue.registerHandler('work', job => say('ran', job.id))
    await queue.createWorker({ concurrency: 10 }).start()
  },
  // Works until it is killed, or ends in order on SIGTERM.
  async work(queue) {
    queue.registerHandler('work', async (job, { signal }) => {
      say('ran', job.id)
      await new Promise(resolve => {
        const timer = setTimeout(resolve, job.data?.ms ?? 3)
        signal.addEventListener('abort', () => {
          say('aborted', job.id)
          clearTimeout(timer)
          resolve()
        })
      })
      say('returned', job.id)
    })
    queue.on('completed', event => say('completed', event.jobId))
    await queue.createWorker({ concurrency: 5 }).start()
    process.once('SIGTERM', () => void queue.shutdown())
    // The only owner of its folder would end when nothing is left.
    if (!shared) setInterval(() => undefined, 1000)
    say('ready')
  },
  // Does nothing but what a schedule adds.
  async scheduled(queue) {
    queue.registerHandler('tick', job => say('ran', job.id))
    await queue.schedule('ticks', { cron: '* * * * * *', name: 'tick' })
    await queue.createWorker().start()
  },
  // Does nothing but hear.
  async hear(queue) {
    say('hears')
    for await (const event of queue.events()) say('heard', event.jobId)
  },
  async idle(queue) {
    queue.registerHandler('other', () => undefined)
    await queue.createWorker().start()
    await queue.addJob('work', 1)
    say('idle')
  },
  async shut(queue) {
    await queue.addJob('work', 1)
    await queue.shutdown()
    say('shut')
  },
  // Is served, and works when its owner went.
  async serve(queue) {
    queue.registerHandler('work', job => say('ran', job.id))
    await queue.createWorker().start()
    say('ready')
    while (queue.served) await new Promise(resolve => setTimeout(resolve, 5))
    say('served', 'false')
    // An owner that has nothing to do would end.
    setInterval(() => undefined, 1000)
  },
  async sleep() {
    say('ready')
    setInterval(() => undefined, 1000)
  },
  async stuck(queue) {
    queue.registerHandler('work', () => {
      say('started')
      return new Promise(() => undefined)
    })
    await queue.createWorker().start()
  },
  async kills(queue) {
    queue.registerHandler('work', () => process.kill(process.pid, 'SIGKILL'))
    await queue.createWorker().start()
  },
  // Is killed by one of many jobs.
  async poison(queue) {
    queue.registerHandler('work', async job => {
      // Those that run beside it are over by then.
      if (job.data.kills) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100)
      await new Promise(resolve => setTimeout(resolve, job.data.kills ? 1000 : 1))
    })
    await queue.createWorker({ concurrency: 5 }).start()
  },
  async exits(queue) {
    queue.registerHandler('work', () => process.exit(3))
    await queue.createWorker().start()
  },
  // Blocks JavaScript for as long as each job says.
  async blocks(queue) {
    queue.registerHandler('work', job => {
      say('ran', job.id)
      const end = performance.now() + job.data.ms
      while (performance.now() < end);
    })
    queue.on('completed', event => say('completed', event.jobId))
    await queue.createWorker({ concurrency: 2 }).start()
    say('ready')
  },
  // Tells when each job starts and ends, by the clock of the machine.
  async limited(queue) {
    const at = () => performance.timeOrigin + performance.now()
    queue.registerHandler('work', async job => {
      say('at', at(), 'start', job.options.fairKey)
      await new Promise(resolve => setTimeout(resolve, 10))
      say('at', at(), 'end', job.options.fairKey)
    })
    queue.registerHandler('tick', job => say('tick', job.options.metadata.schedule.at))
    await queue.createWorker({ concurrency: 8 }).start()
    say('ready')
  },
  async waits(queue) {
    setTimeout(() => say('too late'), 60_000).unref()
    queue.registerHandler('work', () => say('ran', 'now'))
    await queue.createWorker().start()
    await queue.addJob('work', 1, { delay: Number(argument) })
    say('waits')
  },
}

const shared = /^\w+:\/\//.test(place)
const queue = await JobQueue.open('q', shared ? { store: place, leaseDuration: 1500, retention: { count: 1e9 } } : { dataDir: place, retention: { count: 1e9 } })
await modes[mode](queue)
