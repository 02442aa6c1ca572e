import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../plugin/api/sandbox.js'
import { releaseFolder } from '../support/dockerd.js'
import { programOf, programOfCalls, bun } from './hostile/case.js'
import { identity } from './hostile/identity.js'
import { kernel } from './hostile/kernel.js'

/** Podman by the driver that Docker has, with a service of the test's own. */

const usable = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('podman', ['--version']).status === 0
if (!usable) console.log('left out: podman: it is not installed, or this is not root')

describe.skipIf(!usable)('podman', () => {
  let directory: string
  let runroot: string
  let service: ChildProcess
  let sandbox: Sandbox

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'auton8n-podman-'))
    const socket = join(directory, 'podman.sock')
    // Its path may have 50 characters, and that of a temporary folder more.
    runroot = mkdtempSync('/run/auton8n-podman-')
    const args = ['--root', join(directory, 'root'), '--runroot', runroot, '--cgroup-manager=cgroupfs']
    // Debian's own choice, crun, refuses a machine with both kinds of control groups.
    const runtime = existsSync('/usr/sbin/runc') ? ['--runtime', '/usr/sbin/runc'] : []
    const serve = [...args, ...runtime, 'system', 'service', '--time=0', `unix://${socket}`]
    // Where memory runs out, its monitor leaves a file in the folder that it was started in; and of each image that it is
    // given it leaves the archive among its temporary files.
    service = spawn('podman', serve, { stdio: ['ignore', 'ignore', 'pipe'], cwd: directory, env: { ...process.env, TMPDIR: directory } })
    let said = ''
    service.stderr?.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-2_000) })
    for (const end = Date.now() + 120_000; !existsSync(socket); await new Promise((next) => { setTimeout(next, 50) })) {
      if (Date.now() > end || service.exitCode !== null) throw new Error(`podman does not come up: ${said}`)
    }
    sandbox = await Sandbox.open({ engine: `unix://${socket}`, memory: '192m', pids: 64, tmpfs: '16m', work: '24m' })
  }, 180_000)
  afterAll(async () => {
    await sandbox?.close()
    service?.kill()
    if (service && service.exitCode === null && service.signalCode === null) await new Promise((done) => { service.once('exit', done) })
    spawnSync('podman', ['--root', join(directory, 'root'), '--runroot', runroot, 'system', 'reset', '--force'])
    for (const folder of [directory, runroot]) {
      releaseFolder(folder)
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('runs, limits and collects as Docker does', async () => {
    expect(sandbox.engine).toMatch(/^podman \d/)
    // Asked for over Docker's interface it does not give one, and does not say so.
    expect(sandbox.isolation).toMatch(/^(full|reduced: no cgroup namespace)$/)
    const run = await sandbox.run({ command: ['node', '-e', "require('fs').writeFileSync('out/x', 'y'); console.log(1)"], collect: ['out'] })
    expect(run).toMatchObject({ exitCode: 0, stdout: '1\n' })
    expect(Object.keys(run.files)).toEqual(['out/x'])
    const hog = await sandbox.run({ command: ['node', '-e', 'const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))'] })
    expect(hog).toMatchObject({ oomKilled: true, stoppedBy: 'memory' })
    const loop = await sandbox.run({ command: ['node', '-e', 'for (;;);'], timeout: 700 })
    expect(loop).toMatchObject({ timedOut: true, stoppedBy: 'time' })
  })

  it('refuses the system calls that lead out', async () => {
    if (process.arch !== 'x64') return
    const run = await sandbox.run({ command: [bun, 'main.mjs'], files: { 'main.mjs': programOfCalls(kernel.calls ?? {}) } })
    const told = JSON.parse(run.stdout) as Record<string, string>
    expect(Object.entries(told).filter(([, answer]) => answer !== 'refused')).toEqual([])
  })

  it('keeps the job what it is', async () => {
    const host = JSON.stringify({ namespaces: {} })
    const tries = (identity.attempts ?? []).filter(({ name }) => name !== "the host's namespaces")
    const run = await sandbox.run({ command: ['node', 'main.mjs'], files: { 'main.mjs': programOf(tries).replace('process.env.HOST', JSON.stringify(host)) } })
    const told = JSON.parse(run.stdout) as Record<string, unknown>
    for (const { name, must } of tries) {
      if (must instanceof RegExp) expect(String(told[name]), name).toMatch(must)
      else expect(told[name] === '' ? 'nothing' : told[name], name).toEqual(must)
    }
  })
})
