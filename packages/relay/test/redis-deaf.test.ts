/** What is not heard for hours while the meter runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, gapReasons, Kind } from '../src/core/event.ts'
import { restore } from '../src/core/restore.ts'
import { readTemplate } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { redisName } from '../src/ingest/redis-url.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readGaps, readSessions } from '../src/store/sessions.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const start = Date.UTC(2026, 0, 1)
const path = 'turn/user/1:ann/allocation/000000000000000001'

const claims = ['127.0.0.1:6379', 'turn1'].map((name, i) => ({
  source: i === 0 ? 'redis' : 'resp',
  name,
  bootAware: i > 0,
  version: null,
}))

class Meter {
  readonly ledger: Ledger
  state = createState()

  constructor() {
    const template = readTemplate('{expires}:{device}')
    assert.ok('text' in template)
    this.ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs: 30_000 })
    this.restart()
  }

  /** Killed, and started from its last commit. */
  restart(): number {
    this.state = createState()
    const saved = this.ledger.restore(claims)
    restore(this.state, saved)
    return saved.streams[0]!.heardAt
  }

  scene(stream: number, at: number, ...scene: readonly number[]): void {
    const batch = createBatch(4, new Uint8Array(0))
    appendScene(batch, Kind.from, stream, stream - 1)
    if (scene.length > 0) appendScene(batch, ...(scene as [number, number]))
    else appendScene(batch, Kind.tick, at)
    fold(this.state, batch)
  }

  says(stream: number, kind: string, text: string): void {
    const channel = Buffer.from(`${path}/${kind}`)
    const batch = createBatch(4, Buffer.concat([channel, Buffer.from(text)]))
    appendScene(batch, Kind.from, stream, stream - 1)
    appendPublish(batch, 0, channel.length, channel.length, batch.bytes.length)
    fold(this.state, batch)
  }

  commit(): void {
    this.ledger.commit(take(this.state))
  }

  ends(): string[] {
    this.commit()
    return Array.from(readSessions(this.ledger.db))
      .flat()
      .flatMap(({ allocations }) => allocations)
      .map(({ end, quality }) => `${end} ${quality}`)
  }
}

test('[R14, R33] what is not heard does not expire, however long; what others say does', () => {
  const meter = new Meter()
  meter.scene(1, start)
  for (const stream of [1, 2]) meter.says(stream, 'status', 'new lifetime=600')
  meter.scene(1, start, Kind.deaf, start + MINUTE)
  meter.scene(1, start + 180 * MINUTE)
  assert.deepEqual(meter.ends(), ['open lower_bound', 'expired lower_bound'])
  const ended = start + 181 * MINUTE
  meter.scene(1, ended, Kind.gap, start + MINUTE, ended, gapReasons.indexOf('connection'))
  // One lifetime more is waited, and the grace.
  meter.scene(1, ended + 10 * MINUTE)
  assert.equal(meter.ends()[0], 'open lower_bound')
  meter.scene(1, ended + 22 * MINUTE)
  assert.equal(meter.ends()[0], 'expired lower_bound')
})

test('[R33] a close that was not heard leaves what is open to its totals or its lifetime', () => {
  const meter = new Meter()
  meter.scene(1, start)
  meter.says(1, 'status', 'new lifetime=600')
  meter.scene(1, start, Kind.deaf, start + MINUTE)
  meter.scene(1, start, Kind.gap, start + MINUTE, start + 2 * MINUTE, gapReasons.indexOf('connection'))
  meter.scene(1, start + 2 * MINUTE)
  meter.says(1, 'total_traffic', 'rcvp=1, rcvb=2, sentp=3, sentb=4')
  meter.scene(1, start + 3 * MINUTE)
  assert.deepEqual(meter.ends(), ['deleted exact'])
})

test('[R30, R33] a meter that is killed while it does not hear knows since when', () => {
  const meter = new Meter()
  meter.scene(1, start)
  meter.says(1, 'status', 'new lifetime=600')
  meter.commit()
  meter.scene(1, start, Kind.deaf, start + MINUTE)
  meter.scene(1, start + 30 * MINUTE)
  meter.commit()
  assert.equal(meter.restart(), start + MINUTE)
  assert.deepEqual(readGaps(meter.ledger.db), [])
})

test('[R33] a clock that is set meanwhile does not make it hear again', () => {
  const meter = new Meter()
  meter.scene(1, start)
  meter.says(1, 'status', 'new lifetime=600')
  meter.scene(1, start, Kind.deaf, start + MINUTE)
  meter.scene(1, start, Kind.gap, start + 2 * MINUTE, start + 3 * MINUTE, gapReasons.indexOf('clock'))
  meter.scene(1, start + 300 * MINUTE)
  assert.deepEqual(meter.ends(), ['open lower_bound'])
})

test('a Redis is called as the operator names it, without user and password', () => {
  const target = { host: '::1', port: 6380, tls: true, username: 'u', password: 'p' }
  assert.equal(redisName({ ...target, database: null }), '[::1]:6380')
  assert.equal(redisName({ ...target, database: 0 }), '[::1]:6380/0')
})
