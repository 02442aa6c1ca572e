import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox, type SandboxRun } from '../../../plugin/api/sandbox.js'
import { containersOf } from '../../support/workplace.js'
import { archives } from './archives.js'
import { artifacts } from './artifacts.js'
import { bun, programOf, programOfCalls, runOf, type EngineName, type Host, type HostileClass, type Project } from './case.js'
import { disk } from './disk.js'
import { identity } from './identity.js'
import { kernel } from './kernel.js'
import { network } from './network.js'
import { output } from './output.js'
import { resources } from './resources.js'
import { snooping } from './snooping.js'

/** Programs that try to get out, to use up the machine or to lie about what they did; each on every engine. */

const CLASSES: Record<string, HostileClass> = {
  archives, artifacts, disk, identity, kernel, network, output, resources, snooping,
}
const ENGINES: EngineName[] = ['docker', 'built-in']
/** Boxes at once: the machine of CI has two processors. */
const AT_ONCE = 3

/** Those that take the most of the machine. */
const GREEDY = ['buffers without end', 'a fork bomb', 'a loop on many processes', 'a flood on both streams that never ends']

/** Nothing of what a box prints or leaves may hold it. */
const CANARY = `canary-${'4f1c'}-of-the-host`
process.env.AUTON8N_TEST_CANARY = CANARY

let host: Host
let directory: string
const servers: Server[] = []
let visitors = 0

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'auton8n-hostile-'))
  const file = join(directory, 'canary')
  writeFileSync(file, CANARY, { mode: 0o644 })
  const listen = async (where: { port: number; host: string } | { path: string }): Promise<Server> => {
    const server = createServer((socket) => {
      visitors += 1
      socket.end(CANARY)
    })
    servers.push(server)
    await new Promise<void>((up) => { server.listen(where, up) })
    return server
  }
  const tcp = await listen({ port: 0, host: '0.0.0.0' })
  const abstract = `auton8n-hostile-${process.pid}`
  await listen({ path: `\0${abstract}` })
  const kinds = ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup']
  const namespaces = Object.fromEntries(kinds.map((kind) => [kind, readlinkSync(`/proc/self/ns/${kind}`)]))
  host = { port: (tcp.address() as { port: number }).port, abstract, file, namespaces }
})
afterAll(() => {
  for (const server of servers) server.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The sandbox, or `undefined` with a line that names what was left out; with AUTON8N_REQUIRE_ALL it must be there. */
async function openOrName(engine: EngineName): Promise<Sandbox | undefined> {
  const env = { HOST: JSON.stringify(host) }
  try {
    return await Sandbox.open({ engine, memory: '192m', pids: 64, tmpfs: '16m', work: '24m', env })
  } catch (error) {
    if (process.env.AUTON8N_REQUIRE_ALL || (error as { code?: string }).code !== 'AUTON8N_SANDBOX_UNAVAILABLE') throw error
    console.log(`left out: ${engine}: ${(error as Error).message}`)
    return undefined
  }
}

function childrenOf(pid: number): string[] {
  const all = execFileSync('ps', ['-eo', 'ppid=,comm='], { encoding: 'utf8' }).split('\n')
  return all.map((line) => line.trim().split(/\s+/)).filter(([parent]) => Number(parent) === pid).map(([, name]) => name ?? '')
}

/** Milliseconds of wall-clock time that a fixed piece of work takes in a box of its own. */
async function neighbour(sandbox: Sandbox): Promise<number> {
  const work = `import { createHash } from 'node:crypto'; const b = Buffer.alloc(1 << 20); const started = performance.now()
    for (let i = 0; i < 400; i++) createHash('sha1').update(b).digest(); console.log(Math.round(performance.now() - started))`
  const run = await sandbox.run({ command: ['node', 'main.mjs'], files: { 'main.mjs': work }, timeout: 60_000 })
  return Number(run.stdout)
}

/** Waits, but not long, until the machine has more than one processor to spare: what others do slows one measurement only. */
async function quiet(): Promise<void> {
  for (const end = Date.now() + 2_000; Date.now() < end;) {
    const before = idle()
    const started = performance.now()
    await new Promise((next) => { setTimeout(next, 100) })
    if (idle() - before > 1.3 * (performance.now() - started)) return
  }
}

/** Milliseconds that all processors did nothing, together. */
function idle(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0)
}

/** Runs so many at once, in order. */
function gate(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((go) => { waiting.push(go) })
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}

type Ended = { run: SandboxRun } | { code: string }

function ended(running: Promise<SandboxRun>): Promise<Ended> {
  return running.then(
    (run) => ({ run }),
    (error: { code?: string; message: string }) => ({ code: error.code ?? error.message }),
  )
}

function expectHeld(must: Project['must'], found: Ended): void {
  if ('code' in found) {
    expect(found.code).toBe(must.rejects)
    return
  }
  const { run } = found
  const told = JSON.stringify({ ...run, files: Object.keys(run.files), stdout: run.stdout.slice(0, 300) })
  expect(must.rejects, told).toBeUndefined()
  const { files, prints, stoppedBy, rejects: _, ...plain } = must
  expect(run, told).toMatchObject(plain)
  if (stoppedBy !== undefined) expect(run.stoppedBy, told).toMatch(stoppedBy)
  if (typeof prints === 'string') expect(run.stdout, run.stderr).toBe(prints)
  else if (prints) expect(run.stdout, run.stderr).toMatch(prints)
  if (files) expect(Object.keys(run.files), run.stdout).toEqual(files)
  expect(run.isolation).toMatch(/^(full|reduced: )/)
  const taken = Object.values(run.files).map((bytes) => Buffer.from(bytes).toString('latin1'))
  expect([run.stdout, run.stderr, ...taken].some((text) => text.includes(CANARY))).toBe(false)
}

describe.each(ENGINES)('on %s', (engine) => {
  let sandbox: Sandbox | undefined
  const enter = gate(AT_ONCE)
  /** The whole corpus starts at once; each test then waits for its own part. */
  const attempts = new Map<string, Promise<Record<string, unknown>>>()
  const projects = new Map<Project, Promise<Ended>>()

  beforeAll(async () => {
    sandbox = await openOrName(engine)
    if (!sandbox) return
    const own = sandbox
    const printed = async (command: string[], program: string): Promise<Record<string, unknown>> => {
      const run = await enter(() => own.run({ command, files: { 'main.mjs': program }, timeout: 60_000 }))
      if (run.stdout === '') throw new Error(`nothing was told: ${JSON.stringify({ ...run, files: [] })}`)
      expect(run.stdout).not.toContain(CANARY)
      return JSON.parse(run.stdout) as Record<string, unknown>
    }
    for (const [name, { attempts: tries, calls, projects: all = [] }] of Object.entries(CLASSES)) {
      if (tries) attempts.set(name, printed(['node', 'main.mjs'], programOf(tries)))
      if (calls && process.arch === 'x64') attempts.set(name, printed([bun, 'main.mjs'], programOfCalls(calls)))
      for (const project of all) projects.set(project, enter(() => ended(own.run(runOf(project)))))
    }
    await Promise.allSettled([...attempts.values(), ...projects.values()])
  }, 400_000)
  afterAll(() => sandbox?.close())

  describe.each(Object.entries(CLASSES))('%s', (name, { attempts: tries = [], calls = {}, projects: all = [] }) => {
    it.for(tries)('$name', async ({ name: what, must }, { skip }) => {
      if (!sandbox) return skip()
      const told = (await attempts.get(name))?.[what]
      if (must instanceof RegExp) expect(String(told)).toMatch(must)
      else expect(told === '' ? 'nothing' : told).toEqual(must)
    })
    it.for(Object.keys(calls))('%s', async (what, { skip }) => {
      if (!sandbox || process.arch !== 'x64') return skip()
      expect((await attempts.get(name))?.[what]).toBe('refused')
    })
    it.for(all)('$name', async (project, { skip }) => {
      if (!sandbox) return skip()
      const found = await projects.get(project)
      expectHeld(project.must, found ?? { code: 'it was not run' })
    })
  })

  it.each(GREEDY)('leaves its neighbour at least half of its speed beside %s', async (name) => {
    if (!sandbox) return
    const own = sandbox
    const project = Object.values(CLASSES).flatMap(({ projects: all = [] }) => all).find((one) => one.name === name)
    if (!project) throw new Error(`there is no ${name}`)
    let [alone, beside] = [Infinity, Infinity]
    // Turn by turn, the best of each: whatever else the machine does slows both, and only the attack one of them.
    for (let turn = 0; turn < 20 && (turn < 2 || beside >= alone * 2); turn++) {
      await quiet()
      alone = Math.min(alone, await neighbour(own))
      const attack = new AbortController()
      const attacking = (async () => {
        while (!attack.signal.aborted) await ended(own.run({ ...runOf(project), timeout: 10_000, signal: attack.signal }))
      })()
      beside = Math.min(beside, await neighbour(own), await neighbour(own))
      attack.abort()
      await attacking
    }
    console.log(`${engine}: a neighbour's work takes ${alone} ms alone, ${beside} ms beside ${name}`)
    expect(beside).toBeLessThan(alone * 2)
  }, 400_000)

  it('left the host as it was', async () => {
    expect(visitors).toBe(0)
    expect(readFileSync(host.file, 'utf8')).toBe(CANARY)
    expect(statSync(host.file).mode & 0o777).toBe(0o644)
    await sandbox?.close()
    expect(engine === 'docker' && sandbox ? containersOf(process.pid) : []).toEqual([])
    expect(childrenOf(process.pid).filter((name) => name.includes('keeper'))).toEqual([])
  })
})
