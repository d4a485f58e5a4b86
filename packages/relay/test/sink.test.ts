/** The sink against a database that breaks at any statement, and against its own end at any moment. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { readMapping, type SinkOptions } from '../src/sink/mapping.ts'
import { RowSink, type SinkNotice } from '../src/sink/sink.ts'
import { readSinkUrl, type SinkTarget } from '../src/sink/url.ts'
import { Rig } from './api-rig.ts'
import { FakeDatabase, type Fate, fakeColumns } from './sink-fake.ts'

const template = readTemplate(DEFAULT_TEMPLATE) as Template

function optionsFor(more: object = {}): SinkOptions {
  const mapping = readMapping({ table: 'calls', columns: fakeColumns, ...more }, template)
  assert('columns' in mapping)
  return { ...mapping, target: readSinkUrl('mysql://u@h/d') as SinkTarget, template }
}

interface Ending {
  after(hook: () => unknown): void
}

/** A ledger whose sessions become final at a word, and the sink on it. */
class Bench {
  readonly rig: Rig
  readonly notices: SinkNotice[] = []
  readonly #database: FakeDatabase
  readonly #options: SinkOptions
  sink: RowSink
  #users = 0

  constructor(test: Ending, database: FakeDatabase, options = optionsFor()) {
    this.rig = new Rig(test)
    this.#database = database
    this.#options = options
    this.sink = this.again()
    test.after(() => this.sink.stop())
  }

  again(): RowSink {
    this.sink = new RowSink({
      options: this.#options,
      data: this.rig.folder,
      file: this.rig.file,
      now: () => this.rig.now,
      on: (notice) => this.notices.push(notice),
      connect: () => this.#database.connect(),
      backoffMs: [1],
    })
    this.sink.start()
    return this.sink
  }

  /** Whole calls of these users, final. */
  calls(...users: readonly string[]): void {
    for (const user of users) this.rig.close(this.rig.open(`1:${user}`), [1, 100_000, 1, 1000])
    this.rig.commit()
    this.rig.pass(31_000)
    this.rig.commit()
    this.sink.wake()
  }

  /** Something of this session comes late. */
  revise(session: number): void {
    const { db } = this.rig.ledger
    const known = db.prepare('SELECT settled_at FROM session WHERE id = ?').get(session)
    if (known === undefined) return
    const next = `SELECT allocation_id, bucket, side, max(entry) + 1, 0, 5, 0, 0 FROM usage
      WHERE side = 0 AND allocation_id = (SELECT id FROM allocation WHERE session_id = ?) GROUP BY allocation_id, bucket`
    db.prepare(`INSERT INTO usage ${next} LIMIT 1`).run(session)
    db.prepare('UPDATE session SET revision = revision + 1 WHERE id = ?').run(session)
    this.sink.wake()
  }

  async go(step: Step): Promise<void> {
    if (step.kind === 'calls') this.calls(...Array.from({ length: step.count }, () => `user${this.#users++}`))
    if (step.kind === 'revise') this.revise(step.session)
    if (step.kind === 'pause') await wait(2)
    if (step.kind !== 'restart') return
    await this.sink.stop()
    this.again()
  }

  async settled(): Promise<void> {
    for (let n = 0; n < 2000; n++) {
      const { waiting, connected, failing } = this.sink.status()
      if (waiting === 0 && connected && failing === null) return
      this.sink.wake()
      await wait(1)
    }
    assert.fail(`the sink does not come to an end: ${JSON.stringify(this.sink.status())}`)
  }

  /** What the ledger says, as rows. */
  wanted(): string[] {
    const sql = `SELECT (SELECT uid FROM identity) || '-' || s.id AS uid, a.device, sum(u.rcvb) AS rcvb, s.revision
      FROM session s JOIN allocation a ON a.session_id = s.id JOIN usage u ON u.allocation_id = a.id AND u.side = 0
      WHERE s.settled_at IS NOT NULL GROUP BY s.id`
    return textsOf(this.rig.ledger.db.prepare(sql).all() as object[])
  }
}

const textsOf = (rows: readonly object[]) => rows.map((row) => Object.values(row).join(' ')).sort()

type Step =
  | { readonly kind: 'calls'; readonly count: number }
  | { readonly kind: 'revise'; readonly session: number }
  | { readonly kind: 'restart' | 'pause' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }).map((count) => ({ kind: 'calls' as const, count })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 }).map((session) => ({ kind: 'revise' as const, session })) },
  { weight: 4, arbitrary: fc.constantFrom('restart' as const, 'pause' as const).map((kind) => ({ kind })) },
)
const fates = fc.array(fc.constantFrom<Fate>('done', 'done', 'done', 'done', 'before', 'after'), { maxLength: 60 })

for (const isMarked of [false, true]) {
  const how = isMarked ? 'a marker column' : 'a unique key'
  test(`[R36, R37, R38] with ${how} every session has one row, up to date, wherever anything breaks off`, async () => {
    await fc.assert(
      fc.asyncProperty(fates, fc.array(step, { maxLength: 12 }), async (fate, steps) => {
        const hooks: (() => unknown)[] = []
        const database = new FakeDatabase(() => fate.pop() ?? 'done', isMarked)
        const bench = new Bench({ after: (hook) => hooks.unshift(hook) }, database)
        try {
          for (const one of steps) await bench.go(one)
          await bench.settled()
          assert.deepEqual(textsOf(database.rows), bench.wanted())
        } finally {
          for (const hook of hooks) await hook()
        }
      }),
      { numRuns: 15 },
    )
  })
}

test('[R39] a row that is refused is held back, named once, and the others go on', async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database)
  bench.calls('alice', 'bad', 'carol', 'x'.repeat(65))
  await bench.settled()
  assert.deepEqual(
    database.rows.map(({ device }) => device),
    ['alice', 'carol'],
  )
  assert.equal(bench.sink.status().heldBack, 2)
  const held = () => bench.notices.filter(({ kind }) => kind === 'sink held')
  assert.deepEqual(held(), [
    { kind: 'sink held', session: 4, why: 'column `device`: a text of 65 letters; it holds 64' },
    { kind: 'sink held', session: 2, why: 'a CHECK of the table refuses it (error 4025)' },
  ])
  await bench.sink.stop()
  bench.again()
  await bench.settled()
  assert.equal(held().length, 2, 'not said again')
  assert.equal(bench.sink.status().heldBack, 2)
})

test("[R39] a row of somebody else's with the same id stays as it is, and that is said", async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database, optionsFor({ columns: { ...fakeColumns, uid: 'id' } }))
  database.rows.push({ uid: '1', device: 'another', rcvb: '1', revision: '0' })
  bench.calls('alice', 'bob')
  await bench.settled()
  bench.revise(1)
  await bench.settled()
  assert.deepEqual(
    database.rows.map(({ uid, device }) => `${uid} ${device}`),
    ['1 another', '2 bob'],
  )
  assert.match(bench.sink.status().lastHeld!, /^session 1: a row with its id is there already/)
})

test('[R38] corrections: ignore leaves the row as it was', async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database, optionsFor({ corrections: 'ignore' }))
  bench.calls('alice')
  await bench.settled()
  const before = textsOf(database.rows)
  bench.revise(1)
  await bench.settled()
  assert.deepEqual(textsOf(database.rows), before)
})

test('a sink that waits asks nothing of the database', async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database)
  bench.calls('alice')
  await bench.settled()
  const { statements } = database
  for (let n = 0; n < 20; n++) {
    bench.sink.wake()
    await wait(1)
  }
  assert.equal(database.statements, statements)
})

test('a ledger that is older than what was written is said, and nothing is written', async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database)
  bench.calls('alice', 'bob')
  await bench.settled()
  await bench.sink.stop()
  bench.rig.ledger.db.exec('DROP TRIGGER outbox_is_not_removed; DELETE FROM outbox WHERE seq = 2')
  bench.again()
  await wait(30)
  assert.match(bench.sink.status().failing!.why, /older copy/)
})

test('[R37] a row waits for the totals of an allocation that was deleted', async (t) => {
  const database = new FakeDatabase()
  const bench = new Bench(t, database)
  const { rig } = bench
  const idle = rig.open('1:alice')
  bench.calls('alice')
  await bench.settled()
  const before = textsOf(database.rows)
  rig.tell(idle, 'status', 'deleted')
  rig.commit()
  bench.sink.wake()
  await wait(30)
  assert.deepEqual(textsOf(database.rows), before)
  assert.equal(bench.sink.status().waiting, 1)
  rig.tell(idle, 'total_traffic', 'rcvp=1, rcvb=70, sentp=1, sentb=70')
  rig.tell(idle, 'total_traffic/peer', 'rcvp=1, rcvb=70, sentp=1, sentb=70')
  rig.commit()
  await bench.settled()
  assert.deepEqual(textsOf(database.rows), bench.wanted())
  assert.match(database.rows[0]!.rcvb, /^100070$/)
})
