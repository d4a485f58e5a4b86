/** fettle as a process of its own, and what it has put into its ledger. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { exitOf, type Ground, type Running, until } from './harness.ts'

/** What Node is given to run fettle: FETTLE_LAUNCHER has the same tests try a release. */
export const launcher =
  process.env.FETTLE_LAUNCHER ?? fileURLToPath(new URL('../../packages/cli/bin/fettle.js', import.meta.url))

/** Starts `fettle ...` with these arguments. */
export function fettle(ground: Ground, ...args: string[]): Running {
  return fettleWith({}, ground, ...args)
}

/** The same with more in its environment. */
export function fettleWith(environment: NodeJS.ProcessEnv, ground: Ground, ...args: string[]): Running {
  return ground.start(process.execPath, [launcher, ...args], environment)
}

export interface Meter {
  readonly running: Running
  /** The data folder. */
  readonly data: string
  readonly port: number
  /** The value for coturn's `redis-statsdb`, from the line that fettle prints. */
  readonly statsdb: string
  /** The address of the page and the API, and the token for it. */
  readonly http: string
  readonly token: string
}

/** Starts a meter and waits until it can be reported to. Port 0: any free one. */
export async function startMeter(ground: Ground, name = 'meter', port = 0): Promise<Meter> {
  const data = join(ground.folder, name)
  const running = fettle(ground, 'relay', 'serve', '--data', data, '--resp', `${ground.address(1)}:${port}`)
  const line = await until('the line for coturn', () => {
    if (running.status !== undefined) throw new Error(`fettle ended with ${running.status}: ${running.output}`)
    return /^redis-statsdb="(.*)"$/m.exec(running.output)?.[1]
  })
  const [, http = '', token = ''] = /^page: (\S+)\/#token=(\S+)$/m.exec(running.output) ?? []
  return { running, data, port: Number(/ port=(\d+) /.exec(line)![1]), statsdb: line, http, token }
}

/** Starts a meter that follows this log and has no endpoint, and waits until it has read it. */
export async function startFollower(ground: Ground, log: string, name = 'follower'): Promise<Meter> {
  const data = join(ground.folder, name)
  const running = fettle(ground, 'relay', 'serve', '--data', data, '--resp', 'off', '--log', log)
  await until('the log read', () => {
    if (running.status !== undefined) throw new Error(`fettle ended with ${running.status}: ${running.output}`)
    return running.output.includes('read to its end')
  })
  const [, http = '', token = ''] = /^page: (\S+)\/#token=(\S+)$/m.exec(running.output) ?? []
  return { running, data, port: 0, statsdb: '', http, token }
}

/** Starts a meter that hears this Redis and has no endpoint; `settings`: further ones, as in the file. */
export function startSubscriber(ground: Ground, url: string, settings: Readonly<Record<string, string>> = {}): Meter {
  const data = join(ground.folder, 'meter')
  const file = join(ground.folder, 'fettle.yaml')
  // JSON is YAML. A password does not stand in the command line.
  writeFileSync(file, JSON.stringify({ relay: { resp: 'off', redis: url, ...settings } }))
  const running = fettle(ground, 'relay', 'serve', '--data', data, '--config', file)
  const page = () => /^page: (\S+)\/#token=(\S+)$/m.exec(running.output) ?? []
  return {
    running,
    data,
    port: 0,
    statsdb: '',
    get http() {
      return page()[1] ?? ''
    },
    get token() {
      return page()[2] ?? ''
    },
  }
}

/** Waits until it hears its Redis for so many times, and has looked at the keys. */
export async function isHearing({ running }: Meter, times = 1): Promise<void> {
  await until('the Redis heard', () => {
    if (running.status !== undefined) throw new Error(`fettle ended with ${running.status}: ${running.output}`)
    return (running.output.match(/open already at Redis/g)?.length ?? 0) >= times
  })
}

/** Asks the meter's API; fails unless it answers with status 200. */
export async function ask<T>(meter: Meter, path: string): Promise<T> {
  const answer = await fetch(meter.http + path, { headers: { authorization: `Bearer ${meter.token}` } })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

/** Stops it as a service manager does; returns its status and how long that took. */
export async function stopMeter(meter: Meter): Promise<{ readonly status: number | string; readonly ms: number }> {
  const began = performance.now()
  meter.running.kill('SIGTERM')
  const status = await exitOf(meter.running, 10)
  return { status, ms: Math.round(performance.now() - began) }
}

/** Received packets, received bytes, sent packets, sent bytes. */
export type Counters = readonly [number, number, number, number]

/** A row of the table `allocation` with what was counted for it. */
export interface Account {
  /** coturn's 18 digits. */
  readonly id: string
  readonly username: string
  readonly boot: number
  /** null: held, not proved real (rule R10). */
  readonly session: number | null
  readonly ended: 'open' | 'deleted' | 'expired' | 'restarted' | 'superseded'
  /** null, where it has ended: more may come, and the usage of the last five minutes is not written yet. */
  readonly quality: string | null
  readonly transport: string | null
  readonly startKnown: boolean
  /** What the totals held above the reports, in packets. */
  readonly unheardPackets: number
  /** Packet counts that can be missing at most; null when nothing bounds them. */
  readonly missingMax: number | null
  readonly client: Counters
  readonly peer: Counters
}

const endings = ['open', 'deleted', 'expired', 'restarted', 'superseded'] as const
const names = ['rcvp', 'rcvb', 'sentp', 'sentb']

/** Of a closed allocation what is kept for ever, of one that is open or held what is in the hot row. */
const sums = ['c', 'p'].flatMap((letter, side) =>
  names.map(
    (name) => `CASE WHEN l.id IS NULL OR a.ended > 0
      THEN (SELECT coalesce(sum(u.${name}), 0) FROM usage u WHERE u.allocation_id = a.id AND u.side = ${side})
      ELSE l.${letter}_${name} END AS ${letter}_${name}`,
  ),
)
const ACCOUNTS = `SELECT a.coturn_id, a.username, a.boot, a.session_id, a.ended, a.transport, a.opened_at,
  CASE WHEN l.id IS NULL OR a.ended = 0 THEN a.quality END AS quality,
  a.unheard_packets, a.missing_max, ${sums.join(', ')}
  FROM allocation a LEFT JOIN live l USING (id) ORDER BY a.id`

type Row = Record<string, number | string | null>

/** Reads the ledger by a connection of its own, as any reader may while the meter writes. */
function query(data: string, sql: string): Row[] {
  const db = new DatabaseSync(join(data, 'ledger.sqlite'), { readOnly: true })
  try {
    return db.prepare(sql).all() as Row[]
  } finally {
    db.close()
  }
}

export function readAccounts(data: string): Account[] {
  return query(data, ACCOUNTS).map((row) => ({
    id: row.coturn_id as string,
    username: row.username as string,
    boot: row.boot as number,
    session: row.session_id as number | null,
    ended: endings[(row.ended ?? 0) as number]!,
    quality: row.quality as string | null,
    transport: row.transport as string | null,
    startKnown: row.opened_at !== null,
    unheardPackets: (row.unheard_packets ?? 0) as number,
    missingMax: row.missing_max as number | null,
    client: counters(row, 'c'),
    peer: counters(row, 'p'),
  }))
}

function counters(row: Row, side: string): Counters {
  return names.map((name) => row[`${side}_${name}`] as number) as unknown as Counters
}

/** coturn says `deleted` a moment before the totals: closed here is what has heard both. */
export const isClosed = ({ ended, quality }: Account) =>
  ended === 'deleted' && quality !== null && quality !== 'lower_bound'

export interface Gap {
  readonly why: string
  readonly ms: number
}

export function readGaps(data: string): Gap[] {
  return query(data, 'SELECT why, ended_at - began_at AS ms FROM gap ORDER BY ended_at') as unknown as Gap[]
}

/** Usernames of the table `rejected`. */
export function readRejected(data: string): string[] {
  return query(data, 'SELECT username FROM rejected').map((row) => String(row.username))
}

/** Number of events that are committed. */
export function readPosition(data: string): number {
  return query(data, 'SELECT sum(position) AS position FROM stream')[0]!.position as number
}
