// Checksums as the formats define them, written from their definitions.
import { createHash } from 'node:crypto'
import { BASE58, BASE62, DIGITS, LOWER } from './random.mjs'

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value >>> 0
})

export function crc32(text) {
  let value = 0xffffffff
  for (const byte of Buffer.from(text)) value = (value >>> 8) ^ TABLE[(value ^ byte) & 255]
  return (value ^ 0xffffffff) >>> 0
}

export function inBase(value, alphabet, width) {
  let text = ''
  for (let rest = value; rest > 0 || text.length < width; rest = Math.floor(rest / alphabet.length))
    text = alphabet[rest % alphabet.length] + text
  return text
}

export const crcBase62 = (body) => inBase(crc32(body), BASE62, 6)
export const crcBase36 = (body) => inBase(crc32(body), DIGITS + LOWER, 7)
export const crcHex = (body) => crc32(body).toString(16).padStart(8, '0')
export const crcHexLittle = (body) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(crc32(body))
  return bytes.toString('hex')
}

/** OpenPGP's checksum of armoured data. */
export function crc24(bytes) {
  let value = 0xb704ce
  for (const byte of bytes) {
    value ^= byte << 16
    for (let bit = 0; bit < 8; bit++) {
      value <<= 1
      if (value & 0x1000000) value ^= 0x1864cfb
    }
  }
  return Buffer.from([(value >> 16) & 255, (value >> 8) & 255, value & 255])
}

export function base58(bytes) {
  let value = BigInt('0x' + (bytes.toString('hex') || '0'))
  let text = ''
  while (value > 0n) {
    text = BASE58[Number(value % 58n)] + text
    value /= 58n
  }
  for (const byte of bytes) {
    if (byte !== 0) break
    text = '1' + text
  }
  return text
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest()
export const base58Check = (bytes) => base58(Buffer.concat([bytes, sha256(sha256(bytes)).subarray(0, 4)]))

/** Bech32 (BIP-173) of bytes. */
export function bech32(prefix, bytes) {
  const CHARSET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  const words = []
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      words.push((held >> bits) & 31)
    }
    held &= (1 << bits) - 1
  }
  if (bits > 0) words.push((held << (5 - bits)) & 31)
  const step = (value, word) => {
    const top = value >>> 25
    let next = ((value & 0x1ffffff) << 5) ^ word
    ;[0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].forEach((generator, bit) => {
      if ((top >> bit) & 1) next ^= generator
    })
    return next >>> 0
  }
  const expanded = [...prefix].map((c) => c.charCodeAt(0) >> 5).concat(0, [...prefix].map((c) => c.charCodeAt(0) & 31))
  const check = [...expanded, ...words, 0, 0, 0, 0, 0, 0].reduce(step, 1) ^ 1
  const all = words.concat([5, 4, 3, 2, 1, 0].map((place) => (check >>> (5 * place)) & 31))
  return `${prefix}1${all.map((word) => CHARSET[word]).join('')}`
}
