/** What is to be changed at a Redis: what was asked for, or else what is advisable and does no harm. Pure. */
import { type Finding, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { BEHIND_BYTES } from '../judge/clients.ts'
import { judge } from '../judge/judge.ts'
import { OWN_NAME } from '../look/own.ts'
import { type Client, isReplica, whoIs } from '../read/clients.ts'
import type { Settings } from '../read/settings.ts'
import { type Advice, adviceOf, BLIND_ADVICE } from './advice.ts'
import { canonicalOf, configLine, setCommand } from './changeable.ts'

export interface Wishes {
  readonly set: readonly (readonly [name: string, value: string])[]
  /** Addresses and ids of clients. */
  readonly kill: readonly string[]
  readonly slowlogReset: boolean
}

export interface Known {
  readonly facts: Facts
  /** Those of `CHANGEABLE` that the server has. */
  readonly settings: Settings
  /** Why settings cannot be read or changed, in the server's words; null: they can. */
  readonly refused: string | null
  /** Who was there before the look. */
  readonly earlier: readonly Client[]
  readonly slowEntries: number
  /** The id of our own connection. */
  readonly self: number
}

export const isWishing = ({ set, kill, slowlogReset }: Wishes) => set.length + kill.length > 0 || slowlogReset

/** `problems`: what was asked for and cannot be, a line each. */
export function planOf(wishes: Wishes, known: Known) {
  // What was slow before we came tells as much of what to change.
  const facts = { ...known.facts, slow: [...(known.facts.live?.before ?? []), ...known.facts.slow] }
  const found = judge(facts).findings
  const said = [...whereOf(facts), ...found.filter(({ code }) => code === 'redis.setting-restored')]
  if (isWishing(wishes)) return { ...wished(wishes, known), findings: said }
  const advice = known.settings.size === 0 ? BLIND_ADVICE : adviceOf(facts, known.settings, found)
  return {
    items: [...settingItems(advice, known), ...left(known).map(({ client, why }) => killItem(client, why))],
    findings: [...said, ...notOurs(found)],
    problems: [] as readonly string[],
  }
}

function wished({ set, kill, slowlogReset }: Wishes, known: Known) {
  const advice = set.map(([name, value]): Advice => ({ name, value, why: '' }))
  const strange = known.settings.size === 0 ? [] : advice.filter(({ name }) => !known.settings.has(name))
  const clients = kill.map((who) => clientFor(who, known))
  return {
    items: [
      ...settingItems(advice, known),
      ...clients.flatMap((one) => (typeof one === 'string' ? [] : [killItem(one, '')])),
      ...(slowlogReset && known.slowEntries > 0 ? [slowlogItem(known.slowEntries)] : []),
    ],
    problems: [
      ...strange.map(({ name }) => `this server has no setting ${name}`),
      ...clients.filter((one) => typeof one === 'string'),
    ],
  }
}

/** The first word on a setting counts; what it is already is no change. */
function settingItems(advice: readonly Advice[], { settings, refused }: Known) {
  const isFirst = ({ name }: Advice, i: number) => advice.findIndex((one) => one.name === name) === i
  return advice.filter(isFirst).flatMap(({ name, value, why }) => {
    const was = settings.get(name) ?? null
    const becomes = canonicalOf(name, value, settings.size === 0 ? new Map([[name, '']]) : settings)
    if (becomes === undefined || becomes === was) return []
    const item = { what: name, why, was, becomes, lost: null }
    if (refused === null) return { ...item, command: setCommand(name, becomes), undo: setCommand(name, was ?? '') }
    const undo = was === null ? 'the line that was there before' : `in redis.conf: ${configLine(name, was, becomes)}`
    return { ...item, command: `in redis.conf: ${configLine(name, becomes, was ?? '')}`, undo }
  })
}

/** Somebody may look at a MONITOR for so long; one that is older was left running. */
const MONITOR_SECONDS = 60

/** Clients that only cost: a MONITOR that was left, and who reads nothing of what it has asked for. */
function left({ facts, earlier, self }: Known): { readonly client: Client; readonly why: string }[] {
  const before = new Map(earlier.map((one) => [one.id, one]))
  return facts.clients.flatMap((client) => {
    // Looks of fettle's end by themselves.
    if (client.id === self || isReplica(client) || OWN_NAME.test(client.name)) return []
    if (client.flags.includes('O') && client.ageSeconds >= MONITOR_SECONDS) return [{ client, why: MONITOR_WHY }]
    const bytes = before.get(client.id)?.outputBytes ?? 0
    if (bytes < BEHIND_BYTES || client.outputBytes < bytes) return []
    const waiting = quantityText({ value: client.outputBytes, unit: 'B' })
    return [{ client, why: `It reads nothing: ${waiting} wait for it, in the memory of Redis.` }]
  })
}

const MONITOR_WHY =
  'It is a MONITOR: everything is told to it as well (measured on Redis 7.0: a GET takes 41 % more CPU). ' +
  'If somebody is looking at it, leave it.'

function clientFor(who: string, { facts, self }: Known): Client | string {
  const client = facts.clients.find(({ id, address }) => String(id) === who || address === who)
  if (client === undefined) return `--kill ${who}: no client of this id or address is connected`
  if (client.id === self || OWN_NAME.test(client.name)) return `--kill ${who}: is fettle itself`
  if (isReplica(client)) return `--kill ${who}: is a replica or the master; it would load everything anew`
  return client
}

/** What a client is known by; another one may have its address later, and a restart begins the ids anew. */
export const identityOf = ({ id, address, name }: Client) => `id=${id} addr=${address} name=${name}`

function killItem(client: Client, why: string) {
  const { id, address, ageSeconds } = client
  const since = quantityText({ value: ageSeconds, unit: 's' })
  return {
    what: `client ${id}`,
    why,
    was: identityOf(client),
    becomes: null,
    command: `CLIENT KILL ID ${id} ADDR ${address}`,
    undo: 'none; a client connects again by itself',
    lost: `${whoIs(client)} (${address}), last command ${client.command}, connected for ${since}, is cut off.`,
  }
}

const slowlogItem = (entries: number) => ({
  what: SLOWLOG,
  why: '',
  was: null,
  becomes: null,
  command: 'SLOWLOG RESET',
  undo: 'none; the entries stand in the journal as text and cannot be put back',
  lost: `${entries === 1 ? '1 entry is' : `${entries} entries are`} taken out; the journal keeps them as text.`,
  moves: true as const,
})
export const SLOWLOG = 'slow log'

/** Nothing is changed there without saying so. */
function whereOf({ infos }: Facts): Finding[] {
  const fields = infos.at(-1)?.fields
  const master = `${fields?.get('master_host')}:${fields?.get('master_port')}`
  return [
    ...(fields?.get('role') === 'slave'
      ? [note('redis.is-replica', `It is a replica of ${master}: what is changed here is not changed there.`)]
      : []),
    ...(fields?.get('cluster_enabled') === '1'
      ? [note('redis.in-cluster', 'It is one node of a cluster: what is changed here is not changed at the others.')]
      : []),
  ]
}

/** What was found, and is left to people. */
function notOurs(found: readonly Finding[]): Finding[] {
  const isFull = found.some(({ code }) => code === 'redis.out-of-memory' || code === 'redis.evicting')
  const isMaybeCoturn = ({ code, severity }: Finding) => code === 'redis.cuts-off-coturn' && severity === 'note'
  return [
    ...(isFull
      ? [
          note(
            'redis.policy-is-yours',
            'Memory is full; maxmemory and maxmemory-policy are left alone: ' +
              'which keys may be thrown out, only those know who wrote them.',
          ),
        ]
      : []),
    ...found.filter(isMaybeCoturn),
  ]
}

const note = (code: Finding['code'], says: string): Finding => ({
  code,
  severity: 'note',
  subject: '',
  says,
  confidence: 'measured',
  quantities: {},
  evidence: [],
  remedy: [],
})
