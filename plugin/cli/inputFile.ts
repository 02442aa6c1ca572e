import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Longer ones are something else. */
const LONGEST = 64 * 1024 * 1024

/** The text of a file that an option names; a pipe, a device or a huge file is refused before it is read. */
export async function inputFile(path: string): Promise<string> {
  // A pipe in the file's place would be waited for.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Error('it is no file')
    if (found.size > LONGEST) throw new Error(`it has more than ${LONGEST / 1024 / 1024} MB`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
