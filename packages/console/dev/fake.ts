/**
 * A meter that is not one: the HTTP API over made-up data, for working on the page and for testing it.
 * `node packages/console/dev/fake.ts` prints the address to open.
 */
import { timingSafeEqual } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { LiveChange, LiveSession, LiveSnapshot } from '@fettle/relay/api'
import { liveChange, liveSnapshot, reportPage, sessionDetail, sessionPage } from '@fettle/relay/api'
import { build } from '../build.ts'
import { createWorld, timelineOf, type World } from './world.ts'

export interface FakeOptions {
  readonly port?: number
  readonly open?: number
  readonly ended?: number
  readonly seed?: number
  /** 0: nothing changes by itself. */
  readonly changesPerSecond?: number
  /** Of the open sessions, how many report at each change. */
  readonly share?: number
  readonly findings?: LiveSnapshot['findings']
  /** What the first devices are called. */
  readonly devices?: readonly string[]
  /** '' asks for none. */
  readonly token?: string
}

export interface Fake {
  readonly token: string
  /** With the token, as a meter prints it. */
  readonly url: string
  readonly origin: string
  /** As if the meter had committed this: merged into an empty change. */
  say(change: Partial<LiveChange>): void
  /** A session as the live page knows it, to be changed and said. */
  readonly sessions: readonly LiveSession[]
  readonly servers: LiveSnapshot['servers']
  /** Breaks off every stream. */
  drop(): void
  /** While set, no request is answered: the connection is cut. */
  setDown(down: boolean): void
  close(): Promise<void>
}

/** What the page has to live with. */
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const TOKEN = 'not-a-secret'
const KEEP_ALIVE_MS = 10_000

export async function startFake(options: FakeOptions = {}): Promise<Fake> {
  const { dist } = await build()
  const { port = 0, open = 38, ended = 14, seed = 7, changesPerSecond = 2, share = 0.12, token = TOKEN } = options
  const world = createWorld({ seed, open, ended, now: Date.now(), devices: options.devices })
  const snapshot = (): LiveSnapshot => ({ ...world.snapshot(), findings: [...(options.findings ?? [])] })
  // A fake that strays from the contract would prove nothing.
  liveSnapshot.parse(snapshot())
  sessionPage.parse(pageOf(world, new URLSearchParams()))
  for (const { id } of world.sessions().slice(0, 3)) sessionDetail.parse(detailOf(world, id))

  const streams = new Set<ServerResponse>()
  const send = (change: LiveChange) => {
    for (const stream of streams)
      stream.write(`id: ${change.commit}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`)
  }
  let down = false
  const live = (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    const first = snapshot()
    response.write(`id: ${first.commit}\nevent: snapshot\ndata: ${JSON.stringify(first)}\n\n`)
    streams.add(response)
    response.on('close', () => streams.delete(response))
  }
  const server = createServer((request, response) => {
    if (down) return request.socket.destroy()
    const { pathname, searchParams } = new URL(request.url!, 'http://fake')
    if (!pathname.startsWith('/v1/')) return serveFile(dist, pathname, response)
    if (!isAllowed(request, token)) return problem(response, 401, 'This token is not known.')
    if (pathname === '/v1/live') return live(response)
    const body = bodyOf(world, pathname, searchParams)
    return body === undefined ? problem(response, 404, 'There is no such session.') : json(response, body)
  })

  const step = () => world.step(Date.now(), share)
  liveChange.parse(step())
  const changing = changesPerSecond > 0 ? setInterval(() => send(step()), 1000 / changesPerSecond) : undefined
  const keepAlive = setInterval(() => {
    for (const stream of streams) stream.write(': still here\n\n')
  }, KEEP_ALIVE_MS)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const drop = () => {
    for (const stream of streams) stream.destroy()
  }
  return {
    token,
    url: token === '' ? `${origin}/` : `${origin}/#token=${token}`,
    origin,
    sessions: snapshot().sessions,
    servers: snapshot().servers,
    say(change) {
      const { commit, totals } = world.snapshot()
      const at = new Date().toISOString()
      send(liveChange.parse({ commit, at, totals, sessions: [], gone: [], ...change }))
    },
    drop,
    setDown(next) {
      down = next
      if (down) drop()
    },
    close() {
      clearInterval(changing)
      clearInterval(keepAlive)
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function bodyOf(world: World, pathname: string, search: URLSearchParams): object | undefined {
  if (pathname === '/v1/sessions') return pageOf(world, search)
  // A meter gives those that lie in its data folder; the tests of that page have a real one.
  if (pathname === '/v1/reports') return reportPage.parse({ reports: [], next: null })
  const id = /^\/v1\/sessions\/(\d+)$/.exec(pathname)?.[1]
  return id === undefined ? undefined : detailOf(world, Number(id))
}

function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  if (token === '') return true
  const given = Buffer.from(headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function pageOf(world: World, search: URLSearchParams) {
  const { commit } = world.snapshot()
  const limit = Number(search.get('limit') ?? 100)
  const from = Number(search.get('cursor') ?? 0)
  const fits = world.sessions().filter((session) => {
    const is = (name: string, value: string | null) => !search.has(name) || search.get(name) === value
    const server = search.get('server')
    const atServer = server === null || session.servers.includes(server)
    return is('device', session.device) && is('account', session.account) && is('realm', session.realm) && atServer
  })
  fits.sort((a, b) => b.id - a.id)
  const next = from + limit < fits.length ? String(from + limit) : null
  return { schema: 'fettle.relay.sessions/1' as const, commit, sessions: fits.slice(from, from + limit), next }
}

function detailOf(world: World, id: number) {
  const session = world.sessions().find((one) => one.id === id)
  if (session === undefined) return undefined
  return { commit: world.snapshot().commit, session, timeline: timelineOf(session, Date.now()) }
}

function json(response: ServerResponse, body: unknown, status = 200, type = 'application/json'): void {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(JSON.stringify(body))
}

function problem(response: ServerResponse, status: number, detail: string): void {
  json(response, { type: 'about:blank', title: detail, status, detail }, status, 'application/problem+json')
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

function serveFile(dist: string, pathname: string, response: ServerResponse): void {
  const path = join(dist, normalize(pathname === '/' ? '/index.html' : pathname))
  const type = types[extname(path)]
  if (type === undefined || !existsSync(path) || !statSync(path).isFile()) return problem(response, 404, 'Not here.')
  response.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': policy, 'Referrer-Policy': 'no-referrer' })
  createReadStream(path).pipe(response)
}

if (import.meta.main) {
  const fake = await startFake({ port: Number(process.argv[2] ?? 0) })
  console.log(`made-up data, for development only: ${fake.url}`)
}
