/** A report as people read it: numbers first, then what is wrong with what to do, then what nobody could see. */
import { type Quantity, quantityText } from './quantity.ts'
import type { Cell, Evidence, Finding, Report, Table } from './report.ts'
import { plural, printable, table, wrap } from './text.ts'

/** Sentences wider than this are hard to read. */
const WIDTH_MAX = 100
const MARK: Readonly<Record<Finding['severity'], string>> = { fault: 'fault', warning: 'warning', note: 'note' }
const INDENT = 9

/** `width`: columns of the terminal. */
export function reportText(report: Report, width: number): string {
  const narrow = Math.min(width, WIDTH_MAX)
  const parts = [
    headText(report),
    measuresText(report),
    ...report.tables.map((one) => tableText(one, width)),
    report.findings.map((one) => findingText(one, narrow)).join('\n'),
    report.unseen.flatMap(({ what, why }) => wrap(printable(`not seen: ${what}; ${why}`), narrow)).join('\n'),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n\n${verdict(report)}\n`
}

function headText({ tool, subject, at, seconds }: Report): string {
  const when = at === null ? '' : `, ${at.slice(0, 19).replace('T', ' ')} UTC`
  const long = seconds === null ? '' : `, ${quantityText({ value: seconds, unit: 's' })}`
  return printable(`${tool} ${subject}${when}${long}`)
}

function measuresText({ measures }: Report): string {
  const widest = Math.max(0, ...measures.map(({ title }) => title.length))
  return measures.map(({ title, quantity }) => `${title.padEnd(widest)}  ${quantityText(quantity)}`).join('\n')
}

function tableText({ title, columns, rows }: Table, width: number): string {
  const isNumber = (i: number) => rows.some((row) => typeof row[i] === 'object' && row[i] !== null)
  const shown = columns.map(({ title: name, flexible }, i) => ({
    title: name,
    right: isNumber(i),
    ...(flexible === undefined ? {} : { flexible }),
  }))
  const text = table(
    shown,
    rows.map((row) => row.map(cellText)),
    width,
  )
  return `${title}\n${text.trimEnd()}`
}

export function cellText(cell: Cell): string {
  if (cell === null) return '-'
  return typeof cell === 'string' ? printable(cell) : quantityText(cell as Quantity)
}

function findingText(finding: Finding, width: number): string {
  const { severity, subject, says, cause, confidence, evidence, remedy, undo } = finding
  const about = subject === '' ? says : `${subject}: ${says}`
  const why = cause === undefined ? [] : [`${confidence === 'measured' ? '' : `${confidence}: `}${cause}`]
  const lines = [
    ...wrap(printable(about), width - INDENT),
    ...why.flatMap((line) => wrap(printable(line), width - INDENT)),
    ...evidence.flatMap((one) => wrap(printable(evidenceText(one)), width - INDENT - 2).map(indented)),
    ...remedy.flatMap((line) => wrap(printable(`-> ${line}`), width - INDENT - 2).map(indented)),
    ...(undo === undefined ? [] : wrap(printable(`undo: ${undo}`), width - INDENT - 2).map(indented)),
  ]
  return lines.map((line, i) => `${(i === 0 ? MARK[severity] : '').padEnd(INDENT)}${line}`.trimEnd()).join('\n')
}

const evidenceText = ({ source, text }: Evidence) => (text === '' ? source : `${source}: ${text}`)

const indented = (line: string) => `  ${line}`

function verdict({ findings }: Report): string {
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length
  const said = (['fault', 'warning'] as const).flatMap((one) => (count(one) === 0 ? [] : [plural(count(one), one)]))
  return said.length === 0 ? 'No faults or warnings.' : `${said.join(', ')}.`
}
