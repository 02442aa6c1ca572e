// From `run` to the first instruction of the user's program, beside the plain docker client, dockerode and runc in the
// same run; then fifty boxes at once, and what a box that waits costs. Linux, root, Docker, and the built package.
// Usage: node bench/sandbox.mjs [runs for each figure, default 15] [only: warm cold many memory]
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Sandbox } from '../dist/index.js'
import { peers, table } from './peers.mjs'

const runs = Number(process.argv[2] ?? 15)
const only = process.argv.slice(3)
const wanted = (name) => only.length === 0 || only.includes(name)
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

// Boxes share the kernel's clock. The first line of JavaScript tells its time, and how long ago its process began.
const CLOCK = 'console.log(String(process.hrtime.bigint()), performance.now())'
const command = ['node', '-e', CLOCK]
/** Milliseconds from `started` to the program's process, and to its first line. */
function told(started, text) {
  const [at, age] = text.trim().split(' ')
  const line = Number(BigInt(at) - started) / 1e6
  return { process: line - Number(age), line }
}

/** Each in turn, so that all see the same machine. */
async function inTurn(cases, pause) {
  const found = {}
  for (let turn = 0; turn < runs; turn++) {
    for (const [name, run] of Object.entries(cases)) {
      await sleep(pause)
      const started = process.hrtime.bigint()
      const figures = told(started, await run())
      ;(found[name] ??= []).push({ ...figures, whole: Number(process.hrtime.bigint() - started) / 1e6 })
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, all]) => [name, {
    'process, ms': median(all.map((one) => one.process)).toFixed(1),
    'first line of JavaScript, ms': median(all.map((one) => one.line)).toFixed(1),
    'whole run, ms': median(all.map((one) => one.whole)).toFixed(0),
  }]))
}
const columns = ['process, ms', 'first line of JavaScript, ms', 'whole run, ms']
const running = (sandbox) => async () => (await sandbox.run({ command })).stdout

if (wanted('warm')) {
  const cases = { docker: await Sandbox.open({ engine: 'docker' }), 'built-in': await Sandbox.open({ engine: 'built-in' }) }
  await sleep(1_500)
  // The pause lets the pool make the next box, as it does between the steps of a job.
  table('A box that waits', columns, await inTurn(Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, running(one)])), 700))
  for (const one of Object.values(cases)) await one.close()
}

if (wanted('cold')) {
  const docker = await Sandbox.open({ engine: 'docker', pool: 0 })
  const builtIn = await Sandbox.open({ engine: 'built-in', pool: 0 })
  await docker.run({ command })
  const image = execFileSync('docker', ['images', '-q', 'auton8n-box'], { encoding: 'utf8' }).split('\n')[0]
  const flags = ['--network=none', '--read-only', '--memory=512m', '--memory-swap=512m', '--cpus=1', '--pids-limit=100', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--log-driver=none']
  const client = async () => printed('docker', ['run', '--rm', ...flags, '--tmpfs=/tmp:size=64m', '--user=65534', '--entrypoint=/sandbox/bin/node', image, '-e', CLOCK])
  const [Dockerode] = await peers(['dockerode'])
  const dockerode = new Dockerode()
  const options = {
    Entrypoint: ['/sandbox/bin/node'], User: '65534', Tty: false,
    HostConfig: {
      AutoRemove: true, NetworkMode: 'none', ReadonlyRootfs: true, Memory: 512 << 20, MemorySwap: 512 << 20, NanoCpus: 1e9, PidsLimit: 100,
      CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'], LogConfig: { Type: 'none' }, Tmpfs: { '/tmp': 'size=64m' },
    },
  }
  const library = async () => {
    const out = new PassThrough()
    let text = ''
    out.on('data', (chunk) => (text += chunk))
    await dockerode.run(image, ['-e', CLOCK], [out, process.stderr], options)
    return text
  }
  const bundle = runcBundle(image)
  let number = 0
  const runc = async () => printed('runc', ['run', '--bundle', bundle, `auton8n-bench-${process.pid}-${number++}`])
  const cases = { 'ours, docker': running(docker), 'docker run': client, dockerode: library, 'ours, built-in': running(builtIn), 'runc run': runc }
  table('A box that is made for the run', columns, await inTurn(cases, 100))
  rmSync(join(bundle, '..'), { recursive: true, force: true })
  await docker.close()
  await builtIn.close()
}

if (wanted('many')) {
  const rows = {}
  for (const engine of ['docker', 'built-in']) {
    const sandbox = await Sandbox.open({ engine, pool: 0, memory: '64m', pids: 40, tmpfs: '4m', work: '4m' })
    const started = performance.now()
    const ended = await Promise.allSettled(Array.from({ length: 50 }, () => sandbox.run({ command: ['node', '-e', 'console.log(1)'] })))
    const well = ended.filter(({ value }) => value?.exitCode === 0 && value.stdout === '1\n').length
    rows[engine] = { 'ended well': well, 'errors': 50 - well, 'all of them, ms': performance.now() - started }
    await sandbox.close()
  }
  table('Fifty boxes at once', ['ended well', 'errors', 'all of them, ms'], rows)
}

if (wanted('memory')) {
  const rows = {}
  for (const engine of ['docker', 'built-in']) {
    // What all boxes of an engine share is there before.
    const probe = await Sandbox.open({ engine, pool: 0 })
    await probe.run({ command: ['node', '-e', '0'] })
    const before = new Set(processes())
    const sandbox = await Sandbox.open({ engine, pool: 16 })
    await sleep(8_000)
    const made = processes().filter(pid => !before.has(pid))
    rows[engine] = { 'MB each': (made.reduce((sum, pid) => sum + share(pid), 0) / 16 / 1024).toFixed(1) }
    await sandbox.close()
    await probe.close()
  }
  table('Memory of a box that waits (of sixteen: what its processes and its monitor hold)', ['MB each'], rows)
}

/** Keepers, and what Docker has beside each. */
function processes() {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && /^(keeper|containerd-shim)/.test(named(name)))
}

function named(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8')
  } catch {
    return ''
  }
}

/** KB of a process, what it shares with others divided among them. */
function share(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)?.[1] ?? 0)
  } catch {
    return 0
  }
}

function printed(program, args) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.on('error', fail)
    child.on('close', (code) => (code === 0 ? done(text) : fail(new Error(`${program} ended with ${code}`))))
  })
}

/** The image unpacked, and runc's own configuration with the limits that ours have. */
function runcBundle(image) {
  const bundle = join(mkdtempSync(join(tmpdir(), 'auton8n-runc-')), 'bundle')
  mkdirSync(join(bundle, 'rootfs'), { recursive: true })
  const container = execFileSync('docker', ['create', image, 'x'], { encoding: 'utf8' }).trim()
  execFileSync('sh', ['-c', `docker export ${container} | tar -x -C ${join(bundle, 'rootfs')}`])
  execFileSync('docker', ['rm', container])
  execFileSync('runc', ['spec'], { cwd: bundle })
  const path = join(bundle, 'config.json')
  const config = JSON.parse(readFileSync(path, 'utf8'))
  Object.assign(config.process, { terminal: false, args: ['/sandbox/bin/node', '-e', CLOCK], user: { uid: 65534, gid: 65534 }, cwd: '/' })
  config.root.readonly = true
  config.linux.resources = {
    memory: { limit: 512 << 20, swap: 512 << 20 }, cpu: { quota: 100_000, period: 100_000 }, pids: { limit: 100 },
  }
  writeFileSync(path, JSON.stringify(config))
  return bundle
}
