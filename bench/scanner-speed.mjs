// Measures the scanner beside the peers that registries offer, on the same published code.
//
//   node bench/scanner-speed.mjs [--cache DIR] [--runs 5] [--megabytes 250] [--without NAME] [--only files|inner]
//
// --without leaves out a peer by its name and may be repeated; --only measures files beside peers, or only what
// runs in one process. Packages are fetched with npm, the peers with pip, cargo and npm, into the cache folder.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { corpus } from './scanner-speed/corpus.mjs'
import { measure } from './scanner-speed/measure.mjs'
import { peers } from './scanner-speed/peers.mjs'

const { values } = parseArgs({
  options: {
    cache: { type: 'string', default: join(tmpdir(), 'auton8n-scanner-speed') },
    runs: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '250' },
    without: { type: 'string', multiple: true, default: [] },
    only: { type: 'string' },
  },
})
const runs = Number(values.runs)
const crate = join(dirname(fileURLToPath(import.meta.url)), 'scanner-speed')

const trees = corpus(values.cache, Number(values.megabytes) * 1e6)
execFileSync('cargo', ['build', '--release', '--quiet'], { cwd: crate, stdio: ['ignore', 'ignore', 'inherit'] })
const ours = join(process.env.CARGO_TARGET_DIR ?? join(crate, 'target'), 'release/scanner-speed')

/** A folder with one small file. */
function folder(name, file, text) {
  const path = join(values.cache, name)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, file), text)
  return path
}

function files() {
  const tiny = folder('tiny', 'tiny.js', 'export const greeting = "hello"\n'.repeat(10))
  // In pieces, so that no scanner takes this program for a leak.
  const token = ['gh', 'p_', 'cUVnFoNZnUvwm5EkoW6RKyABUK7Uta2F5qx6'].join('')
  const planted = folder('planted', 'planted.js', `const token = "${token}"\n`)
  const all = [
    { name: 'ours', command: ours, args: (path) => ['files', path] },
    ...peers(join(values.cache, 'peers'), planted, values.without),
  ]
  const told = ({ bytes, files }) => `${(bytes / 1e6).toFixed(0)} MB in ${files.toLocaleString('en')} files`
  console.log(`${cpus()[0].model}; ${told(trees.large)} (*: ${told(trees.small)}); median of ${runs} fresh processes after one more`)
  console.log('\n| | 1 core: MB/s | MB per CPU s | 2 cores: MB/s | resident MB, 1 / 2 | start: ms | CPU ms | resident MB |')
  console.log('|---|---:|---:|---:|---:|---:|---:|---:|')
  for (const { name, slow, command, args } of all) {
    const { path, bytes } = slow ? trees.small : trees.large
    const one = measure(command, args(path, 1), 1, runs)
    const two = measure(command, args(path, 2), 2, runs)
    const start = measure(command, args(tiny, 1), 1, runs)
    const rate = (seconds) => (bytes / 1e6 / seconds).toFixed(1)
    const ms = (seconds) => (seconds * 1000).toFixed(1)
    console.log(
      `| ${name}${slow ? ' *' : ''} | ${rate(one.wall)} | ${rate(one.cpu)} | ${rate(two.wall)} | ` +
        `${one.resident.toFixed(0)} / ${two.resident.toFixed(0)} | ${ms(start.wall)} | ${ms(start.cpu)} | ${start.resident.toFixed(0)} |`,
    )
  }
}

function inner() {
  const show = (title, args) => {
    console.log(`\n${title}`)
    execFileSync(ours, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  }
  show('in memory, one thread:', ['memory', trees.large.path])
  show('the redactor on clean log lines (CPU time a line):', ['redact'])
  show('hostile input (CPU time):', ['hostile', '1'])
  show('one byte again and again, and long lines (CPU time):', ['lines', '100', '16'])
}

if (values.only !== 'inner') files()
if (values.only !== 'files') inner()
