// Format, lint, types and drift of generated files: what must be clean before a commit lands.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './run.mjs'

run('cargo', ['fmt', '--all', '--check'], { why: 'rustfmt' })
run('cargo', ['clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'], { why: 'clippy' })
run('npx', ['oxlint', '--deny-warnings', 'plugin', 'scripts', 'bench', '__test__', 'harness'], { why: 'oxlint' })
run('npx', ['tsc', '-p', 'tsconfig.json', '--noEmit'], { why: 'types of the plugin and its tests' })
run('npx', ['tsc', '-p', 'harness/tsconfig.json'], { why: 'types of the boot harness' })

const generated = ['index.cjs', 'index.d.ts']
const before = generated.map((name) => readFileSync(join(root, name), 'utf8'))
const profile = process.env.AUTON8N_BUILD_PROFILE === 'debug' ? 'build:addon:debug' : 'build:addon'
run('npm', ['run', '--silent', profile], { quiet: true, why: 'generated files' })
const drifted = generated.filter((name, index) => readFileSync(join(root, name), 'utf8') !== before[index])
if (drifted.length > 0) {
  process.stderr.write(`${drifted.join(' and ')} differ from what the bindings generate; commit the new ones\n`)
  process.exit(1)
}
