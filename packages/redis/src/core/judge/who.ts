/** Whose load it is, where INFO tells only that there is one: seen in the windows in which every command was logged. */
import { type Evidence, type Finding, plural, quantityText } from '@fettle/report'
import type { Facts, Window } from '../facts.ts'
import type { SlowEntry } from '../read/slowlog.ts'
import { callText, seenCall } from '../use/call.ts'
import type { Use } from '../use/use.ts'
import { shareOf } from './use.ts'

const WHO_MAX = 3
/** Whoever has a smaller part in it is not who it is about. */
const PART_MIN = 0.1

/** Which windows tell whose it is, by what was found. */
const TELLERS: Readonly<Record<string, (windows: readonly Window[], use: Use, showKeys: boolean) => string[]>> = {
  'redis.tiny-requests': (_, use) => callers(use),
  'redis.connection-churn': (windows) => connecting(windows),
  'redis.big-values': (windows, use, showKeys) => [...sending(windows, showKeys), ...asking(use)],
  'redis.evicting': filling,
}

/** Adds to what was found of the server as a whole who makes it so. */
export function withWho(findings: readonly Finding[], { live }: Facts, use: Use | undefined): Finding[] {
  if (live === null || use === undefined) return [...findings]
  return findings.map((finding) => {
    const lines = TELLERS[finding.code]?.(live.windows, use, live.showKeys) ?? []
    const more = lines.map((text): Evidence => ({ source: 'sampled', text }))
    return { ...finding, evidence: [...finding.evidence, ...more] }
  })
}

/** Adds to what was found of a command as a whole who calls it, and with which keys. */
export function withCallers(findings: readonly Finding[], use: Use | undefined): Finding[] {
  if (use === undefined) return [...findings]
  return findings.map((finding) => {
    const rows = use.rows.filter(({ command, client }) => command.toUpperCase() === finding.subject && client !== '')
    const evidence = rows.slice(0, WHO_MAX).map((row): Evidence => {
      return { source: 'sampled', text: `${callText(row)}: ${quantityText(shareOf(row.executing))} ${OF_TIME}` }
    })
    return { ...finding, evidence: [...finding.evidence, ...evidence] }
  })
}

const OF_TIME = 'of the time spent on executing'
const share = (value: number) => quantityText({ value, unit: 'share' })

function callers({ rows }: Use): string[] {
  return rows
    .filter(({ client, calls }) => client !== '' && calls.value >= PART_MIN)
    .sort((a, b) => b.calls.value - a.calls.value)
    .slice(0, WHO_MAX)
    .map((row) => `${callText(row)}: ${share(row.calls.value)}`)
}

/** What takes long to execute among values that are big: reading one copies it. */
function asking({ rows }: Use): string[] {
  return rows
    .filter(({ client, executing }) => client !== '' && executing.value >= PART_MIN)
    .slice(0, WHO_MAX)
    .map((row) => `${callText(row)}: ${share(row.executing.value)} ${OF_TIME}`)
}

/** Who comes with another connection again and again. */
function connecting(windows: readonly Window[]): string[] {
  const entries = windows.flatMap((window) => window.entries)
  const byClient = Map.groupBy(entries, (entry) => seenCall(entry, false).client)
  return Array.from(byClient, ([client, own]) => {
    return { client, commands: own.length, connections: new Set(own.map((one) => one.client)).size }
  })
    .filter(({ client, connections, commands }) => client !== '' && connections >= PART_MIN * commands)
    .sort((a, b) => b.connections - a.connections)
    .slice(0, WHO_MAX)
    .map(
      ({ client, commands, connections }) =>
        `${client}: ${plural(connections, 'connection')} for ${plural(commands, 'command')}`,
    )
}

/** The log cuts words, and says by how much. */
const CUT = /\.\.\. \((\d+) more bytes\)$/
const BIG_BYTES = 10_000

/** Who sends big ones, the biggest first. */
function sending(windows: readonly Window[], showKeys: boolean): string[] {
  return sent(windows, showKeys)
    .filter(({ most }) => most >= BIG_BYTES)
    .sort((a, b) => b.most - a.most)
    .slice(0, WHO_MAX)
    .map(({ name, most }) => `${name}: ${quantityText({ value: most, unit: 'B' })} sent at once`)
}

/** Who has sent most, one way or the other. */
function filling(windows: readonly Window[], _: Use, showKeys: boolean): string[] {
  const all = sent(windows, showKeys)
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0)
  return all
    .filter(({ bytes }) => bytes >= PART_MIN * total)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, WHO_MAX)
    .map(({ name, bytes }) => `${name}: ${share(bytes / total)} of all that was sent`)
}

/** Bytes of the words of each command, kind of key and client: all of them, and of one call at most. */
function sent(windows: readonly Window[], showKeys: boolean) {
  const found = new Map<string, { readonly name: string; bytes: number; most: number }>()
  for (const entry of windows.flatMap((window) => window.entries)) {
    const name = callText(seenCall(entry, showKeys))
    const one = found.get(name) ?? { name, bytes: 0, most: 0 }
    const bytes = bytesOf(entry)
    one.bytes += bytes
    one.most = Math.max(bytes, one.most)
    found.set(name, one)
  }
  return Array.from(found.values())
}

function bytesOf({ words }: SlowEntry): number {
  return words.reduce((sum, word) => sum + Number(CUT.exec(word)?.[1] ?? word.length), 0)
}
