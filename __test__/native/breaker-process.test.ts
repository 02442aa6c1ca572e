import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { CircuitBreaker } from '../../plugin/api/breaker.js'
import { compiled } from './breaker-compiled.js'

let folder = ''
beforeAll(async () => void (folder = await compiled()))
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => void vi.useRealTimers())

async function run(body: string): Promise<string> {
  const program = `import { CircuitBreaker } from ${JSON.stringify(join(folder, 'dist/api/breaker.js'))}\n${body}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    timeout: 120_000,
  })
  return stdout.trim()
}

it('keeps no process alive while it waits to become half-open, nor after a call', async () => {
  expect(
    await run(`
    const breaker = new CircuitBreaker('a', { resetTimeout: 3600000, timeout: 3600000 })
    await breaker.execute(async () => 1)
    breaker.forceOpen()
    console.log(breaker.getState())`),
  ).toBe('open')
})

it('ends a call that hangs, also where nothing else keeps the process', async () => {
  expect(
    await run(`
    const breaker = new CircuitBreaker('a', { timeout: 40 })
    await breaker.execute(() => new Promise(() => {})).catch((error) => console.log(error.code))`),
  ).toBe('AUTON8N_TIMEOUT')
})

it('goes by the clock that a test puts in place', async () => {
  await new CircuitBreaker('before').execute(async () => 1)
  vi.useFakeTimers()
  const breaker = new CircuitBreaker('a', { failureThreshold: 1 })
  const halfOpen = vi.fn()
  breaker.on('half-open', halfOpen)
  const call = breaker.execute(() => new Promise(() => {}))
  // oxlint-disable-next-line vitest/valid-expect -- awaited below, when the clock was turned
  const ended = expect(call).rejects.toMatchObject({ code: 'AUTON8N_TIMEOUT' })
  await vi.advanceTimersByTimeAsync(10_000)
  await ended
  expect(breaker.getState()).toBe('open')
  await vi.advanceTimersByTimeAsync(59_990)
  expect(halfOpen).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(10)
  expect(halfOpen).toHaveBeenCalledTimes(1)
  expect(breaker.getState()).toBe('half-open')
})

it('stays right through many calls', async () => {
  const breaker = new CircuitBreaker('a', { failureThreshold: 1e6, errorThresholdPercentage: 100 })
  for (let i = 0; i < 20_000; i++) {
    await Promise.all(Array.from({ length: 10 }, (_, j) => breaker.execute(async () => j).catch(() => {})))
  }
  expect(breaker.getMetrics()).toMatchObject({ totalRequests: 200_000, successfulRequests: 200_000, activeRequests: 0 })
})
