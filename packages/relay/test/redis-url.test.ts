import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RedisTarget, readRedisUrl } from '../src/ingest/redis-url.ts'

const none = { username: null, password: null, database: null }
const urls: readonly (readonly [url: string, target: RedisTarget])[] = [
  ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, tls: false, ...none }],
  ['redis://redis.example.org:6380/', { host: 'redis.example.org', port: 6380, tls: false, ...none }],
  ['rediss://r/12', { host: 'r', port: 6379, tls: true, ...none, database: 12 }],
  ['redis://:p%40s%2Fs@h/0', { host: 'h', port: 6379, tls: false, username: null, password: 'p@s/s', database: 0 }],
  ['redis://u:p:q@h', { host: 'h', port: 6379, tls: false, username: 'u', password: 'p:q', database: null }],
  ['REDIS://[::1]:7000', { host: '::1', port: 7000, tls: false, ...none }],
]

for (const [url, target] of urls) {
  test(`a target is read: ${url}`, () => assert.deepEqual(readRedisUrl(url), target))
}

const faults: readonly (readonly [url: string, problem: RegExp])[] = [
  ['', /is no redis:/],
  ['127.0.0.1:6379', /is no redis:/],
  ['http://127.0.0.1', /is no redis:/],
  ['redis://', /is no redis:/],
  ['redis:///0', /is no redis:/],
  ['redis://:secret@', /is no redis:/],
  ['redis://h:99999', /is no redis:/],
  ['redis://h:0', /port 0/],
  ['redis://:sec/ret@h', /percent-encoded/],
  ['redis://:12/secret@h', /percent-encoded/],
  ['redis://h:12/secret@h', /database/],
  ['redis://h/zero', /database/],
  ['redis://h/-1', /database/],
  ['redis://h/1/2', /database/],
  ['redis://h?db=1', /percent-encoded/],
  ['redis://x:12#secret@h', /percent-encoded/],
  ['redis://user@h', /a user without a password/],
  ['redis://u:%zzsecret@h', /%25/],
]

for (const [url, problem] of faults) {
  test(`no target: ${JSON.stringify(url)}`, () => {
    const found = readRedisUrl(url)
    assert.ok('problem' in found, JSON.stringify(found))
    assert.match(found.problem, problem)
    assert.doesNotMatch(found.problem, /secret|sec.ret/)
  })
}
