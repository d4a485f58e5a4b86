/** A run of coturn that a meter heard with holes, and whose log has all of it. */
import assert from 'node:assert/strict'
import { finishRecording, fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, gapReasons, Kind } from '../src/core/event.ts'
import { type Outcomes, type Reconciliation, reconcile } from '../src/core/reconcile.ts'
import { type AllocationRecord, numbersOf, type SessionRecord } from '../src/core/record.ts'
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
export const template = readTemplate(DEFAULT_TEMPLATE) as Template
export const lingerMs = 30_000

export type Four = readonly [receivedPackets: number, receivedBytes: number, sentPackets: number, sentBytes: number]

/** Something that coturn says of an allocation, in seconds from the start. */
export interface Said {
  readonly t: number
  readonly user: string
  readonly id: number
  readonly server?: number
  readonly boot?: number
  readonly what: 'new' | 'refreshed' | 'goodbye' | 'report' | 'deleted'
  readonly client?: Four
  readonly peer?: Four
}

export const FULL: Four = [1024, 1_000_000, 1024, 900_000]
export const REST: Four = [10, 5000, 12, 6000]
export const ALL: Four = [1034, 1_005_000, 1036, 906_000]

export const iso = (t: number) => new Date(START + t * 1000).toISOString()

/** A call of a full report and a last one, refreshed in time. */
export function call(user: string, id: number, from: number, to: number, boot = 1): Said[] {
  const one = { user, id, boot }
  const refreshes = Math.max(0, Math.ceil((to - from) / 300) - 1)
  return [
    { ...one, t: from, what: 'new' },
    ...Array.from({ length: refreshes }, (_, i): Said => ({ ...one, t: from + (i + 1) * 300, what: 'refreshed' })),
    { ...one, t: (from + to) / 2, what: 'report', client: FULL, peer: FULL },
    { ...one, t: to, what: 'report', client: REST, peer: REST },
    { ...one, t: to, what: 'deleted' },
  ]
}

/** A connectivity check: an allocation through which nothing but the client's requests went. */
export function unused(user: string, id: number, from: number, to: number): Said[] {
  return call(user, id, from, to).filter(({ client }) => client !== FULL)
}

/** The eight counters, 0 where there is no peer side. */
export const eight = ({ client, peer }: AllocationRecord) => [numbersOf(client), numbersOf(peer)]

const digits = (id: number) => String(id).padStart(18, '0')
const plus = (a: Four, b: Four) => a.map((one, k) => one + b[k]!) as unknown as Four
const NOTHING: Four = [0, 0, 0, 0]
const inOrder = (said: readonly Said[]) => said.toSorted((a, b) => a.t - b.t)

export interface LogForm {
  /** How far the meter's clock is ahead of the log's. */
  readonly aheadMs?: number
  /** Its lines say which process wrote them. */
  readonly hasProcesses?: boolean
}

/** The log of what was said. */
export function logOf(said: readonly Said[], { aheadMs = 0, hasProcesses = false }: LogForm = {}): string[] {
  return inOrder(said).flatMap(({ t, user, id, server = 1, boot = 1, what, client, peer }) => {
    const stamp = `${new Date(START + t * 1000 - aheadMs).toISOString().slice(0, 19)}+0000`
    const front = hasProcesses ? `${stamp} host turnserver[${boot}]: 9: : ` : `${stamp}(7): INFO: `
    const line = (text: string) => `${front}session ${digits(id)}: ${text}`
    const who = `realm=<example.org>, username=<${user}>`
    if (what === 'new' || what === 'refreshed') return [line(`${what}, ${who}, lifetime=600`)]
    if (what === 'goodbye') return [line(`refreshed, ${who}, lifetime=0`)]
    const usage = ([rp, rb, sp, sb]: Four) => `${who}, rp=${rp}, rb=${rb}, sp=${sp}, sb=${sb}`
    if (what === 'report') return [line(`usage: ${usage(client!)}`), line(`peer usage: ${usage(peer!)}`)]
    const closed = `closed (2nd stage), user <${user}> realm <example.org> origin <>, local 192.0.2.${server}:3478`
    return [line(`${closed}, remote 198.51.100.7:5000, reason: allocation timeout`), line(`delete: ${who}`)]
  })
}

/** Nothing of it was heard; `server`: of this one's, else of the first one's. */
export type Missed = readonly [from: number, to: number, server?: number]

/** The ledger of a meter that hears coturns by the endpoint. */
export class Heard {
  readonly ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs })
  readonly #servers: number
  /** What was said so far, heard or not. */
  readonly #totals = new Map<string, [Four, Four]>()
  readonly #boots = new Map<number, number>()
  state!: State

  constructor(servers = 1) {
    this.#servers = servers
    this.restart()
  }

  /** Goes on from the last commit. */
  restart(): void {
    this.state = createState()
    const claims = Array.from({ length: this.#servers }, (_, i) => {
      return { source: 'resp', name: `turn${i + 1}`, bootAware: true, version: '4.6.1' }
    })
    restore(this.state, this.ledger.restore(claims))
  }

  commit(): void {
    this.ledger.commit(take(this.state))
  }

  /** Everything but what falls into the gaps; after each of these comes the word that it was one. */
  hear(said: readonly Said[], gaps: readonly Missed[] = []): void {
    const open = gaps.toSorted(([, a], [, b]) => a - b)
    for (const one of inOrder(said)) {
      while (open.length > 0 && one.t > open[0]![1]) this.gap(...open.shift()!)
      const { server = 1, boot = 1 } = one
      const key = `${server}/${boot}/${one.id}/${one.user}`
      const [client, peer] = this.#totals.get(key) ?? [NOTHING, NOTHING]
      const sums: [Four, Four] = [plus(client, one.client ?? NOTHING), plus(peer, one.peer ?? NOTHING)]
      this.#totals.set(key, sums)
      if (gaps.some(([from, to, of = 1]) => of === server && one.t >= from && one.t <= to)) continue
      this.#tell(one, sums)
      // What a killed coturn left open ends when the next one is heard.
      if (boot > (this.#boots.get(server) ?? boot)) this.#scene(Kind.restarted, boot - 1)
      this.#boots.set(server, boot)
    }
    for (const one of open) this.gap(...one)
  }

  #tell(one: Said, [clientSum, peerSum]: [Four, Four]): void {
    const { t, user, id, server = 1, boot = 1, what, client, peer } = one
    const local = `type=UDP, local=192.0.2.${server}:3478, remote=198.51.100.7:5000, ssl=NONE, cipher=NONE`
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
          : what === 'goodbye'
            ? [['status', `refreshed lifetime=0, ${local}`] as const]
            : [['status', `${what} lifetime=600, ${local}`] as const]
    for (const [kind, message] of messages) {
      const channel = Buffer.from(`turn/realm/example.org/user/${user}/allocation/${digits(id)}/${kind}`)
      const batch = createBatch(4, Buffer.concat([channel, Buffer.from(message)]))
      appendScene(batch, Kind.tick, START + t * 1000)
      appendScene(batch, Kind.from, server, boot)
      assert(appendPublish(batch, 0, channel.length, channel.length, batch.bytes.length))
      fold(this.state, batch)
    }
  }

  #scene(kind: number, ...numbers: [number, number?, number?]): void {
    const batch = createBatch(1, new Uint8Array(0))
    appendScene(batch, kind, ...numbers)
    fold(this.state, batch)
  }

  gap(from: number, to: number, server = 1): void {
    // A source tells what was missed before anything else moves the time.
    this.#scene(Kind.from, server, this.state.streams.get(server)!.boot)
    this.#scene(Kind.gap, START + from * 1000, START + to * 1000, gapReasons.indexOf('restart'))
    this.#scene(Kind.tick, START + to * 1000)
  }

  /** Time passes. */
  until(t: number): void {
    this.#scene(Kind.tick, START + t * 1000)
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

  /** All bytes that are billed to somebody. */
  billed(): number {
    const counted = `SELECT total(rcvb + sentb) AS bytes FROM usage u JOIN allocation a ON a.id = u.allocation_id
      WHERE u.side = 0 AND a.session_id IS NOT NULL`
    return this.rows(counted)[0]!.bytes as number
  }

  /** The counters of what is over are the sums of its usage. */
  assertSums(): void {
    const sums = this.rows(`SELECT a.id, a.coturn_id, u.side, sum(rcvp) AS a, sum(rcvb) AS b, sum(sentp) AS c,
      sum(sentb) AS d FROM usage u JOIN allocation a ON a.id = u.allocation_id
      WHERE a.ended <> 0 AND a.session_id IS NOT NULL GROUP BY a.id, u.side`)
    const told = sums.map((row) => [row.coturn_id, row.a, row.b, row.c, row.d].join())
    const closed = this.allocations().filter(({ state }) => state === 'closed')
    const expected = closed.flatMap((one) => eight(one).map((side) => [one.id, ...side].join()))
    assert.deepEqual(told.sort(), expected.filter((text) => !text.endsWith(',0,0,0,0')).sort())
  }
}

function ledgerOf(lines: readonly string[]): Ledger {
  const ledger = new Ledger(openDatabase(':memory:'), { template, lingerMs })
  const saved = ledger.restore([{ source: 'recording', name: 'log', bootAware: false, version: null }])
  const state = createState()
  restore(state, saved)
  const recorder = new Recorder(saved.streams[0]!.id, (batch) => fold(state, batch))
  const { read } = logKind.reader()
  for (const line of lines) {
    const bytes = Buffer.from(line, 'latin1')
    read(bytes, 0, bytes.length, recorder, true, START)
  }
  recorder.flush()
  finishRecording(state)
  ledger.commit(take(state))
  return ledger
}
