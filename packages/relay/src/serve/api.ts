/** The HTTP API of a running meter, and the page: from request to response, without a socket. */
import { type Context, Hono } from 'hono'
import type { SinkStatus } from '../sink/sink.ts'
import { openReader } from '../store/queries.ts'
import { checkHost, createTokenCheck } from './auth.ts'
import type { TailEvent } from './contract.ts'
import { EventStreams } from './events.ts'
import { FactReader } from './facts.ts'
import { Live } from './live.ts'
import { openApi } from './openapi.ts'
import { readPage } from './page.ts'
import { problemResponse } from './problem.ts'
import { readQuery } from './query.ts'
import { type Route, routes, type Sources } from './routes.ts'
import type { MeterStatus } from './status.ts'

export interface ApiOptions {
  /** The ledger, which the API reads by a connection of its own. */
  readonly file: string
  /** The data folder, for the room on its disk. */
  readonly data: string
  /** The bearer token; '' asks for none, which is for loopback only. */
  readonly token: string
  /** What the meter's thread said last. */
  readonly status: () => MeterStatus | undefined
  /** How the row sink is; null: there is none. */
  readonly sink?: () => SinkStatus | null
  /** Calls after commits, at most four times a second; returns what ends it. */
  readonly onCommit: (listener: () => void) => () => void
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
    facts,
    live: new Live({ db, facts, onCommit: options.onCommit, failed }),
    events: new EventStreams(options.onEvents),
    failed,
  }
  const app = new Hono()
  const checkToken = createTokenCheck(token)
  app.use(async (context, next) => {
    const refused = token === '' ? checkHost(context.req.raw) : undefined
    return refused ?? next()
  })
  for (const path of ['/v1/*', '/metrics']) {
    app.use(path, async (context, next) => {
      const refused = context.req.path === DOCUMENT ? undefined : checkToken(context.req.raw)
      return refused ?? next()
    })
  }
  for (const route of routes) {
    app.get(route.path.replaceAll(/\{(\w+)\}/g, ':$1'), (context) => respond(route, sources, context))
  }
  const document = JSON.stringify(openApi(routes, VERSION))
  app.get(DOCUMENT, () => new Response(document, { headers: { 'Content-Type': 'application/json' } }))
  const page = readPage(options.console)
  app.get('*', (context) => page(context.req.path) ?? notFound(context))
  app.all('*', notAllowed)
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

function notAllowed({ req }: Context): Response {
  return problemResponse(405, `${req.method} is not known here; use GET.`, { Allow: 'GET, HEAD' })
}

function notFound({ req }: Context): Response {
  return problemResponse(404, `There is nothing at ${req.path}; ${DOCUMENT} says what there is.`)
}
