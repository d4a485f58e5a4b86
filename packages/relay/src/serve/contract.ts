/**
 * What the HTTP API says, as schemas: the answers are checked against them in tests, the OpenAPI document is made of
 * them, and the console takes its types from here. Times are ISO 8601 in UTC, null when unknown; bytes and packets are
 * whole numbers as coturn counts them; `commit` is the number of the commit that an answer has seen.
 */
import { z } from 'zod'

export * from './contract-reports.ts'

const count = z.int().min(0)
const time = z.iso.datetime()
const timeOrUnknown = time.nullable()

export const counters = z.strictObject({
  receivedBytes: z.int(),
  receivedPackets: z.int(),
  sentBytes: z.int(),
  sentPackets: z.int(),
})

const missing = z.strictObject({ packets: count.nullable(), bytes: count.nullable() })
const quality = z.enum(['exact', 'lower_bound', 'reconstructed', 'ambiguous'])
const end = z.enum(['open', 'deleted', 'expired', 'restarted', 'superseded'])

export const allocation = z.strictObject({
  id: z.string().describe("coturn's 18 digits: unique within one boot of one server"),
  server: z.string().nullable(),
  boot: count.nullable(),
  username: z.string(),
  state: z.enum(['open', 'closed']),
  end,
  quality,
  missing,
  unheard: z.strictObject({ packets: count, bytes: count }),
  quirks: z.array(z.string()),
  startedAt: timeOrUnknown,
  startedBefore: timeOrUnknown,
  goodbyeAt: timeOrUnknown,
  endedAt: timeOrUnknown,
  carries: z.boolean(),
  relaySeconds: z.number().nullable(),
  relaySecondsMax: z.number().nullable(),
  lifetimeSeconds: z.number().nullable(),
  refreshes: count,
  transport: z.string().nullable(),
  clientAddress: z.string().nullable(),
  serverAddress: z.string().nullable(),
  tls: z.string().nullable(),
  origin: z.string().nullable().describe("what the client gave as its ORIGIN; only coturn's log tells"),
  closeReason: z.string().nullable().describe("why coturn closed it; only coturn's log tells"),
  client: counters,
  peer: counters.nullable(),
})

export const session = z.strictObject({
  id: count,
  key: z.string(),
  realm: z.string(),
  device: z.string(),
  account: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  class: z.enum(['relayed', 'unused']),
  quality,
  missing,
  state: z.enum(['open', 'ended', 'final']),
  end,
  revision: count,
  startedAt: timeOrUnknown,
  endedAt: timeOrUnknown,
  durationSeconds: z.number().nullable(),
  relaySeconds: z.number().nullable(),
  relaySecondsMax: z.number().nullable(),
  servers: z.array(z.string()),
  client: counters,
  peer: counters.nullable(),
  allocations: z.array(allocation),
})

/** `next`: the cursor of the next page, null on the last one. */
export const sessionPage = z.strictObject({
  schema: z.literal('fettle.relay.sessions/1'),
  commit: count,
  sessions: z.array(session),
  next: z.string().nullable(),
})

/** Usage of one bucket; `late`: what came after the end of its allocation (rule R15). */
const timelineEntry = z.strictObject({
  at: timeOrUnknown.describe('start of the bucket of 5 minutes'),
  allocation: z.string().describe("coturn's id"),
  side: z.enum(['client', 'peer']),
  late: z.boolean(),
  counters,
})

export const sessionDetail = z.strictObject({ commit: count, session, timeline: z.array(timelineEntry) })

export const allocationPage = z.strictObject({
  commit: count,
  allocations: z.array(
    allocation.extend({
      session: count,
      realm: z.string(),
      device: z.string(),
      account: z.string().nullable(),
    }),
  ),
  next: z.string().nullable(),
})

export const usageBy = z.enum(['account', 'device', 'realm', 'server'])
export const usageBucket = z.enum(['5m', '1h', '1d'])

export const usage = z.strictObject({
  commit: count,
  by: usageBy,
  bucket: usageBucket,
  rows: z.array(
    z.strictObject({
      value: z.string().nullable().describe('the account, device, realm or server; null: none'),
      at: timeOrUnknown.describe('start of the bucket; null: of a recording without times'),
      client: counters,
      peer: counters,
    }),
  ),
  next: z.string().nullable(),
})

export const gapPage = z.strictObject({
  commit: count,
  gaps: z.array(
    z.strictObject({ server: z.string(), beganAt: timeOrUnknown, endedAt: timeOrUnknown, why: z.string() }),
  ),
  next: z.string().nullable(),
})

export const rejectedPage = z.strictObject({
  commit: count,
  rejected: z.array(
    z.strictObject({
      server: z.string(),
      realm: z.string().nullable(),
      username: z.string().nullable().describe('null: the names beyond the limit, together'),
      allocations: count,
      firstAt: timeOrUnknown,
      lastAt: timeOrUnknown,
      client: counters,
      peer: counters,
    }),
  ),
})

export const server = z.strictObject({
  kind: z
    .enum(['coturn', 'redis', 'log'])
    .describe('redis: all that coturns publish there, which are not told apart; log: a log of coturn that is followed'),
  name: z.string(),
  version: z.string().nullable(),
  connected: z.boolean(),
  connections: count,
  boot: count.describe('starts of this coturn that were heard of'),
  lastEventAt: timeOrUnknown,
  allocations: count.describe('open, as counted a second or more ago: it may differ from the totals for a moment'),
  malformed: count,
  gapsToday: count.describe('gaps that ended in the last 24 hours'),
  shared: z.boolean().describe('its line seems to be in use by two coturns'),
})

export const servers = z.strictObject({ commit: count, servers: z.array(server) })

/** Something that is not as it should be: what was seen, and what to do. */
export const finding = z.strictObject({
  code: z.string(),
  level: z.enum(['problem', 'warning']),
  text: z.string(),
  remedy: z.string(),
})

export const rates = z.strictObject({
  receivedBitsPerSecond: z.number().describe('from clients to the relay, by the last report of each allocation'),
  sentBitsPerSecond: z.number(),
})

/** A session on the live page: without its allocations, with its rate. */
export const liveSession = session.omit({ allocations: true, labels: true, key: true, revision: true }).extend({
  allocations: count,
  rates,
})

const liveTotals = z.strictObject({
  sessions: count.describe('open now'),
  allocations: count.describe('open now'),
  rates,
})

const bitsPerSecond = z.array(z.number())

/**
 * Throughput of the client side in bits per second, one value for each time of `stepSeconds`. coturn reports an
 * allocation at every 4096th packet count: a report's bytes are laid out evenly over the time since the one before.
 * `received` and `sent` hold what was reported; the newest times of every allocation that is open are not, and what
 * they may hold comes on top: `receivedAwaited` and `sentAwaited`.
 */
export const chart = z.strictObject({
  from: time.describe('start of the first'),
  stepSeconds: z.number(),
  received: bitsPerSecond,
  sent: bitsPerSecond,
  receivedAwaited: bitsPerSecond.describe('estimated, by the last report of each allocation that is open'),
  sentAwaited: bitsPerSecond,
})

/** The first message of `/v1/live`. `sessions`: the open ones and the last that ended, newest first, at most 500. */
export const liveSnapshot = z.strictObject({
  commit: count,
  at: time,
  totals: liveTotals,
  sessions: z.array(liveSession),
  servers: z.array(server),
  findings: z.array(finding),
  chart: chart.describe('the last hour at most'),
})

/** What has changed since; a session replaces the one with its id, `gone` are no longer shown. */
export const liveChange = z.strictObject({
  commit: count,
  at: time,
  totals: liveTotals,
  sessions: z.array(liveSession),
  gone: z.array(count),
  servers: z.array(server).optional(),
  findings: z.array(finding).optional(),
  chart: chart.optional().describe('replaces all that is known from its start on'),
})

/** An event as coturn said it, from `/v1/events`. */
export const tailEvent = z.strictObject({
  at: time,
  server: z.string(),
  realm: z.string(),
  username: z.string(),
  device: z.string(),
  allocation: z.string(),
  event: z.enum(['new', 'refreshed', 'deleted', 'traffic', 'traffic/peer', 'total', 'total/peer', 'malformed']),
  lifetimeSeconds: z.number().nullable(),
  counters: counters.nullable(),
})

/** RFC 9457. */
export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
})

export const ready = z.strictObject({
  ready: z.boolean(),
  commit: count,
  lagSeconds: z.number().describe('age of the last commit while something waits, else 0'),
  diskFreeBytes: count.nullable(),
  servers: z.array(server.pick({ kind: true, name: true, connected: true, lastEventAt: true })),
  findings: z.array(finding),
})

const totals = z.strictObject({ receivedBytes: count, receivedPackets: count, sentBytes: count, sentPackets: count })

const account = {
  startedAt: timeOrUnknown.describe('null: not told'),
  goodbyeAt: timeOrUnknown,
  endedAt: timeOrUnknown,
  relayedUntil: timeOrUnknown.describe('until when payload was relayed, as far as the source tells'),
  client: totals.describe('over its life'),
  peer: totals.nullable().describe('null: no peer side was reported'),
  closing: z
    .string()
    .max(8192)
    .regex(/^(?:closed |$)/)
    .describe('"closed local=, remote=, reason=, origin=", or empty: not told'),
}

const ONCE = 1000

/** Records to be put right by what a second source heard from their start to their end. */
export const reconciliation = z.strictObject({
  completions: z
    .array(z.strictObject({ allocation: count.describe("the ledger's own number of it"), ...account }))
    .max(ONCE),
  additions: z
    .array(
      z.strictObject({
        stream: count.describe("the ledger's own number of the source that should have heard it"),
        boot: count,
        path: z.base64().max(8192).describe('bytes of "turn/realm/.../allocation/<id>"'),
        ...account,
      }),
    )
    .max(ONCE),
})

const outcome = z.enum(['whole', 'unchanged', 'contradicts', 'not over', 'unknown'])

/** What became of each, in the same order; committed. */
export const reconciled = z.strictObject({ completions: z.array(outcome), additions: z.array(outcome) })

export type Session = z.infer<typeof session>
export type Allocation = z.infer<typeof allocation>
export type Counters = z.infer<typeof counters>
export type SessionPage = z.infer<typeof sessionPage>
export type SessionDetail = z.infer<typeof sessionDetail>
export type AllocationPage = z.infer<typeof allocationPage>
export type Usage = z.infer<typeof usage>
export type GapPage = z.infer<typeof gapPage>
export type RejectedPage = z.infer<typeof rejectedPage>
export type Server = z.infer<typeof server>
export type Servers = z.infer<typeof servers>
export type Finding = z.infer<typeof finding>
export type Rates = z.infer<typeof rates>
export type LiveSession = z.infer<typeof liveSession>
export type Chart = z.infer<typeof chart>
export type LiveSnapshot = z.infer<typeof liveSnapshot>
export type LiveChange = z.infer<typeof liveChange>
export type TailEvent = z.infer<typeof tailEvent>
export type Problem = z.infer<typeof problem>
export type Ready = z.infer<typeof ready>
export type Reconciliation = z.infer<typeof reconciliation>
export type Reconciled = z.infer<typeof reconciled>
