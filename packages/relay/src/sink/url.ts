/** Where the rows go, as an operator writes it. */
import { isIP } from 'node:net'

/** A MySQL or MariaDB, and the database in it. */
export interface SinkTarget {
  readonly host: string
  readonly port: number
  /** A socket of the file system, which is used instead of host and port. */
  readonly socket: string | null
  readonly user: string
  readonly password: string | null
  readonly database: string
  /** `off`: plain; `on`: TLS, the certificate is checked; `unchecked`: TLS with anybody. */
  readonly tls: 'off' | 'on' | 'unchecked'
  /** A file with the certificates that are trusted instead of the usual ones. */
  readonly ca: string | null
}

const PORT = 3306
const FORM = 'is no mysql://user:password@host[:port]/database'
const TLS = ['off', 'on', 'unchecked'] as const

/**
 * Reads `mysql://user[:password]@host[:port]/database` (or `mariadb://`), with `?socket=PATH`,
 * `ssl=on|unchecked|off` and `ca=FILE`. The problem never quotes the URL, which may hold a password.
 */
export function readSinkUrl(url: string): SinkTarget | { readonly problem: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^(mysql|mariadb):$/.test(parsed.protocol) || parsed.hostname === '') {
    return { problem: `${FORM}; special characters in user and password must be percent-encoded` }
  }
  if (parsed.port === '0') return { problem: 'has port 0; give 1 to 65535' }
  if (parsed.hash !== '') return { problem: 'has a #; in a password it must be percent-encoded (%23)' }
  const [user, password, database, host] = [
    parsed.username,
    parsed.password,
    parsed.pathname.slice(1),
    parsed.hostname,
  ].map(decoded)
  if (user === undefined || password === undefined || database === undefined || host === undefined) {
    return { problem: 'has a % that is no percent-encoding; write %25' }
  }
  if (user === '') return { problem: 'has no user: mysql://user@host/database' }
  if (database === '' || database.includes('/')) return { problem: 'names no database: mysql://user@host/database' }
  const query = readQuery(parsed.searchParams)
  if ('problem' in query) return query
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  // The driver holds a certificate against names only.
  if (query.tls === 'on' && isIP(bare) > 0) return { problem: 'has ssl=on and an address; give the host by its name' }
  return {
    // Of an IPv6 address the brackets belong to the URL alone.
    host: bare,
    port: parsed.port === '' ? PORT : Number(parsed.port),
    user,
    password: password === '' ? null : password,
    database,
    ...query,
  }
}

type Query = Pick<SinkTarget, 'socket' | 'tls' | 'ca'>

function readQuery(given: URLSearchParams): Query | { readonly problem: string } {
  const unknown = Array.from(given.keys()).find((name) => !['socket', 'ssl', 'ca'].includes(name))
  // What is unknown may be the rest of a password, so it is not quoted.
  if (unknown !== undefined)
    return { problem: 'has a ? with something else than socket, ssl or ca (in a password: %3F)' }
  const ca = given.get('ca')
  const asked = given.get('ssl') ?? (ca === null ? 'off' : 'on')
  const tls = TLS.find((one) => one === asked)
  if (tls === undefined) return { problem: 'has an ssl that is none of on, unchecked, off' }
  if (tls !== 'on' && ca !== null) return { problem: 'has a ca, which only ssl=on checks' }
  return { socket: given.get('socket'), tls, ca }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The target without the password. */
export function targetText({ host, port, socket, user, database }: SinkTarget): string {
  const where = socket ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${user}@${where}/${database}`
}
