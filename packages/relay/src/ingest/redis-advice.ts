/** What a Redis is set to that would cost events, and what to set instead. */

/** Something about the Redis that somebody should look at. */
export interface RedisWarning {
  readonly code: string
  readonly text: string
  readonly remedy: string
}

/** Settings that are asked for, one CONFIG GET each. */
export const SETTINGS = ['timeout', 'tcp-keepalive', 'client-output-buffer-limit'] as const

/** Less than this is written to the meter in no burst that we know of: 1.2 million events of 220 bytes. */
const HARD_MIN = 256 * 2 ** 20
/** For so much the meter may lag behind for as long as the limit says. */
const SOFT_MIN = 64 * 2 ** 20

/** `values`: by name, as Redis gives them; what is not there was not told. */
export function adviseOn(values: ReadonlyMap<string, string>): RedisWarning[] {
  return [
    ...timeout(values.get('timeout')),
    ...keepalive(values.get('tcp-keepalive')),
    ...buffer(values.get(SETTINGS[2])),
  ]
}

function timeout(value: string | undefined): RedisWarning[] {
  if (value === undefined || value === '0') return []
  const text = `It closes connections that say nothing for ${value} s, and a quiet coturn loses events by it.`
  return [{ code: 'redis-timeout', text, remedy: 'CONFIG SET timeout 0, and the same in its redis.conf.' }]
}

function keepalive(value: string | undefined): RedisWarning[] {
  if (value !== '0') return []
  const text = 'It sends no TCP keepalives: a way through a firewall that forgets quiet connections breaks unnoticed.'
  return [{ code: 'redis-keepalive', text, remedy: 'CONFIG SET tcp-keepalive 60, and the same in its redis.conf.' }]
}

function buffer(value: string | undefined): RedisWarning[] {
  const limits = / ?\bpubsub (\d+) (\d+) (\d+)/.exec(value ?? '')
  if (limits === null) return []
  const [hard, soft, seconds] = limits.slice(1).map(Number) as [number, number, number]
  const isSmall = (limit: number, least: number) => limit > 0 && limit < least
  if (!isSmall(hard, HARD_MIN) && !isSmall(soft, SOFT_MIN)) return []
  const first = hard > 0 ? `${megabytes(hard)} MB` : `${megabytes(soft)} MB`
  const rest = hard > 0 ? (soft > 0 ? `, or ${megabytes(soft)} MB for ${seconds} s` : '') : ` for ${seconds} s`
  const text = `It cuts the meter off once ${first} of events wait for it${rest}: a burst may do that.`
  const remedy = `CONFIG SET client-output-buffer-limit "pubsub 256mb 64mb 60", and the same in its redis.conf.`
  return [{ code: 'redis-buffer', text, remedy }]
}

const megabytes = (bytes: number) => (bytes < 2 ** 20 ? (bytes / 2 ** 20).toFixed(1) : `${Math.round(bytes / 2 ** 20)}`)
