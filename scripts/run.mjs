import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Runs a command in the checkout and ends this process with its exit code where it fails. */
export function run(command, args, { quiet = false, env = {}, why } = {}) {
  const started = Date.now()
  if (why) process.stdout.write(`> ${why}\n`)
  const ended = spawnSync(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    shell: process.platform === 'win32',
    maxBuffer: 1 << 28,
  })
  if (ended.error) {
    process.stderr.write(`${command} could not be started: ${ended.error.message}\n`)
    process.exit(1)
  }
  if (ended.status !== 0) {
    if (quiet) process.stderr.write(`${ended.stdout}\n${ended.stderr}\n`)
    process.stderr.write(`${command} ${args.join(' ')} ended with ${ended.status ?? ended.signal}\n`)
    process.exit(ended.status ?? 1)
  }
  if (why) process.stdout.write(`  ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
}
