// Sets up, then runs every test. What was left out for want of a real part is named by the tests.
import { run } from './run.mjs'

run('node', ['scripts/setup.mjs'])
run('cargo', ['test', '--workspace', '--no-default-features', '--quiet'], { why: 'Rust tests, with no napi in the tree' })
run('npx', ['vitest', 'run', ...process.argv.slice(2)], { why: 'TypeScript tests over the real addon' })
