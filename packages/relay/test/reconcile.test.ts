/** Records that are put right by coturn's log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AllocationRecord } from '../src/core/record.ts'
import { type Four, Heard, logOf, type Said, START } from './reconcile-world.ts'

const FULL: Four = [1024, 1_000_000, 1024, 900_000]
const REST: Four = [10, 5000, 12, 6000]
const ALL: Four = [1034, 1_005_000, 1036, 906_000]
const iso = (t: number) => new Date(START + t * 1000).toISOString()

/** A call of a full report and a last one. */
function call(user: string, id: number, from: number, to: number, boot = 1): Said[] {
  const one = { user, id, boot }
  return [
    { ...one, t: from, what: 'new' },
    { ...one, t: (from + to) / 2, what: 'report', client: FULL, peer: FULL },
    { ...one, t: to, what: 'report', client: REST, peer: REST },
    { ...one, t: to, what: 'deleted' },
  ]
}

const eight = ({ client, peer }: AllocationRecord) =>
  [client, peer!].map((one) => [one.receivedPackets, one.receivedBytes, one.sentPackets, one.sentBytes])

/** The counters of an allocation are the sums of its usage. */
function assertSums(heard: Heard): void {
  const rows =
    heard.rows(`SELECT a.coturn_id AS id, u.side, sum(rcvp) AS a, sum(rcvb) AS b, sum(sentp) AS c, sum(sentb) AS d
    FROM usage u JOIN allocation a ON a.id = u.allocation_id WHERE a.ended <> 0 GROUP BY a.id, u.side ORDER BY a.coturn_id, side`)
  const closed = heard.allocations().filter(({ state }) => state === 'closed')
  closed.sort((a, b) => Number(a.id) - Number(b.id))
  const expected = closed.flatMap((one) => eight(one).map((side) => [one.id, ...side]))
  assert.deepEqual(
    rows.map(({ id, a, b, c, d }) => [id, a, b, c, d]),
    expected.filter(([, ...side]) => side.some((n) => n !== 0)),
  )
}

test('[R46] two ledgers that agree are equal, and nothing is to be done', () => {
  const said = [...call('1:ann', 1, 0, 100), ...call('1:bob', 2, 10, 90)]
  const heard = new Heard()
  heard.hear(said)
  heard.until(200)
  const { equal, allocations, differences, completions, additions, absent, from, to } = heard.beside(logOf(said))
  assert.deepEqual([equal, allocations, differences, completions, additions, absent], [2, 2, [], [], [], 0])
  assert.deepEqual([from, to], [START, START + 100_000])
})

test('[R47] what ended in a gap and expired is made whole, once', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(3000)
  const [before] = heard.allocations()
  assert.deepEqual([before!.end, before!.quality, eight(before!)[0]], ['expired', 'lower_bound', FULL])
  const { differences, completions } = heard.beside(logOf(said))
  assert.deepEqual(
    differences.map(({ verdict }) => verdict),
    ['completes'],
  )
  assert.deepEqual(heard.apply({ completions, additions: [] }).completions, ['whole'])
  const [session] = heard.sessions()
  const [after] = session!.allocations
  assert.deepEqual(
    [after!.end, after!.quality, after!.endedAt, after!.missing, eight(after!)],
    ['deleted', 'reconstructed', iso(300), { packets: 0, bytes: 0 }, [ALL, ALL]],
  )
  assert.deepEqual([after!.closeReason, after!.unheard], ['allocation timeout', { packets: 44, bytes: 22_000 }])
  assert.deepEqual([session!.revision, session!.endedAt, session!.quality], [1, iso(300), 'reconstructed'])
  assertSums(heard)
  assert.equal(heard.beside(logOf(said)).equal, 1)
  assert.deepEqual(heard.apply({ completions, additions: [] }).completions, ['unchanged'])
  assert.equal(heard.sessions()[0]!.revision, 1)
})

test('[R47] what is open here and was closed in a gap ends as it would have ended then', () => {
  const said = call('1:ann', 1, 0, 400)
  const heard = new Heard()
  heard.hear(said, [[250, 450]])
  heard.until(455)
  assert.equal(heard.allocations()[0]!.state, 'open')
  assert.deepEqual(heard.beside(logOf(said)).completions, [])
  heard.until(500)
  const { completions } = heard.beside(logOf(said))
  assert.deepEqual(heard.apply({ completions, additions: [] }).completions, ['whole'])
  const [session] = heard.sessions()
  assert.deepEqual(
    [session!.state, session!.end, session!.endedAt, session!.quality, session!.revision],
    ['final', 'deleted', iso(400), 'reconstructed', 0],
  )
  assertSums(heard)
  const buckets = heard.rows('SELECT DISTINCT bucket FROM usage ORDER BY bucket').map(({ bucket }) => bucket)
  assert.deepEqual(buckets, [START / 1000, START / 1000 + 300])
  heard.restart()
  assert.equal(heard.beside(logOf(said)).equal, 1)
})

test('[R47] a call whose start was missed gets it; its totals were heard, so it stays exact', () => {
  const said = call('1:ann', 1, 100, 300)
  const heard = new Heard()
  heard.hear(said, [[50, 150]])
  heard.until(400)
  const before = heard.allocations()[0]!
  assert.deepEqual([before.startedAt, before.quality], [null, 'exact'])
  const { completions } = heard.beside(logOf(said))
  assert.deepEqual(heard.apply({ completions, additions: [] }).completions, ['whole'])
  const after = heard.allocations()[0]!
  assert.deepEqual([after.startedAt, after.quality, after.end, after.endedAt], [iso(100), 'exact', 'deleted', iso(300)])
  assert.equal(heard.beside(logOf(said)).equal, 1)
})

test('[R47] nothing is taken away: what counts more than the log contradicts it and stays', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(3000)
  const less = said.map((one) => (one.what === 'report' ? { ...one, client: REST, peer: REST } : one))
  const { differences, completions } = heard.beside(logOf(less))
  assert.deepEqual([differences.map(({ verdict }) => verdict), completions], [['contradicts'], []])
  const account = { openedAt: START, goodbyeAt: Number.NaN, closedAt: START + 300_000, relayTo: Number.NaN }
  const forced = { id: 1, account: { ...account, client: REST, peer: REST, closing: new Uint8Array(0) } }
  assert.deepEqual(heard.apply({ completions: [forced], additions: [] }).completions, ['contradicts'])
  assert.equal(heard.allocations()[0]!.quality, 'lower_bound')
})

test('[R46, R47] a log that is not whole itself completes nothing', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(3000)
  for (const lines of [logOf(said).slice(1), logOf(said).slice(0, -1)]) {
    const { differences, completions } = heard.beside(lines)
    assert.deepEqual([differences.map(({ verdict }) => verdict), completions], [['lacks'], []])
  }
})

test('[R48] a call that nobody heard of is added, in the session that it touches', () => {
  const before = call('1:ann', 1, 0, 100)
  const missed = call('1:ann', 2, 120, 180)
  const alone = [...call('1:bob', 3, 120, 180), ...call('2:bob', 5, 185, 195)]
  const after = call('1:bob', 4, 1000, 1400).slice(0, 2)
  const heard = new Heard()
  heard.hear([...before, ...missed, ...alone, ...after], [[110, 200]])
  heard.until(1200)
  const log = logOf([...before, ...missed, ...alone, ...after])
  const { additions, differences } = heard.beside(log)
  assert.deepEqual(
    differences.map(({ verdict, other }) => [verdict, other!.coturnId.at(-1)]),
    [
      ['adds', '2'],
      ['adds', '3'],
      ['adds', '5'],
    ],
  )
  assert.deepEqual(heard.apply({ completions: [], additions }).additions, ['whole', 'whole', 'whole'])
  const sessions = heard.sessions().map(({ device, startedAt, endedAt, state, revision, quality, allocations }) => {
    return [device, startedAt, endedAt, state, revision, quality, allocations.map(({ id }) => Number(id))]
  })
  assert.deepEqual(sessions, [
    ['ann', iso(0), iso(180), 'final', 1, 'reconstructed', [1, 2]],
    ['bob', iso(1000), null, 'open', 0, 'lower_bound', [4]],
    ['bob', iso(120), iso(195), 'final', 1, 'reconstructed', [3, 5]],
  ])
  assertSums(heard)
  const final = heard.rows('SELECT session_id, revision FROM outbox ORDER BY seq').map((one) => Object.values(one))
  assert.deepEqual(final, [
    [1, 0],
    [1, 1],
    [3, 0],
    [3, 1],
  ])
  assert.deepEqual(heard.beside(log).additions, [])
  const twice = [...additions, ...additions]
  assert.deepEqual(
    new Set(heard.apply({ completions: [], additions: twice }).additions),
    new Set(['unchanged']),
    'an old plan adds nothing again',
  )
  const fresh = new Heard()
  fresh.hear([...before, ...missed, ...alone, ...after], [[110, 200]])
  fresh.until(1200)
  const { additions: outcomes } = fresh.apply({ completions: [], additions: twice })
  assert.deepEqual(outcomes, ['whole', 'whole', 'whole', 'unchanged', 'unchanged', 'unchanged'])
})

test('[R48] what lies in no gap is not added: a log may be older than the meter', () => {
  const old = call('1:ann', 1, -5000, -4700)
  const said = call('1:bob', 2, 0, 100)
  const heard = new Heard()
  heard.hear(said, [[300, 400]])
  heard.until(1000)
  const { additions, differences } = heard.beside(logOf([...old, ...said]))
  assert.deepEqual([additions, differences.map(({ verdict, why }) => [verdict, why])], [[], [['unclear', 'no gap']]])
})

test('[R46] clocks that are hours apart: by how much is told by what is surely the same', () => {
  const said = [...call('1:ann', 1, 0, 100), ...call('1:bob', 2, 120, 180), ...call('1:cat', 3, 300, 500)]
  const heard = new Heard()
  heard.hear(said, [[110, 200]])
  heard.until(1000)
  const { aheadMs, equal, additions } = heard.beside(logOf(said, 7_200_000))
  assert.deepEqual([aheadMs, equal], [7_200_000, 2])
  heard.apply({ completions: [], additions })
  const added = heard.allocations().find(({ id }) => id.endsWith('2'))!
  assert.deepEqual([added.startedAt, added.endedAt], [iso(120), iso(180)])
})

test('[R46] an id that comes again after a restart is another allocation', () => {
  const first = call('ann', 1, 0, 100, 1)
  const second = call('ann', 1, 500, 900, 2)
  const heard = new Heard()
  heard.hear([...first, ...second], [[80, 200]])
  heard.until(2000)
  const { equal, completions, differences } = heard.beside(logOf([...first, ...second]))
  assert.deepEqual([equal, completions.length, differences.length], [1, 1, 1])
  heard.apply({ completions, additions: [] })
  assert.deepEqual(
    heard.allocations().map(({ boot, endedAt, quality }) => [boot, endedAt, quality]),
    [
      [1, iso(100), 'reconstructed'],
      [2, iso(900), 'exact'],
    ],
  )
})

test('[R46] two that may be the same are unclear, and left alone', () => {
  const first = call('ann', 1, 0, 4, 1)
  const again = call('ann', 1, 8, 12, 2)
  const heard = new Heard()
  heard.hear([...first, ...again], [[3, 200]])
  heard.until(3000)
  const { completions, additions, differences } = heard.beside(logOf([...first, ...again]))
  assert.deepEqual([completions, additions], [[], []])
  assert.deepEqual(
    differences.map(({ verdict }) => verdict),
    ['unclear', 'unclear', 'unclear'],
  )
})

test('[R49] what the meter has learnt meanwhile stands: an old plan changes nothing that is known', () => {
  const said = call('1:ann', 1, 0, 400)
  const heard = new Heard()
  heard.hear(said, [[250, 390]])
  heard.until(450)
  assert.equal(heard.allocations()[0]!.quality, 'exact')
  const account = { openedAt: START, goodbyeAt: Number.NaN, closedAt: START + 400_000, relayTo: Number.NaN }
  const old = { id: 1, account: { ...account, client: ALL, peer: ALL, closing: new Uint8Array(0) } }
  assert.deepEqual(heard.apply({ completions: [old], additions: [] }).completions, ['unchanged'])
  assert.deepEqual(heard.apply({ completions: [{ ...old, id: 9 }], additions: [] }).completions, ['unknown'])
})

const four = (most: number): fc.Arbitrary<Four> =>
  fc.tuple(fc.nat(most), fc.nat(most * 1000), fc.nat(most), fc.nat(most * 1000))

/** Calls of one boot: every allocation has an id of its own. */
const calls = fc
  .array(
    fc.record({
      user: fc.constantFrom('1:ann', '2:ann', '3:bob', 'a/allocation/000000000000000001'),
      from: fc.integer({ min: 0, max: 3000 }),
      reports: fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), four(2000), four(2000)), { maxLength: 4 }),
      rest: fc.integer({ min: 1, max: 200 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((made) =>
    made.map(({ user, from, reports, rest }, i) => {
      const one = { user, id: i + 1 }
      const said: Said[] = [{ ...one, t: from, what: 'new' }]
      let t = from
      for (const [after, client, peer] of reports) {
        t += after
        said.push({ ...one, t, what: 'report', client, peer }, { ...one, t, what: 'refreshed' })
      }
      // coturn reports when it closes, at least the requests of the client.
      said.push(
        { ...one, t: t + rest, what: 'report', client: REST, peer: REST },
        { ...one, t: t + rest, what: 'deleted' },
      )
      return said
    }),
  )

const totalsOf = (said: readonly Said[]) =>
  (['client', 'peer'] as const).map((side) =>
    [0, 1, 2, 3].map((k) => said.reduce((sum, one) => sum + (one[side]?.[k] ?? 0), 0)),
  )

test('[R46, R47, R48, R49] whatever was missed: every record is whole afterwards, to the byte, and doing it again changes nothing', () => {
  const gap = fc.tuple(fc.integer({ min: 0, max: 3500 }), fc.integer({ min: 1, max: 600 }))
  const world = fc.record({
    calls,
    gaps: fc.array(gap, { minLength: 1, maxLength: 3 }),
    at: fc.nat(9000),
    restart: fc.boolean(),
  })
  const seen = { completed: 0, added: 0 }
  const property = fc.property(world, ({ calls: made, gaps, at, restart }) => {
    const said = made.flat()
    const log = logOf(said)
    const heard = new Heard()
    heard.hear(
      said,
      gaps.map(([from, length]) => [from, from + length] as const),
    )
    const end = Math.max(...said.map(({ t }) => t), ...gaps.map(([from, length]) => from + length))
    for (const until of [end + at, end + 20_000]) {
      heard.until(until)
      if (restart) heard.restart()
      const { completions, additions } = heard.beside(log)
      const { completions: completed, additions: added } = heard.apply({ completions, additions })
      assert.deepEqual([completed, added], [completions.map(() => 'whole'), additions.map(() => 'whole')])
      seen.completed += completed.length
      seen.added += added.length
      assertSums(heard)
    }
    const again = heard.beside(log)
    assert.deepEqual([again.equal, again.differences], [made.length, []])
    const records = new Map(heard.allocations().map((one) => [Number(one.id), one]))
    for (const one of made) {
      const record = records.get(one[0]!.id)!
      assert.deepEqual(
        [eightOrNone(record), record.quality === 'lower_bound', record.endedAt],
        [totalsOf(one), false, iso(one.at(-1)!.t)],
      )
    }
  })
  fc.assert(property, { numRuns: Math.ceil(Number(process.env.FETTLE_MODEL_RUNS ?? 120) / 3) })
  assert.ok(seen.completed > 0 && seen.added > 0, JSON.stringify(seen))
})

/** A peer side of which nothing was said is 0 here, for it is compared with sums. */
const eightOrNone = (one: AllocationRecord) => eight({ ...one, peer: one.peer ?? { ...one.client, ...NO_BYTES } })
const NO_BYTES = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 }
