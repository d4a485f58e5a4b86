/** A comparison as people read it: what changed, by how much, and whether that is more than noise. */
import type { Change, Comparison } from './compare.ts'
import { type Quantity, quantityText } from './quantity.ts'
import type { Finding } from './report.ts'
import { printable, table, wrap } from './text.ts'

const words: Readonly<Record<Change['verdict'], string>> = {
  better: 'better',
  worse: 'worse',
  different: 'different',
  noise: 'no more than noise',
  same: 'the same',
  unknown: 'not known how sure',
}

const columns = [
  { title: 'MEASURE', flexible: true },
  { title: 'BEFORE', right: true },
  { title: 'AFTER', right: true },
  { title: 'CHANGE', right: true },
  { title: '' },
]

/** `width`: columns of the terminal. */
export function comparisonText(comparison: Comparison, width: number): string {
  const { tool, subject, before, after, changes, gone, come, stayed } = comparison
  const time = (at: string | null) =>
    at === null ? 'a time that is not told' : `${at.slice(0, 19).replace('T', ' ')} UTC`
  const head = wrap(printable(`${tool} ${subject}: ${time(before)} and ${time(after)}`), width)
  const rows = changes.map(({ title, before: a, after: b, change, verdict }) => [
    printable(title),
    short(a),
    short(b),
    change === null ? '-' : signed(change),
    words[verdict],
  ])
  const parts = [
    head.join('\n'),
    rows.length === 0 ? '' : table(columns, rows, width).trimEnd(),
    findingsText('gone', gone, width),
    findingsText('new', come, width),
    findingsText('still there', stayed, width),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const short = ({ value, unit }: Quantity) => quantityText({ value, unit })

function signed(change: Quantity): string {
  const text = short(change)
  return change.value > 0 ? `+${text}` : text
}

function findingsText(title: string, findings: readonly Finding[], width: number): string {
  const indent = '  '
  const lines = findings.flatMap(({ subject, says }) =>
    wrap(printable(subject === '' ? says : `${subject}: ${says}`), width - indent.length).map((line) => indent + line),
  )
  return lines.length === 0 ? '' : [title, ...lines].join('\n')
}
