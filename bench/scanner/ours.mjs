// The scanner of this repository, built alone.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('./', import.meta.url))
const program = `${here}target/release/scanner-bench`
const MEGABYTES = 2 ** 20

export function build() {
  execFileSync('cargo', ['build', '--release', '--quiet'], { cwd: here, stdio: 'inherit' })
}
export const words = () => execFileSync(program, ['words'], { encoding: 'utf8' }).trim().split('\n')
export const scan = (directory) => JSON.parse(execFileSync(program, ['scan', directory], { encoding: 'utf8', maxBuffer: 512 * MEGABYTES }))
