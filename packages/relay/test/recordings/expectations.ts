/** What the recordings come to: the `.expected` files beside them, in the syntax that README.md describes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AllocationRecord, Counters, Missing, SessionRecord } from '../../src/core/record.ts'
import type { Replay } from '../../src/replay.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

export const recording = (name: string) => join(folder, name)
export const read = (name: string) => readFileSync(recording(name), 'utf8')

export interface Expectation {
  readonly name: string
  readonly files: readonly string[]
  readonly template: string
  /** A session's line and those of its allocations. */
  readonly sessions: readonly (readonly string[])[]
  readonly rejected: readonly string[]
  readonly usage: readonly string[]
}

export const expectations: readonly Expectation[] = readdirSync(folder)
  .filter((name) => name.endsWith('.expected'))
  .map(readExpectation)

export function expectation(name: string): Expectation {
  return expectations.find((one) => one.name === name)!
}

function readExpectation(file: string): Expectation {
  const lines = read(file).trimEnd().split('\n')
  const of = (word: string) => lines.filter((line) => line.startsWith(`${word} `))
  const sessions: string[][] = []
  for (const line of lines) {
    if (line.startsWith('session ')) sessions.push([line])
    if (line.startsWith('  allocation ')) sessions.at(-1)!.push(line)
  }
  return {
    name: file.replace(/\.expected$/, ''),
    files: of('files')[0]!.split(' ').slice(1),
    template: of('template')[0]!.split(' ')[1]!,
    sessions,
    rejected: of('rejected'),
    usage: of('usage'),
  }
}

/** The counters as they stand in an expectation. */
export const four = (c: Counters | null) =>
  c === null ? 'null' : [c.receivedPackets, c.receivedBytes, c.sentPackets, c.sentBytes].join()
const seconds = (value: number | null) => value?.toFixed(3) ?? 'null'
const missing = (one: Missing) => `missing=${one.packets}/${one.bytes}`
const relay = (one: SessionRecord | AllocationRecord) =>
  `relay=${seconds(one.relaySeconds)}/${seconds(one.relaySecondsMax)}`

/** A session and its allocations as they stand in an expectation. */
export function sessionLines(one: SessionRecord): string[] {
  const who = `session ${one.key} device=${one.device} account=${one.account}`
  const what = `${one.class} ${one.quality} ${one.end} ${one.state}`
  const times = `start=${one.startedAt} end=${one.endedAt} duration=${seconds(one.durationSeconds)} ${relay(one)}`
  const counted = `client=${four(one.client)} peer=${four(one.peer)}`
  return [`${who} ${what} ${times} ${missing(one.missing)} ${counted}`, ...one.allocations.map(allocationLine)]
}

function allocationLine(one: AllocationRecord): string {
  const what = `${one.carries ? 'carries' : 'idle'} ${one.quality} ${one.end}`
  const times = `start=${one.startedAt} before=${one.startedBefore} goodbye=${one.goodbyeAt} end=${one.endedAt}`
  const known = `${missing(one.missing)} unheard=${one.unheard.packets}/${one.unheard.bytes}`
  const counted = `client=${four(one.client)} peer=${four(one.peer)}`
  return `  allocation ${one.id} ${one.username} ${what} ${times} ${relay(one)} ${known} ${counted}`
}

/** What was rejected as it stands in an expectation. */
export function rejectedLines(result: Replay): string[] {
  const line = ({ realm, username, allocations, client, peer }: Replay['rejected'][number]) =>
    `rejected ${realm}/${username} ${allocations} client=${four(client)} peer=${four(peer)}`
  return result.rejected.map(line).sort()
}
