/** A log that is read later than it was written, beside coturns that are heard now. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold, passTime } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, Kind } from '../src/core/event.ts'
import type { SessionRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { readTemplate } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readSessions } from '../src/store/sessions.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const LIVE = Date.UTC(2026, 0, 3)
const BEFORE = Date.UTC(2026, 0, 1)
const [LOG, COTURN] = [1, 2]
const claims = [
  { source: 'log', name: '/var/log/turn.log', bootAware: false, hasOwnTime: true as const, version: null },
  { source: 'resp', name: 'turn1', bootAware: true, version: null },
]

class Meter {
  readonly ledger: Ledger
  state = createState()

  constructor() {
    const template = readTemplate('{expires}:{device}')
    assert.ok('text' in template)
    this.ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30 * SECOND })
    this.restart()
  }

  restart(): void {
    this.state = createState()
    restore(this.state, this.ledger.restore(claims))
    this.await(true)
  }

  await(isAwaited: boolean): void {
    this.state.streams.get(LOG)!.isAwaited = isAwaited
  }

  says(stream: number, at: number, user: string, ...told: readonly (readonly [kind: string, text: string])[]): void {
    const batch = createBatch(4, new Uint8Array(0))
    appendScene(batch, Kind.from, stream, stream === LOG ? 0 : 1)
    appendScene(batch, Kind.tick, at)
    fold(this.state, batch)
    for (const [kind, text] of told) {
      const channel = Buffer.from(`turn/user/1:${user}/allocation/000000000000000001/${kind}`)
      batch.bytes = Buffer.concat([channel, Buffer.from(text)])
      appendPublish(batch, 0, channel.length, channel.length, batch.bytes.length)
      fold(this.state, batch)
    }
  }

  sessions(): Map<string, SessionRecord> {
    this.ledger.commit(take(this.state))
    return new Map(
      Array.from(readSessions(this.ledger.db))
        .flat()
        .map((one) => [one.device, one]),
    )
  }

  told(): string[] {
    return Array.from(this.sessions().values(), ({ device, state, end }) => `${device} ${state} ${end}`).sort()
  }
}

const opened = ['status', 'new lifetime=600'] as const
const deleted = ['status', 'deleted'] as const

test('[R43] what a log says is of its own time, and nothing in it ends by another', () => {
  const meter = new Meter()
  meter.says(COTURN, LIVE, 'bob', opened)
  meter.says(LOG, BEFORE, 'ann', opened, ['traffic', 'rcvp=1, rcvb=90000, sentp=1, sentb=1'])
  meter.says(COTURN, LIVE + 11 * MINUTE + SECOND, 'bob')
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  assert.equal(meter.sessions().get('ann')!.startedAt, '2026-01-01T00:00:00.000Z')
  // The meter's clock goes on, whoever was heard last.
  meter.says(LOG, BEFORE + MINUTE, 'ann')
  passTime(meter.state, LIVE + 20 * MINUTE)
  assert.equal(meter.state.time.now, BEFORE + MINUTE)
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  meter.says(LOG, BEFORE + 11 * MINUTE + SECOND, 'ann')
  assert.deepEqual(meter.told()[0], 'ann final expired')
})

test('[R43] nothing is final before a log has been read up to there; one that is not read holds up nothing', () => {
  const meter = new Meter()
  meter.says(LOG, BEFORE, 'ann', opened, deleted)
  meter.says(COTURN, LIVE, 'bob', opened, deleted)
  passTime(meter.state, LIVE + MINUTE)
  assert.deepEqual(meter.told(), ['ann ended deleted', 'bob ended deleted'])
  meter.says(LOG, BEFORE + 31 * SECOND, 'ann')
  assert.deepEqual(meter.told(), ['ann final deleted', 'bob ended deleted'])
  meter.await(false)
  assert.deepEqual(meter.told(), ['ann final deleted', 'bob final deleted'])
})

test('[R43] a meter that starts again goes on with the time of the log where it was', () => {
  const meter = new Meter()
  meter.says(LOG, BEFORE, 'ann', opened)
  meter.says(COTURN, LIVE, 'bob', opened)
  meter.sessions()
  meter.restart()
  passTime(meter.state, LIVE + 60 * MINUTE)
  assert.deepEqual(meter.told(), ['ann open open', 'bob ended expired'])
  meter.restart()
  assert.equal(meter.state.streams.get(LOG)!.heardAt, BEFORE)
  meter.says(LOG, BEFORE + 5 * MINUTE, 'ann', deleted)
  assert.equal(meter.sessions().get('ann')!.endedAt, '2026-01-01T00:05:00.000Z')
})
