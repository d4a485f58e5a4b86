/** `fettle relay serve`: the meter in its own thread, and what a person who started it wants to see. */
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { SessionRecord } from './core/record.ts'
import { FolderFault, holdFolder, ledgerFile, makeFolder, readServers } from './folder.ts'
import type { RespServer } from './ingest/resp.ts'
import type { Told, WorkerData } from './meter-worker.ts'
import type { ServeOptions } from './options.ts'
import { readSessions } from './store/sessions.ts'
import { watchThread } from './watchdog.ts'

/** What happens while serving, in the order in which it happens. */
export type ServeEvent =
  | Exclude<Told, { kind: 'ended' | 'beat' | 'stopped' }>
  | { readonly kind: 'hung' }
  | { readonly kind: 'ready'; readonly data: string; readonly lines: readonly ServerLine[] }
  | { readonly kind: 'session'; readonly session: SessionRecord }

/** The line that makes a coturn report here. */
export interface ServerLine {
  readonly server: string
  readonly line: string
}

const STOP_MS = 4500

/** The exact line for turnserver.conf. coturn reads an IPv6 address without brackets. */
export function statsdbLine(server: RespServer, host: string, port: number): string {
  const ip = host === 'localhost' ? '127.0.0.1' : host
  const password = server.token === '' ? '' : `password=${server.token} `
  return `redis-statsdb="ip=${ip} port=${port} ${password}connect_timeout=5"`
}

/**
 * Runs the meter until `signal` aborts. Resolves to true after a clean end and false when it could not go on, which was
 * told before, as `cannot start` or `hung`.
 */
export async function serve(
  options: ServeOptions,
  signal: AbortSignal,
  on: (event: ServeEvent) => void,
): Promise<boolean> {
  let release: () => void
  let servers: readonly RespServer[]
  try {
    makeFolder(options.data)
    release = holdFolder(options.data)
    servers = readServers(options.data)
  } catch (error) {
    if (!(error instanceof FolderFault)) throw error
    on({ kind: 'cannot start', why: error.message })
    return false
  }
  const file = ledgerFile(options.data)
  const { template, lingerMs, respHost: host, respPort: port } = options
  const data: WorkerData = { sqlite: { file, template, lingerMs }, host, port, servers }
  const worker = new Worker(new URL('./meter-worker.ts', import.meta.url), { workerData: data })
  let clean = false
  let reader: DatabaseSync | undefined
  watchThread(worker, () => on({ kind: 'hung' }))
  worker.on('message', (told: Told) => {
    if (told.kind === 'beat') return
    if (told.kind === 'stopped') clean = true
    else if (told.kind === 'ended') {
      reader ??= new DatabaseSync(file, { readOnly: true })
      for (const session of Array.from(readSessions(reader, { ids: told.sessions })).flat())
        on({ kind: 'session', session })
    } else {
      on(told)
      if (told.kind === 'listening')
        on({ kind: 'ready', data: options.data, lines: linesFor(servers, host, told.port) })
    }
  })
  const gone = once(worker, 'exit')
  const stop = () => {
    worker.postMessage('stop')
    // A disk that hangs must not keep the service manager waiting; what is not committed is a gap at the next start.
    setTimeout(() => worker.terminate(), STOP_MS).unref()
  }
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  try {
    await gone
  } finally {
    signal.removeEventListener('abort', stop)
    reader?.close()
    release()
  }
  return clean
}

function linesFor(servers: readonly RespServer[], host: string, port: number): ServerLine[] {
  return servers.map((server) => ({ server: server.name, line: statsdbLine(server, host, port) }))
}
