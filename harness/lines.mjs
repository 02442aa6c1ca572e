// Newline-delimited JSON, bounded.

/**
 * Cuts a stream into lines. A line longer than the limit, or more bytes than the total, is a flood: nothing more is
 * read.
 * @param {import('node:net').Socket} socket
 * @param {{ line: number, total: number }} limits bytes
 * @param {(line: string) => void} onLine
 * @param {(why: string) => void} onFlood
 */
export function readLines(socket, limits, onLine, onFlood) {
  /** @type {Buffer[]} */
  let parts = []
  let held = 0
  let total = 0
  let done = false
  /** @param {string} why */
  const stop = (why) => {
    done = true
    parts = []
    socket.pause()
    onFlood(why)
  }
  socket.on('data', (/** @type {Buffer} */ chunk) => {
    if (done) return
    total += chunk.length
    if (total > limits.total) return stop(`more than ${limits.total} bytes were written to the channel`)
    let rest = chunk
    for (;;) {
      const end = rest.indexOf(10)
      const piece = end < 0 ? rest : rest.subarray(0, end)
      held += piece.length
      if (held > limits.line) return stop(`one message was longer than ${limits.line} bytes`)
      parts.push(piece)
      if (end < 0) return
      const line = Buffer.concat(parts).toString('utf8')
      parts = []
      held = 0
      onLine(line)
      if (done) return
      rest = rest.subarray(end + 1)
    }
  })
}
