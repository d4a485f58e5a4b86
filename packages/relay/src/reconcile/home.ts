/** Where an allocation that the meter never heard of belongs. */
import type { DatabaseSync } from 'node:sqlite'
import { type Entry, TOLERANCE_MS } from '../core/match.ts'
import type { Row } from '../store/queries.ts'

/** A boot of a coturn, here and in the second source, and from when to when allocations of it began. */
interface Boot {
  readonly here: number
  readonly there: number
  from: number
  to: number
}

/** What was heard of it elsewhere may still be on its way to here. */
const SETTLED_MS = 60_000

/** A stream of the ledger, and what the second source has of it. Times in milliseconds, by the clock here. */
export class Home {
  readonly id: number
  /** Until when it has been heard; -Infinity: never. */
  readonly #heardUntil: number
  readonly #db: DatabaseSync
  /** In order and apart. */
  readonly #gaps: [began: number, ended: number][] = []
  readonly #boots: Boot[] = []
  readonly #addresses = new Map<string, boolean>()
  /** When those that both have were there. */
  readonly #spans: (readonly [number, number])[] = []

  constructor(db: DatabaseSync, id: number, heardUntil: number) {
    this.#db = db
    this.id = id
    this.#heardUntil = heardUntil
    const gaps = db.prepare('SELECT began_at, ended_at FROM gap WHERE stream_id = ? ORDER BY began_at').all(id) as Row[]
    for (const { began_at, ended_at } of gaps) {
      const [began, ended] = [(began_at as number) - TOLERANCE_MS, (ended_at as number) + TOLERANCE_MS]
      const last = this.#gaps.at(-1)
      if (last === undefined || began > last[1]) this.#gaps.push([began, ended])
      else last[1] = Math.max(last[1], ended)
    }
  }

  /** The only one whose allocations the source's process has, or else the only one that may be at its address. */
  static of(homes: ReadonlyMap<number, Home>, { boot, facts: { serverAddress } }: Entry): Home | undefined {
    const all = Array.from(homes.values())
    const having = all.filter((home) => home.#boots.some(({ there }) => there === boot))
    const fit = having.length > 0 ? having : all.filter((home) => home.#maybeAt(serverAddress))
    return fit.length === 1 ? fit[0] : undefined
  }

  /** Whether the coturn may have that address, as far as addresses of it are known. */
  #maybeAt(address: string | null): boolean {
    if (address === null) return true
    const known = this.#addresses.get(address)
    if (known !== undefined) return known
    const sql = 'SELECT max(server_address = ?) AS found FROM allocation WHERE stream_id = ?'
    const isFound = (this.#db.prepare(sql).get(address, this.id) as Row).found !== 0
    this.#addresses.set(address, isFound)
    return isFound
  }

  /** Both have this one. */
  took({ facts: { openedAt, closedAt } }: Entry): void {
    if (openedAt !== null && closedAt !== null) this.#spans.push([openedAt, closedAt])
  }

  /** Both have this one, and it says which boot is which. */
  linked({ facts: { openedAt }, boot }: Entry, other: Entry): void {
    const t = openedAt ?? Number.NaN
    const known = this.#boots.find(({ here, there }) => here === boot && there === other.boot)
    if (known === undefined) this.#boots.push({ here: boot, there: other.boot, from: t, to: t })
    else {
      if (!(t >= known.from)) known.from = t
      if (!(t <= known.to)) known.to = t
    }
  }

  /** The boot of what began next to it. */
  bootOf({ boot }: Entry, openedAt: number): number {
    const fit = this.#boots.filter(({ there }) => there === boot)
    const distance = ({ from, to }: Boot) => Math.max(0, from - openedAt, openedAt - to)
    return fit.sort((a, b) => distance(a) - distance(b))[0]?.here ?? 0
  }

  /** What happened then has been heard, if it ever will be. */
  hasHeard(t: number): boolean {
    return t <= this.#heardUntil - SETTLED_MS
  }

  /** What happened then may never have been heard. */
  missed(t: number): boolean {
    return this.#gaps.some(([began, ended]) => began <= t && ended >= t)
  }

  /** How many allocations were there wholly in that time that are not among those which both have. */
  absent([from, to]: readonly [number, number]): number {
    // What the source was not asked of says nothing.
    if (this.#boots.length === 0) return 0
    const sql = `SELECT count(*) AS n FROM allocation
      WHERE stream_id = ? AND session_id IS NOT NULL AND opened_at >= ? AND closed_at <= ?`
    const here = this.#db.prepare(sql).get(this.id, from, to) as { n: number }
    return here.n - this.#spans.filter(([opened, closed]) => opened >= from && closed <= to).length
  }
}

/** The streams of a ledger by their numbers. `server`: only this one's. */
export function readHomes(db: DatabaseSync, server?: string): Map<number, Home> {
  const streams = db.prepare('SELECT id, name, heard_at FROM stream').all() as Row[]
  const wanted = streams.filter(({ name }) => server === undefined || name === server)
  return new Map(
    wanted.map(({ id, heard_at }) => [
      id as number,
      new Home(db, id as number, (heard_at as number | null) ?? Number.NEGATIVE_INFINITY),
    ]),
  )
}
