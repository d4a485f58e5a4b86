/** The record of a session as users get it: the same in replay, on the command line and in the API. */
import type { Ending } from './ends.ts'
import { type Quality, worst } from './quality.ts'
import { quirksOf } from './quirks.ts'

/** What was moved on one side; bytes and packets as coturn counts them. */
export interface Counters {
  readonly receivedBytes: number
  readonly receivedPackets: number
  readonly sentBytes: number
  readonly sentPackets: number
}

/** As coturn writes them: rcvp, rcvb, sentp, sentb. */
export function numbersOf(one: Counters | null): number[] {
  return [one?.receivedPackets ?? 0, one?.receivedBytes ?? 0, one?.sentPackets ?? 0, one?.sentBytes ?? 0]
}

/** The other way round. */
export function countersOf(numbers: readonly number[]): Counters {
  const [receivedPackets = 0, receivedBytes = 0, sentPackets = 0, sentBytes = 0] = numbers
  return { receivedBytes, receivedPackets, sentBytes, sentPackets }
}

/** What can be missing from a record at most, in packet counts; `bytes` is about how many bytes that is (rule R16). */
export interface Missing {
  readonly packets: number | null
  readonly bytes: number | null
}

export interface AllocationRecord {
  /** coturn's 18 digits: unique within one boot of one server. */
  readonly id: string
  readonly server: string | null
  readonly boot: number | null
  readonly username: string
  readonly state: 'open' | 'closed'
  readonly end: Ending
  readonly quality: Quality
  readonly missing: Missing
  /** What the totals held above the reports, both sides (rule R17). */
  readonly unheard: { readonly packets: number; readonly bytes: number }
  readonly quirks: readonly string[]
  /** ISO 8601, UTC; null when unknown. */
  readonly startedAt: string | null
  /** Set when the start is unknown: the first time it was heard of (rule R12). */
  readonly startedBefore: string | null
  readonly goodbyeAt: string | null
  readonly endedAt: string | null
  /** It carried payload (rule R20). */
  readonly carries: boolean
  readonly relaySeconds: number | null
  readonly relaySecondsMax: number | null
  readonly lifetimeSeconds: number | null
  readonly refreshes: number
  /** Between client and server: UDP, TCP, TLS, DTLS, SCTP. */
  readonly transport: string | null
  readonly clientAddress: string | null
  readonly serverAddress: string | null
  readonly tls: string | null
  /** What the client gave as its ORIGIN, and why coturn closed; only its log tells (rule R41). */
  readonly origin: string | null
  readonly closeReason: string | null
  readonly client: Counters
  /** null: coturn before 4.5.2 reports no peer side (rule R8). */
  readonly peer: Counters | null
}

export interface SessionRecord {
  readonly id: number
  readonly key: string
  readonly realm: string
  readonly device: string
  readonly account: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly class: 'relayed' | 'unused'
  readonly quality: Quality
  readonly missing: Missing
  /** `open`: something that counts is open; `ended`: may still go on for `linger`; `final`: takes nothing more. */
  readonly state: 'open' | 'ended' | 'final'
  readonly end: Ending
  readonly revision: number
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly durationSeconds: number | null
  readonly relaySeconds: number | null
  readonly relaySecondsMax: number | null
  readonly servers: readonly string[]
  readonly client: Counters
  readonly peer: Counters | null
  readonly allocations: readonly AllocationRecord[]
}

/** What the store knows of an allocation; times in milliseconds, null when unknown. */
export interface AllocationFacts {
  readonly coturnId: string
  readonly realm: string
  readonly username: string
  readonly device: string
  readonly account: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly server: string | null
  readonly boot: number | null
  readonly version: string | null
  readonly openedAt: number | null
  readonly heardAt: number | null
  readonly goodbyeAt: number | null
  readonly closedAt: number | null
  readonly ended: Ending
  readonly carries: boolean
  readonly relayTo: number | null
  readonly relayToMax: number | null
  readonly lifetime: number | null
  readonly refreshes: number
  readonly quality: Quality
  readonly missingPackets: number | null
  readonly unheardPackets: number
  readonly unheardBytes: number
  readonly transport: string | null
  readonly clientAddress: string | null
  readonly serverAddress: string | null
  readonly tls: string | null
  readonly origin: string | null
  readonly closeReason: string | null
  readonly client: Counters
  readonly peer: Counters | null
}

export interface SessionFacts {
  readonly id: number
  readonly key: string
  readonly open: number
  readonly settledAt: number | null
  readonly revision: number
  /** At least one. */
  readonly allocations: readonly AllocationFacts[]
}

/** Puts the record together (rules R16, R22, R25). */
export function sessionRecord(facts: SessionFacts): SessionRecord {
  const all = facts.allocations
  const carriers = all.filter((one) => one.carries)
  const counting = carriers.length > 0 ? carriers : all
  const open = counting.some((one) => one.ended === 'open')
  const startedAt = least(counting.map((one) => one.openedAt))
  const last = open ? undefined : latest(counting)
  const endedAt = last?.closedAt ?? null
  return {
    id: facts.id,
    key: facts.key,
    realm: all[0]!.realm,
    device: all[0]!.device,
    account: all[0]!.account,
    labels: all[0]!.labels,
    class: carriers.length > 0 ? 'relayed' : 'unused',
    quality: worst(counting.map((one) => one.quality)),
    missing: sumMissing(counting.map(missingOf)),
    state: facts.settledAt !== null ? 'final' : open ? 'open' : 'ended',
    end: last?.ended ?? 'open',
    revision: facts.revision,
    startedAt: isoTime(startedAt),
    endedAt: isoTime(endedAt),
    durationSeconds: seconds(startedAt, endedAt),
    relaySeconds: carriers.length > 0 ? union(carriers, (one) => one.relayTo) : null,
    relaySecondsMax: carriers.length > 0 ? union(carriers, (one) => one.relayToMax) : null,
    servers: Array.from(new Set(all.flatMap((one) => one.server ?? []))),
    client: sum(all.map((one) => one.client)),
    peer: all.every((one) => one.peer === null) ? null : sum(all.flatMap((one) => one.peer ?? [])),
    allocations: all.map(allocationRecord),
  }
}

/** An allocation alone, as it stands in the record of its session. */
export function allocationRecord(facts: AllocationFacts): AllocationRecord {
  const start = facts.openedAt ?? facts.heardAt
  return {
    id: facts.coturnId,
    server: facts.server,
    boot: facts.boot,
    username: facts.username,
    state: facts.ended === 'open' ? 'open' : 'closed',
    end: facts.ended,
    quality: facts.quality,
    missing: missingOf(facts),
    unheard: { packets: facts.unheardPackets, bytes: facts.unheardBytes },
    quirks: quirksOf({ version: facts.version, peerSentPackets: facts.peer?.sentPackets ?? 0 }),
    startedAt: isoTime(facts.openedAt),
    startedBefore: facts.openedAt === null ? isoTime(facts.heardAt) : null,
    goodbyeAt: isoTime(facts.goodbyeAt),
    endedAt: isoTime(facts.closedAt),
    carries: facts.carries,
    relaySeconds: facts.carries ? seconds(start, facts.relayTo) : null,
    relaySecondsMax: facts.carries ? seconds(start, facts.relayToMax) : null,
    lifetimeSeconds: facts.lifetime,
    refreshes: facts.refreshes,
    transport: facts.transport,
    clientAddress: facts.clientAddress,
    serverAddress: facts.serverAddress,
    tls: facts.tls,
    origin: facts.origin,
    closeReason: facts.closeReason,
    client: facts.client,
    peer: facts.peer,
  }
}

/** Bytes only where this allocation's own packet size is known: its mean so far, over both sides. */
function missingOf(facts: AllocationFacts): Missing {
  const packets = facts.missingPackets
  const both = sum([facts.client, ...(facts.peer === null ? [] : [facts.peer])])
  const counted = both.receivedPackets + both.sentPackets
  if (packets === null || packets === 0) return { packets, bytes: packets }
  if (counted === 0) return { packets, bytes: null }
  return { packets, bytes: Math.round((packets * (both.receivedBytes + both.sentBytes)) / counted) }
}

function sumMissing(all: readonly Missing[]): Missing {
  const add = (values: readonly (number | null)[]) =>
    values.reduce((a, b) => (a === null || b === null ? null : a + b), 0)
  return { packets: add(all.map((one) => one.packets)), bytes: add(all.map((one) => one.bytes)) }
}

function sum(all: readonly Counters[]): Counters {
  const add = (name: keyof Counters) => all.reduce((total, one) => total + one[name], 0)
  return {
    receivedBytes: add('receivedBytes'),
    receivedPackets: add('receivedPackets'),
    sentBytes: add('sentBytes'),
    sentPackets: add('sentPackets'),
  }
}

/** null when one is unknown. */
function least(times: readonly (number | null)[]): number | null {
  return times.reduce((a, b) => (a === null || b === null ? null : Math.min(a, b)), Number.POSITIVE_INFINITY)
}

function latest(all: readonly AllocationFacts[]): AllocationFacts | undefined {
  return all.reduce<AllocationFacts | undefined>(
    (a, b) => (a === undefined || (b.closedAt ?? 0) >= (a.closedAt ?? 0) ? b : a),
    undefined,
  )
}

/** The seconds in which at least one carrier relayed; null when one of the ends is unknown. */
function union(carriers: readonly AllocationFacts[], end: (one: AllocationFacts) => number | null): number | null {
  const spans: [number, number][] = []
  for (const one of carriers) {
    const from = one.openedAt ?? one.heardAt
    const to = end(one)
    if (from === null || to === null) return null
    spans.push([from, to])
  }
  spans.sort((a, b) => a[0] - b[0])
  let total = 0
  let reached = Number.NEGATIVE_INFINITY
  for (const [from, to] of spans) {
    total += Math.max(0, to - Math.max(from, reached))
    reached = Math.max(reached, to)
  }
  return Math.round(total) / 1000
}

function seconds(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.round(Math.max(0, to - from)) / 1000
}

export function isoTime(t: number | null): string | null {
  return t === null ? null : new Date(t).toISOString()
}
