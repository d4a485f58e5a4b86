/** Which allocation of a log is which one here, and what is left alone because nobody can tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '../src/reconcile/plan.ts'
import { call, Heard, iso, logOf, type Said } from './reconcile-world.ts'

const verdicts = ({ differences }: Plan) =>
  differences.map(({ verdict, why }) => [verdict, ...(why ? [why] : [])].join(': '))

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
  const { aheadMs, equal, additions } = heard.beside(logOf(said, { aheadMs: 7_200_000 }))
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

test('[R46] what carries nothing counts the same after each restart, and tells nothing of clocks', () => {
  const week = 7 * 86_400
  const probes = (from: number, boot: number) =>
    [1, 2, 3].flatMap((id) => call('guest', id, from + id * 60, from + id * 60 + 5, boot).map(small))
  const heard = new Heard()
  heard.hear(probes(0, 2), [[1000, 5000]])
  heard.until(90_000)
  const old = [...probes(-week, 1), ...call('guest', 6, 2000 - week, 3000 - week)]
  const day = [...probes(-86_400, 1), ...call('guest', 6, 2000 - 86_400, 3000 - 86_400)]
  for (const log of [old, day]) {
    const { aheadMs, additions, completions } = heard.beside(logOf(log))
    assert.deepEqual([aheadMs, additions, completions], [0, [], []])
  }
})

const small = (one: Said): Said =>
  one.client === undefined ? one : { ...one, client: [9, 900, 9, 900], peer: [9, 900, 9, 900] }

test('[R46] a log that was given twice adds nothing, wherever its end lies', () => {
  const said = [...call('1:ann', 1, 0, 100), ...call('1:bob', 2, 10, 300)]
  const missed = call('1:cat', 3, 320, 330)
  const heard = new Heard()
  heard.hear([...said, ...missed], [[310, 500]])
  heard.until(1000)
  const log = logOf([...said, ...missed])
  const plan = heard.beside([...log, ...log])
  assert.deepEqual([plan.additions, plan.completions, plan.equal], [[], [], 2])
  assert.deepEqual(new Set(verdicts(plan)), new Set(['unclear: several']))
})

test('[R46] where the log has another time for what was heard here, that is not added as another one', () => {
  const many = Array.from({ length: 5 }, (_, i) => call(`1:user${i}`, 10 + i, i * 10, i * 10 + 100)).flat()
  const before = [...many, ...call('1:ann', 1, 0, 3590)]
  const after = call('1:bob', 2, 3700, 3900)
  const heard = new Heard()
  heard.hear([...before, ...after], [[3580, 3750]])
  heard.until(9000)
  const was = heard.billed()
  // Its clock was set back by an hour, so that all up to then is taken to be of the last moment before.
  const plan = heard.beside([...logOf(before), ...logOf(after, { aheadMs: 3_600_000 })])
  assert.deepEqual(verdicts(plan), ['completes', 'unclear: several', 'unclear: several'])
  heard.apply(plan)
  assert.equal(heard.billed(), was + 5000 + 6000)
})

test('[R46] a log without times says only of the same client which one it is', () => {
  const timeless = (lines: string[]) => lines.map((line) => line.replace(/^\S+ INFO/, '9: (7): INFO'))
  const said = call('guest', 1, 0, 300)
  const heard = new Heard()
  heard.hear([...said, ...call('guest', 2, 0, 100)], [[200, 400]])
  heard.until(3000)
  // Of a former boot, of which the path and less bytes are known here.
  const old = timeless(logOf(call('guest', 1, 0, 900))).map((line) => line.replace(':5000', ':5001'))
  const other = heard.beside(old)
  assert.deepEqual([other.completions, verdicts(other)], [[], ['unclear: no times', 'lacks']])
  const own = heard.beside(timeless(logOf([...said, ...call('guest', 2, 0, 100), ...call('guest', 3, 250, 260)])))
  assert.deepEqual([own.equal, verdicts(own)], [1, ['completes', 'unclear: no times']])
  heard.apply(own)
  assert.deepEqual(
    heard.allocations().map(({ id, quality }) => [Number(id), quality]),
    [
      [2, 'exact'],
      [1, 'reconstructed'],
    ],
  )
  heard.assertSums()
})

test('[R47] what is closed in the log alone, and in no gap, is on its way to here', () => {
  const said = call('1:ann', 1, 0, 400)
  const heard = new Heard()
  heard.hear(said.slice(0, 3))
  heard.until(500)
  const plan = heard.beside(logOf(said))
  assert.deepEqual([plan.completions, verdicts(plan)], [[], ['not over']])
})

test('[R48] what began or ended while the meter heard its coturn would have been heard of', () => {
  const known = call('1:bob', 1, 0, 300)
  const heard = new Heard()
  heard.hear(known, [
    [400, 500],
    [800, 900],
  ])
  heard.until(9000)
  const strange = [...call('1:ann', 5, 450, 700), ...call('1:cat', 6, 450, 850), ...call('1:dan', 7, 700, 850)]
  const plan = heard.beside(logOf([...known, ...strange]))
  assert.deepEqual(verdicts(plan), ['unclear: no gap', 'adds', 'unclear: no gap'])
})

test('[R48] what another coturn relayed is not added, though the meter missed something then', () => {
  const heard = new Heard()
  heard.hear(call('guest', 1, 0, 300), [[400, 4000]])
  heard.until(9000)
  const elsewhere = logOf(call('guest', 5, 500, 3000).map((one) => ({ ...one, server: 2 })))
  assert.deepEqual(verdicts(heard.beside(elsewhere)), ['unclear: server'])
  const here = logOf(call('guest', 5, 500, 3000))
  assert.deepEqual(verdicts(heard.beside(here)), ['adds'])
})

test('[R48] of two servers it is the one that has the other allocations of the log', () => {
  const first = call('1:ann', 1, 0, 300)
  const second = [...call('1:bob', 1, 0, 300), ...call('1:cat', 2, 450, 460)].map((one) => ({ ...one, server: 2 }))
  const heard = new Heard(2)
  heard.hear(
    [...first, ...second],
    [
      [400, 500, 1],
      [400, 500, 2],
    ],
  )
  heard.until(9000)
  const plan = heard.beside(logOf(second))
  assert.deepEqual(
    plan.additions.map(({ stream, boot }) => [stream, boot]),
    [[2, 1]],
  )
  assert.deepEqual(heard.beside(logOf(second), 'turn1').additions, [])
  assert.deepEqual(verdicts(heard.beside(logOf([...first, ...second]))), ['unclear: server'])
})
