// Sets up, then runs every test. What was left out for want of a real part is named by the tests.
import { spawnSync } from 'node:child_process'
import { told, watchRun } from './leftovers.mjs'
import { root, run } from './run.mjs'

run('node', ['scripts/setup.mjs'])
// The sandbox's tests need the tools that check a plugin: fetched here once, where they are not there yet.
spawnSync('node', ['dist/cli/main.js', 'doctor'], { cwd: root, stdio: 'inherit' })
const rust = watchRun()
run('cargo', ['test', '--workspace', '--no-default-features', '--quiet'], { env: rust.env, why: 'Rust tests, with no napi in the tree' })
const left = told(await rust.end())
if (left !== '') {
  process.stderr.write(left)
  process.exit(1)
}
// These are watched by their own set-up, however they are started.
run('npx', ['vitest', 'run', ...process.argv.slice(2)], { why: 'TypeScript tests over the real addon' })
