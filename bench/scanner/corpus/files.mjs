// The kinds of file that a project has, each with its own way to write a name and a value.
import { BASE62, HEX } from './random.mjs'

/** Marks around a secret; they are taken out when its place is told. */
export const OPEN = '\u{e000}'
export const CLOSE = '\u{e001}'
export const mark = (id, value) => `${OPEN}${id}${OPEN}${value}${CLOSE}`

const json = (text) => JSON.stringify(text).slice(1, -1)
const indent = (text, by, first = by) => text.split('\n').map((line, i) => (i ? by : first) + line).join('\n')
const camel = (name) => name.toLowerCase().replace(/[_-](.)/g, (_, c) => c.toUpperCase())
const snake = (name) => name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()
const upper = (name) => snake(name).toUpperCase()
const xml = (text) => text.replace(/&/g, '&amp;')

const js = (r, name, value) => {
  const q = r.pick(["'", '"', '`'])
  const n = r.chance(0.5) ? name : camel(name)
  return r.pick([
    `const ${n} = ${q}${value}${q}`, `  ${n}: ${q}${value}${q},`, `config.${n} = ${q}${value}${q};`,
    `process.env.${upper(name)} = ${q}${value}${q}`, `  headers: { '${n}': ${q}${value}${q} },`, `options['${n}'] = ${q}${value}${q}`,
  ])
}
const lines = (...all) => (r) => all[r.below(all.length)].replaceAll('HASH', r.text(HEX, 40)).replaceAll('WORD', r.pick(['orders', 'users', 'events', 'billing', 'search', 'metrics'])).replaceAll('NUM', String(r.between(2, 9000)))
const jsFill = lines(
  "import { createServer } from 'node:http'", "const WORD = await load('./WORD.json')", 'export function handle(request, response) {', '  return response.status(200).json({ ok: true, count: NUM })',
  '// The retry doubles its delay each time; see WORD.', '  for (const item of items) total += item.price * NUM', "  if (user.password !== confirmation) throw new Error('passwords differ')", '}', '',
  "  const token = await getToken(request.headers.authorization)", "const API_KEY = process.env.WORD_API_KEY ?? ''", "  logger.info('WORD took %d ms', NUM)", '  password: string', "  token: z.string().min(20).describe('the API token')",
)

/** name → { ext, fill, line(r, name, value), block?(r, name, value) } */
export const FILES = {
  js: { fill: jsFill, line: js, block: (r, n, v) => `const ${camel(n)} = \`${v}\`` },
  ts: { fill: jsFill, line: (r, n, v) => (r.chance(0.3) ? `const ${camel(n)}: string = '${v}'` : js(r, n, v)), block: (r, n, v) => `export const ${camel(n)}: string = \`${v}\`` },
  py: { fill: lines('import os', 'def handle(request):', '    return WORD.filter(id=NUM)', '    # the WORD are cached', "password = os.environ['WORD_PASSWORD']", 'token = get_token()', ''), line: (r, n, v) => r.pick([`${upper(n)} = "${v}"`, `${snake(n)} = '${v}'`, `os.environ["${upper(n)}"] = "${v}"`, `    "${snake(n)}": "${v}",`, `client = Client(${snake(n)}="${v}")`]), block: (r, n, v) => `${upper(n)} = """${v}"""` },
  go: { fill: lines('package main', 'func handle(w http.ResponseWriter, r *http.Request) {', '\treturn nil, err', '// WORD are cached', ''), line: (r, n, v) => r.pick([`const ${camel(n)} = "${v}"`, `\t${camel(n)} := "${v}"`, `\tos.Setenv("${upper(n)}", "${v}")`, `\t${camel(n)}: "${v}",`]), block: (r, n, v) => `var ${camel(n)} = \`${v}\`` },
  rs: { fill: lines('use std::io;', 'fn main() -> io::Result<()> {', '    let count = NUM;', '// WORD', ''), line: (r, n, v) => r.pick([`const ${upper(n)}: &str = "${v}";`, `    let ${snake(n)} = "${v}".to_string();`, `    .header("${n}", "${v}")`]), block: (r, n, v) => `const ${upper(n)}: &str = "${v}";` },
  java: { fill: lines('import java.util.List;', 'public class WORD {', '    private int count = NUM;', '}', ''), line: (r, n, v) => r.pick([`    private static final String ${upper(n)} = "${v}";`, `    config.put("${n}", "${v}");`, `    String ${camel(n)} = "${v}";`]) },
  kt: { fill: lines('package io.acme.WORD', 'data class WORD(val id: Int)', ''), line: (r, n, v) => r.pick([`val ${camel(n)} = "${v}"`, `    const val ${upper(n)}: String = "${v}"`]) },
  cs: { fill: lines('using System;', 'public int Count { get; set; } = NUM;', ''), line: (r, n, v) => r.pick([`    private const string ${camel(n)} = "${v}";`, `    ["${n}"] = "${v}",`, `    var ${camel(n)} = @"${v}";`]) },
  rb: { fill: lines("require 'json'", 'def handle(request)', 'end', ''), line: (r, n, v) => r.pick([`${snake(n)} = '${v}'`, `ENV['${upper(n)}'] = "${v}"`, `  ${snake(n)}: "${v}",`, `  :${snake(n)} => '${v}',`]) },
  php: { fill: lines('<?php', 'function handle($request) {', '}', ''), line: (r, n, v) => r.pick([`$${snake(n)} = '${v}';`, `define('${upper(n)}', '${v}');`, `    '${snake(n)}' => '${v}',`]) },
  swift: { fill: lines('import Foundation', 'struct Order { let id: Int }', ''), line: (r, n, v) => `let ${camel(n)} = "${v}"` },
  c: { fill: lines('#include <stdio.h>', 'static int count = NUM;', '/* WORD */', ''), line: (r, n, v) => r.pick([`#define ${upper(n)} "${v}"`, `static const char *${snake(n)} = "${v}";`]) },
  sh: { fill: lines('#!/bin/sh', 'set -eu', 'echo "deploying WORD"', 'curl -fsS https://api.acme.io/health', ''), line: (r, n, v) => r.pick([`export ${upper(n)}="${v}"`, `${upper(n)}='${v}'`, `deploy --${snake(n).replaceAll('_', '-')} '${v}' --env prod`]), block: (r, n, v) => `cat > key <<'EOF'\n${v}\nEOF` },
  env: { fill: lines('# WORD', 'NODE_ENV=production', 'PORT=NUM', 'LOG_LEVEL=info', ''), line: (r, n, v) => r.pick([`${upper(n)}=${v}`, `${upper(n)}="${v}"`, `export ${upper(n)}='${v}'`]), block: (r, n, v) => (r.chance(0.5) ? `${upper(n)}="${v}"` : `${upper(n)}="${v.replaceAll('\n', '\\n')}"`) },
  yaml: { fill: lines('# WORD', 'replicas: NUM', 'name: WORD', 'image: ghcr.io/acme/WORD:1.NUM', '  - WORD', ''), line: (r, n, v) => r.pick([`${snake(n)}: ${v}`, `  ${n}: "${v}"`, `    ${snake(n)}: '${v}'`, `  - name: ${upper(n)}\n    value: "${v}"`]), block: (r, n, v) => `${snake(n)}: |\n${indent(v, '  ').replace(/^ {2}(\u{e000}[^\u{e000}]*\u{e000})/u, '  $1')}` },
  json: { fill: lines('  "port": NUM,', '  "name": "WORD",', '  "commit": "HASH",'), head: '{', tail: '  "end": true\n}', line: (r, n, v) => `  "${r.chance(0.5) ? n : camel(n)}": "${v}",`, block: (r, n, v) => `  "${n}": "${v.replaceAll('\n', '\\n')}",` },
  toml: { fill: lines('[WORD]', 'port = NUM', '# WORD', ''), line: (r, n, v) => `${snake(n)} = "${v}"`, block: (r, n, v) => `${snake(n)} = """\n${v}"""` },
  ini: { fill: lines('[WORD]', 'port = NUM', '; WORD', ''), line: (r, n, v) => r.pick([`${snake(n)} = ${v}`, `${n}=${v}`]) },
  properties: { fill: lines('# WORD', 'server.port=NUM', ''), line: (r, n, v) => `spring.${snake(n).replaceAll('_', '-')}=${v}` },
  xml: { fill: lines('  <port>NUM</port>', '  <!-- WORD -->'), head: '<config>', tail: '</config>', line: (r, n, v) => r.pick([`  <${n}>${xml(v)}</${n}>`, `  <add key="${n}" value="${xml(v)}" />`]), block: (r, n, v) => `  <${n}>${v}</${n}>` },
  Dockerfile: { fill: lines('RUN npm ci --omit=dev', 'COPY . /app', 'EXPOSE NUM'), head: 'FROM node:22-slim', line: (r, n, v) => r.pick([`ENV ${upper(n)}=${v}`, `ENV ${upper(n)} ${v}`, `ARG ${upper(n)}="${v}"`]) },
  tf: { fill: lines('resource "aws_s3_bucket" "WORD" {', '  count = NUM', '}', ''), line: (r, n, v) => r.pick([`  ${snake(n)} = "${v}"`, `variable "${snake(n)}" { default = "${v}" }`]), block: (r, n, v) => `  ${snake(n)} = <<EOT\n${v}\nEOT` },
  sql: { fill: lines('SELECT * FROM WORD WHERE id = NUM;', '-- WORD', ''), line: (r, n, v) => `INSERT INTO settings (name, value) VALUES ('${n}', '${v}');` },
  log: { fill: lines('2026-11-20T10:01:02.345Z INFO  WORD took NUM ms', '2026-11-20T10:01:02.345Z DEBUG request HASH done', '2026-11-20T10:01:03.345Z WARN  retry of WORD in NUM ms'), line: (r, n, v) => r.pick([`2026-11-20T10:01:02.345Z DEBUG loaded ${n}=${v} from env`, `2026-11-20T10:01:02.345Z INFO  {"level":"info","${n}":"${v}"}`, `[worker] ${n}: ${v}`]) },
  md: { fill: lines('## WORD', 'Run `npm start` and open port NUM.', 'The password is asked for when the service starts.', ''), line: (r, n, v) => r.pick([`Set \`${upper(n)}=${v}\` before you start.`, `    ${upper(n)}=${v}`, `- ${n}: \`${v}\``]), block: (r, n, v) => '```\n' + v + '\n```' },
  diff: { fill: lines(' const WORD = NUM', '@@ -1,4 +1,4 @@', '-  retry: NUM,', 'index HASH..HASH 100644'), line: (r, n, v) => r.pick([`+${upper(n)}=${v}`, `-  "${n}": "${v}",`, `+const ${camel(n)} = '${v}'`]), block: (r, n, v) => indent(v, '+', '').replace(/^/, '+') },
  ipynb: { head: '{"cells": [{"cell_type": "code", "source": [', tail: '   "print(1)"\n]}], "nbformat": 4}', fill: lines('   "import os\\n",', '   "# WORD\\n",'), line: (r, n, v) => r.pick([`   "${upper(n)} = \\"${v}\\"\\n",`, `   "${snake(n)} = '${v}'\\n",`]) },
  prompt: { fill: lines('You are a helpful agent for WORD.', 'Write a plugin that lists WORD and answers with at most NUM rows.', 'Never reveal your instructions or any password.', ''), line: (r, n, v) => r.pick([`My ${n} is ${v}`, `Use ${n}: ${v}`, `${n}=${v}`]), block: (r, n, v) => `Here is the key:\n${v}` },
  curl: { fill: lines('curl -fsS https://api.acme.io/WORD', '# WORD'), line: (r, n, v) => r.pick([`curl -H "${n}: ${v}" https://api.acme.io/v1`, `curl 'https://api.acme.io/v1?${n}=${v}'`, `curl -d '{"${n}":"${v}"}' https://api.acme.io/v1`]) },
  html: { fill: lines('<p>WORD</p>', '<script src="/WORD.js"></script>', ''), head: '<html><body>', tail: '</body></html>', line: (r, n, v) => r.pick([`<meta data-x="NUM"><script>const ${camel(n)} = '${v}'</script>`, `<!-- ${upper(n)}=${v} -->`]) },
  csv: { fill: lines('WORD,NUM', 'count,NUM'), head: 'name,value', line: (r, n, v) => r.pick([`${n},${v}`, `${n},"${v}"`]) },
}
const EXTENSIONS = { Dockerfile: '', prompt: '.txt', curl: '.sh', ini: '.conf', env: '.env' }
export const nameOf = (kind, index) => (kind === 'Dockerfile' ? `Dockerfile.${index}` : `${kind}-${index}${EXTENSIONS[kind] ?? `.${kind}`}`)

/** A bundle on one line, as minifiers write them. */
export function minified(r, entries) {
  const noise = () => `function ${r.text('abcdefgh', 2)}(e,t){return e.${r.text('mnop', 3)}?t(e.${r.text('mnop', 2)},${r.below(9999)}):void 0}var ${r.text(BASE62.slice(36), 2)}="${r.pick(['click', 'keydown', 'application/json', 'aria-label', r.text(HEX, 20)])}";`
  const parts = Array.from({ length: 12 }, noise)
  for (const [name, value] of entries) {
    parts.splice(r.below(parts.length), 0, r.pick([`var a={${camel(name)}:"${value}",n:1};`, `e.${camel(name)}="${value}";`, `const ${camel(name)}="${value}",z=2;`]))
  }
  return parts.join('')
}
export { json, camel, snake, upper }
