/** What it proves that a wait is gone, or that somebody else waits as well. */
import { plural } from '@fettle/report'
import type { Login, Phase } from '../phase.ts'
import { secondsText } from '../wait.ts'
import { type Effect, sumOf } from './effects.ts'
import { type Facts, isProxied, NAME_LIMIT_SECONDS, type NameSeen, runsOf } from './facts.ts'
import { reachedAddress } from './look.ts'
import { SHELL } from './variants.ts'

export interface Proof {
  /** Sentences. */
  readonly says: readonly string[]
  /** The cause itself was seen, not only where it is. */
  readonly isMeasured: boolean
}

const NOTHING: Proof = { says: [], isMeasured: false }

/** What it is, where the wait is gone with this change. */
const PROVES: Readonly<Record<string, (phase: Phase) => string>> = {
  'no-files': () => "It is in the client's own files: without them nothing waits.",
  ipv4: ({ kind, subject }) => {
    if (kind === 'lookup') return 'It is the query for IPv6 addresses (AAAA): nothing else is left out.'
    if (kind === 'start') return 'It is about the address that the client comes from: the server looks that one up.'
    return `It is ${subject}: IPv4 is there at once.`
  },
  ipv6: ({ kind }) =>
    kind === 'start'
      ? 'It is about the address that the client comes from: the server looks that one up.'
      : 'IPv6 is there at once.',
  'by-address': ({ kind, subject }) =>
    kind === 'lookup' ? 'It is the lookup of the name.' : `It is ${subject}: another address is there at once.`,
  'no-proxy': () => 'It is the proxy command or jump host, or its way to the server: the straight way does not wait.',
  'small-packets': () =>
    'It is the large packets: with few algorithms the first ones are small, and nothing waits. Large ones are lost ' +
    'or held up on the way: its MTU is smaller than both ends think.',
  'no-dns-key': () => 'It is the lookup of the key of the server in the DNS (VerifyHostKeyDNS).',
  'no-key-command': () => 'It is the KnownHostsCommand, which ssh runs twice.',
  'no-agent': () => 'It is the agent.',
  'no-gssapi': () => 'It is GSSAPI (Kerberos).',
  'no-x11': () => 'It is xauth, which X11 forwarding runs.',
  sftp: () =>
    'It is what is run for a shell: ~/.ssh/rc, /etc/ssh/sshrc, or what the shell reads, such as ~/.bashrc; sftp, ' +
    'which there needs none, is over at once.',
  nothing: () => 'It is what the server does for a command or a shell: where none is asked for, nothing waits.',
}

/** From changes, the strongest first. */
export function proofOf(phase: Phase, effects: readonly Effect[]): Proof {
  const gone = effects.find(({ verdict }) => verdict === 'gone')
  const others = effects.filter((one) => one !== gone).map(resultText)
  if (gone === undefined) return { says: others, isMeasured: false }
  const proves = PROVES[gone.variant.name]?.(phase) ?? ''
  return { says: [proves, resultText(gone), ...others], isMeasured: true }
}

function resultText({ variant, verdict, before, after, pairs, isHung }: Effect): string {
  const [from, to] = [secondsText(before), secondsText(after)]
  const of = `${plural(pairs, 'pair')} of logins`
  if (isHung) return `${sentence(variant.says)} the login takes ${to}; else it never comes to an end.`
  if (verdict === 'gone') return `${sentence(variant.says)} the login takes ${to} instead of ${from} (${of}).`
  if (verdict === 'less') return `${sentence(variant.says)} it takes ${to} instead of ${from} (${of}).`
  if (verdict === 'stays') return `${sentence(variant.says)} it waits as long (${of}).`
  return `Whether it waits ${variant.says}, ${of} do not tell.`
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

/** From what the resolvers answer us. */
export function namesProof({ kind }: Phase, facts: Facts): Proof {
  const { answers, resolvers } = facts
  const asked = answers.filter(({ type }) => isAbout(kind, type))
  if (asked.length === 0 || resolvers === null) return NOTHING
  const silent = asked.filter((one) => one.seconds === null)
  const late = asked.filter(({ seconds }) => seconds !== null && seconds >= LATE_SECONDS)
  if (silent.length + late.length > 0) {
    // The first one is asked first, and where it answers no other is.
    const isMeasured = [...silent, ...late].some(({ resolver }) => resolver === resolvers.servers[0])
    return { says: [...silent.map(silentText), ...late.map(lateText)], isMeasured }
  }
  if (kind !== 'lookup') return { says: ['The resolvers answer us at once, by now.'], isMeasured: false }
  const slowest = Math.max(...asked.map((one) => one.seconds!))
  const says =
    `Each resolver of /etc/resolv.conf answers us within ${secondsText(slowest)}: ` +
    `it is another source of /etc/nsswitch.conf (hosts: ${resolvers.sources.join(' ')}), or it comes and goes.`
  return { says: [says], isMeasured: false }
}

/** Nobody minds less. */
const LATE_SECONDS = 0.5

const isAbout = (kind: Phase['kind'], type: NameSeen['type']): boolean => {
  if (kind === 'lookup') return type === 'A' || type === 'AAAA'
  if (kind === 'hostkey') return type === 'SSHFP'
  return kind === 'gssapi' && type !== 'SSHFP'
}

const silentText = ({ resolver, name, type }: NameSeen) =>
  `Resolver ${resolver} does not answer the query for ${type} of ${name} (nothing in ${NAME_LIMIT_SECONDS} s).`
const lateText = ({ resolver, name, type, seconds }: NameSeen) =>
  `Resolver ${resolver} takes ${secondsText(seconds!)} to answer the query for ${type} of ${name}.`

/** From the lines of what the shell reads. */
export function traceProof({ kind }: Phase, { traced }: Facts): Proof {
  if ((kind !== 'first' && kind !== 'shell') || traced === null) return NOTHING
  if (traced === 'failed') {
    return { says: ['What a shell reads could not be traced: no bash answered there.'], isMeasured: false }
  }
  const slow = traced.filter((one) => one.seconds >= LATE_SECONDS).slice(0, TRACED_MAX)
  if (slow.length === 0) {
    return { says: ['Run once more, no line of what bash reads there took long.'], isMeasured: false }
  }
  const says = slow.map(({ file, line, seconds, times }) => {
    const often = times > 1 ? ` in ${times} times` : ''
    return `Run once more, line ${line} of ${file} took ${secondsText(seconds)}${often}.`
  })
  return { says, isMeasured: true }
}

const TRACED_MAX = 3

/** A login shell reads other files than the shell that runs a command, but sshd runs ~/.ssh/rc for both. */
export function shellProof({ kind }: Phase, waits: readonly number[], facts: Facts): Proof {
  const shells = runsOf(facts, SHELL.name).filter(({ isIn }) => isIn)
  if ((kind !== 'first' && kind !== 'shell') || shells.length === 0) return NOTHING
  const slowest = Math.max(...shells.map(({ login }) => shellWait(login)))
  if (slowest > QUICK * Math.min(...waits)) return NOTHING
  const took = secondsText(slowest)
  const says = `A login shell does not wait (${took}), so it is what a shell reads for a command: ~/.bashrc.`
  return { says: [says], isMeasured: shells.length > 1 && waits.length > 1 }
}

/** Beside what waits, that is none. */
const QUICK = 0.25

const shellWait = (login: Login) => sumOf(login, ({ kind }) => kind === 'first' || kind === 'shell')

/** From connections of our own. */
export function doorProof({ kind, subject }: Phase, facts: Facts): Proof {
  if (isProxied(facts)) return NOTHING
  const wanted = kind === 'banner' ? reachedAddress(facts) : subject
  const seen = facts.doors.filter(({ address }) => address === wanted)
  if (seen.length === 0) return NOTHING
  const { address } = seen[0]!
  if (kind === 'address') {
    const dead = seen.filter(({ connected }) => connected === null)
    if (dead.length === seen.length) {
      return { says: [`Nobody answers us there either (${seen[0]!.error}).`], isMeasured: true }
    }
    const slowest = Math.max(...seen.map(({ connected }) => connected ?? 0))
    return { says: [`We were connected to ${address} within ${secondsText(slowest)}.`], isMeasured: false }
  }
  if (seen.some(({ connected }) => connected === null)) return NOTHING
  const banners = seen.map(({ connected, banner }) => (banner === null ? null : banner - (connected ?? 0)))
  const least = banners.includes(null) ? null : Math.min(...(banners as number[]))
  if (least !== null && least < LATE_SECONDS) {
    return { says: [`To us its first line came within ${secondsText(least)}.`], isMeasured: false }
  }
  const how = least === null ? 'never came' : `came after ${secondsText(least)}`
  const says = `To us, who are no ssh, its first line ${how} too: it is the server, or what stands in front of it.`
  return { says: [says], isMeasured: false }
}
