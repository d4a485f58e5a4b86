/** What all that speak to a Redis as its client have in common. */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { RedisTarget } from './redis-url.ts'

const KEEPALIVE_MS = 30_000
const WHY_MAX = 200

export const NO_REDIS = 'what answers is no Redis'

/** `onread`: where it puts what it reads, instead of telling by 'data'. */
export function openSocket({ host, port, tls }: RedisTarget, onread?: OnReadOpts): Socket {
  const where = { host, port, ...(onread === undefined ? {} : { onread }) }
  const socket = tls ? connectTls({ ...where, servername: isIP(host) === 0 ? host : '' }) : connect(where)
  return socket.setNoDelay(true).setKeepAlive(true, KEEPALIVE_MS)
}

/** Why there is no connection, in a word. */
export function problemOf(error: NodeJS.ErrnoException, { tls }: RedisTarget): string {
  const word = error.code ?? error.message
  return tls && word === 'EPROTO' ? `${word}, perhaps no TLS is spoken there` : word
}

/** `WRONGPASS`, `NOAUTH`, `ERR`: what an error begins with. */
export const wordOf = (error: string) => /^[A-Z]+/.exec(error)?.[0] ?? 'ERR'

/** The text of a reply to AUTH may repeat the password. */
export const whyRefused = (command: string, error: string) =>
  command === 'AUTH' ? `AUTH was refused: ${wordOf(error)}` : error

/** What a Redis says, fit for a log: it may repeat arguments that it does not understand. */
export function fitForLog(text: string): string {
  const words = text.replace(/,? with args beginning with:.*/s, '').replace(/[^\x20-\x7e]/g, '?')
  return words.slice(0, WHY_MAX)
}

/** The words that say who we are. */
export function login({ username, password }: RedisTarget): string[][] {
  return password === null ? [] : [['AUTH', ...(username === null ? [] : [username]), password]]
}

/** A request of words whose characters are bytes (`latin1`, as keys are read) or, of names and passwords, UTF-8. */
export function command(words: readonly string[], encoding: 'utf8' | 'latin1' = 'utf8'): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word, encoding)}\r\n${word}\r\n`)
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`, encoding)
}
