import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { OtlpExporter, Tracer } from '../../plugin/index.js'
import { compiled } from '../native/breaker-compiled.js'
import { receiver } from '../native/tracer-receiver.js'

const secret = ['ghp', '1234567890abcdefghijklmnopqrstuvwxAB'].join('_')
let built = ''
let folder = ''
beforeAll(async () => void (built = await compiled()))
afterAll(() => rm(built, { recursive: true, force: true }))
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'auton8n-spill-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Everything that lies in the files. */
async function kept(): Promise<string> {
  const files = await readdir(folder).catch(() => [])
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8').catch(() => '')))).join('')
}

function tracer(url: string, serviceName = 'svc'): Tracer {
  return new Tracer({ serviceName, exporter: new OtlpExporter({ url }), spill: { directory: folder } })
}

describe('spans in files', () => {
  it('are sent by the next process after kill -9: none but those of the last moment is lost', async () => {
    const busy = await receiver(() => 503)
    const program = `
      import { Tracer, OtlpExporter } from ${JSON.stringify(join(built, 'dist/api/tracer.js'))}
      const exporter = new OtlpExporter({ url: ${JSON.stringify(busy.url)} })
      const tracer = new Tracer({ serviceName: 'svc', exporter, spill: { directory: ${JSON.stringify(folder)} } })
      let ended = 0
      setInterval(() => {
        for (let i = 0; i < 50; i++) tracer.startSpan('span ' + ended++, { attributes: { key: ${JSON.stringify(secret)} } }).end()
        console.log(ended)
      }, 10)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    // What had ended by then, a second before it is killed, has to come.
    let told = 0
    child.stdout.on('data', (data: Buffer) => (told = Number(String(data).trim().split('\n').at(-1))))
    await expect.poll(() => told).toBeGreaterThan(2_000)
    const owed = told
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await busy.close()
    expect(await kept()).not.toContain(secret)

    const ready = await receiver()
    const next = tracer(ready.url)
    await expect.poll(async () => {
      await next.flush()
      return ready.spans().length
    }).toBeGreaterThanOrEqual(owed)
    await next.shutdown()
    const names = ready.spans().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (let i = 0; i < owed; i++) expect(names).toContain(`span ${i}`)
    expect(await kept()).toBe('')
    await ready.close()
  })

  it('stay for the next one where a process ended and the receiver was away, but not for another service', async () => {
    const first = tracer('http://127.0.0.1:9')
    for (let i = 0; i < 300; i++) first.startSpan(`span ${i}`).end()
    await first.shutdown(200)
    expect(first.getMetrics()).toMatchObject({ exported: 0, unkept: 0 })
    const ready = await receiver()
    const other = tracer(ready.url, 'another')
    other.startSpan('own').end()
    await other.shutdown()
    expect(ready.spans().map(({ name }) => name)).toEqual(['own'])
    await expect.poll(async () => {
      const next = tracer(ready.url)
      next.startSpan('of the next').end()
      await next.shutdown()
      return ready.spans().filter(({ name }) => name.startsWith('span ')).length
    }, { interval: 300 }).toBe(300)
    await ready.close()
  })

  it('go with what was sent, also at process.exit', async () => {
    const ready = await receiver()
    const program = `
      import { Tracer, OtlpExporter } from ${JSON.stringify(join(built, 'dist/api/tracer.js'))}
      const exporter = new OtlpExporter({ url: ${JSON.stringify(ready.url)} })
      const tracer = new Tracer({ serviceName: 'svc', exporter, spill: { directory: ${JSON.stringify(folder)} } })
      for (let i = 0; i < 1000; i++) tracer.startSpan('x').end()
      process.exit(0)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(ready.spans()).toHaveLength(1_000)
    expect(await kept()).toBe('')
    await ready.close()
  })

  it('refuse options that cannot be', () => {
    const exporter = new OtlpExporter({ url: 'http://127.0.0.1:9' })
    for (const spill of [null, 'x', {}, { directory: '' }, { directory: 'a\0b' }, { directory: 'x', maxBytes: 1 }, { directory: 'x', more: 1 }]) {
      expect(() => new Tracer({ serviceName: 's', exporter, spill: spill as never }), JSON.stringify(spill)).toThrow(/spill/)
    }
    expect(() => new Tracer({ serviceName: 's', spill: { directory: 'x' } })).toThrow(/OtlpExporter/)
  })
})
