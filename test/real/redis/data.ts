/** Data to seed a Redis with: scripts that make it there, since sending it would take longer than the test. */
import type { Words } from './load.ts'

/** In the pattern `{i}` is the key's number, from 1. `milliseconds`: its lifetime, 0 for ever. */
export const keysOf = (pattern: string, count: number, milliseconds = 0): Words =>
  filled(pattern, count, 10, milliseconds)

/** Keys with values of so many bytes. */
export const filled = (pattern: string, count: number, bytes: number, milliseconds = 0): Words => [
  'EVAL',
  `local value = string.rep('x', tonumber(ARGV[3]))
   for i = 1, tonumber(ARGV[2]) do
     local key = string.gsub(ARGV[1], '#', i)
     if ARGV[4] == '0' then redis.call('SET', key, value) else redis.call('SET', key, value, 'PX', ARGV[4]) end
   end`,
  '0',
  // A load puts numbers for what stands in braces.
  pattern.replaceAll('{i}', '#'),
  `${count}`,
  `${bytes}`,
  `${milliseconds}`,
]

export type Kind = 'list' | 'set' | 'hash' | 'zset'

const ADD: Readonly<Record<Kind, string>> = {
  list: "redis.call('RPUSH', KEYS[1], 'item' .. i)",
  set: "redis.call('SADD', KEYS[1], 'item' .. i)",
  hash: "redis.call('HSET', KEYS[1], 'field' .. i, i)",
  zset: "redis.call('ZADD', KEYS[1], i, 'item' .. i)",
}

/** One key with so many members. */
export const members = (kind: Kind, key: string, count: number): Words => [
  'EVAL',
  `for i = 1, tonumber(ARGV[1]) do ${ADD[kind]} end`,
  '1',
  key,
  `${count}`,
]
