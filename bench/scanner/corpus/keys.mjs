// Private keys and wallets, each mathematically valid, drawn from the seed.
import { checkPrimeSync, createCipheriv, createECDH, createHash, createHmac, createPrivateKey, pbkdf2Sync } from 'node:crypto'
import { base58, base58Check, bech32, crc24 } from './checksums.mjs'
import { HEX } from './random.mjs'

const wrap = (text, width) => text.match(new RegExp(`.{1,${width}}`, 'g')).join('\n')
export const pem = (label, der, headers = '') =>
  `-----BEGIN ${label}-----\n${headers}${wrap(der.toString('base64'), 64)}\n-----END ${label}-----`

function tlv(tag, body) {
  const length = body.length
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...head]), body])
}
const sequence = (...parts) => tlv(0x30, Buffer.concat(parts))
const octets = (bytes) => tlv(0x04, bytes)
function integer(value) {
  let hex = value.toString(16)
  if (hex.length % 2) hex = '0' + hex
  const bytes = Buffer.from(hex, 'hex')
  return tlv(0x02, bytes[0] & 128 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}
const big = (bytes) => BigInt('0x' + bytes.toString('hex'))
const oid = (hex) => Buffer.from(hex, 'hex')
const NULL = Buffer.from('0500', 'hex')

function prime(random, bits) {
  const bytes = random.bytes(bits / 8)
  bytes[0] |= 0xc0
  bytes[bytes.length - 1] |= 1
  let value = big(bytes)
  while (!checkPrimeSync(value) || (value - 1n) % 65537n === 0n) value += 2n
  return value
}
function inverse(a, m) {
  let [r0, r1, t0, t1] = [m, a % m, 0n, 1n]
  while (r1 > 0n) {
    const q = r0 / r1
    ;[r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1]
  }
  return t0 < 0n ? t0 + m : t0
}

/** PKCS#1; a few keys are made and then used again with other primes mixed, since primes are slow to find. */
const primes = new WeakMap()
function rsaDer(random) {
  let pool = primes.get(random)
  if (!pool) primes.set(random, (pool = Array.from({ length: 8 }, () => prime(random, 1024))))
  const [p, q] = random.shuffle(pool)
  const d = inverse(65537n, (p - 1n) * (q - 1n))
  return sequence(
    integer(0n), integer(p * q), integer(65537n), integer(d), integer(p), integer(q),
    integer(d % (p - 1n)), integer(d % (q - 1n)), integer(inverse(q, p)),
  )
}
export const rsa = (random) => pem('RSA PRIVATE KEY', rsaDer(random))

const P256 = '06082a8648ce3d030107'
function ecParts(random) {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(Buffer.concat([Buffer.from([1]), random.bytes(31)]))
  return [ecdh.getPrivateKey(), ecdh.getPublicKey()]
}
export function ec(random) {
  const [secret, open] = ecParts(random)
  const bits = tlv(0xa1, tlv(0x03, Buffer.concat([Buffer.from([0]), open])))
  return pem('EC PRIVATE KEY', sequence(integer(1n), octets(secret), tlv(0xa0, oid(P256)), bits))
}

function pkcs8Der(random) {
  const kind = random.below(3)
  if (kind === 0) return sequence(integer(0n), sequence(oid('06092a864886f70d010101'), NULL), octets(rsaDer(random)))
  if (kind === 1) return sequence(integer(0n), sequence(oid('06032b6570')), octets(octets(random.bytes(32))))
  const [secret, open] = ecParts(random)
  const inner = sequence(integer(1n), octets(secret), tlv(0xa1, tlv(0x03, Buffer.concat([Buffer.from([0]), open]))))
  return sequence(integer(0n), sequence(oid('06072a8648ce3d0201'), oid(P256)), octets(inner))
}
export const pkcs8 = (random) => pem('PRIVATE KEY', pkcs8Der(random))
export const rsaPkcs8 = (random) =>
  pem('PRIVATE KEY', sequence(integer(0n), sequence(oid('06092a864886f70d010101'), NULL), octets(rsaDer(random))))

export function encrypted(random) {
  const [salt, iv] = [random.bytes(8), random.bytes(16)]
  const key = pbkdf2Sync(random.text(HEX, 12), salt, 2048, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const data = Buffer.concat([cipher.update(pkcs8Der(random)), cipher.final()])
  const kdf = sequence(oid('06092a864886f70d01050c'), sequence(octets(salt), integer(2048n), sequence(oid('06082a864886f70d0209'), NULL)))
  const scheme = sequence(oid('060960864801650304012a'), octets(iv))
  const algorithm = sequence(oid('06092a864886f70d01050d'), sequence(kdf, scheme))
  return pem('ENCRYPTED PRIVATE KEY', sequence(algorithm, octets(data)))
}

/** What all keys of DSA share here: finding other ones takes seconds. */
const DSA = {
  modulus: BigInt(
  '0xfec31a8fd06b0402246cb012b7d9567355eb8ae6ec2424214e0a8cdc39ba3b644c62d8df3f50319bb30b5347f6498a7dc2' +
  '3a5b909e7080260ae9b98b1b5749813317f112c6665fa3021dde77d2abf5c6bee2aaaa820d39a77438ade0cf3dca30c27a9a' +
  '96a26e030ae1c8e40c2152aef9066e33d381705c8e42e88bd476c0ce41',
  ),
  order: BigInt('0xa69cd7d525384c7e775888aa3a483db14eaa0fcfe77e20e30a7faa2d'),
  base: BigInt(
  '0xb765bb59d202a4004f8bc48d7c0a056f324a791c69c39cef5ab68f49021de2f8a2bdd41eb6114a704ad7897274d962e4b0' +
  'ffb75343323a76a4bd8317cf043f4c8f672b4934398c9fdc72373c770f32907a8096b70d2b1d11996f2a61d54364f15ef304' +
  'bfeeaa150a2caed3d1840f068f1210c4e7cd0eead5ff6cd1830b58fa93',
  ),
}
function power(base, exponent, modulus) {
  let [result, square] = [1n, base % modulus]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
export function dsa(random) {
  const { modulus, order, base } = DSA
  const secret = 1n + (big(random.bytes(32)) % (order - 1n))
  const numbers = [0n, modulus, order, base, power(base, secret, modulus), secret]
  return pem('DSA PRIVATE KEY', sequence(...numbers.map(integer)))
}

export function ed25519(random) {
  const seed = random.bytes(32)
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]), format: 'der', type: 'pkcs8' })
  return [seed, Buffer.from(key.export({ format: 'jwk' }).x, 'base64url')]
}

const field = (data) => {
  const bytes = Buffer.from(data)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
export function openssh(random) {
  const [seed, open] = ed25519(random)
  const blob = Buffer.concat([field('ssh-ed25519'), field(open)])
  const check = random.bytes(4)
  let inner = Buffer.concat([check, check, field('ssh-ed25519'), field(open), field(Buffer.concat([seed, open])), field('deploy@build')])
  for (let pad = 1; inner.length % 8; pad++) inner = Buffer.concat([inner, Buffer.from([pad])])
  const one = Buffer.from([0, 0, 0, 1])
  const all = Buffer.concat([Buffer.from('openssh-key-v1\0'), field('none'), field('none'), field(''), one, field(blob), field(inner)])
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${wrap(all.toString('base64'), 70)}\n-----END OPENSSH PRIVATE KEY-----`
}

export function putty(random, version = random.pick([2, 3])) {
  const [seed, open] = ed25519(random)
  const blob = Buffer.concat([field('ssh-ed25519'), field(open)])
  const hidden = field(seed)
  const signed = Buffer.concat([field('ssh-ed25519'), field('none'), field('deploy-key'), field(blob), field(hidden)])
  const mac =
    version === 3
      ? createHmac('sha256', '').update(signed).digest('hex')
      : createHmac('sha1', createHash('sha1').update('putty-private-key-file-mac-key').digest()).update(signed).digest('hex')
  const lines = (bytes) => {
    const text = wrap(bytes.toString('base64'), 64)
    return `${text.split('\n').length}\n${text}`
  }
  return (
    `PuTTY-User-Key-File-${version}: ssh-ed25519\nEncryption: none\nComment: deploy-key\n` +
    `Public-Lines: ${lines(blob)}\nPrivate-Lines: ${lines(hidden)}\nPrivate-MAC: ${mac}`
  )
}

export function pgp(random, wrong = false) {
  const [seed, open] = ed25519(random)
  const mpi = (bytes) => {
    let value = bytes
    while (value[0] === 0) value = value.subarray(1)
    const bits = (value.length - 1) * 8 + (32 - Math.clz32(value[0]))
    return Buffer.concat([Buffer.from([bits >> 8, bits & 255]), value])
  }
  const secret = mpi(seed)
  const sum = secret.reduce((all, byte) => (all + byte) & 0xffff, 0)
  const body = Buffer.concat([
    Buffer.from([4]), random.bytes(4), Buffer.from([22, 9]), Buffer.from('2b06010401da470f01', 'hex'),
    mpi(Buffer.concat([Buffer.from([0x40]), open])), Buffer.from([0]), secret, Buffer.from([sum >> 8, sum & 255]),
  ])
  const user = Buffer.from('Build Bot <bot@acme.io>')
  const all = Buffer.concat([Buffer.from([0x94 + 0, body.length]), body, Buffer.from([0xb4, user.length]), user])
  const check = crc24(all)
  if (wrong) check[1] ^= 1
  const version = random.chance(0.3) ? 'Version: GnuPG v2\n' : ''
  return (
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n${version}\n${wrap(all.toString('base64'), 64)}\n` +
    `=${check.toString('base64')}\n-----END PGP PRIVATE KEY BLOCK-----`
  )
}

export const age = (random) => bech32('age-secret-key-', random.bytes(32)).toUpperCase()

// Wallets.
const scalar = (random) => Buffer.concat([Buffer.from([random.between(1, 254)]), random.bytes(31)])
export function wif(random) {
  const short = random.chance(0.6) ? Buffer.from([1]) : Buffer.alloc(0)
  return base58Check(Buffer.concat([Buffer.from([0x80]), scalar(random), short]))
}
export function extended(random, version = random.pick(['0488ade4', '049d7878', '04b2430c'])) {
  const head = Buffer.concat([Buffer.from(version, 'hex'), Buffer.from([random.between(0, 5)]), random.bytes(8)])
  return base58Check(Buffer.concat([head, random.bytes(32), Buffer.from([0]), scalar(random)]))
}
export const extendedPublic = (random) =>
  base58Check(Buffer.concat([Buffer.from('0488b21e', 'hex'), random.bytes(41), Buffer.from([2]), random.bytes(32)]))
export const ethereum = (random) => (random.chance(0.7) ? '0x' : '') + scalar(random).toString('hex')
export function solana(random) {
  for (;;) {
    const text = base58(Buffer.concat(ed25519(random)))
    if (text.length >= 87) return text
  }
}
export function solanaArray(random) {
  return `[${[...Buffer.concat(ed25519(random))].join(random.chance(0.7) ? ',' : ', ')}]`
}
export function mnemonic(random, words, count = random.pick([12, 12, 15, 18, 21, 24])) {
  const bytes = random.bytes((count * 4) / 3)
  const hash = createHash('sha256').update(bytes).digest()
  const bits = [...bytes, ...hash].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from({ length: count }, (_, i) => words[parseInt(bits.slice(i * 11, i * 11 + 11), 2)]).join(' ')
}
