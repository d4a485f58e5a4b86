import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviseOn } from '../src/ingest/redis-advice.ts'

const limits = (pubsub: string) => `normal 0 0 0 slave 268435456 67108864 60 pubsub ${pubsub}`
const good = { timeout: '0', 'tcp-keepalive': '300', 'client-output-buffer-limit': limits('0 0 0') }

const cases: readonly (readonly [
  what: string,
  settings: Readonly<Record<string, string>>,
  codes: readonly string[],
])[] = [
  ['all is well', good, []],
  ['nothing is known', {}, []],
  ['words that nobody knows', { timeout: '0', 'client-output-buffer-limit': 'all of it' }, []],
  ['timeout', { ...good, timeout: '30' }, ['redis-timeout']],
  ['no keepalive', { ...good, 'tcp-keepalive': '0' }, ['redis-keepalive']],
  ['the default limit', { ...good, 'client-output-buffer-limit': limits('33554432 8388608 60') }, ['redis-buffer']],
  ['a small soft limit', { ...good, 'client-output-buffer-limit': limits('0 8388608 60') }, ['redis-buffer']],
  ['what we ask for', { ...good, 'client-output-buffer-limit': limits('268435456 67108864 60') }, []],
  [
    'all of it',
    { timeout: '1', 'tcp-keepalive': '0', 'client-output-buffer-limit': limits('1 1 1') },
    ['redis-timeout', 'redis-keepalive', 'redis-buffer'],
  ],
]

for (const [what, settings, codes] of cases) {
  test(`[R35] advice on a Redis: ${what}`, () => {
    const found = adviseOn(new Map(Object.entries(settings)))
    assert.deepEqual(
      found.map(({ code }) => code),
      codes,
    )
  })
}

test('[R35] the default limit in words', () => {
  const [found] = adviseOn(new Map([['client-output-buffer-limit', limits('33554432 8388608 60')]]))
  assert.equal(
    found!.text,
    'It cuts the meter off once 32 MB of events wait for it, or 8 MB for 60 s: a burst may do that.',
  )
})
