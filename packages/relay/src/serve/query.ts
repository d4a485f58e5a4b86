/** What is asked for, read whole from the address: a value, or everything that is wrong with it. */
import { z } from 'zod'
import type { IdRange } from '../store/queries.ts'
import type { UsagePosition } from '../store/queries-usage.ts'
import { reportName, usageBucket, usageBy } from './contract.ts'

// The description of a parameter is also what is said when its value is wrong: "give ...".

const name = z.string().max(4096)
const id = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)
const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform((text) => Date.parse(text))
const yes = z.enum(['true', 'false']).transform((text) => text === 'true')
const NEXT = 'the "next" of the page before, as it is'
const cursor = id.optional().describe(NEXT)
const limit = z.coerce.number().int().min(1).max(1000).default(100).describe('a whole number from 1 to 1000')
const from = instant.optional().describe('an ISO 8601 time such as 2026-01-31T00:00:00Z, with + written as %2B')
const to = instant.optional().describe('an ISO 8601 time such as 2026-02-01T00:00:00Z; what is at it is left out')

/** What is left of a range as a cursor. */
export function writeRange({ low, high }: IdRange): string {
  return `${high}-${low}`
}

const rangeCursor = z
  .string()
  .regex(/^\d{1,15}-\d{1,15}$/)
  .transform((text): IdRange => {
    const [high, low] = text.split('-').map(Number) as [number, number]
    return { low, high }
  })

/** A time that ends before it begins is a mistake, not an empty answer. */
function inOrder(query: { readonly from?: number | undefined; readonly to?: number | undefined }): boolean {
  return query.from === undefined || query.to === undefined || query.from < query.to
}
const outOfOrder = { error: '"from" is not before "to"; give an earlier "from" or a later "to"' }

const exact = (what: string) => name.optional().describe(`the exact name of ${what}`)

export const nothingQuery = z.strictObject({})

export const sessionsQuery = z
  .strictObject({
    state: z.enum(['open', 'ended', 'final']).optional().describe('open, ended or final'),
    live: yes.optional().describe('true for those in which something that counts is open, false for the others'),
    device: exact('a device'),
    account: exact('an account'),
    realm: exact('a realm'),
    server: exact('a server'),
    class: z.enum(['relayed', 'unused']).optional().describe('relayed or unused'),
    from,
    to,
    cursor: rangeCursor.optional().describe(NEXT),
    limit,
  })
  .refine(inOrder, outOfOrder)

export const sessionQuery = z.strictObject({ id: id.describe('the id of a session, a whole number') })

export const allocationsQuery = z.strictObject({
  open: yes.optional().describe('true for those that are open, false for the others'),
  device: exact('a device'),
  server: exact('a server'),
  session: id.optional().describe('the id of a session, a whole number'),
  cursor,
  limit,
})

/** The position as a cursor that no one needs to read. */
export function writePosition({ at, value }: UsagePosition): string {
  return Buffer.from(JSON.stringify([at, value])).toString('base64url')
}

const position = z.tuple([z.int().min(-1), z.string().nullable()])

const usageCursor = z
  .string()
  .max(10_000)
  .transform((text, context): UsagePosition => {
    const parsed = position.safeParse(parse(Buffer.from(text, 'base64url').toString()))
    if (parsed.success) return { at: parsed.data[0], value: parsed.data[1] }
    context.addIssue('is no position')
    return z.NEVER
  })

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const usageQuery = z
  .strictObject({
    by: usageBy.default('account').describe('account, device, realm or server'),
    bucket: usageBucket.default('1d').describe('5m, 1h or 1d (days of UTC)'),
    from,
    to,
    cursor: usageCursor.optional().describe(NEXT),
    limit,
  })
  .refine(inOrder, outOfOrder)

export const gapsQuery = z.strictObject({ cursor, limit })

export const eventsQuery = z.strictObject({ device: exact('a device') })

export const reportsQuery = z.strictObject({
  tool: exact('a tool'),
  subject: exact('what was looked at'),
  cursor: reportName.optional().describe(NEXT),
  limit,
})

const reported = reportName.describe('the name of a report, as the list has it')

export const reportQuery = z.strictObject({ name: reported })

export const comparisonQuery = z.strictObject({ before: reported, after: reported })

export type QuerySchema = z.ZodObject

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly string[] }

const SHOWN_MAX = 80

/** Reads the parameters, those of the path among them. */
export function readQuery<S extends QuerySchema>(
  schema: S,
  search: URLSearchParams,
  path: Readonly<Record<string, string>>,
): Reading<z.output<S>> {
  const given = { ...Object.fromEntries(search), ...path }
  const repeated = Object.keys(given).filter((key) => search.getAll(key).length + Number(Object.hasOwn(path, key)) > 1)
  const read = schema.safeParse(given)
  const faults = [
    ...repeated.map((key) => `${shown(key)}: is given more than once; give it once`),
    ...(read.success ? [] : read.error.issues.flatMap((issue) => faultsOf(schema, given, issue))),
  ]
  if (read.success && faults.length === 0) return { ok: true, value: read.data }
  return { ok: false, faults }
}

function faultsOf(schema: QuerySchema, given: Readonly<Record<string, string>>, issue: z.core.$ZodIssue): string[] {
  const known = Object.keys(schema.shape)
  if (issue.code === 'unrecognized_keys') {
    const remedy = known.length === 0 ? 'leave it out' : `known are ${known.join(', ')}`
    return issue.keys.map((key) => `${shown(key)}: is not known here; ${remedy}`)
  }
  const key = String(issue.path[0] ?? '')
  if (key === '') return [issue.message]
  const field = schema.shape[key] as z.ZodType | undefined
  return [`${key} ${shown(given[key] ?? '')}: give ${field?.description ?? 'another value'}`]
}

function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
}
