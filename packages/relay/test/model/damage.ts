/** What can become of a stream on its way, and what coturn or an attacker can do that is not in the book. */
import fc from 'fast-check'
import { gapReasons } from '../../src/core/event.ts'
import { type Four, hasPath, type ModelEvent, type PathEvent } from './events.ts'
import { type Item, passing, users, type World } from './streams.ts'

/** Damage that leaves each event that is still heard as coturn sent it, in its order. */
const losses = ['lose', 'loseKind', 'gap', 'silentGap', 'stranger', 'tick'] as const
const illegal = ['jump', 'swap', 'repeat', 'shrink', 'move', 'otherServer'] as const

type What = (typeof losses)[number] | (typeof illegal)[number]

export interface Damage {
  readonly what: What
  /** Where, counted round and round over the items. */
  readonly at: number
  readonly amount: number
  readonly ms: number
}

export const loss: fc.Arbitrary<Damage[]> = damages(losses, 6)
export const anyDamage: fc.Arbitrary<Damage[]> = damages([...losses, ...illegal], 8)

function damages(kinds: readonly What[], maxLength: number): fc.Arbitrary<Damage[]> {
  const one = fc.record({
    what: fc.constantFrom(...kinds),
    at: fc.nat({ max: 999 }),
    amount: fc.nat({ max: 99 }),
    ms: passing,
  })
  return fc.array(one, { maxLength })
}

export function damaged(world: World, done: readonly Damage[]): World {
  const items = [...world.items]
  for (const one of done) if (items.length > 0) works[one.what](items, one.at % items.length, one, world)
  return { ...world, items }
}

type Work = (items: Item[], at: number, damage: Damage, world: World) => void

const kinds = ['new', 'deleted', 'total_traffic', 'total_traffic/peer', 'traffic/peer', 'refreshed', 'traffic']

const works: Readonly<Record<What, Work>> = {
  lose(items, at) {
    if (hasPath(items[at]!.event)) items.splice(at, 1)
  },

  /** Rare events are as likely to be lost as frequent ones. */
  loseKind(items, at, { amount }) {
    const kind = kinds[amount % kinds.length]
    const own = items.filter(({ event }) => event.kind === kind)
    if (own.length > 0) items.splice(items.indexOf(own[at % own.length]!), 1)
  },

  gap(items, at, damage) {
    const { event } = items[at]!
    if (!hasPath(event)) return
    const lost = items.slice(at, at + (damage.amount % 6)).filter((one) => hasPath(one.event))
    works.silentGap(items, at, damage, nobody)
    for (const one of lost) items.splice(items.indexOf(one), 1)
  },

  /** A gap in which nothing was lost. */
  silentGap(items, at, { amount }) {
    const { event } = items[at]!
    if (!hasPath(event)) return
    const { t, stream, boot } = event
    const began = items[at - 1]?.event.t ?? t
    const why = gapReasons[amount % gapReasons.length]!
    items.splice(at, 0, { event: { kind: 'gap', t, stream, boot, began, ended: t, why }, life: -1 })
  },

  /** Some with wrong passwords, under somebody's names: never admitted (rule R10). */
  stranger(items, at, { amount }) {
    const { event } = items[at]!
    if (!hasPath(event)) return
    const { t, stream, boot } = event
    const hasPeer = items.some((one) => one.event.kind === 'traffic/peer' && sameBoot(one.event, event))
    const n: Four = [amount, amount * 40, 1, 20]
    for (let i = amount % 4; i >= 0; i--) {
      const id = `0010000000000000${String((amount + i) % 20).padStart(2, '0')}`
      const path = { t, stream, boot, ...users[(amount + i) % users.length]!, id }
      if (hasPeer) items.splice(at, 0, { event: { kind: 'traffic/peer', ...path, n }, life: -1 })
      items.splice(at, 0, { event: { kind: 'traffic', ...path, n }, life: -1 })
    }
  },

  tick(items, at, { amount }) {
    const from = items[at]!.event.t
    const to = items[at + 1]?.event.t
    if (from === null || typeof to !== 'number') return
    const t = from + Math.floor(((to - from) * amount) / 100)
    items.splice(at + 1, 0, { event: { kind: 'tick', t }, life: -1 })
  },

  /** Time passes, for everybody, before the event. */
  jump(items, at, { ms }) {
    for (let i = at; i < items.length; i++) items[i] = later(items[i]!, ms)
  },

  swap(items, at, { amount }) {
    const other = at + 1 + (amount % 4)
    const a = items[at]!
    const b = items[other]
    if (b === undefined || !hasPath(a.event) || !hasPath(b.event) || !sameBoot(a.event, b.event)) return
    items[at] = { event: { ...b.event, t: a.event.t }, life: b.life }
    items[other] = { event: { ...a.event, t: b.event.t }, life: a.life }
  },

  /** The same once more, a while later: a second `new`, a refresh or a report after `deleted`. */
  repeat(items, at, { amount }) {
    const { event, life } = items[at]!
    if (!hasPath(event) || event.kind.startsWith('total')) return
    const to = Math.min(items.length, at + 1 + (amount % 12))
    const before = items[to - 1]!.event
    if (sameBoot(before, event)) items.splice(to, 0, { event: { ...event, t: before.t }, life })
  },

  /** A client total that cannot be (rule R9). */
  shrink(items, at, { amount }) {
    replace(items, at, (event) => {
      if (event.kind !== 'total_traffic') return event
      const [a, b, c, d] = event.n
      return { ...event, n: [a, Math.max(0, b - amount), c, d] }
    })
  },

  /** The client has another address from here on: mobility, or another client of whose `new` nothing was heard. */
  move(items, at, { amount }) {
    replaceStatuses(items, at, { client: `198.51.100.7:${amount % 2}` })
  },

  otherServer(items, at, { amount }) {
    replaceStatuses(items, at, { server: `10.0.0.${1 + (amount % 3)}:3478` })
  },
}

/** A connection ends with its boot, so nothing of a boot comes after the next one has begun. */
function sameBoot(a: ModelEvent, b: ModelEvent): boolean {
  return hasPath(a) && hasPath(b) && a.stream === b.stream && a.boot === b.boot
}

const nobody: World = { items: [], lives: [], aware: [], timeless: false }

function later(item: Item, ms: number): Item {
  const { event } = item
  const after = (t: number | null) => (t === null ? null : t + ms)
  if (event.kind !== 'gap') return { ...item, event: { ...event, t: after(event.t) } }
  return { ...item, event: { ...event, t: after(event.t), began: after(event.began), ended: after(event.ended) } }
}

/** Changes the first event at or after the place that can be changed. */
function replace(items: Item[], at: number, change: (event: PathEvent) => ModelEvent): void {
  for (let i = at; i < items.length; i++) {
    const { event, life } = items[i]!
    const changed = hasPath(event) ? change(event) : event
    if (changed === event) continue
    items[i] = { event: changed, life }
    return
  }
}

/** Changes the statuses of one life from a place on. */
function replaceStatuses(items: Item[], at: number, change: { client: string } | { server: string }): void {
  const { life } = items[at]!
  for (let i = at; i < items.length; i++) {
    const { event, life: own } = items[i]!
    if (own !== life || (event.kind !== 'new' && event.kind !== 'refreshed') || event.server === null) continue
    items[i] = { event: { ...event, ...change }, life }
  }
}
