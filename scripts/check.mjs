// Format, lint, types and drift of generated files: what must be clean before a commit lands.
import { run } from './run.mjs'

run('cargo', ['fmt', '--all', '--check'], { why: 'rustfmt' })
run('cargo', ['clippy', '--workspace', '--all-targets', '--quiet', '--', '-D', 'warnings'], { why: 'clippy' })
// A workspace of its own, which takes the scanner in by path: nothing else would tell that it lacks a dependency.
run('cargo', ['check', '--quiet', '--manifest-path', 'fuzz/Cargo.toml'], { why: 'the fuzz program' })
run('npx', ['oxlint', '--deny-warnings', 'plugin', 'scripts', 'bench', '__test__', 'harness'], { why: 'oxlint' })
run('npx', ['tsc', '-p', 'tsconfig.json', '--noEmit'], { why: 'types of the plugin and its tests' })
run('npx', ['tsc', '-p', 'harness/tsconfig.json'], { why: 'types of the boot harness' })

// What was built here must be what is committed: the loader and the types come from the bindings.
run('git', ['diff', '--exit-code', '--stat', '--', 'index.cjs', 'index.d.ts'], { why: 'generated files are those of the bindings' })
