/** Looks at usernames and says which template they might follow. The operator decides: parts have neutral names. */
import { labelOf, readTemplate, type Template } from './core/session.ts'

/** A field of a suggested template, and some of what stood there. */
export interface SuggestedPart {
  readonly name: string
  /** Different values, as they came: untrusted. */
  readonly examples: readonly string[]
}

export interface Suggestion {
  readonly template: string
  /** How many of the usernames fit it, 0 to 1. */
  readonly share: number
  readonly parts: readonly SuggestedPart[]
}

const SHARE_MIN = 0.8
const EXAMPLES = 3
/** More parts than this are no structure but somebody's prose. */
const PARTS_MAX = 8
const NAME_MAX = 256

/** Inside of these a separator separates nothing: UUIDs, IPv4 addresses, mail addresses. */
const WHOLE = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{1,3}(?:\.\d{1,3}){3}|[^:_@\s]+@[\w-]+(?:\.[\w-]+)+/gi
/** Seconds since the epoch, from 2001 to 2100, or milliseconds. */
const UNIX_TIME = /^[1-3]\d{9}(?:\d{3})?$|^40\d{8}$/

/** All at once first; a dash and a dot stand within names the most often, so they are given up first. */
const SEPARATORS = [':_-.', ':_-', ':_.', ':_', ':-.', '_-.', ':-', ':.', '_-', '_.', '-.', ':', '_', '-', '.']

/** The template that at least 80 % of the usernames share the shape of, with `{expires}` where a unix time stands. */
export function suggestTemplate(usernames: readonly string[]): string | undefined {
  return suggest(usernames)?.template
}

/** The same with what each part looks like; undefined when the names have no shape in common. */
export function suggest(usernames: readonly string[]): Suggestion | undefined {
  const names = Array.from(new Set(usernames), markBreaks)
  for (const separators of SEPARATORS) {
    const shape = commonShape(names, separators)
    const suggestion = shape === undefined ? undefined : suggestionOf(names, separators, shape)
    if (suggestion !== undefined) return suggestion
  }
  return undefined
}

interface Name {
  readonly text: string
  /** Where separators stand that may separate. */
  readonly breaks: readonly number[]
}

function markBreaks(text: string): Name {
  // A longer one is counted and has no shape.
  if (text.length > NAME_MAX) return { text, breaks: [] }
  const covered = text.replaceAll(WHOLE, (whole) => 'x'.repeat(whole.length))
  return { text, breaks: Array.from(covered.matchAll(/[:_.-]/g), ({ index }) => index) }
}

const breaksAt = ({ text, breaks }: Name, separators: string) => breaks.filter((at) => separators.includes(text[at]!))

/** The separators of a name, in order. */
const shapeOf = (name: Name, separators: string) =>
  breaksAt(name, separators)
    .map((at) => name.text[at])
    .join('')

function valuesOf(name: Name, separators: string): string[] {
  const breaks = breaksAt(name, separators)
  return [...breaks, name.text.length].map((end, i) => name.text.slice(i === 0 ? 0 : breaks[i - 1]! + 1, end))
}

/** The shape of at least 80 % of the names, in which each of the separators stands. */
function commonShape(names: readonly Name[], separators: string): string | undefined {
  const counts = new Map<string, number>()
  for (const name of names) {
    const shape = shapeOf(name, separators)
    counts.set(shape, (counts.get(shape) ?? 0) + 1)
  }
  const [shape, count] = Array.from(counts).reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0] as const)
  const isWhole = shape.length < PARTS_MAX && Array.from(separators).every((one) => shape.includes(one))
  return isWhole && count >= names.length * SHARE_MIN ? shape : undefined
}

function suggestionOf(names: readonly Name[], separators: string, shape: string): Suggestion | undefined {
  const rows = names
    .filter((name) => shapeOf(name, separators) === shape)
    .map((name) => ({ text: name.text, values: valuesOf(name, separators) }))
  const columns = Array.from({ length: shape.length + 1 }, (_, i) => rows.map(({ values }) => values[i]!))
  const fields = nameFields(columns)
  if (fields === undefined) return undefined
  const template = readTemplate(fields.map((field, i) => `{${field}}${shape[i] ?? ''}`).join(''))
  if ('problem' in template) return undefined
  // The meter ends a field where the next separator first stands, be that within a UUID.
  const share = rows.filter(({ text, values }) => isReadAs(template, text, values)).length / names.length
  if (share < SHARE_MIN) return undefined
  const parts = fields.map((name, i) => ({ name, examples: Array.from(new Set(columns[i])).slice(0, EXAMPLES) }))
  return { template: template.text, share, parts }
}

function isReadAs(template: Template, username: string, values: readonly string[]): boolean {
  const { device, labels } = labelOf(template, '', username)
  return template.fields.every((field, i) => {
    if (field === 'expires') return true
    return values[i] === (field === 'device' ? device : labels[field])
  })
}

/** `expires`, `device`, `part2`, ...; the device is the first other part that is not the same in all names. */
function nameFields(columns: readonly (readonly string[])[]): string[] | undefined {
  const isTime = (column: readonly string[]) =>
    column.filter((value) => UNIX_TIME.test(value)).length >= column.length * SHARE_MIN
  const expires = columns.findIndex(isTime)
  const others = columns.map((_, i) => i).filter((i) => i !== expires)
  const device = others.find((i) => new Set(columns[i]).size > 1) ?? others[0]
  if (device === undefined) return undefined
  let number = 1
  return columns.map((_, i) => {
    if (i === expires) return 'expires'
    return i === device ? 'device' : `part${++number}`
  })
}
