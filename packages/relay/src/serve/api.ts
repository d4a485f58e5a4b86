/** The HTTP API of a running meter, and the page: from request to response, without a socket. */
import { KeptReports } from '@fettle/check'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Outcomes, Reconciliation } from '../core/reconcile.ts'
import type { SinkStatus } from '../sink/sink.ts'
import { openReader } from '../store/queries.ts'
import { checkHost, checkOrigin, createTokenCheck } from './auth.ts'
import type { TailEvent } from './contract.ts'
import { EventStreams } from './events.ts'
import { FactReader } from './facts.ts'
import { Live } from './live.ts'
import { openApi } from './openapi.ts'
import { readPage } from './page.ts'
import { problemResponse } from './problem.ts'
import { readQuery } from './query.ts'
import { methodOf, type Route, routes, type Sources } from './routes.ts'
import type { MeterStatus } from './status.ts'

export interface ApiOptions {
  /** The ledger, which the API reads by a connection of its own. */
  readonly file: string
  /** The data folder, for the room on its disk and the reports that are kept there. */
  readonly data: string
  /** The bearer token; '' asks for none, which is for loopback only. */
  readonly token: string
  /** What the meter's thread said last. */
  readonly status: () => MeterStatus | undefined
  /** How the row sink is; null: there is none. */
  readonly sink?: () => SinkStatus | null
  /** Calls after commits, at most four times a second; returns what ends it. */
  readonly onCommit: (listener: () => void) => () => void
  /** Puts records right; resolves when that is committed. */
  readonly reconcile: (asked: Reconciliation) => Promise<Outcomes>
  /** Gives events as they come, and how many were left out, until it is ended. */
  readonly onEvents: (listener: (events: readonly TailEvent[], dropped: number) => void) => () => void
  /** Folder of the built page, served without a token; undefined: it is not built. */
  readonly console: string | undefined
  readonly now: () => number
  /** Something failed that the client is told nothing about but that it did. */
  readonly failed?: (error: Error) => void
}

export interface Api {
  /** `env`: what @hono/node-server gives with a request; the streams of events need it. */
  readonly fetch: (request: Request, env?: unknown) => Response | Promise<Response>
  /** Ends the streams and closes the ledger. */
  close(): void
}

const VERSION = '1.0.0'
const DOCUMENT = '/v1/openapi.json'

/** Throws when the ledger cannot be opened. */
export function createApi(options: ApiOptions): Api {
  const { file, token, failed = () => {} } = options
  const db = openReader(file)
  const facts = new FactReader({ ...options, db })
  const sources: Sources = {
    db,
    reconcile: options.reconcile,
    facts,
    live: new Live({ db, facts, onCommit: options.onCommit, failed }),
    events: new EventStreams(options.onEvents),
    reports: new KeptReports(options.data),
    failed,
  }
  const app = new Hono()
  const few = atMost(UNDER_WAY_MAX)
  const checkToken = createTokenCheck(token)
  app.use(async (context, next) => {
    const refused = token === '' ? checkHost(context.req.raw) : undefined
    return refused ?? next()
  })
  for (const place of ['/v1/*', '/metrics']) {
    app.use(place, async (context, next) => {
      const { path, raw } = context.req
      const refused = path === DOCUMENT ? undefined : (checkOrigin(raw) ?? checkToken(raw))
      return refused ?? next()
    })
  }
  app.use('/v1/reports/*', atMost(READING_MAX))
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1')
    if (methodOf(route) === 'get') app.get(path, (context) => respond(route, sources, context))
    else {
      app.post(path, few, limited, (context) => take(route, sources, context))
      app.all(path, ({ req }) => notAllowed(req.method, 'POST'))
    }
  }
  const document = JSON.stringify(openApi(routes, VERSION))
  app.get(DOCUMENT, () => new Response(document, { headers: { 'Content-Type': 'application/json' } }))
  const page = readPage(options.console)
  app.get('*', (context) => page(context.req.path) ?? notFound(context))
  app.all('*', ({ req }) => notAllowed(req.method, 'GET', 'GET, HEAD'))
  app.onError((error) => {
    failed(error)
    return problemResponse(500, 'The meter could not answer this. Its log says why.')
  })
  return {
    fetch: (request, env) => app.fetch(request, env as object | undefined),
    close() {
      sources.live.close()
      sources.events.close()
      if (db.isOpen) db.close()
    },
  }
}

function respond(route: Route, sources: Sources, context: Context): Response | Promise<Response> {
  const query = readQuery(
    route.query,
    new URL(context.req.url).searchParams,
    context.req.param() as Record<string, string>,
  )
  if (!query.ok) return problemResponse(400, query.faults.join('\n'))
  return route.respond(sources, query.value as never, context)
}

/** Requests that are being done, each with all that was sent: they wait for the store. */
const UNDER_WAY_MAX = 16

/** Requests for reports, each with up to two of them in memory. */
const READING_MAX = 4

function atMost(most: number): MiddlewareHandler {
  let underWay = 0
  return async (_context, next) => {
    if (underWay >= most) return problemResponse(503, `${most} are being done already.`, { 'Retry-After': '30' })
    underWay++
    try {
      return await next()
    } finally {
      underWay--
    }
  }
}

const BODY_MAX = 4_000_000

const limited = bodyLimit({
  maxSize: BODY_MAX,
  onError: () => problemResponse(413, `That is more than ${BODY_MAX} bytes; send less at once.`),
})

/** A page of somebody else's may send a form or a text without asking; JSON only if it is let, and it is not. */
async function take(route: Route, sources: Sources, { req }: Context): Promise<Response> {
  if (!/^application\/json *(;|$)/i.test(req.header('content-type') ?? '')) {
    return problemResponse(415, 'Send "Content-Type: application/json" and JSON.')
  }
  let body: unknown
  try {
    body = await req.json()
  } catch {
    return problemResponse(400, 'What was sent is no JSON.')
  }
  const read = route.body!.shape.safeParse(body)
  if (read.success) return route.respond(sources, read.data as never, undefined as never)
  const faults = read.error.issues.slice(0, FAULTS_MAX).map(({ path, message }) => `${path.join('.')}: ${message}`)
  return problemResponse(400, faults.join('\n'))
}

const FAULTS_MAX = 20

function notAllowed(method: string, known: string, allowed = known): Response {
  return problemResponse(405, `${method} is not known here; use ${known}.`, { Allow: allowed })
}

function notFound({ req }: Context): Response {
  return problemResponse(404, `There is nothing at ${req.path}; ${DOCUMENT} says what there is.`)
}
