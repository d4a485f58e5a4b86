/** Settings of a Redis that can be changed while it runs and put back as they were, and what they may be. */
import type { Settings } from '../read/settings.ts'

interface Kind {
  /** The value as CONFIG GET tells it, given the present one; undefined: it may not be that. */
  canonical(value: string, now: string): string | undefined
  /** As people are told. */
  readonly may: string
}

const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Kind => ({
  canonical: (value) => {
    const number = /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most ? String(number) : undefined
  },
  may: most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
})

const oneOf = (...values: readonly string[]): Kind => ({
  canonical: (value) => values.find((one) => one === value.toLowerCase()),
  may: values.join(', '),
})

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 2 ** 10,
  m: 1e6,
  mb: 2 ** 20,
  g: 1e9,
  gb: 2 ** 30,
}

function bytesOf(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12})([a-z]{0,2})$/.exec(text.toLowerCase()) ?? []
  const scale = unit === undefined ? undefined : UNITS[unit]
  return scale === undefined ? undefined : Number(digits) * scale
}

/** Of a class at a time; CONFIG GET tells all of them. Replicas are left alone: cut off, they load everything anew. */
const bufferLimit: Kind = {
  canonical(value, now) {
    const [, name, hard, soft, seconds] = /^(normal|pubsub) (\w+) (\w+) (\d{1,9})$/.exec(value) ?? []
    const bytes = [bytesOf(hard ?? ''), bytesOf(soft ?? '')]
    if (name === undefined || bytes.includes(undefined)) return undefined
    const limit = `${name} ${bytes.join(' ')} ${Number(seconds)}`
    return now === '' ? limit : now.replace(new RegExp(`\\b${name} \\d+ \\d+ \\d+`), limit)
  },
  may: '"pubsub HARD SOFT SECONDS", or normal instead of pubsub',
}

const yesNo = oneOf('yes', 'no')

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['timeout', whole(0, 2 ** 31 - 1)],
  ['tcp-keepalive', whole(0, 2 ** 31 - 1)],
  ['client-output-buffer-limit', bufferLimit],
  ['slowlog-log-slower-than', whole(-1)],
  ['slowlog-max-len', whole(0)],
  ['latency-monitor-threshold', whole(0)],
  ['activedefrag', yesNo],
  ['lazyfree-lazy-eviction', yesNo],
  ['lazyfree-lazy-expire', yesNo],
  ['lazyfree-lazy-server-del', yesNo],
  ['lazyfree-lazy-user-del', yesNo],
  ['lazyfree-lazy-user-flush', yesNo],
  ['hz', whole(1, 500)],
  ['maxclients', whole(1, 2 ** 31 - 1)],
  [
    'maxmemory-policy',
    oneOf(
      'noeviction',
      ...['lru', 'lfu', 'random'].flatMap((by) => [`allkeys-${by}`, `volatile-${by}`]),
      'volatile-ttl',
    ),
  ],
])

export const CHANGEABLE: readonly string[] = Array.from(KINDS.keys())

const PASSWORD = 'is a password: set it in redis-cli or in its file, so that it is kept nowhere else'
const FILES = 'decides what is written where on its disk'
const REFUSED = new Map(
  Object.entries({
    requirepass: PASSWORD,
    masterauth: PASSWORD,
    masteruser: PASSWORD,
    maxmemory: 'below what is used it throws keys out at once, and nothing brings them back',
    dir: FILES,
    dbfilename: FILES,
    save: FILES,
    appendonly: FILES,
    aclfile: FILES,
    bind: 'may cut off whoever changes it; write it into its file',
    port: 'may cut off whoever changes it; write it into its file',
    'protected-mode': 'decides who gets in; write it into its file (see --protect)',
    replicaof: 'throws all its keys away',
    slaveof: 'throws all its keys away',
  }),
)

/** What is wrong with `NAME=VALUE`; undefined: nothing. */
export function faultOf(name: string, value: string): string | undefined {
  const kind = KINDS.get(name)
  if (kind === undefined) {
    return `${name} ${REFUSED.get(name) ?? `is not set from here; what can be put back is: ${CHANGEABLE.join(', ')}`}`
  }
  return kind.canonical(value, '') === undefined ? `${name} may be ${kind.may}` : undefined
}

/** The value as CONFIG GET will tell it; undefined: the server does not know such a setting. */
export function canonicalOf(name: string, value: string, settings: Settings): string | undefined {
  const now = settings.get(name)
  return now === undefined ? undefined : KINDS.get(name)?.canonical(value, now)
}

/** A word of a command, quoted where it has to be. */
const word = (value: string) => (/^[\w.-]+$/.test(value) ? value : `"${value}"`)

export const setCommand = (name: string, value: string) => `CONFIG SET ${name} ${word(value)}`

/** The line of a redis.conf: of limits only the class that differs from `other`. */
export function configLine(name: string, value: string, other: string): string {
  const classes = value.match(/[a-z]+ \d+ \d+ \d+/g) ?? [value]
  return `${name} ${classes.find((one) => !other.includes(one)) ?? value}`
}
