import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox, type SandboxOptions } from '../../plugin/api/sandbox.js'

const ENGINES = ['docker', 'built-in'] as const

/** The sandbox, or `undefined` with a line that names what was left out; with AUTON8N_REQUIRE_ALL it must be there. */
async function openOrName(engine: NonNullable<SandboxOptions['engine']>): Promise<Sandbox | undefined> {
  try {
    return await Sandbox.open({ engine, memory: '256m', pids: 60 })
  } catch (error) {
    if (process.env.AUTON8N_REQUIRE_ALL || (error as { code?: string }).code !== 'AUTON8N_SANDBOX_UNAVAILABLE') throw error
    console.log(`left out: ${engine}: ${(error as Error).message}`)
    return undefined
  }
}

describe.each(ENGINES)('a sandbox of %s', (engine) => {
  let sandbox: Sandbox | undefined

  beforeAll(async () => {
    sandbox = await openOrName(engine)
  })
  afterAll(async () => {
    await sandbox?.close()
  })

  it('runs a command on files and gives files back', async ({ skip }) => {
    if (!sandbox) return skip()
    const run = await sandbox.run({
      command: ['node', 'src/main.js', 'a', 'b'],
      files: {
        'src/main.js': `const fs = require('fs')
          fs.mkdirSync('out/__proto__'); fs.writeFileSync('out/__proto__/x.bin', fs.readFileSync('data.bin'))
          console.log(process.argv.slice(2).join(), fs.readFileSync(0, 'utf8')); console.error('warned')`,
        'data.bin': Uint8Array.of(0, 1, 255),
      },
      stdin: 'input',
      collect: ['out', 'gone'],
    })
    expect(run).toMatchObject({
      exitCode: 0, stdout: 'a,b input\n', stderr: 'warned\n', truncated: false, timedOut: false, oomKilled: false,
    })
    expect(Object.keys(run.files)).toEqual(['out/__proto__/x.bin'])
    expect([...run.files['out/__proto__/x.bin']!]).toEqual([0, 1, 255])
    expect(run.durationMs).toBeGreaterThan(0)
    expect(run.peakMemory).toBeGreaterThan(0)
  })

  it('tells how a command ended', async ({ skip }) => {
    if (!sandbox) return skip()
    const node = (script: string, timeout = 20_000) => sandbox!.run({ command: ['node', '-e', script], timeout })
    expect((await node('process.exit(7)')).exitCode).toBe(7)
    expect(await node('for (;;);', 500)).toMatchObject({ exitCode: null, timedOut: true })
    const bomb = await node('const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))')
    expect(bomb).toMatchObject({ exitCode: null, oomKilled: true })
    const flood = await node("require('fs').writeSync(1, Buffer.alloc(3 << 20, 'x'))")
    expect(flood.truncated).toBe(true)
    expect(flood.stdout.length).toBe(1 << 20)
  })

  it('takes the files of a folder, without what does not belong', async ({ skip }) => {
    if (!sandbox) return skip()
    const directory = await mkdtemp(join(tmpdir(), 'auton8n-sandbox-'))
    try {
      await mkdir(join(directory, 'node_modules'))
      await writeFile(join(directory, 'node_modules', 'x.js'), '')
      await writeFile(join(directory, '.env'), 'A=1')
      await writeFile(join(directory, 'a.txt'), 'of the folder')
      await writeFile(join(directory, 'b.txt'), 'of the folder')
      const script = "const fs = require('fs'); console.log(fs.readdirSync('.').join(), fs.readFileSync('b.txt', 'utf8'))"
      const run = await sandbox.run({ command: ['node', '-e', script], directory, files: { 'b.txt': 'of the call' } })
      expect(run.stdout).toBe('a.txt,b.txt,out of the call\n')
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('ends a run when its signal aborts', async ({ skip }) => {
    if (!sandbox) return skip()
    const controller = new AbortController()
    const run = sandbox.run({ command: ['node', '-e', 'for (;;);'], signal: controller.signal })
    setTimeout(() => controller.abort(), 500)
    await expect(run).rejects.toMatchObject({ code: 'AUTON8N_CANCELLED' })
    await expect(sandbox.run({ command: ['node'], signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'AUTON8N_CANCELLED',
    })
  })

  it('runs several commands at once, each in a box of its own', async ({ skip }) => {
    if (!sandbox) return skip()
    const script = "const fs = require('fs'); const had = fs.readdirSync('out').length; fs.writeFileSync('out/x', ''); console.log(had)"
    const runs = await Promise.all(Array.from({ length: 4 }, () => sandbox!.run({ command: ['node', '-e', script] })))
    expect(runs.map((run) => run.stdout)).toEqual(['0\n', '0\n', '0\n', '0\n'])
  })

  it('refuses wrong requests with a code and the name of what is wrong', async ({ skip }) => {
    if (!sandbox) return skip()
    for (const wrong of [
      undefined, null, [], {}, { command: 'node x' }, { command: [] }, { command: ['node'], timeout: -1 },
      { command: ['node'], files: { a: 1 } }, { command: ['node'], stdin: 1 }, { command: ['node'], colect: [] },
      { command: ['node'], signal: {} }, { command: ['no\0de'] },
    ]) {
      await expect(sandbox.run(wrong as never), JSON.stringify(wrong)).rejects.toMatchObject({
        code: 'AUTON8N_OPTION_INVALID',
      })
    }
    for (const path of ['../x', '/etc/x', 'out/x', '.npmrc']) {
      const run = sandbox.run({ command: ['node', '-e', '0'], files: { [path]: '' } })
      await expect(run, path).rejects.toMatchObject({ code: 'AUTON8N_PATH_REFUSED' })
    }
  })

  it('refuses after it was closed, and ends what ran', async ({ skip }) => {
    const own = await openOrName(engine)
    if (!own) return skip()
    const run = own.run({ command: ['node', '-e', 'for (;;);'] })
    // oxlint-disable-next-line vitest/valid-expect -- awaited below, when the sandbox is closed
    const ended = expect(run).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
    await new Promise((done) => setTimeout(done, 800))
    await own.close()
    await ended
    await own.close()
    await expect(own.run({ command: ['node'] })).rejects.toMatchObject({ code: 'AUTON8N_CLOSED' })
  })
})

describe('opening a sandbox', () => {
  it.each([
    null, [], 'docker', { engine: 'chroot' }, { engine: 'tcp://127.0.0.1:2375' }, { memory: 'lots' }, { memory: '1k' },
    { cpus: 0 }, { pids: 2.5 }, { network: 'host' }, { tmpfs: -1 }, { timeout: 0 }, { env: { A: 1 } }, { memry: '1g' },
    { allowReduced: ['network'] },
  ])('refuses %j', async (options) => {
    await expect(Sandbox.open(options as never)).rejects.toMatchObject({ code: 'AUTON8N_OPTION_INVALID' })
  })

  it('says what was tried where no engine answers, and runs nothing', async () => {
    await expect(Sandbox.open({ engine: 'unix:///nowhere.sock' })).rejects.toMatchObject({
      code: 'AUTON8N_SANDBOX_UNAVAILABLE',
      message: expect.stringContaining('unix:///nowhere.sock'),
    })
  })
})
