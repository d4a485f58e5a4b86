import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOutbox } from '../src/store/queries-outbox.ts'
import { ALL, call, eight, type Four, FULL, Heard, iso, logOf, REST, type Said, START } from './reconcile-world.ts'

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
  heard.assertSums()
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
  heard.assertSums()
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
  heard.assertSums()
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

test('[R25, R47] how long was relayed stays unknown where the log does not tell it either', () => {
  const one = { user: '1:ann', id: 1 }
  const short: Four = [100, 100_000, 100, 90_000]
  const said: Said[] = [
    { ...one, t: 0, what: 'new' },
    { ...one, t: 100, what: 'report', client: short, peer: short },
    { ...one, t: 100, what: 'deleted' },
  ]
  const heard = new Heard()
  heard.hear(said, [[50, 200]])
  heard.until(3000)
  heard.apply(heard.beside(logOf(said)))
  const [after] = heard.allocations()
  assert.deepEqual([after!.quality, after!.relaySeconds, after!.relaySecondsMax], ['reconstructed', null, 100])
})

test('[R47] twice in one request is once: nothing comes twice into a bucket', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(100_000)
  heard.until(200_000)
  const { completions } = heard.beside(logOf(said))
  const { completions: outcomes } = heard.apply({ completions: [...completions, ...completions], additions: [] })
  assert.deepEqual(outcomes, ['whole', 'unknown'])
  heard.assertSums()
  assert.equal(heard.billed(), ALL[1] + ALL[3])
})

test('[R15, R47] what comes late of one that was made whole belongs to it, and holds no row back', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said.slice(0, -2))
  heard.until(2000)
  const { completions } = heard.beside(logOf(said))
  assert.deepEqual(heard.apply({ completions, additions: [] }).completions, ['whole'])
  assert.equal(readOutbox(heard.ledger.db, 0, 10).length, 2)
  heard.restart()
  heard.hear(said.slice(-2).map((one) => ({ ...one, t: 2500 })))
  heard.commit()
  assert.deepEqual(
    heard.allocations().map(({ quality, endedAt }) => [quality, endedAt]),
    [['reconstructed', iso(300)]],
  )
  assert.equal(heard.billed(), ALL[1] + ALL[3])
})

test('[R47] an end that is not there yet, and a source that knows nothing of the peer, are no end and no whole', () => {
  const said = call('1:ann', 1, 0, 300)
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(3000)
  const [one] = heard.beside(logOf(said)).completions
  const { id, account } = one!
  const told = (changed: object) =>
    heard.apply({ completions: [{ id, account: { ...account, ...changed } }], additions: [] })
  assert.deepEqual(told({ closedAt: START + 3001_000 }).completions, ['not over'])
  assert.deepEqual(told({ peer: null }).completions, ['contradicts'])
  assert.equal(heard.allocations()[0]!.quality, 'lower_bound')
})

test('[R47] where a boot reports the peer side, a record without one is not made whole over and over', () => {
  const said = call('1:ann', 1, 0, 300).filter(({ what }) => what !== 'report')
  const heard = new Heard()
  heard.hear([...call('1:bob', 2, 0, 100), ...said], [[200, 400]])
  heard.until(3000)
  for (let i = 0; i < 2; i++) heard.apply(heard.beside(logOf(said)))
  assert.deepEqual(
    heard.sessions().map(({ revision }) => revision),
    [0, 0],
  )
})

test('[R41, R47] addresses that were heard stay; the log tells those that were not, and why it was closed', () => {
  const said = call('1:ann', 1, 0, 300)
  const withoutAddresses = logOf(said).map((line) => line.replace(/ origin <>.*, reason/, ', reason'))
  const heard = new Heard()
  heard.hear(said, [[200, 400]])
  heard.until(3000)
  heard.apply(heard.beside(withoutAddresses))
  const [after] = heard.allocations()
  assert.deepEqual(
    [after!.serverAddress, after!.clientAddress, after!.closeReason],
    ['192.0.2.1:3478', '198.51.100.7:5000', 'allocation timeout'],
  )
})

test('[R46] one that came while another one of its path had not expired yet is unclear, in the plan as when it is applied', () => {
  const one = { user: '1:ann', id: 1 }
  const said: Said[] = [
    { ...one, t: 1079, what: 'new' },
    // Its coturn is killed in the gap, and the next one begins with the same id.
    { ...one, boot: 2, t: 1090, what: 'new' },
    { ...one, boot: 2, t: 1091, what: 'report', client: REST, peer: REST },
    { ...one, boot: 2, t: 1091, what: 'deleted' },
  ]
  const heard = new Heard()
  heard.hear(said, [[1080, 1091]])
  heard.until(200_000)
  const { additions, completions, differences } = heard.beside(logOf(said))
  assert.deepEqual([additions, completions], [[], []])
  assert.deepEqual(
    differences.map(({ verdict, why }) => [verdict, why]),
    [['unclear', 'several']],
  )
})
