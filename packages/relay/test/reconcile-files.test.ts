/** Times of the files that are given. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { planFrom } from '../src/reconcile/plan.ts'
import { ReplayFault } from '../src/replay.ts'
import { call, Heard, iso, lingerMs, logOf, START, template } from './reconcile-world.ts'

/** Writes the lines of each file, and compares. */
function planOf(t: TestContext, heard: Heard, files: readonly (readonly string[])[]) {
  const folder = mkdtempSync(join(tmpdir(), 'fettle-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = files.map((lines, i) => {
    const file = join(folder, `${i}.log`)
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
    utimesSync(file, new Date(), new Date(Date.UTC(2026, 11, 1)))
    return file
  })
  return planFrom(heard.ledger.db, names, { template, lingerMs, progress: () => {} })
}

const early = call('1:ann', 1, 0, 300)
const missed = call('1:bob', 2, 1010, 1090)
const late = [...call('1:cat', 3, 400, 500), ...missed]

function heardAll(): Heard {
  const heard = new Heard()
  heard.hear([...early, ...late], [[1000, 1100]])
  heard.until(3000)
  return heard
}

test('[R46] files in the wrong order, or given twice, are refused', async (t) => {
  const heard = heardAll()
  const inOrder = await planOf(t, heard, [logOf(early), logOf(late)])
  assert.deepEqual([inOrder.equal, inOrder.additions.length], [2, 1])
  for (const [files, where, far] of [
    [[logOf(late), logOf(early)], '1.log', 1090],
    [[logOf([...early, ...late]), logOf([...early, ...late])], '1.log', 1090],
    [[[...logOf(late), ...logOf(early)]], '0.log', 1090],
  ] as const) {
    await assert.rejects(planOf(t, heard, files), ({ message }: Error) => {
      assert.match(message, new RegExp(`${where}: its times run back by ${far} s: give the oldest file first`))
      return true
    })
    await assert.rejects(planOf(t, heard, files), ReplayFault)
  }
})

test('[R46] a clock that is set back by seconds is no file in the wrong order', async (t) => {
  const after = call('1:cat', 3, 310, 500)
  const heard = new Heard()
  heard.hear([...early, ...after])
  heard.until(3000)
  const { equal, differences } = await planOf(t, heard, [[...logOf(early), ...logOf(after, { aheadMs: 40_000 })]])
  assert.deepEqual([equal, differences], [2, []])
})

test('[R46] the hour of local time that comes twice in autumn is told apart by what was before', async (t) => {
  const zone = process.env.TZ
  t.after(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })
  process.env.TZ = 'Europe/Berlin'
  // At 01:00 UTC it is 03:00 there, and then 02:00.
  const from = (Date.UTC(2026, 9, 25) - START) / 1000
  const calls = [0, 1800, 3500, 3700, 5400, 7300].map((t, i) => call(`1:user${i}`, i + 1, from + t, from + t + 100))
  const heard = new Heard()
  heard.hear(calls.flat(), [[from + 3650, from + 3850]])
  heard.until(from + 20_000)
  const inSyslog = logOf(calls.flat()).map((line) => {
    const [stamp, body] = [line.slice(0, 24), line.slice(24)]
    const [, month, day, time] = /^\w+ (\w+) (\d+) \d+ ([\d:]+)/.exec(new Date(stamp).toString())!
    return `${month} ${day} ${time} host turnserver[7]: 9: ${body}`
  })
  assert.equal(inSyslog.filter((line) => line.startsWith('Oct 25 02:01:40')).length, 4 + 1)
  const { equal, aheadMs, additions, differences } = await planOf(t, heard, [inSyslog])
  assert.deepEqual([equal, aheadMs, differences.map(({ verdict }) => verdict)], [5, 0, ['adds']])
  assert.deepEqual(new Date(additions[0]!.account.openedAt).toISOString(), iso(from + 3700))
})
