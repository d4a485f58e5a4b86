/** How the meter's thread is: what it tells the main thread once a second. Plain data, for `postMessage`. */
import type { LastHour } from '../core/throughput.ts'

export interface ServerStatus {
  /** A coturn that reports to the endpoint, a Redis with all that coturns publish there, or a log of coturn's. */
  readonly kind: 'coturn' | 'redis' | 'log'
  readonly name: string
  readonly version: string | null
  readonly connections: number
  readonly boot: number
  /** Milliseconds since the epoch; NaN: none in this run. */
  readonly lastEventAt: number
  /** The line seems to be in use by two coturns. */
  readonly shared: boolean
}

export interface MeterStatus {
  /** The meter's time. */
  readonly now: number
  /** Events since the start, by kind as in `Kind`. */
  readonly events: Readonly<Record<string, number>>
  readonly malformed: number
  /** Allocations in memory, and how many of them are not yet proved real. */
  readonly allocations: number
  readonly held: number
  readonly rejected: number
  readonly gaps: number
  /** Rows that wait to be committed. */
  readonly pending: number
  readonly commits: number
  /** When the last commit was done, and how long commits took: their number up to each of `COMMIT_SECONDS`. */
  readonly committedAt: number
  readonly commitSeconds: { readonly buckets: readonly number[]; readonly sum: number; readonly count: number }
  /** Why the store cannot write; null when it can. */
  readonly failing: string | null
  /** Relayed since the start by realm; '' for the realms beyond the limit. */
  readonly relayed: readonly RelayedStatus[]
  readonly throughput: LastHour
  readonly servers: readonly ServerStatus[]
  /** Where commands are passed on to, if anywhere. */
  readonly forward: ForwardStatus | null
  /** Connections to the endpoint that were refused since the start; null: none. */
  readonly refused: RefusedStatus | null
  /** The Redis that is subscribed to, if there is one; it is one of the servers. */
  readonly redis: RedisStatus | null
  /** The log that is followed, if there is one; it is one of the servers. */
  readonly log: LogStatus | null
}

export interface LogStatus {
  /** Why it is not read; null: it is. */
  readonly why: string | null
  /** Bytes that are still to be read. */
  readonly left: number
  /** Lines have no time of their own. */
  readonly isUndated: boolean
  /** A file that is not read because a later one is; null: none. */
  readonly forked: string | null
}

export interface RefusedStatus {
  readonly count: number
  /** When and why the last one was. */
  readonly lastAt: number
  readonly why: string
}

export interface RedisStatus {
  /** Why it is not connected, once that is known. */
  readonly why: string | null
  /** What it is set to that may cost events. */
  readonly warnings: readonly { readonly code: string; readonly text: string; readonly remedy: string }[]
}

export interface RelayedStatus {
  readonly realm: string
  /** rcvp, rcvb, sentp, sentb. */
  readonly client: readonly number[]
  readonly peer: readonly number[]
}

export interface ForwardStatus {
  readonly connected: boolean
  /** Commands passed on, and thrown away because the other side did not take them. */
  readonly passed: number
  readonly dropped: number
}

/** Upper bounds of the buckets of `commitSeconds`. */
export const COMMIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const
