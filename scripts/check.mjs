// Format, lint, types and drift of generated files: what must be clean before a commit lands.
import { run } from './run.mjs'

run('cargo', ['fmt', '--all', '--check'], { why: 'rustfmt' })
run('cargo', ['clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'], { why: 'clippy' })
run('npx', ['oxlint', '--deny-warnings', 'plugin', 'scripts', 'bench', '__test__', 'harness'], { why: 'oxlint' })
run('npx', ['tsc', '-p', 'tsconfig.json', '--noEmit'], { why: 'types of the plugin and its tests' })
run('npx', ['tsc', '-p', 'harness/tsconfig.json'], { why: 'types of the boot harness' })

// What was built here must be what is committed: the loader and the types come from the bindings.
run('git', ['diff', '--exit-code', '--stat', '--', 'index.cjs', 'index.d.ts'], { why: 'generated files are those of the bindings' })
