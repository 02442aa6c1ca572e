import { createServer, type AddressInfo } from 'node:net'

/** Linux gives 32768 and above to whoever asks for any port, and macOS and Windows 49152 and above. */
const [FIRST, COUNT] = [20_000, 12_000]

/**
 * A port that nobody listens on. It is none of those that the system hands out, so that nobody gets it by chance
 * between this answer and its use.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await isFree(port)) return port
  }
}

/** Whether one may listen there now. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const listens = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port === port))
  })
  if (listens) await new Promise(resolve => server.close(resolve))
  return listens
}
