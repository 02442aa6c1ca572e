import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * Every kind of secret that the scanner promises, in the formats of 2026: a value that is one, and one that only looks
 * like it. Prefixes are written in pieces, so that no scanner takes this file for a leak.
 */

export const DIGITS = '0123456789'
export const HEX = `${DIGITS}abcdef`
export const LOWER = 'abcdefghijklmnopqrstuvwxyz'
export const UPPER = LOWER.toUpperCase()
export const BASE62 = DIGITS + UPPER + LOWER
export const BASE32 = `${UPPER}234567`
export const BASE64 = `${UPPER}${LOWER}${DIGITS}+/`
export const URL64 = `${BASE62}_-`

let drawn = 0
/** Characters of an alphabet, the same in every run; first and last are letters or digits. */
export function draw(alphabet: string, length: number): string {
  let text = ''
  while (text.length < length) {
    const ends = text.length === 0 || text.length === length - 1
    const from = ends ? [...alphabet].filter((one) => /[0-9A-Za-z]/.test(one)).join('') : alphabet
    const hash = createHash('sha256').update(`table ${(drawn += 1)}`).digest()
    text += from[hash.readUInt32LE(0) % from.length] ?? ''
  }
  return text
}
const bytes = (count: number): Buffer => Buffer.from(draw(HEX, count * 2), 'hex')
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function inBase(value: number, alphabet: string, width: number): string {
  let text = ''
  for (let rest = value; text.length < width; rest = Math.floor(rest / alphabet.length)) {
    text = `${alphabet[rest % alphabet.length] ?? ''}${text}`
  }
  return text
}
const hex8 = (value: number): string => value.toString(16).padStart(8, '0')
const swapped = (value: number): string => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer.toString('hex')
}
/** The same text with another last character. */
const spoiled = (text: string): string => `${text.slice(0, -1)}${text.endsWith('a') ? 'b' : 'a'}`

export function jwt(payload: object): string {
  const head = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(payload)}`
  return `${head}.${createHmac('sha256', 'k').update(head).digest('base64url')}`
}
const github = (prefix: string, length = 30): string => {
  const body = draw(BASE62, length)
  return `${prefix}${body}${inBase(crc32(body), BASE62, 6)}`
}
function macaroon(host: string): Buffer {
  const field = (kind: number, data: string | Buffer): Buffer => {
    const content = Buffer.from(data)
    return Buffer.concat([Buffer.from([kind, content.length]), content])
  }
  const end = Buffer.from([0])
  return Buffer.concat([
    Buffer.from([2]),
    field(1, host),
    field(2, 'b6a0f0d2-3f38-4a55-9b0e-7a3f1c9d2e61'),
    end,
    field(2, '[0, 1890000000, 1790000000]'),
    end,
    field(2, JSON.stringify({ version: 1, permissions: 'user' })),
    end,
    end,
    field(6, bytes(32)),
  ])
}

/** What the scanner is to say of one text. */
export interface Row {
  /** The row of the table. */
  of: string
  rule: string
  text: string
  /** The name of the file; a source file where nothing is said. */
  file?: string
  /** The part of the text that is the secret, where it is not what stands between the quotes. */
  secret?: string
  severity?: 'low' | 'medium' | 'high' | 'critical'
}
const quoted = (of: string, rule: string, value: string, name = 'value'): Row => ({
  of,
  rule,
  text: `export const ${name} = '${value}'\n`,
  secret: value,
})

function routable(payload: string, version: string): string {
  const head = `gl${'pat-'}${payload}.${version}${inBase(payload.length, DIGITS + LOWER, 2)}`
  return `${head}${inBase(crc32(head), DIGITS + LOWER, 7)}`
}

const id = (): string => [8, 4, 4, 4, 12].map((count) => draw(HEX, count)).join('-')

const cloudflare = (prefix: string): string => {
  const body = draw(BASE62, 40)
  return `${prefix}${body}${hex8(crc32(body))}`
}
const atlassian = (): string => {
  const body = `ATATT3x${'FfGF0'}${draw(URL64, 170)}=`
  return `${body}${hex8(crc32(body)).toUpperCase()}`
}
const grafana = (): string => {
  const body = `gl${'sa_'}${draw(BASE62, 32)}`
  return `${body}_${swapped(crc32(body))}`
}
const confluent = (): string => {
  const body = `cf${'lt'}${draw(BASE62, 54)}`
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(body))
  return `${body}${check.toString('base64').slice(0, 6)}`
}
const zuplo = (): string => {
  const body = draw(BASE62, 32)
  return `zp${'ka_'}${body}_${hex8(crc32(body))}`
}

const session = { sub: 'u-401', iss: 'https://id.acme.io', iat: 1790000000, exp: 4102444800 }
const password = `h7Q${'!z92kVm'}`

/** What is a secret. */
export const SECRETS: Row[] = [
  ...['AK', 'AS', 'AB'].map((start) => quoted('AWS key id', 'aws-access-key-id', `${start}IA${draw(BASE32, 16)}`)),
  quoted('AWS key id', 'aws-access-key-id', `AC${'CA'}${draw(BASE32, 16)}`),
  quoted('AWS secret', 'aws-secret-access-key', `q7Zt4Rk9${draw(BASE64, 32)}`, 'awsSecretAccessKey'),
  quoted('AWS session', 'aws-session-token', `IQoJb3Jp${'Z2lu'}${draw(BASE64, 600)}`),
  quoted('AWS Bedrock', 'aws-bedrock-api-key', `AB${'SK'}${draw(BASE64, 128)}`),
  quoted('AWS Bedrock', 'aws-bedrock-short-key', `bedrock-api-${'key-'}${draw(BASE64, 400)}`),
  { ...quoted('Google API key', 'google-api-key', `AI${'zaSyC'}${draw(URL64, 32)}`), severity: 'medium' },
  quoted('Gemini', 'google-gemini-key', `AQ.${'Ab8RN6'}${draw(URL64, 44)}`),
  quoted('Google OAuth secret', 'google-oauth-secret', `GOC${'SPX-'}${draw(URL64, 28)}`),
  quoted('Azure storage', 'azure-account-key', `${draw(BASE64, 76)}+ASt${draw(BASE64, 6)}==`, 'azureStorageKey'),
  {
    of: 'Azure storage',
    rule: 'azure-account-key',
    text: `AccountName=acme;AccountKey=${draw(BASE64, 86)}==;EndpointSuffix=core.windows.net\n`,
    file: '.env',
  },
  {
    of: 'Azure Service Bus',
    rule: 'azure-account-key',
    text: `Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=x;SharedAccessKey=${draw(BASE64, 43)}=\n`,
    file: 'a.ini',
  },
  quoted('Azure, common format', 'azure-annotated-key', `${draw(BASE62, 52)}JQQ${'J99'}BC${draw(BASE62, 16)}X${draw(BASE62, 7)}`),
  quoted('Entra client secret', 'entra-client-secret', `${draw(BASE62, 3)}8Q${'~'}${draw(`${BASE62}_~.-`, 34)}`),
  ...['p_', 'o_', 'u_', 's_'].map((kind) => quoted('GitHub', 'github-token', github(`gh${kind}`))),
  quoted('GitHub', 'github-refresh-token', github(`gh${'r_'}`, 70)),
  quoted('GitHub', 'github-fine-grained-token', `github_${'pat_'}${draw(BASE62, 22)}_${draw(BASE62, 59)}`),
  quoted('GitHub App', 'github-app-token', `gh${'s_'}1234567_${jwt(session)}`),
  ...['pat', 'dt', 'rt', 'cbt', 'ptt', 'ft', 'soat', 'agent', 'oas'].map((kind) =>
    quoted('GitLab', 'gitlab-token', `gl${kind}-${draw(URL64, 20)}`),
  ),
  quoted('GitLab, routable', 'gitlab-routable-token', routable(draw(URL64, 40), '01.')),
  quoted('GitLab, routable', 'gitlab-routable-token', routable(draw(URL64, 27), '')),
  ...['api03-', 'admin01-'].map((kind) => quoted('Anthropic', 'anthropic-api-key', `sk-ant-${kind}${draw(URL64, 93)}AA`)),
  quoted('Anthropic', 'anthropic-oauth-token', `sk-ant-${'oat01-'}${draw(URL64, 93)}AA`),
  quoted('OpenAI', 'openai-api-key', `sk${'-'}${draw(BASE62, 20)}T3Blbk${'FJ'}${draw(BASE62, 20)}`),
  ...['proj-', 'svcacct-', 'admin-'].flatMap((kind) =>
    [20, 58, 74].map((length) =>
      quoted('OpenAI', 'openai-project-key', `sk-${kind}${draw(URL64, length)}T3Blbk${'FJ'}${draw(URL64, length)}`),
    ),
  ),
  quoted('OpenRouter', 'openrouter-api-key', `sk-or-${'v1-'}${draw(HEX, 64)}`),
  quoted('Groq', 'groq-api-key', `gs${'k_'}${draw(BASE62, 52)}`),
  quoted('xAI', 'xai-api-key', `xa${'i-'}${draw(BASE62, 80)}`),
  quoted('Perplexity', 'perplexity-api-key', `pp${'lx-'}${draw(BASE62, 48)}`),
  quoted('Replicate', 'replicate-api-token', `r${'8_'}${draw(BASE62, 37)}`),
  quoted('Hugging Face', 'huggingface-token', `h${'f_'}${draw(UPPER + LOWER, 34)}`),
  quoted('Hugging Face', 'huggingface-token', `api_${'org_'}${draw(UPPER + LOWER, 34)}`),
  quoted('Cerebras', 'cerebras-api-key', `cs${'k-'}${draw(LOWER + DIGITS, 48)}`),
  ...['pt_', 'sk_'].map((kind) => quoted('LangSmith', 'langsmith-api-key', `lsv2_${kind}${draw(HEX, 32)}_${draw(HEX, 10)}`)),
  ...[5, 6].map((length) =>
    quoted('Pinecone', 'pinecone-api-key', `pc${'sk_'}${draw(BASE62, length)}_${draw(BASE62, 63)}`),
  ),
  quoted('Together', 'together-api-key', `tgp${'_v1_'}${draw(URL64, 43)}`),
  quoted('W&B', 'wandb-api-key', `wandb${'_v1_'}${draw(URL64, 77)}`),
  quoted('RunPod', 'runpod-api-key', `rp${'a_'}${draw(UPPER + DIGITS, 46)}`),
  quoted('Mistral', 'mistral-api-key', `a7Z${draw(BASE62, 29)}`, 'mistralApiKey'),
  quoted('Cohere', 'cohere-api-key', `a7Z${draw(BASE62, 37)}`, 'cohereApiKey'),
  quoted('ElevenLabs', 'elevenlabs-api-key', `s${'k_'}${draw(HEX, 48)}`),
  quoted('DeepSeek', 'sk-api-key', `s${'k-'}a7${draw(HEX, 30)}`, 'deepseekApiKey'),
  quoted('Slack', 'slack-bot-token', `xo${'xb-'}${draw(DIGITS, 12)}-${draw(DIGITS, 13)}-${draw(BASE62, 24)}`),
  quoted(
    'Slack',
    'slack-user-token',
    `xo${'xp-'}${draw(DIGITS, 12)}-${draw(DIGITS, 12)}-${draw(DIGITS, 13)}-${draw(HEX, 32)}`,
  ),
  quoted('Slack', 'slack-app-token', `xa${'pp-1-A'}${draw(UPPER, 10)}-${draw(DIGITS, 13)}-${draw(HEX, 64)}`),
  quoted('Slack', 'slack-config-token', `xo${'xe.xo'}xp-1-${draw(BASE62, 163)}`),
  quoted(
    'Slack',
    'slack-session-token',
    `xo${'xc-'}${draw(DIGITS, 12)}-${draw(DIGITS, 12)}-${draw(DIGITS, 13)}-${draw(HEX, 64)}`,
  ),
  quoted('Slack', 'slack-session-cookie', `xo${'xd-'}${draw(BASE62, 120)}`),
  {
    of: 'Slack',
    rule: 'slack-webhook',
    text: `url = "https://hooks.slack${'.com/services/'}T${draw(BASE32, 8)}/B${draw(BASE32, 10)}/${draw(BASE62, 24)}"\n`,
  },
  ...['401234567890123456', '91234567890123456'].map((user) =>
    quoted(
      'Discord',
      'discord-bot-token',
      `${Buffer.from(user).toString('base64url')}.${draw(URL64, 6)}.${draw(URL64, 38)}`,
    ),
  ),
  {
    of: 'Discord',
    rule: 'discord-webhook',
    text: `url = "https://discord${'.com/api/webhooks/'}${draw(DIGITS, 18)}/${draw(URL64, 68)}"\n`,
  },
  ...[8, 9, 10].map((length) =>
    quoted('Telegram', 'telegram-bot-token', `7${draw(DIGITS, length - 1)}:${'AA'}${draw(URL64, 33)}`),
  ),
  { ...quoted('Stripe', 'stripe-live-key', `s${'k_'}live_51${draw(BASE62, 97)}`), severity: 'critical' },
  quoted('Stripe', 'stripe-live-key', `r${'k_'}live_${draw(BASE62, 24)}`),
  { ...quoted('Stripe', 'stripe-test-key', `s${'k_'}test_51${draw(BASE62, 97)}`), severity: 'low' },
  quoted('Stripe', 'stripe-webhook-secret', `wh${'sec_'}${draw(BASE62, 32)}`),
  quoted('Twilio', 'twilio-api-key', `S${'K'}${draw(HEX, 32)}`),
  quoted('Twilio', 'twilio-auth-token', `a7${draw(HEX, 30)}`, 'twilioAuthToken'),
  quoted('SendGrid', 'sendgrid-api-key', `S${'G.'}${draw(URL64, 22)}.${draw(URL64, 43)}`),
  quoted('Mailgun', 'mailgun-api-key', `ke${'y-'}${draw(HEX, 32)}`),
  quoted('Mailchimp', 'mailchimp-api-key', `${draw(HEX, 32)}-us14`, 'mailchimpKey'),
  quoted('npm', 'npm-token', github(`np${'m_'}`)),
  { of: 'npm', rule: 'npm-token', text: `//registry.npmjs.org/:_authToken=${github(`np${'m_'}`)}\n`, file: '.npmrc' },
  ...['pypi.org', 'test.pypi.org'].map((host) =>
    quoted('PyPI', 'pypi-token', `py${'pi-'}${macaroon(host).toString('base64url')}`),
  ),
  quoted('RubyGems', 'rubygems-token', `rubygems${'_'}${draw(HEX, 48)}`),
  quoted('the crates registry', 'crates-token', `ci${'o'}${draw(BASE62, 32)}`),
  quoted('Docker', 'docker-token', `dckr_${'pat_'}${draw(URL64, 27)}`),
  quoted('Docker', 'docker-organisation-token', `dckr_${'oat_'}${draw(URL64, 32)}`),
  ...['k_', 'ut_', 'at_'].map((kind) => quoted('Cloudflare', 'cloudflare-token', cloudflare(`cf${kind}`))),
  quoted('Cloudflare', 'cloudflare-api-token', `a7Z${draw(BASE62, 37)}`, 'cloudflareApiToken'),
  quoted('Cloudflare', 'cloudflare-global-key', `a7${draw(HEX, 35)}`, 'cloudflareGlobalKey'),
  ...['p', 'o', 'r'].map((kind) => quoted('DigitalOcean', 'digitalocean-token', `do${kind}_v1_${draw(HEX, 64)}`)),
  quoted('Heroku', 'heroku-api-key', `HRKU${'-AA'}${draw(URL64, 58)}`),
  quoted('Heroku', 'heroku-legacy-key', id(), 'herokuApiKey'),
  ...['p_', 'i_', 'a_', 'r_', 'k_'].map((kind) => quoted('Vercel', 'vercel-token', `vc${kind}${draw(BASE62, 56)}`)),
  quoted('Netlify', 'netlify-token', `nf${'p_'}${draw(BASE62, 36)}`),
  { of: 'Fly', rule: 'fly-token', text: `FLY_API_TOKEN="FlyV1 fm${'2_'}${draw(BASE64, 400)}"\n`, file: '.env' },
  quoted('Supabase', 'supabase-token', `sb${'p_'}${draw(HEX, 40)}`),
  quoted('Supabase', 'supabase-secret-key', `sb_${'secret_'}${draw(URL64, 22)}_${draw(URL64, 8)}`),
  { ...quoted('Supabase', 'jwt', jwt({ ...session, iss: 'supabase', role: 'service_role' })), severity: 'critical' },
  quoted('Neon', 'neon-api-key', `na${'pi_'}${draw(LOWER + DIGITS, 64)}`),
  ...['pw_', 'tkn_', 'oauth_'].flatMap((kind) =>
    [32, 43, 64].map((length) => quoted('PlanetScale', 'planetscale-token', `pscale_${kind}${draw(URL64, length)}`)),
  ),
  quoted('Linear', 'linear-api-key', `lin_${'api_'}${draw(BASE62, 40)}`),
  quoted('Notion', 'notion-token', `nt${'n_'}${draw(DIGITS, 11)}${draw(BASE62, 35)}`),
  quoted('Notion', 'notion-legacy-token', `secr${'et_'}${draw(BASE62, 43)}`),
  ...[38, 42].map((length) => quoted('Figma', 'figma-token', `fig${'d_'}${draw(URL64, length)}`)),
  quoted('Airtable', 'airtable-token', `pa${'t'}${draw(BASE62, 14)}.${draw(HEX, 64)}`),
  quoted('Atlassian', 'atlassian-token', atlassian()),
  quoted('Postman', 'postman-key', `PM${'AK-'}${draw(HEX, 24)}-${draw(HEX, 34)}`),
  ...['at', 'ca', 'pa', 'ss'].map((kind) => quoted('Shopify', 'shopify-token', `shp${kind}_${draw(HEX, 32)}`)),
  quoted('Square', 'square-access-token', `EA${'AA'}${draw(URL64, 60)}`),
  quoted('New Relic', 'new-relic-key', `NR${'AK-'}${draw(UPPER + DIGITS, 27)}`),
  quoted('Sentry', 'sentry-token', `sntry${'u_'}${draw(HEX, 64)}`),
  quoted(
    'Sentry',
    'sentry-organisation-token',
    `sntry${'s_'}${base64url({ iat: 1790000000.5, url: 'https://sentry.io', org: 'acme' })}_${draw(BASE64, 43)}`,
  ),
  quoted('Grafana', 'grafana-token', grafana()),
  quoted('Databricks', 'databricks-token', `da${'pi'}${draw(HEX, 32)}`),
  quoted('Doppler', 'doppler-token', `dp.${'pt.'}${draw(BASE62, 43)}`),
  ...[90, 105, 120].map((length) => quoted('Vault', 'vault-token', `hv${'s.'}${draw(URL64, length)}`)),
  quoted('Terraform', 'terraform-token', `${draw(BASE62, 14)}.atlas${'v1.'}${draw(URL64, 67)}`),
  quoted('Pulumi', 'pulumi-token', `pu${'l-'}${draw(HEX, 40)}`),
  quoted('CircleCI', 'circleci-token', `CCI${'PAT_'}${draw(BASE62, 22)}_${draw(HEX, 40)}`),
  quoted('Tailscale', 'tailscale-key', `tskey-${'auth-'}${draw(BASE62, 12)}CNTRL-${draw(BASE62, 32)}`),
  quoted('Confluent', 'confluent-api-secret', confluent()),
  quoted('Zuplo', 'zuplo-api-key', zuplo()),
  { ...quoted('JWT', 'jwt', jwt(session)), severity: 'high' },
  { ...quoted('JWT', 'jwt', jwt({ ...session, exp: 1500000000 })), severity: 'low' },
  {
    of: 'Basic',
    rule: 'basic-authorization',
    text: `Authorization: Basic ${Buffer.from(`deploy:${password}`).toString('base64')}\n`,
    file: 'a.http',
  },
  { of: 'Bearer', rule: 'bearer-authorization', text: `Authorization: Bearer ${draw(BASE62, 40)}\n`, file: 'a.http' },
  ...['postgres', 'postgresql', 'mysql', 'mongodb', 'mongodb+srv', 'mssql'].map(
    (scheme): Row => ({
      of: 'URI',
      rule: 'database-url',
      text: `url = "${scheme}://app:${password}@db.acme.io/orders"\n`,
      secret: password,
    }),
  ),
  ...['amqp', 'amqps', 'redis', 'rediss'].map(
    (scheme): Row => ({
      of: 'URI',
      rule: 'message-queue-url',
      text: `url = "${scheme}://app:${password}@mq.acme.io/v"\n`,
      secret: password,
    }),
  ),
  ...['https', 'ftp'].map(
    (scheme): Row => ({
      of: 'URI',
      rule: 'url-password',
      text: `url = "${scheme}://app:${password}@files.acme.io/v"\n`,
      secret: password,
    }),
  ),
  {
    of: 'ADO and ODBC',
    rule: 'generic-password',
    text: `conn = "Server=db.acme.io;Database=o;User Id=app;Password=${password};Encrypt=true"\n`,
    secret: password,
  },
  {
    of: 'JDBC',
    rule: 'generic-password',
    text: `url = "jdbc:postgresql://db.acme.io/orders?user=app&password=${password}"\n`,
    secret: password,
  },
  {
    of: 'URI of this machine',
    rule: 'database-url',
    text: `url = "postgres://app:${password}@localhost/orders"\n`,
    secret: password,
    severity: 'low',
  },
]

/** What only looks like a secret. */
export const NONE: Row[] = [
  quoted('AWS key id of a document', 'aws-access-key-id', `AKIAIOSF${'ODNN7EXAMPLE'}`),
  quoted('AWS key id, all equal', 'aws-access-key-id', `AK${'IA'}${'A'.repeat(16)}`),
  quoted('AWS key id, not base 32', 'aws-access-key-id', `AK${'IA'}${draw(BASE32, 15)}1`),
  quoted('AWS key id inside of a word', 'aws-access-key-id', `xAK${'IA'}${draw(BASE32, 16)}`),
  quoted('AWS secret that is a commit', 'aws-secret-access-key', draw(HEX, 40), 'awsCommit'),
  quoted('AWS secret that is a path', 'aws-secret-access-key', 'services/orders/handlers/create/index/ma', 'awsSecretPath'),
  quoted('AWS secret of a document', 'aws-secret-access-key', `wJalrXUtnFEMI/K7MDENG/${'bPxRfiCYEXAMPLEKEY'}`, 'awsSecret'),
  quoted('Google client id', 'google-oauth-secret', `${draw(DIGITS, 12)}-${draw(LOWER, 32)}.apps.googleusercontent.com`),
  quoted('service account id', 'private-key', draw(HEX, 40), 'private_key_id'),
  ...['p_', 'o_', 'u_', 's_'].map((kind) => quoted('GitHub, wrong sum', 'github-token', spoiled(github(`gh${kind}`)))),
  quoted('GitHub, wrong sum', 'github-refresh-token', spoiled(github(`gh${'r_'}`, 70))),
  quoted('GitHub, wrong sum', 'github-token', `gh${'p_'}${draw(BASE62, 36)}`),
  quoted('GitHub App without a token', 'github-app-token', `gh${'s_'}1234567_eyJ${draw(URL64, 60)}.eyJ${draw(URL64, 90)}.${draw(BASE62, 86)}`),
  quoted('GitLab, wrong sum', 'gitlab-routable-token', spoiled(routable(draw(URL64, 40), '01.'))),
  quoted('GitLab placeholder', 'gitlab-token', `gl${'pat-'}xxxxxxxxxxxxxxxxxxxx`),
  quoted('OpenAI placeholder', 'openai-api-key', `sk${'-'}${'x'.repeat(48)}`),
  quoted('OpenAI without its mark', 'openai-project-key', `sk-${'proj-'}your-api-key-goes-right-in-here`),
  quoted('Anthropic placeholder', 'anthropic-api-key', `sk-ant-${'api03-'}${'x'.repeat(93)}AA`),
  quoted('Mistral without its name', 'mistral-api-key', draw(HEX, 32), 'etag'),
  quoted('Slack placeholder', 'slack-bot-token', `xo${'xb-'}000000000000-000000000000-${'x'.repeat(24)}`),
  quoted('Slack placeholder', 'slack-bot-token', `xo${'xb-'}your-token-here`),
  quoted('Discord, no digits', 'discord-bot-token', `MTabcdefghijklmnopqrstuv.${draw(URL64, 6)}.${draw(URL64, 38)}`),
  quoted('Telegram, an ARN', 'telegram-bot-token', `arn:aws:iam::12345678:${'AA'}${draw(BASE62, 20)}`),
  quoted('Stripe, publishable', 'stripe-live-key', `p${'k_'}live_51${draw(BASE62, 97)}`),
  quoted('Twilio account', 'twilio-api-key', `A${'C'}${draw(HEX, 32)}`),
  quoted('npm, wrong sum', 'npm-token', spoiled(github(`np${'m_'}`))),
  { of: 'npm variable', rule: 'npm-token', text: '//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n', file: '.npmrc' },
  quoted('PyPI, no macaroon', 'pypi-token', `py${'pi-AgEIcHlwaS5vcmc'}${draw(URL64, 160)}`),
  quoted('PyPI, cut', 'pypi-token', `py${'pi-'}${macaroon('pypi.org').subarray(0, -6).toString('base64url')}`),
  ...['k_', 'ut_', 'at_'].map((kind) => quoted('Cloudflare, wrong sum', 'cloudflare-token', spoiled(cloudflare(`cf${kind}`)))),
  quoted('an id beside no name', 'heroku-legacy-key', id(), 'requestId'),
  quoted('Supabase, public', 'jwt', jwt({ ...session, iss: 'supabase', role: 'anon' })),
  quoted('Atlassian, wrong sum', 'atlassian-token', atlassian().replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))),
  quoted('Grafana, wrong sum', 'grafana-token', spoiled(grafana())),
  quoted('Confluent, wrong sum', 'confluent-api-secret', spoiled(confluent())),
  quoted('Zuplo, wrong sum', 'zuplo-api-key', spoiled(zuplo())),
  quoted(
    'JWT of its documentation',
    'jwt',
    [
      base64url({ alg: 'HS256', typ: 'JWT' }),
      base64url({ sub: '1234567890', name: 'John Doe', iat: 1516239022 }),
      `SflKxwRJSMeKKF2QT4${'fwpMeJf36POk6yJV_adQssw5c'}`,
    ].join('.'),
  ),
  quoted('JWT without JSON', 'jwt', `eyJ${draw(URL64, 33)}.eyJ${draw(URL64, 60)}.${draw(URL64, 43)}`),
  { of: 'Basic', rule: 'basic-authorization', text: `Authorization: Basic ${Buffer.from('user:pass').toString('base64')}\n` },
  { of: 'Basic', rule: 'basic-authorization', text: 'Authorization: Basic ${CREDENTIALS}\n', file: 'a.http' },
  { of: 'Bearer', rule: 'bearer-authorization', text: 'Authorization: Bearer <your-access-token>\n', file: 'a.http' },
  ...[
    'postgres://user:pass@db.acme.io/orders',
    'amqp://guest:guest@mq.acme.io/',
    'postgres://app:${DB_PASSWORD}@db.acme.io/orders',
    'mongodb://<user>:<password>@db.acme.io/orders',
    'https://db.acme.io:8443/a@b',
  ].map((url): Row => ({ of: 'URI', rule: 'database-url', text: `url = "${url}"\n`, file: 'a.yml' })),
  {
    of: 'a transaction beside no name',
    rule: 'ethereum-private-key',
    text: `export const transactionHash = '0x${draw(HEX, 64)}'\n`,
  },
  { of: 'an address', rule: 'ethereum-private-key', text: `export const wallet = '0x${draw(HEX, 40)}'\n` },
]
