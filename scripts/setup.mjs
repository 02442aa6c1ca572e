// Installs and builds what is missing, so that one command is enough in a fresh clone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './run.mjs'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 17)) {
  process.stderr.write(`Node 20.17 or newer is needed; this is ${process.versions.node}\n`)
  process.exit(1)
}
if (spawnSync('cargo', ['--version'], { shell: process.platform === 'win32' }).status !== 0) {
  process.stderr.write('Rust is needed to build the engine in a checkout: https://rustup.rs (an installed package needs none)\n')
  process.exit(1)
}

const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
const marker = join(root, 'node_modules', '.auton8n-lock')
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== lock) {
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { quiet: true, why: 'installing the development packages' })
  writeFileSync(marker, lock)
}

const profile = process.env.AUTON8N_BUILD_PROFILE === 'debug' ? 'build:addon:debug' : 'build:addon'
run('node', ['scripts/build-keeper.mjs'], { quiet: true, why: 'building the keeper, process 1 of a sandbox' })
run('npm', ['run', '--silent', profile], { quiet: true, why: 'building the engine (the first time takes minutes)' })
run('npm', ['run', '--silent', 'build:plugin'], { quiet: true, why: 'building the plugin' })
