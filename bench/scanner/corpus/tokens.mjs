// Provider tokens in the formats of 2026: each draws a value and says under which names it stands.
// A prefix is written in pieces, so that no scanner takes this file for a leak.
import { crcBase36, crcBase62, crcHex, crcHexLittle, inBase, crc32 } from './checksums.mjs'
import { BASE32, BASE62, BASE64, DIGITS, HEX, LETTERS, LOWER, UPPER, URL64 } from './random.mjs'

const b64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const uuid = (r) => [8, 4, 4, 4, 12].map((n) => r.text(HEX, n)).join('-')
/** Letters, digits: both kinds of every alphabet occur, as in every key that was ever long enough. */
const mixed = (r, alphabet, length) => {
  for (;;) {
    const text = r.text(alphabet, length)
    if (/[0-9]/.test(text) && /[a-z]/i.test(text)) return text
  }
}
/** Neither ends in a sign that belongs to a sentence or to another language. */
const tidy = (r, alphabet, length) => {
  const ends = /[_~.-]/.test(alphabet) ? BASE62 : alphabet
  return r.text(ends, 1) + r.text(alphabet, length - 2) + r.text(ends, 1)
}
const github = (p) => (r) => {
  const body = r.text(BASE62, 30)
  return `${p}${body}${crcBase62(body)}`
}
export const jwt = (r, claims, alg = r.pick(['HS256', 'RS256', 'ES256'])) =>
  `${b64url({ alg, typ: 'JWT' })}.${b64url(claims)}.${r.text(URL64, alg === 'HS256' ? 42 : alg === 'ES256' ? 85 : 341)}${r.text('AEIMQUYcgkosw048', 1)}`
export const session = (r) => ({ sub: `u-${r.text(DIGITS, 6)}`, iss: 'https://id.acme.io', iat: 1790000000, exp: 1890000000 + r.below(9e6) })

const plain = (p, alphabet, length) => (r) => p + tidy(r, alphabet, typeof length === 'number' ? length : r.between(...length))
const one = (...ps) => (r) => r.pick(ps)(r)

/** kind: [names, generator, options] */
const TOKENS = {
  'aws-key-id': ['AWS_ACCESS_KEY_ID aws_access_key_id accessKeyId', (r) => r.pick(['AK' + 'IA', 'AS' + 'IA', 'AB' + 'IA', 'AC' + 'CA']) + r.text(BASE32, 16)],
  'aws-secret': ['AWS_SECRET_ACCESS_KEY aws_secret_access_key awsSecretAccessKey', (r) => mixed(r, BASE64, 40), { contextual: true }],
  'aws-session': ['AWS_SESSION_TOKEN aws_session_token sessionToken', (r) => 'IQoJb3Jp' + 'Z2lu' + r.text(BASE64, r.between(70, 200) * 4)],
  'aws-bedrock': ['AWS_BEARER_TOKEN_BEDROCK bedrockApiKey', (r) => r.chance(0.7) ? 'AB' + 'SK' + Buffer.from(`BedrockAPIKey-${r.text(LOWER + DIGITS, 4)}-at-${r.text(DIGITS, 12)}:`).toString('base64').replace(/=+$/, '') + r.text(BASE64, 84) : 'bedrock-api-' + 'key-' + Buffer.from('bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=').toString('base64').replace(/=+$/, '') + r.text(BASE64, 300)],
  'google-api': ['GOOGLE_API_KEY google_api_key apiKey GOOGLE_MAPS_KEY', (r) => 'AI' + 'zaSy' + r.text('ABCD', 1) + tidy(r, URL64, 32)],
  gemini: ['GEMINI_API_KEY gemini_key apiKey', plain('AQ.' + 'Ab8RN6', URL64, 44)],
  'google-oauth': ['GOOGLE_CLIENT_SECRET client_secret clientSecret', plain('GOC' + 'SPX-', URL64, 28)],
  'azure-storage': ['AZURE_STORAGE_KEY azure_storage_account_key AccountKey', (r) => r.chance(0.5) ? mixed(r, BASE64, 86) + '==' : mixed(r, BASE64, 76) + '+ASt' + mixed(r, BASE64, 6) + '==', { contextual: true }],
  'azure-cosmos': ['AZURE_COSMOS_KEY COSMOS_PRIMARY_KEY', (r) => mixed(r, BASE64, 76) + 'ACDb' + mixed(r, BASE64, 6) + '==', { contextual: true }],
  'azure-service-bus': ['SharedAccessKey AZURE_SERVICEBUS_SHARED_ACCESS_KEY', (r) => (r.chance(0.5) ? mixed(r, BASE64, 43) : mixed(r, BASE64, 33) + '+ASb' + mixed(r, BASE64, 6)) + '=', { contextual: true }],
  'azure-annotated': ['AZURE_OPENAI_KEY azure_ai_key apiKey', (r) => mixed(r, BASE62, 52) + 'JQQ' + 'J99' + r.text(UPPER, 1) + r.text('ABCDEFGHIJKL', 1) + r.text(BASE62, 16) + r.text(LETTERS, 1) + r.text(BASE62, 7)],
  entra: ['AZURE_CLIENT_SECRET client_secret clientSecret', (r) => r.text(BASE62, 3) + r.text(DIGITS, 1) + 'Q' + '~' + tidy(r, BASE62 + '_~.-', r.between(31, 34))],
  'github-pat': ['GITHUB_TOKEN github_token GH_TOKEN token', github('gh' + 'p_')],
  'github-oauth': ['GITHUB_OAUTH oauth_token token', one(github('gh' + 'o_'), github('gh' + 'u_'))],
  'github-server': ['GITHUB_TOKEN token', github('gh' + 's_')],
  'github-refresh': ['GITHUB_REFRESH refresh_token', (r) => { const b = r.text(BASE62, 70); return 'gh' + 'r_' + b + crcBase62(b) }],
  'github-fine': ['GITHUB_TOKEN GH_PAT token', (r) => 'github_' + 'pat_' + r.text(BASE62, 22) + '_' + r.text(BASE62, 59)],
  'github-app': ['GITHUB_APP_TOKEN installationToken', (r) => 'gh' + 's_' + r.text('123456789', 7) + '_' + jwt(r, { ...session(r), enterprise: 'acme' }, 'RS256')],
  gitlab: ['GITLAB_TOKEN gitlab_token token', (r) => 'gl' + r.pick(['pat', 'dt', 'rt', 'cbt', 'ptt', 'ft', 'soat', 'agent', 'oas']) + '-' + tidy(r, URL64, 20)],
  'gitlab-routable': ['GITLAB_TOKEN CI_TOKEN token', (r) => {
    const payload = tidy(r, URL64, r.between(27, 60))
    const versioned = r.chance(0.7)
    const head = `gl${'pat'}-${payload}.${versioned ? '01.' : ''}${inBase(payload.length, DIGITS + LOWER, 2)}`
    return head + crcBase36(head)
  }],
  anthropic: ['ANTHROPIC_API_KEY anthropic_api_key apiKey', (r) => r.pick(['sk-ant-' + 'api03-', 'sk-ant-' + 'admin01-']) + r.text(URL64, 93) + 'AA'],
  'anthropic-oauth': ['CLAUDE_CODE_OAUTH_TOKEN oauthToken', (r) => 'sk-ant-' + 'oat01-' + r.text(URL64, 93) + 'AA'],
  openai: ['OPENAI_API_KEY openai_api_key apiKey', (r) => 'sk' + '-' + r.text(BASE62, 20) + 'T3Blbk' + 'FJ' + r.text(BASE62, 20)],
  'openai-project': ['OPENAI_API_KEY openai_key key', (r) => { const n = r.pick([20, 58, 74]); return r.pick(['sk-' + 'proj-', 'sk-' + 'svcacct-', 'sk-' + 'admin-']) + r.text(URL64, n) + 'T3Blbk' + 'FJ' + tidy(r, URL64, n) }],
  openrouter: ['OPENROUTER_API_KEY openrouterKey', plain('sk-or-' + 'v1-', HEX, 64)],
  groq: ['GROQ_API_KEY groqKey', plain('gs' + 'k_', BASE62, 52)],
  xai: ['XAI_API_KEY xaiKey', plain('xa' + 'i-', BASE62, 80)],
  perplexity: ['PERPLEXITY_API_KEY pplxKey', plain('pp' + 'lx-', BASE62, 48)],
  replicate: ['REPLICATE_API_TOKEN replicateToken', plain('r' + '8_', BASE62, 37)],
  huggingface: ['HF_TOKEN hfToken', (r) => r.pick(['h' + 'f_', 'api_' + 'org_']) + r.text(LETTERS, 34)],
  cerebras: ['CEREBRAS_API_KEY cerebrasKey', plain('cs' + 'k-', LOWER + DIGITS, 48)],
  langsmith: ['LANGSMITH_API_KEY langsmithKey', (r) => 'lsv' + r.pick(['2_pt_', '2_sk_']) + r.text(HEX, 32) + '_' + r.text(HEX, 10)],
  pinecone: ['PINECONE_API_KEY pineconeKey', (r) => 'pc' + 'sk_' + r.text(BASE62, r.between(5, 6)) + '_' + r.text(BASE62, 63)],
  together: ['TOGETHER_API_KEY togetherKey', plain('tgp' + '_v1_', URL64, 43)],
  wandb: ['WANDB_API_KEY wandbKey', plain('wandb' + '_v1_', URL64, 77)],
  runpod: ['RUNPOD_API_KEY runpodKey', plain('rp' + 'a_', UPPER + DIGITS, 46)],
  mistral: ['MISTRAL_API_KEY mistral_api_key mistralKey', (r) => mixed(r, BASE62, 32), { contextual: true }],
  cohere: ['COHERE_API_KEY cohere_api_key cohereKey', (r) => mixed(r, BASE62, 40), { contextual: true }],
  elevenlabs: ['ELEVENLABS_API_KEY elevenKey', plain('s' + 'k_', HEX, 48)],
  deepseek: ['DEEPSEEK_API_KEY deepseekKey', (r) => 's' + 'k-' + mixed(r, HEX, 32), { contextual: true }],
  'slack-bot': ['SLACK_BOT_TOKEN slack_token token', (r) => 'xo' + 'xb-' + r.text('123456789', r.between(10, 13)) + '-' + r.text('123456789', r.between(10, 13)) + '-' + r.text(BASE62, 24)],
  'slack-user': ['SLACK_TOKEN token', (r) => 'xo' + 'xp-' + [0, 0, 0].map(() => r.text('123456789', r.between(10, 13))).join('-') + '-' + r.text(HEX, 32)],
  'slack-app': ['SLACK_APP_TOKEN appToken', (r) => 'xa' + 'pp-1-A' + r.text(UPPER + DIGITS, 10) + '-' + r.text('123456789', 13) + '-' + r.text(HEX, 64)],
  'slack-config': ['SLACK_CONFIG_TOKEN configToken', (r) => r.chance(0.5) ? 'xo' + 'xe.xo' + 'xp-1-' + r.text(BASE62, 163) : 'xo' + 'xe-1-' + r.text(BASE62, 146)],
  'slack-session': ['SLACK_XOXC slackToken', (r) => 'xo' + 'xc-' + [0, 0, 0].map(() => r.text('123456789', r.between(11, 13))).join('-') + '-' + r.text(HEX, 64)],
  'slack-cookie': ['SLACK_XOXD slackCookie', (r) => 'xo' + 'xd-' + r.text(BASE62 + '+/', r.between(90, 150)).replace(/\+/g, '%2B').replace(/\//g, '%2F') + r.text(BASE62, 1)],
  'slack-webhook': ['SLACK_WEBHOOK_URL webhook', (r) => `T${r.text(UPPER + DIGITS, 8)}/B${r.text(UPPER + DIGITS, 10)}/${r.text(BASE62, 24)}`, { before: 'https://hooks.slack' + '.com/services/' }],
  'discord-bot': ['DISCORD_TOKEN discord_token token', (r) => Buffer.from(r.text('123456789', r.between(17, 19))).toString('base64url') + '.' + r.text(URL64, 6) + '.' + tidy(r, URL64, r.between(27, 38))],
  'discord-webhook': ['DISCORD_WEBHOOK webhook', (r) => `${r.text('123456789', r.between(17, 19))}/${tidy(r, URL64, r.between(60, 68))}`, { before: 'https://discord' + '.com/api/webhooks/' }],
  telegram: ['TELEGRAM_BOT_TOKEN telegram_token botToken', (r) => r.text('123456789', r.between(8, 10)) + ':' + 'AA' + tidy(r, URL64, 33)],
  'stripe-live': ['STRIPE_SECRET_KEY stripe_key stripeKey', (r) => r.pick(['s', 'r']) + 'k_' + 'live_' + (r.chance(0.6) ? '51' + r.text(BASE62, 97) : r.text(BASE62, 24))],
  'stripe-test': ['STRIPE_TEST_KEY stripeTestKey', (r) => 's' + 'k_' + 'test_51' + r.text(BASE62, 97)],
  'stripe-webhook': ['STRIPE_WEBHOOK_SECRET webhookSecret', plain('wh' + 'sec_', BASE62, 32)],
  'twilio-key': ['TWILIO_API_KEY twilioKey', (r) => 'S' + 'K' + r.text(HEX, 32)],
  'twilio-auth': ['TWILIO_AUTH_TOKEN twilio_auth_token', (r) => mixed(r, HEX, 32), { contextual: true }],
  sendgrid: ['SENDGRID_API_KEY sendgridKey', (r) => 'S' + 'G.' + r.text(URL64, 22) + '.' + tidy(r, URL64, 43)],
  mailgun: ['MAILGUN_API_KEY mailgunKey', plain('ke' + 'y-', HEX, 32)],
  mailchimp: ['MAILCHIMP_API_KEY mailchimpKey', (r) => r.text(HEX, 32) + '-us' + r.between(1, 21)],
  npm: ['NPM_TOKEN npm_token _authToken', github('np' + 'm_')],
  pypi: ['PYPI_TOKEN TWINE_PASSWORD', (r) => {
    const test = r.chance(0.2)
    const packed = (kind, bytes) => Buffer.concat([Buffer.from([kind, bytes.length]), bytes])
    const head = Buffer.concat([Buffer.from([2]), packed(1, Buffer.from(test ? 'test.pypi.org' : 'pypi.org')), packed(2, Buffer.from(uuid(r))), Buffer.from([0])])
    const caveat = packed(2, Buffer.from(JSON.stringify({ version: 1, permissions: 'user' })))
    return 'py' + 'pi-' + Buffer.concat([head, caveat, Buffer.from([0, 0]), packed(6, r.bytes(32))]).toString('base64url')
  }],
  rubygems: ['GEM_HOST_API_KEY rubygemsKey', plain('rubygems' + '_', HEX, 48)],
  crates: ['CARGO_REGISTRY_TOKEN cratesToken', plain('ci' + 'o', BASE62, 32)],
  docker: ['DOCKER_TOKEN dockerToken', (r) => r.chance(0.6) ? 'dckr_' + 'pat_' + tidy(r, URL64, 27) : 'dckr_' + 'oat_' + tidy(r, URL64, 32)],
  cloudflare: ['CLOUDFLARE_API_TOKEN CF_TOKEN token', (r) => { const b = r.text(BASE62, 40); return r.pick(['cf' + 'k_', 'cf' + 'ut_', 'cf' + 'at_']) + b + crcHex(b) }],
  'cloudflare-old': ['CLOUDFLARE_API_TOKEN cloudflare_token', (r) => mixed(r, BASE62, 39) + r.text(BASE62, 1), { contextual: true }],
  'cloudflare-global': ['CLOUDFLARE_API_KEY cloudflare_global_key', (r) => mixed(r, HEX, 37), { contextual: true }],
  digitalocean: ['DIGITALOCEAN_TOKEN doToken', (r) => r.pick(['do' + 'p_v1_', 'do' + 'o_v1_', 'do' + 'r_v1_']) + r.text(HEX, 64)],
  heroku: ['HEROKU_API_KEY herokuKey', plain('HRKU' + '-AA', URL64, 58)],
  'heroku-old': ['HEROKU_API_KEY heroku_api_key', uuid, { contextual: true }],
  vercel: ['VERCEL_TOKEN vercelToken', (r) => 'vc' + r.pick(['p_', 'i_', 'a_', 'r_', 'k_']) + r.text(BASE62, 56)],
  netlify: ['NETLIFY_AUTH_TOKEN netlifyToken', plain('nf' + 'p_', BASE62, 36)],
  fly: ['FLY_API_TOKEN flyToken', (r) => 'fm' + '2_' + r.text(BASE64, 4 * r.between(40, 120)), { before: 'FlyV1 ' }],
  'supabase-pat': ['SUPABASE_ACCESS_TOKEN supabaseToken', plain('sb' + 'p_', HEX, 40)],
  'supabase-secret': ['SUPABASE_SECRET_KEY supabaseKey', (r) => 'sb_' + 'secret_' + r.text(URL64, 22) + '_' + tidy(r, URL64, 8)],
  'supabase-role': ['SUPABASE_SERVICE_ROLE_KEY serviceRoleKey', (r) => jwt(r, { iss: 'supabase', ref: r.text(LOWER, 20), role: 'service_role', iat: 1790000000, exp: 2105000000 }, 'HS256')],
  neon: ['NEON_API_KEY neonKey', plain('na' + 'pi_', LOWER + DIGITS, 64)],
  planetscale: ['DATABASE_PASSWORD PLANETSCALE_TOKEN', (r) => 'pscale_' + r.pick(['pw_', 'tkn_', 'oauth_']) + tidy(r, URL64, r.between(32, 64))],
  linear: ['LINEAR_API_KEY linearKey', plain('lin_' + 'api_', BASE62, 40)],
  notion: ['NOTION_TOKEN notionToken', (r) => 'nt' + 'n_' + r.text(DIGITS, 11) + r.text(BASE62, 35)],
  'notion-old': ['NOTION_TOKEN notion_secret', plain('secr' + 'et_', BASE62, 43)],
  figma: ['FIGMA_TOKEN figmaToken', plain('fig' + 'd_', URL64, [38, 42])],
  airtable: ['AIRTABLE_TOKEN airtableToken', (r) => 'pa' + 't' + r.text(BASE62, 14) + '.' + r.text(HEX, 64)],
  atlassian: ['JIRA_API_TOKEN ATLASSIAN_TOKEN', (r) => { const b = 'ATATT3x' + 'FfGF0' + r.text(URL64, r.between(150, 180)) + '='; return b + crcHex(b).toUpperCase() }],
  postman: ['POSTMAN_API_KEY postmanKey', (r) => 'PM' + 'AK-' + r.text(HEX, 24) + '-' + r.text(HEX, 34)],
  shopify: ['SHOPIFY_TOKEN shopifyToken', (r) => 'shp' + r.pick(['at_', 'ca_', 'pa_', 'ss_']) + r.text(HEX, 32)],
  square: ['SQUARE_ACCESS_TOKEN squareToken', plain('EA' + 'AA', URL64, 60)],
  newrelic: ['NEW_RELIC_API_KEY newRelicKey', plain('NR' + 'AK-', UPPER + DIGITS, 27)],
  sentry: ['SENTRY_AUTH_TOKEN sentryToken', (r) => r.chance(0.5) ? 'sntry' + 'u_' + r.text(HEX, 64) : 'sntry' + 's_' + Buffer.from(JSON.stringify({ iat: 1790000000.5, url: 'https://sentry.io', region_url: 'https://us.sentry.io', org: 'acme' })).toString('base64').replace(/=+$/, '') + '_' + r.text(BASE64, 43)],
  grafana: ['GRAFANA_TOKEN grafanaToken', (r) => { const b = 'gl' + 'sa_' + r.text(BASE62, 32); return b + '_' + crcHexLittle(b) }],
  databricks: ['DATABRICKS_TOKEN databricksToken', (r) => 'da' + 'pi' + r.text(HEX, 32) + (r.chance(0.3) ? '-' + r.pick(['2', '3']) : '')],
  doppler: ['DOPPLER_TOKEN dopplerToken', plain('dp.' + 'pt.', BASE62, 43)],
  vault: ['VAULT_TOKEN vaultToken', plain('hv' + 's.', URL64, [90, 120])],
  terraform: ['TFE_TOKEN TERRAFORM_TOKEN', (r) => r.text(BASE62, 14) + '.atlas' + 'v1.' + tidy(r, URL64, r.between(60, 70))],
  pulumi: ['PULUMI_ACCESS_TOKEN pulumiToken', plain('pu' + 'l-', HEX, 40)],
  circleci: ['CIRCLE_TOKEN circleToken', (r) => 'CCI' + 'PAT_' + r.text(BASE62, 22) + '_' + r.text(HEX, 40)],
  tailscale: ['TS_AUTHKEY tailscaleKey', (r) => 'tskey-' + 'auth-' + r.text(BASE62, 12) + 'CNTRL-' + r.text(BASE62, 32)],
  confluent: ['CONFLUENT_API_SECRET confluentSecret', (r) => { const b = 'cf' + 'lt' + r.text(BASE64, 54); const c = Buffer.alloc(4); c.writeUInt32BE(crc32(b)); return b + c.toString('base64').replace(/=+$/, '') }],
  zuplo: ['ZUPLO_API_KEY zuploKey', (r) => { const b = 'zp' + 'ka_' + r.text(HEX, 32); return b + '_' + crcHex(b.slice(5)) }],
}

export const KINDS = Object.entries(TOKENS).map(([kind, [names, make, options = {}]]) => ({
  kind, tier: 'provider', names: names.split(' '), make, ...options,
}))
