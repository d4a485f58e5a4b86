/** What answers like a meter of any condition: the contract's schemas are its only measure. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Ready, ready, type Servers, servers, type TailEvent, tailEvent } from '@fettle/relay/api'

export interface FakeMeter {
  /** What it answers next. */
  ready: Ready
  servers: Servers
  /** It takes requests and answers none. */
  hangs: boolean
  /** What it was sent as `Authorization`. */
  readonly tokens: (string | undefined)[]
  /** Paths that it was asked for. */
  readonly asked: string[]
  /** Sends it to all who listen. */
  tell(event: TailEvent): void
  /** As a meter that is slower than its coturn. */
  tellDropped(count: number): void
  tellNonsense(): void
  /** Is gone, as after SIGKILL: the address stays behind. */
  vanish(): Promise<void>
}

const wellReady: Ready = { ready: true, commit: 1, lagSeconds: 0, diskFreeBytes: 5e10, servers: [], findings: [] }
const STARTED = '2026-11-22T09:30:00.000Z'

/** Runs on this data folder until the test ends. */
export async function fakeMeter(
  test: { after(hook: () => Promise<void>): void },
  data: string,
  resp = '127.0.0.1:7431',
): Promise<FakeMeter> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  const lock = new DatabaseSync(join(data, 'lock'))
  lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  const listeners = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    fake.asked.push(request.url!)
    fake.tokens.push(request.headers.authorization)
    if (fake.hangs) return
    if (request.url!.startsWith('/v1/events')) {
      listeners.add(response.writeHead(200, { 'content-type': 'text/event-stream' }))
      response.write(':\n\n')
    } else if (request.url === '/readyz') {
      response.writeHead(fake.ready.ready ? 200 : 503).end(JSON.stringify(ready.parse(fake.ready)))
    } else response.end(JSON.stringify(servers.parse(fake.servers)))
  })
  const send = (text: string) => {
    for (const one of listeners) one.write(text)
  }
  const fake: FakeMeter = {
    ready: wellReady,
    servers: { commit: 1, servers: [] },
    hangs: false,
    tokens: [],
    asked: [],
    tell: (event) => send(`data: ${JSON.stringify(tailEvent.parse(event))}\n\n`),
    tellDropped: (count) => send(`event: dropped\ndata: ${JSON.stringify({ dropped: count })}\n\n`),
    tellNonsense: () => send('data: {"at":1}\n\n'),
    async vanish() {
      if (!server.listening) return
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      lock.close()
    },
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const http = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(join(data, 'running.json'), JSON.stringify({ pid: process.pid, http, resp, startedAt: STARTED }))
  writeFileSync(join(data, 'token'), 'its-token\n', { mode: 0o600 })
  test.after(() => fake.vanish())
  return fake
}
