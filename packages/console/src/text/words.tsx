/** Texts that are more than text: names from outside, times, what moves with the clock, words with an explanation. */
import { createContext } from 'preact'
import { useContext, useEffect, useRef } from 'preact/hooks'
import type { Clock } from '../live/clock.ts'
import { ago, clockDuration, localTime, shortTime, utcTime } from './format.ts'
import { printable } from './printable.ts'

export const ClockContext = createContext<Clock | undefined>(undefined)

export function useClock(): Clock {
  const clock = useContext(ClockContext)
  if (clock === undefined) throw new Error('there is no clock around this')
  return clock
}

/** A name from outside. What does not fit is cut off by the style, and can be read in the title. */
export function Name({ text }: { text: string }) {
  if (text === '') return <span class="nothing">no name</span>
  const shown = printable(text)
  return (
    <bdi class="name" title={shown}>
      {shown}
    </bdi>
  )
}

export function Nothing() {
  return <span class="nothing">–</span>
}

/** In the viewer's zone; UTC when pointed at. `full`: always with day and second; else as short as today allows. */
export function Time({ iso, full = false }: { iso: string | null; full?: boolean }) {
  if (iso === null) return <span class="nothing">unknown</span>
  const ms = Date.parse(iso)
  return (
    <time dateTime={iso} title={utcTime(ms)}>
      {full ? localTime(ms) : <Moving text={(now) => shortTime(ms, now)} />}
    </time>
  )
}

/** Writes its text once a second without the rest of the page having to be looked at. */
function Moving({ text }: { text: (now: number) => string }) {
  const clock = useClock()
  const element = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    const write = () => {
      const node = element.current?.firstChild
      const next = text(clock.now())
      if (node instanceof Text && node.data !== next) node.data = next
    }
    write()
    return clock.each(write)
  })
  return <span ref={element}>{text(clock.now())}</span>
}

/** How long it has been going on. */
export function Elapsed({ since }: { since: string }) {
  const began = Date.parse(since)
  return <Moving text={(now) => clockDuration((now - began) / 1000)} />
}

/** How long ago it was. */
export function Ago({ iso }: { iso: string }) {
  const ms = Date.parse(iso)
  return (
    <time dateTime={iso} title={utcTime(ms)}>
      <Moving text={(now) => ago((now - ms) / 1000)} />
    </time>
  )
}

/** A word that explains itself when it is pointed at, or reached by keyboard. `Tip` shows the explanation. */
export function Explained({ word, by, tone }: { word: string; by: string; tone?: string | undefined }) {
  return (
    <button type="button" class={`explained ${tone ?? ''}`} data-explain={by}>
      {word}
    </button>
  )
}
