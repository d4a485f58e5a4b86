/** Commands that hold up everybody: those that the slow log kept, by kind of command, keys and client. */
import { type Finding, plural, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { isNoticed, type Load } from '../load.ts'
import type { SlowEntry } from '../read/slowlog.ts'
import { callText, codeFor, SCRIPT, seenCall } from '../use/call.ts'
import { remediesOf } from './remedies.ts'

interface Group {
  readonly command: string
  readonly pattern: string
  readonly clients: Map<string, number>
  count: number
  seconds: number
  longest: number
}

/** What coturn asks of its `redis-statsdb` when it starts (dbd_redis.c). */
const COTURN_KEYS = /^turn\/.*\/status$/

/** `load`: of the same time, where there is one. */
export function findSlow({ slow, live }: Facts, load?: Load): Finding[] {
  const groups = new Map<string, Group>()
  for (const entry of slow) addTo(groups, entry, live?.showKeys === true)
  return Array.from(groups.values())
    .sort((a, b) => b.seconds - a.seconds)
    .map((group) => weighed(findingOf(group), group, live === null ? undefined : load))
}

function addTo(groups: Map<string, Group>, entry: SlowEntry, showKeys: boolean): void {
  const { command, pattern, client, seconds } = seenCall(entry, showKeys)
  const key = `${command} ${pattern}`
  const group = groups.get(key) ?? { command, pattern, clients: new Map(), count: 0, seconds: 0, longest: 0 }
  groups.set(key, group)
  group.count++
  group.seconds += seconds
  group.longest = Math.max(group.longest, seconds)
  const who = client === SCRIPT ? 'a script' : client
  if (who !== '') group.clients.set(who, (group.clients.get(who) ?? 0) + 1)
}

function findingOf({ command, pattern, clients, count, seconds, longest }: Group): Finding {
  const isKeys = command === 'keys'
  const isCoturn = isKeys && COTURN_KEYS.test(pattern)
  const who = Array.from(clients).sort(([, a], [, b]) => b - a)
  const long = (value: number) => quantityText({ value, unit: 's' })
  return {
    code: isCoturn ? 'redis.keys-of-coturn' : `redis.slow-${codeFor(command)}`,
    severity: isCoturn ? 'warning' : 'fault',
    subject: callText({ command, pattern }),
    says:
      `was slow ${plural(count, 'time')}: ${long(seconds)} in all, ${long(longest)} the longest; ` +
      'meanwhile nobody else was served.',
    ...(isCoturn ? { cause: 'A coturn asks this once for each of its threads whenever it starts.' } : {}),
    confidence: 'measured',
    quantities: {
      count: { value: count, unit: '1' },
      seconds: { value: seconds, unit: 's' },
      longest: { value: longest, unit: 's' },
    },
    evidence: who.slice(0, 3).map(([name, times]) => ({ source: 'SLOWLOG GET', text: `${times} from ${name}` })),
    remedy: isCoturn
      ? ['give coturn a database of its own (dbname in redis-statsdb): KEYS looks at every key of its database']
      : remediesOf(command),
  }
}

/** Of these one takes as long as another, unless what it touches is very big; then it is slow more often than this. */
const EVEN: ReadonlySet<string> = new Set(
  (
    'append decr decrby exists expire get getdel getex getset hdel hexists hget hincrby hset incr incrby llen lpop ' +
    'lpush ping psetex publish rpop rpush sadd scard select set setex setnx sismember ttl type xadd zadd zcard ' +
    'zincrby zrank zscore scan hscan sscan zscan'
  ).split(' '),
)
const OFTEN = 0.01

/** What came too seldom to matter is said, and no fault. */
function weighed(finding: Finding, { command, count, seconds, longest }: Group, load: Load | undefined): Finding {
  if (load?.over !== 'window') return finding
  const calls = load.byCommand.get(command)?.calls ?? count
  const isTaken = EVEN.has(command) && count < OFTEN * calls
  if (!isTaken && isNoticed(load, seconds, longest)) return finding
  const cause = 'It takes no time by itself: something took the CPU from Redis, such as other programs, or swap.'
  return { ...finding, severity: 'note', ...(isTaken ? { cause, confidence: 'likely' } : {}) }
}
