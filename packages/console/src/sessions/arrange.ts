/** Which sessions the table shows, and in which order. */
import type { LiveSession, Rates, Session } from '@fettle/relay/api'

/** A session as a row: one that is live, or a record. */
export interface RowSession extends Omit<LiveSession, 'rates'> {
  /** Absent in records. */
  readonly rates?: Rates
}

export type Show = 'all' | 'open' | 'ended'

export type ColumnKey =
  | 'device'
  | 'account'
  | 'realm'
  | 'server'
  | 'started'
  | 'duration'
  | 'class'
  | 'received'
  | 'receiving'
  | 'sent'
  | 'sending'
  | 'quality'
  | 'state'

export interface Column {
  readonly key: ColumnKey
  readonly title: string
  readonly isNumber?: boolean
  /** What it is sorted by, null last. `now`: the meter's time. */
  value(session: RowSession, now: number): string | number | null
}

/** Worst last: what is sorted by it shows the doubtful ones first when turned around. */
const qualities: readonly Session['quality'][] = ['exact', 'reconstructed', 'lower_bound', 'ambiguous']

export const columns: readonly Column[] = [
  { key: 'device', title: 'Device', value: (one) => one.device },
  { key: 'account', title: 'Account', value: (one) => one.account },
  { key: 'realm', title: 'Realm', value: (one) => one.realm },
  { key: 'server', title: 'Server', value: (one) => one.servers.join(' ') || null },
  { key: 'started', title: 'Started', value: (one) => (one.startedAt === null ? null : Date.parse(one.startedAt)) },
  { key: 'duration', title: 'Duration', isNumber: true, value: secondsSoFar },
  { key: 'class', title: 'Class', value: (one) => one.class },
  { key: 'received', title: 'Received', isNumber: true, value: (one) => one.client.receivedBytes },
  {
    key: 'receiving',
    title: 'Receiving',
    isNumber: true,
    value: (one) => openRate(one)?.receivedBitsPerSecond ?? null,
  },
  { key: 'sent', title: 'Sent', isNumber: true, value: (one) => one.client.sentBytes },
  { key: 'sending', title: 'Sending', isNumber: true, value: (one) => openRate(one)?.sentBitsPerSecond ?? null },
  { key: 'quality', title: 'Known', value: (one) => qualities.indexOf(one.quality) },
  { key: 'state', title: 'State', value: (one) => (one.state === 'open' ? ' ' : one.end) },
]

/** What has ended has no rate any more, and of what has not reported yet nobody knows it: none in both directions. */
export function openRate({ state, rates }: RowSession): Rates | undefined {
  if (state !== 'open' || rates === undefined) return undefined
  return rates.receivedBitsPerSecond === 0 && rates.sentBitsPerSecond === 0 ? undefined : rates
}

/** null: nobody knows when it began. */
export function secondsSoFar(session: RowSession, now: number): number | null {
  if (session.durationSeconds !== null) return session.durationSeconds
  return session.startedAt === null || session.state !== 'open' ? null : (now - Date.parse(session.startedAt)) / 1000
}

export interface Order {
  readonly by: ColumnKey
  readonly descending: boolean
}

/** A click on a title: the same column turns around, another begins with what one looks for first. */
export function turn(order: Order, by: ColumnKey): Order {
  if (order.by === by) return { by, descending: !order.descending }
  return { by, descending: by === 'started' || (columns.find(({ key }) => key === by)?.isNumber ?? false) }
}

export function sorted(sessions: Iterable<RowSession>, order: Order, now: number): RowSession[] {
  const { value } = columns.find(({ key }) => key === order.by)!
  const sign = order.descending ? -1 : 1
  const keyed = Array.from(sessions, (session) => ({ session, by: value(session, now) }))
  keyed.sort((a, b) => {
    if (a.by === b.by) return b.session.id - a.session.id
    if (a.by === null || b.by === null) return a.by === null ? 1 : -1
    return (a.by < b.by ? -1 : 1) * sign
  })
  return keyed.map(({ session }) => session)
}

/** Every word has to be found somewhere in the names. */
export function matches(session: RowSession, words: readonly string[], show: Show): boolean {
  if (show !== 'all' && (show === 'open') !== (session.state === 'open')) return false
  if (words.length === 0) return true
  const { device, account, realm, servers, end, class: kind } = session
  const text = [device, account ?? '', realm, ...servers, kind, session.state === 'open' ? 'open' : end, session.id]
    .join('\n')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

export function wordsOf(filter: string): string[] {
  return filter.toLowerCase().split(/\s+/).filter(Boolean)
}

/** Rows that were there keep their order, and new ones come below them: nothing moves away under a pointer. */
export function held(before: readonly number[], now: readonly RowSession[]): RowSession[] {
  const byId = new Map(now.map((session) => [session.id, session]))
  const kept = before.flatMap((id) => byId.get(id) ?? [])
  const known = new Set(before)
  return [...kept, ...now.filter(({ id }) => !known.has(id))]
}
