/** The API on a port. */
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { listenAt } from '../address.ts'
import type { Api } from './api.ts'

export interface Listening {
  /** The one that was given, or for 0 the free one that was found. */
  readonly port: number
  /** Takes nobody in any more; what is being answered has a moment to end. */
  close(): Promise<void>
}

const CLOSE_MS = 300
const CONNECTIONS_MAX = 3000

/** Rejects with one line that says why nothing can listen there. */
export async function listen(api: Api, host: string, port: number): Promise<Listening> {
  // A health check in HTTP/1.0 (HAProxy's, by default) names no host; by this one it is reached without a token too.
  const hostname = 'localhost'
  const server = createAdaptorServer({ fetch: api.fetch, hostname, overrideGlobalObjects: false }) as Server
  server.maxConnections = CONNECTIONS_MAX
  const bound = await listenAt(server, { host, port }, '--http')
  return { port: bound, close: () => close(server) }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearTimeout(timer)
}
