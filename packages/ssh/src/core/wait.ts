/** How long something waits, and what that alone tells. */
import { type Finding, quantityText } from '@fettle/report'
import type { Line } from './log.ts'
import type { Login, Phase, PhaseKind } from './phase.ts'

export interface Wait {
  readonly login: Login
  readonly phase: Phase
  /** Null: the log does not tell. */
  readonly seconds: number | null
  /** What somebody says it is, where the log does not. */
  readonly said?: readonly [number, number]
  /** As exact as that is. */
  readonly slackSeconds: number
}

/** What is said of a wait. */
export interface Cause {
  readonly code: `ssh.${string}`
  readonly says: string
  readonly cause: string
  readonly confidence: Finding['confidence']
  /** The line that names the cause by itself, if there is one. */
  readonly line?: Line | null
  readonly remedy: readonly string[]
  readonly undo?: string
}

/** A resolver of glibc waits as long for an answer, and then asks again (resolv.conf(5), `timeout`). */
const DNS_SECONDS = 5
/**
 * A call of D-Bus waits as long for its answer (sd-bus, libdbus), that of newer pam_systemd longer (252 does;
 * pam_systemd.c, LOGIN_SLOW_BUS_CALL_TIMEOUT_USEC), and the greeting as long.
 */
const DBUS_CALL_SECONDS = 25
const DBUS_SLOW_CALL_SECONDS = 120
const DBUS_AUTH_SECONDS = 90

export const secondsText = (value: number) => quantityText({ value, unit: 's' })
/** ` 15 s`, and only ` long` where nobody knows. */
export const long = ({ seconds }: Wait) => (seconds === null ? ' long' : ` ${secondsText(seconds)}`)

const isAbout = ({ seconds, slackSeconds }: Wait, target: number) =>
  seconds !== null && seconds >= target - Math.max(0.1, slackSeconds) && seconds <= target + Math.max(0.4, slackSeconds)

export const isDbusCall = (wait: Wait) => isAbout(wait, DBUS_CALL_SECONDS) || isAbout(wait, DBUS_SLOW_CALL_SECONDS)
export const mayBeDbusCall = ({ said }: Wait) =>
  said !== undefined && said[0] <= DBUS_CALL_SECONDS && DBUS_CALL_SECONDS <= said[1]
export const isDbusGreeting = (wait: Wait) => isAbout(wait, DBUS_AUTH_SECONDS)
/** pam_faildelay and pam_unix, after a wrong password. */
export const isFailDelay = (wait: Wait) => isAbout(wait, 2)

/** Right to a second, most times are about a whole number of waits of DNS: that would tell nothing. */
export const isTooCoarse = ({ slackSeconds }: Wait) => slackSeconds >= 1

/** `15 s are 3 waits of 5 s`; undefined: it is no whole number of them, or nobody knows. */
export function dnsText(wait: Wait): string | undefined {
  if (isTooCoarse(wait)) return undefined
  const waits = Math.round((wait.seconds ?? 0) / DNS_SECONDS)
  if (waits < 1 || !isAbout(wait, waits * DNS_SECONDS)) return undefined
  const many = waits === 1 ? 'is one wait' : `are ${waits} waits`
  return `${secondsText(wait.seconds!)} ${many} of 5 s, as long as a resolver waits for an answer of DNS.`
}

/** `OpenSSH_9.2p1 Debian-2` is 9.02, so that 6.10 would come after 6.9; undefined: it is no OpenSSH. */
export function versionOf(software: string | null): number | undefined {
  const match = /^OpenSSH_(\d{1,3})\.(\d{1,2})/.exec(software ?? '')
  return match === null ? undefined : Number(match[1]) + Number(match[2]) / 100
}

/**
 * What it took before the server lengthened its answer, a refusal or the one to a password: from 7.8 to 9.4 by doubling
 * 5 to 9.4 ms until that is longer (auth2.c, ensure_minimum_time_since); later ones leave alone what takes more than
 * 5 s. Undefined: as it is.
 */
export function paddedFrom({ seconds, login }: Wait): number | undefined {
  return seconds !== null && isPadded(login, seconds) ? seconds / 2 : undefined
}

function isPadded({ side, software }: Login, seconds: number): boolean {
  const version = side === 'server' ? undefined : versionOf(software)
  return version !== undefined && version >= 7.08 && (version < 9.05 || seconds <= DNS_SECONDS)
}

/** Waits of DNS that are longer than one and at most as long as the other. */
export function dnsBetween(low: number, high: number): number[] {
  const waits: number[] = []
  for (let n = Math.floor(low / DNS_SECONDS) + 1; n * DNS_SECONDS <= high && waits.length < 4; n++) {
    waits.push(n * DNS_SECONDS)
  }
  return waits
}

/**
 * How long the signed request took, where that is like the lookup of the key before it: the server looks it up again
 * then (auth2-pubkey.c). One that lengthens its answers says at once that the key is right, and only then sleeps for up
 * to as long again; it reads the signed request after that, and does the same once more. Undefined: it is something
 * else.
 */
export function lookedUpAgain(login: Login): number | undefined {
  const of = (kind: PhaseKind) => (login.phases.find((phase) => phase.kind === kind)?.us ?? 0) / 1e6
  const [lookup, account] = [of('keys'), of('account')]
  const most = isPadded(login, lookup) ? 3.1 : 2
  return account >= 0.8 * lookup && account <= most * lookup ? account : undefined
}

export const CLIENT_CONFIG = 'on the client, ~/.ssh/config (or /etc/ssh/ssh_config)'
export const SERVER_CONFIG = 'on the server, /etc/ssh/sshd_config'
export const RELOAD = 'then sshd -t && systemctl reload ssh (sshd on Red Hat)'
export const UNDO_CLIENT = 'on the client: take the line out of ~/.ssh/config again'
export const UNDO_SERVER = 'on the server: put the line in /etc/ssh/sshd_config back as it was, and reload as before'
