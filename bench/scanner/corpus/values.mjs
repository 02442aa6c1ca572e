// Passwords, random keys, addresses with passwords, headers.
import { BASE62, DIGITS, HEX, LOWER, URL64 } from './random.mjs'
import { jwt, session } from './tokens.mjs'

const WORDS = ['Summer', 'Winter', 'Dragon', 'Falcon', 'Coffee', 'Monkey', 'Purple', 'Tiger', 'Rocket', 'Orange', 'Berlin', 'Harbor', 'Planet', 'Silver', 'Maple', 'Thunder', 'Welcome', 'Garden', 'Marble', 'Canyon']
const SIGNS = '!@#%^*-_+?.'
const leet = (text) => text.replace(/a/g, '@').replace(/o/g, '0').replace(/e/g, '3').replace(/i/g, '1')

/** What people and password managers type. */
export function password(r) {
  const style = r.below(6)
  if (style === 0) return r.pick(WORDS) + r.between(10, 2030) + r.text('!#%*?', 1)
  if (style === 1) return leet(r.pick(WORDS)) + r.pick(['-', '_', '.']) + leet(r.pick(WORDS)) + r.between(1, 99)
  if (style === 2) return `${r.pick(WORDS)}-${r.pick(WORDS)}-${r.pick(WORDS)}-${r.between(10, 99)}`.toLowerCase()
  const alphabet = style === 3 ? BASE62 : BASE62 + SIGNS
  for (;;) {
    const text = r.text(BASE62, 1) + r.text(alphabet, r.between(8, 22)) + r.text(BASE62, 1)
    if (/\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text)) return text
  }
}

/** A password as it stands in an address: signs escaped, as the rules for addresses ask. */
const inUrl = (r) => (r.chance(0.5) ? password(r).replace(/[@#%?/^+]/g, (c) => encodeURIComponent(c)) : password(r).replace(/[@#%?/^+]/g, '-'))

export function random(r) {
  for (;;) {
    const text = r.pick([
      () => r.text(BASE62, r.between(20, 48)),
      () => r.text(HEX, r.pick([32, 40, 64])),
      () => r.bytes(r.pick([24, 32, 48])).toString('base64'),
      () => r.text(BASE62, 1) + r.text(URL64, r.between(22, 44)) + r.text(BASE62, 1),
      () => r.text(LOWER + DIGITS, r.between(24, 40)),
    ])()
    if ((text.match(/\d/g) ?? []).length >= 2 && /[a-z]/i.test(text)) return text
  }
}
const HOSTS = ['db.acme.io', 'cluster0.ab1cd.mongodb.net', '10.4.2.17', 'prod-db.internal', 'cache.eu-west-1.amazonaws.com', 'mq.acme.io']
const user = (r) => r.pick(['app', 'svc_orders', 'deploy', 'admin', 'root', 'postgres', 'reporting', 'default'])
const schemes = {
  postgres: 5432, postgresql: 5432, mysql: 3306, mongodb: 27017, 'mongodb+srv': 0, redis: 6379, rediss: 6380, amqp: 5672, amqps: 5671, mssql: 1433, https: 0, ftp: 21,
}
function uri(scheme) {
  return (r) => {
    const value = inUrl(r)
    const name = scheme.startsWith('redis') && r.chance(0.4) ? '' : user(r)
    const port = schemes[scheme] && r.chance(0.6) ? `:${schemes[scheme]}` : ''
    const path = r.pick(['/orders', '/app?ssl=true', '/0', ''])
    return { value, before: `${scheme}://${name}:`, after: `@${r.pick(HOSTS)}${port}${path}` }
  }
}
const plainPassword = (r) => { for (;;) { const p = password(r); if (!/[;"'&@#%?^+]/.test(p)) return p } }
const URI = Object.keys(schemes).map((scheme) => ({ kind: `uri-${scheme}`, tier: 'uri', names: ['DATABASE_URL', 'connection_url', 'serviceUrl', 'endpoint'], parts: uri(scheme) }))
URI.push(
  { kind: 'ado', tier: 'uri', names: ['ConnectionString', 'SQL_CONNECTION'], parts: (r) => ({ value: plainPassword(r), before: `Server=tcp:${r.pick(HOSTS)},1433;Database=orders;User ID=${user(r)};${r.pick(['Password', 'Pwd'])}=`, after: ';Encrypt=true;' }) },
  { kind: 'jdbc', tier: 'uri', names: ['JDBC_URL', 'jdbcUrl'], parts: (r) => ({ value: plainPassword(r), before: `jdbc:${r.pick(['postgresql', 'mysql'])}://${r.pick(HOSTS)}/app?user=${user(r)}&password=`, after: r.pick(['', '&ssl=true']) }) },
  { kind: 'basic', tier: 'uri', names: ['Authorization', 'authorization'], parts: (r) => ({ value: Buffer.from(`${user(r)}:${password(r)}`).toString('base64'), before: 'Basic ', after: '' }) },
  { kind: 'bearer', tier: 'uri', names: ['Authorization', 'authorization'], parts: (r) => ({ value: (() => { for (;;) { const t = r.text(BASE62, 1) + r.text(URL64, r.between(26, 60)) + r.text(BASE62, 1); if ((t.match(/\d/g) ?? []).length > 1) return t } })(), before: 'Bearer ', after: '' }) },
  { kind: 'jwt', tier: 'uri', names: ['ACCESS_TOKEN', 'sessionToken', 'idToken'], make: (r) => jwt(r, session(r)) },
)
export const VALUES = [
  ...URI,
  { kind: 'password', tier: 'password', names: ['password', 'DB_PASSWORD', 'db_password', 'dbPassword', 'SMTP_PASSWORD', 'admin_password', 'passwd', 'POSTGRES_PASSWORD', 'userPassword', 'PGPASSWORD', 'mysql_pwd'], make: password, weight: 8 },
  { kind: 'generic', tier: 'generic', names: ['API_KEY', 'api_key', 'apiKey', 'secret', 'SECRET_KEY', 'client_secret', 'clientSecret', 'auth_token', 'authToken', 'ACCESS_TOKEN', 'encryption_key', 'JWT_SECRET', 'private_token', 'webhookSecret', 'SESSION_SECRET', 'service_token', 'signing_key'], make: random, weight: 10 },
]
