// Builds the keeper, a static program that is process 1 of each sandbox, and puts it into the
// package root as `keeper.<platform>-<arch>`. It does nothing when that file is newer than its sources.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const triples = { x64: 'x86_64-unknown-linux-gnu', arm64: 'aarch64-unknown-linux-gnu' }
const triple = triples[process.arch]

if (process.platform !== 'linux' || !triple) {
  console.log(`keeper: not built on ${process.platform}-${process.arch}; sandboxes run Linux, so releases bring it along`)
  process.exit(0)
}

const product = join(root, `keeper.linux-${process.arch}`)
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const sources = [
  join(root, 'keeper', 'Cargo.toml'),
  ...readdirSync(join(root, 'keeper', 'src')).map((name) => join(root, 'keeper', 'src', name)),
]
if (changed(product) > Math.max(...sources.map(changed))) {
  console.log('keeper: up to date')
  process.exit(0)
}

const directory = join(root, 'target', 'keeper')
const build = ['build', '--quiet', '-p', 'keeper', '--release', '--target', triple, '--target-dir', directory]
// Static, so that it runs in an image of any C library. Naming the target keeps the flag away from build scripts.
const { status, error } = spawnSync('cargo', build, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, RUSTFLAGS: '-C target-feature=+crt-static' },
})
if (error || status !== 0) {
  console.error(`keeper: cargo ${build.join(' ')} ${error ? `could not be started: ${error.message}` : `ended with ${status}`}`)
  process.exit(1)
}
// Renamed into place: a keeper that is running cannot be written over.
copyFileSync(join(directory, triple, 'release', 'keeper'), `${product}.new`)
chmodSync(`${product}.new`, 0o755)
renameSync(`${product}.new`, product)
console.log(`keeper: built ${product}`)
