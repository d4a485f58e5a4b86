/** Where an allocation that the meter never heard of belongs. */
import type { DatabaseSync } from 'node:sqlite'
import type { Entry } from '../core/match.ts'
import type { Row } from '../store/queries.ts'

/** A boot of a coturn, here and in the second source, and from when to when allocations of it began. */
interface Boot {
  readonly here: number
  readonly there: number
  from: number
  to: number
}

/** A stream of the ledger, and what the second source has of it. Times in milliseconds, by the clock here. */
export class Home {
  readonly id: number
  /** Until when it has been heard; -Infinity: never. */
  readonly heardUntil: number
  readonly #db: DatabaseSync
  readonly #gaps: readonly (readonly [began: number, ended: number])[]
  readonly #boots: Boot[] = []
  /** When those that both have were there. */
  readonly #spans: (readonly [number, number])[] = []

  constructor(db: DatabaseSync, id: number, heardUntil: number) {
    this.#db = db
    this.id = id
    this.heardUntil = heardUntil
    const gaps = db.prepare('SELECT began_at, ended_at FROM gap WHERE stream_id = ? ORDER BY began_at').all(id) as Row[]
    this.#gaps = gaps.map(({ began_at, ended_at }) => [began_at as number, ended_at as number])
  }

  /** The only one whose allocations the source's process has, or else the only one there is. */
  static of(homes: ReadonlyMap<number, Home>, { boot }: Entry): Home | undefined {
    const all = Array.from(homes.values())
    const having = all.filter((home) => home.#boots.some(({ there }) => there === boot))
    const fit = having.length > 0 ? having : all
    return fit.length === 1 ? fit[0] : undefined
  }

  /** Both have this one. */
  took({ facts: { openedAt, closedAt }, boot }: Entry, other: Entry): void {
    if (openedAt !== null && closedAt !== null) this.#spans.push([openedAt, closedAt])
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

  /** Whether events may have been lost in that time. */
  missed(from: number, to: number): boolean {
    return this.#gaps.some(([began, ended]) => began <= to && ended >= from)
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
