/** The meter's thread: sockets, parsing, the fold. It waits for no disk and serves no HTTP. */
import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Address } from './address.ts'
import { Kind } from './core/event.ts'
import type { Outcomes, Reconciliation } from './core/reconcile.ts'
import { pendingRows, type State } from './core/state.ts'
import { BIN_MS, type LastHour } from './core/throughput.ts'
import { systemClock } from './ingest/clock.ts'
import { type LogNotice, logSource } from './ingest/log-source.ts'
import { type RedisNotice, redisSource } from './ingest/redis.ts'
import type { RedisTarget } from './ingest/redis-url.ts'
import { type RespNotice, type RespServer, respSource } from './ingest/resp.ts'
import { combined } from './ingest/sources.ts'
import { type Meter, startMeter } from './meter.ts'
import type { TailEvent } from './serve/contract.ts'
import type { MeterStatus } from './serve/status.ts'
import { Tail } from './serve/tail.ts'
import { openSqlite, type SqliteOptions } from './store/sqlite.ts'
import { BEAT_MS } from './watchdog.ts'

export interface WorkerData {
  readonly sqlite: SqliteOptions
  /** Where coturn connects; null: nowhere. */
  readonly resp: Address | null
  readonly servers: readonly RespServer[]
  readonly forward: RedisTarget | null
  readonly redis: RedisTarget | null
  /** A log to follow. */
  readonly log: string | null
}

/** What the thread is asked. */
export type Asked =
  | { readonly kind: 'stop' }
  | { readonly kind: 'servers'; readonly servers: readonly RespServer[] }
  /** Records are to be put right; `request` comes back with the answer. */
  | { readonly kind: 'reconcile'; readonly request: number; readonly asked: Reconciliation }
  /** Somebody watches the events, or nobody does any more. */
  | { readonly kind: 'tail'; readonly on: boolean }

/** What the thread tells; `status` every second, which also says that it runs. */
export type Told =
  | RespNotice
  | RedisNotice
  | LogNotice
  /** It hears what there is to hear. */
  | { readonly kind: 'started' }
  | { readonly kind: 'status'; readonly status: MeterStatus }
  | Answered
  /** At most four times a second. */
  | { readonly kind: 'committed' }
  | { readonly kind: 'ended'; readonly sessions: readonly number[] }
  | { readonly kind: 'events'; readonly events: readonly TailEvent[]; readonly dropped: number }
  /** Repeats while the store cannot write. */
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'cannot start'; readonly why: string }

/** Records were put right, and that is committed; or the ledger could not be read. */
export type Answered = { readonly kind: 'reconciled'; readonly request: number } & (
  | { readonly outcomes: Outcomes }
  | { readonly fault: string }
)

const COMMITTED_MS = 250
const OFTEN_MS = 50
/** Kinds that a source says of itself, not coturn. */
const SCENES: ReadonlySet<string> = new Set(['tick', 'from', 'deaf'])
const RETRY_MS = 1000
/** A log need not be read faster than the store writes. */
const PENDING_ENOUGH = 100_000

const port = parentPort!
const { promise: over, resolve: end } = Promise.withResolvers<void>()
const tell = (told: Told) => {
  port.postMessage(told)
  // Nothing more comes, of anyone.
  if (told.kind === 'log ended' && sources.length === 1) end()
}
const { sqlite, resp, servers, forward, redis, log } = workerData as WorkerData
const clock = systemClock()
const tail = new Tail(sqlite.template)
const common = { now: clock.now, on: tell, tap: tail.hear.bind(tail) }
const subscriber = redis === null ? undefined : redisSource({ target: redis, ...common })
const endpoint =
  resp === null ? undefined : respSource({ ...resp, servers, ...common, ...(forward === null ? {} : { forward }) })
let isFull = () => false
const follower = log === null ? undefined : logSource({ path: log, isFull: () => isFull(), ...common })
// The Redis before the endpoint: what was missed of it must be known before anything else moves the time.
const sources = [subscriber, endpoint, follower].filter((one) => one !== undefined)
/** The servers that are still to be let in. */
let wanted: readonly RespServer[] | undefined
let changing = false
let failing: string | null = null
let committedAt = clock.now()
let toTell = false
let toldAt = 0
const startedAt = clock.now()
let throughput: LastHour | undefined

function noteCommit(ended: readonly number[]): void {
  failing = null
  committedAt = clock.now()
  if (ended.length > 0) tell({ kind: 'ended', sessions: ended })
  toTell = true
  tellCommitted()
}

function tellCommitted(): void {
  if (!toTell || performance.now() - toldAt < COMMITTED_MS) return
  toTell = false
  toldAt = performance.now()
  tell({ kind: 'committed' })
}

function statusOf({ state, commits }: Meter): MeterStatus {
  const { relayed, table } = state
  const held = Array.from(state.held.values()).reduce((sum, rows) => sum + rows.size, 0)
  const events = Object.entries(Kind).map(([name, kind]) => [name, state.events[kind]!] as const)
  return {
    now: clock.now(),
    events: Object.fromEntries(events.filter(([name]) => !SCENES.has(name))),
    malformed: Array.from(state.streams.values()).reduce((sum, stream) => sum + stream.malformed, 0),
    allocations: table.size,
    held,
    rejected: Array.from(state.rejected.values()).reduce((sum, one) => sum + one.allocations, 0),
    gaps: state.gapCount,
    pending: pendingRows(state),
    commits: commits.count,
    committedAt,
    commitSeconds: { buckets: commits.buckets, sum: commits.sum, count: commits.count },
    failing,
    relayed: relayed.realms.map((realm, i) => ({
      realm,
      client: Array.from(relayed.sums.subarray(i * 8, i * 8 + 4)),
      peer: Array.from(relayed.sums.subarray(i * 8 + 4, i * 8 + 8)),
    })),
    throughput: lastHour(state),
    servers: sources.flatMap((source) => source.status().servers),
    forward: endpoint?.status().forward ?? null,
    refused: endpoint?.status().refused ?? null,
    redis: subscriber?.status().redis ?? null,
    log: follower?.status().log ?? null,
  }
}

/** Every allocation is looked at for it: once for each bin that is over, not each second. */
function lastHour(state: State): LastHour {
  const now = clock.now()
  if (throughput === undefined || now >= throughput.until + BIN_MS) {
    throughput = state.throughput.read(state.table, startedAt, now)
  }
  return throughput
}

/** Whoever is gone is out at once, whatever the store does; who is new is in when the store knows them. */
async function setServers(meter: Meter, list: readonly RespServer[]): Promise<void> {
  const known = new Map(Array.from(meter.state.streams.values(), (stream) => [stream.name, stream]))
  const added = list.filter(({ name }) => !known.has(name))
  endpoint?.setServers(
    list.filter((one) => !added.includes(one)),
    known,
  )
  if (added.length === 0) return
  const claims = added.map(({ name, version }) => ({ source: 'resp', name, bootAware: true, version }))
  for (const stream of await meter.claim(claims)) known.set(stream.name, stream)
  endpoint?.setServers(list, known)
}

async function putRight(meter: Meter, request: number, asked: Reconciliation): Promise<void> {
  try {
    tell({ kind: 'reconciled', request, outcomes: await meter.reconcile(asked) })
  } catch (error) {
    tell({ kind: 'reconciled', request, fault: (error as Error).message })
  }
}

/** One list after the other, of those that wait only the last; what the store cannot take is tried again. */
async function changeServers(meter: Meter): Promise<void> {
  if (changing) return
  changing = true
  while (wanted !== undefined) {
    const list = wanted
    wanted = undefined
    try {
      await setServers(meter, list)
    } catch (error) {
      tell({ kind: 'failed', why: (error as Error).message })
      wanted ??= list
      await wait(RETRY_MS, undefined, { ref: false })
    }
  }
  changing = false
}

async function run(): Promise<void> {
  const meter = await startMeter({
    source: combined(sources),
    store: await openSqlite(sqlite),
    clock,
    seed: randomInt(2 ** 31),
    committed: ({ ended }) => noteCommit(ended),
    failed: (why) => {
      failing = why
      tell({ kind: 'failed', why })
    },
  })
  isFull = () => pendingRows(meter.state) > PENDING_ENOUGH
  const often = setInterval(() => {
    tellCommitted()
    // Also what is left when nobody watches any more: who comes next hears nothing of the past.
    if (!tail.isEmpty) tell({ kind: 'events', ...tail.take() })
  }, OFTEN_MS)
  const beat = setInterval(() => tell({ kind: 'status', status: statusOf(meter) }), BEAT_MS)
  tell({ kind: 'status', status: statusOf(meter) })
  tell({ kind: 'started' })
  port.on('message', async (asked: Asked) => {
    if (asked.kind === 'tail') for (const source of sources) source.tapping = asked.on
    if (asked.kind === 'reconcile') await putRight(meter, asked.request, asked.asked)
    if (asked.kind === 'servers' && endpoint !== undefined) {
      wanted = asked.servers
      await changeServers(meter)
    }
    if (asked.kind === 'stop') end()
  })
  await over
  await meter.stop()
  clearInterval(often)
  clearInterval(beat)
  tell({ kind: 'stopped' })
  port.close()
}

run().catch((error: Error) => {
  tell({ kind: 'cannot start', why: error.message })
  process.exit(3)
})
