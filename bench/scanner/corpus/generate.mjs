// Writes a tree of files with secrets at known places, and what stands where.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLOSE, FILES, OPEN, camel, mark, minified, nameOf, snake, upper } from './files.mjs'
import * as keys from './keys.mjs'
import { NEGATIVE_KINDS } from './negatives.mjs'
import { OBVIOUS, PLACES, certain, encoded } from './places.mjs'
import { Random } from './random.mjs'
import { KINDS, jwt, session } from './tokens.mjs'
import { VALUES, password, random } from './values.mjs'

/** Every kind of secret; only the words of wallets need the list. */
export function catalogue(words) {
  const key = (kind, make) => ({ kind, tier: 'private-key', names: ['private_key', 'PRIVATE_KEY', 'sshKey', 'tls_key'], make, block: true })
  const wallet = (kind, names, make) => ({ kind, tier: 'wallet', names: names.split(' '), make })
  return [
    ...KINDS,
    ...VALUES,
    ...['rsa', 'ec', 'pkcs8', 'encrypted', 'dsa', 'openssh', 'putty', 'pgp'].map((kind) => key(kind, (r) => keys[kind](r))),
    { ...key('age', keys.age), block: false },
    wallet('bitcoin-wif', 'WIF BTC_PRIVATE_KEY wallet_key', keys.wif),
    wallet('extended-key', 'XPRV masterKey wallet_xprv', (r) => keys.extended(r)),
    wallet('ethereum', 'PRIVATE_KEY WALLET_PRIVATE_KEY deployer_private_key EVM_PRIVATE_KEY walletSecretKey', keys.ethereum),
    wallet('solana', 'SOLANA_PRIVATE_KEY SOLANA_SECRET_KEY keypair wallet', keys.solana),
    { ...wallet('solana-array', 'SOLANA_KEYPAIR keypair secretKey', keys.solanaArray), bare: true },
    ...[12, 15, 18, 21, 24].map((count) => wallet(`mnemonic-${count}`, 'MNEMONIC mnemonic seed_phrase WALLET_SEED', (r) => keys.mnemonic(r, words, count))),
  ]
}

const newlines = (text) => text.replaceAll('\n', '\\n')

/** Writes the corpus of a seed; answers its labels. */
export function generate(directory, seed, words, rounds = 6) {
  const r = new Random(seed)
  const kinds = catalogue(words)
  const labels = new Map()
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  let count = 0

  /** A value with its marks, and what stands around it. */
  const planted = (one, form, transform = (text) => text) => {
    const parts = one.parts ? one.parts(r) : { value: one.make(r), before: one.before ?? '', after: '' }
    const id = labels.size
    labels.set(id, { kind: one.kind, tier: one.tier, form })
    return { name: r.pick(one.names), text: parts.before + mark(id, transform(parts.value)) + parts.after, id, ...parts }
  }
  const negative = (fits = () => true) => {
    for (;;) {
      const one = r.pick(NEGATIVE_KINDS)
      const no = { name: r.pick(one.names), value: one.make(r, words), kind: one.kind }
      if (fits(no)) return no
    }
  }
  const place = (file, text, encoding = 'utf8') => {
    let plain = ''
    let line = 1
    let column = 1
    const open = []
    const zones = []
    for (let at = 0; at < text.length; at++) {
      const c = text[at]
      if (c === OPEN) {
        const end = text.indexOf(OPEN, at + 1)
        open.push({ id: Number(text.slice(at + 1, end)), file, line, column, from: plain.length })
        at = end
      } else if (c === CLOSE) {
        const { from, ...label } = open.pop()
        zones.push({ ...label, endLine: line, endColumn: column, value: plain.slice(from) })
      } else {
        plain += c
        if (c === '\n') [line, column] = [line + 1, 1]
        else column++
      }
    }
    for (const { id, ...zone } of zones) Object.assign(labels.get(id), zone)
    const bytes = encoding === 'utf16' ? Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(plain, 'utf16le')]) : Buffer.from(plain)
    writeFileSync(join(directory, file), bytes)
  }
  const fillers = (kind, least) => Array.from({ length: least + r.below(6) }, () => FILES[kind].fill(r))
  const body = (kind, entries, form) => {
    const file = FILES[kind]
    const all = fillers(kind, 8)
    for (const entry of entries) all.splice(r.below(all.length + 1), 0, entry)
    for (let i = 0; i < 3; i++) {
      const no = negative()
      all.splice(r.below(all.length + 1), 0, file.line(r, no.name, no.value))
    }
    const text = [file.head, ...all, file.tail].filter((part) => part !== undefined).join('\n') + '\n'
    return form === 'crlf' ? text.replaceAll('\n', '\r\n') : text
  }

  const blockFiles = Object.keys(FILES).filter((kind) => FILES[kind].block)
  const lineFiles = Object.keys(FILES)
  const arrayFiles = ['js', 'ts', 'py', 'json', 'env']
  const entry = (one, kind, form) => {
    if (one.block) {
      const escaped = ['json', 'rs', 'env'].includes(kind) && (kind !== 'env' || r.chance(0.5))
      const whole = planted(one, form)
      if (escaped) {
        const flat = newlines(whole.text)
        return kind === 'json' ? `  "${whole.name}": "${flat}",` : kind === 'rs' ? `const ${upper(whole.name)}: &str = "${flat}";` : `${upper(whole.name)}="${flat}"`
      }
      return FILES[kind].block(r, whole.name, whole.text)
    }
    const whole = planted(one, form)
    if (one.bare) {
      return { js: `const ${camel(whole.name)} = Uint8Array.from(${whole.text})`, ts: `  ${camel(whole.name)}: ${whole.text},`, py: `${snake(whole.name)} = bytes(${whole.text})`, json: `  "${whole.name}": ${whole.text},`, env: `${upper(whole.name)}=${whole.text}` }[kind]
    }
    return FILES[kind].line(r, whole.name, whole.text)
  }

  for (let round = 0; round < rounds; round++) {
    const queue = r.shuffle(kinds.flatMap((one) => Array.from({ length: one.weight ?? (one.tier === 'wallet' || one.tier === 'private-key' ? 3 : 1) }, () => one)))
    while (queue.length > 0) {
      const one = queue.pop()
      const kind = r.pick(one.block ? blockFiles : one.bare ? arrayFiles : lineFiles)
      const form = r.pick(['plain', 'plain', 'plain', 'crlf', 'utf16'])
      const entries = [entry(one, kind, form)]
      // Two more of those that this kind of file can hold.
      for (let i = 0; i < 2 && queue.length > 0; i++) {
        const next = queue.at(-1)
        if ((next.block && !FILES[kind].block) || (next.bare && !arrayFiles.includes(kind))) break
        entries.push(entry(queue.pop(), kind, form))
      }
      place(nameOf(kind, count++), body(kind, entries, form), form === 'utf16' ? 'utf16' : 'utf8')
    }

    const lines = kinds.filter((one) => !one.block && !one.bare)
    const fixed = lines.filter((one) => one.tier === 'provider' && !one.contextual && !one.before)
    // Whatever its name or its format tells.
    const named = lines.filter((one) => one.make && !one.before && one.tier !== 'wallet' && one.tier !== 'password')
    // Whose value is a text that only its name or its format tells.
    const plainValues = [...VALUES.filter((one) => ['password', 'generic'].includes(one.kind)), ...VALUES.filter((one) => ['password', 'generic'].includes(one.kind)), ...fixed.filter((one) => one.make).slice(0, 20)]
    // Files that hold nothing but a key.
    for (const one of kinds.filter((one) => one.block))
      place(`key-${count++}.${one.kind === 'putty' ? 'ppk' : 'pem'}`, planted(one, 'plain').text + '\n')
    // One line of a bundle.
    for (let i = 0; i < 16; i++) {
      const entries = Array.from({ length: 2 }, () => planted(r.pick(lines), 'minified')).map((whole) => [whole.name, whole.text])
      const no = negative()
      entries.push([no.name, no.value.replaceAll('"', "'")])
      place(`bundle-${count++}.min.js`, minified(r, entries))
    }
    // Kubernetes: the whole value in base64.
    for (let i = 0; i < 12; i++) {
      const entries = Array.from({ length: 3 }, () => {
        const one = r.pick([...lines, kinds.find((k) => k.kind === 'password'), kinds.find((k) => k.kind === 'openssh'), kinds.find((k) => k.kind === 'rsa')])
        const parts = one.parts ? one.parts(r) : { value: one.make(r), before: one.before ?? '', after: '' }
        const id = labels.size
        labels.set(id, { kind: one.kind, tier: one.tier, form: 'base64' })
        const twice = r.chance(0.15)
        let text = Buffer.from(parts.before + parts.value + parts.after).toString('base64')
        if (twice) text = Buffer.from(text).toString('base64')
        return `  ${r.pick(one.names)}: ${mark(id, text)}`
      })
      entries.push(`  greeting: ${Buffer.from('hello world, nothing to see').toString('base64')}`)
      place(`secret-${count++}.yaml`, `apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ntype: Opaque\ndata:\n${entries.join('\n')}\n`)
    }
    // In an address, in JSON inside of JSON, and over two lines of a program.
    for (let i = 0; i < 6; i++) {
      const many = Array.from({ length: 2 }, () => planted(r.pick(fixed), 'url', encodeURIComponent))
      place(`access-${count++}.log`, many.map((whole) => `10.0.0.1 - - "GET /cb?next=%2Fhome%3F${whole.name}%3D${whole.text}%26x%3D1 HTTP/1.1" 302 ${r.below(999)}`).join('\n') + '\n')
      const inner = Array.from({ length: 2 }, () => planted(r.pick([...fixed, ...VALUES.filter((v) => v.make && v.kind !== 'jwt')]), 'escaped'))
      place(`event-${count++}.json`, `{"body":"{${inner.map((whole) => `\\"${whole.name}\\":\\"${whole.text}\\"`).join(',')}}"}\n`)
      const halves = Array.from({ length: 2 }, () => {
        const joint = r.pick(["' +\n  '", '" +\n    "', '"\n    "', "' \\\n  '"])
        const quote = joint[0]
        const whole = planted(r.pick(named), 'split', (text) => text.slice(0, text.length >> 1) + joint + text.slice(text.length >> 1))
        return `${camel(whole.name)} = ${quote}${whole.text}${quote}`
      })
      place(`split-${count++}.py`, halves.join('\n') + '\n')
    }
    // Where nothing assigns them: behind a variable that may not be set, in a call, in an element, on the next line.
    for (const [form, kinds] of Object.entries(PLACES)) {
      for (const [kind, write] of kinds) {
        const entries = Array.from({ length: 2 }, () => {
          const one = r.pick(plainValues)
          const whole = planted(one, form, (text) => encoded(form, kind, text))
          return write(r, whole.name, whole.text)
        })
        for (let i = 0; i < 2; i++) {
          const no = negative((one) => !/[\n\\]/.test(one.value) && (!certain(form, kind) || OBVIOUS.includes(one.kind)))
          entries.splice(r.below(entries.length + 1), 0, write(r, no.name, encoded(form, kind, no.value)))
        }
        const file = FILES[kind]
        const text = [file?.head, ...(file ? fillers(kind, 4) : []), ...entries, file?.tail].filter((part) => part !== undefined).join('\n') + '\n'
        place(nameOf(kind, count++), text)
      }
    }
    // A text in hex.
    for (let i = 0; i < 4; i++) {
      const rows = Array.from({ length: 2 }, () => {
        const one = r.pick([...plainValues, ...fixed])
        const id = labels.size
        labels.set(id, { kind: one.kind, tier: one.tier, form: 'hex' })
        const text = `${upper(r.pick(one.names))}=${one.make(r)}\n`
        return `dump ${mark(id, (r.chance(0.3) ? '0x' : '') + Buffer.from(text).toString('hex'))} end`
      })
      rows.push(`dump ${Buffer.from('hello world, there is nothing to be seen in here').toString('hex')} end`, `digest ${r.text('0123456789abcdef', 64)} end`)
      place(`trace-${count++}.txt`, rows.join('\n') + '\n')
    }
    // Passwords on command lines.
    for (let i = 0; i < 4; i++) {
      const letters = { kind: 'pgpassword-letters', tier: 'password', names: ['PGPASSWORD'], make: (r) => r.text('bcdfghjklmnpqrstvwxz', 12) }
      const pwd = { kind: 'password-cli', tier: 'password', names: ['password'], make: password }
      const a = planted(pwd, 'plain')
      const b = planted(letters, 'plain')
      const c = planted(pwd, 'plain')
      place(`deploy-${count++}.sh`, `#!/bin/sh\nmysql -u root -p'${a.text}' orders < dump.sql\nPGPASSWORD=${b.text} psql -h db.acme.io\nsshpass -p '${c.text}' ssh deploy@10.0.0.1\n`)
      const account = { kind: 'service-account', tier: 'private-key', names: ['x'], make: (r) => newlines(keys.rsaPkcs8(r)) + '\\n' }
      const whole = planted(account, 'plain', (text) => text.slice(0, -2))
      place(`account-${count++}.json`, JSON.stringify({ type: 'service_account', project_id: 'acme', private_key_id: r.text('0123456789abcdef', 40), private_key: 'KEY', client_email: 'bot@acme.iam.gserviceaccount.com', client_id: r.text('0123456789', 21) }, null, 2).replace('KEY', () => whole.text + '\\n') + '\n')
    }
  }
  // Nothing but what only looks like one.
  const negatives = []
  for (let round = 0; round < rounds * 10; round++) {
    for (const one of r.shuffle(NEGATIVE_KINDS)) negatives.push(one)
  }
  while (negatives.length > 0) {
    const kind = r.pick(lineFiles)
    const entries = negatives.splice(0, 3).map((one) => FILES[kind].line(r, r.pick(one.names), one.make(r, words)))
    place(nameOf(kind, count++), body(kind, entries, 'plain'))
  }
  return [...labels.values()]
}
export { jwt, session, random }
