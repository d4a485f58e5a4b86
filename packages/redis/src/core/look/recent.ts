/** What was seen last, where one looks without an end. */
import type { Facts } from '../facts.ts'
import { isAnother } from '../load.ts'

/**
 * All that came after some INFO: the newest that is so many seconds old, or else the first one. What its counters have
 * counted since, the slow log and the windows have seen; so counters that were reset begin anew.
 */
export function recent(facts: Facts, seconds: number): Facts {
  const { infos, live } = facts
  if (live === null || infos.length === 0) return facts
  const { moments } = live
  const old = moments.findLastIndex(({ at }) => at <= moments.at(-1)!.at - seconds)
  const reset = infos.findLastIndex((info, i) => i > 0 && isAnother(infos[i - 1]!, info))
  const first = Math.max(0, old, reset)
  const { at, newest } = moments[first]!
  const bursts = live.bursts.filter((one) => one.at > at)
  const lines = bursts.reduce((sum, one) => sum + one.lines, 0)
  return {
    ...facts,
    infos: infos.slice(first),
    slow: facts.slow.filter(({ id }) => id > newest),
    monitor: facts.monitor.slice(facts.monitor.length - lines),
    live: {
      ...live,
      moments: moments.slice(first),
      tail: live.tail.filter(({ id }) => id > newest),
      windows: live.windows.filter((one) => one.at > at),
      bursts,
    },
  }
}
