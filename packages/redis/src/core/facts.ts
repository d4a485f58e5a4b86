/** What is known of a Redis, as far as one has looked. */

import type { Own } from './look/own.ts'
import { type Client, readClients } from './read/clients.ts'
import { type Info, readInfos } from './read/info.ts'
import { readMonitor, type Seen } from './read/monitor.ts'
import { readSettings, type Settings } from './read/settings.ts'
import { readSlowlog, type SlowEntry } from './read/slowlog.ts'

export interface Facts {
  /** In the order in which they were taken. */
  readonly infos: readonly Info[]
  readonly slow: readonly SlowEntry[]
  readonly clients: readonly Client[]
  readonly monitor: readonly Seen[]
  /** Empty: they may not be asked for, or were not. */
  readonly settings: Settings
  /** What only somebody knows who has been there; null: it was pasted. */
  readonly live: Live | null
}

/** A look at a server that runs. */
export interface Live {
  /** How many times we have looked, and whether that was the last. */
  readonly looks: number
  readonly isOver: boolean
  /** One for each of `infos`. */
  readonly moments: readonly Moment[]
  /** The name under which we are in CLIENT LIST and in the slow log. */
  readonly name: string
  /** The id of the newest entry of the slow log, -1 for none. */
  readonly newest: number
  /** Slow commands that fell out of the log before we could read them. */
  readonly lost: number
  /** Who was connected when we came. */
  readonly clientsBefore: readonly Client[]
  /** What was in the slow log before we came, short calls from the windows of an earlier look among it. */
  readonly before: readonly SlowEntry[]
  /** Every call since then that took longer than `tailSeconds`, with what the user calls slow among them. */
  readonly tail: readonly SlowEntry[]
  /** Null: as long as the user has it. */
  readonly tailSeconds: number | null
  readonly windows: readonly Window[]
  /** Why no window can be opened. */
  readonly cannotSample: string | null
  readonly bursts: readonly Burst[]
  /** What the server did not let us see: what, and in its own words why. */
  readonly refused: readonly { readonly what: string; readonly why: string }[]
  /** It let us in without a password. */
  readonly isOpen: boolean
  /** Keys are shown as they are. */
  readonly showKeys: boolean
  /** Settings that a killed look had left behind, and that are back: `NAME VALUE`. */
  readonly restored: readonly string[]
}

/** When an INFO was taken, and what we ourselves had asked until then. */
export interface Moment {
  /** Seconds since the beginning. */
  readonly at: number
  readonly own: Own
  /** The id of the newest entry of the slow log then. */
  readonly newest: number
}

/** A short time in which the slow log took everything. */
export interface Window {
  /** Seconds since the beginning, when it was over. */
  readonly at: number
  /** What others asked, in order; at most as much as the log holds. */
  readonly entries: readonly SlowEntry[]
  /** How many commands there were: more than the entries, where the log does not hold them all. */
  readonly logged: number
}

/** A short time in which MONITOR ran. */
export interface Burst {
  /** Seconds since the beginning, when it was over. */
  readonly at: number
  readonly milliseconds: number
  /** How many of the lines of MONITOR are of it. */
  readonly lines: number
}

export const noFacts: Facts = { infos: [], slow: [], clients: [], monitor: [], settings: new Map(), live: null }

/** Takes in what of INFO, SLOWLOG GET, CLIENT LIST, MONITOR and CONFIG GET stands in a text; undefined: nothing. */
export function learnFrom(facts: Facts, text: string): Facts | undefined {
  const slow = readSlowlog(text)
  const clients = readClients(text)
  const infos = readInfos(text)
  const monitor = readMonitor(text)
  const settings = readSettings(text)
  if (infos.length + slow.length + clients.length + monitor.length + settings.size === 0) return undefined
  return {
    ...facts,
    infos: [...facts.infos, ...infos],
    slow: [...facts.slow, ...slow],
    clients: [...facts.clients, ...clients],
    monitor: facts.monitor.concat(monitor),
    settings: new Map([...facts.settings, ...settings]),
  }
}
