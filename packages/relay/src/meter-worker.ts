/** The meter's thread: sockets, parsing, the fold. It touches no disk and serves no HTTP. */
import { randomInt } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from './ingest/clock.ts'
import { type RespNotice, type RespServer, respSource } from './ingest/resp.ts'
import { startMeter } from './meter.ts'
import { openSqlite, type SqliteOptions } from './store/sqlite.ts'
import { BEAT_MS } from './watchdog.ts'

export interface WorkerData {
  readonly sqlite: SqliteOptions
  readonly host: string
  readonly port: number
  readonly servers: readonly RespServer[]
}

/** What the thread tells. `failed` repeats while the store cannot write; `beat` says that the thread runs. */
export type Told =
  | RespNotice
  | { readonly kind: 'ended'; readonly sessions: readonly number[] }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'beat' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'cannot start'; readonly why: string }

const port = parentPort!
const tell = (told: Told) => port.postMessage(told)
const { sqlite, host, port: respPort, servers } = workerData as WorkerData

try {
  const clock = systemClock()
  const source = respSource({ host, port: respPort, servers, now: clock.now, on: tell })
  const meter = await startMeter({
    source,
    store: await openSqlite(sqlite),
    clock,
    seed: randomInt(2 ** 31),
    committed: ({ ended }) => {
      if (ended.length > 0) tell({ kind: 'ended', sessions: ended })
    },
    failed: (why) => tell({ kind: 'failed', why }),
  })
  const beat = setInterval(() => tell({ kind: 'beat' }), BEAT_MS)
  port.on('message', async () => {
    await meter.stop()
    clearInterval(beat)
    tell({ kind: 'stopped' })
    port.close()
  })
} catch (error) {
  tell({ kind: 'cannot start', why: (error as Error).message })
  process.exit(3)
}
