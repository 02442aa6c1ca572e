import { execFileSync } from 'node:child_process'
import manifest from '../../package.json' with { type: 'json' }
import { told, watchRun } from '../../scripts/leftovers.mjs'

/** Builds `dist/`, which is what the processes of tests run, once before all of them; then sees what they leave behind. */
export function setup(): () => Promise<void> {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  // Keys and stores of whoever runs the tests have no part in them.
  for (const name of Object.keys(manifest.agentConfig.pluginParameters)) delete process.env[name]
  const run = watchRun()
  Object.assign(process.env, run.env)
  return async () => {
    const left = told(await run.end())
    if (left === '') return
    process.stderr.write(`\n${left}`)
    process.exitCode = 1
  }
}
