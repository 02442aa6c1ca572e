// How long a whole tree takes to be judged offline: ours, with a file of advisories as large as npm's, beside `npm audit
// --offline` (which has no advisories, so it answers nothing) and a plain scan with npm's own semver.
//
//   node bench/dependencies.mjs [PACKAGES]     default 300, of this checkout's own lock file
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import semver from 'semver'
import { checkDependencies, updateAdvisories } from '../dist/index.js'

const wanted = Number(process.argv[2] ?? 300)
const ROUNDS = 30

// A tree of real packages: those of this checkout's lock, as far as asked for.
const whole = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'))
const places = Object.keys(whole.packages).filter((place) => place.startsWith('node_modules/')).slice(0, wanted)
const packages = Object.fromEntries(places.map((place) => [place, whole.packages[place]]))
const lock = JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } })
const top = places.filter((place) => place.lastIndexOf('node_modules/') === 0).map((place) => place.slice(13))
const manifest = JSON.stringify({ name: 'bench', version: '1.0.0', dependencies: Object.fromEntries(top.map((name) => [name, packages[`node_modules/${name}`].version])) })

const folder = mkdtempSync(join(tmpdir(), 'auton8n-bench-'))
try {
  const advisories = join(folder, 'npm.advisories')
  const records = made(220_000, top)
  const began = performance.now()
  writeFileSync(join(folder, 'all.zip'), zip(records))
  const told = await updateAdvisories({ from: join(folder, 'all.zip'), to: advisories })
  const built = performance.now() - began

  const options = { offline: true, lock, advisories }
  const first = await timed(() => checkDependencies(manifest, options))
  const times = []
  for (let round = 0; round < ROUNDS; round++) times.push((await timed(() => checkDependencies(manifest, options))).ms)
  const { verdict, packages: judged, answers } = first.value

  const plain = []
  for (let round = 0; round < ROUNDS; round++) plain.push((await timed(() => scan(records))).ms)
  writeFileSync(join(folder, 'package.json'), manifest)
  writeFileSync(join(folder, 'package-lock.json'), lock)
  const audits = []
  for (let round = 0; round < 3; round++) {
    audits.push((await timed(() => {
      try {
        execFileSync('npm', ['audit', '--offline', '--json'], { cwd: folder, stdio: 'ignore' })
      } catch {
        // It ends with 1 where it found something or could not ask.
      }
    })).ms)
  }

  console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
  console.log(`${judged} packages, ${told.header.advisories} advisories (made up, in OSV's form), file ${(statSync(advisories).size / 1e6).toFixed(1)} MB, made in ${(built / 1e3).toFixed(1)} s`)
  console.log(`verdict ${verdict}, ${JSON.stringify(answers)}`)
  console.log(`checkDependencies, first    ${first.ms.toFixed(1)} ms`)
  console.log(`checkDependencies, median   ${median(times).toFixed(1)} ms, worst ${Math.max(...times).toFixed(1)} ms`)
  console.log(`semver over all in memory   ${median(plain).toFixed(1)} ms (advisories parsed already; names, sources and locks not judged)`)
  console.log(`npm audit --offline         ${median(audits).toFixed(0)} ms (a process; it has no advisories offline)`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** As many records as OSV has of npm: nearly all are malicious packages, a few thousand are ranges of known ones. */
function made(count, names) {
  const record = (index, name, events) => ({
    id: `MAL-2026-${index}`,
    modified: '2026-01-01T00:00:00Z',
    summary: `Malicious code in ${name} (npm)`,
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
    database_specific: { severity: 'HIGH' },
  })
  const known = names.flatMap((name, index) => [record(index, name, [{ introduced: '0' }, { fixed: '0.0.1' }])])
  const other = Array.from({ length: count - known.length }, (_, index) => record(known.length + index, `bad-package-${index * 7919}`, [{ introduced: '0' }]))
  return [...known, ...other]
}

/** What a plain program does: every advisory about a package of the tree, by npm's semver. */
function scan(records) {
  const versions = new Map(places.map((place) => [place.slice(place.lastIndexOf('node_modules/') + 13), packages[place].version]))
  let found = 0
  for (const { affected } of records) {
    const version = versions.get(affected[0].package.name)
    if (version === undefined) continue
    const { introduced } = affected[0].ranges[0].events[0]
    const fixed = affected[0].ranges[0].events[1]?.fixed
    if (semver.satisfies(version, fixed ? `>=${introduced} <${fixed}` : '*')) found++
  }
  return found
}

function zip(records) {
  const parts = []
  const directory = []
  let offset = 0
  for (const record of records) {
    const name = Buffer.from(`${record.id}.json`)
    const data = Buffer.from(JSON.stringify(record))
    const packed = deflateRawSync(data, { level: 1 })
    const facts = Buffer.alloc(22)
    facts.writeUInt16LE(8, 0)
    facts.writeUInt32LE(crc32(data), 6)
    facts.writeUInt32LE(packed.length, 10)
    facts.writeUInt32LE(data.length, 14)
    facts.writeUInt16LE(name.length, 18)
    const local = Buffer.concat([Buffer.from('504b030414000000', 'hex'), facts, name, packed])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('504b0102140014000000', 'hex'), facts, place, name]))
    parts.push(local)
    offset += local.length
  }
  const list = Buffer.concat(directory)
  // More entries than 16 bits count need the larger form of the end.
  const large = Buffer.alloc(56)
  large.write('504b0606', 'hex')
  large.writeBigUInt64LE(44n, 4)
  large.writeUInt16LE(45, 12)
  large.writeUInt16LE(45, 14)
  large.writeBigUInt64LE(BigInt(records.length), 24)
  large.writeBigUInt64LE(BigInt(records.length), 32)
  large.writeBigUInt64LE(BigInt(list.length), 40)
  large.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.write('504b0607', 'hex')
  locator.writeBigUInt64LE(BigInt(offset + list.length), 8)
  locator.writeUInt32LE(1, 16)
  const end = Buffer.alloc(22, 0xff)
  end.write('504b0506', 'hex')
  end.writeUInt32LE(0, 4)
  end.writeUInt16LE(0, 20)
  return Buffer.concat([...parts, list, large, locator, end])
}

async function timed(work) {
  const began = performance.now()
  const value = await work()
  return { ms: performance.now() - began, value }
}

function median(values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1]
}
