// How findings compare with what was planted.
const order = (a, b) => a[0] - b[0] || a[1] - b[1]

/** A finding hits a secret when both overlap; one that hits nothing is false. Positions are [line, column]. */
export function score(labels, findings) {
  const byFile = new Map()
  for (const label of labels) byFile.set(label.file, [...(byFile.get(label.file) ?? []), label])
  const hits = new Map()
  const wrong = []
  for (const found of findings) {
    const from = [found.line, found.column ?? 1]
    const to = [found.endLine ?? found.line, found.endColumn ?? Infinity]
    const overlapping = (byFile.get(found.file) ?? []).filter(
      (label) => order(from, [label.endLine, label.endColumn]) < 0 && order([label.line, label.column], to) < 0,
    )
    if (overlapping.length === 0) wrong.push(found)
    for (const label of overlapping) hits.set(label, [...(hits.get(label) ?? []), found])
  }
  return { hits, wrong, missed: labels.filter((label) => !hits.has(label)) }
}

export function figures(labels, { hits, wrong }) {
  const found = labels.filter((label) => hits.has(label))
  const recall = found.length / labels.length
  const precision = found.length / (found.length + wrong.length) || 0
  return { secrets: labels.length, found: found.length, wrong: wrong.length, recall, precision, f1: (2 * recall * precision) / (recall + precision) || 0 }
}

/** Of the secrets found, the share whose first and whose last character are right. */
export function exactness({ hits }) {
  const all = [...hits]
  const share = (fits) => all.filter(([label, found]) => found.some((one) => fits(label, one))).length / all.length
  return {
    first: share((label, one) => one.line === label.line && one.column === label.column),
    last: share((label, one) => one.endLine === label.endLine && one.endColumn === label.endColumn),
  }
}

/** Recall for each value of a field of the labels. */
export function groups(labels, scored, field) {
  const all = new Map()
  for (const label of labels) {
    const group = all.get(label[field]) ?? { secrets: 0, found: 0 }
    group.secrets++
    if (scored.hits.has(label)) group.found++
    all.set(label[field], group)
  }
  return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)))
}
