/** What was found, as data: the same for every tool. */

export { type Change, type Comparison, compare } from './compare.ts'
export { type Quantity, quantityText, type Unit, units } from './quantity.ts'
export { readReport } from './read.ts'
export { cellText, reportText } from './render.ts'
export { comparisonText } from './render-comparison.ts'
export {
  type Cell,
  type Column,
  type Evidence,
  type Finding,
  isClean,
  type Judgement,
  type Measure,
  note,
  type Report,
  reportOf,
  type Table,
  type Unseen,
} from './report.ts'
export {
  counted,
  duration,
  jsonText,
  plural,
  printable,
  shortened,
  size,
  type TableColumn,
  table,
  wrap,
} from './text.ts'
