/** `/metrics` for Prometheus: counters since the meter's start, and what is open now. Never a username. */
import type { DatabaseSync } from 'node:sqlite'
import { type Metric, Registry } from 'prom-client'
import { atOneCommit } from '../store/queries.ts'
import { readTotals, type Totals } from '../store/queries-live.ts'
import type { FactReader, KnownFacts } from './facts.ts'
import { lagSeconds } from './health.ts'
import { COMMIT_SECONDS, type MeterStatus, type RelayedStatus } from './status.ts'

type Labels = Readonly<Record<string, string>>

interface Value {
  readonly value: number
  readonly labels?: Labels
  /** Where it is not the metric's own. */
  readonly metricName?: string
}

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly values: readonly Value[]
}

/** Values of one label; what is beyond is counted under ''. */
const LABELS_MAX = 64

/** The metrics as text, and its content type. */
export async function readMetrics(db: DatabaseSync, facts: FactReader): Promise<{ text: string; type: string }> {
  const known = facts.read()
  const totals = atOneCommit(db, () => readTotals(db, known.now))
  const registry = new Registry()
  // prom-client counts by itself; here everything is counted already, and it only writes the text.
  for (const family of familiesOf(known, totals)) {
    registry.registerMetric({ ...family, get: async () => family } as unknown as Metric)
  }
  return { text: await registry.metrics(), type: registry.contentType }
}

function familiesOf(facts: KnownFacts, totals: Totals): Family[] {
  const { status, diskFreeBytes, servers } = facts
  const gauge = (name: string, help: string, values: readonly Value[] | number): Family =>
    family('gauge', name, help, values)
  const counter = (name: string, help: string, values: readonly Value[] | number): Family =>
    family('counter', name, help, values)
  const always = [
    gauge('sessions_open', 'Sessions in which something that counts is open', totals.sessions),
    gauge('allocations_open', 'Open allocations that proved real', totals.allocations),
    ...(diskFreeBytes === null ? [] : [gauge('disk_free_bytes', 'Room on the disk of the data folder', diskFreeBytes)]),
    gauge(
      'coturn_connected',
      'Whether this coturn is connected',
      byServer(servers, (one) => Number(one.connected)),
    ),
    gauge(
      'coturn_last_event_timestamp_seconds',
      'When this coturn was last heard, in this run of the meter',
      byServer(
        servers.filter((one) => one.lastEventAt !== null),
        (one) => Date.parse(one.lastEventAt!) / 1000,
      ),
    ),
  ]
  if (status === undefined) return [...always, ...sinkOf(facts)]
  return [
    ...always,
    gauge('allocations_held', 'Allocations that have not proved real yet', status.held),
    gauge('pending_rows', 'Rows that wait to be stored', status.pending),
    gauge('lag_seconds', 'Age of the last commit while something waits, else 0', lagSeconds(status)),
    counter('relayed_bytes_total', 'Bytes relayed, as coturn counts them', relayed(status, 1)),
    counter('relayed_packets_total', 'Packets relayed', relayed(status, 0)),
    counter('events_total', 'Events by kind', eventsOf(status)),
    counter('rejected_total', 'Allocations that never proved real', status.rejected),
    counter('refused_total', 'Connections to the endpoint that were refused', status.refused?.count ?? 0),
    counter('gaps_total', 'Times in which events may have been lost', status.gaps),
    counter('malformed_total', 'Messages that are no event of coturn', status.malformed),
    commitSeconds(status),
    ...(status.log === null ? [] : [gauge('log_unread_bytes', 'What is still to be read of the log', status.log.left)]),
    ...forwardOf(status).map(([type, name, help, value]) => family(type, name, help, value)),
    ...sinkOf(facts),
  ]
}

function family(type: 'counter' | 'gauge', name: string, help: string, values: readonly Value[] | number): Family {
  return { type, name: `fettle_${name}`, help, values: typeof values === 'number' ? [{ value: values }] : values }
}

/** The best of those that have no label of their own. */
function byServer<T extends { readonly name: string }>(servers: readonly T[], read: (server: T) => number): Value[] {
  const own = servers.slice(0, LABELS_MAX).map((one) => ({ value: read(one), labels: { server: one.name } }))
  const others = servers.slice(LABELS_MAX).map(read)
  return others.length === 0 ? own : [...own, { value: Math.max(...others), labels: { server: '' } }]
}

function relayed({ relayed: all }: MeterStatus, offset: 0 | 1): Value[] {
  const shown = all.slice(0, LABELS_MAX)
  const others = all.slice(LABELS_MAX)
  const read = (one: RelayedStatus, side: 'client' | 'peer', at: number) => one[side][at] ?? 0
  return (['client', 'peer'] as const).flatMap((side) =>
    (['received', 'sent'] as const).flatMap((direction) => {
      const at = (direction === 'received' ? 0 : 2) + offset
      const sums = new Map(shown.map((one) => [one.realm, read(one, side, at)]))
      const rest = others.reduce((sum, one) => sum + read(one, side, at), 0)
      if (others.length > 0) sums.set('', (sums.get('') ?? 0) + rest)
      return Array.from(sums, ([realm, value]) => ({ value, labels: { realm, side, direction } }))
    }),
  )
}

function eventsOf({ events }: MeterStatus): Value[] {
  return Object.entries(events).map(([kind, value]) => ({ value, labels: { kind } }))
}

function commitSeconds({ commitSeconds: { buckets, sum, count } }: MeterStatus): Family {
  const name = 'fettle_commit_seconds'
  const values = COMMIT_SECONDS.map((bound, i) => ({
    value: buckets[i] ?? 0,
    labels: { le: String(bound) },
    metricName: `${name}_bucket`,
  }))
  return {
    name,
    help: 'How long commits took',
    type: 'histogram',
    values: [
      ...values,
      { value: count, labels: { le: '+Inf' }, metricName: `${name}_bucket` },
      { value: sum, metricName: `${name}_sum` },
      { value: count, metricName: `${name}_count` },
    ],
  }
}

function forwardOf({ forward }: MeterStatus): ['counter' | 'gauge', string, string, number][] {
  if (forward === null) return []
  return [
    [
      'gauge',
      'forward_connected',
      'Whether the Redis to which all is passed on is connected',
      Number(forward.connected),
    ],
    ['counter', 'forward_passed_total', 'Commands passed on', forward.passed],
    ['counter', 'forward_dropped_total', 'Commands that could not be passed on', forward.dropped],
  ]
}

function sinkOf({ sink }: KnownFacts): Family[] {
  if (sink === null) return []
  return [
    family('gauge', 'sink_connected', 'Whether rows can be written to the table', Number(sink.connected)),
    family('counter', 'sink_delivered_total', 'Rows written or changed', sink.delivered),
    family('gauge', 'sink_waiting', 'Finished sessions whose row is still to be written', sink.waiting),
    family('gauge', 'sink_held_back', 'Rows that the table does not take', sink.heldBack),
  ]
}
