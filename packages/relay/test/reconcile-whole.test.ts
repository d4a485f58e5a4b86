/** Whatever was missed, of whatever coturns: what the log has whole is whole afterwards, and nothing counts twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AllocationRecord } from '../src/core/record.ts'
import type { Difference } from '../src/reconcile/plan.ts'
import { eight, type Four, Heard, iso, logOf, type Missed, type Said } from './reconcile-world.ts'

const SERVERS = [1, 2] as const

const four = (most: number): fc.Arbitrary<Four> =>
  fc.tuple(fc.nat(most), fc.nat(most * 1000), fc.nat(most), fc.nat(most * 1000))

const made = fc.record({
  user: fc.constantFrom('1:ann', '2:ann', '3:bob', 'a/allocation/000000000000000001'),
  server: fc.constantFrom(...SERVERS),
  from: fc.integer({ min: 0, max: 3000 }),
  reports: fc.array(fc.tuple(fc.integer({ min: 1, max: 200 }), four(2000), four(2000)), { maxLength: 4 }),
  rest: fc.integer({ min: 1, max: 200 }),
  saysGoodbye: fc.boolean(),
})

const world = fc.record({
  calls: fc.array(made, { minLength: 1, maxLength: 10 }),
  /** The first coturn is killed then, and its ids begin anew. */
  kills: fc.array(fc.integer({ min: 200, max: 3500 }), { maxLength: 2 }),
  gaps: fc.array(fc.tuple(fc.nat(3500), fc.integer({ min: 1, max: 600 }), fc.constantFrom(...SERVERS)), {
    minLength: 1,
    maxLength: 4,
  }),
  /** What was logged before that is not there any more. */
  logFrom: fc.oneof(fc.constant(0), fc.nat(1500)),
  hasProcesses: fc.boolean(),
  /** How long after all that it is looked at first: what is over then is in memory, or has left it. */
  at: fc.oneof(fc.nat(9000), fc.constant(200_000)),
  restarts: fc.boolean(),
})

/** An allocation as it was. */
interface Truth {
  readonly said: readonly Said[]
  /** Its coturn did not live to see its end. */
  readonly isKilled: boolean
}

type World = typeof world extends fc.Arbitrary<infer T> ? T : never

function truthsOf({ calls, kills }: World): Truth[] {
  const ids = new Map<string, number>()
  return calls
    .toSorted((a, b) => a.from - b.from)
    .map(({ user, server, from, reports, rest, saysGoodbye }, i) => {
      const over = server === 1 ? kills : []
      const boot = 1 + over.filter((t) => t <= from).length
      const id = (ids.get(`${server}/${boot}`) ?? 0) + 1
      ids.set(`${server}/${boot}`, id)
      const one = { user, id, server, boot }
      const said: Said[] = [{ ...one, t: from, what: 'new' }]
      let t = from
      for (const [after, client, peer] of reports) {
        t += after
        said.push({ ...one, t, what: 'report', client, peer }, { ...one, t, what: 'refreshed' })
      }
      t += rest
      if (saysGoodbye) said.push({ ...one, t: t - 1, what: 'goodbye' })
      // coturn reports when it closes, at least the requests of the client; that no two count the same is by chance.
      const last: Four = [10 + i, 5000 + i, 12, 6000]
      said.push({ ...one, t, what: 'report', client: last, peer: last }, { ...one, t, what: 'deleted' })
      const end = Math.min(...over.filter((kill) => kill > from))
      const heard = said.filter((each) => each.t < end)
      return { said: heard, isKilled: heard.length < said.length }
    })
}

const totalsOf = (said: readonly Said[]) =>
  (['client', 'peer'] as const).map((side) =>
    [0, 1, 2, 3].map((k) => said.reduce((sum, one) => sum + (one[side]?.[k] ?? 0), 0)),
  )

const bytesOf = ([client]: readonly (readonly number[])[]) => client![1]! + client![3]!
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
const groupOf = (server: number | string, user: string, id: number | string) => `${server} ${user} ${Number(id)}`
const byGroup = (records: readonly AllocationRecord[]) =>
  Map.groupBy(records, ({ server, username, id }) => groupOf(server!.slice('turn'.length), username, id))

/** No allocation, whatever it is taken for, counts more than it did. */
function assertNotMore(heard: Heard, truths: readonly Truth[]): void {
  const groups = Map.groupBy(truths, ({ said: [one] }) => groupOf(one!.server!, one!.user, one!.id))
  for (const [group, records] of byGroup(heard.allocations())) {
    const all = groups.get(group)!
    assert.ok(records.length <= all.length, group)
    assert.ok(
      sum(records.map((one) => bytesOf(eight(one)))) <= sum(all.map(({ said }) => bytesOf(totalsOf(said)))),
      group,
    )
  }
  heard.assertSums()
}

/** What became final, and each revision after that, was told once and in order. */
function assertTold(heard: Heard): void {
  for (const { id, state, revision } of heard.sessions()) {
    const told = heard.rows(`SELECT revision FROM outbox WHERE session_id = ${id} ORDER BY seq`)
    const expected = state === 'final' ? Array.from({ length: revision + 1 }, (_, i) => i) : []
    assert.deepEqual(
      told.map((one) => one.revision),
      expected,
    )
  }
}

/** Of what the log has whole there is one record, whole, with its end. Returns how many that are. */
function assertWhole(heard: Heard, truths: readonly Truth[], { logFrom }: World, unclear: ReadonlySet<string>): number {
  const records = byGroup(heard.allocations())
  const logged = truths.filter(({ said: [one], isKilled }) => {
    return !isKilled && one!.t >= logFrom && !unclear.has(groupOf(one!.server!, one!.user, one!.id))
  })
  for (const { said } of logged) {
    const { server, user, id } = said[0]!
    const own = records.get(groupOf(server!, user, id)) ?? []
    const same = own.filter((record) => JSON.stringify(eight(record)) === JSON.stringify(totalsOf(said)))
    const told = same.map(({ quality, endedAt }) => [quality === 'lower_bound', endedAt])
    assert.deepEqual(told, [[false, iso(said.at(-1)!.t)]])
  }
  return logged.length
}

/** So many runs have everything in them. */
const MANY = 100

/** Of what nobody can tell which one it is. */
const unclearIn = (differences: readonly Difference[], server: number) =>
  differences.flatMap(({ verdict, mine, other }) => {
    const { username, coturnId } = (mine ?? other)!
    return verdict === 'unclear' ? [groupOf(server, username, coturnId)] : []
  })

test('[R46, R47, R48, R49] whatever was missed: what the log has whole is whole afterwards, to the byte, and doing it again changes nothing', () => {
  const seen = { completed: 0, added: 0, unclear: 0, whole: 0 }
  const property = fc.property(world, (given) => {
    const truths = truthsOf(given)
    const all = truths.flatMap(({ said }) => said)
    const gaps = given.gaps.map(([from, length, server]): Missed => [from, from + length, server])
    const heard = new Heard(SERVERS.length)
    heard.hear(all, gaps)
    const logs = SERVERS.map((server) => {
      const lines = logOf(
        all.filter((one) => one.server === server && one.t >= given.logFrom),
        given,
      )
      return { server, plan: () => heard.beside(lines, `turn${server}`) }
    })
    const end = Math.max(...all.map(({ t }) => t), ...gaps.map(([, to]) => to))
    for (const until of [end + given.at, end + 250_000]) {
      heard.until(until)
      if (given.restarts) heard.restart()
      for (const { plan } of logs) {
        const { completions, additions } = plan()
        const outcomes = heard.apply({ completions, additions })
        assert.deepEqual(new Set([...outcomes.completions, ...outcomes.additions, 'whole']), new Set(['whole']))
        seen.completed += completions.length
        seen.added += additions.length
        assertNotMore(heard, truths)
        assertTold(heard)
      }
    }
    const unclear = new Set<string>()
    for (const { server, plan } of logs) {
      const { completions, additions, differences } = plan()
      assert.deepEqual([completions, additions], [[], []])
      for (const group of unclearIn(differences, server)) unclear.add(group)
    }
    seen.unclear += unclear.size
    seen.whole += assertWhole(heard, truths, given, unclear)
  })
  const numRuns = Math.ceil(Number(process.env.FETTLE_MODEL_RUNS ?? 36) / 3)
  fc.assert(property, { numRuns, endOnFailure: process.env.DEV === '1' })
  if (process.env.DEV) console.log(seen)
  // A few runs may by chance have nothing to add.
  if (numRuns < MANY) return
  assert.ok(seen.completed > 0 && seen.added > 0 && seen.whole > 10 * seen.unclear, JSON.stringify(seen))
})
