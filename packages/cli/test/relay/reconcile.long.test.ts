import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
  ledgerFile,
  openLedger,
  openSqlite,
  Recorder,
  readTemplate,
  type Source,
  startMeter,
  type Template,
} from '@fettle/relay'
import { reconcileExamples } from '../../src/relay/reconcile.ts'
import { type Run, User, words } from '../terminal.ts'

const START = Date.UTC(2026, 0, 1, 12)
const SECOND = 1000
const RESTART = 0
const NAME = '1767268800:ann\u001b[31m'

const allocation = (id: number) => `turn/realm/r/user/${NAME}/allocation/${String(id).padStart(18, '0')}`
const reported = (received: number) => `rcvp=1024, rcvb=${received}, sentp=1024, sentb=1000000`

/**
 * A ledger in which one call is whole, and another one ended in a gap of the meter, in which a third one began and ended;
 * and coturn's log of all three.
 */
async function ledgerAndLog(t: TestContext): Promise<User> {
  const user = new User(t)
  mkdirSync(user.data)
  let now = START
  const clock = { now: () => now, jumped: () => false, setRight: () => now }
  let out: Recorder | undefined
  const source: Source = {
    claims: [{ source: 'resp', name: 'turn1', bootAware: true, version: null }],
    async start([stream], sink) {
      out = new Recorder(stream!.id, sink)
    },
    async stop() {},
  }
  const template = readTemplate('{expires}:{device}') as Template
  const store = await openSqlite({ file: ledgerFile(user.data), template, lingerMs: 30_000 })
  const meter = await startMeter({ source, store, clock })
  const say = (seconds: number, id: number, kind: string, message: string) => {
    now = START + seconds * SECOND
    out!.at(now)
    out!.publish(Buffer.from(`${allocation(id)}/${kind}`), Buffer.from(message))
  }
  say(0, 1, 'status', 'new lifetime=600')
  say(10, 2, 'status', 'new lifetime=600')
  say(60, 1, 'traffic', reported(2_000_000))
  say(60, 1, 'traffic/peer', reported(2_000_000))
  say(60, 1, 'status', 'deleted')
  say(60, 1, 'total_traffic', reported(2_000_000))
  say(60, 1, 'total_traffic/peer', reported(2_000_000))
  now = START + 400 * SECOND
  out!.at(now)
  out!.gap(START + 70 * SECOND, now, RESTART)
  out!.flush()
  await meter.stop()
  writeFileSync(user.path('turnserver.log'), logOf([1, 0, 60], [2, 10, 120], [3, 150, 200]))
  return user
}

function logOf(...calls: readonly (readonly [id: number, from: number, to: number])[]): string {
  const lines = calls.flatMap(([id, from, to]) => {
    const at = (seconds: number, text: string) => {
      const stamp = new Date(START + seconds * SECOND).toISOString().slice(0, 19)
      return [seconds, `${stamp}+0000: session ${String(id).padStart(18, '0')}: ${text}`] as const
    }
    const who = `realm=<r>, username=<${NAME}>`
    const counts = `${who}, rp=1024, rb=2000000, sp=1024, sb=1000000`
    return [
      at(from, `new, ${who}, lifetime=600`),
      at(to, `usage: ${counts}`),
      at(to, `peer usage: ${counts}`),
      at(to, `delete: ${who}`),
    ]
  })
  return lines
    .sort(([a], [b]) => a - b)
    .map(([, line]) => `${line}\n`)
    .join('')
}

function change(user: User, sql: string): void {
  const db = new DatabaseSync(ledgerFile(user.data))
  db.exec(sql)
  db.close()
}

function read(user: User, sql: string): unknown {
  const db = openLedger(user.data)
  const rows = db.prepare(sql).all()
  db.close()
  return rows.map((row) => ({ ...row }))
}

const run = (user: User, ...flags: string[]) => user.run('relay', 'reconcile', user.path('turnserver.log'), ...flags)

function assertNarrow({ out }: Run): void {
  for (const line of out.split('\n')) assert(line.length <= 80, line)
  assert(!out.includes('\u001b'), out)
}

test('what would be done is shown, then done, once', async (t) => {
  const user = await ledgerAndLog(t)
  const shown = await run(user)
  assertNarrow(shown)
  assert.deepEqual(
    [shown.status, shown.err, shown.out.split('\n')],
    [
      1,
      '',
      [
        'the log: 3 allocations, 2026-01-01 12:00:00 to 2026-01-01 12:03:20 UTC',
        'the same here: 1; different: 2',
        '',
        'ALLOCATION          USERNAME                    HERE      LOG',
        '000000000000000002  1767268800:ann\\u001b[31m  >= 0 B  3.00 MB  to be made whole',
        '000000000000000003  1767268800:ann\\u001b[31m       -  3.00 MB  to be added',
        '',
        '1 can be made whole, 1 can be added: 6.00 MB that the records lack.',
        'Nothing is changed without --apply.',
        '',
      ],
    ],
  )
  assert.deepEqual((await run(user)).out, shown.out, 'nothing was changed by looking')
  const heardUntil = 'SELECT name, heard_at FROM stream ORDER BY id'
  change(user, "INSERT INTO stream SELECT 9, 'resp', 'turn9', 1, NULL, 0, 0, 0, 0, NULL, NULL")
  const before = read(user, heardUntil)
  const applied = await run(user, '--apply')
  assert.deepEqual(read(user, heardUntil), before, 'the gap of the next start begins where it would have begun')
  assert.deepEqual([applied.status, applied.err], [0, ''])
  assert.match(applied.out, /\n\n1 made whole, 1 added\n$/)
  const again = await run(user, '--apply')
  assert.deepEqual(
    [again.status, again.out.split('\n').slice(1)],
    [0, ['the same here: 3', '', '0 made whole, 0 added', '']],
  )
})

test('what cannot be written is said in one line, and nothing of that part is done', async (t) => {
  const user = await ledgerAndLog(t)
  change(user, "CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT raise(ABORT, 'the disk is full'); END")
  const { status, out, err } = await run(user, '--apply')
  assert.deepEqual([status, out], [3, ''])
  assert.match(err, /^fettle: .*ledger\.sqlite: cannot be changed \(the disk is full\)\n$/)
  assert.deepEqual(read(user, 'SELECT count(*) AS n FROM allocation'), [{ n: 2 }])
})

test('a running meter does it, and its records and the JSON say the same', async (t) => {
  const user = await ledgerAndLog(t)
  const meter = user.start('relay', 'serve')
  await meter.shows(/waiting for coturn/)
  const { status, out } = await run(user, '--apply', '--json')
  const told = JSON.parse(out)
  assert.deepEqual(
    [status, told.schema, told.log.allocations, told.equal, told.applied],
    [0, 'fettle.relay.reconcile/1', 3, 1, { whole: 1, added: 1, left: 0 }],
  )
  assert.deepEqual(
    told.differences.map(({ verdict, here, log }: { verdict: string; here: unknown; log: { quality: string } }) => [
      verdict,
      here === null,
      log.quality,
    ]),
    [
      ['completes', false, 'exact'],
      ['adds', true, 'exact'],
    ],
  )
  const { sessions } = JSON.parse((await user.run('relay', 'sessions', '--json')).out)
  const qualities = sessions.flatMap(({ allocations }: { allocations: { quality: string }[] }) =>
    allocations.map(({ quality }) => quality),
  )
  assert.deepEqual(qualities.sort(), ['exact', 'reconstructed', 'reconstructed'])
})

test('the examples in help run', async (t) => {
  const user = await ledgerAndLog(t)
  const { out: help } = await user.run('relay', 'reconcile', '--help')
  for (const line of help.split('\n')) assert(line.length <= 80, line)
  for (const example of reconcileExamples) {
    assert(help.includes(example), example)
    const given = words(example).map((word) => (word === 'turnserver.log' ? user.path(word) : word))
    const { status, err } = await user.run(...given.map((word) => (word === 'default' ? 'turn1' : word)))
    assert.deepEqual([status, err], [example.includes('--apply') ? 0 : 1, ''], example)
  }
})

test('what cannot be looked at is said in one line', async (t) => {
  const user = await ledgerAndLog(t)
  const other = user.path('call.txt')
  writeFileSync(
    other,
    '1) "pmessage"\n2) "turn/*"\n3) "turn/realm/r/user/a/allocation/000000000000000001/status"\n4) "deleted"\n',
  )
  for (const [words, expected] of [
    [[join(user.home, 'none.log')], /none\.log: ENOENT$/],
    [[user.path('turnserver.log'), other], /turnserver\.log is coturn log, .*give files of one form at a time$/],
    [[user.path('turnserver.log'), '--server', 'turn9'], /^fettle: no server "turn9" has ever been heard here$/],
    [
      [user.path('turnserver.log'), user.path('turnserver.log')],
      /run back by 200 s: give the oldest file first, .*once$/,
    ],
  ] as const) {
    const { status, out, err } = await user.run('relay', 'reconcile', ...words)
    assert.deepEqual([status, out], [3, ''])
    assert.match(err.trimEnd(), expected)
    assert.equal(err.split('\n').length, 2)
  }
})
