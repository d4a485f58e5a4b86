/** A ledger with a log beside an endpoint, each with its own allocations. */
import assert from 'node:assert/strict'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, Kind } from '../src/core/event.ts'
import type { SessionRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { readTemplate } from '../src/core/session.ts'
import { createState, take } from '../src/core/state.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readSessions } from '../src/store/sessions.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const LIVE = Date.UTC(2026, 0, 3)
export const BEFORE = Date.UTC(2026, 0, 1)
export const [LOG, COTURN] = [1, 2]
const claims = [
  { source: 'log', name: '/var/log/turn.log', bootAware: false, hasOwnTime: true as const, version: null },
  { source: 'resp', name: 'turn1', bootAware: true, version: null },
]

export class TwoSources {
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
