import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Api } from '../src/serve/api.ts'
import { get, Rig, serverStatus, statusAt } from './api-rig.ts'

async function metrics(api: Api): Promise<Map<string, number>> {
  const text = await (await api.fetch(get('/metrics'))).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  for (const line of lines) assert.match(line, /^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+.\deE]+$/)
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

test('metrics say what the meter counts, and never who it was', async (context) => {
  const rig = new Rig(context)
  rig.open('1:alice')
  rig.open('1:bob', 'turn2')
  rig.commit()
  rig.status = statusAt(rig.now, {
    held: 4,
    rejected: 5,
    gaps: 6,
    refused: { count: 10, lastAt: rig.now, why: 'wrong password' },
    pending: 7,
    committedAt: rig.now - 2000,
    events: { opened: 2, traffic: 9, malformed: 3 },
    malformed: 3,
    relayed: [
      { realm: '', client: [0, 0, 0, 0], peer: [0, 0, 0, 0] },
      { realm: 'example.org', client: [1, 200, 3, 400], peer: [5, 600, 7, 2 ** 53 - 1] },
    ],
    servers: [serverStatus('turn1', { lastEventAt: rig.now }), serverStatus('turn2', { connections: 0 })],
    forward: { connected: false, passed: 8, dropped: 1 },
    log: { why: null, left: 4711, isUndated: false, forked: null },
  })
  const sink = { connected: true, failing: null, delivered: 12, waiting: 3, heldBack: 2, lastHeld: null }
  const api = rig.api({ sink: () => sink })
  const found = await metrics(api)
  const expected = {
    fettle_sessions_open: 2,
    fettle_allocations_open: 2,
    fettle_allocations_held: 4,
    fettle_rejected_total: 5,
    fettle_gaps_total: 6,
    fettle_refused_total: 10,
    fettle_pending_rows: 7,
    fettle_malformed_total: 3,
    fettle_lag_seconds: 2,
    'fettle_events_total{kind="traffic"}': 9,
    'fettle_relayed_bytes_total{realm="example.org",side="client",direction="received"}': 200,
    'fettle_relayed_bytes_total{realm="example.org",side="peer",direction="sent"}': 2 ** 53 - 1,
    'fettle_relayed_packets_total{realm="example.org",side="client",direction="sent"}': 3,
    'fettle_commit_seconds_bucket{le="0.005"}': 1,
    'fettle_commit_seconds_bucket{le="5"}': 3,
    'fettle_commit_seconds_bucket{le="+Inf"}': 3,
    fettle_commit_seconds_sum: 0.03,
    fettle_commit_seconds_count: 3,
    'fettle_coturn_connected{server="turn1"}': 1,
    'fettle_coturn_connected{server="turn2"}': 0,
    'fettle_coturn_last_event_timestamp_seconds{server="turn1"}': rig.now / 1000,
    fettle_sink_connected: 1,
    fettle_sink_delivered_total: 12,
    fettle_sink_waiting: 3,
    fettle_sink_held_back: 2,
    fettle_log_unread_bytes: 4711,
    fettle_forward_connected: 0,
    fettle_forward_passed_total: 8,
    fettle_forward_dropped_total: 1,
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(found.get(name), value, name)
  assert.equal(found.has('fettle_coturn_last_event_timestamp_seconds{server="turn2"}'), false)
  const text = await (await api.fetch(get('/metrics'))).text()
  assert.doesNotMatch(text, /alice|bob/)
  assert.match(text, /^# TYPE fettle_commit_seconds histogram$/m)
  assert.match(text, /^# TYPE fettle_relayed_bytes_total counter$/m)
})

test('labels are bounded: what is beyond is one of them', async (context) => {
  const rig = new Rig(context)
  rig.status = statusAt(rig.now, {
    relayed: Array.from({ length: 70 }, (_, i) => ({
      realm: i === 0 ? '' : `realm${i}`,
      client: [1, 10, 1, 10],
      peer: [0, 0, 0, 0],
    })),
    servers: Array.from({ length: 70 }, (_, i) => serverStatus(`turn${i}`, { connections: i === 69 ? 1 : 0 })),
  })
  const found = await metrics(rig.api())
  const of = (name: string) => Array.from(found.keys()).filter((key) => key.startsWith(`${name}{`))
  assert.equal(of('fettle_coturn_connected').length, 65)
  assert.equal(found.get('fettle_coturn_connected{server=""}'), 1)
  assert.equal(of('fettle_relayed_bytes_total').length, 64 * 4)
  assert.equal(found.get('fettle_relayed_bytes_total{realm="",side="client",direction="received"}'), 70)
})

test('a name cannot break out of its label', async (context) => {
  const rig = new Rig(context)
  const realm = 'a"b\\c\nfettle_gaps_total 99'
  rig.status = statusAt(rig.now, { relayed: [{ realm, client: [1, 2, 3, 4], peer: [0, 0, 0, 0] }] })
  const text = await (await rig.api().fetch(get('/metrics'))).text()
  assert.match(text, /realm="a\\"b\\\\c\\nfettle_gaps_total 99"/)
  assert.equal(text.match(/^fettle_gaps_total /gm)?.length, 1)
})

test('before the meter has said anything there is only what the ledger knows', async (context) => {
  const rig = new Rig(context)
  rig.status = undefined
  const found = await metrics(rig.api())
  assert.equal(found.get('fettle_sessions_open'), 0)
  assert.equal(found.has('fettle_gaps_total'), false)
})
