/** Settings that would cost a server less, or tell more of it, and that do no harm to anybody. */
import type { Finding } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { signOfCoturn, smallLimit } from '../judge/settings.ts'
import type { Settings } from '../read/settings.ts'

export interface Advice {
  readonly name: string
  readonly value: string
  readonly why: string
}

/** `found`: what the check has found. */
export function adviceOf(facts: Facts, settings: Settings, found: readonly Finding[]): Advice[] {
  return [
    ...forCoturn(facts, settings),
    ...forConnections(settings),
    ...forSlowlog(settings),
    ...forLatency(facts, settings, found),
    ...found.flatMap(({ code, severity }) => (severity === 'note' ? [] : (BY_FINDING.get(code) ?? []))),
  ]
}

/** What may be told of a server that does not tell how it is set. */
export const BLIND_ADVICE: readonly Advice[] = [
  { name: 'tcp-keepalive', value: '300', why: 'Connections of machines that are gone are noticed by it.' },
  { name: 'slowlog-log-slower-than', value: '10000', why: 'It names what takes longer than 10 ms, and who asked.' },
  { name: 'slowlog-max-len', value: '1024', why: 'It is there long enough to be read.' },
]

const KEEPALIVE_SECONDS_MAX = 300
const SLOWLOG_USEC = 10_000
/** Redis' own default; a log that holds fewer has lost what one comes for. */
const SLOWLOG_ENTRIES_MIN = 128
const LATENCY_MS = 100

const numberIn = (settings: Settings, name: string) => {
  const text = settings.get(name)
  return text === undefined ? undefined : Number(text)
}

/** Only where it is sure that one reports here: to others, a limit and a timeout may be of use. */
function forCoturn(facts: Facts, settings: Settings): Advice[] {
  if (!signOfCoturn(facts)?.isSure) return []
  const keepalive = numberIn(settings, 'tcp-keepalive')
  const isKept = keepalive !== undefined && keepalive > 0 && keepalive <= KEEPALIVE_SECONDS_MAX
  return [
    ...((numberIn(settings, 'timeout') ?? 0) > 0
      ? [{ name: 'timeout', value: '0', why: 'A quiet coturn is cut off by it, and what it then says first is lost.' }]
      : []),
    ...(isKept ? [] : [{ name: 'tcp-keepalive', value: '60', why: 'Dead connections are noticed by it.' }]),
    ...(smallLimit(settings) === undefined
      ? []
      : [
          {
            name: 'client-output-buffer-limit',
            value: 'pubsub 256mb 64mb 60',
            why: 'Who counts the traffic of a coturn is cut off by it in a burst, and what was said then is lost.',
          },
        ]),
  ]
}

function forConnections(settings: Settings): Advice[] {
  if (numberIn(settings, 'tcp-keepalive') !== 0) return []
  return [
    {
      name: 'tcp-keepalive',
      value: String(KEEPALIVE_SECONDS_MAX),
      why: 'It is off: connections of machines that are gone stay for ever, up to maxclients.',
    },
  ]
}

function forSlowlog(settings: Settings): Advice[] {
  const threshold = numberIn(settings, 'slowlog-log-slower-than') ?? SLOWLOG_USEC
  const entries = numberIn(settings, 'slowlog-max-len') ?? SLOWLOG_ENTRIES_MIN
  return [
    ...(threshold > 0
      ? []
      : [
          {
            name: 'slowlog-log-slower-than',
            value: String(SLOWLOG_USEC),
            why:
              threshold < 0
                ? 'The slow log is off: what holds everybody up cannot be seen.'
                : 'Every command is logged: that costs something with each, and pushes the slow ones out.',
          },
        ]),
    ...(entries >= SLOWLOG_ENTRIES_MIN
      ? []
      : [
          {
            name: 'slowlog-max-len',
            value: '1024',
            why: 'The slow log holds so few that they are gone before anybody looks.',
          },
        ]),
  ]
}

/** Of use only where something takes long: it costs a little, and says nothing of a healthy server. */
function forLatency({ slow }: Facts, settings: Settings, found: readonly Finding[]): Advice[] {
  if (numberIn(settings, 'latency-monitor-threshold') !== 0) return []
  const isSlow = slow.some(({ seconds }) => seconds * 1000 >= LATENCY_MS)
  const isFound = found.some(({ code }) => code === 'redis.slow-fork' || code === 'redis.expiry-storm')
  if (!isSlow && !isFound) return []
  return [
    {
      name: 'latency-monitor-threshold',
      value: String(LATENCY_MS),
      why: 'Something takes long here: LATENCY LATEST tells then whether it is commands, forks, the disk or expiry.',
    },
  ]
}

const yes = (name: string, why: string): Advice => ({ name, value: 'yes', why })
const USER_DEL = yes('lazyfree-lazy-user-del', 'DEL of a big value holds everybody up; it is freed beside them then.')
const USER_FLUSH = yes('lazyfree-lazy-user-flush', 'FLUSHALL holds everybody up; all is freed beside them then.')

const BY_FINDING: ReadonlyMap<Finding['code'], Advice> = new Map<Finding['code'], Advice>([
  ['redis.fragmented', yes('activedefrag', 'It takes far more memory than its data needs; this gives it back slowly.')],
  ['redis.evicting', yes('lazyfree-lazy-eviction', 'Keys are thrown out; big ones are freed beside the others then.')],
  ['redis.expiry-storm', yes('lazyfree-lazy-expire', 'Very many keys expire; they are freed beside the others then.')],
  ['redis.slow-del', USER_DEL],
  ['redis.heavy-del', USER_DEL],
  ['redis.slow-flushall', USER_FLUSH],
  ['redis.slow-flushdb', USER_FLUSH],
])
