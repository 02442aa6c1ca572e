import { updateAdvisories } from '../api/dependencies.js'
import { native } from '../native.js'
import { CommandError, DONE, parse, print, printJson, type Command } from './command.js'
import { factLines } from './facts.js'

const USAGE = `auton8n advisories [update [--from URL|FILE] [--sha256 HEX] [--to FILE]] [--json]

Says which advisories are on this machine, and of which day. 'update' fetches all of npm's from osv.dev and makes the
file that 'auton8n dependencies' and the checks of a creation look into.

  --from URL|FILE   another archive in OSV's form (npm/all.zip)
  --sha256 HEX      what the hash of that archive must be
  --to FILE         where the file is put`

/** Says which advisories are here, and fetches them. */
export const advisories: Command = {
  usage: USAGE,
  run: async (args) => {
    const known = { from: { type: 'string' }, sha256: { type: 'string' }, to: { type: 'string' } } as const
    const { values, positionals } = parse(args, known, USAGE, [0, 1])
    const [verb] = positionals
    if (verb === undefined) {
      if (values.from ?? values.sha256 ?? values.to) throw new CommandError(`These options are for 'update'.\n\n${USAGE}`)
      const here = JSON.parse(native().advisoriesHere()) as Record<string, Record<string, unknown>>
      if (values.json) printJson(here)
      else print(...factLines(here))
      return DONE
    }
    if (verb !== 'update' && verb !== 'fetch') throw new CommandError(`There is no 'advisories ${verb}'.\n\n${USAGE}`)
    if (values.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(values.sha256)) {
      throw new CommandError(`--sha256 is 64 hexadecimal digits.\n\n${USAGE}`)
    }
    const told = await updateAdvisories({
      ...(values.from === undefined ? {} : { from: values.from }),
      ...(values.sha256 === undefined ? {} : { sha256: values.sha256 }),
      ...(values.to === undefined ? {} : { to: values.to }),
    })
    if (values.json) printJson(told)
    else {
      const { header } = told
      print(
        `${header.advisories} advisories about ${header.packages} packages, as of ${header.date}, in ${told.path} ` +
          `(${Math.round(told.bytes / 1024)} KB).`,
      )
    }
    return DONE
  },
}
