/** Sessions as CSV (RFC 4180), the same on the command line and over HTTP. */
import type { Counters, SessionRecord } from './core/record.ts'

/** What a spreadsheet may take for the beginning of a formula; the wide forms in an East Asian one (OWASP). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

/** A field of CSV. What a spreadsheet would run as a formula is made text by a leading apostrophe. */
export function csvField(value: string | number | boolean | null): string {
  if (value === null) return ''
  if (typeof value !== 'string') return String(value)
  const text = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return `${values.map(csvField).join(',')}\r\n`
}

/** One row a session; times in ISO 8601, counters of the client and the peer side. */
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

function counters(side: Counters | null): (number | null)[] {
  if (side === null) return [null, null, null, null]
  return [side.receivedPackets, side.receivedBytes, side.sentPackets, side.sentBytes]
}
