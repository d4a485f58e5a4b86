/** Session records for people and spreadsheets; JSON is the record itself. */
import type { AllocationRecord, Quality, SessionRecord } from '@fettle/relay'
import { csvLine, duration, printable, size, table } from './text.ts'

/** How the quality is said in a table; docs/operating.md explains the words. */
const known: Readonly<Record<Quality, string>> = {
  exact: 'exact',
  lower_bound: 'at least',
  reconstructed: 'rebuilt',
  ambiguous: 'unsure',
}

const columns = [
  { title: 'started (UTC)' },
  { title: 'device', flexible: true },
  { title: 'end' },
  { title: 'relayed', right: true },
  { title: 'received', right: true },
  { title: 'sent', right: true },
  { title: 'known' },
] as const

export function sessionTable(sessions: readonly SessionRecord[], width: number): string {
  const rows = sessions.map((session) => [
    session.startedAt === null ? 'unknown' : session.startedAt.slice(5, 19).replace('T', ' '),
    printable(session.device),
    session.end,
    relayed(session),
    size(session.client.receivedBytes),
    size(session.client.sentBytes),
    known[session.quality],
  ])
  return table(columns, rows, width)
}

function relayed(session: SessionRecord): string {
  if (session.class === 'unused') return 'unused'
  if (session.relaySeconds !== null) return duration(session.relaySeconds)
  return session.relaySecondsMax === null ? 'unknown' : `< ${duration(session.relaySecondsMax)}`
}

/** One session in one line, for the running meter. */
export function sessionLine(session: SessionRecord): string {
  const { receivedBytes, sentBytes } = session.client
  const who = printable(session.account === null ? session.device : `${session.device} (${session.account})`)
  const what = session.class === 'unused' ? 'unused' : `relayed ${relayed(session)}`
  const moved = `received ${size(receivedBytes)}, sent ${size(sentBytes)}`
  return `session ${session.id}  ${who}  ${what}  ${moved}  ${session.end}, ${known[session.quality]}\n`
}

/** The columns of `--csv`, one row a session; times in ISO 8601, counters of the client and the peer side. */
export const csvHeader = [
  'id',
  'realm',
  'device',
  'account',
  'class',
  'state',
  'end',
  'quality',
  'missing_packets',
  'missing_bytes',
  'started_at',
  'ended_at',
  'duration_seconds',
  'relay_seconds',
  'relay_seconds_max',
  'servers',
  'allocations',
  'client_received_packets',
  'client_received_bytes',
  'client_sent_packets',
  'client_sent_bytes',
  'peer_received_packets',
  'peer_received_bytes',
  'peer_sent_packets',
  'peer_sent_bytes',
] as const

export function sessionCsv(session: SessionRecord): string {
  return csvLine([
    session.id,
    session.realm,
    session.device,
    session.account,
    session.class,
    session.state,
    session.end,
    session.quality,
    session.missing.packets,
    session.missing.bytes,
    session.startedAt,
    session.endedAt,
    session.durationSeconds,
    session.relaySeconds,
    session.relaySecondsMax,
    session.servers.join(' '),
    session.allocations.length,
    ...counters(session.client),
    ...counters(session.peer),
  ])
}

function counters(side: AllocationRecord['peer']): (number | null)[] {
  if (side === null) return [null, null, null, null]
  return [side.receivedPackets, side.receivedBytes, side.sentPackets, side.sentBytes]
}
