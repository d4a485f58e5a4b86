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
  // JSON has no way to say that a number is none.
  if (!isNumber(value.value) && value.value !== null) return false
  return [value.low, value.high].every((one) => isMissing(one) || isNumber(one))
}

function isFinding(value: unknown): boolean {
  if (!isObject(value) || !isText(value.code) || !isText(value.subject) || !isText(value.says)) return false
  if (!['fault', 'warning', 'note'].includes(String(value.severity))) return false
  const isEvidence = (one: unknown) => isObject(one) && isText(one.source) && isText(one.text)
  return isListOf(value.evidence, isEvidence) && isListOf(value.remedy, isText)
}

const isMeasure = (value: unknown) =>
  isObject(value) && isText(value.name) && isText(value.title) && isQuantity(value.quantity)

const checks: Readonly<Record<keyof Report, (value: unknown) => boolean>> = {
  schema: (value) => value === 'fettle.report/1',
  tool: isText,
  subject: isText,
  at: isTextOrNull,
  seconds: (value) => value === null || isNumber(value),
  measures: (value) => isListOf(value, isMeasure),
  tables: Array.isArray,
  findings: (value) => isListOf(value, isFinding),
  unseen: Array.isArray,
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
