/** The meter killed again and again under real traffic: what is in the ledger is what was received, no more and no less. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { carriedBy, readLog, startCall, startCoturn, startPeer } from './coturn.ts'
import { type Counters, type Meter, readAccounts, readGaps, readPosition, startMeter } from './fettle.ts'
import { Ground, until } from './harness.ts'
import { type Published, WireRecorder } from './wire.ts'

const KILLS = 25

/** What a plain reader would have added up: eight counters for each path. */
class Oracle {
  readonly counters = new Map<string, number[]>()

  hear({ channel, message }: Published): void {
    const kind = /\/(total_traffic|traffic)(\/peer)?$/.exec(channel)
    const path = channel.replace(/\/(status|(total_)?traffic(\/peer)?)$/, '')
    const sums = this.counters.get(path) ?? [0, 0, 0, 0, 0, 0, 0, 0]
    this.counters.set(path, sums)
    if (kind === null) return
    const values = Array.from(message.matchAll(/=(\d+)/g), ([, digits]) => Number(digits))
    const side = kind[2] === undefined ? 0 : 4
    for (let k = 0; k < 4; k++) sums[side + k] = kind[1] === 'traffic' ? sums[side + k]! + values[k]! : values[k]!
  }

  rows(): string[] {
    return Array.from(
      this.counters,
      ([path, sums]) => `${path.replace(/^.*\/allocation\//, '')} ${sums.join(' ')}`,
    ).sort()
  }
}

const rowsOf = (meter: Pick<Meter, 'data'>) =>
  readAccounts(meter.data)
    .map(({ id, client, peer }) => `${id} ${[...client, ...peer].join(' ')}`)
    .sort()

test(`[R30] killed at ${KILLS} moments: the rows are what was received up to the last commit, and later closes are exact`, async (t) => {
  const ground = new Ground(t)
  let meter = await startMeter(ground)
  const target = { host: ground.address(1), port: meter.port }
  const wire = new WireRecorder(() => target)
  t.after(() => wire.close())
  const port = await wire.listen(ground.address(2))
  const statsdb = meter.statsdb.replace(/ip=\S+/, `ip=${ground.address(2)}`).replace(/port=\S+/, `port=${port}`)
  startPeer(ground)
  const coturn = await startCoturn(ground, statsdb)
  await until('coturn connected', () => meter.running.output.includes('coturn turn1 connected'))

  let calling = true
  const callers = ['alice', 'bob', 'carol'].map(async (user, i) => {
    for (let n = 0; calling; n++) {
      // One caller's allocations live long enough to report on their way, the others' come and go.
      const call = i === 0 ? { clients: 4, messages: 2500 } : { clients: 8, messages: 500 }
      const transport = i === 1 ? 'tcp' : 'udp'
      await carriedBy(startCall(ground, { user: `${user}${n}`, transport, ...call, bytes: 100 }))
    }
  })

  const oracle = new Oracle()
  let position = 0
  let gaps = 0
  let lost = 0
  let amid = 0
  for (let kill = 0; kill < KILLS; kill++) {
    await wait(100 + Math.random() * 900)
    // Between a report and its commit is but a moment: every second kill looks for it.
    if (kill % 2 === 1) {
      await wire.next()
      await wait(Math.random() * 10)
    }
    meter.running.kill('SIGKILL')
    await meter.running.ended
    const heard = wire.published
    const gapsNow = readGaps(meter.data).length
    const positionNow = readPosition(meter.data)
    // A gap is an event of the meter's own.
    const received = positionNow - position - (gapsNow - gaps)
    assert.ok(received >= 0 && received <= heard.length, `run ${kill}: ${received} of ${heard.length}`)
    for (const one of heard.slice(0, received)) oracle.hear(one)
    lost += heard.length - received
    if (received < heard.length) amid += 1
    assert.deepEqual(rowsOf(meter), oracle.rows(), `after kill ${kill}`)
    position = positionNow
    gaps = gapsNow
    wire.begin()
    meter = await startMeter(ground, 'meter', target.port)
  }

  assert.ok(amid > 0, 'no kill came between a report and its commit')
  const before = new Set(readLog(coturn).keys())
  const later = () =>
    Array.from(readLog(coturn)).filter(([id, one]) => !before.has(id) && one.deleted && one.peer[0] > 0)
  // On a slow machine the calls that go on now may be older than the last kill: call until there are enough new ones.
  await until('later closes', () => later().length >= 8, 60)
  calling = false
  await Promise.all(callers)
  const closed = await until('their records', () => {
    const accounts = readAccounts(meter.data)
    const found = later().map(([id, logged]) => ({ logged, account: accounts.find((one) => one.id === id) }))
    return found.every(({ account }) => account?.ended === 'deleted' && account.quality === 'exact') && found
  })
  const both = ({ client, peer }: { client: Counters; peer: Counters }) => [...client, ...peer]
  for (const { logged, account } of closed) assert.deepEqual(both(account!), both(logged))
  const listed = readGaps(meter.data)
  assert.equal(listed.filter(({ why }) => why === 'restart').length, KILLS)
  t.diagnostic(
    `${position} events, ${oracle.counters.size} allocations; ${lost} heard and not committed at ${amid} kills`,
  )
  t.diagnostic(`${closed.length} later closes exact; ${listed.length} gaps listed`)
})
