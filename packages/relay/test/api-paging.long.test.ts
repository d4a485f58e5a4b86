import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { SessionRecord } from '../src/core/record.ts'
import type { Api } from '../src/serve/api.ts'
import type { AllocationPage, Counters, GapPage, SessionPage, Usage } from '../src/serve/contract.ts'
import { type Found, scanDown } from '../src/store/queries.ts'
import {
  findSessions,
  readTimeline,
  type SessionQuery,
  sessionRange,
  withinAllocations,
} from '../src/store/queries-sessions.ts'
import { readUsage, type UsageBy, type UsagePosition, type UsageSum } from '../src/store/queries-usage.ts'
import { readSessions } from '../src/store/sessions.ts'
import { ask, pages, Rig, START } from './api-rig.ts'
import { play, readScenario } from './scenario.ts'

const sessionsOf = async (api: Api, query: string, between?: () => void) =>
  (await pages<SessionPage>(api, `/v1/sessions?${query}`, between)).flatMap((page) => page.sessions)

const usageOf = async (api: Api, query: string) =>
  (await pages<Usage>(api, `/v1/usage?${query}`)).flatMap((page) => page.rows)

const nothing: Counters = { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 }

function plus(a: Counters, b: Counters | null): Counters {
  if (b === null) return a
  return {
    receivedBytes: a.receivedBytes + b.receivedBytes,
    receivedPackets: a.receivedPackets + b.receivedPackets,
    sentBytes: a.sentBytes + b.sentBytes,
    sentPackets: a.sentPackets + b.sentPackets,
  }
}

/** Client and peer. */
function total(all: readonly { readonly client: Counters; readonly peer: Counters | null }[]): [Counters, Counters] {
  return [
    all.reduce((sum, one) => plus(sum, one.client), nothing),
    all.reduce((sum, one) => plus(sum, one.peer), nothing),
  ]
}

test('pages that are read while calls come and go hold every session once, newest first', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 60; i++) rig.call(`1:device${i % 7}`, 1)
  rig.commit()
  const api = rig.api()
  let more = 0
  const meanwhile = () => {
    rig.open(`1:new${more++}`)
    rig.call(`1:device${more % 7}`, 1)
    rig.pass(more * 10_000)
    rig.commit()
  }
  const ids = (await sessionsOf(api, 'limit=7', meanwhile)).map(({ id }) => id)
  assert.deepEqual(
    ids,
    Array.from({ length: 60 }, (_, i) => 60 - i),
  )
  assert.ok(more >= 8)
  const allocations = (await pages<AllocationPage>(api, '/v1/allocations?limit=9', meanwhile)).flatMap(
    (page) => page.allocations,
  )
  const paths = allocations.map((one) => one.id)
  assert.equal(new Set(paths).size, paths.length)
  assert.deepEqual(paths, paths.toSorted().reverse())
  assert.ok(paths.length >= 60 + 2 * 8)
})

test('pages of usage and of gaps that are read meanwhile hold what was there, and no row twice', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 12; i++) {
    rig.call(`1:device${i % 5}`, 4)
    rig.gap('turn1', rig.now - 1000, 'connection')
  }
  rig.commit()
  const api = rig.api()
  let more = 0
  const meanwhile = () => {
    // New devices sort before and after those that are there, and an old one goes on.
    for (const name of [`a${more}`, `z${more++}`, 'device0']) rig.call(`1:${name}`, 1)
    rig.gap('turn2', rig.now - 1000, 'connection')
    rig.commit()
  }
  const keysOf = (rows: Usage['rows']) => rows.map(({ at, value }) => `${at} ${value}`)
  const before = keysOf(await usageOf(api, 'by=device&bucket=5m'))
  const found = keysOf(
    (await pages<Usage>(api, '/v1/usage?by=device&bucket=5m&limit=4', meanwhile)).flatMap((page) => page.rows),
  )
  assert.equal(new Set(found).size, found.length)
  assert.deepEqual(
    before.filter((key) => !found.includes(key)),
    [],
  )
  const gaps = (await pages<GapPage>(api, '/v1/gaps?limit=3', meanwhile)).flatMap((page) => page.gaps)
  const ends = gaps.map(({ server, endedAt }) => `${endedAt} ${server}`)
  assert.equal(new Set(ends).size, ends.length)
  assert.equal(gaps.filter(({ server }) => server === 'turn1').length, 12)
  assert.ok(more > 8)
})

test('a page whose rows are rare ends early, and the next one goes on where it ended', () => {
  const rare = [190_001, 190_000, 77_777, 12_345, 1]
  const slowly = ({ low, high }: { low: number; high: number }, limit: number) => {
    for (const until = performance.now() + 10; performance.now() < until; );
    return rare
      .filter((id) => id >= low && id < high)
      .slice(0, limit)
      .map((id) => ({ id }))
  }
  const found: number[] = []
  let calls = 0
  let short = 0
  for (let high: number | null = 200_000; high !== null; calls++) {
    const { rows, next }: Found<{ id: number }> = scanDown({ low: 1, high }, 2, slowly)
    found.push(...rows.map(({ id }) => id))
    if (rows.length < 2 && next !== null) short++
    high = next
  }
  assert.deepEqual(found, rare)
  assert.ok(short > 0 && calls < 100, `${short} of ${calls}`)
})

test('a page of sessions with very many allocations is shorter', async (context) => {
  const rig = new Rig(context)
  for (const name of ['a', 'b', 'c', 'd']) for (let i = 0; i < 4; i++) rig.open(`1:${name}`)
  rig.commit()
  const { db } = rig.ledger
  const pageOf = (most: number, high: number) => withinAllocations(db, findSessions(db, {}, { low: 1, high }, 3), most)
  const ids = ({ rows, next }: ReturnType<typeof pageOf>) => [rows.map(({ id }) => id), next]
  assert.deepEqual(ids(pageOf(100, 5)), [[4, 3, 2], 2])
  assert.deepEqual(ids(pageOf(8, 5)), [[4, 3], 3])
  assert.deepEqual(ids(pageOf(1, 3)), [[2], 2])
  assert.deepEqual(ids(pageOf(1, 2)), [[1], null])
})

test('gaps are paged, newest first', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 10; i++) {
    rig.pass(60_000)
    rig.gap('turn1', rig.now - 1000 - i, 'connection')
  }
  rig.commit()
  const gaps = (await pages<GapPage>(rig.api(), '/v1/gaps?limit=4')).flatMap((page) => page.gaps)
  assert.deepEqual(
    gaps.map(({ endedAt }) => Date.parse(endedAt!) - START),
    Array.from({ length: 10 }, (_, i) => (10 - i) * 60_000),
  )
})

test('allocations are found by what is asked of them', async (context) => {
  const rig = new Rig(context)
  rig.call('1:alice', 1)
  rig.call('1:bob', 1, 'turn2')
  rig.open('1:alice')
  rig.commit()
  const api = rig.api()
  const found = async (query: string) => {
    const page = await ask<AllocationPage>(api, `/v1/allocations?${query}`)
    return page.allocations.map(({ device, server, session, state }) => `${device} ${server} ${session} ${state}`)
  }
  assert.deepEqual(await found(''), ['alice turn1 3 open', 'bob turn2 2 closed', 'alice turn1 1 closed'])
  assert.deepEqual(await found('open=true'), ['alice turn1 3 open'])
  assert.deepEqual(await found('device=alice&open=false'), ['alice turn1 1 closed'])
  assert.deepEqual(await found('server=turn2'), ['bob turn2 2 closed'])
  assert.deepEqual(await found('server=turn3'), [])
  assert.deepEqual(await found('session=1'), ['alice turn1 1 closed'])
  assert.deepEqual(await found('session=1&open=true'), [])
})

test('[R26] usage adds up to the counters to the byte while calls are open, however it is cut', async (context) => {
  const rig = new Rig(context, '{expires}:{device}_{account}')
  for (let i = 0; i < 12; i++) rig.call(`1:d${i % 5}_a${i % 3}`, 1 + (i % 4) * 5, i % 2 === 0 ? 'turn1' : 'turn2')
  const open = Array.from({ length: 6 }, (_, i) => rig.open(`1:d${i}_a${i % 2}`, i % 2 === 0 ? 'turn1' : 'turn2'))
  for (let i = 0; i < 40; i++) {
    rig.pass(47_000)
    rig.report(open[(i * 5) % 6]!, [2000 + i, 1_000_003 + i, 2096 - i, 777_777], [i, 333_333 * i, 7, 8])
  }
  rig.open('does not fit')
  rig.report(rig.open('1:d0_a0'), [1, 100, 1, 100])
  rig.commit()
  const api = rig.api()
  const expected = total(await sessionsOf(api, ''))
  assert.ok(expected[0].receivedBytes > 40 * 1_000_000)
  for (const by of ['account', 'device', 'realm', 'server']) {
    for (const bucket of ['5m', '1h', '1d']) {
      const rows = await usageOf(api, `by=${by}&bucket=${bucket}`)
      assert.deepEqual(total(rows), expected, `${by} ${bucket}`)
      const keys = rows.map(({ at, value }) => `${at} ${value}`)
      assert.equal(new Set(keys).size, keys.length)
      assert.deepEqual(
        rows.map(({ at }) => at),
        rows.map(({ at }) => at).toSorted(),
      )
      assert.deepEqual(await usageOf(api, `by=${by}&bucket=${bucket}&limit=2`), rows)
      for (const { at } of rows) assert.equal(Date.parse(at!) % { '5m': 3e5, '1h': 36e5, '1d': 864e5 }[bucket]!, 0)
    }
  }
  const byServer = await usageOf(api, 'by=server&bucket=1d')
  for (const { value, client } of byServer) {
    const own = (await sessionsOf(api, '')).flatMap((one) => one.allocations).filter(({ server }) => server === value)
    assert.deepEqual(client, total(own)[0])
  }
})

test('usage of a time is what begins in it, and the times of a day add up to the day', async (context) => {
  const rig = new Rig(context)
  for (let i = 0; i < 5; i++) rig.call('1:alice', 23)
  const open = rig.open('1:bob')
  for (let i = 0; i < 5; i++) {
    rig.pass(200_000)
    rig.report(open, [2048, 1_000_000, 2048, 1_000_000])
  }
  rig.commit()
  const api = rig.api()
  const all = await usageOf(api, 'by=device&bucket=1d')
  const parts: Usage['rows'] = []
  for (let at = START; at < rig.now; at += 600_000) {
    const rows = await usageOf(
      api,
      `by=device&bucket=5m&from=${new Date(at).toISOString()}&to=${new Date(at + 600_000).toISOString()}`,
    )
    for (const row of rows) assert.ok(Date.parse(row.at!) >= at && Date.parse(row.at!) < at + 600_000)
    parts.push(...rows)
  }
  assert.deepEqual(total(parts), total(all))
  // A bucket of an hour of which only a part was asked for keeps its name and holds that part.
  const [half] = await usageOf(api, `by=device&bucket=1h&from=${new Date(START + 1_800_000).toISOString()}`)
  assert.equal(half!.at, new Date(START).toISOString())
  const five = await usageOf(
    api,
    `by=device&bucket=5m&from=${new Date(START + 1_800_000).toISOString()}&to=${new Date(START + 3_600_000).toISOString()}`,
  )
  assert.deepEqual(half!.client, total(five)[0])
})

/** Every state that a ledger of the scenarios goes through: what is open, closing, late, expired. */
function* ledgers(): Generator<{ where: string; db: DatabaseSync; records: SessionRecord[] }> {
  const files = globSync(join(import.meta.dirname, 'scenarios', '*.scenario'))
  assert.ok(files.length > 10)
  for (const file of files) {
    const scenario = readScenario(readFileSync(file, 'utf8'))
    for (let length = 1; length <= scenario.steps.length; length++) {
      const ledger = play({ ...scenario, steps: scenario.steps.slice(0, length) }, false)
      const records = Array.from(readSessions(ledger.db)).flat().reverse()
      yield { where: `${basename(file)}, the first ${length}`, db: ledger.db, records }
      ledger.close()
    }
  }
}

type Fits = (one: SessionRecord) => boolean

/** What can be asked, and what a record must say to be found. */
function questions(records: readonly SessionRecord[]): [SessionQuery, Fits][] {
  const starts = records.flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt]))
  const between = (from: number, to: number): Fits => {
    return ({ startedAt: at }) => at !== null && Date.parse(at) >= from && Date.parse(at) < to
  }
  return [
    [{}, () => true],
    ...(['open', 'ended', 'final'] as const).map((state): [SessionQuery, Fits] => [
      { state },
      (one) => one.state === state,
    ]),
    [{ live: true }, (one) => one.state === 'open'],
    [{ live: false }, (one) => one.state !== 'open'],
    ...(['relayed', 'unused'] as const).map((kind): [SessionQuery, Fits] => [
      { class: kind },
      (one) => one.class === kind,
    ]),
    [{ realm: 'example.org' }, (one) => one.realm === 'example.org'],
    [{ realm: 'example.com' }, () => false],
    ...records.flatMap(({ device, account, servers }): [SessionQuery, Fits][] => [
      [{ device }, (one) => one.device === device],
      [{ account: account ?? 'nobody' }, (one) => one.account === (account ?? 'nobody')],
      ...servers.map((server): [SessionQuery, Fits] => [{ server }, (one) => one.servers.includes(server)]),
    ]),
    ...starts.map(Date.parse).flatMap((at): [SessionQuery, Fits][] => [
      [{ from: at }, between(at, Number.POSITIVE_INFINITY)],
      [
        { from: at + 1, class: 'relayed' },
        (one) => between(at + 1, Number.POSITIVE_INFINITY)(one) && one.class === 'relayed',
      ],
      [{ to: at }, between(0, at)],
      [{ from: at, to: at + 1 }, between(at, at + 1)],
    ]),
  ]
}

test('the sessions that are found are those whose records say so, in every state of every scenario', () => {
  let found = 0
  for (const { where, db, records } of ledgers()) {
    for (const [query, fits] of questions(records)) {
      const expected = records.filter(fits).map(({ id }) => id)
      const { rows } = findSessions(db, query, sessionRange(db, query), 1000)
      assert.deepEqual(
        rows.map(({ id }) => id),
        expected,
        `${where}: ${JSON.stringify(query)}`,
      )
      found += rows.length
    }
  }
  assert.ok(found > 1000)
})

test('[R26] usage and timelines add up to the counters, in every state of every scenario', () => {
  for (const { where, db, records } of ledgers()) {
    const whole = numbers(total(records))
    for (const by of ['account', 'device', 'realm', 'server'] as const) {
      const rows = allUsage(db, by)
      const sum = Array.from({ length: 8 }, (_, i) => rows.reduce((all, row) => all + row.counters[i]!, 0))
      assert.deepEqual(sum, whole, `${where}: ${by}`)
    }
    for (const one of records) {
      const timeline = readTimeline(db, one.id, 1000)
      const sides = ['client', 'peer'].map((side) =>
        timeline.filter((entry) => entry.side === side).reduce((sum, entry) => plus(sum, entry.counters), nothing),
      )
      assert.deepEqual(sides, total([one]), `${where}: session ${one.id}`)
    }
  }
})

function allUsage(db: DatabaseSync, by: UsageBy): UsageSum[] {
  const all: UsageSum[] = []
  for (let after: UsagePosition | undefined; ; ) {
    const { rows, next } = readUsage(db, { by, width: 300 }, after, 1000)
    all.push(...rows)
    if (next === null) return all
    after = next
  }
}

function numbers(sides: readonly Counters[]): number[] {
  return sides.flatMap((one) => [one.receivedPackets, one.receivedBytes, one.sentPackets, one.sentBytes])
}
