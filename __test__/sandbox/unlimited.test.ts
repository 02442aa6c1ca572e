import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox, type SandboxOptions } from '../../plugin/api/sandbox.js'
import { docker } from '../support/workplace.js'

/** An engine that takes a limit without a word and ignores it, as rootless ones do on control groups of version 1. */

const REAL = '/var/run/docker.sock'

/** What a request for a container asks for, taken back; a number in JSON may be followed by blanks, so no length changes. */
const IGNORED: Record<string, [RegExp, string][]> = {
  memory: [[/"Memory":\d+/, '"Memory":0'], [/"MemorySwap":\d+/, '"MemorySwap":0'], [/"MemoryLimit":true/, '"MemoryLimit":null']],
  pids: [[/"PidsLimit":\d+/, '"PidsLimit":0'], [/"PidsLimit":true/, '"PidsLimit":null']],
  cpus: [[/"NanoCpus":\d+/, '"NanoCpus":0'], [/"CpuCfsQuota":true/, '"CpuCfsQuota":null']],
}

function without(limit: string, bytes: Buffer): Buffer {
  let text = bytes.toString('latin1')
  for (const [pattern, instead] of IGNORED[limit] ?? []) text = text.replace(pattern, (found) => instead.padEnd(found.length))
  return Buffer.from(text, 'latin1')
}

describe.skipIf(!docker).each(Object.keys(IGNORED))('an engine without a limit of %s', (limit) => {
  let directory: string
  let proxy: Server
  let options: SandboxOptions

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'auton8n-unlimited-'))
    const path = join(directory, 'engine.sock')
    proxy = createServer({ allowHalfOpen: true }, (client) => {
      const engine = connect({ path: REAL, allowHalfOpen: true })
      client.on('data', (bytes) => engine.write(without(limit, bytes))).on('end', () => engine.end()).on('error', () => engine.destroy())
      engine.on('data', (bytes) => client.write(without(limit, bytes))).on('end', () => client.end()).on('error', () => client.destroy())
    })
    await new Promise<void>((up) => { proxy.listen(path, up) })
    options = { engine: `unix://${path}`, pool: 0 }
  })
  afterAll(() => {
    proxy.close()
    rmSync(directory, { recursive: true, force: true })
  })

  it('is passed over, and the refusal names it', async () => {
    await expect(Sandbox.open(options)).rejects.toMatchObject({
      code: 'AUTON8N_SANDBOX_UNAVAILABLE',
      message: expect.stringContaining(`does not hold: ${limit} (`),
    })
    const other = limit === 'memory' ? 'pids' : 'memory'
    await expect(Sandbox.open({ ...options, allowReduced: [other] })).rejects.toMatchObject({ code: 'AUTON8N_SANDBOX_UNAVAILABLE' })
  })

  it('is used where the user allowed that very limit to be missing, and every run says so', async () => {
    const sandbox = await Sandbox.open({ ...options, allowReduced: [limit as 'memory'] })
    expect(sandbox.isolation).toBe(`reduced: no limit of ${limit}`)
    const run = await sandbox.run({ command: ['node', '-e', 'console.log(1)'] })
    expect(run).toMatchObject({ stdout: '1\n', isolation: `reduced: no limit of ${limit}` })
    await sandbox.close()
  })
})
