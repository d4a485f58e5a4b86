/** Memory that is full, and keys that end all at once. */
import { type Evidence, type Finding, plural, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import { countedIn, type Load } from '../load.ts'
import { whoIs } from '../read/clients.ts'
import { errorsOf, type Info, numberOf, refusedOf } from '../read/info.ts'

export function findMemory(facts: Facts, load: Load): Finding[] {
  return [full(facts, load), evicting(facts, load), storm(facts, load)].filter((one) => one !== undefined)
}

const counter = (name: string) => (info: Info) => numberOf(info, name) ?? 0

/** From here on it is full soon. */
const NEARLY_FULL = 0.95

/** It may throw nothing out, and is full or nearly so. */
function full(facts: Facts, load: Load): Finding | undefined {
  const { infos } = facts
  const info = infos.at(-1)!
  const most = numberOf(info, 'maxmemory') ?? 0
  const used = numberOf(info, 'used_memory') ?? 0
  const refused = countedIn(infos, load, (one) => errorsOf(one, 'OOM'))
  const isFull = info.fields.get('maxmemory_policy') === 'noeviction' && most > 0 && used >= NEARLY_FULL * most
  if (refused === 0 && !isFull) return undefined
  const share = { value: used / most, unit: 'share' } as const
  const of = `${quantityText({ value: used, unit: 'B' })} of ${quantityText({ value: most, unit: 'B' })} are used`
  return {
    code: 'redis.out-of-memory',
    severity: refused > 0 ? 'fault' : 'warning',
    subject: '',
    says:
      refused > 0
        ? `Memory is full: ${quantityText({ value: refused, unit: '1' })} commands were refused.`
        : `Memory is nearly full: ${of}, and then every command that writes is refused.`,
    confidence: 'measured',
    quantities: { refused: { value: refused, unit: '1' }, ...(most > 0 ? { share } : {}) },
    evidence: [
      { source: 'INFO', text: most > 0 ? of : 'maxmemory is 0: the machine has no more' },
      ...(refused > 0 ? [{ source: 'INFO errorstats', text: `errorstat_OOM: ${refused}` }] : []),
      ...(refused > 0 ? whoWasRefused(facts, load) : []),
    ],
    remedy: [
      'give it more memory (CONFIG SET maxmemory), or keep less: what is it full of? redis-cli --memkeys',
      'what may be forgotten needs a lifetime (EXPIRE), or CONFIG SET maxmemory-policy allkeys-lru for a pure cache',
    ],
  }
}

const REFUSED_MAX = 3

/** What is refused is not executed: no slow log shows it, but the server counts it, and knows what each asked last. */
function whoWasRefused({ infos, clients }: Facts, load: Load): Evidence[] {
  const refused = Array.from(infos.at(-1)!.commands.keys())
    .map((command) => ({ command, times: countedIn(infos, load, (info) => refusedOf(info, command)) }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => b.times - a.times)
    .slice(0, REFUSED_MAX)
  const commands = new Set(refused.map(({ command }) => command))
  const who = new Set(clients.filter(({ command }) => commands.has(command)).map(whoIs))
  return [
    ...refused.map(({ command, times }) => ({
      source: 'INFO commandstats',
      text: `${command.toUpperCase()}: refused ${plural(times, 'time')}`,
    })),
    ...Array.from(who)
      .slice(0, REFUSED_MAX)
      .map((name) => ({ source: 'CLIENT LIST', text: `such a command was the last of ${name}` })),
  ]
}

function evicting({ infos }: Facts, load: Load): Finding | undefined {
  const keys = countedIn(infos, load, counter('evicted_keys'))
  if (keys === 0) return undefined
  const info = infos.at(-1)!
  return {
    code: 'redis.evicting',
    severity: 'warning',
    subject: '',
    says: `${quantityText({ value: keys, unit: '1' })} keys were thrown out because memory was full.`,
    confidence: 'measured',
    quantities: { keys: { value: keys, unit: '1' } },
    evidence: ['maxmemory', 'maxmemory_policy'].flatMap((name) => {
      const value = info.fields.get(name)
      return value === undefined ? [] : { source: 'INFO', text: `${name}:${value}` }
    }),
    remedy: ['give it more memory (maxmemory), or keep less, or for a shorter time'],
  }
}

/** Of the time, for removing keys that have expired. */
const STORM_SHARE = 0.02
/** Redis looks for expired keys ten times a second, and gives it up when a quarter of the time is spent. */
const STORM_KEYS_A_SECOND = 1000

/** Very many keys end at once: for as long as that lasts, everybody waits for it. */
function storm({ infos }: Facts, load: Load): Finding | undefined {
  if (load.over !== 'window' || !load.seconds) return undefined
  const counted = (name: string) => countedIn(infos, load, counter(name))
  const [keys, capped] = [counted('expired_keys'), counted('expired_time_cap_reached_count')]
  const seconds = counted('expire_cycle_cpu_milliseconds') / 1000
  const isMuch = seconds / load.seconds >= STORM_SHARE || capped > 0
  if (keys / load.seconds < STORM_KEYS_A_SECOND || !isMuch) return undefined
  const share = { value: seconds / load.seconds, unit: 'share' } as const
  const rate = { value: keys / load.seconds, unit: '/s' } as const
  return {
    code: 'redis.expiry-storm',
    severity: 'warning',
    subject: '',
    says:
      `Very many keys expire at once: ${quantityText(rate)}, ` +
      `and ${quantityText(share)} of the time goes into removing them.`,
    cause: 'Their lifetimes end together, as those of keys do that were written together with the same one.',
    confidence: 'measured',
    quantities: { rate, share, capped: { value: capped, unit: '1' } },
    evidence: [
      { source: 'INFO', text: `expired_keys ${keys}, expire_cycle_cpu_milliseconds ${seconds * 1000}` },
      { source: 'INFO', text: `expired_time_cap_reached_count ${capped}: so often it had to put off the rest` },
    ],
    remedy: ['spread the lifetimes: add a random part to each, a tenth of it is enough'],
  }
}
