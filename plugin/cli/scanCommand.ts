import type { Command } from './command.js'
import { scan as run } from './scan.js'

/** Looks for secrets. It says itself how it is used. */
export const scan: Command = { run }
