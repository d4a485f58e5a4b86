/** `fettle relay serve`: the meter in its own thread, the API beside it, and what a person who started it wants. */
import { once } from 'node:events'
import { existsSync, unwatchFile, watchFile } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { addressText, isLoopback } from './address.ts'
import type { Outcomes, Reconciliation } from './core/reconcile.ts'
import type { SessionRecord } from './core/record.ts'
import { FolderFault, holdFolder, ledgerFile, makeFolder, readServers, serversFile } from './folder.ts'
import { redisName } from './ingest/redis-url.ts'
import type { RespServer } from './ingest/resp.ts'
import type { Answered, Asked, Told, WorkerData } from './meter-worker.ts'
import type { ServeOptions } from './options.ts'
import { makeToken, writeRunning } from './running.ts'
import { createApi } from './serve/api.ts'
import type { TailEvent } from './serve/contract.ts'
import { listen } from './serve/listen.ts'
import type { MeterStatus } from './serve/status.ts'
import { RowSink, type SinkNotice } from './sink/sink.ts'
import { openReader } from './store/queries.ts'

import { findTwins, type Twins } from './store/queries-state.ts'
import { readSessions } from './store/sessions.ts'
import { resourceLimits } from './threads.ts'
import { watchThread } from './watchdog.ts'

/** What happens while serving, in the order in which it happens. */
export type ServeEvent =
  | Exclude<
      Told,
      { kind: 'ended' | 'committed' | 'events' | 'status' | 'started' | 'stopped' | 'listening' | 'reconciled' }
    >
  | Ready
  | SinkNotice
  | { readonly kind: 'session'; readonly session: SessionRecord }
  /** The list of servers was changed and is in use now; `why`: it cannot be used, the old one goes on. */
  | { readonly kind: 'servers'; readonly lines: readonly ServerLine[]; readonly why?: string }
  /** A request could not be answered; the meter goes on. */
  | { readonly kind: 'api failed'; readonly why: string }
  /** Sessions have ended and are stored, but cannot be read to be told of; the meter goes on. */
  | { readonly kind: 'untold'; readonly why: string }
  /** Two sources tell of the same allocations; told once. */
  | ({ readonly kind: 'heard twice' } & Twins)
  | { readonly kind: 'hung' }

export interface Ready {
  readonly kind: 'ready'
  readonly data: string
  readonly lines: readonly ServerLine[]
  /** The Redis that is listened to; null: none. */
  readonly redis: string | null
  /** The log that is followed, `-` for standard input; null: none. */
  readonly log: string | null
  /** Where the API and the page are, such as `http://127.0.0.1:7430`; null: nowhere. */
  readonly http: string | null
  /** The API's token; '' when it asks for none. */
  readonly token: string
}

/** The line that makes a coturn report here. */
export interface ServerLine {
  readonly server: string
  readonly line: string
}

/** Whom to serve for. */
export interface ServeHost {
  /** Ends it. */
  readonly signal: AbortSignal
  readonly on: (event: ServeEvent) => void
  /** Folder of the built page, if there is one. */
  readonly console?: string
}

const STOP_MS = 4500
const LOOK_MS = 1000

/** The exact line for turnserver.conf. coturn reads an IPv6 address without brackets. */
export function statsdbLine(server: RespServer, host: string, port: number): string {
  const ip = host === 'localhost' ? '127.0.0.1' : host
  const password = server.token === '' ? '' : `password=${server.token} `
  return `redis-statsdb="ip=${ip} port=${port} ${password}connect_timeout=5"`
}

/**
 * Runs the meter until the host's signal aborts. Resolves to true after a clean end and false when it could not go on,
 * which was told before, as `cannot start` or `hung`.
 */
export async function serve(options: ServeOptions, host: ServeHost): Promise<boolean> {
  try {
    makeFolder(options.data)
    const release = holdFolder(options.data)
    try {
      const serving = new Serving(options, host, readServers(options.data), makeToken(options.data))
      return await serving.end()
    } finally {
      release()
    }
  } catch (error) {
    if (!(error instanceof FolderFault)) throw error
    host.on({ kind: 'cannot start', why: error.message })
    return false
  }
}

class Listeners<A extends unknown[]> {
  readonly #all = new Set<(...news: A) => void>()
  readonly #changed: (count: number) => void

  constructor(changed: (count: number) => void = () => {}) {
    this.#changed = changed
  }

  add(listener: (...news: A) => void): () => void {
    this.#all.add(listener)
    this.#changed(this.#all.size)
    return () => {
      this.#all.delete(listener)
      this.#changed(this.#all.size)
    }
  }

  tell(...news: A): void {
    for (const listener of this.#all) listener(...news)
  }
}

class Serving {
  readonly #options: ServeOptions
  readonly #host: ServeHost
  readonly #token: string
  readonly #worker: Worker
  readonly #commits = new Listeners<[]>()
  readonly #events = new Listeners<[readonly TailEvent[], number]>((count) =>
    this.#ask({ kind: 'tail', on: count > 0 }),
  )
  readonly #closers: (() => unknown)[] = []
  readonly #answers = new Map<number, (answer: Answered) => void>()
  #servers: readonly RespServer[]
  #port = 0
  #requests = 0
  #status: MeterStatus | undefined
  #clean = false
  #failed = false
  #reader: DatabaseSync | undefined
  #opening: Promise<void> | undefined
  #sink: RowSink | undefined
  /** It is to be sought whether a coturn is heard twice, or that was found and told. */
  #seeking: NodeJS.Timeout | undefined

  constructor(options: ServeOptions, host: ServeHost, servers: readonly RespServer[], token: string) {
    this.#options = options
    this.#host = host
    this.#servers = servers
    this.#token = token
    const { template, lingerMs, resp, http, forward, redis, log } = options
    if (token === '' && http !== null && !isLoopback(http.host)) {
      const remedy = `remove the empty file ${options.data}/token, so that one is made, or listen on 127.0.0.1`
      throw new FolderFault(`${http.host}: anyone there could read your records, for there is no token; ${remedy}`)
    }
    const sqlite = { file: ledgerFile(options.data), template, lingerMs }
    const data: WorkerData = { sqlite, resp, servers, forward, redis, log }
    this.#worker = new Worker(new URL('./meter-worker.ts', import.meta.url), { workerData: data, resourceLimits })
    watchThread(this.#worker, () => host.on({ kind: 'hung' }))
    this.#worker.on('message', (told: Told) => this.#hear(told))
  }

  /** Resolves when all has ended: true after a clean end. */
  async end(): Promise<boolean> {
    const gone = once(this.#worker, 'exit')
    const { signal } = this.#host
    const stop = () => this.#stop()
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    try {
      await gone
    } finally {
      signal.removeEventListener('abort', stop)
      // What is opened after it was closed would stay open.
      await this.#opening
      for (const close of this.#closers.reverse()) await close()
      clearTimeout(this.#seeking)
      this.#reader?.close()
    }
    return this.#clean && !this.#failed
  }

  /** A moment after a session has ended both sources have told of it. */
  #seekTwins(): void {
    const { resp, redis, log } = this.#options
    const isAlone = [resp, redis, log].filter((one) => one !== null).length < 2
    if (!isAlone) this.#seeking ??= setTimeout(() => this.#tellTwins(), LOOK_MS).unref()
  }

  #tellTwins(): void {
    try {
      const found = findTwins(this.#reader!)
      if (found.length === 0) this.#seeking = undefined
      for (const twins of found) this.#host.on({ kind: 'heard twice', ...twins })
    } catch (error) {
      this.#host.on({ kind: 'untold', why: (error as Error).message })
    }
  }

  #ask(asked: Asked): void {
    this.#worker.postMessage(asked)
  }

  async #reconcile(asked: Reconciliation): Promise<Outcomes> {
    const request = ++this.#requests
    const answer = await new Promise<Answered>((resolve) => {
      this.#answers.set(request, resolve)
      this.#ask({ kind: 'reconcile', request, asked })
    })
    this.#answers.delete(request)
    if ('fault' in answer) throw new Error(answer.fault)
    return answer.outcomes
  }

  #stop(): void {
    this.#ask({ kind: 'stop' })
    // Beside the meter, not after it; what ends last is written at the next start.
    this.#sink?.stop().catch(() => {})
    // A disk that hangs must not keep the service manager waiting; what is not committed is a gap at the next start.
    setTimeout(() => this.#worker.terminate(), STOP_MS).unref()
  }

  #hear(told: Told): void {
    switch (told.kind) {
      case 'status':
        this.#status = told.status
        return
      case 'committed':
        return this.#commits.tell()
      case 'events':
        return this.#events.tell(told.events, told.dropped)
      case 'reconciled':
        return this.#answers.get(told.request)?.(told)
      case 'ended':
        return this.#tellEnded(told.sessions)
      case 'stopped':
        this.#clean = true
        return
      case 'listening':
        this.#port = told.port
        return
      case 'started':
        this.#opening = this.#open().catch((error: Error) => this.#fail(error.message))
        return
      default:
        this.#host.on(told)
    }
  }

  #tellEnded(ids: readonly number[]): void {
    try {
      this.#reader ??= openReader(ledgerFile(this.#options.data))
      for (const page of readSessions(this.#reader, { ids })) {
        for (const session of page) this.#host.on({ kind: 'session', session })
      }
      this.#seekTwins()
    } catch (error) {
      // A ledger that was moved away or is damaged must not end the meter, which may still store.
      this.#host.on({ kind: 'untold', why: (error as Error).message })
    }
  }

  /** The meter hears coturn: now the API, and the word that all is ready. */
  async #open(): Promise<void> {
    const { data, redis, log } = this.#options
    this.#startSink()
    const http = await this.#serveHttp()
    const resp = this.#options.resp === null ? null : addressText(this.#options.resp.host, this.#port)
    this.#closers.push(
      writeRunning(data, { pid: process.pid, http, resp, startedAt: new Date().toISOString() }),
      this.#watchServers(),
    )
    const heard = redis === null ? null : redisName(redis)
    this.#host.on({ kind: 'ready', data, lines: this.#lines(), redis: heard, log, http, token: this.#token })
  }

  #startSink(): void {
    const { sink: options, data } = this.#options
    if (options === null) return
    const { on } = this.#host
    const sink = new RowSink({ options, data, file: ledgerFile(data), now: Date.now, on })
    this.#sink = sink
    this.#closers.push(
      () => sink.stop(),
      this.#commits.add(() => sink.wake()),
    )
    sink.start()
  }

  #fail(why: string): void {
    this.#failed = true
    this.#host.on({ kind: 'cannot start', why })
    this.#stop()
  }

  async #serveHttp(): Promise<string | null> {
    const { http, data } = this.#options
    if (http === null) return null
    const api = createApi({
      file: ledgerFile(data),
      data,
      token: this.#token,
      status: () => this.#status,
      sink: () => this.#sink?.status() ?? null,
      reconcile: (asked) => this.#reconcile(asked),
      onCommit: (listener) => this.#commits.add(listener),
      onEvents: (listener) => this.#events.add(listener),
      console: this.#host.console,
      failed: (error) => this.#host.on({ kind: 'api failed', why: error.message }),
      now: Date.now,
    })
    this.#closers.push(() => api.close())
    const listening = await listen(api, http.host, http.port)
    this.#closers.push(() => listening.close())
    return `http://${addressText(http.host, listening.port)}`
  }

  #watchServers(): () => void {
    const file = serversFile(this.#options.data)
    const look = () => {
      try {
        // A new list would have a new password, and lock every coturn out.
        if (!existsSync(file)) throw new FolderFault(`${file}: is not there any more`)
        this.#servers = readServers(this.#options.data)
      } catch (error) {
        this.#host.on({ kind: 'servers', lines: this.#lines(), why: (error as Error).message })
        return
      }
      this.#ask({ kind: 'servers', servers: this.#servers })
      this.#host.on({ kind: 'servers', lines: this.#lines() })
    }
    watchFile(file, { interval: LOOK_MS }, look)
    return () => unwatchFile(file, look)
  }

  #lines(): ServerLine[] {
    const { resp } = this.#options
    if (resp === null) return []
    return this.#servers.map((server) => ({ server: server.name, line: statsdbLine(server, resp.host, this.#port) }))
  }
}
