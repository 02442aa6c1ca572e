/** A GitHub token with the right checksum, made here so that none stands in the repository. */
export function checksum(body: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let crc = 0xffffffff
  for (const byte of Buffer.from(body)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  let value = (crc ^ 0xffffffff) >>> 0
  let text = ''
  for (let place = 0; place < 6; place++) {
    text = `${alphabet[value % 62]}${text}`
    value = Math.floor(value / 62)
  }
  return `${['gh', 'p_'].join('')}${body}${text}`
}
