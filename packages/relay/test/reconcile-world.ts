/** A run of coturn that a meter heard with holes, and whose log has all of it. */
import assert from 'node:assert/strict'
import { finishRecording, fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, gapReasons, Kind } from '../src/core/event.ts'
import { type Outcomes, type Reconciliation, reconcile } from '../src/core/reconcile.ts'
import type { AllocationRecord, SessionRecord } from '../src/core/record.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, type State, take } from '../src/core/state.ts'
import { logKind } from '../src/ingest/log.ts'
import { Recorder } from '../src/ingest/recorder.ts'
import { type Plan, plan } from '../src/reconcile/plan.ts'
import { readReconciliation, writeReconciliation } from '../src/reconcile/wire.ts'
import { reconciliation } from '../src/serve/contract.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'
import { readSessions } from '../src/store/sessions.ts'

export const START = Date.UTC(2026, 0, 1, 12)
const template = readTemplate(DEFAULT_TEMPLATE) as Template
const lingerMs = 30_000

export type Four = readonly [receivedPackets: number, receivedBytes: number, sentPackets: number, sentBytes: number]

/** Something that coturn says of an allocation, in seconds from the start. */
export interface Said {
  readonly t: number
  readonly user: string
  readonly id: number
  readonly boot?: number
  readonly what: 'new' | 'refreshed' | 'report' | 'deleted'
  readonly client?: Four
  readonly peer?: Four
}

const digits = (id: number) => String(id).padStart(18, '0')
const plus = (a: Four, b: Four) => a.map((one, k) => one + b[k]!) as unknown as Four
const NOTHING: Four = [0, 0, 0, 0]

/** The log of what was said; `aheadMs`: how far the meter's clock is ahead of it. */
export function logOf(said: readonly Said[], aheadMs = 0): string[] {
  const ordered = said.toSorted((a, b) => a.t - b.t)
  return ordered.flatMap(({ t, user, id, boot = 1, what, client, peer }) => {
    const stamp = new Date(START + t * 1000 - aheadMs).toISOString().slice(0, 19)
    const line = (text: string) => `${stamp}+0000(${boot}): INFO: session ${digits(id)}: ${text}`
    const who = `realm=<example.org>, username=<${user}>`
    if (what === 'new' || what === 'refreshed') return [line(`${what}, ${who}, lifetime=600`)]
    const usage = ([rp, rb, sp, sb]: Four) => `${who}, rp=${rp}, rb=${rb}, sp=${sp}, sb=${sb}`
    if (what === 'report') return [line(`usage: ${usage(client!)}`), line(`peer usage: ${usage(peer!)}`)]
    const closed = `closed (2nd stage), user <${user}> realm <example.org> origin <>, local 192.0.2.1:3478`
    return [line(`${closed}, remote 198.51.100.7:5000, reason: allocation timeout`), line(`delete: ${who}`)]
  })
}

/** The ledger of a meter that hears one coturn by the endpoint. */
export class Heard {
  readonly ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs })
  state!: State

  constructor() {
    this.restart()
  }

  /** Goes on from the last commit. */
  restart(): void {
    this.state = createState()
    const claim = { source: 'resp', name: 'turn1', bootAware: true, version: '4.6.1' }
    restore(this.state, this.ledger.restore([claim]))
  }

  commit(): void {
    this.ledger.commit(take(this.state))
  }

  /** Everything but what falls into the gaps; after each of these comes the word that it was one. */
  hear(said: readonly Said[], gaps: readonly (readonly [from: number, to: number])[] = []): void {
    const totals = new Map<string, [Four, Four]>()
    const open = gaps.toSorted(([a], [b]) => a - b).slice()
    for (const one of said.toSorted((a, b) => a.t - b.t)) {
      while (open.length > 0 && one.t > open[0]![1]) this.gap(...open.shift()!)
      const key = `${one.boot}/${one.id}/${one.user}`
      const [client, peer] = totals.get(key) ?? [NOTHING, NOTHING]
      const sums: [Four, Four] = [plus(client, one.client ?? NOTHING), plus(peer, one.peer ?? NOTHING)]
      totals.set(key, sums)
      if (gaps.some(([from, to]) => one.t >= from && one.t <= to)) continue
      this.#tell(one, sums)
    }
    for (const one of open) this.gap(...one)
  }

  #tell({ t, user, id, boot = 1, what, client, peer }: Said, [clientSum, peerSum]: [Four, Four]): void {
    const local = 'type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:5000, ssl=NONE, cipher=NONE'
    const numbers = ([a, b, c, d]: Four) => `rcvp=${a}, rcvb=${b}, sentp=${c}, sentb=${d}`
    const messages =
      what === 'report'
        ? [['traffic', numbers(client!)] as const, ['traffic/peer', numbers(peer!)] as const]
        : what === 'deleted'
          ? ([
              ['status', 'deleted'],
              ['total_traffic', numbers(clientSum)],
              ['total_traffic/peer', numbers(peerSum)],
            ] as const)
          : [['status', `${what} lifetime=600, ${local}`] as const]
    for (const [kind, message] of messages) {
      const channel = Buffer.from(`turn/realm/example.org/user/${user}/allocation/${digits(id)}/${kind}`)
      const batch = createBatch(4, Buffer.concat([channel, Buffer.from(message)]))
      appendScene(batch, Kind.tick, START + t * 1000)
      appendScene(batch, Kind.from, 1, boot)
      assert(appendPublish(batch, 0, channel.length, channel.length, batch.bytes.length))
      fold(this.state, batch)
    }
  }

  gap(from: number, to: number): void {
    const batch = createBatch(4, new Uint8Array(0))
    // A source tells what was missed before anything else moves the time.
    appendScene(batch, Kind.from, 1, 1)
    appendScene(batch, Kind.gap, START + from * 1000, START + to * 1000, gapReasons.indexOf('restart'))
    appendScene(batch, Kind.tick, START + to * 1000)
    fold(this.state, batch)
  }

  /** Time passes. */
  until(t: number): void {
    const batch = createBatch(4, new Uint8Array(0))
    appendScene(batch, Kind.tick, START + t * 1000)
    fold(this.state, batch)
    this.commit()
  }

  /** What the log says beside it. */
  beside(lines: readonly string[], server?: string): Plan {
    this.commit()
    const log = ledgerOf(lines)
    try {
      return plan(this.ledger.db, log.db, server)
    } finally {
      log.close()
    }
  }

  /** As it is sent and taken by a running meter. */
  apply(asked: Reconciliation): Outcomes {
    const sent = reconciliation.parse(JSON.parse(JSON.stringify(writeReconciliation(asked))))
    const read = readReconciliation(sent)
    const outcomes = reconcile(this.state, read, this.ledger.recall(read))
    this.commit()
    return outcomes
  }

  sessions(): SessionRecord[] {
    return Array.from(readSessions(this.ledger.db)).flat()
  }

  allocations(): AllocationRecord[] {
    return this.sessions().flatMap(({ allocations }) => allocations)
  }

  rows(sql: string): Record<string, unknown>[] {
    return this.ledger.db.prepare(sql).all()
  }
}

function ledgerOf(lines: readonly string[]): Ledger {
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs })
  const saved = ledger.restore([{ source: 'recording', name: 'log', bootAware: false, version: null }])
  const state = createState()
  restore(state, saved)
  const recorder = new Recorder(saved.streams[0]!.id, (batch) => fold(state, batch))
  const read = logKind.reader(START)
  for (const line of lines) read(line, recorder, true)
  recorder.flush()
  finishRecording(state)
  ledger.commit(take(state))
  return ledger
}
