import assert from 'node:assert/strict'
import { copyFileSync, renameSync } from 'node:fs'
import { test } from 'node:test'
import type { Ready, Server } from '../src/serve/contract.ts'
import { type Facts, findings } from '../src/serve/health.ts'
import { schemas } from '../src/serve/schemas.ts'
import type { MeterStatus } from '../src/serve/status.ts'
import { get, Rig, START, serverStatus, statusAt } from './api-rig.ts'

function server(name: string, more: Partial<Server> = {}): Server {
  return {
    kind: 'coturn',
    name,
    version: null,
    connected: true,
    connections: 3,
    boot: 1,
    lastEventAt: new Date(START).toISOString(),
    allocations: 0,
    malformed: 0,
    gapsToday: 0,
    shared: false,
    ...more,
  }
}

function facts(more: Partial<Facts> = {}, status: Partial<MeterStatus> = {}): Facts {
  return {
    now: START,
    status: statusAt(START, status),
    servers: [server('turn1'), server('turn2')],
    gaps: [],
    rejectedNames: 0,
    misfits: { of: 1000, count: 0 },
    twins: [],
    diskFreeBytes: 50e9,
    isLedgerGone: false,
    sink: null,
    ...more,
  }
}

function rows(more: Partial<NonNullable<Facts['sink']>> = {}): Facts['sink'] {
  return { connected: true, failing: null, delivered: 9, waiting: 0, heldBack: 0, lastHeld: null, ...more }
}

const away = { connected: false, connections: 0 }
const hour = 3_600_000

/** What is the case, and what is found: `level code: text`. */
const cases: readonly (readonly [string, Facts, readonly string[]])[] = [
  ['a meter in fine fettle', facts(), []],
  ['no word yet', facts({ status: undefined }), ['problem meter-silent: The meter has not said anything yet.']],
  ['9.999 s without a word', facts({ now: START + 9999 }), []],
  [
    '10 s without a word',
    facts({ now: START + 10_000 }),
    ['problem meter-silent: The meter has said nothing for 10 s; it takes no events in that time.'],
  ],
  [
    'a store that fails',
    facts({}, { failing: 'disk I/O error', pending: 7, committedAt: START - 42_000 }),
    ['problem store-failing: Nothing was stored for 42 s: disk I/O error.'],
  ],
  ['a commit of 10 s ago', facts({}, { pending: 7, committedAt: START - 10_000 }), []],
  [
    'a commit of 11 s ago',
    facts({}, { pending: 7, committedAt: START - 11_000 }),
    ['problem commit-lag: The last commit is 11 s old though events wait to be stored.'],
  ],
  ['an hour without events', facts({}, { pending: 0, committedAt: START - hour }), []],
  ['room on the disk', facts({ diskFreeBytes: 1e9 }), []],
  ['a disk of which nothing is known', facts({ diskFreeBytes: null }), []],
  [
    'little room',
    facts({ diskFreeBytes: 1e9 - 1 }),
    ['warning disk-low: The disk of the data folder has 999 MB left.'],
  ],
  ['no room', facts({ diskFreeBytes: 256e6 - 1 }), ['problem disk-full: The disk of the data folder has 255 MB left.']],
  [
    'a ledger that was moved away',
    facts({ isLedgerGone: true }),
    [
      'problem ledger-gone: The file of the ledger was moved, removed or replaced while the meter runs; it stores ' +
        'into the old one.',
    ],
  ],
  [
    'a new meter',
    facts({ servers: [server('turn1', { ...away, boot: 0, lastEventAt: null })] }),
    ['problem server-never-connected: The coturn "turn1" has never connected.'],
  ],
  [
    'one of two is gone',
    facts({ servers: [server('turn1'), server('turn2', away)] }),
    ['warning server-gone: The coturn "turn2" is not connected; it was last heard at 2026-01-01 12:00 UTC.'],
  ],
  [
    'all are gone',
    facts({ servers: [server('turn1', away), server('turn2', { ...away, lastEventAt: null })] }),
    [
      'problem server-gone: The coturn "turn1" is not connected; it was last heard at 2026-01-01 12:00 UTC.',
      'problem server-gone: The coturn "turn2" is not connected since the meter was started.',
    ],
  ],
  [
    'somebody was refused an hour ago, and is not any more',
    facts({ now: START + hour + 1 }, { now: START + hour + 1, refused: { count: 3, lastAt: START, why: 'x' } }),
    [],
  ],
  [
    'somebody is refused',
    facts({}, { refused: { count: 1, lastAt: START, why: 'wrong password' } }),
    [
      'warning refused: 1 connection was refused since the start, the last one at 2026-01-01 12:00 UTC: wrong password.',
    ],
  ],
  ['silence without calls', facts({ now: START + 2 * hour, status: statusAt(START + 2 * hour) }), []],
  [
    'silence with a call',
    facts({
      now: START + 2 * hour,
      status: statusAt(START + 2 * hour),
      servers: [server('turn1', { allocations: 1 })],
    }),
    [
      'warning server-quiet: The coturn "turn1" is connected and has 1 open allocation, but nothing was heard of it ' +
        'since 2026-01-01 12:00 UTC.',
    ],
  ],
  [
    'one line for two',
    facts({ servers: [server('turn1', { shared: true })] }),
    [
      'problem server-shared: Two coturns seem to use the line of "turn1", so that their allocations cannot be told ' +
        'apart.',
    ],
  ],
  [
    'gaps',
    facts({
      gaps: [
        { server: 'turn1', why: 'connection', count: 2, ms: 10 },
        { server: 'turn2', why: 'connection', count: 1, ms: 10 },
        { server: 'turn2', why: 'clock', count: 1, ms: 10 },
        { server: 'turn1', why: 'overflow', count: 1, ms: 0 },
      ],
    }),
    [
      'problem gap-overflow: 1 gap in the last 24 hours because there was more than the meter may keep (turn1: 1). ' +
        'In a gap events may have been lost.',
      'warning gap-connection: 3 gaps in the last 24 hours because a connection broke off (turn1: 2, turn2: 1). ' +
        'In a gap events may have been lost.',
      "warning clock-jump: 1 gap in the last 24 hours because the machine's clock was set (turn2: 1). " +
        'In a gap events may have been lost.',
    ],
  ],
  [
    'a minute of restarts, all but a moment',
    facts({ gaps: [{ server: 'turn1', why: 'restart', count: 20, ms: 59_999 }] }),
    [],
  ],
  [
    'a minute without a meter',
    facts({
      gaps: [
        { server: 'turn1', why: 'restart', count: 2, ms: 60_000 },
        { server: 'turn2', why: 'restart', count: 1, ms: 2000 },
      ],
    }),
    [
      'warning gap-restart: 2 gaps in the last 24 hours because no meter was running (turn1: 2). ' +
        'In a gap events may have been lost.',
    ],
  ],
  [
    'messages nobody can read',
    facts({}, { events: { malformed: 3 } }),
    ['warning malformed: 3 messages since the start could not be read as an event of coturn.'],
  ],
  ['19 names without proof', facts({ rejectedNames: 19 }), []],
  [
    '20 names without proof',
    facts({ rejectedNames: 20 }, { held: 1 }),
    [
      'warning rejected: 20 usernames in the last 24 hours never proved real, and 1 more allocation waits for proof. ' +
        'None of it is billed to anyone.',
    ],
  ],
  [
    'names that do not fit',
    facts({ misfits: { of: 40, count: 1 } }),
    [
      'warning misfits: The usernames of 1 of the last 40 allocations do not fit the template: the whole name is ' +
        'taken for the device, and the account is unknown.',
    ],
  ],
  ['a Redis that takes all', facts({}, { forward: { connected: true, passed: 9, dropped: 0 } }), []],
  [
    'a Redis that is away',
    facts({}, { forward: { connected: false, passed: 9, dropped: 2 } }),
    [
      'warning forward-disconnected: The Redis to which all is passed on cannot be reached; it misses what comes now.',
      'warning forward-dropping: 2 commands since the start could not be passed on to the Redis.',
    ],
  ],
  ['a table that takes all', facts({ sink: rows() }), []],
  ['a database that is restarted', facts({ sink: rows({ failing: { why: 'no answer', since: START - 9999 } }) }), []],
  [
    'a table that is away',
    facts({ sink: rows({ failing: { why: 'no answer', since: START - 10_000 }, waiting: 1 }) }),
    ['warning sink-failing: No row is written since 2026-01-01 11:59 UTC: no answer; 1 session waits.'],
  ],
  [
    'rows that a table does not take',
    facts({ sink: rows({ heldBack: 2, lastHeld: 'session 7: a text is too long' }) }),
    [
      'warning sink-held-back: 2 rows cannot be written and are held back, the last one of session 7: a text is too ' +
        'long.',
    ],
  ],
  ['a backlog', facts({}, { pending: 200_000 }), ['warning pending-high: 200000 rows wait to be stored.']],
]

for (const [what, known, expected] of cases) {
  test(`${what}: ${expected.length === 0 ? 'nothing is found' : expected.map((one) => one.split(':')[0]).join(', ')}`, () => {
    const found = findings(known)
    assert.deepEqual(
      found.map(({ level, code, text }) => `${level} ${code}: ${text}`),
      expected,
    )
    for (const one of found) {
      assert.ok(schemas.Finding.safeParse(one).success)
      assert.match(one.remedy, /^[A-Z].{20,}\.$|\?$/)
      assert.doesNotMatch(one.text + one.remedy, /\s\s|\n/)
    }
  })
}

async function ready(rig: Rig, api = rig.api()): Promise<Ready & { status: number }> {
  const response = await api.fetch(get('/readyz', {}))
  return { status: response.status, ...schemas.Ready.parse(await response.json()) }
}

test('a meter that can do its work is ready, whatever it warns of', async (context) => {
  const rig = new Rig(context)
  rig.status = statusAt(rig.now, { servers: [serverStatus('turn1', { connections: 0, boot: 0 })] })
  rig.commit()
  const found = await ready(rig)
  assert.deepEqual([found.status, found.ready, found.commit, found.lagSeconds], [200, true, 1, 0])
  assert.ok(found.diskFreeBytes! > 0)
  assert.deepEqual(found.servers, [{ kind: 'coturn', name: 'turn1', connected: false, lastEventAt: null }])
  assert.deepEqual(
    found.findings.map(({ code }) => code),
    ['server-never-connected'],
  )
})

test('a meter that is stuck or cannot store is not ready', async (context) => {
  const rig = new Rig(context)
  const states = {
    'store-failing': statusAt(rig.now, { failing: 'database or disk is full' }),
    'commit-lag': statusAt(rig.now, { pending: 1, committedAt: rig.now - 11_000 }),
    'meter-silent': statusAt(rig.now - 10_000),
  }
  for (const [code, status] of Object.entries(states)) {
    rig.status = status
    const found = await ready(rig)
    assert.deepEqual([found.status, found.ready, found.findings[0]?.code], [503, false, code])
  }
})

test('a meter whose ledger was moved away or replaced is not ready', async (context) => {
  const rig = new Rig(context)
  rig.commit()
  const codeOf = async (api = rig.api()) => {
    const { status, findings: found } = await ready(rig, api)
    return [status, found[0]?.code]
  }
  assert.deepEqual(await codeOf(), [200, undefined])
  const before = rig.api()
  renameSync(rig.file, `${rig.file}.old`)
  assert.deepEqual(await codeOf(before), [503, 'ledger-gone'])
  renameSync(`${rig.file}.old`, rig.file)
  const other = rig.api()
  copyFileSync(rig.file, `${rig.file}.copy`)
  renameSync(`${rig.file}.copy`, rig.file)
  assert.deepEqual(await codeOf(other), [503, 'ledger-gone'])
})

test('a ledger that cannot be read is told where others ask whether the meter is ready', async (context) => {
  const rig = new Rig(context)
  rig.ledger.db.exec('DROP TABLE gap')
  const response = await rig.api().fetch(get('/readyz', {}))
  const { status, detail } = schemas.Problem.parse(await response.json())
  assert.deepEqual([response.status, status], [503, 503])
  assert.match(detail, /^The ledger cannot be read: no such table: gap\. Look at the disk;/)
  assert.match(rig.errors[0]!.message, /no such table: gap/)
})

test('a meter whose thread stands still is not healthy', async (context) => {
  const rig = new Rig(context)
  const api = rig.api()
  const health = async () => (await api.fetch(get('/healthz', {}))).status
  assert.equal(await health(), 200)
  rig.now += 9999
  assert.equal(await health(), 200)
  rig.now += 1
  assert.equal(await health(), 503)
  // The clock was set back: what the meter said last is of the future, and it runs.
  rig.now -= hour
  assert.equal(await health(), 200)
  rig.status = undefined
  assert.equal(await health(), 503)
})

test('what the ledger knows is found as well: names that do not fit, gaps, names without proof', async (context) => {
  const rig = new Rig(context, '{expires}:{device}_{account}')
  rig.open('alice')
  rig.open('1:bob_acme')
  for (let i = 0; i < 25; i++) {
    const id = String(900 + i).padStart(18, '0')
    rig.tell(`turn1 turn/realm/r/user/guess${i}/allocation/${id}`, 'traffic', 'rcvp=1, rcvb=2, sentp=3, sentb=4')
  }
  rig.pass(3 * hour)
  rig.gap('turn2', rig.now - 5000, 'stall')
  rig.gap('turn1', rig.now - 30_000, 'restart')
  rig.commit()
  const short = await ready(rig)
  assert.ok(short.findings.every(({ code }) => code !== 'gap-restart'))
  rig.gap('turn1', rig.now - 30_000, 'restart')
  rig.commit()
  const found = await ready(rig)
  assert.deepEqual(
    found.findings.map(({ code, text }) => `${code} ${/\d+/.exec(text)?.[0]}`),
    ['gap-restart 2', 'gap-stall 1', 'rejected 25', 'misfits 1'],
  )
})
