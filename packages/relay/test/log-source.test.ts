/** When what a log says has happened, and a log that is piped in. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { call, LogRig, START } from './log-rig.ts'

const HOUR = 3_600_000
const kinds = (rig: LogRig) => rig.notices.map(({ kind }) => kind)

test('[R43] what was in a log before is of its own time, however late it is read', async (t) => {
  const rig = new LogRig(t)
  rig.write([...call(1, 1), ...call(2, 1, false)])
  const written = rig.now
  rig.now += 48 * HOUR
  await rig.start()
  await rig.settle()
  const [one, two] = rig.records()
  assert.deepEqual([one?.startedAt, one?.endedAt], ['2026-11-22T10:00:01.000Z', '2026-11-22T10:00:04.000Z'])
  // With nothing left to read, time goes on with the clock.
  assert.deepEqual([two?.end, Date.parse(two!.endedAt!)], ['expired', START + 5000 + 600_000])
  assert.equal(rig.state.streams.get(1)!.time!.now, rig.now - 5000)
  assert.ok(written < rig.now - 47 * HOUR)
})

test('[R43] lines without a time are of when they were read; that is told once', async (t) => {
  const rig = new LogRig(t)
  const write = (lines: readonly string[]) =>
    appendFileSync(rig.path, lines.map((text) => `12: (97): INFO: ${text}\n`).join(''))
  const lines = call(1, 1)
  write(lines.slice(0, 1))
  await rig.start()
  await rig.settle()
  rig.now += 60_000
  write(lines.slice(1))
  await rig.settle()
  const [one] = rig.records()
  assert.deepEqual([one?.startedAt, one?.endedAt], ['2026-11-22T10:00:00.000Z', '2026-11-22T10:01:00.000Z'])
  assert.equal(kinds(rig).filter((kind) => kind === 'log undated').length, 1)
  assert.equal(rig.status.log?.isUndated, true)
})

test('[R43] no line is of a later time than that at which it is read', async (t) => {
  const rig = new LogRig(t)
  rig.write(call(1, 1))
  rig.now = START
  await rig.start()
  await rig.settle()
  assert.deepEqual(
    rig.records().map(({ endedAt }) => endedAt),
    ['2026-11-22T10:00:00.000Z'],
  )
})

/** A log that is piped in: what was written stays with the pipe, not with the meter. */
class Piped extends LogRig {
  override input = new PassThrough()

  pipe(lines: readonly string[]): void {
    this.input.write(lines.map((text) => this.line(text)).join(''))
  }

  async again(): Promise<void> {
    this.input = new PassThrough()
    await this.start()
  }
}

test('[R44] what is piped in is read as it comes, a restart is a gap, and what was read is not read again', async (t) => {
  const rig = new Piped(t, '-')
  await rig.start()
  rig.pipe([...call(1, 2), ...call(2, 1, false)])
  await wait(20)
  await rig.settle()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 200', '2 lower_bound open 100'], []])
  await rig.kill()
  const before = rig.now
  rig.now = before - 4000
  await rig.again()
  // `journalctl -f` begins with the last lines that it has.
  rig.pipe(call(2, 1, false))
  rig.now = before
  rig.pipe([...call(2, 2).slice(3), ...call(3, 1)])
  await wait(20)
  await rig.settle()
  assert.deepEqual(rig.told(), ['1 exact deleted 200', '2 lower_bound deleted 200', '3 exact deleted 100'])
  assert.deepEqual(rig.gaps(), ['restart'])
  const gap = rig.notices.find((notice) => notice.kind === 'gap')
  assert.deepEqual(gap, { kind: 'gap', server: 'standard input', why: 'restart', ms: 1000 })
})

test('[R44] the end of what is piped in is told; a half line is none', async (t) => {
  const rig = new Piped(t, '-')
  await rig.start()
  rig.pipe(call(1, 1))
  rig.input.end(rig.line(call(2, 1)[0]!).slice(0, -5))
  while (!kinds(rig).includes('log ended')) await wait(1)
  rig.commit()
  assert.deepEqual([rig.told(), rig.gaps()], [['1 exact deleted 100'], ['damage']])
  assert.equal(rig.status.log?.why, 'it has ended')
  assert.equal(rig.state.streams.get(1)!.isAwaited, false)
})
