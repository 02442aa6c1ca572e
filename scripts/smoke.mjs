// Loads the built package and tries each part of it on every runtime that it is for, all of them from npm.
//   node scripts/smoke.mjs [NAME…]      for example: node scripts/smoke.mjs bun
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './run.mjs'

const DEADLINE = 180_000

// The oldest that package.json promises, the newest of each line that is kept up, and Bun.
const NODES = ['20.17.0', '20', '22', '24']
const BUN = '1'

if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
  process.stdout.write(`The runtimes are fetched for Linux only; this is ${process.platform}-${process.arch}. Nothing was tried.\n`)
  process.exit(process.env.AUTON8N_REQUIRE_ALL === '1' ? 1 : 0)
}
const libc = process.report.getReport().header.glibcVersionRuntime ? '' : '-musl'
const bun = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}${libc}`
const runtimes = [
  ...NODES.map((range) => ({ name: `node ${range}`, from: `node-linux-${process.arch}@${range}`, binary: 'bin/node' })),
  { name: 'bun', from: `${bun}@${BUN}`, binary: 'bin/bun' },
]
const wanted = process.argv.slice(2)
const chosen = runtimes.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))

let failed = chosen.length === 0
for (const runtime of chosen) {
  const started = Date.now()
  const outcome = await tryOn(runtime).catch((error) => ({ ok: false, text: error.message }))
  failed ||= !outcome.ok
  const time = `${((Date.now() - started) / 1000).toFixed(1)} s`
  process.stdout.write(`${outcome.ok ? 'passed' : 'FAILED'}  ${runtime.name.padEnd(13)} ${time.padStart(7)}  ${outcome.text}\n`)
}
process.exit(failed ? 1 : 0)

async function tryOn(runtime) {
  const binary = fetchRuntime(runtime)
  const directory = mkdtempSync(join(tmpdir(), 'auton8n-smoke-'))
  try {
    return await run(binary, directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The path of the runtime's binary, out of the npm package that carries it. */
function fetchRuntime({ from, binary }) {
  const folder = join(root, 'node_modules', '.cache', 'auton8n-smoke', from.replaceAll(/[@/]/g, '_'))
  const path = join(folder, 'node_modules', from.slice(0, from.lastIndexOf('@')), binary)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', from], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  return path
}

/** Passed when the program says so and the process ends by itself. */
function run(binary, directory) {
  return new Promise((resolve, reject) => {
    const { ANTHROPIC_API_KEY: _key, ...env } = process.env
    const child = spawn(binary, [join(root, 'scripts', 'smoke-program.mjs'), directory], {
      cwd: directory,
      env: { ...env, AUTON8N_DATA_DIR: directory },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (out += chunk))
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const last = out.trim().split('\n').at(-1) ?? ''
      if (code === 0 && last.startsWith('ok ')) resolve({ ok: true, text: last.slice(3) })
      else resolve({ ok: false, text: `${signal ? `did not end within ${DEADLINE / 1000} s` : `exit code ${code}`}\n${out}` })
    })
  })
}
