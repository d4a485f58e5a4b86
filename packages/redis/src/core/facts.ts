/** What is known of a Redis, as far as one has looked. */
import { type Client, readClients } from './clients.ts'
import { type Info, readInfos } from './info.ts'
import { readSlowlog, type SlowEntry } from './slowlog.ts'

export interface Facts {
  /** In the order in which they were taken. */
  readonly infos: readonly Info[]
  readonly slow: readonly SlowEntry[]
  readonly clients: readonly Client[]
}

export const noFacts: Facts = { infos: [], slow: [], clients: [] }

/** Takes in whatever of INFO, SLOWLOG GET and CLIENT LIST stands in a text; undefined when there is none of them. */
export function learnFrom(facts: Facts, text: string): Facts | undefined {
  const slow = readSlowlog(text)
  const clients = readClients(text)
  const infos = readInfos(text)
  if (infos.length + slow.length + clients.length === 0) return undefined
  return {
    infos: [...facts.infos, ...infos],
    slow: [...facts.slow, ...slow],
    clients: [...facts.clients, ...clients],
  }
}
