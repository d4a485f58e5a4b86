/** coturn and its test programs, and what coturn itself says that it has relayed. */
import { join } from 'node:path'
import type { Counters } from './fettle.ts'
import { exitOf, find, type Ground, type Running, until } from './harness.ts'

export const LISTENING_PORT = 3478
const PEER_PORT = 3480
/** `static-auth-secret`: whoever knows it makes credentials. */
export const SECRET = 'north-by-northwest'

export interface Coturn {
  readonly running: Running
}

/** Starts a turnserver that reports to `statsdb`, and waits until it takes clients. `host`: where on this ground. */
export async function startCoturn(
  ground: Ground,
  statsdb: string,
  host = 3,
  more: readonly string[] = [],
): Promise<Coturn> {
  // Beside a file coturn writes all to standard output as well, which nobody would see before its buffer is full.
  const running = ground.start(find('stdbuf'), [
    '-oL',
    find('turnserver'),
    '-n',
    // However many cores there are: ids are counted by thread, and a test wants to see them again.
    '--relay-threads=2',
    `--listening-ip=${ground.address(host)}`,
    `--relay-ip=${ground.address(host)}`,
    `--listening-port=${LISTENING_PORT}`,
    '--min-port=20000',
    '--max-port=29999',
    '--allow-loopback-peers',
    '--no-cli',
    '--no-tls',
    '--no-dtls',
    '--no-rfc5780',
    '--use-auth-secret',
    `--static-auth-secret=${SECRET}`,
    '--realm=example.org',
    `--pidfile=${join(ground.folder, `turnserver-${host}.pid`)}`,
    `--userdb=${join(ground.folder, `turndb-${host}`)}`,
    '--log-file=stdout',
    '--simple-log',
    '-v',
    `--redis-statsdb=${statsdb}`,
    ...more,
  ])
  await until('coturn listening', () => {
    if (running.status !== undefined) throw new Error(`turnserver ended with ${running.status}: ${running.output}`)
    return listens(running.output)
  })
  return { running }
}

/** Every relay thread has opened its listener. */
function listens(log: string): boolean {
  const threads = Number(/Total General servers: (\d+)/.exec(log)?.[1] ?? Number.NaN)
  const created = log.match(/turn server id=\d+ created/g)?.length
  const tcp = log.match(/TCP listener opened/g)?.length
  return created === threads && tcp === threads && log.includes('UDP listener opened')
}

/** What sends back all that comes. */
export function startPeer(ground: Ground): void {
  ground.start(find('turnutils_peer'), ['-p', `${PEER_PORT}`, '-L', ground.address(9)])
}

export interface Call {
  readonly user: string
  /** The wrong one is refused by coturn. */
  readonly secret?: 'right' | 'wrong'
  readonly transport?: 'udp' | 'tcp'
  /** Clients at once; with UDP each leaves a second allocation behind, which stays open. */
  readonly clients?: number
  /** Messages of each client. */
  readonly messages: number
  readonly bytes: number
  readonly intervalMs?: number
  /** Where its coturn is on this ground. */
  readonly host?: number
}

/** One run of turnutils_uclient. coturn knows it as `<expiry>:<user>`. */
export function startCall(ground: Ground, call: Call): Running {
  const { user, secret = 'right', transport = 'udp', clients = 1, messages, bytes, intervalMs = 1, host = 3 } = call
  return ground.start(find('turnutils_uclient'), [
    ...(transport === 'tcp' ? ['-t'] : []),
    ...['-u', user, '-W', secret === 'right' ? SECRET : `not ${SECRET}`],
    ...['-p', `${LISTENING_PORT}`, '-e', ground.address(9), '-r', `${PEER_PORT}`, '-L', ground.address(5)],
    ...['-m', `${clients}`, '-n', `${messages}`, '-l', `${bytes}`, '-z', `${intervalMs}`, '-c', ground.address(host)],
  ])
}

export interface Carried {
  readonly sentMessages: number
  readonly receivedMessages: number
}

/** Waits for the end of a call that must succeed, and reads what it counted itself. */
export async function carriedBy(call: Running, seconds = 60): Promise<Carried> {
  const status = await exitOf(call, seconds)
  const counts = /start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)/.exec(call.output)
  if (status !== 0 || counts === null) throw new Error(`turnutils_uclient ended with ${status}: ${call.output}`)
  return { sentMessages: Number(counts[1]), receivedMessages: Number(counts[2]) }
}

/** What coturn's verbose log says about one of its sessions. */
export interface Logged {
  readonly username: string
  /** It was an allocation, and coturn has deleted it. */
  deleted: boolean
  readonly client: Counters
  readonly peer: Counters
}

const USAGE =
  /^[\d:T+-]+: (?:: )?session (\d+): (peer )?usage: realm=<[^>]*>, username=<(.*)>, rp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+)/gm
const DELETE = /^[\d:T+-]+: (?:: )?session (\d+): delete: realm=/gm

/** Adds up coturn's own usage lines, by session id. */
export function readLog(coturn: Coturn): Map<string, Logged> {
  const log = coturn.running.output
  const sessions = new Map<string, { username: string; deleted: boolean; client: number[]; peer: number[] }>()
  for (const [, id, peer, username, ...counts] of log.matchAll(USAGE)) {
    const one = sessions.get(id!) ?? { username: username!, deleted: false, client: [0, 0, 0, 0], peer: [0, 0, 0, 0] }
    const side = peer === undefined ? one.client : one.peer
    for (let k = 0; k < 4; k++) side[k]! += Number(counts[k])
    sessions.set(id!, one)
  }
  for (const [, id] of log.matchAll(DELETE)) {
    const one = sessions.get(id!)
    if (one !== undefined) one.deleted = true
  }
  return sessions as unknown as Map<string, Logged>
}
