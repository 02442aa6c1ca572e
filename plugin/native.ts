import { createRequire } from 'node:module'
import { Auton8nError } from './errors.js'

type Native = typeof import('#native')

const PLATFORMS = 'linux-x64-gnu, linux-arm64-gnu, linux-x64-musl, darwin-x64, darwin-arm64, win32-x64-msvc'

let loaded: Native | undefined

/** The addon, loaded at the first use, so that importing the package neither throws nor costs. */
export function native(): Native {
  if (loaded) return loaded
  try {
    loaded = createRequire(import.meta.url)('../index.cjs') as Native
    return loaded
  } catch (cause) {
    throw new Auton8nError(
      'AUTON8N_ADDON_MISSING',
      `The native addon for ${process.platform}-${process.arch} could not be loaded. There are builds for ${PLATFORMS}; ` +
        'reinstall without --omit=optional, or build it in a checkout with `npm run build`.',
      { cause },
    )
  }
}
