/** A number of a report, in the very words of the command line: a test in the browser holds the two together. */
import type { Quantity } from '@fettle/relay/api'
import { duration, whole } from './format.ts'

/** Decimal steps of 1000, with the prefix of each; the first that leaves at least one digit in front is taken. */
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

type Unit = Quantity['unit']

/** `13.1 us`, `8.37 TB`, `23.7 k/s`, `31.2 %`; null, as JSON has it for what is no number, is unknown. */
export function amount(value: number | null, unit: Unit): string {
  if (value === null || !Number.isFinite(value)) return 'unknown'
  if (unit === 'share') return `${digits(value * 100)} %`
  if (unit === 's') return seconds(value)
  if (unit === '1' && Number.isSafeInteger(value)) return whole(value)
  const [step, prefix] = stepOf(PREFIXES, value)
  return `${digits(value / step)} ${prefix}${unit === '1' ? '' : unit}`.trimEnd()
}

/** `12.7 to 13.5`, with units where they differ; undefined: nobody knows, it was counted, or is no other. */
export function interval({ value, unit, low, high }: Quantity): string | undefined {
  if (low === undefined || high === undefined) return undefined
  const [text, least, most] = [amount(value, unit), amount(low, unit), amount(high, unit)]
  if (least === text && most === text) return undefined
  const name = / \S+$/.exec(text)?.[0] ?? ''
  const isSame = name !== '' && least.endsWith(name) && most.endsWith(name)
  const bare = (end: string) => (isSame ? end.slice(0, -name.length) : end)
  return `${bare(least)} to ${bare(most)}`
}

function seconds(value: number): string {
  if (value < 0) return `-${seconds(-value)}`
  if (value >= 60) return Math.round(value) < 48 * 3600 ? duration(value) : `${digits(value / 86_400)} days`
  const [step, name] = stepOf(SECONDS, value)
  return value === 0 ? '0 s' : `${digits(value / step)} ${name}`
}

type Step = readonly [size: number, name: string]

function stepOf(steps: readonly Step[], value: number): Step {
  return steps.find(([size]) => Math.abs(value) >= size * 0.9995) ?? steps.at(-1)!
}

/** At most three, and no zeros that say nothing. */
function digits(value: number): string {
  const rounded = Number(value.toPrecision(3))
  return Math.abs(rounded) < 1e-3 && rounded !== 0 ? rounded.toExponential(1) : String(rounded)
}
