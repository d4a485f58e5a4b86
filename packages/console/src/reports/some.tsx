/** The first of many: a report may hold more than a browser can show at once. */
import { useState } from 'preact/hooks'
import { plural, whole } from '../text/format.ts'

const MORE = 1000

export interface Some<T> {
  readonly shown: readonly T[]
  readonly left: number
  more(): void
}

export function useSome<T>(all: readonly T[], first: number): Some<T> {
  const [count, setCount] = useState(first)
  return { shown: all.slice(0, count), left: Math.max(0, all.length - count), more: () => setCount(count + MORE) }
}

export function More({ some: { left, more }, what }: { some: Some<unknown>; what: string }) {
  if (left === 0) return null
  return (
    <p class="more">
      <span class="quiet">{plural(left, what)} more</span>{' '}
      <button type="button" onClick={more}>
        Show {whole(Math.min(left, MORE))}
      </button>
    </p>
  )
}
