// How much of each room the tests reach: Rust by cargo-tarpaulin, TypeScript by vitest. Fails under 75 % of lines.
//   node scripts/coverage.mjs [rust] [typescript]       default: both
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { root, run } from './run.mjs'

const LEAST = 75

// Rooms that these tests cannot reach, and why. They are shown, and not held to the limit.
const ELSEWHERE = {
  'src/bindings': 'reached through JavaScript only: it needs a Node around it, so `cargo test` does not build it',
  'src/engine (served)': 'takes two processes and their socket: tested through JavaScript, in __test__/process/served.test.ts',
  'plugin/cli': 'run by its tests as a process of its own, which this measurement does not see',
}

const wanted = process.argv.slice(2)
const both = wanted.length === 0
const out = mkdtempSync(join(tmpdir(), 'auton8n-coverage-'))
// A run that fails ends this process.
process.once('exit', () => rmSync(out, { recursive: true, force: true }))
let failed = false
if (both || wanted.includes('rust')) show('Rust rooms, lines, by cargo-tarpaulin', rust())
if (both || wanted.includes('typescript')) show('plugin/, lines, by vitest', typescript())
process.exit(failed ? 1 : 0)

function rust() {
  if (spawnSync('cargo', ['tarpaulin', '--version']).status !== 0) {
    run('cargo', ['install', 'cargo-tarpaulin', '--locked'], { quiet: true, why: 'installing cargo-tarpaulin' })
  }
  const args = [
    'tarpaulin', '--package', 'auton8n', '--no-default-features', '--engine', 'llvm', '--skip-clean', '--color', 'never',
    '--timeout', '1200', '--target-dir', join(root, 'target', 'coverage'), '--out', 'Json', '--output-dir', out,
    // These read the sources and run none of them.
    '--', '--skip', 'layering::',
  ]
  run('cargo', args, { quiet: true, why: 'Rust tests, measured' })
  const { files } = JSON.parse(readFileSync(join(out, 'tarpaulin-report.json'), 'utf8'))
  return rooms(
    files.map(({ path, covered, coverable }) => ({
      path: relative(root, join(...path.map((part) => part || sep))),
      covered,
      lines: coverable,
    })),
  )
}

function typescript() {
  const coverage = [
    '--coverage.enabled', '--coverage.provider=v8', '--coverage.include=plugin/**/*.ts', '--coverage.reporter=json-summary',
    `--coverage.reportsDirectory=${out}`, '--coverage.clean=false',
  ]
  run('npx', ['vitest', 'run', '__test__/plugin', '__test__/native', '__test__/sandbox', ...coverage], { quiet: true, why: 'TypeScript tests, measured' })
  const { total: _total, ...files } = JSON.parse(readFileSync(join(out, 'coverage-summary.json'), 'utf8'))
  return rooms(
    Object.entries(files).map(([path, { lines }]) => ({ path: relative(root, path), covered: lines.covered, lines: lines.total })),
  )
}

/** Sums of the files of each room, without what is a test itself. */
function rooms(files) {
  const sums = new Map()
  for (const { path, covered, lines } of files) {
    const parts = path.split(sep)
    if (!['src', 'plugin'].includes(parts[0]) || parts.some((part) => /(^|_)tests?(_|$|\.)/.test(part))) continue
    const served = path.startsWith(join('src', 'engine', 'serv'))
    const inside = served ? 'src/engine (served)' : `${parts[0]}/${parts[1]}`
    const room = parts.length > 2 ? inside : `${parts[0]} (files at its top)`
    const sum = sums.get(room) ?? { covered: 0, lines: 0 }
    sums.set(room, { covered: sum.covered + covered, lines: sum.lines + lines })
  }
  return sums
}

function show(title, sums) {
  if (sums.size === 0) throw new Error(`${title}: nothing was measured`)
  for (const room of Object.keys(ELSEWHERE)) {
    const measured = [...sums.keys()].some((name) => name.split('/')[0].split(' ')[0] === room.split('/')[0])
    if (measured && !sums.has(room) && existsSync(join(root, room))) sums.set(room, { covered: 0, lines: 0 })
  }
  process.stdout.write(`\n${title}\n`)
  for (const [room, { covered, lines }] of [...sums].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const percent = lines === 0 ? undefined : (covered / lines) * 100
    const why = ELSEWHERE[room]
    const low = percent !== undefined && percent < LEAST
    if (low && !why) failed = true
    const share = percent === undefined ? 'not measured' : `${percent.toFixed(1).padStart(5)} %`
    const note = why ? `  ${why}` : low ? `  UNDER ${LEAST} %` : ''
    process.stdout.write(`  ${room.padEnd(28)} ${share}  ${String(covered).padStart(6)} of ${String(lines).padStart(6)}${note}\n`)
  }
}
