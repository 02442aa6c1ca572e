import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds this package's `package.json`. */
export const packageRoot = fileURLToPath(new URL('../../', import.meta.url))

// A box is always Linux, whatever the host is.
const KEEPER = `keeper.linux-${process.arch}`

/**
 * The static program that is process 1 of a sandbox: beside the addon in a checkout, else in the package of the
 * platform. Where there is none the first path is answered, and the engine says what is missing.
 */
export function keeperPath(): string {
  const own = join(packageRoot, KEEPER)
  if (existsSync(own)) return own
  const { platform, arch } = process
  for (const suffix of platform === 'linux' ? ['-gnu', '-musl'] : platform === 'win32' ? ['-msvc'] : ['']) {
    try {
      const require = createRequire(import.meta.url)
      const manifest = require.resolve(`@elizaos/plugin-auton8n-${platform}-${arch}${suffix}/package.json`)
      const path = join(dirname(manifest), KEEPER)
      if (existsSync(path)) return path
    } catch {
      // That package is not installed here; the next one may be.
    }
  }
  return own
}

/** The Node that runs the engine; none under Bun, where the locked toolchain's serves. */
export function nodePath(): string | undefined {
  return process.versions.bun ? undefined : process.execPath
}
