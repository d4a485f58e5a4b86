/** What a Redis is set to that will cost somebody something. */
import { type Finding, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import type { Settings } from '../read/settings.ts'

export function findSettings(facts: Facts): Finding[] {
  return [...cutsOffCoturn(facts), ...noPassword(facts)]
}

/** Redis' own limits for subscribers are no fault of anybody's; smaller ones are. */
const HARD_BYTES = 32 * 2 ** 20
const SOFT_BYTES = 8 * 2 ** 20

/** A coturn publishes when there is something to say; who counts its traffic has to hear all of it. */
function cutsOffCoturn(facts: Facts): Finding[] {
  const { settings } = facts
  const timeout = Number(settings.get('timeout') ?? 0)
  const limit = smallLimit(settings)
  const sign = signOfCoturn(facts)
  if (sign === undefined || !(timeout > 0 || limit !== undefined)) return []
  const quiet = { value: timeout, unit: 's' } as const
  return [
    {
      code: 'redis.cuts-off-coturn',
      // Other publishers may know how to connect again.
      severity: sign.isSure ? 'warning' : 'note',
      subject: '',
      says: [
        ...(timeout > 0 ? [`Connections that say nothing for ${quantityText(quiet)} are closed.`] : []),
        ...(limit !== undefined ? [`Subscribers are cut off when ${limitText(limit)} wait for them.`] : []),
      ].join(' '),
      cause: [
        ...(timeout > 0 ? ['A quiet coturn loses events by it.'] : []),
        ...(limit !== undefined ? ['Who counts the traffic of a coturn loses events in a burst.'] : []),
      ].join(' '),
      confidence: sign.isSure ? 'likely' : 'possible',
      quantities: timeout > 0 ? { timeout: quiet } : {},
      evidence: [
        sign.evidence,
        ...(timeout > 0 ? [told(settings, 'timeout')] : []),
        ...(limit !== undefined ? [told(settings, LIMIT)] : []),
      ],
      remedy: [
        ...(timeout > 0 ? ['CONFIG SET timeout 0, and CONFIG SET tcp-keepalive 60 to notice dead connections'] : []),
        ...(limit !== undefined ? [`CONFIG SET ${LIMIT} "pubsub 256mb 64mb 60"`] : []),
        'and the same in its redis.conf',
      ],
    },
  ]
}

const LIMIT = 'client-output-buffer-limit'

interface Limit {
  readonly hard: number
  readonly soft: number
  readonly seconds: number
}

/** At which a subscriber of a coturn's would be cut off in a burst; undefined: there is none, or it is large enough. */
export function smallLimit(settings: Settings): Limit | undefined {
  const [, hard, soft, seconds] = /\bpubsub (\d+) (\d+) (\d+)/.exec(settings.get(LIMIT) ?? '') ?? []
  if (hard === undefined || !(below(Number(hard), HARD_BYTES) || below(Number(soft), SOFT_BYTES))) return undefined
  return { hard: Number(hard), soft: Number(soft), seconds: Number(seconds) }
}

/** Zero is no limit. */
const below = (bytes: number, least: number) => bytes > 0 && bytes < least

function limitText({ hard, soft, seconds }: Limit): string {
  const bytes = (value: number) => quantityText({ value, unit: 'B' })
  const parts = [
    ...(hard > 0 ? [bytes(hard)] : []),
    ...(soft > 0 ? [`${bytes(soft)} for ${quantityText({ value: seconds, unit: 's' })}`] : []),
  ]
  return parts.join(', or ')
}

/** What coturn writes to its `redis-statsdb`, and asks of it when it starts (dbd_redis.c). */
const COTURN = /^turn\//

/** `isSure`: it can be nobody else. */
export function signOfCoturn({ slow, monitor, clients, live }: Facts) {
  const windows = live?.windows.flatMap(({ entries }) => entries) ?? []
  const words = [
    ...[...slow, ...(live?.before ?? []), ...(live?.tail ?? [])].map((one) => ({
      source: 'SLOWLOG GET',
      words: one.words,
    })),
    ...windows.map((one) => ({ source: 'sampled', words: one.words })),
    ...monitor.map((one) => ({ source: 'MONITOR', words: one.words })),
  ].find((one) => COTURN.test(one.words[1] ?? ''))
  if (words !== undefined) {
    return { isSure: true, evidence: { source: words.source, text: `${words.words[0]!.toUpperCase()} turn/...` } }
  }
  const isHeard = clients.some(({ command }) => command === 'publish') && clients.some((one) => one.subscriptions > 0)
  const evidence = { source: 'CLIENT LIST', text: 'somebody publishes and somebody subscribes; it may be a coturn' }
  return isHeard ? { isSure: false, evidence } : undefined
}

/** Addresses from which only this machine is reached; a `-` before one says that it may be missing. */
const LOOPBACK = /^-?(?:127\.|::1$|localhost$)/

/** Whoever reaches it may read and change everything, and have it write files. */
function noPassword({ settings, live }: Facts): Finding[] {
  const isOpen = live === null ? settings.get('requirepass') === '' : live.isOpen
  if (!isOpen || !settings.has('bind') || settings.get('protected-mode') === 'yes') return []
  if (['port', 'tls-port'].every((name) => settings.get(name) === '0')) return []
  const addresses = (settings.get('bind') ?? '').split(' ').filter((one) => one !== '')
  const isBeyond = addresses.length === 0 || addresses.some((one) => !LOOPBACK.test(one))
  if (!isBeyond) return []
  return [
    {
      code: 'redis.no-password',
      severity: 'warning',
      subject: '',
      says: 'It asks for no password and listens beyond this machine: whoever reaches it can do everything.',
      confidence: live === null ? 'likely' : 'measured',
      quantities: {},
      evidence: [
        ...['bind', 'protected-mode'].map((name) => told(settings, name)),
        live === null ? told(settings, 'requirepass') : { source: 'connecting', text: 'no password was asked for' },
      ],
      remedy: [
        'bind 127.0.0.1 -::1 if only this machine needs it',
        'else requirepass, or a user for each program (ACL SETUSER, with "default" off), and a firewall',
      ],
    },
  ]
}

function told(settings: Settings, name: string) {
  const value = settings.get(name)
  return { source: 'CONFIG GET', text: value === '' ? `${name} is empty` : `${name} ${value ?? 'is not known'}` }
}
