/** A ledger on disk that is told events as a meter's is, and the API on it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { saveReport } from '@fettle/check'
import type { Report } from '@fettle/report'
import { fold } from '../src/core/allocation.ts'
import { appendPublish, appendScene, createBatch, gapReasons, Kind } from '../src/core/event.ts'
import { reconcile } from '../src/core/reconcile.ts'
import { restore } from '../src/core/restore.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from '../src/core/session.ts'
import { createState, type State, take } from '../src/core/state.ts'
import { Table } from '../src/core/table.ts'
import { Throughput } from '../src/core/throughput.ts'
import { type Api, type ApiOptions, createApi } from '../src/serve/api.ts'
import type { TailEvent } from '../src/serve/contract.ts'
import { listen } from '../src/serve/listen.ts'
import type { MeterStatus, ServerStatus } from '../src/serve/status.ts'
import { Ledger, openDatabase } from '../src/store/ledger.ts'

export const START = Date.UTC(2026, 0, 1, 12)
export const TOKEN = 'a-token-for-tests'
const SERVERS = ['turn1', 'turn2']
const encoder = new TextEncoder()

interface Ending {
  after(hook: () => unknown): void
}

export type Four = readonly [packetsReceived: number, bytesReceived: number, packetsSent: number, bytesSent: number]

function template(text: string): Template {
  const found = readTemplate(text)
  assert('fields' in found)
  return found
}

export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'fettle-api-'))
  readonly file = join(this.folder, 'ledger.sqlite')
  readonly ledger: Ledger
  readonly state: State = createState()
  /** Milliseconds since the epoch. */
  now = START
  status: MeterStatus | undefined
  readonly commits = new Set<() => void>()
  readonly watchers = new Set<(events: readonly TailEvent[], dropped: number) => void>()
  readonly errors: Error[] = []
  readonly #apis: Api[] = []
  #nextId = 1

  constructor(test: Ending, username = DEFAULT_TEMPLATE) {
    this.ledger = new Ledger(openDatabase(this.file), { template: template(username), lingerMs: 30_000 })
    const claims = SERVERS.map((name) => ({ source: 'resp', name, bootAware: true, version: '4.6.1' }))
    restore(this.state, this.ledger.restore(claims))
    this.status = statusAt(this.now)
    test.after(() => {
      this.end()
      this.ledger.close()
      rmSync(this.folder, { recursive: true })
    })
  }

  api(options: Partial<ApiOptions> = {}): Api {
    const api = createApi({
      file: this.file,
      data: this.folder,
      token: TOKEN,
      status: () => this.status,
      reconcile: async (asked) => {
        const outcomes = reconcile(this.state, asked, this.ledger.recall(asked))
        this.commit()
        return outcomes
      },
      onCommit: subscribe(this.commits),
      onEvents: subscribe(this.watchers),
      console: undefined,
      now: () => this.now,
      failed: (error) => this.errors.push(error),
      ...options,
    })
    this.#apis.push(api)
    return api
  }

  /** Serves the API on a free port of 127.0.0.1; returns its address. */
  async serve(test: Ending, options: Partial<ApiOptions> = {}): Promise<string> {
    const listening = await listen(this.api(options), '127.0.0.1', 0)
    test.after(() => listening.close())
    return `http://127.0.0.1:${listening.port}`
  }

  /** Ends every API. */
  end(): void {
    for (const api of this.#apis.splice(0)) api.close()
  }

  /** `path`: of the allocation, from `open`. */
  tell(path: string, kind: string, message: string): void {
    const [server, rest] = [path.slice(0, path.indexOf(' ')), path.slice(path.indexOf(' ') + 1)]
    const channel = encoder.encode(`${rest}/${kind}`)
    const text = encoder.encode(message)
    const batch = createBatch(4, Buffer.concat([channel, text]))
    appendScene(batch, Kind.tick, this.now)
    appendScene(batch, Kind.from, SERVERS.indexOf(server) + 1, 1)
    assert(appendPublish(batch, 0, channel.length, channel.length, batch.bytes.length))
    fold(this.state, batch)
  }

  gap(server: string, began: number, why: (typeof gapReasons)[number]): void {
    const batch = createBatch(4, new Uint8Array(0))
    appendScene(batch, Kind.tick, this.now)
    appendScene(batch, Kind.from, SERVERS.indexOf(server) + 1, 1)
    appendScene(batch, Kind.gap, began, this.now, gapReasons.indexOf(why))
    fold(this.state, batch)
  }

  /** An allocation opens; returns its path. */
  open(username: string, server = 'turn1', realm = 'example.org'): string {
    const id = String(this.#nextId++).padStart(18, '0')
    const path = `${server} turn/realm/${realm}/user/${username}/allocation/${id}`
    this.tell(
      path,
      'status',
      'new lifetime=600, type=UDP, local=192.0.2.1:3478, remote=198.51.100.7:5000, ssl=NONE, cipher=NONE',
    )
    return path
  }

  report(path: string, client: Four, peer: Four = client): void {
    this.tell(path, 'traffic', countersOf(client))
    this.tell(path, 'traffic/peer', countersOf(peer))
  }

  close(path: string, client: Four, peer: Four = client): void {
    this.tell(path, 'status', 'deleted')
    this.tell(path, 'total_traffic', countersOf(client))
    this.tell(path, 'total_traffic/peer', countersOf(peer))
  }

  /** Time goes on, and what is due then is done. */
  pass(ms: number): void {
    this.now += ms
    const batch = createBatch(1, new Uint8Array(0))
    appendScene(batch, Kind.tick, this.now)
    fold(this.state, batch)
  }

  commit(): void {
    this.pass(0)
    this.ledger.commit(take(this.state))
    const throughput = this.state.throughput.read(this.state.table, START, this.now)
    this.status = { ...(this.status ?? statusAt(this.now)), now: this.now, throughput }
    for (const listener of this.commits) listener()
  }

  /** Keeps a report, as `--save` does; returns its name. */
  keep(more: Partial<Report> = {}): string {
    const none = { measures: [], tables: [], findings: [], unseen: [] }
    const from = {
      schema: 'fettle.report/1',
      tool: 'redis explain',
      subject: 'info.txt',
      at: null,
      seconds: null,
    } as const
    return basename(saveReport(this.folder, { ...from, ...none, ...more }, this.now))
  }

  /** A whole call of so many minutes, with a report each minute. */
  call(username: string, minutes: number, server?: string): void {
    const path = this.open(username, server)
    const each: Four = [2048, 2_000_003, 2048, 1_500_001]
    for (let i = 0; i < minutes; i++) {
      this.pass(60_000)
      this.report(path, each)
    }
    const total = each.map((one) => one * minutes + 7) as unknown as Four
    this.close(path, total)
  }
}

/** The reports that are kept there. */
export const KEPT = [
  '2026-01-01T120000.000Z-redis-explain-info.txt.json',
  '2026-01-01T121100.000Z-redis-explain-info.txt.json',
] as const

const measured: Partial<Report> = {
  at: '2026-01-01T11:00:00.000Z',
  measures: [
    { name: 'cpu', title: 'CPU', quantity: { value: 0.5, unit: 'share', low: 0.4, high: 0.6 }, better: 'less' },
    { name: 'keys', title: 'keys', quantity: { value: 0, unit: '1' } },
  ],
  tables: [
    {
      name: 'commands',
      title: 'Commands',
      columns: [
        { name: 'command', title: 'COMMAND', flexible: true },
        { name: 'seconds', title: 'SECONDS' },
      ],
      rows: [
        ['keys', { value: 3, unit: 's' }],
        ['get', null],
      ],
    },
  ],
  findings: [
    {
      code: 'redis.keys',
      severity: 'fault',
      subject: 'KEYS',
      says: 'looks at every key.',
      cause: 'Somebody runs it.',
      confidence: 'likely',
      quantities: { calls: { value: 3, unit: '1' } },
      evidence: [{ source: 'INFO', text: 'cmdstat_keys' }],
      remedy: ['use SCAN'],
      undo: 'use KEYS',
    },
  ],
  unseen: [{ what: 'MONITOR', why: 'it was not given' }],
}

/** A ledger with something of everything. */
export function richRig(test: Ending): Rig {
  const rig = new Rig(test)
  rig.keep(measured)
  rig.call('1767225600:alice', 7)
  rig.pass(120_000)
  rig.gap('turn2', rig.now - 60_000, 'connection')
  rig.call('1767225600:bob', 2, 'turn2')
  rig.keep({ ...measured, measures: measured.measures!.slice(0, 1), findings: [] })
  rig.tell(
    'turn1 turn/realm/example.org/user/mallory/allocation/000000000000000999',
    'traffic',
    'rcvp=1, rcvb=2, sentp=3, sentb=4',
  )
  rig.pass(3 * 3_600_000)
  const open = rig.open('1767225600:carol')
  rig.pass(10_000)
  rig.report(open, [2048, 2_000_000, 2048, 100_000])
  rig.commit()
  return rig
}

function subscribe<T>(all: Set<T>): (listener: T) => () => void {
  return (listener) => {
    all.add(listener)
    return () => all.delete(listener)
  }
}

function countersOf([rcvp, rcvb, sentp, sentb]: Four): string {
  return `rcvp=${rcvp}, rcvb=${rcvb}, sentp=${sentp}, sentb=${sentb}`
}

export function serverStatus(name: string, more: Partial<ServerStatus> = {}): ServerStatus {
  const calm = { version: '4.6.1', connections: 3, boot: 1, lastEventAt: Number.NaN, shared: false }
  return { kind: 'coturn', name, ...calm, ...more }
}

/** A meter that has nothing to complain of. */
export function statusAt(now: number, more: Partial<MeterStatus> = {}): MeterStatus {
  return {
    now,
    events: { opened: 1, traffic: 2, malformed: 0 },
    malformed: 0,
    allocations: 1,
    held: 0,
    rejected: 0,
    gaps: 0,
    pending: 0,
    commits: 3,
    committedAt: now,
    commitSeconds: { buckets: [1, 2, 3, 3, 3, 3, 3, 3, 3, 3], sum: 0.03, count: 3 },
    failing: null,
    relayed: [{ realm: '', client: [0, 0, 0, 0], peer: [0, 0, 0, 0] }],
    throughput: new Throughput().read(new Table(), now, now),
    servers: SERVERS.map((name) => serverStatus(name, { lastEventAt: now })),
    forward: null,
    refused: null,
    redis: null,
    log: null,
    ...more,
  }
}

export function get(path: string, headers: Record<string, string> = { Authorization: `Bearer ${TOKEN}` }): Request {
  return new Request(`http://127.0.0.1${path}`, { headers: { Host: '127.0.0.1', ...headers } })
}

/** The answer as JSON; fails on any other status than 200. */
export async function ask<T>(api: Api, path: string): Promise<T> {
  const response = await api.fetch(get(path))
  const body = await response.text()
  assert.equal(response.status, 200, body)
  return JSON.parse(body)
}

/** Follows `next` to the end; `rows`: what a page is asked for. */
export async function pages<T>(api: Api, path: string, between: () => void = () => {}): Promise<T[]> {
  const all: T[] = []
  for (let cursor = ''; ; ) {
    const page: T & { next: string | null } = await ask(api, `${path}${cursor}`)
    all.push(page)
    if (page.next === null) return all
    cursor = `&cursor=${encodeURIComponent(page.next)}`
    between()
  }
}
