// Adds up what the runners printed, and ends with one line that a machine reads.
import { readFileSync } from 'node:fs'

// oxlint-disable-next-line no-control-regex -- runners colour their last lines
const log = readFileSync(process.argv[2], 'utf8').replaceAll(/\u001B\[[0-9;]*m/g, '')
let passed = 0
let failed = 0
let skipped = 0
for (const match of log.matchAll(/^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
  passed += Number(match[1])
  failed += Number(match[2])
  skipped += Number(match[3])
}
process.stdout.write(`Rust: ${passed} passed, ${failed} failed, ${skipped} ignored\n`)
const vitest = /^\s*Tests\s+(.*)$/m.exec(log)?.[1] ?? ''
const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(vitest)?.[1] ?? 0)
process.stdout.write(`TypeScript: ${vitest.trim()}\n\n`)
passed += count('passed')
failed += count('failed')
skipped += count('skipped') + count('todo')
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
if (failed > 0 || passed === 0 || (process.env.AUTON8N_REQUIRE_ALL === '1' && skipped > 0)) process.exit(1)
