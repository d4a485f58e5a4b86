/** The parts of a login, in the words of the field. */
import type { Line } from './log.ts'
import type { Microseconds } from './stamp.ts'

/** What each part is called, in the order in which a login comes through them. */
export const PHASES = {
  client: "client's own files",
  lookup: 'name lookup',
  address: 'connect',
  proxy: 'proxy command, banner',
  banner: 'banner',
  kex: 'key exchange',
  hostkey: 'host key',
  agent: 'keys of the agent',
  start: 'auth start',
  gssapi: 'GSSAPI',
  publickey: 'public keys',
  keys: 'key lookup',
  sign: 'signing',
  typing: 'somebody types',
  password: 'password',
  interactive: 'keyboard-interactive',
  method: 'another method',
  account: 'account',
  session: 'session',
  channel: 'channel',
  xauth: 'xauth',
  request: 'request',
  first: 'first byte',
  shell: 'shell or command',
  use: 'in use',
  idle: 'the server waits for the client',
  close: 'close',
} as const
export type PhaseKind = keyof typeof PHASES

/** From one line to the next. */
export interface Gap {
  readonly us: Microseconds
  readonly from: Line
  readonly to: Line
}

export interface Phase {
  readonly kind: PhaseKind
  /** What of that kind: an address, the number of a mechanism; empty: there is only one. */
  readonly subject: string
  /** Null: the log has no times. */
  readonly us: Microseconds | null
  /** The line with which it begins first, and the last line of it. */
  readonly first: Line
  readonly last: Line
  /** Null: the log has no times, or all came at once. */
  readonly longest: Gap | null
}

export const titleOf = ({ kind, subject }: Phase): string =>
  subject === '' ? PHASES[kind] : `${PHASES[kind]} ${subject}`

/** What the other party and the user have asked of each other. */
export interface Login {
  readonly side: 'client' | 'server'
  readonly phases: readonly Phase[]
  /** From the first line to the last. Null: the log has no times. */
  readonly us: Microseconds | null
  /** The highest level of debug lines: how many -v were given. */
  readonly level: number
  /** What the server says it is: `OpenSSH_9.2p1 Debian-2+deb12u10`. */
  readonly software: string | null
  /** Methods that the server has offered first. */
  readonly offered: readonly string[] | null
  /** Addresses at which nobody was reached, by the line that says so. */
  readonly failedAddresses: ReadonlyMap<string, Line>
  /** Lines that name a cause by themselves. */
  readonly proxyLine: Line | null
  readonly dnsHostKeyLine: Line | null
  readonly keySourceLine: Line | null
  readonly requested: 'shell' | 'command' | 'subsystem' | null
  /** What was asked for was granted. */
  readonly isAccepted: boolean
  /** No login at all: an older connection was used (ControlMaster). */
  readonly isShared: boolean
  /** The login came to an end by this line. */
  readonly failure: Line | null
  /** The phase in which the last line came. */
  readonly reached: Phase
  /** The first line of another client's log in the same file. */
  readonly second: { readonly line: Line; readonly isMixed: boolean } | null
  /** Null: there is none, or the log has times, which know better. */
  readonly remark: Remark | null
}

/** A wait that a person has written between the lines of a log. */
export interface Remark {
  readonly line: Line
  /** The line before it. */
  readonly from: Line
  readonly phase: Phase
  /** In seconds, as it says. */
  readonly range: readonly [number, number]
}
