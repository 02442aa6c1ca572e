import type { Command } from './command.js'

/** Looks for secrets. What it needs is loaded when it is run. */
export const scan: Command = {
  usage: `auton8n scan PATH|--staged|--env [--format text|json|sarif] [--baseline FILE] [--rules FILE]

Looks for secrets in a file or a folder, in what is staged for a commit, or in the environment variables. The exit code
is 1 where some were found. All options: auton8n scan --help`,
  run: async (args) => {
    const path: string = './scan.js'
    const { scan: run } = (await import(path)) as { scan: (args: string[]) => Promise<number> }
    return await run(args)
  },
}
