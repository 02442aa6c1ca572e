// npm run bench:scanner-accuracy: recall and precision on corpora of our own, beside the peers.
// node bench/scanner/accuracy.mjs [--seeds dev,1,2] [--no-peers] [--misses]
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generate } from './corpus/generate.mjs'
import { build, scan, words } from './ours.mjs'
import { peers } from './peers.mjs'
import { exactness, figures, groups, score } from './score.mjs'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: 'judge-17,judge-18,judge-19' }, 'no-peers': { type: 'boolean' }, misses: { type: 'boolean' }, rounds: { type: 'string', default: '6' } },
})
/** A false finding belongs to the tier of which its rule finds most. */
function tierOf({ hits }) {
  const counts = {}
  for (const [{ tier }, found] of hits) {
    for (const { rule } of found) {
      const tiers = (counts[rule] ??= {})
      tiers[tier] = (tiers[tier] ?? 0) + 1
    }
  }
  return ({ rule }) => Object.entries(counts[rule] ?? { provider: 1 }).sort(([, a], [, b]) => b - a)[0][0]
}
/** And to the form that its file has. */
function formOf(labels) {
  const forms = new Map(labels.map(({ file, form }) => [file, form]))
  return ({ file }) => forms.get(file) ?? 'plain'
}
const percent = (share) => (share * 100).toFixed(2)

if (!process.env.NOBUILD) build()
const list = words()
for (const seed of values.seeds.split(',')) {
  const directory = join(tmpdir(), `auton8n-corpus-${seed}`)
  const labels = generate(directory, seed, list, Number(values.rounds))
  const { secrets } = scan(directory)
  const scored = score(labels, secrets)
  const all = figures(labels, scored)
  const ends = exactness(scored)
  console.log(`\n## Seed ${seed}: ${all.secrets} secrets of ${new Set(labels.map((one) => one.kind)).size} kinds, ${all.wrong} false findings`)
  console.log(`recall ${percent(all.recall)} precision ${percent(all.precision)} F1 ${percent(all.f1)} first character ${percent(ends.first)} last ${percent(ends.last)}`)
  const blamed = { tier: tierOf(scored), form: formOf(labels) }
  for (const field of ['tier', 'form']) {
    const wrong = scored.wrong.map(blamed[field])
    const row = [...groups(labels, scored, field)].map(([name, g]) => {
      const precision = g.found / (g.found + wrong.filter((one) => one === name).length) || 0
      const recall = g.found / g.secrets
      return `${name} ${percent((2 * recall * precision) / (recall + precision) || 0)} (${g.found}/${g.secrets})`
    })
    console.log(`F1 by ${field} (found): ${row.join(', ')}`)
  }
  const weak = [...groups(labels, scored, 'kind')].filter(([, g]) => g.found < g.secrets)
  console.log(`kinds below 100: ${weak.map(([name, g]) => `${name} ${g.found}/${g.secrets}`).join(', ') || 'none'}`)
  const rules = new Map()
  for (const one of secrets) {
    const rule = rules.get(one.rule) ?? { hits: 0, wrong: 0 }
    if (scored.wrong.includes(one)) rule.wrong++
    else rule.hits++
    rules.set(one.rule, rule)
  }
  const precision = [...rules].sort().map(([name, g]) => `${name} ${percent(g.hits / (g.hits + g.wrong))}`)
  console.log(`precision per rule: ${precision.join(', ')}`)
  if (values.misses) {
    for (const one of scored.missed) console.log(`MISSED ${one.kind} ${one.form} ${one.file}:${one.line}:${one.column} ${JSON.stringify(one.value.slice(0, 90))}`)
    for (const one of scored.wrong) console.log(`FALSE ${one.rule} ${one.file}:${one.line}:${one.column} ${JSON.stringify(one.match.slice(0, 90))}`)
    for (const [label, found] of scored.hits)
      if (!found.some((one) => one.line === label.line && one.column === label.column && one.endLine === label.endLine && one.endColumn === label.endColumn))
        console.log(`INEXACT ${label.kind} ${label.form} ${label.file}:${label.line}:${label.column} ${JSON.stringify(label.value.slice(0, 90))} as ${found.map((one) => `${one.rule} ${one.column}-${one.endColumn} ${JSON.stringify(one.match.slice(0, 60))}`)}`)
  }
  if (!values['no-peers']) await peers(directory, labels, list)
}
