/** Which session an allocation belongs to, as it was given at two moments (rules R21 to R23, R47, R48). */
import { Ended } from '../core/ends.ts'
import { acceptsUntil, firstTally, type Tally, withCarrier, withClosed, withOpened } from '../core/session.ts'
import type { Statements } from './statements.ts'

type Row = Record<string, number | string | null>

const nullable = (value: number) => (Number.isNaN(value) ? null : value)

/** An allocation of a device, and when it was there. */
interface Span {
  readonly key: string
  readonly session: number
  readonly carries: boolean
  readonly began: number
  readonly closed: number
}

/** Labels allocations with sessions, in one transaction. Times in milliseconds, NaN while unknown. */
export class Labels {
  readonly #sql: Statements
  readonly #lingerMs: number
  /** Of devices to which allocations were added just now: the allocations that were there since then. */
  readonly #spans = new Map<string, { readonly since: number; readonly spans: Span[] }>()

  constructor(sql: Statements, lingerMs: number) {
    this.#sql = sql
    this.#lingerMs = lingerMs
  }

  opened(id: number, t: number): void {
    this.#spans.clear()
    const { key } = this.#sql.allocation.get(id) as Row
    const open = this.#accepting(key as string, t)
    if (open === undefined) {
      this.#sql.setSession.run(this.#newSession(key as string, firstTally), id)
    } else {
      this.#sql.setSession.run(open.id, id)
      this.#setTally(open.id, withOpened(open.tally))
    }
  }

  /**
   * The label is given again when the allocation starts to carry (rule R21). While nothing in its session has carried
   * it counted there all the while, and stays. What a final session gains or loses by it revises that (rule R23).
   */
  carrying(id: number, t: number, now: number): void {
    this.#spans.clear()
    const allocation = this.#sql.allocation.get(id) as Row
    const key = allocation.key as string
    const closedAt = allocation.ended !== 0 ? (allocation.closed_at as number | null) : undefined
    const own = this.#session(allocation.session_id as number)
    if (this.#isOver(own, now)) this.#sql.revise.run(own.id)
    this.#sql.setCarrier.run(nullable(t), id)
    const next = own.tally.carried ? this.#accepting(key, now) : own
    if (next === undefined) {
      this.#sql.setSession.run(this.#newSession(key, withCarrier({ ...firstTally, open: 0 }, closedAt)), id)
    } else {
      this.#sql.setSession.run(next.id, id)
      this.#setTally(next.id, withCarrier(next.tally, closedAt))
    }
  }

  closed(id: number, t: number, now: number, ended: number): void {
    this.#spans.clear()
    const allocation = this.#sql.allocation.get(id) as Row
    const session = this.#session(allocation.session_id as number)
    this.#sql.setClosed.run(nullable(t), ended, id)
    if (this.#isOver(session, now)) this.#sql.revise.run(session.id)
    else this.#setTally(session.id, withClosed(session.tally, allocation.carrier === 1, nullable(t)))
  }

  /** What comes late changes a session that was final already (rule R23). */
  revise(id: number, now: number): void {
    const allocation = this.#sql.allocation.get(id) as Row
    const session = this.#session(allocation.session_id as number)
    if (this.#isOver(session, now)) this.#sql.revise.run(session.id)
  }

  /** It stays in its session, whatever is known of it now (rule R47). */
  reconciled(id: number, t: number, carries: boolean): void {
    const { session_id, carrier, closed_at } = this.#sql.allocation.get(id) as Row
    this.#spans.clear()
    const closedAt = t >= 0 ? t : (closed_at as number | null)
    if (t >= 0) this.#sql.setClosed.run(t, Ended.deleted, id)
    const begins = carries && carrier !== 1
    if (begins) this.#sql.setCarrier.run(null, id)
    this.#grew(session_id as number, begins ? (tally) => withCarrier(tally, closedAt) : undefined)
  }

  /** It belongs to the session of its key that it touches, else to one of its own (rule R48). */
  added(id: number, t: number, closedAt: number, carries: boolean): void {
    const { key, device } = this.#sql.allocation.get(id) as Row
    this.#sql.setSpan.run(t, closedAt, Ended.deleted, id)
    if (carries) this.#sql.setCarrier.run(null, id)
    const spans = this.#spansOf(device as string, t - this.#lingerMs)
    const around = this.#touched(spans, key as string, t, closedAt)
    const session = around ?? this.#pastSession(key as string, { carried: carries, open: 0, lastClosed: closedAt })
    this.#sql.setSession.run(session, id)
    spans.push({ key: key as string, session, carries, began: t, closed: closedAt })
    if (around === undefined) return
    const taken = (tally: Tally) =>
      carries ? withCarrier(tally, closedAt) : withClosed(withOpened(tally), false, closedAt)
    this.#grew(session, taken)
  }

  /** Those that were there at `since` or later: a device may have millions, and be added to again and again. */
  #spansOf(device: string, since: number): Span[] {
    const known = this.#spans.get(device)
    if (known !== undefined && known.since <= since) return known.spans
    const rows = this.#sql.spansSince.all(device, since) as Row[]
    const spans = rows.map(({ session_id, key, began, closed, carrier }): Span => {
      const until = closed ?? Number.POSITIVE_INFINITY
      return { session: session_id, key, began, closed: until, carries: carrier === 1 } as Span
    })
    this.#spans.set(device, { since, spans })
    return spans
  }

  /** The session of what counts in it and is within `linger`, the earliest of them. */
  #touched(spans: readonly Span[], key: string, t: number, closedAt: number): number | undefined {
    let first: Span | undefined
    for (const one of spans) {
      if (one.key !== key || one.began > closedAt + this.#lingerMs || one.closed < t - this.#lingerMs) continue
      if (first !== undefined && first.began <= one.began) continue
      if (one.carries || !this.#session(one.session).tally.carried) first = one
    }
    return first?.session
  }

  /** A final session is revised by what it gains; one that is not goes on with another tally. */
  #grew(id: number, tally?: (before: Tally) => Tally): void {
    const session = this.#session(id)
    if (session.settledAt !== null) this.#sql.revise.run(id)
    else if (tally !== undefined) this.#setTally(id, tally(session.tally))
  }

  /** A session in which nothing is open; final at once where its key has an open one, which begins later. */
  #pastSession(key: string, tally: Tally): number {
    if (this.#sql.openSession.get(key) === undefined) return this.#newSession(key, tally)
    const settledAt = acceptsUntil(tally, this.#lingerMs)
    const { lastInsertRowid } = this.#sql.insertFinal.run(key, tally.carried ? 1 : 0, tally.lastClosed, settledAt)
    this.#sql.tellFinal.run(lastInsertRowid)
    return Number(lastInsertRowid)
  }

  /** The key's open session, if it takes an allocation at `t`; one that does not is final by that. */
  #accepting(key: string, t: number): OpenSession | undefined {
    const row = this.#sql.openSession.get(key) as Row | undefined
    if (row === undefined) return undefined
    const session = openSession(row)
    return this.#isOver(session, t) ? undefined : session
  }

  /** Whether the session is final at `t`; if so, that is written. */
  #isOver(session: OpenSession, t: number): boolean {
    if (session.settledAt !== null) return true
    const until = acceptsUntil(session.tally, this.#lingerMs)
    if (!(t > until)) return false
    this.#sql.settle.run(until, session.id)
    return true
  }

  #session(id: number): OpenSession {
    return openSession(this.#sql.session.get(id) as Row)
  }

  #newSession(key: string, tally: Tally): number {
    const { lastInsertRowid } = this.#sql.insertSession.run(key, tally.carried ? 1 : 0, tally.open, tally.lastClosed)
    return Number(lastInsertRowid)
  }

  #setTally(id: number, tally: Tally): void {
    this.#sql.setTally.run(tally.carried ? 1 : 0, tally.open, tally.lastClosed, id)
  }
}

interface OpenSession {
  readonly id: number
  readonly settledAt: number | null
  readonly tally: Tally
}

function openSession(row: Row): OpenSession {
  return {
    id: row.id as number,
    settledAt: row.settled_at as number | null,
    tally: {
      carried: row.carried === 1,
      open: row.open as number,
      lastClosed: row.last_closed as number | null,
    },
  }
}
