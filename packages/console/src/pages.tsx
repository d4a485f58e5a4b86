/** A list that the meter gives page by page. */
import { useEffect, useState } from 'preact/hooks'
import { plural } from './text/format.ts'
import { useAnswer } from './use-answer.ts'

export interface Page<T> {
  readonly rows: readonly T[]
  /** null: that was the last one. */
  readonly next: string | null
}

export interface Pages<T> {
  /** Of all pages so far. */
  readonly rows: readonly T[]
  /** undefined: there is none yet. */
  readonly last: Page<T> | undefined
  readonly fault: string | undefined
  again(): void
  more(): void
}

/** `question`: for the page behind a cursor; another function begins another list. */
export function usePages<T>(
  question: (cursor: string | undefined) => (signal: AbortSignal) => Promise<Page<T>>,
): Pages<T> {
  const [before, setBefore] = useState<readonly T[]>([])
  const [ask, setAsk] = useState(() => question(undefined))
  const [{ value, fault }, again] = useAnswer(ask)
  const [last, setLast] = useState(value)
  useEffect(() => setLast(value), [value])
  const more = () => {
    const next = last?.next ?? null
    if (last === undefined || next === null) return
    setBefore((known) => [...known, ...last.rows])
    setLast(undefined)
    setAsk(() => question(next))
  }
  return { rows: [...before, ...(last?.rows ?? [])], last, fault, again, more }
}

interface PagesFootProps {
  readonly pages: Pages<unknown>
  /** One of them: `session`. */
  readonly what: string
  readonly none: preact.ComponentChildren
}

/** What stands below the rows: how many there are, and the way to more. */
export function PagesFoot({ pages: { rows, last, fault, again, more }, what, none }: PagesFootProps) {
  return (
    <>
      {fault !== undefined && (
        <p class="fault">
          {fault}{' '}
          <button type="button" onClick={again}>
            Try again
          </button>
        </p>
      )}
      {last === undefined && fault === undefined && <p class="empty">Waiting for the meter.</p>}
      {last !== undefined && (
        <footer class="bar">
          <p class="quiet">{rows.length === 0 && last.next === null ? none : plural(rows.length, what)}</p>
          {last.next === null ? (
            <p class="quiet">{rows.length === 0 ? '' : 'That is all.'}</p>
          ) : (
            <button type="button" onClick={more}>
              Look further back
            </button>
          )}
        </footer>
      )}
    </>
  )
}
