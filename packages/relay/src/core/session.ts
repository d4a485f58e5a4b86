/** What a session is: who it belongs to (rule R19) and which allocations it takes (rules R20 to R23). */

/** A username template such as `{expires}:{device}_{kind}_{client}_{account}`, taken apart. */
export interface Template {
  readonly text: string
  /** Literal text before each field, and after the last one. */
  readonly literals: readonly string[]
  readonly fields: readonly string[]
}

/** What follows the first `:` is the device. */
export const DEFAULT_TEMPLATE = '{expires}:{device}'

const FIELD = /\{([a-z][a-zA-Z0-9]*)\}/g

/** Reads a template, or says what is wrong with it. */
export function readTemplate(text: string): Template | { readonly problem: string } {
  const fields = Array.from(text.matchAll(FIELD), (match) => match[1]!)
  const literals = text.split(/\{[a-z][a-zA-Z0-9]*\}/)
  if (fields.length === 0) return { problem: 'has no {field}; {device} is the least it needs' }
  if (new Set(fields).size !== fields.length) return { problem: 'names a field twice' }
  if (!fields.includes('device')) return { problem: 'has no {device}' }
  if (literals.some((literal) => /[{}]/.test(literal))) return { problem: 'has a brace that is no {field}' }
  if (literals.slice(1, -1).includes('')) return { problem: 'has two fields with nothing between them' }
  return { text, literals, fields }
}

/** Who a username stands for. */
export interface Label {
  /** Equal for the allocations that may be one session. */
  readonly key: string
  readonly device: string
  readonly account: string | null
  /** The template's other fields, without `expires`. */
  readonly labels: Readonly<Record<string, string>>
  /** False when the name does not fit the template and is the device as a whole. */
  readonly fits: boolean
}

/** Reads a username by a template. A field ends where the next literal first stands; the last one takes the rest. */
export function labelOf(template: Template, realm: string, username: string): Label {
  const prefix = `${realm.replaceAll('%', '%25').replaceAll('/', '%2F')}/`
  const values = readName(template, username)
  if (values === undefined) return { key: prefix + username, device: username, account: null, labels: {}, fits: false }
  const { expires: _, device = username, account = null, ...labels } = values
  return { key: prefix + keyOf(template, values), device, account, labels, fits: true }
}

/** The template's fields as they stand in the name; undefined when it does not fit. */
export function readName(template: Template, username: string): Record<string, string> | undefined {
  const { fields, literals } = template
  if (!username.startsWith(literals[0]!)) return undefined
  const values: Record<string, string> = {}
  let at = literals[0]!.length
  for (let i = 0; i < fields.length; i++) {
    const literal = literals[i + 1]!
    const last = i === fields.length - 1
    const end = last ? username.length - literal.length : username.indexOf(literal, at)
    if (end < at || !username.startsWith(literal, end)) return undefined
    values[fields[i]!] = username.slice(at, end)
    at = end + literal.length
  }
  return values
}

/** The username with a star for the field that changes from call to call. */
function keyOf(template: Template, values: Readonly<Record<string, string>>): string {
  const parts = template.fields.map(
    (field, i) => template.literals[i]! + (field === 'expires' ? '*' : (values[field] ?? '')),
  )
  return parts.join('') + template.literals.at(-1)!
}

/** What a session needs to know of its allocations to say whether it takes one more. Kept with its row. */
export interface Tally {
  /** One of its allocations has carried; from then on only carriers count. */
  readonly carried: boolean
  /** Allocations that count and are open. */
  readonly open: number
  /** When the last one that counts closed; null while none has, or when times are unknown. */
  readonly lastClosed: number | null
}

/** The tally of a session that begins with this allocation. */
export const firstTally: Tally = { carried: false, open: 1, lastClosed: null }

/** Until when the session accepts; Infinity while something that counts is open or times are unknown (rule R21). */
export function acceptsUntil(tally: Tally, lingerMs: number): number {
  return tally.open > 0 || tally.lastClosed === null ? Number.POSITIVE_INFINITY : tally.lastClosed + lingerMs
}

/** One more allocation opens in the session; it counts only while none has carried. */
export function withOpened(tally: Tally): Tally {
  return tally.carried ? tally : { ...tally, open: tally.open + 1 }
}

/** An allocation of the session starts to carry, closed already when its total was the first to tell. */
export function withCarrier(tally: Tally, closedAt: number | null | undefined): Tally {
  const open = closedAt === undefined ? 1 : 0
  if (!tally.carried) return { carried: true, open, lastClosed: closedAt ?? null }
  return { carried: true, open: tally.open + open, lastClosed: later(tally.lastClosed, closedAt ?? null) }
}

/** An allocation of the session closes at `t`. */
export function withClosed(tally: Tally, isCarrier: boolean, t: number | null): Tally {
  if (tally.carried && !isCarrier) return tally
  return { ...tally, open: tally.open - 1, lastClosed: later(tally.lastClosed, t) }
}

function later(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b)
}
