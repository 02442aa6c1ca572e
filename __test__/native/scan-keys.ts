import { type KeyObject, generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Row, HEX, draw } from './scan-table.js'

/** The makers of the benchmark's corpus, for the formats that Node does not write. */
interface Makers {
  Random: new (seed: string) => object
  putty: (random: object, version: number) => string
  pgp: (random: object, wrong?: boolean) => string
  openssh: (random: object) => string
  dsa: (random: object) => string
  age: (random: object) => string
  wif: (random: object) => string
  extended: (random: object, version: string) => string
  ethereum: (random: object) => string
  solana: (random: object) => string
  solanaArray: (random: object) => string
}
const corpus = join(import.meta.dirname, '../../bench/scanner/corpus')
const load = (name: string): Promise<object> => import(pathToFileURL(join(corpus, name)).href) as Promise<object>
const make = { ...(await load('keys.mjs')), ...(await load('random.mjs')) } as Makers
const random = new make.Random('table')

const key = (of: string, rule: string, text: string, severity: Row['severity'] = 'critical'): Row => ({
  of,
  rule,
  text: `${text.trimEnd()}\n`,
  file: 'id.key',
  severity,
  secret: text.trimEnd(),
})
const named = (of: string, rule: string, name: string, secret: string): Row => ({
  of,
  rule,
  text: `export const ${name} = '${secret}'\n`,
  secret,
})
const pem = (private_: KeyObject, type: 'pkcs1' | 'sec1' | 'pkcs8'): string =>
  private_.export({ type: type as 'pkcs8', format: 'pem' }).toString()

/** The same key with one byte changed. */
function spoiled(text: string, from = 0.5): string {
  const lines = text.trimEnd().split('\n')
  const last = lines.length - 1
  const der = Buffer.from(lines.slice(1, last).join(''), 'base64')
  const at = Math.floor(der.length * from)
  der[at] = (der[at] ?? 0) ^ 0x5a
  const body = der.toString('base64').match(/.{1,64}/g) ?? []
  return [lines[0], ...body, lines[last]].join('\n')
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const curves = ['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1', 'brainpoolP256r1'].map((namedCurve) => ({
  namedCurve,
  key: generateKeyPairSync('ec', { namedCurve }).privateKey,
}))
const dsa = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey
const plain = [
  generateKeyPairSync('ed25519').privateKey,
  generateKeyPairSync('x25519').privateKey,
  generateKeyPairSync('ed448').privateKey,
]
const encrypted = rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: draw(HEX, 12) }).toString()
const account = (inner: string): string =>
  `${JSON.stringify({ type: 'service_account', project_id: 'acme', private_key_id: draw(HEX, 40), private_key: inner }, null, 2)}\n`
// The first words of the list in their order, and the word that makes their sum right.
const words = `${'abandon '.repeat(11)}about`
const phrase = 'legal winner thank year wave sausage worth useful legal winner thank yellow'

/** Phrases of 12 to 24 words, in parts, so that none stands in the repository. */
const PHRASES = [
  ['neither expect cherry ranch', 'clock patrol mechanic broccoli', 'alter monster adapt hollow'],
  ['cloud wrong section ride impact', 'region enough mention huge social', 'category doctor sand coin system'],
  ['torch online finger enlist dry bench', 'slice draw mirror later evil kite', 'degree injury safe maze curtain useful'],
  [
    'wise snap bamboo guide earn vessel dutch',
    'one simple fold system artefact balcony various',
    'salute canal sea swallow loyal escape improve',
  ],
  [
    'unveil chef total sword today clinic tube chapter',
    'struggle parent rib garden earn hat mistake fancy',
    'supply mimic effort carbon ignore cat problem meadow',
  ],
].map((parts) => parts.join(' '))

/** Private keys and wallets. */
export const KEYS: Row[] = [
  key('RSA', 'rsa-private-key', pem(rsa, 'pkcs1')),
  key('PKCS#8 of RSA', 'private-key', pem(rsa, 'pkcs8')),
  ...curves.flatMap((one) => [
    key(`EC ${one.namedCurve}`, 'ec-private-key', pem(one.key, 'sec1')),
    key(`PKCS#8 of EC ${one.namedCurve}`, 'private-key', pem(one.key, 'pkcs8')),
  ]),
  key('DSA', 'dsa-private-key', make.dsa(random)),
  key('PKCS#8 of DSA', 'private-key', pem(dsa, 'pkcs8')),
  ...plain.map((one) => key(`PKCS#8 of ${one.asymmetricKeyType ?? ''}`, 'private-key', pem(one, 'pkcs8'))),
  key('encrypted PKCS#8', 'encrypted-private-key', encrypted, 'medium'),
  key('OpenSSH', 'openssh-private-key', make.openssh(random)),
  key('OpenPGP', 'pgp-private-key', make.pgp(random)),
  ...[2, 3].map((version) => key(`PuTTY ${version}`, 'putty-private-key', make.putty(random, version))),
  { of: 'GCP service account', rule: 'private-key', text: account(pem(rsa, 'pkcs8')), file: 'a.json', severity: 'critical' },
  named('age', 'age-secret-key', 'identity', make.age(random)),
  named('Ethereum', 'ethereum-private-key', 'deployerPrivateKey', `0x7${draw(HEX, 63)}`),
  named('Solana', 'solana-keypair', 'value', make.solana(random)),
  { of: 'Solana', rule: 'solana-keypair', text: `${make.solanaArray(random)}\n`, file: 'id.json' },
  ...[0, 1, 2, 3].map(() => named('Bitcoin, import format', 'bitcoin-wif', 'value', make.wif(random))),
  ...['0488ade4', '049d7878', '04b2430c'].map((version) =>
    named('Bitcoin, extended', 'extended-private-key', 'value', make.extended(random, version)),
  ),
  ...PHRASES.flatMap((phrase) => [
    named(`BIP-39, ${phrase.split(' ').length} words`, 'mnemonic', 'seedPhrase', phrase),
    { of: 'BIP-39 on a line of its own', rule: 'mnemonic', text: `\n${phrase}\n`, file: 'wallet.txt', secret: phrase },
  ]),
]

const digit = (text: string): string => text.replace(/.(?=.{8}$)/, (one) => (one === '7' ? '8' : '7'))

/** Such as are none, or open nothing. */
export const NO_KEYS: Row[] = [
  named('age, wrong sum', 'age-secret-key', 'identity', make.age(random).replace(/.$/, (one) => (one === 'Q' ? 'P' : 'Q'))),
  ...[0, 1].map(() => named('Bitcoin, wrong sum', 'bitcoin-wif', 'value', digit(make.wif(random)))),
  named('Bitcoin, wrong sum', 'extended-private-key', 'value', digit(make.extended(random, '0488ade4'))),
  named('Solana signature', 'solana-keypair', 'signature', digit(make.solana(random))),
  { of: 'OpenPGP, wrong sum', rule: 'pgp-private-key', text: make.pgp(random, true), file: 'id.key' },
  ...PHRASES.map((phrase) => named('words whose sum is wrong', 'mnemonic', 'seedPhrase', phrase.replace(/^\w+/, 'zone'))),
  {
    of: 'English',
    rule: 'mnemonic',
    text: `${'the old man came home with a story for every child in the village and nobody ever asked '.repeat(2)}\n`,
    file: 'story.txt',
  },
  named('an example of the list of words', 'mnemonic', 'mnemonic', words),
  named('an example of the list of words', 'mnemonic', 'mnemonic', phrase),
]

/** Keys whose parts do not fit together: told, but not as what opens something. */
export const BROKEN: Row[] = [
  key('RSA', 'rsa-private-key', spoiled(pem(rsa, 'pkcs1'), 0.1), 'medium'),
  key('PKCS#8 of RSA', 'private-key', spoiled(pem(rsa, 'pkcs8'), 0.1), 'medium'),
  ...curves.slice(0, 4).flatMap((one) => [
    key(`EC ${one.namedCurve}`, 'ec-private-key', spoiled(pem(one.key, 'sec1'), 0.9), 'medium'),
    key(`PKCS#8 of EC ${one.namedCurve}`, 'private-key', spoiled(pem(one.key, 'pkcs8'), 0.9), 'medium'),
  ]),
  key('DSA', 'dsa-private-key', spoiled(make.dsa(random), 0.9), 'medium'),
  key('PKCS#8 of DSA', 'private-key', spoiled(pem(dsa, 'pkcs8'), 0.2), 'medium'),
  key('OpenSSH', 'openssh-private-key', spoiled(make.openssh(random), 0.6), 'medium'),
]
