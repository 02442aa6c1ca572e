// Makes src/dependencies/tests/ranges.json: what npm's own `semver` says of many ranges and versions.
import { writeFileSync } from 'node:fs'
import semver from 'semver'

const numbers = ['0.0.0', '0.0.1', '0.0.9', '0.1.0', '0.1.5', '0.2.0', '0.9.9', '1.0.0', '1.0.1', '1.1.0', '1.2.0', '1.2.3', '1.2.4', '1.3.0', '1.9.9', '2.0.0', '2.0.1', '2.1.0', '2.3.4', '3.0.0', '10.0.0', '11.22.33']
const tags = ['', '-0', '-alpha', '-alpha.1', '-beta.2', '-rc.1']
const versions = numbers.flatMap((number) => tags.map((tag) => number + tag)).filter((text) => semver.valid(text))

const bases = ['0', '0.0', '0.0.1', '0.1', '0.1.0', '0.1.5', '1', '1.0', '1.0.0', '1.2', '1.2.3', '1.2.3-alpha.1', '1.2.3-beta.2', '2.0.0-rc.1', '2', '2.x', '1.2.x', 'x', '*', '10.0.0']
const operators = ['', '^', '~', '>', '>=', '<', '<=', '=', '~>', '^ ', '>= ', 'v', '=v']
const ranges = new Set(operators.flatMap((operator) => bases.map((base) => operator + base)))
for (const low of ['0.1', '1.0.0', '1.2.3-alpha.1', '1']) {
  for (const high of ['1.2', '2.0.0', '2', '10.x']) {
    ranges.add(`${low} - ${high}`)
    ranges.add(`>=${low} <${high}`)
    ranges.add(`>${low} <=${high}`)
    ranges.add(`^${low} || ^${high}`)
    ranges.add(`${low}||${high}`)
  }
}
for (const odd of ['', ' ', '||', '1.2.3 ', ' ^1.2.3', '>=1.0.0  <2.0.0', '>1 <1', '^1.2.3 || >=3', '1.2.3 1.2.3', 'latest', 'foo', '1.2.3.4', '>=', '^', 'a.b.c', '1.2.3-', '^1.2.3+build', '<0.0.0-0', '>=0.0.0-0', '^0.0.0', '~0', '1.x.x', '1.*', '^*', '>*', '<*', '>x', '>=1.2.3-beta.2 <2']) ranges.add(odd)

const table = {
  versions,
  ranges: [...ranges].map((range) => {
    if (semver.validRange(range) === null) return [range, null]
    return [range, versions.flatMap((version, index) => (semver.satisfies(version, range) ? [index] : []))]
  }),
}
const lines = table.ranges.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')
const text = `{\n  "versions": ${JSON.stringify(versions)},\n  "ranges": [\n${lines}\n  ]\n}\n`
writeFileSync(new URL('../src/dependencies/tests/ranges.json', import.meta.url), text)
process.stdout.write(`${table.ranges.length} ranges over ${versions.length} versions, by semver ${semver.SEMVER_SPEC_VERSION}\n`)
