/** What is known of a Redis, as far as one has looked. */
import { type Client, readClients } from './clients.ts'
import { type Info, readInfos } from './info.ts'
import { readMonitor, type Seen } from './monitor.ts'
import { readSettings, type Settings } from './settings.ts'
import { readSlowlog, type SlowEntry } from './slowlog.ts'

export interface Facts {
  /** In the order in which they were taken. */
  readonly infos: readonly Info[]
  readonly slow: readonly SlowEntry[]
  readonly clients: readonly Client[]
  readonly monitor: readonly Seen[]
  /** Empty: they may not be asked for, or were not. */
  readonly settings: Settings
}

export const noFacts: Facts = { infos: [], slow: [], clients: [], monitor: [], settings: new Map() }

/** Takes in what of INFO, SLOWLOG GET, CLIENT LIST, MONITOR and CONFIG GET stands in a text; undefined: nothing. */
export function learnFrom(facts: Facts, text: string): Facts | undefined {
  const slow = readSlowlog(text)
  const clients = readClients(text)
  const infos = readInfos(text)
  const monitor = readMonitor(text)
  const settings = readSettings(text)
  if (infos.length + slow.length + clients.length + monitor.length + settings.size === 0) return undefined
  return {
    infos: [...facts.infos, ...infos],
    slow: [...facts.slow, ...slow],
    clients: [...facts.clients, ...clients],
    monitor: facts.monitor.concat(monitor),
    settings: new Map([...facts.settings, ...settings]),
  }
}
