/** A number with its unit and how sure it is. */
import { counted } from './text.ts'

/**
 * SI without prefixes; `1` is a plain count, `share` a part of a whole from 0 to 1, `/s` of what is counted. A new unit
 * gets its way of being shown below.
 */
export const units = ['s', 'B', '1', 'share', '/s', 'B/s'] as const
export type Unit = (typeof units)[number]

export interface Quantity {
  readonly value: number
  readonly unit: Unit
  /** The interval that holds the true value with 95 % confidence; left out: the value was counted, or nobody knows. */
  readonly low?: number
  readonly high?: number
}

/** Decimal steps of 1000, with the prefix of each; the smallest that leaves at least one digit in front is taken. */
const PREFIXES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
] as const
const SECONDS = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'us'],
  [1e-9, 'ns'],
] as const

/** Three digits, as a bench reads them: `13.1 us`, `8.37 TB`, `23.7 k/s`, `31.2 %`. What was counted stands in full. */
export function quantityText({ value, unit, low, high }: Quantity): string {
  const text = numberText(value, unit)
  if (low === undefined || high === undefined) return text
  const [least, most] = [numberText(low, unit), numberText(high, unit)]
  if (least === text && most === text) return text
  // `31.2 % (29.1 to 33.4)`: the unit stands once where it is the same.
  const name = / \S+$/.exec(text)?.[0] ?? ''
  const isSame = name !== '' && least.endsWith(name) && most.endsWith(name)
  const bare = (end: string) => (isSame ? end.slice(0, -name.length) : end)
  return `${text} (${bare(least)} to ${bare(most)})`
}

function numberText(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return 'unknown'
  if (unit === 'share') return `${digits(value * 100)} %`
  if (unit === 's') {
    if (Math.abs(value) >= 60) return longTime(value)
    const [step, name] = SECONDS.find(([size]) => Math.abs(value) >= size * 0.9995) ?? SECONDS.at(-1)!
    return value === 0 ? '0 s' : `${digits(value / step)} ${name}`
  }
  if (unit === '1' && Number.isSafeInteger(value)) return counted(value)
  const [step, prefix] = PREFIXES.find(([size]) => Math.abs(value) >= size * 0.9995) ?? PREFIXES.at(-1)!
  const name = `${prefix}${unit === '1' ? '' : unit}`
  return `${digits(value / step)}${name === '' ? '' : ` ${name}`}`
}

/** At most three digits, and no zeros that say nothing. */
const digits = (value: number) => {
  const rounded = Number(value.toPrecision(3))
  return Math.abs(rounded) < 1e-3 && rounded !== 0 ? rounded.toExponential(1) : String(rounded)
}

function longTime(seconds: number): string {
  if (seconds < 0) return `-${longTime(-seconds)}`
  const minutes = Math.floor(Math.round(seconds) / 60)
  const two = (value: number) => String(value).padStart(2, '0')
  if (minutes < 60) return `${minutes} min ${two(Math.round(seconds) % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${digits(seconds / 86_400)} days`
}
