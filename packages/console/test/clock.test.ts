import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../src/live/clock.ts'

test('a clock that is an hour off shows the time of the meter, also of when it was last heard', (context) => {
  context.mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.UTC(2026, 0, 1, 13) })
  const meter = Date.UTC(2026, 0, 1, 12)
  const clock = createClock()
  const told: number[] = []
  clock.each(() => told.push(clock.now() - meter))
  clock.set(meter)
  context.mock.timers.tick(1000)
  context.mock.timers.tick(1000)
  assert.deepEqual(told, [1000, 2000])
  const heardAt = Date.now()
  context.mock.timers.tick(60_000)
  clock.stand(heardAt)
  context.mock.timers.tick(5000)
  assert.equal(clock.now(), meter + 2000)
  assert.equal(told.at(-1), 2000, 'what moves with it is set back')
  clock.set(meter + 70_000)
  clock.stand(undefined)
  context.mock.timers.tick(1000)
  assert.equal(clock.now(), meter + 71_000)
})
