// What looks like a secret and is none.
import { createHash } from 'node:crypto'
import { base58, base58Check } from './checksums.mjs'
import { BASE58, BASE62, BASE64, DIGITS, HEX, LOWER, UPPER, URL64 } from './random.mjs'
import { extendedPublic, wif, extended, mnemonic, age, pgp, putty } from './keys.mjs'
import { KINDS, jwt } from './tokens.mjs'

const make = (kind, r) => KINDS.find((one) => one.kind === kind).make(r)
/** Another last character: the checksum is wrong. */
const spoiled = (r, text, alphabet) => {
  for (;;) {
    const last = r.text(alphabet, 1)
    if (last !== text.at(-1)) return text.slice(0, -1) + last
  }
}
const uuid = (r) => [r.text(HEX, 8), r.text(HEX, 4), '4' + r.text(HEX, 3), r.pick(['8', '9', 'a', 'b']) + r.text(HEX, 3), r.text(HEX, 12)].join('-')
const b64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const PROSE = 'a long time ago there was a house near the river where people used to sit and talk about the weather until the old man came home with a story for every child in the village and nobody ever asked him how much of it was true because the answer would have spoiled the evening'.split(' ')

export const NEGATIVES = {
  'git-sha': ['commit sha revision ref', (r) => r.text(HEX, 40)],
  sha256: ['sha256 digest checksum hash', (r) => r.text(HEX, 64)],
  md5: ['md5 etag hash', (r) => r.text(HEX, 32)],
  'image-digest': ['image digest', (r) => `ghcr.io/acme/app@sha256:${r.text(HEX, 64)}`],
  integrity: ['integrity', (r) => `sha512-${r.bytes(64).toString('base64')}`],
  uuid: ['id requestId trace_id tenant', uuid],
  'uuid-token-id': ['token_id tokenId secret_id key_id', uuid],
  'client-id': ['client_id clientId', (r) => `${r.text(DIGITS, 12)}-${r.text(LOWER + DIGITS, 32)}.apps.googleusercontent.com`],
  'wrong-github': ['GITHUB_TOKEN token', (r) => spoiled(r, make('github-pat', r), BASE62)],
  'wrong-npm': ['NPM_TOKEN token', (r) => spoiled(r, make('npm', r), BASE62)],
  'wrong-gitlab': ['GITLAB_TOKEN token', (r) => spoiled(r, make('gitlab-routable', r), DIGITS + LOWER)],
  'wrong-grafana': ['GRAFANA_TOKEN token', (r) => spoiled(r, make('grafana', r), HEX)],
  'wrong-cloudflare': ['CF_TOKEN token', (r) => spoiled(r, make('cloudflare', r), HEX)],
  'wrong-atlassian': ['JIRA_TOKEN token', (r) => spoiled(r, make('atlassian', r), '0123456789ABCDEF')],
  'wrong-wif': ['WIF wallet key', (r) => spoiled(r, wif(r), BASE58)],
  'wrong-xprv': ['xprv wallet', (r) => spoiled(r, extended(r), BASE58)],
  'wrong-age': ['AGE_KEY age', (r) => spoiled(r, age(r), 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')],
  'wrong-pgp': ['pgp_key', (r) => pgp(r, true).replaceAll('\n', '\\n')],
  'wrong-putty': ['ssh_key', (r) => spoiled(r, putty(r), HEX).replaceAll('\n', '\\n')],
  'wrong-github-app': ['GITHUB_TOKEN token', (r) => `gh${'s_'}${r.text('123456789', 7)}_eyJ${r.text(URL64, 61)}.eyJ${r.text(URL64, 90)}.${r.text(BASE62, 342)}`],
  'hex-text': ['body raw', (r) => Buffer.from(Array.from({ length: 12 }, () => r.pick(PROSE)).join(' ')).toString('hex')],
  'wrong-mnemonic': ['mnemonic seed', (r, words) => {
    for (;;) {
      const list = mnemonic(r, words, 12).split(' ')
      list[11] = r.pick(words)
      const bits = list.map((word) => words.indexOf(word).toString(2).padStart(11, '0')).join('')
      const bytes = Buffer.from(bits.slice(0, 128).match(/.{8}/g).map((byte) => parseInt(byte, 2)))
      if (createHash('sha256').update(bytes).digest()[0] >> 4 !== parseInt(bits.slice(128), 2)) return list.join(' ')
    }
  }],
  'wrong-confluent': ['CONFLUENT_SECRET', (r) => spoiled(r, make('confluent', r), BASE62)],
  'list-words': ['words text', (r) => Array.from({ length: r.between(14, 30) }, () => r.pick(PROSE)).join(' ')],
  'solana-signature': ['signature txSignature', (r) => base58(r.bytes(64))],
  'solana-address': ['mint owner programId', (r) => base58(r.bytes(32))],
  'byte-array': ['bytes data', (r) => `[${[...r.bytes(64)].join(',')}]`],
  'ethereum-address': ['address contract owner', (r) => '0x' + r.text(HEX, 40)],
  'transaction-hash': ['txHash transactionHash blockHash', (r) => '0x' + r.text(HEX, 64)],
  'bitcoin-address': ['address wallet_address', (r) => base58Check(Buffer.concat([Buffer.from([0]), r.bytes(20)]))],
  xpub: ['xpub publicKey', extendedPublic],
  'stripe-publishable': ['STRIPE_PUBLISHABLE_KEY publishableKey', (r) => 'pk' + '_live_51' + r.text(BASE62, 97)],
  'twilio-account': ['TWILIO_ACCOUNT_SID accountSid', (r) => 'AC' + r.text(HEX, 32)],
  'anon-jwt': ['SUPABASE_ANON_KEY anonKey', (r) => jwt(r, { iss: 'supabase', role: 'anon', iat: 1790000000, exp: 2105000000 }, 'HS256')],
  'documented-jwt': ['token jwt', () => [b64url({ alg: 'HS256', typ: 'JWT' }), b64url({ sub: '1234567890', name: 'John Doe', iat: 1516239022 }), 'SflKxwRJSMeKKF2QT4' + 'fwpMeJf36POk6yJV_adQssw5c'].join('.')],
  'broken-jwt': ['token', (r) => `eyJ${r.text(URL64, 33)}.eyJ${r.text(URL64, 61)}.`],
  'aws-example': ['AWS_ACCESS_KEY_ID', () => 'AKIAIOSF' + 'ODNN7EXAMPLE'],
  'aws-secret-example': ['AWS_SECRET_ACCESS_KEY', () => 'wJalrXUtnFEMI/K7MDENG/' + 'bPxRfiCYEXAMPLEKEY'],
  'aws-arn': ['role_arn secretArn', (r) => `arn:aws:secretsmanager:eu-west-1:${r.text(DIGITS, 12)}:secret:prod/db-${r.text(BASE62, 6)}`],
  'x-token': ['OPENAI_API_KEY token', () => 'sk-' + 'x'.repeat(48)],
  'slack-placeholder': ['SLACK_TOKEN', () => 'xoxb' + '-000000000000-000000000000-' + 'x'.repeat(24)],
  'your-key': ['API_KEY api_key secret token', (r) => r.pick(['your-api-key-here', 'YOUR_API_KEY', '<your-token>', 'changeme', 'replace-me-with-a-real-key', 'xxxxxxxxxxxxxxxxxxxx', 'REDACTED', '********', 'insert_token_here', 'TODO', 'dummy-key-123456', 'my-secret-token'])],
  variable: ['API_KEY password DB_PASSWORD token', (r) => r.pick(['${API_KEY}', '$DB_PASSWORD', '{{ secrets.TOKEN }}', '${{ secrets.NPM_TOKEN }}', '%DB_PASS%', '<%= ENV["TOKEN"] %>', '#{token}'])],
  'password-placeholder': ['password DB_PASSWORD', (r) => r.pick(['password', 'changeme', 'your_password', '<password>', 'secret', '********', 'example', 'test', 'P@ssw0rd-placeholder'])],
  'uri-placeholder': ['DATABASE_URL url', (r) => r.pick(['postgres://user:password@localhost:5432/db', 'mongodb://<user>:<password>@host/db', 'mysql://root:${DB_PASS}@db/app', 'amqp://guest:guest@localhost', 'redis://user:pass@host:6379', 'postgres://{user}:{pass}@{host}/db', 'https://username:password@example.com/'])],
  'uri-bare': ['DATABASE_URL url', (r) => r.pick(['postgres://db.acme.io:5432/orders', 'redis://cache.acme.io:6379/0', 'https://acme.io:8443/a@b/c', 'mongodb+srv://cluster0.ab1cd.mongodb.net/app'])],
  'basic-placeholder': ['Authorization', () => `Basic ${Buffer.from('user:pass').toString('base64')}`],
  'bearer-placeholder': ['Authorization', (r) => r.pick(['Bearer ${token}', 'Bearer <token>', 'Bearer YOUR_ACCESS_TOKEN', 'Bearer your_access_token_here'])],
  'data-url': ['icon src', (r) => `data:image/png;base64,${r.bytes(90).toString('base64')}`],
  'base64-text': ['content body', (r) => Buffer.from(Array.from({ length: 20 }, () => r.pick(PROSE)).join(' ')).toString('base64')],
  'public-key': ['publicKey sshKey', (r) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${r.text(BASE64, 43)}`],
  nonce: ['nonce csrf', (r) => r.text(BASE62, 24)],
  version: ['version', (r) => `${r.below(20)}.${r.below(20)}.${r.below(90)}-beta.${r.text(HEX, 7)}`],
  path: ['secretPath tokenFile key_path', (r) => `/etc/acme/${r.pick(['tls', 'keys'])}/service-${r.text(DIGITS, 3)}/server.key`],
  'camel-name': ['secretName tokenName label', (r) => r.pick(['getUserPermissionsByOrganizationId', 'keyboardShortcutsHelpDialog2', 'orders-service-token-v2', 'production/database/credentials'])],
  slug: ['slug', (r) => `${r.pick(PROSE)}-${r.pick(PROSE)}-${r.pick(PROSE)}-${r.text(DIGITS, 6)}`],
  'ipfs-hash': ['cid ipfs', (r) => 'Qm' + r.text(BASE58, 44)],
  alphabet: ['alphabet chars', () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'],
  'object-id': ['_id objectId', (r) => r.text(HEX, 24)],
  'sentry-dsn': ['SENTRY_DSN dsn', (r) => `https://${r.text(HEX, 32)}@o${r.text('123456789', 6)}.ingest.sentry.io/${r.text('123456789', 7)}`],
  trace: ['traceparent', (r) => `00-${r.text(HEX, 32)}-${r.text(HEX, 16)}-01`],
  ulid: ['eventId cursor', (r) => '01J' + r.text('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 23)],
  'key-name': ['key keyName', (r) => r.pick(['ArrowDown', 'user.settings.theme', 'orders:by-customer:2026', 'x-request-id', UPPER.slice(0, 12)])],
}
export const NEGATIVE_KINDS = Object.entries(NEGATIVES).map(([kind, [names, make]]) => ({ kind, names: names.split(' '), make }))
