/** What `fettle ssh check` says of logins that are slow: each cause by its name, with its seconds, and nothing else. */
import { describe, test } from 'node:test'
import { assertFound } from './found.ts'
import { type Plant, plants } from './plants.ts'

/** Most of the time is waiting. */
const AT_ONCE = 8

/** Those that take minutes run where somebody asks for them. */
const isWanted = ({ isLong }: Plant) => isLong !== true || process.env.FETTLE_LONG_WAITS === '1'

describe('[S14, S15, S16] a slow login', { concurrency: AT_ONCE }, () => {
  // The longest first, so that nobody waits for it at the end.
  const bySeconds = plants.filter(isWanted).sort((a, b) => finite(b) - finite(a))
  for (const plant of bySeconds) test(plant.name, (t) => assertFound(t, [plant]))
})

function finite({ found: { seconds } }: Plant): number {
  return seconds === Infinity ? 0 : seconds
}
