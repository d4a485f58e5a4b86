import { useEffect, useState } from 'preact/hooks'

export interface Answer<T> {
  readonly value?: T | undefined
  /** Why there is no answer, or none that is new; for people. */
  readonly fault?: string
}

/**
 * Asks at once, when `question` is another function, and when told to. An older answer never replaces a newer. Every
 * answer and every fault is another object.
 */
export function useAnswer<T>(question: (signal: AbortSignal) => Promise<T>): readonly [Answer<T>, ask: () => void] {
  const [answer, setAnswer] = useState<Answer<T>>({})
  const [asked, setAsked] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    question(stop.signal).then(
      (value) => {
        if (!stop.signal.aborted) setAnswer({ value })
      },
      (error: Error) => {
        if (!stop.signal.aborted) setAnswer(({ value }) => ({ value, fault: error.message }))
      },
    )
    return () => stop.abort()
  }, [question, asked])
  return [answer, () => setAsked((count) => count + 1)]
}
