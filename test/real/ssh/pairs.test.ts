/** What `fettle ssh check` says of logins that are slow for two reasons: both. */
import { describe, test } from 'node:test'
import { assertFound } from './found.ts'
import { pairs } from './plants.ts'

/** Most of the time is waiting. */
const AT_ONCE = 5

describe('[S15, S16] a login that is slow for two reasons', { concurrency: AT_ONCE }, () => {
  for (const pair of pairs) test(pair.map(({ name }) => name).join(', and '), (t) => assertFound(t, pair))
})
