/** What the reference model knows of one allocation, and how its usage follows from the history of its counters. */
import type { Four, Path } from './events.ts'

export type Side = 0 | 1

/** The counters of one side. */
export interface Counted {
  /** Sum of the reports (rule R5). */
  sum: Four
  /** The last total heard, made whole (rule R6). */
  total: Four | null
  /** What was counted until when, while it was measured: each step lies between its time and the one before. */
  history: { t: number | null; n: Four }[]
  /** What came after the end, with the time it came (rule R15). */
  late: { t: number | null; n: Four }[]
}

export interface Account extends Path {
  /** held: not proved real. closing: `deleted`, but not all totals. expired: remembered. gone: nothing can come. */
  state: 'held' | 'open' | 'closing' | 'expired' | 'gone' | 'rejected'
  readonly heardAt: number | null
  openedAt: number | null
  fromStart: boolean
  goodbyeAt: number | null
  closedAt: number | null
  ended: 'open' | 'deleted' | 'expired' | 'restarted' | 'superseded'
  lifetime: number | null
  expiresAt: number | null
  server: string | null
  client: string | null
  /** A gap fell into its life. */
  gap: boolean
  /** A gap fell between its last status and now: a `new` may have been missed. */
  gapSinceStatus: boolean
  /** A gap fell into its present lifetime. */
  gapInLifetime: boolean
  ambiguous: boolean
  carries: boolean
  carrierAt: number | null
  session: number | null
  readonly sides: readonly [Counted, Counted]
  peerHeard: boolean
  /** Its coturn reports a peer side, as far as known when it ended, though nothing of it was heard. */
  peerExpected: boolean
  /** Packets and bytes of both sides. */
  unheard: [number, number]
}

export const zero: Four = [0, 0, 0, 0]

export function plus(a: Four, b: Four): Four {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]]
}

export function minus(a: Four, b: Four): Four {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
}

export function newAccount(path: Path, t: number | null): Account {
  const { stream, boot, realm, username, id } = path
  const counted = (): Counted => ({ sum: zero, total: null, history: [{ t, n: zero }], late: [] })
  return {
    stream,
    boot,
    realm,
    username,
    id,
    state: 'held',
    heardAt: t,
    openedAt: null,
    fromStart: false,
    goodbyeAt: null,
    closedAt: null,
    ended: 'open',
    lifetime: null,
    expiresAt: null,
    server: null,
    client: null,
    gap: false,
    gapSinceStatus: false,
    gapInLifetime: false,
    ambiguous: false,
    carries: false,
    carrierAt: null,
    session: null,
    sides: [counted(), counted()],
    peerHeard: false,
    peerExpected: false,
    unheard: [0, 0],
  }
}

/** The account's counters: totals replace sums, and the two are never added together (rules R5, R6). */
export function countersOf(account: Account, side: Side): Four {
  const { sum, total } = account.sides[side]
  return total ?? sum
}

export function payload([, received, , sent]: Four): number {
  return received + sent
}

export function isOver(account: Account): boolean {
  return account.state === 'expired' || account.state === 'gone'
}

/** Rule R16. */
export function qualityOf(account: Account): string {
  const [client, peer] = account.sides
  if (account.ambiguous) return 'ambiguous'
  const peerKnown = peer.total !== null || !(account.peerHeard || account.peerExpected)
  return client.total !== null && peerKnown ? 'exact' : 'lower_bound'
}

/** Rule R16: one packet count less than a report has; before 4.5.2 (told by a report without a peer side) 2048. */
export function missingOf(account: Account): number | null {
  if (qualityOf(account) === 'exact') return 0
  if (account.gap || account.ambiguous || !account.fromStart) return null
  const [received, , sent] = countersOf(account, 0)
  return received + sent > 0 && !account.peerHeard && !account.peerExpected ? 2047 : 4095
}

/** id of the account in the order of opening, bucket, side, entry, counters. */
export type UsageRow = readonly [account: number, bucket: number, side: Side, entry: number, ...n: Four]

/** Rule R26, from the history: a bucket is the difference of two readings. Late entries are numbered by the reader. */
export function usageOf(account: Account, index: number, bucketMs: number): UsageRow[] {
  return ([0, 1] as const).flatMap((side) => {
    const rows = measured(account, side, bucketMs)
    const late = account.sides[side].late.map(({ t, n }): [number, number, Four] => [bucketOf(t, bucketMs), 1, n])
    return [...rows, ...late]
      .filter(([, , n]) => n.some((one) => one !== 0))
      .map(([bucket, entry, n]): UsageRow => [index, bucket, side, entry, ...n])
  })
}

function bucketOf(t: number | null, bucketMs: number): number {
  return t === null ? -1 : Math.floor(t / bucketMs) * (bucketMs / 1000)
}

function measured(account: Account, side: Side, bucketMs: number): [number, number, Four][] {
  const { history } = account.sides[side]
  const rows: [number, number, Four][] = []
  let reading = zero
  let written = zero
  let from = history[0]!.t
  for (const { t, n } of history) {
    for (const end of from === null || t === null ? [] : boundaries(from, t, bucketMs)) {
      const atEnd = plus(reading, shareOf(n, end - from!, t! - from!))
      rows.push([bucketOf(end - bucketMs, bucketMs), 0, minus(atEnd, written)])
      written = atEnd
    }
    reading = plus(reading, n)
    from = t
  }
  if (isOver(account)) rows.push([bucketOf(from, bucketMs), 0, minus(reading, written)])
  return rows
}

/** The ends of buckets in (from, to]. */
function boundaries(from: number, to: number, bucketMs: number): number[] {
  const ends: number[] = []
  for (let end = (Math.floor(from / bucketMs) + 1) * bucketMs; end <= to; end += bucketMs) ends.push(end)
  return ends
}

/** Spread evenly, rounded down; in whole numbers, so that no fraction of a fraction is lost. */
function shareOf(n: Four, passed: number, whole: number): Four {
  const share = (one: number) => {
    const product = BigInt(one) * BigInt(passed)
    const quotient = product / BigInt(whole)
    return Number(product < 0n && quotient * BigInt(whole) !== product ? quotient - 1n : quotient)
  }
  return [share(n[0]), share(n[1]), share(n[2]), share(n[3])]
}
