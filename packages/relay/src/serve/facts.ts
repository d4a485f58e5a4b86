/** Gathers what is known of the running meter, for all who ask, and no more often than it is worth. */
import { statSync } from 'node:fs'
import { stat, statfs } from 'node:fs/promises'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { isoTime } from '../core/record.ts'
import type { SinkStatus } from '../sink/sink.ts'
import { atOneCommit } from '../store/queries.ts'
import {
  countGaps,
  countMalformed,
  countNewMisfits,
  countOpen,
  countRejected,
  findTwins,
} from '../store/queries-state.ts'
import type { Server } from './contract.ts'
import type { Facts } from './health.ts'
import type { MeterStatus } from './status.ts'

export interface KnownFacts extends Facts {
  readonly commit: number
}

export interface FactSources {
  readonly db: DatabaseSync
  /** The ledger, which `db` reads. */
  readonly file: string
  /** The data folder. */
  readonly data: string
  readonly status: () => MeterStatus | undefined
  readonly sink?: () => SinkStatus | null
  readonly now: () => number
}

const DAY_MS = 86_400_000
const MISFITS_OF = 1000
/** Facts are good for this long, or for so many times what it took to gather them. */
const FRESH_MS = 1000
const SHARE = 20
const DISK_MS = 5000
const DISK_WAIT_MS = 1000

export class FactReader {
  readonly #sources: FactSources
  readonly #inode: number
  #isLedgerGone = false
  #facts: KnownFacts | undefined
  #freshUntil = 0
  #free: number | null = null
  #freeAt = Number.NEGATIVE_INFINITY
  #measuring: Promise<void> | undefined

  constructor(sources: FactSources) {
    this.#sources = sources
    this.#inode = statSync(sources.file).ino
  }

  /** Never before what the meter has said last, and never behind the machine's clock. */
  now(): number {
    return Math.max(this.#sources.now(), this.#sources.status()?.now ?? 0)
  }

  /** What is known without looking. */
  glance(): Pick<Facts, 'now' | 'status'> {
    return { now: this.now(), status: this.#sources.status() }
  }

  read(): KnownFacts {
    const began = performance.now()
    const known = this.#facts
    const status = this.#sources.status()
    const now = this.now()
    if (known !== undefined && began < this.#freshUntil)
      return { ...known, now, status, sink: this.#sink(), ...this.#disk() }
    const facts = atOneCommit(this.#sources.db, (commit) => this.#gather(commit, now, status))
    const end = performance.now()
    this.#facts = facts
    this.#freshUntil = end + Math.max(FRESH_MS, SHARE * (end - began))
    return facts
  }

  #sink(): SinkStatus | null {
    return this.#sources.sink?.() ?? null
  }

  #disk(): Pick<Facts, 'diskFreeBytes' | 'isLedgerGone'> {
    return { diskFreeBytes: this.#free, isLedgerGone: this.#isLedgerGone }
  }

  /** Looks at the disk. Where it hangs the answer is the old one after a second. */
  async measureDisk(): Promise<void> {
    const began = performance.now()
    if (this.#measuring === undefined && began - this.#freeAt >= DISK_MS) {
      this.#freeAt = began
      this.#measuring = this.#measure().finally(() => {
        this.#measuring = undefined
      })
    }
    await Promise.race([this.#measuring, wait(DISK_WAIT_MS, undefined, { ref: false })])
  }

  async #measure(): Promise<void> {
    const { data, file } = this.#sources
    this.#free = await statfs(data).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    )
    this.#isLedgerGone = await stat(file).then(
      ({ ino }) => ino !== this.#inode,
      ({ code }) => code === 'ENOENT',
    )
  }

  #gather(commit: number, now: number, status: MeterStatus | undefined): KnownFacts {
    const { db } = this.#sources
    const gaps = countGaps(db, now - DAY_MS)
    return {
      commit,
      now,
      status,
      gaps,
      servers: serversOf(db, status, gaps),
      rejectedNames: countRejected(db, now - DAY_MS),
      misfits: countNewMisfits(db, MISFITS_OF),
      twins: findTwins(db),
      sink: this.#sink(),
      ...this.#disk(),
    }
  }
}

/** Those that may report now. */
function serversOf(db: DatabaseSync, status: MeterStatus | undefined, gaps: Facts['gaps']): Server[] {
  const malformed = countMalformed(db)
  const open = countOpen(db)
  return (status?.servers ?? []).map(({ kind, name, version, connections, boot, lastEventAt, shared }) => ({
    kind,
    name,
    version,
    connected: connections > 0,
    connections,
    boot,
    lastEventAt: isoTime(Number.isNaN(lastEventAt) ? null : lastEventAt),
    allocations: open.get(name) ?? 0,
    malformed: malformed.get(name) ?? 0,
    gapsToday: gaps.filter((one) => one.server === name).reduce((sum, one) => sum + one.count, 0),
    shared,
  }))
}
