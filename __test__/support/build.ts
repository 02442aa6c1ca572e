import { execFileSync } from 'node:child_process'

/** Builds `dist/`, which is what the processes of tests run, once before all of them. */
export function setup(): void {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
}
