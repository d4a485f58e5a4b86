import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Given, readOptions } from '../src/options.ts'

const none = { FETTLE_CONFIG: '/dev/null' }
const faultsOf = (flags: Given, environment: Given = {}) => {
  const found = readOptions(flags, { ...none, ...environment })
  return found.ok ? [] : found.faults
}

test('a Redis beside the endpoint, or instead of it', () => {
  const beside = readOptions({ redis: 'redis://10.0.0.9/2' }, none)
  assert.ok(beside.ok)
  const target = { host: '10.0.0.9', port: 6379, tls: false, username: null, password: null, database: 2 }
  assert.deepEqual([beside.value.redis, beside.value.resp?.port], [target, 7431])
  const instead = readOptions({ resp: 'off' }, { ...none, FETTLE_REDIS: 'rediss://u:p@10.0.0.9' })
  assert.ok(instead.ok)
  assert.deepEqual([instead.value.redis?.password, instead.value.resp], ['p', null])
})

const faults: readonly (readonly [what: string, flags: Given, environment: Given, fault: string])[] = [
  [
    'nothing to listen to',
    { resp: 'off' },
    {},
    '--resp "off": leaves nothing to listen to; give --redis URL or --log FILE as well, or an address',
  ],
  [
    'a password in the command line',
    { redis: 'redis://:secret@10.0.0.9' },
    {},
    '--redis (not shown): holds a password, which others could read there; give it as FETTLE_REDIS or in the file',
  ],
  [
    'another one in the command line',
    { forward: 'redis://:secret@10.0.0.9' },
    {},
    '--forward (not shown): holds a password, which others could read there; give it as FETTLE_FORWARD or in the file',
  ],
  [
    'what is passed on would come back',
    { redis: 'redis://10.0.0.9', forward: 'redis://10.0.0.9:6379/1' },
    {},
    '--forward (not shown): is the Redis that --redis hears: all would be counted twice; leave one out',
  ],
  [
    'nothing to pass on',
    { resp: 'off', redis: 'redis://10.0.0.9' },
    { FETTLE_FORWARD: 'redis://10.0.0.8' },
    'environment FETTLE_FORWARD (not shown): passes on what comes to the endpoint, which is off; leave it out',
  ],
]

for (const [what, flags, environment, fault] of faults) {
  test(`refused: ${what}`, () => assert.deepEqual(faultsOf(flags, environment), [fault]))
}

test('refused in one line: a URL that is none, which is the only fault', () => {
  const found = faultsOf({ resp: 'off', redis: '10.0.0.9:6379' })
  assert.equal(found.length, 1)
  assert.match(found[0]!, /^--redis \(not shown\): is no redis:/)
})
