/** Sessions for tests. */
import type { Chart, LiveSession, LiveSnapshot } from '@fettle/relay/api'

const rates = { receivedBitsPerSecond: 0, sentBitsPerSecond: 0 }

export function session(id: number, more: Partial<LiveSession> = {}): LiveSession {
  const client = { receivedBytes: id, receivedPackets: 1, sentBytes: 0, sentPackets: 0 }
  return {
    id,
    realm: 'example.org',
    device: `device-${id}`,
    account: null,
    class: 'relayed',
    quality: 'lower_bound',
    missing: { packets: 4095, bytes: null },
    state: 'open',
    end: 'open',
    startedAt: new Date(Date.UTC(2026, 0, 1, 12, 0, id)).toISOString(),
    endedAt: null,
    durationSeconds: null,
    relaySeconds: null,
    relaySecondsMax: null,
    servers: ['turn1'],
    client,
    peer: null,
    allocations: 1,
    rates,
    ...more,
  }
}

export function ended(id: number, more: Partial<LiveSession> = {}): LiveSession {
  const endedAt = new Date(Date.UTC(2026, 0, 1, 13, 0, id)).toISOString()
  return session(id, { state: 'final', end: 'deleted', endedAt, durationSeconds: 3600, quality: 'exact', ...more })
}

/** `sent` and what is awaited follow from `received`: half of it, and nothing. */
export function chart(from: string, received: readonly number[], more: Partial<Chart> = {}): Chart {
  const none = received.map(() => 0)
  const sent = received.map((one) => one / 2)
  return { from, stepSeconds: 5, received: [...received], sent, receivedAwaited: none, sentAwaited: none, ...more }
}

export function snapshot(sessions: readonly LiveSession[]): LiveSnapshot {
  const totals = { sessions: sessions.length, allocations: sessions.length, rates }
  const at = '2026-01-01T13:00:00.000Z'
  return { commit: 10, at, totals, sessions: [...sessions], servers: [], findings: [], chart: chart(at, [0]) }
}
