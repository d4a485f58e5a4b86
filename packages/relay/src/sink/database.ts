/** A connection to MySQL or MariaDB: all that the sink needs of one, and the only place that knows the driver. */
import { readFileSync } from 'node:fs'
import { connect as createSocket, type Socket } from 'node:net'
import type { Connection, ConnectionOptions, RowDataPacket } from 'mysql2/promise'
import type { Statement } from './statements.ts'
import type { SinkTarget } from './url.ts'

/** `row`: it is this row's fault; `away`: nobody answers; `refused`: the database says no, and may say yes later. */
export type FaultKind = 'row' | 'away' | 'refused'

/** The message is one line; of a fault of a row it holds nothing of the row. */
export class DatabaseFault extends Error {
  readonly kind: FaultKind

  constructor(kind: FaultKind, message: string) {
    super(message)
    this.kind = kind
  }
}

export type Found = Readonly<Record<string, string | number | null>>

export interface Database {
  /** Runs a prepared statement. Every failure is a `DatabaseFault`. */
  run(statement: Statement): Promise<readonly Found[]>
  /** One that cannot be prepared, without values. */
  command(sql: string): Promise<readonly Found[]>
  /** Ends it, whatever it does. */
  destroy(): void
}

const CONNECT_MS = 5000
/** A table that is locked or a disk that is slow holds a statement up; a database that is gone says nothing at all. */
const STATEMENT_MS = 20_000
const PREPARED_MAX = 32

/**
 * What is not a number, or too long, is refused instead of changed; backslashes and double quotes mean what they
 * usually mean; times are UTC. A connection that lost us is ended soon, and with it what it has locked.
 */
const SETTINGS = `SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  time_zone = '+00:00', autocommit = 1, wait_timeout = 60, innodb_lock_wait_timeout = 10`

/** Connects and sets the session up; the signal breaks that off. Rejects with a `DatabaseFault`. */
export async function connect(target: SinkTarget, signal?: AbortSignal): Promise<Database> {
  // Read only where rows are written somewhere: it is a library of a megabyte.
  const { createConnection } = await import('mysql2/promise')
  const socket = open(target)
  const give = (why: string) => socket.destroy(new Error(why))
  const timer = setTimeout(() => give(`no answer within ${CONNECT_MS / 1000} s`), CONNECT_MS)
  const abort = () => give('it was broken off')
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const database = new Mysql(await createConnection({ ...optionsOf(target), stream: socket }), socket)
    await database.command(SETTINGS)
    return database
  } catch (error) {
    socket.destroy()
    throw error instanceof DatabaseFault ? error : faultOf(error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Our own, because the driver only says goodbye to one that hangs, and waits for the answer. */
function open({ host, port, socket }: SinkTarget): Socket {
  const place = socket === null ? { host, port } : { path: socket }
  return createSocket({ ...place, noDelay: true, keepAlive: true })
}

function optionsOf({ host, user, password, database, tls, ca }: SinkTarget): ConnectionOptions {
  // Without `verifyIdentity` the driver takes any host's certificate.
  const ssl = {
    rejectUnauthorized: tls === 'on',
    verifyIdentity: tls === 'on',
    ...(ca === null ? {} : { ca: readCa(ca) }),
  }
  return {
    // Whom a certificate must name.
    host,
    user,
    ...(password === null ? {} : { password }),
    database,
    charset: 'utf8mb4',
    maxPreparedStatements: PREPARED_MAX,
    // Without it the driver makes its parsers out of texts.
    disableEval: true,
    dateStrings: true,
    ...(tls === 'off' ? {} : { ssl }),
  }
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new DatabaseFault('refused', `${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

class Mysql implements Database {
  readonly #connection: Connection
  readonly #socket: Socket
  /** The driver may tell those who wait nothing when it is made to end. */
  readonly #ended = Promise.withResolvers<never>()

  constructor(connection: Connection, socket: Socket) {
    this.#connection = connection
    this.#socket = socket
    this.#ended.promise.catch(() => {})
    // What breaks while nothing runs is found by the next statement.
    connection.on('error', () => {})
  }

  run({ sql, values }: Statement): Promise<readonly Found[]> {
    return this.#limited(() => this.#connection.execute(sql, [...values]))
  }

  command(sql: string): Promise<readonly Found[]> {
    return this.#limited(() => this.#connection.query(sql))
  }

  destroy(): void {
    this.#socket.destroy()
    this.#ended.reject(new DatabaseFault('away', 'the connection was ended'))
  }

  async #limited(ask: () => Promise<[unknown, unknown]>): Promise<readonly Found[]> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      reject(new DatabaseFault('away', `no answer within ${STATEMENT_MS / 1000} s`))
      this.destroy()
    }, STATEMENT_MS)
    try {
      const [rows] = await Promise.race([ask(), late, this.#ended.promise])
      return Array.isArray(rows) ? (rows as RowDataPacket[]) : []
    } catch (error) {
      throw error instanceof DatabaseFault ? error : faultOf(error)
    } finally {
      clearTimeout(timer)
    }
  }
}

/** MariaDB and MySQL error reference: what a row can be refused for, by number, said without the row. */
const ROW_FAULTS: Readonly<Record<number, string>> = {
  1048: 'a column cannot be NULL',
  1062: 'another row has the same key',
  1264: 'a number is out of range for its column',
  1265: 'a value would be cut',
  1292: 'a value is not of the type of its column',
  1364: 'a column has no default',
  1366: 'a text has letters that its column does not take',
  1406: 'a text is too long for its column',
  1411: 'a value is not of the type of its column',
  1452: 'a foreign key wants a row that is not there',
  1644: 'a trigger of the table refuses it',
  1690: 'a number is out of range',
  1903: 'a value is not of the type of its column',
  3819: 'a CHECK of the table refuses it',
  4025: 'a CHECK of the table refuses it',
}

interface DriverError {
  readonly errno?: number
  readonly code?: string
  readonly sqlMessage?: string
  readonly message?: string
}

function faultOf(error: unknown): DatabaseFault {
  const { errno, code, sqlMessage, message } = error as DriverError
  // Only what the database itself has said has a sqlMessage; numbers of the system's are negative.
  if (sqlMessage === undefined || errno === undefined) {
    return new DatabaseFault('away', oneLine(message || code || 'no connection'))
  }
  const row = ROW_FAULTS[errno]
  if (row === undefined) return new DatabaseFault('refused', oneLine(sqlMessage))
  // The key's name ends the line; what stands before it is the row's.
  const key = errno === 1062 ? /for key '([^']{1,200})'$/.exec(sqlMessage)?.[1] : undefined
  return new DatabaseFault('row', key === undefined ? `${row} (error ${errno})` : `${row} (${key})`)
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
