/** Whose load it is, where INFO tells only that there is one: seen in the windows in which every command was logged. */
import { type Evidence, type Finding, plural, quantityText } from '@fettle/report'
import { seenCall } from './call.ts'
import type { Facts, Window } from './facts.ts'
import type { SlowEntry } from './slowlog.ts'
import type { Use } from './use.ts'

const WHO_MAX = 3
/** Whoever has a smaller part in it is not who it is about. */
const PART_MIN = 0.1

/** Which windows tell whose it is, by what was found. */
const TELLERS: Readonly<Record<string, (windows: readonly Window[], use: Use, showKeys: boolean) => string[]>> = {
  'redis.tiny-requests': (_, use) => callers(use),
  'redis.connection-churn': (windows) => connecting(windows),
  'redis.big-values': (windows, use, showKeys) => [...sending(windows, showKeys), ...asking(use)],
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

const share = (value: number) => quantityText({ value, unit: 'share' })

function callers({ rows }: Use): string[] {
  return rows
    .filter(({ client, calls }) => client !== '' && calls.value >= PART_MIN)
    .sort((a, b) => b.calls.value - a.calls.value)
    .slice(0, WHO_MAX)
    .map(({ command, pattern, client, calls }) => `${nameOf(command, pattern)} from ${client}: ${share(calls.value)}`)
}

/** What takes long to execute among values that are big: reading one copies it. */
function asking({ rows }: Use): string[] {
  return rows
    .filter(({ client, executing }) => client !== '' && executing.value >= PART_MIN)
    .slice(0, WHO_MAX)
    .map(
      ({ command, pattern, client, executing }) =>
        `${nameOf(command, pattern)} from ${client}: ${share(executing.value)} of the time spent on executing`,
    )
}

const nameOf = (command: string, pattern: string) => `${command.toUpperCase()} ${pattern}`.trim()

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
  const most = new Map<string, number>()
  for (const entry of windows.flatMap((window) => window.entries)) {
    const bytes = bytesOf(entry)
    if (bytes < BIG_BYTES) continue
    const { command, pattern, client } = seenCall(entry, showKeys)
    const name = `${nameOf(command, pattern)} from ${client}`
    most.set(name, Math.max(bytes, most.get(name) ?? 0))
  }
  return Array.from(most)
    .sort(([, a], [, b]) => b - a)
    .slice(0, WHO_MAX)
    .map(([name, bytes]) => `${name}: ${quantityText({ value: bytes, unit: 'B' })} sent at once`)
}

function bytesOf({ words }: SlowEntry): number {
  return words.reduce((sum, word) => sum + Number(CUT.exec(word)?.[1] ?? word.length), 0)
}
