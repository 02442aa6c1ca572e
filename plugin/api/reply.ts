import { Auton8nError, nativeCallSync } from '../errors.js'
import { native } from '../native.js'

/** Files in the reply format that the prompts ask for, so that a scripted model can answer. */
export function formatReply(files: Record<string, string>): string {
  const good =
    typeof files === 'object' &&
    files !== null &&
    !Array.isArray(files) &&
    Object.values(files).every((text) => typeof text === 'string')
  if (!good) {
    throw new Auton8nError('AUTON8N_OPTION_INVALID', 'formatReply takes an object of paths and texts: { "src/index.ts": "…" }.')
  }
  return nativeCallSync(() => native().formatReply({ ...files }))
}
