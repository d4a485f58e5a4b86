/** Lines of a log that are cut at places where what is left looks whole. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordsOf } from './log-world.ts'

/** Each was found by log-fuzz.long.test.ts, in thousands of runs. */
const cuts: Readonly<Record<string, readonly [usage: string, next: string]>> = {
  'right behind its front': ['2026-11-22T10:00:01+0000: ', '2026-11-22T10:00:02+0000: '],
  'behind a front that its time makes into another': [
    '2026-11-22T10:00:01.1+0000 ',
    '2026-11-22T10:00:02.1+0000 INFO ',
  ],
  'in its level': ['2026-11-22T10:00:01+0000(97): I', '2026-11-22T10:00:02+0000(97): INFO: '],
  'in its id': ['2026-11-22T10:00:01+0000: session 0000', '2026-11-22T10:00:02+0000: '],
  'behind its id': ['12: session 000000000000000001: ', '12: '],
  'in its place in the source': ['2026-11-22T10:00:01+0000(97): src/a.c', '2026-11-22T10:00:02+0000(97): '],
}

for (const [where, [cut, front]] of Object.entries(cuts)) {
  test(`[R40] a report that breaks off ${where} before another line is missed`, () => {
    const id = 'session 000000000000000001:'
    const who = 'realm=<r>, username=<ann>'
    const of = (text: string) => `${front}${id} ${text}\n`
    const log = `${of(`new, ${who}, lifetime=600`)}${cut}${of('realm <r> user <ann>: all is well')}${of(`delete: ${who}`)}`
    assert.deepEqual(
      recordsOf(Buffer.from(log), [99]).map(({ quality }) => quality),
      ['lower_bound'],
    )
  })
}

test('[R40] the rest of a line whose front is whole by itself is no event', () => {
  const who = 'realm=<r>, username=<ann>'
  const of = (text: string) => `session 000000000000000001: ${text}\n`
  const front = 'Nov 22 10:00:01 relay turnserver[9]: 12: '
  const log = `${front}${of(`new, ${who}, lifetime=600`)}12: ${of(`usage: ${who}, rp=1, rb=2, sp=3, sb=4`)}${front}${of(`delete: ${who}`)}`
  assert.deepEqual(
    recordsOf(Buffer.from(log), [99]).map(({ end, quality, client }) => [end, quality, client.receivedBytes]),
    [['deleted', 'lower_bound', 0]],
  )
})

test('[R40] what was heard before the `new` of a path is no whole call', () => {
  const who = 'realm=<r>, username=<ann>'
  const of = (text: string, second: number) => `2026-11-22T10:00:0${second}+0000: session 000000000000000001: ${text}\n`
  const usage = `usage: ${who}, rp=1, rb=2, sp=3, sb=4`
  const log = of(usage, 1) + of(`new, ${who}, lifetime=600`, 2) + of(usage, 3) + of(`delete: ${who}`, 4)
  assert.deepEqual(
    recordsOf(Buffer.from(log), [99]).map(({ quality, client }) => [quality, client.receivedBytes]),
    [['lower_bound', 4]],
  )
})
