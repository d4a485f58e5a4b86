/** `SLOWLOG GET`, as redis-cli prints it. */
import { NAME_MAX } from './clients.ts'
import { type Reply, readReplies } from './reply.ts'

/** A command that took longer than `slowlog-log-slower-than`. */
export interface SlowEntry {
  readonly id: number
  /** Seconds since the epoch. */
  readonly at: number
  readonly seconds: number
  /** At most 32, each cut at 128 bytes. */
  readonly words: readonly string[]
  /** Redis 4.0 and newer; `?:0` for what a script called. */
  readonly client: string | null
  readonly clientName: string | null
}

/** The entries in the text. */
export function readSlowlog(text: string): SlowEntry[] {
  return readReplies(text).flatMap(entriesOf)
}

/** The entries in one reply. */
export function entriesOf(reply: Reply): SlowEntry[] {
  return Array.isArray(reply) ? reply.map(entryOf).filter((one) => one !== undefined) : []
}

const isCount = (value: Reply | undefined): value is number => Number.isSafeInteger(value) && Number(value) >= 0
/** There is no later day. */
const AT_MAX = 8.64e12

function entryOf(entry: Reply): SlowEntry | undefined {
  if (!Array.isArray(entry)) return undefined
  const [id, at, usec, words, client, clientName] = entry as readonly Reply[]
  if (!isCount(id) || !isCount(at) || !isCount(usec) || at > AT_MAX) return undefined
  if (!Array.isArray(words) || words.length === 0) return undefined
  const textOr = (value: Reply | undefined) => (typeof value === 'string' && value !== '' ? value : null)
  return {
    id,
    at,
    seconds: usec / 1e6,
    words: words.map(String),
    client: textOr(client),
    clientName: textOr(clientName)?.slice(0, NAME_MAX) ?? null,
  }
}

/** Of these the log of an older server holds passwords. */
const SECRET = /^(?:auth|hello|acl|config|migrate)$/i

/** An entry as a line of text, without anything secret. */
export function entryText({ id, at, seconds, words, client, clientName }: SlowEntry): string {
  const [command = '', ...rest] = words
  const said = SECRET.test(command) ? [command, '(not kept)'] : [command, ...rest]
  const time = new Date(at * 1000).toISOString()
  return [
    id,
    time,
    `${Math.round(seconds * 1e6)}us`,
    client ?? '',
    clientName ?? '',
    ...said.map((one) => JSON.stringify(one)),
  ].join(' ')
}
