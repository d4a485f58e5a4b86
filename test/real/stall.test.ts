/**
 * coturn falls silent for ever on a connection that was once blocked: here its pipe is made so narrow that this happens
 * within seconds. First with an endpoint that merely goes on reading, to see that the danger is real; then with fettle.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Coturn, carriedBy, readLog, startCall, startCoturn, startPeer } from './coturn.ts'
import { isClosed, type Meter, readAccounts, readGaps, startMeter } from './fettle.ts'
import { Ground, until } from './harness.ts'

/** Room for what a few calls report at once, not for what a crowd does. */
const NARROW = 32_768

/**
 * Calls that end all at once, like those of a site whose line breaks: what coturn reports of them within a moment is more
 * than any pipe of a narrow network holds.
 */
async function crowd(ground: Ground, coturn: Coturn): Promise<void> {
  const before = { opened: newIn(coturn), ended: deletedIn(coturn) }
  const calls = Array.from({ length: 8 }, (_, i) =>
    startCall(ground, {
      user: `crowd${i}-${'x'.repeat(150)}`,
      transport: 'tcp',
      clients: 10,
      messages: 9999,
      bytes: 50,
    }),
  )
  // Not every one of them gets through a network like this.
  await until('the crowd', () => newIn(coturn) >= before.opened + 100)
  for (const call of calls) call.kill('SIGKILL')
  await until('the end of the crowd', () => deletedIn(coturn) - before.ended >= newIn(coturn) - before.opened)
}

const deletedIn = (coturn: Coturn) => coturn.running.output.match(/: delete: realm=/g)?.length ?? 0
const newIn = (coturn: Coturn) => coturn.running.output.match(/: new, realm=/g)?.length ?? 0

/** A call on both relay threads; returns when coturn has closed it. */
async function call(ground: Ground, coturn: Coturn, user: string): Promise<void> {
  const closed = () => Array.from(readLog(coturn).values()).filter((one) => one.deleted && isOf(user, one)).length
  await carriedBy(startCall(ground, { user, transport: 'tcp', clients: 4, messages: 100, bytes: 200 }))
  await until('the end of the call', () => closed() >= 8)
}

const isOf = (user: string, { username }: { readonly username: string }) => username.endsWith(`:${user}`)

/** Each of the user's closed allocations is in the ledger as coturn's log has it, to the byte. */
async function assertWhole(meter: Meter, coturn: Coturn, user: string): Promise<number> {
  const log = Array.from(readLog(coturn)).filter(([, one]) => one.deleted && isOf(user, one))
  const accounts = await until(`all ${log.length} allocations of ${user}`, () => {
    const closed = readAccounts(meter.data).filter((one) => isClosed(one) && isOf(user, one))
    return closed.length >= log.length && closed
  })
  const facts = (id: string, client: unknown, peer: unknown) => JSON.stringify({ id, client, peer })
  assert.deepEqual(
    accounts.map(({ id, client, peer }) => facts(id, client, peer)).sort(),
    log.map(([id, { client, peer }]) => facts(id, client, peer)).sort(),
  )
  for (const { quality } of accounts) assert.equal(quality, 'exact')
  return accounts.length
}

async function meterIn(ground: Ground): Promise<{ readonly meter: Meter; readonly coturn: Coturn }> {
  const meter = await startMeter(ground)
  startPeer(ground)
  const coturn = await startCoturn(ground, meter.statsdb)
  await until('coturn connected', () => meter.running.output.includes('coturn turn1 connected'))
  return { meter, coturn }
}

test('coturn is silent for ever on a connection that was once full, until the endpoint closes it', async (t) => {
  const ground = new Ground(t)
  await ground.enterNarrowNetwork(NARROW)
  const stub = fileURLToPath(new URL('./silent-endpoint.ts', import.meta.url))
  const endpoint = ground.start(process.execPath, [stub, ground.address(1)])
  const port = await until('an endpoint', () => /^port (\d+)$/m.exec(endpoint.output)?.[1])
  const events = () => endpoint.output.match(/^events /gm)?.length ?? 0
  startPeer(ground)
  const coturn = await startCoturn(ground, `ip=${ground.address(1)} port=${port} connect_timeout=5`)
  await call(ground, coturn, 'before')
  await until('events', () => events() >= 40)
  endpoint.kill('SIGSTOP')
  await crowd(ground, coturn)
  endpoint.kill('SIGCONT')
  const drained = await settled(events)
  await call(ground, coturn, 'after')
  await wait(3000)
  assert.equal(events(), drained, 'this coturn does not fall silent: the endpoint need not close anything')
  endpoint.kill('SIGUSR2')
  await call(ground, coturn, 'cured')
  await until('events again', () => events() >= drained + 40)
  t.diagnostic(`${drained} events, then none of ${newIn(coturn)} allocations until closed, then ${events() - drained}`)
})

/** The number once it has not grown for a while. */
async function settled(count: () => number): Promise<number> {
  for (let last = -1; ; ) {
    if (last === count()) return last
    last = count()
    await wait(1000)
  }
}

test('[R29] the meter stopped until the pipe was full: it closes, coturn reconnects, later calls are exact', async (t) => {
  const ground = new Ground(t)
  await ground.enterNarrowNetwork(NARROW)
  const { meter, coturn } = await meterIn(ground)
  await call(ground, coturn, 'before')
  await assertWhole(meter, coturn, 'before')
  assert.deepEqual(readGaps(meter.data), [])
  meter.running.kill('SIGSTOP')
  const stopped = performance.now()
  await crowd(ground, coturn)
  await wait(Math.max(0, stopped + 2000 - performance.now()))
  meter.running.kill('SIGCONT')
  const gaps = await stalls(meter)
  await call(ground, coturn, 'after')
  const count = await assertWhole(meter, coturn, 'after')
  const heard = readAccounts(meter.data).length
  assert.ok(heard < newIn(coturn), 'nothing was lost: the pipe was not full, and the test shows nothing')
  t.diagnostic(`gaps of ${gaps.join(', ')} ms; ${newIn(coturn) - heard} of ${newIn(coturn)} allocations never heard of`)
  t.diagnostic(`after it ${count} allocations exact`)
})

/** Waits for the first gap; all are of this one kind, and told. Returns how long each was. */
async function stalls(meter: Meter): Promise<number[]> {
  const gaps = await until('a gap', () => {
    const found = readGaps(meter.data)
    return found.length > 0 && found
  })
  for (const { why, ms } of gaps) {
    assert.equal(why, 'stall')
    assert.ok(Number.isInteger(ms), `${ms} ms`)
  }
  assert.match(meter.running.output, /^gap: up to .* of events of turn1 may be lost \(stall\)$/m)
  return gaps.map(({ ms }) => ms)
}

test('[R29] a pause in which little was reported costs nothing: no connection is closed, no gap recorded', async (t) => {
  const ground = new Ground(t)
  const { meter, coturn } = await meterIn(ground)
  // A coturn that is still starting waits for the answer to its KEYS, and lets nobody in until then.
  await call(ground, coturn, 'before')
  meter.running.kill('SIGSTOP')
  const stopped = performance.now()
  await call(ground, coturn, 'meanwhile')
  await wait(Math.max(0, stopped + 2000 - performance.now()))
  meter.running.kill('SIGCONT')
  const count = await assertWhole(meter, coturn, 'meanwhile')
  await call(ground, coturn, 'after')
  assert.equal(await assertWhole(meter, coturn, 'after'), count)
  assert.deepEqual(readGaps(meter.data), [])
})

test('[R29] coturn alone fills the pipe, by a crowd that ends at once: it is seen without a pause of ours, and cured', async (t) => {
  const ground = new Ground(t)
  await ground.enterNarrowNetwork(NARROW / 4)
  const { meter, coturn } = await meterIn(ground)
  // A busy machine may end the crowd so slowly that the pipe holds.
  for (let crowds = 0; crowds < 5 && readGaps(meter.data).length === 0; crowds++) {
    await crowd(ground, coturn)
    // Each relay thread has a connection of its own; the slowest sign of a blocked one is a heartbeat missed for 21 s.
    await wait(25_000)
  }
  const gaps = await stalls(meter)
  await call(ground, coturn, 'after')
  const count = await assertWhole(meter, coturn, 'after')
  const heard = readAccounts(meter.data).length
  assert.ok(heard < newIn(coturn), 'nothing was lost: the pipe was not full, and the test shows nothing')
  t.diagnostic(`gaps of ${gaps.join(', ')} ms without any pause of the meter; after it ${count} allocations exact`)
})
