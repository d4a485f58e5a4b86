import { useEffect, useState } from 'preact/hooks'

export interface Answer<T> {
  readonly value?: T
  /** Why there is no answer, or none that is new; for people. */
  readonly fault?: string
  ask(): void
}

/** Asks at once, when `question` is another function, and when told to. An older answer never replaces a newer. */
export function useAnswer<T>(question: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [result, setResult] = useState<{ value?: T; fault?: string }>({})
  const [asked, setAsked] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    question(stop.signal).then(
      (value) => setResult({ value }),
      (error: Error) => {
        if (!stop.signal.aborted) setResult((before) => ({ ...before, fault: error.message }))
      },
    )
    return () => stop.abort()
  }, [question, asked])
  return { ...result, ask: () => setAsked((count) => count + 1) }
}
