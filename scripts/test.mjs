// Sets up, then runs every test. What was left out for want of a real part is named by the tests.
import { spawnSync } from 'node:child_process'
import { root, run } from './run.mjs'

run('node', ['scripts/setup.mjs'])
// The sandbox's tests need the tools that check a plugin: fetched here once, where they are not there yet.
spawnSync('node', ['dist/cli/main.js', 'doctor'], { cwd: root, stdio: 'inherit' })
run('cargo', ['test', '--workspace', '--no-default-features', '--quiet'], { why: 'Rust tests, with no napi in the tree' })
run('npx', ['vitest', 'run', ...process.argv.slice(2)], { why: 'TypeScript tests over the real addon' })
