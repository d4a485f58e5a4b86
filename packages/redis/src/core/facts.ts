/** What is known of a Redis, as far as one has looked. */
import { type Client, readClients } from './clients.ts'
import { type Info, readInfos } from './info.ts'
import { readMonitor, type Seen } from './monitor.ts'
import { readSlowlog, type SlowEntry } from './slowlog.ts'

export interface Facts {
  /** In the order in which they were taken. */
  readonly infos: readonly Info[]
  readonly slow: readonly SlowEntry[]
  readonly clients: readonly Client[]
  readonly monitor: readonly Seen[]
}

export const noFacts: Facts = { infos: [], slow: [], clients: [], monitor: [] }

/** Takes in whatever of INFO, SLOWLOG GET, CLIENT LIST and MONITOR stands in a text; undefined: none of them does. */
export function learnFrom(facts: Facts, text: string): Facts | undefined {
  const slow = readSlowlog(text)
  const clients = readClients(text)
  const infos = readInfos(text)
  const monitor = readMonitor(text)
  if (infos.length + slow.length + clients.length + monitor.length === 0) return undefined
  return {
    infos: [...facts.infos, ...infos],
    slow: [...facts.slow, ...slow],
    clients: [...facts.clients, ...clients],
    monitor: facts.monitor.concat(monitor),
  }
}
