/**
 * `MONITOR`: every command as the server takes it, with a time and the client.
 *
 * Up to 6.2.3 the time is that of a command's start, from 6.2.4 on that of its end (redis #8859). Scripts are told
 * before the commands in them, which name no client but `lua`; commands that block are told when they begin to wait.
 */
import { readQuoted } from './escapes.ts'

/** A line of MONITOR. */
export interface Seen {
  /** Seconds since the epoch. */
  readonly at: number
  /** `ip:port`, `[v6]:port`, `unix:path`; of what a script called, the script's caller. */
  readonly client: string
  /** A script called it. */
  readonly isInner: boolean
  readonly words: readonly string[]
}

const STAMP = /^\+?(\d+\.\d{6}) \[\d+ /

/** The commands in the text, in order. Lines that cannot be read are passed over; a cut last line is one of them. */
export function readMonitor(text: string): Seen[] {
  const found: Seen[] = []
  let script = 'lua'
  for (const line of text.split(/\r?\n/)) {
    const seen = readLine(line, script)
    if (seen === undefined) continue
    if (isScript(seen.words[0]!) && !seen.isInner) script = seen.client
    found.push(seen)
  }
  return found
}

/** The words are quoted, and no address holds a quote: so the first one ends the head, whatever else stands in it. */
function readLine(line: string, script: string): Seen | undefined {
  const stamp = STAMP.exec(line)
  const quote = line.indexOf('"')
  if (stamp === null || !line.slice(0, quote).endsWith('] ')) return undefined
  const address = line.slice(stamp[0].length, quote - 2)
  const words: string[] = []
  for (let at = quote; at < line.length; ) {
    const word = line[at] === '"' ? readQuoted(line, at) : undefined
    if (word === undefined) return undefined
    words.push(word.value)
    at = line[word.end] === ' ' ? word.end + 1 : word.end
  }
  const isInner = address === 'lua'
  return { at: Number(stamp[1]), client: isInner ? script : address, isInner, words }
}

const SCRIPTS = /^(?:eval|evalsha|fcall)(?:_ro)?$/i
export const isScript = (command: string) => SCRIPTS.test(command)
const BLOCKING = /^(?:b[lz].+|x?read(?:group)?|wait)$/i

/** Whoever waited while a command ran is served within this time after it, or this part of its own. */
const AT_ONCE_SECONDS = 0.001
const AT_ONCE_SHARE = 0.01
/** So many clients at once are no chance, where one alone may be. */
const WAITED_MIN = 2

/**
 * For how long the server was busy with each line: at most up to its own time from the one before (`end`), or from its
 * own time to the next (`start`). Null where that says nothing, since a pause is as likely a wait for the next command:
 * unless several clients are served at once after it, which had to wait. Null at the edge, of scripts, and of what
 * blocks.
 */
export function busyAtMost(seen: readonly Seen[], stamp: 'start' | 'end'): (number | null)[] {
  return seen.map((one, i) => {
    const [from, to] = stamp === 'end' ? [seen[i - 1], one] : [one, seen[i + 1]]
    if (from === undefined || to === undefined || to.at <= from.at) return null
    const isSpecial = [from, to].some(
      ({ isInner, words }) => isInner || isScript(words[0]!) || BLOCKING.test(words[0]!),
    )
    if (isSpecial) return null
    const busy = to.at - from.at
    const until = to.at + Math.max(AT_ONCE_SECONDS, AT_ONCE_SHARE * busy)
    return waited(seen, i + 1, until, one.client) < WAITED_MIN ? null : busy
  })
}

/** How many other clients are served from `first` on until then. */
function waited(seen: readonly Seen[], first: number, until: number, client: string): number {
  const others = new Set<string>()
  for (let i = first; i < seen.length && seen[i]!.at <= until; i++) {
    if (seen[i]!.client !== client) others.add(seen[i]!.client)
  }
  return others.size
}

/** Which time MONITOR tells, by the server's version; undefined: it is not known. */
export function stampOf(version: string | undefined): 'start' | 'end' | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)/
    .exec(version ?? '')
    ?.slice(1)
    .map(Number)
  if (parts === undefined) return undefined
  const [major, minor, patch] = parts as [number, number, number]
  if (major !== 6) return major < 6 ? 'start' : 'end'
  return minor > 2 || (minor === 2 && patch >= 4) ? 'end' : 'start'
}
