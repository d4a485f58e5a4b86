/** The meter's time as the page knows it, and what moves with it once a second. */

export interface Clock {
  /** The meter's time, milliseconds since the epoch. */
  now(): number
  /** The meter has said what time it is. */
  set(at: number): void
  /**
   * Stands at a time of the browser's while the connection is lost: nothing may look alive that nobody has heard of.
   * undefined: it goes again.
   */
  stand(at: number | undefined): void
  /** Called at every second, and when the clock was set right. Returns what ends it. */
  each(listener: () => void): () => void
}

const SECOND_MS = 1000

export function createClock(): Clock {
  const listeners = new Set<() => void>()
  let ahead = 0
  let stoodAt: number | undefined
  const tell = () => {
    for (const listener of listeners) listener()
  }
  setInterval(() => {
    if (stoodAt === undefined) tell()
  }, SECOND_MS)
  return {
    now: () => stoodAt ?? Date.now() + ahead,
    set(at) {
      ahead = at - Date.now()
    },
    stand(at) {
      stoodAt = at === undefined ? undefined : at + ahead
      tell()
    },
    each(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
