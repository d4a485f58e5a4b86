/** What the routes answer: a query in, an answer out, each at one commit of the ledger. */
import type { DatabaseSync } from 'node:sqlite'
import type { z } from 'zod'
import { atOneCommit } from '../store/queries.ts'
import { findAllocations } from '../store/queries-allocations.ts'
import {
  bucketTime,
  findSessions,
  readTimeline,
  sessionRange,
  sessionRow,
  withinAllocations,
} from '../store/queries-sessions.ts'
import { findGaps } from '../store/queries-state.ts'
import { readUsage } from '../store/queries-usage.ts'
import { readRecords, readRejected } from '../store/sessions.ts'
import type {
  AllocationPage,
  Counters,
  GapPage,
  Ready,
  RejectedPage,
  Servers,
  SessionDetail,
  SessionPage,
  Usage,
} from './contract.ts'
import type { FactReader } from './facts.ts'
import { DISK_FULL_BYTES, findings, isSilent, LAG_MAX_SECONDS, lagSeconds } from './health.ts'
import {
  type allocationsQuery,
  type gapsQuery,
  type sessionsQuery,
  type usageQuery,
  writePosition,
  writeRange,
} from './query.ts'

/** Allocations on a page of sessions, unless a single session has more. */
const ALLOCATIONS_MAX = 10_000
const TIMELINE_MAX = 20_000
const REJECTED_MAX = 5000

const cursorOf = (next: number | null) => (next === null ? null : String(next))

export function sessionPage(db: DatabaseSync, query: z.output<typeof sessionsQuery>): SessionPage {
  return atOneCommit(db, (commit) => {
    const range = query.cursor ?? sessionRange(db, query)
    const found = findSessions(db, query, range, query.limit)
    const { rows, next } = withinAllocations(db, found, ALLOCATIONS_MAX)
    const sessions = readRecords(db, rows) as SessionPage['sessions']
    const cursor = next === null ? null : writeRange({ low: range.low, high: next })
    return { schema: 'fettle.relay.sessions/1', commit, sessions, next: cursor }
  })
}

/** Undefined: there is none. */
export function sessionDetail(db: DatabaseSync, id: number): SessionDetail | undefined {
  return atOneCommit(db, (commit) => {
    const row = sessionRow(db, id)
    const [session] = row === undefined ? [] : (readRecords(db, [row]) as SessionPage['sessions'])
    return session && { commit, session, timeline: readTimeline(db, id, TIMELINE_MAX) }
  })
}

export function allocationPage(db: DatabaseSync, query: z.output<typeof allocationsQuery>): AllocationPage {
  return atOneCommit(db, (commit) => {
    const { rows, next } = findAllocations(db, query, query.cursor, query.limit)
    return { commit, allocations: rows as unknown as AllocationPage['allocations'], next: cursorOf(next) }
  })
}

const widths = { '5m': 300, '1h': 3600, '1d': 86_400 } as const

export function usagePage(db: DatabaseSync, query: z.output<typeof usageQuery>): Usage {
  const { by, bucket, from, to, cursor, limit } = query
  return atOneCommit(db, (commit) => {
    const { rows, next } = readUsage(db, { by, width: widths[bucket], from, to }, cursor, limit)
    const page = rows.map(({ value, at, counters }) => ({
      value,
      at: bucketTime(at),
      client: side(counters.subarray(0, 4)),
      peer: side(counters.subarray(4)),
    }))
    return { commit, by, bucket, rows: page, next: next === null ? null : writePosition(next) }
  })
}

function side(four: Float64Array): Counters {
  const [receivedPackets, receivedBytes, sentPackets, sentBytes] = four as unknown as [number, number, number, number]
  return { receivedBytes, receivedPackets, sentBytes, sentPackets }
}

export function gapPage(db: DatabaseSync, query: z.output<typeof gapsQuery>): GapPage {
  return atOneCommit(db, (commit) => {
    const { rows, next } = findGaps(db, query.cursor, query.limit)
    return { commit, gaps: Array.from(rows), next: cursorOf(next) }
  })
}

export function rejectedPage(db: DatabaseSync): RejectedPage {
  return atOneCommit(db, (commit) => ({ commit, rejected: readRejected(db, REJECTED_MAX) }))
}

export function serverList(facts: FactReader): Servers {
  const { commit, servers } = facts.read()
  return { commit, servers: Array.from(servers) }
}

export async function readiness(facts: FactReader): Promise<Ready> {
  await facts.measureDisk()
  const known = facts.read()
  const { status, commit, diskFreeBytes, isLedgerGone, servers } = known
  const lag = lagSeconds(status)
  const isFull = diskFreeBytes !== null && diskFreeBytes < DISK_FULL_BYTES
  return {
    ready: !isSilent(known) && status?.failing === null && !isFull && !isLedgerGone && lag <= LAG_MAX_SECONDS,
    commit,
    lagSeconds: lag,
    diskFreeBytes,
    servers: servers.map(({ kind, name, connected, lastEventAt }) => ({ kind, name, connected, lastEventAt })),
    findings: findings(known),
  }
}
