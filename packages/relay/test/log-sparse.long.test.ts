/** A log that is nearly all hole: what a writer leaves that goes on behind a truncation. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import { test } from 'node:test'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { replay } from '../src/replay.ts'
import { call, LogRig } from './log-rig.ts'

/** With five times as much the figures were the same but for the time, which is the kernel's (10 GB: half a minute). */
const SIZE = 2 * 2 ** 30
/** What may be resident beyond what was before: the reader's buffers, and garbage. */
const GROWTH_MAX = 300e6

/** Resident now, in bytes; the peak of this process is no measure, for other tests may have made it. */
function resident(): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!
  return Number(kilobytes) * 1024
}

/** One call whole before the hole, one that is open over it, one whole behind it. */
function writeSparse(rig: LogRig): void {
  rig.write(call(1, 2))
  rig.write(call(2, 2, false))
  truncateSync(rig.path, SIZE)
  appendFileSync(rig.path, '\n')
  rig.write(call(3, 2))
}

test('[R40] a hole of 2 GB is passed over: nothing before or behind it is wrong, and memory does not grow', async (t) => {
  const rig = new LogRig(t)
  writeSparse(rig)
  const before = resident()
  const began = performance.now()
  const { sessions } = await replay([rig.path], readTemplate(DEFAULT_TEMPLATE) as Template, 30_000)
  const seconds = (performance.now() - began) / 1000
  const grown = resident() - before
  const told = sessions.flatMap(({ allocations }) => allocations)
  assert.deepEqual(told.map(({ id, quality, client }) => [Number(id), quality, client.receivedBytes]).sort(), [
    [1, 'exact', 200],
    [2, 'lower_bound', 200],
    [3, 'exact', 200],
  ])
  assert.ok(grown < GROWTH_MAX, `${grown} bytes more`)
  t.diagnostic(`replay: ${seconds.toFixed(1)} s, ${(grown / 1e6).toFixed(0)} MB more resident`)
})

test('[R40, R42] the same followed', async (t) => {
  const rig = new LogRig(t)
  rig.pace = { ...rig.pace, pieceBytes: 4 * 2 ** 20 }
  writeSparse(rig)
  const before = resident()
  const began = performance.now()
  await rig.start()
  await rig.settle()
  const grown = resident() - before
  assert.deepEqual(rig.told(), ['1 exact deleted 200', '2 lower_bound open 200', '3 exact deleted 200'])
  assert.deepEqual(rig.gaps(), ['damage'])
  assert.ok(grown < GROWTH_MAX, `${grown} bytes more`)
  const seconds = (performance.now() - began) / 1000
  t.diagnostic(`followed: ${seconds.toFixed(1)} s, ${(grown / 1e6).toFixed(0)} MB more resident`)
})
