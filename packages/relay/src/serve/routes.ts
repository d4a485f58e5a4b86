/** The routes: one table, of which the server and the OpenAPI document are made. */
import type { ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import type { KeptReports } from '@fettle/check'
import { compare } from '@fettle/report/comparison'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import { accepts } from 'hono/accepts'
import type { z } from 'zod'
import type { Outcomes, Reconciliation } from '../core/reconcile.ts'
import { readReconciliation } from '../reconcile/wire.ts'
import {
  allocationPage,
  gapPage,
  readiness,
  rejectedPage,
  serverList,
  sessionDetail,
  sessionPage,
  usagePage,
} from './answers.ts'
import { reconciliation } from './contract.ts'
import type { EventStreams } from './events.ts'
import { sessionsCsv } from './export.ts'
import type { FactReader } from './facts.ts'
import { isSilent } from './health.ts'
import type { Live } from './live.ts'
import { readMetrics } from './metrics.ts'
import { PROBLEM_TYPE, problemResponse } from './problem.ts'
import {
  allocationsQuery,
  comparisonQuery,
  eventsQuery,
  gapsQuery,
  nothingQuery,
  type QuerySchema,
  reportQuery,
  reportsQuery,
  sessionQuery,
  sessionsQuery,
  usageQuery,
} from './query.ts'
import type { SchemaName } from './schemas.ts'

/** What the routes answer from. */
export interface Sources {
  readonly db: DatabaseSync
  readonly facts: FactReader
  readonly live: Live
  readonly events: EventStreams
  readonly reports: KeptReports
  readonly reconcile: (asked: Reconciliation) => Promise<Outcomes>
  readonly failed: (error: Error) => void
}

export interface Answer {
  readonly status: number
  readonly says: string
  readonly type: string
  /** Of an answer in JSON. */
  readonly schema?: SchemaName
}

export interface Route {
  /** As in OpenAPI: `{name}` is a parameter. */
  readonly path: string
  readonly summary: string
  /** Answers without a token too. */
  readonly open?: boolean
  readonly query: QuerySchema
  /** What is sent with it, as JSON: such a route is a POST, and all others are a GET. */
  readonly body?: { readonly schema: SchemaName; readonly shape: z.ZodType }
  readonly answers: readonly Answer[]
  /** What was asked, the query or the body, has been read by the route's own schema. */
  readonly respond: (sources: Sources, asked: never, context: Context) => Response | Promise<Response>
}

export const methodOf = ({ body }: Route) => (body === undefined ? 'get' : 'post')

function route<S extends QuerySchema>(
  one: Omit<Route, 'query' | 'respond'> & {
    readonly query: S
    readonly respond: (sources: Sources, query: z.output<S>, context: Context) => Response | Promise<Response>
  },
): Route {
  return one
}

function post<S extends z.ZodType>(
  one: Omit<Route, 'query' | 'body' | 'respond'> & {
    readonly body: { readonly schema: SchemaName; readonly shape: S }
    readonly respond: (sources: Sources, body: z.output<S>) => Response | Promise<Response>
  },
): Route {
  return { ...one, query: nothingQuery }
}

const JSON_TYPE = 'application/json'
const CSV_TYPE = 'text/csv'
const STREAM_TYPE = 'text/event-stream'
const TEXT_TYPE = 'text/plain'
const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }

const json = (schema: SchemaName, says: string, status = 200): Answer => ({ status, says, type: JSON_TYPE, schema })

function answer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...HEADERS, 'Content-Type': JSON_TYPE } })
}

function text(body: string, status = 200, type = `${TEXT_TYPE}; charset=utf-8`): Response {
  return new Response(body, { status, headers: { ...HEADERS, 'Content-Type': type } })
}

/** Hands the raw response over to a stream; a HEAD, and a stream too many, are answered as usual. */
function stream(context: Context, streams: Live | EventStreams, begin: (outgoing: ServerResponse) => void): Response {
  if (context.req.raw.method === 'HEAD') {
    return new Response(null, { headers: { ...HEADERS, 'Content-Type': STREAM_TYPE } })
  }
  if (streams.size >= STREAM_CLIENTS_MAX) {
    const detail = `${STREAM_CLIENTS_MAX} clients are following already; close some, or come again later.`
    return problemResponse(503, detail, { 'Retry-After': '30' })
  }
  const outgoing = outgoingOf(context)
  if (outgoing === undefined) throw new Error('a stream of events needs a socket: serve it by listen()')
  begin(outgoing)
  return RESPONSE_ALREADY_SENT
}

const STREAM_CLIENTS_MAX = 1000

function outgoingOf(context: Context): ServerResponse | undefined {
  return (context.env as { outgoing?: ServerResponse } | undefined)?.outgoing
}

function noReport(name: string, problem: string): Response {
  return problemResponse(404, `There is no report ${name}: it ${problem}.`)
}

const PAGED = 'A page may hold fewer than "limit", even none: go on with "cursor" until "next" is null.'

export const routes: readonly Route[] = [
  route({
    path: '/v1/sessions',
    summary: `Sessions, newest first. ${PAGED} "from" and "to" are of a session's start. As text/csv: all of them.`,
    query: sessionsQuery,
    answers: [
      json('SessionPage', 'A page'),
      { status: 200, says: 'All that match, one row each (RFC 4180)', type: CSV_TYPE },
    ],
    respond({ db, failed }, query, context) {
      const supports = [JSON_TYPE, CSV_TYPE]
      if (accepts(context, { header: 'Accept', supports, default: JSON_TYPE }) === JSON_TYPE) {
        return answer(sessionPage(db, query))
      }
      const paged = ['cursor', 'limit'].filter((name) => context.req.query(name) !== undefined)
      if (paged.length > 0) return problemResponse(400, `${paged.join(', ')}: CSV holds all that match; leave it out`)
      return new Response(sessionsCsv(db, query, outgoingOf(context), failed), {
        headers: {
          ...HEADERS,
          'Content-Type': `${CSV_TYPE}; charset=utf-8; header=present`,
          'Content-Disposition': 'attachment; filename="sessions.csv"',
        },
      })
    },
  }),
  route({
    path: '/v1/sessions/{id}',
    summary: 'One session, and what its allocations counted in each bucket of 5 minutes (the last 20000 of them)',
    query: sessionQuery,
    answers: [json('SessionDetail', 'The session')],
    respond({ db }, { id }) {
      const found = sessionDetail(db, id)
      return found === undefined ? problemResponse(404, `There is no session ${id}.`) : answer(found)
    },
  }),
  route({
    path: '/v1/allocations',
    summary: `Allocations that belong to sessions, newest first. ${PAGED}`,
    query: allocationsQuery,
    answers: [json('AllocationPage', 'A page')],
    respond: ({ db }, query) => answer(allocationPage(db, query)),
  }),
  route({
    path: '/v1/usage',
    summary:
      'What was counted by whom and when, oldest first: sums over buckets of 5 minutes that begin in [from, to). ' +
      'What is open now is in it up to its last report, so the sums are the counters. ' +
      PAGED,
    query: usageQuery,
    answers: [json('Usage', 'A page')],
    respond: ({ db }, query) => answer(usagePage(db, query)),
  }),
  route({
    path: '/v1/gaps',
    summary: 'Times in which events may have been lost, newest first',
    query: gapsQuery,
    answers: [json('GapPage', 'A page')],
    respond: ({ db }, query) => answer(gapPage(db, query)),
  }),
  route({
    path: '/v1/rejected',
    summary: 'What was reported under names that never proved real: the 5000 with most bytes',
    query: nothingQuery,
    answers: [json('RejectedPage', 'All of it')],
    respond: ({ db }) => answer(rejectedPage(db)),
  }),
  route({
    path: '/v1/servers',
    summary: 'The coturns that may report',
    query: nothingQuery,
    answers: [json('Servers', 'All of them')],
    respond: ({ facts }) => answer(serverList(facts)),
  }),
  route({
    path: '/v1/live',
    summary:
      'What is open now, as it changes: "event: snapshot" (LiveSnapshot), then "event: change" (LiveChange). The id ' +
      'is the commit. A client that comes again gets a new snapshot.',
    query: nothingQuery,
    answers: [{ status: 200, says: 'Server-sent events', type: STREAM_TYPE }],
    respond: ({ live }, _query, context) => stream(context, live, (outgoing) => live.add(outgoing)),
  }),
  route({
    path: '/v1/events',
    summary:
      'Events as coturn says them (TailEvent). "event: dropped" tells how many are missing because the meter or the ' +
      'client could not keep up: {"dropped": 12}.',
    query: eventsQuery,
    answers: [{ status: 200, says: 'Server-sent events', type: STREAM_TYPE }],
    respond: ({ events }, { device }, context) => stream(context, events, (outgoing) => events.add(outgoing, device)),
  }),
  route({
    path: '/v1/reports',
    summary: `Reports that were kept by "--save", newest first. ${PAGED}`,
    query: reportsQuery,
    answers: [json('ReportPage', 'A page')],
    respond: async ({ reports }, { cursor, ...query }) => answer(await reports.list({ ...query, before: cursor })),
  }),
  route({
    path: '/v1/reports/compare',
    summary: 'What changed between two reports of the same tool and subject, and whether that is more than noise',
    query: comparisonQuery,
    answers: [
      json('Comparison', 'The comparison'),
      { status: 404, says: 'There is no such report', type: PROBLEM_TYPE, schema: 'Problem' },
    ],
    respond({ reports }, query) {
      const [before, after] = [reports.load(query.before), reports.load(query.after)]
      if ('problem' in before) return noReport(query.before, before.problem)
      if ('problem' in after) return noReport(query.after, after.problem)
      const comparison = compare(before.report, after.report)
      if ('schema' in comparison) return answer(comparison)
      return problemResponse(400, `These reports cannot be compared: ${comparison.problem}.`)
    },
  }),
  route({
    path: '/v1/reports/{name}',
    summary: 'One report, as it was kept',
    query: reportQuery,
    answers: [json('Report', 'The report')],
    respond({ reports }, { name }) {
      const found = reports.load(name)
      return 'problem' in found ? noReport(name, found.problem) : text(found.text, 200, JSON_TYPE)
    },
  }),
  post({
    path: '/v1/reconcile',
    summary:
      'Puts records right by what a second source, such as the log of a coturn, heard of them. ' +
      'What is known is never changed, so sending it twice changes nothing. `fettle relay reconcile` makes it.',
    body: { schema: 'Reconciliation', shape: reconciliation },
    answers: [json('Reconciled', 'What became of each; committed')],
    respond: async ({ reconcile }, asked) => answer(await reconcile(readReconciliation(asked))),
  }),
  route({
    path: '/healthz',
    summary: 'Whether the meter runs',
    open: true,
    query: nothingQuery,
    answers: [
      { status: 200, says: 'ok', type: TEXT_TYPE },
      { status: 503, says: 'its thread has said nothing for 10 s', type: TEXT_TYPE },
    ],
    respond: ({ facts }) => (isSilent(facts.glance()) ? text('the meter is stuck\n', 503) : text('ok\n')),
  }),
  route({
    path: '/readyz',
    summary: 'Whether the meter can do its work, and what is not as it should be',
    open: true,
    query: nothingQuery,
    answers: [
      json('Ready', 'It can'),
      json('Ready', 'It cannot', 503),
      { status: 503, says: 'The ledger cannot be read', type: PROBLEM_TYPE, schema: 'Problem' },
    ],
    async respond({ facts, failed }) {
      try {
        const ready = await readiness(facts)
        return answer(ready, ready.ready ? 200 : 503)
      } catch (error) {
        failed(error as Error)
        const remedy = 'Look at the disk; when the file is damaged, restore it from a backup while no meter runs.'
        return problemResponse(503, `The ledger cannot be read: ${(error as Error).message}. ${remedy}`)
      }
    },
  }),
  route({
    path: '/metrics',
    summary: 'Metrics in the text form of Prometheus',
    query: nothingQuery,
    answers: [{ status: 200, says: 'All of them', type: TEXT_TYPE }],
    async respond({ db, facts }) {
      const { text: body, type } = await readMetrics(db, facts)
      return text(body, 200, type)
    },
  }),
]
