/** What of a session can stand in a column. */
import { endings } from '../core/ends.ts'
import type { Counters, SessionRecord } from '../core/record.ts'
import { readName, type Template } from '../core/session.ts'

/** null: not known, or there is none. Times are milliseconds since the epoch. */
export type Value = string | number | null

/** What a value is, which says into which columns it fits. */
export type Kind =
  | 'id'
  | 'revision'
  | 'count'
  | 'packets'
  | 'bytes'
  | 'duration'
  | 'time'
  | 'name'
  | 'word'
  /** From the mapping; its type is YAML's. */
  | 'constant'

export interface Field {
  readonly name: string
  readonly kind: Kind
  /** It can be null. */
  readonly nullable: boolean
  /** Of a `word`: all that it can be, or how many letters it has at most. */
  readonly words?: readonly string[]
  readonly letters?: number
  /** Of a `time` in a column of numbers: the unit, where the column's type is not to choose it. */
  readonly unit?: 'seconds' | 'ms'
  readonly constant?: string | number
  readonly read: (session: SessionRecord, from: Origin) => Value
}

/** Where a record comes from. */
export interface Origin {
  /** The ledger's own name. */
  readonly ledger: string
  readonly template: Template
}

const LEDGER_LETTERS = 16
/** Letters of a `uid` at most: the ledger's, a `-`, and a number. */
export const UID_LETTERS = LEDGER_LETTERS + 17

/** Tells sessions apart also between ledgers, whose numbers all begin with 1. */
export const uidOf = (ledger: string, id: number) => `${ledger}-${id}`

const QUALITIES = ['exact', 'lower_bound', 'ambiguous', 'reconstructed']
const time = (iso: string | null) => (iso === null ? null : Date.parse(iso))

const field = (name: string, kind: Kind, read: Field['read'], more: Partial<Field> = {}): Field => ({
  name,
  kind,
  nullable: false,
  read,
  ...more,
})
const nullable = { nullable: true }

const COUNTERS = {
  rcvp: ['packets', 'receivedPackets'],
  rcvb: ['bytes', 'receivedBytes'],
  sentp: ['packets', 'sentPackets'],
  sentb: ['bytes', 'sentBytes'],
} as const satisfies Record<string, readonly [Kind, keyof Counters]>

const counters = Object.entries(COUNTERS).flatMap(([name, [kind, counter]]) => [
  field(name, kind, (one) => one.client[counter]),
  field(`peer.${name}`, kind, (one) => one.peer?.[counter] ?? null, nullable),
])

const times = [{ suffix: '' }, { suffix: '.seconds', unit: 'seconds' }, { suffix: '.ms', unit: 'ms' }] as const
const startAndEnd = times.flatMap(({ suffix, ...unit }) => [
  field(`start${suffix}`, 'time', (one) => time(one.startedAt), { ...nullable, ...unit }),
  field(`end${suffix}`, 'time', (one) => time(one.endedAt), { ...nullable, ...unit }),
])

/** All but `label.NAME`, of which there are as many as a template has. */
export const fields: readonly Field[] = [
  field('id', 'id', (one) => one.id),
  field('uid', 'word', (one, { ledger }) => uidOf(ledger, one.id), { letters: UID_LETTERS }),
  field('revision', 'revision', (one) => one.revision),
  field('account', 'name', (one) => one.account, nullable),
  field('device', 'name', (one) => one.device),
  field('realm', 'name', (one) => one.realm),
  field('key', 'name', (one) => one.key),
  field('username', 'name', (one) => one.allocations[0]?.username ?? null, nullable),
  ...startAndEnd,
  field('seconds', 'duration', (one) => one.durationSeconds, nullable),
  field('relaySeconds', 'duration', (one) => one.relaySeconds, nullable),
  field('relaySecondsMax', 'duration', (one) => one.relaySecondsMax, nullable),
  field('class', 'word', (one) => one.class, { words: ['relayed', 'unused'] }),
  field('quality', 'word', (one) => one.quality, { words: QUALITIES }),
  field('ending', 'word', (one) => one.end, { words: endings }),
  field('missingPackets', 'packets', (one) => one.missing.packets, nullable),
  field('missingBytes', 'bytes', (one) => one.missing.bytes, nullable),
  field('allocations', 'count', (one) => one.allocations.length),
  field('servers', 'name', (one) => one.servers.join(' ')),
  field('ledger', 'word', (_, { ledger }) => ledger, { letters: LEDGER_LETTERS }),
  ...counters,
]

const LABEL = /^label\.([a-z][a-zA-Z0-9]*)$/

/** The field of this name; undefined when there is none. */
export function fieldOf(name: string): Field | undefined {
  const label = labelIn(name)
  if (label === undefined) return fields.find((one) => one.name === name)
  if (label === 'expires') return field(name, 'name', readExpiry, nullable)
  return field(name, 'name', (one) => one.labels[label] ?? null, nullable)
}

/** It changes from allocation to allocation, so no record keeps it: that of the first one. */
function readExpiry({ allocations }: SessionRecord, { template }: Origin): Value {
  return readName(template, allocations[0]?.username ?? '')?.expires ?? null
}

/** The template's name that a field stands for; undefined for a field that every session has. */
export const labelIn = (name: string) => LABEL.exec(name)?.[1]

/** The same for every session. */
export function constantField(value: string | number): Field {
  return field(JSON.stringify(value), 'constant', () => value, { constant: value })
}
