/** A report that comes from outside: a file that somebody has kept, or changed. */
import { units } from './quantity.ts'
import type { Report } from './report.ts'

type Json = Readonly<Record<string, unknown>>

const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isTextOrNull = (value: unknown) => value === null || isText(value)
const isListOf = (value: unknown, is: (one: unknown) => boolean) => Array.isArray(value) && value.every(is)
const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
const isMissing = (value: unknown) => value === undefined

function isQuantity(value: unknown): boolean {
  if (!isObject(value) || !units.some((unit) => unit === value.unit)) return false
  // JSON has no way to say that a number is none, or has no end.
  const isNumberOrNull = (one: unknown) => one === null || isNumber(one)
  return isNumberOrNull(value.value) && [value.low, value.high].every((one) => isMissing(one) || isNumberOrNull(one))
}

/** In UTC, to the second at least, and a day that there is. */
function isTime(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text)) return false
  const time = new Date(text)
  return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === text.slice(0, 19)
}

const isOneOf = (value: unknown, known: readonly string[]) => known.some((one) => one === value)

function isFinding(value: unknown): boolean {
  if (!isObject(value) || !['code', 'subject', 'says'].every((name) => isText(value[name]))) return false
  if (!isOneOf(value.severity, ['fault', 'warning', 'note'])) return false
  if (!isOneOf(value.confidence, ['measured', 'likely', 'possible'])) return false
  if (![value.cause, value.undo].every((one) => isMissing(one) || isText(one))) return false
  const isEvidence = (one: unknown) => isObject(one) && isText(one.source) && isText(one.text)
  if (!isObject(value.quantities) || !Object.values(value.quantities).every(isQuantity)) return false
  return isListOf(value.evidence, isEvidence) && isListOf(value.remedy, isText)
}

const isTitled = (value: unknown): value is Json => isObject(value) && isText(value.name) && isText(value.title)

const isMeasure = (value: unknown) =>
  isTitled(value) && isQuantity(value.quantity) && (isMissing(value.better) || isOneOf(value.better, ['less', 'more']))

const isCell = (value: unknown) => isTextOrNull(value) || isQuantity(value)

function isTable(value: unknown): boolean {
  if (!isTitled(value) || !Array.isArray(value.columns) || !value.columns.every(isTitled)) return false
  const { length } = value.columns
  return isListOf(value.rows, (row) => isListOf(row, isCell) && (row as unknown[]).length === length)
}

const isUnseen = (value: unknown) => isObject(value) && isText(value.what) && isText(value.why)

const checks: Readonly<Record<keyof Report, (value: unknown) => boolean>> = {
  schema: (value) => value === 'fettle.report/1',
  tool: isText,
  subject: isText,
  at: (value) => value === null || (isText(value) && isTime(value)),
  seconds: (value) => value === null || isNumber(value),
  measures: (value) => isListOf(value, isMeasure),
  tables: (value) => isListOf(value, isTable),
  findings: (value) => isListOf(value, isFinding),
  unseen: (value) => isListOf(value, isUnseen),
}

/** The report, or in a few words why it is none. */
export function readReport(json: string): Report | { readonly problem: string } {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { problem: 'is no JSON' }
  }
  if (!isObject(value)) return { problem: 'is no report' }
  if (!checks.schema(value.schema)) return { problem: 'is no report of this version of fettle (fettle.report/1)' }
  const wrong = Object.entries(checks).find(([name, isRight]) => !isRight(value[name]))
  return wrong === undefined ? (value as unknown as Report) : { problem: `is a damaged report: "${wrong[0]}" is wrong` }
}
