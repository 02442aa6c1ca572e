// What the benchmarks share: the package compiled as users get it, and peers installed on demand.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** The compiled module at `path` below `plugin/`. The addon must be built. */
export async function ours(path) {
  const folder = mkdtempSync(join(tmpdir(), 'auton8n-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')])
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'index.cjs'), join(folder, 'index.cjs'))
  return import(pathToFileURL(join(folder, 'dist', path)))
}

/** Modules of other makers, installed into a temporary folder that later runs use again. */
export async function peers(packages) {
  const folder = process.env.AUTON8N_BENCH_PEERS ?? join(tmpdir(), 'auton8n-bench-peers')
  mkdirSync(folder, { recursive: true })
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{}')
  const missing = packages.filter((name) => !existsSync(join(folder, 'node_modules', bare(name))))
  if (missing.length > 0) {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', ...missing], {
      cwd: folder,
      stdio: 'inherit',
    })
  }
  const require = createRequire(join(folder, 'package.json'))
  return packages.map((name) => require(bare(name)))
}

const bare = (name) => name.replace(/(.)@[^@/]*$/, '$1')

/** Runs every case in turn, several times, and answers the median of each. */
export async function medians(cases, rounds = 5) {
  const found = new Map(Object.keys(cases).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(cases)) found.get(name).push(await run())
  }
  return Object.fromEntries(
    [...found].map(([name, values]) => [name, values.sort((a, b) => a - b)[values.length >> 1]]),
  )
}

/** Nanoseconds of one call, awaited one after the other. */
export async function perCall(count, call) {
  for (let i = 0; i < Math.min(2_000, count); i++) await call()
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) await call()
  return Number(process.hrtime.bigint() - start) / count
}

/** Nanoseconds of one call that returns at once. */
export function perStep(count, step) {
  for (let i = 0; i < Math.min(20_000, count); i++) step(i)
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) step(i)
  return Number(process.hrtime.bigint() - start) / count
}

/** Prints rows of `{ name: value }` with one column a maker. */
export function table(title, columns, rows) {
  const text = (value) =>
    value === undefined ? '-' : typeof value === 'number' ? Math.round(value).toLocaleString('en') : value
  console.log(`\n### ${title}\n\n| | ${columns.join(' | ')} |\n|---|${columns.map(() => '---:').join('|')}|`)
  for (const [name, values] of Object.entries(rows))
    console.log(`| ${name} | ${columns.map((column) => text(values[column])).join(' | ')} |`)
}
