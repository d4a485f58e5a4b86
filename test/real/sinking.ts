/** A meter with a row sink as a process of its own, and calls that are told to it as a coturn would. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { launcher } from './fettle.ts'
import { exitOf, type Ground, type Running, until } from './harness.ts'
import type { MariaDb } from './mariadb.ts'

const request = (...words: readonly string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`

/** What a coturn says on one connection. */
export class Wire {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.resume()
  }

  static async open(meter: SinkMeter): Promise<Wire> {
    const socket = connect(meter.port, meter.host)
    await once(socket, 'connect')
    socket.write(request('AUTH', meter.password))
    return new Wire(socket)
  }

  publish(channel: string, message: string): void {
    this.#socket.write(request('PUBLISH', channel, message))
  }

  /** A whole call of this user, in which the client moved so much. */
  call(user: string, id: number, counters: readonly [number, number, number, number]): void {
    const path = this.open(user, id)
    this.close(path, counters)
  }

  /** Returns the allocation's path. */
  open(user: string, id: number): string {
    const path = `turn/realm/example.org/user/${user}/allocation/${String(id).padStart(18, '0')}`
    this.publish(`${path}/status`, 'new lifetime=600')
    return path
  }

  close(path: string, counters: readonly [number, number, number, number]): void {
    const [rcvp, rcvb, sentp, sentb] = counters
    const text = `rcvp=${rcvp}, rcvb=${rcvb}, sentp=${sentp}, sentb=${sentb}`
    this.publish(`${path}/status`, 'deleted')
    this.publish(`${path}/total_traffic`, text)
    this.publish(`${path}/total_traffic/peer`, text)
  }

  end(): void {
    this.#socket.destroy()
  }
}

export interface SinkMeter {
  readonly running: Running
  readonly data: string
  readonly host: string
  readonly port: number
  readonly password: string
}

/** Where the settings are, and where the rows go. */
export class Sinking {
  readonly data: string
  readonly #ground: Ground
  /** What FETTLE_SINK says. */
  url: string
  readonly #config: string

  /** `sink`: what stands under `relay.sink`, indented by four blanks. */
  constructor(ground: Ground, database: MariaDb, sink: string, more = '', name = 'meter') {
    this.#ground = ground
    this.url = database.url
    this.data = join(ground.folder, name)
    this.#config = join(ground.folder, `${name}.yaml`)
    this.configure(sink, more)
  }

  configure(sink: string, more = ''): void {
    writeFileSync(this.#config, `relay:\n  linger: 0\n${more}  sink:\n${sink}`)
  }

  async serve(port = 0): Promise<SinkMeter> {
    const host = this.#ground.address(1)
    const running = this.#fettle('serve', '--resp', `${host}:${port}`)
    const line = await until('the line for coturn', () => {
      if (running.status !== undefined) throw new Error(`fettle ended with ${running.status}: ${running.output}`)
      return / port=(\d+) password=(\S+) /.exec(running.output)
    })
    return { running, data: this.data, host, port: Number(line[1]), password: line[2]! }
  }

  async check(...more: readonly string[]): Promise<{ status: number | string; output: string }> {
    const running = this.#fettle('sink', 'check', ...more)
    return { status: await exitOf(running, 30), output: running.output }
  }

  #fettle(...words: readonly string[]): Running {
    const args = [launcher, 'relay', ...words, '--data', this.data, '--config', this.#config]
    return this.#ground.start(process.execPath, args, { FETTLE_SINK: this.url })
  }
}

/** Every final session with an allocation, as its rows should be: uid, device, and the client's counters. */
export function finalSessions(data: string): string[] {
  const db = new DatabaseSync(join(data, 'ledger.sqlite'), { readOnly: true })
  try {
    const sql = `SELECT (SELECT uid FROM identity) || '-' || s.id || char(9) || a.device || char(9) || group_concat(n, char(9))
      AS row FROM session s JOIN allocation a ON a.session_id = s.id JOIN (
        SELECT allocation_id, sum(rcvp) || char(9) || sum(rcvb) || char(9) || sum(sentp) || char(9) || sum(sentb) AS n
        FROM usage WHERE side = 0 GROUP BY allocation_id) u ON u.allocation_id = a.id
      WHERE s.settled_at IS NOT NULL GROUP BY s.id`
    return (db.prepare(sql).all() as { row: string }[]).map(({ row }) => row).sort()
  } finally {
    db.close()
  }
}

const MADE_UP_MAX = 5
/** Sessions of which none has come for so long come no more. */
const SILENT_MS = 2000

/**
 * So many calls at once, of devices numbered from `first`; resolves when the meter has their sessions. On a busy machine
 * it may take a pause for a stall and close the connection: what that cost is made up.
 */
export async function callAtOnce(meter: SinkMeter, first: number, count: number): Promise<void> {
  const found = () => finalSessions(meter.data).length
  for (let [round, lacking, n] = [0, count, first]; lacking > 0; round++) {
    if (round > MADE_UP_MAX) throw new Error(`${lacking} of ${count} sessions are lacking`)
    const wire = await Wire.open(meter)
    for (let i = 0; i < lacking; i++, n++) wire.call(`1:device${n}`, n, [100, 100_000, 50, 5000])
    let [last, since] = [found(), performance.now()]
    while (last < count && performance.now() - since < SILENT_MS) {
      await wait(100)
      const now = found()
      if (now > last) [last, since] = [now, performance.now()]
    }
    wire.end()
    lacking = count - last
  }
}

export const CALLS_TABLE = `CREATE TABLE billing.calls (
  fettle_uid VARCHAR(40) CHARACTER SET ascii NOT NULL PRIMARY KEY, device VARCHAR(64) NOT NULL,
  rcvp BIGINT NOT NULL, rcvb BIGINT NOT NULL, sentp BIGINT NOT NULL, sentb BIGINT NOT NULL)`

export const CALLS_SINK = `    table: calls
    columns:
      fettle_uid: uid
      device: device
      rcvp: rcvp
      rcvb: rcvb
      sentp: sentp
      sentb: sentb
`
export const CALLS_ROWS = 'SELECT fettle_uid, device, rcvp, rcvb, sentp, sentb FROM billing.calls'
