/** The sessions of now, with what one needs to find one among them. */
import type { LiveSession } from '@fettle/relay/api'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { plural, whole } from '../text/format.ts'
import { useClock } from '../text/words.tsx'
import { columns, held, matches, type Order, type RowSession, type Show, sorted, turn, wordsOf } from './arrange.ts'
import { SessionTable } from './table.tsx'

/** What one has chosen to see; it outlives a look at one of the sessions. */
export interface View {
  readonly order: Order
  readonly filter: string
  readonly show: Show
}

export const firstView: View = { order: { by: 'started', descending: true }, filter: '', show: 'all' }

/** Long enough to read a row and to click on it. */
const STILL_MS = 10_000

interface LiveSessionsProps {
  readonly sessions: ReadonlyMap<number, LiveSession>
  /** Open now, whether shown or not. */
  readonly open: number
  readonly view: View
  setView(view: View): void
}

const shows: readonly (readonly [Show, string])[] = [
  ['all', 'All'],
  ['open', 'Open'],
  ['ended', 'Ended'],
]

export function LiveSessions({ sessions, open, view, setView }: LiveSessionsProps) {
  const clock = useClock()
  const { order, filter, show } = view
  const [still, holdStill] = useStill()
  const last = useRef<readonly number[]>([])

  const words = wordsOf(filter)
  const chosen = Array.from(sessions.values()).filter((session) => matches(session, words, show))
  const inOrder = sorted(chosen, order, clock.now())
  const rows = still ? held(last.current, inOrder) : inOrder
  last.current = rows.map(({ id }) => id)

  const withAccount = useHasAccount(sessions)
  const shown = useMemo(() => columns.filter(({ key }) => key !== 'account' || withAccount), [withAccount])
  const keys = useMemo(() => shown.map(({ key }) => key), [shown])

  const known = Array.from(sessions.values()).filter(({ state }) => state === 'open').length
  return (
    <section class="card" aria-labelledby="sessions-title">
      <header class="bar">
        <h2 id="sessions-title">Sessions</h2>
        <p class="quiet">{countsText(rows, sessions.size, known, open)}</p>
        <div class="tools">
          <fieldset class="choice">
            <legend class="unseen">Which sessions</legend>
            {shows.map(([value, title]) => (
              <label key={value}>
                <input
                  type="radio"
                  name="show"
                  checked={show === value}
                  onChange={() => setView({ ...view, show: value })}
                />
                <span>{title}</span>
              </label>
            ))}
          </fieldset>
          <input
            class="filter"
            type="search"
            placeholder="Filter by name"
            aria-label="Filter the sessions by any name"
            value={filter}
            onInput={(event) => setView({ ...view, filter: event.currentTarget.value })}
          />
        </div>
      </header>
      {rows.length > 0 && (
        <SessionTable
          caption="Sessions that are open, and the last that have ended"
          sessions={rows}
          columns={shown}
          shown={keys}
          order={order}
          sortBy={(key) => {
            last.current = []
            setView({ ...view, order: turn(order, key) })
          }}
          holdStill={holdStill}
        />
      )}
      {rows.length === 0 && <p class="empty">{emptyText(sessions.size)}</p>}
    </section>
  )
}

/** Rows stay where they are under a pointer that moves; one that was left on them holds them for a while only. */
function useStill(): readonly [boolean, (still: boolean) => void] {
  const [still, setStill] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const hold = useCallback((next: boolean) => {
    clearTimeout(timer.current)
    setStill(next)
    if (next) timer.current = setTimeout(() => setStill(false), STILL_MS)
  }, [])
  useEffect(() => () => clearTimeout(timer.current), [])
  return [still, hold]
}

/** Most username templates know no account: then the column would say nothing. */
function useHasAccount(sessions: ReadonlyMap<number, RowSession>): boolean {
  const seen = useRef(false)
  if (!seen.current) seen.current = Array.from(sessions.values()).some(({ account }) => account !== null)
  return seen.current
}

function countsText(rows: readonly RowSession[], all: number, known: number, open: number): string {
  if (open > known) return `${whole(rows.length)} shown; ${whole(open)} are open, of which the newest are here`
  if (rows.length < all) return `${whole(rows.length)} of ${plural(all, 'session')}`
  return `${whole(known)} open, ${whole(all - known)} ended`
}

function emptyText(all: number): string {
  return all === 0 ? 'No session yet. One appears here as soon as a client has an allocation.' : 'No session fits.'
}
