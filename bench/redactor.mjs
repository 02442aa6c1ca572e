// node bench/redactor.mjs: clean log lines through the redactor, over the border from JavaScript, beside
// secretlint's core in the same process. Medians of five rounds; the addon must be a release build.
import { medians, ours, peers, perCall, perStep, table } from './peers.mjs'

// Lines of about 200 bytes, as servers and workers write them; none has a secret.
const LINES = [
  '2026-11-20T09:14:03.512Z INFO http: GET /api/plugins/weather/versions?limit=20&sort=desc 200 in 13.4 ms, request 7f3c9a1e-52d8-4c1b-9e0f-2a6b8d4c7e10, client 10.4.18.77, agent Mozilla/5.0 (X11; Linux x86_64) ok',
  '{"level":"info","time":1763629443512,"msg":"stage finished","job":"0195f3c2-8a41-7c1e-b2d3-91f00c55aa10","stage":"type-check","ms":1843,"files":27,"warnings":0,"node":"v24.1.0","queue":"default"}',
  '[worker 3] building /var/lib/auton8n/jobs/0195f3c2/package with tsc 5.9.2: src/index.ts, src/actions/forecast.ts, src/providers/location.ts, src/services/weather.ts -> dist (4 files, 0 errors, 1.84 s, 212 MB)',
  'warn: the model answered after 21.3 s with 4096 tokens (prompt 1811, completion 2285), finish reason stop; the answer names 4 files and 2 packages: zod ^4.1.0, undici ^7.3.0; next attempt is not needed here..',
]

const { SecretsScanner } = await ours('api/scanner.js')
// The newest release for Node 20.
const [core, preset] = await peers(['@secretlint/core@11.7.1', '@secretlint/secretlint-rule-preset-recommend@11.7.1'])
const scanner = new SecretsScanner()
const config = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: preset.creator }] }
const lint = (content) =>
  core.lintSource({
    source: { filePath: '/log.txt', content, contentType: 'text', ext: '.txt' },
    options: { config, noPhysicFilePath: true },
  })

const rows = {}
for (const line of LINES) {
  if (scanner.redactSecretsInText(line) !== line) throw new Error('a clean line was changed')
  if ((await lint(line)).messages.length > 0) throw new Error('secretlint finds something in a clean line')
  rows[`${line.length} bytes: ${line.slice(0, 24)}…`] = await medians({
    auton8n: () => perStep(200_000, () => scanner.redactSecretsInText(line)),
    secretlint: () => perCall(500, () => lint(line)),
  })
}
table('A clean log line through the redactor: nanoseconds of wall time', ['auton8n', 'secretlint'], rows)
// secretlint's profiler goes on working for minutes.
process.exit(0)
