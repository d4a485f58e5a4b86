/** A Redis as an operator names it: one to subscribe to, or one that coturn's commands are passed on to. */
import { addressText } from '../address.ts'

export interface RedisTarget {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly username: string | null
  readonly password: string | null
  /** null: none is selected; what coturn selects itself is passed on. */
  readonly database: number | null
}

const PORT = 6379
const FORM = 'is no redis://[user:password@]host[:port][/database] (rediss:// for TLS)'

/**
 * Reads `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. User and password are
 * percent-encoded; `redis://:password@host` has no user. The problem never quotes the URL, which may hold a password.
 */
export function readRedisUrl(url: string): RedisTarget | { readonly problem: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    return { problem: `${FORM}; special characters in user and password must be percent-encoded` }
  }
  if (parsed.port === '0') return { problem: 'has port 0; give 1 to 65535' }
  if (parsed.search !== '' || parsed.hash !== '') {
    return { problem: 'has a ? or #; in a password they must be percent-encoded (%3F, %23)' }
  }
  const database = /^\/?(\d{0,5})$/.exec(parsed.pathname)?.[1]
  if (database === undefined) return { problem: 'has a path that is no number of a database, such as /0' }
  const username = decoded(parsed.username)
  const password = decoded(parsed.password)
  if (username === undefined || password === undefined) {
    return { problem: 'has a % in user or password that is no percent-encoding; write %25' }
  }
  if (username !== '' && password === '') return { problem: 'has a user without a password' }
  return {
    // Of an IPv6 address the brackets belong to the URL alone.
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? PORT : Number(parsed.port),
    tls: parsed.protocol === 'rediss:',
    username: username === '' ? null : username,
    password: password === '' ? null : password,
    database: database === '' ? null : Number(database),
  }
}

/** How it is called in records and by those who look after it: without user and password. */
export function redisName({ host, port, database }: RedisTarget): string {
  return addressText(host, port) + (database === null ? '' : `/${database}`)
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
