/** What the live page shows, as text that is sent, and what of it has changed since the last look. */
import type { DatabaseSync } from 'node:sqlite'
import type { SessionRecord } from '../core/record.ts'
import type { Row } from '../store/queries.ts'
import { type Flow, type Glance, glanceAt, readLive, readShown, readTotals } from '../store/queries-live.ts'
import type { LiveSnapshot, Rates } from './contract.ts'

const OPEN_SHOWN = 450
const ENDED_SHOWN = 50
/**
 * A session with very many allocations (one username for everybody) is looked at less often, so that it does not take
 * up the processor.
 */
const MS_PER_ALLOCATION = 1

interface Shown {
  readonly state: string
  readonly allocations: number
  readonly lookedAt: number
  /** All but the rates, without the closing brace. */
  readonly head: string
  /** The session in JSON. */
  readonly text: string
}

export interface Changes {
  readonly sessions: readonly string[]
  readonly gone: readonly number[]
}

export class LiveView {
  #shown = new Map<number, Shown>()
  totals: LiveSnapshot['totals'] = {
    sessions: 0,
    allocations: 0,
    rates: { receivedBitsPerSecond: 0, sentBitsPerSecond: 0 },
  }

  /** Every session shown, newest first. */
  get sessions(): string[] {
    return Array.from(this.#shown.values(), ({ text }) => text)
  }

  /** Looks again, within a read transaction of the caller's. */
  look(db: DatabaseSync, now: number): Changes {
    const rows = readShown(db, OPEN_SHOWN, ENDED_SHOWN)
    const before = this.#shown
    const isDue = (row: Row) => {
      const shown = before.get(row.id as number)
      return shown === undefined || now >= shown.lookedAt + shown.allocations * MS_PER_ALLOCATION
    }
    const due = rows.filter(isDue)
    const glances = glanceAt(db, due, now)
    const stale = due.filter((row) => glances.get(row.id as number)?.state !== before.get(row.id as number)?.state)
    const heads = new Map(readLive(db, stale).map((record) => [record.id, headOf(record)]))
    this.#shown = new Map()
    const changed: string[] = []
    for (const { id } of rows as { id: number }[]) {
      const shown = next(before.get(id), glances.get(id), heads.get(id), now)
      if (shown === undefined) continue
      this.#shown.set(id, shown)
      if (shown.text !== before.get(id)?.text) changed.push(shown.text)
    }
    const { sessions, allocations, ...flow } = readTotals(db, now)
    this.totals = { sessions, allocations, rates: ratesOf(flow, 3) }
    return { sessions: changed, gone: Array.from(before.keys()).filter((id) => !this.#shown.has(id)) }
  }
}

function next(
  before: Shown | undefined,
  glance: Glance | undefined,
  newHead: string | undefined,
  now: number,
): Shown | undefined {
  if (glance === undefined) return before
  const head = newHead ?? before?.head
  if (head === undefined) return undefined
  const text = `${head},"rates":${JSON.stringify(ratesOf(glance, 2))}}`
  return { state: glance.state, allocations: glance.allocations, lookedAt: now, head, text }
}

function headOf(record: SessionRecord): string {
  const { allocations, labels: _labels, key: _key, revision: _revision, ...rest } = record
  return JSON.stringify({ ...rest, allocations: allocations.length }).slice(0, -1)
}

/** Rounded, so that a rate that fades slowly is not sent each time. */
export function ratesOf({ received, sent }: Flow, digits: number): Rates {
  return {
    receivedBitsPerSecond: Number(received.toPrecision(digits)),
    sentBitsPerSecond: Number(sent.toPrecision(digits)),
  }
}
