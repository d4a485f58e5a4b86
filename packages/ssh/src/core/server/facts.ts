/** What is known of a server's logins, and what to look at next. */

import type { TracedLine } from '../trace.ts'
import type { Config } from './config.ts'
import { motdLine, type PamLine } from './pam.ts'
import type { Sample } from './watch.ts'
import type { WrapperRule } from './wrapper.ts'

/** What was asked for. */
export interface ServerPlan {
  /** Whose login it is; null: nobody's, and nothing of anybody is run. */
  readonly user: string | null
  /** Whose names are looked up; empty: those who are connected. */
  readonly clients: readonly string[]
  readonly config: string
  /** A login of its own is made, as the user. */
  readonly login: boolean
}

export interface SettingsSeen {
  readonly config: Config
  /** What sshd makes of it, in small letters; empty: it does not say. */
  readonly effective: ReadonlyMap<string, readonly string[]>
  /** Why sshd does not take it, in its words; null: it does. */
  readonly refused: string | null
  /** How many have connected and are not in yet, and from how many on some are dropped; null: it does not say. */
  readonly startups: { readonly now: number; readonly from: number } | null
  readonly clients: readonly string[]
  /** How many processes want a CPU, over the last minute. */
  readonly load: { readonly wanting: number; readonly cpus: number }
  /** Rules of TCP wrappers that need the name of a client; empty: sshd does not ask them. */
  readonly wrappers: readonly WrapperRule[]
  /** There is a key of Kerberos for this machine. */
  readonly hasKeytab: boolean
}

export interface PamSeen {
  readonly service: string
  readonly stack: readonly PamLine[]
}

export interface BusSeen {
  readonly answer: 'answers' | 'silent' | 'refuses' | 'no bus' | 'no program'
  readonly seconds: number
  /** What it said, or what it was asked with. */
  readonly text: string
  readonly sessions: number | null
  /** In /run/systemd/sessions. */
  readonly files: number
  /** How long after logind the bus was started, if it was; null: before it, or nobody knows. */
  readonly busLaterSeconds: number | null
}

/** What one resolver says; `code`: of its refusal, or `silent`; null: it gave an answer. */
export interface ResolverSeen {
  readonly server: string
  readonly seconds: number
  readonly code: string | null
}

export interface NamesSeen {
  readonly role: 'client' | 'own'
  /** An address of a client, or the name of this machine. */
  readonly subject: string
  /** As the system looks it up, all files and resolvers of it. */
  readonly seconds: number
  readonly isCut: boolean
  /** What came out; null: nothing. */
  readonly answer: string | null
  /** The way back, from the name to the address; null: there was no name. */
  readonly backSeconds: number | null
  readonly resolvers: readonly ResolverSeen[]
}

/** A program that was run by itself. */
export interface ScriptSeen {
  readonly file: string
  readonly seconds: number
  readonly isCut: boolean
  readonly status: number | null
  /** Where it really lies, if this is a link. */
  readonly linksTo: string | null
}

export interface KeysSeen extends ScriptSeen {
  readonly as: string
  readonly keys: number
  /** Why it was not run. */
  readonly problem: string | null
}

export interface RcSeen {
  readonly shell: string
  readonly seconds: number
  readonly isCut: boolean
  readonly lines: readonly TracedLine[]
  readonly problem: string | null
}

export interface LoginSeen {
  readonly isIn: boolean
  /** Why not. */
  readonly why: string | null
  /** Until the command that was asked for, which does nothing, had ended. */
  readonly seconds: number
  readonly isCut: boolean
  /** What sshd has logged, `SECONDS ERR line`. */
  readonly log: string
  readonly samples: readonly Sample[]
}

/** Who a user is, and which groups they are in, as the system looks that up (nsswitch.conf(5)). */
export interface UserSeen {
  readonly seconds: number
  readonly groupsSeconds: number
  readonly isCut: boolean
  /** Lines of /etc/nsswitch.conf, with their numbers. */
  readonly sources: readonly { readonly line: number; readonly text: string }[]
}

export interface FileSeen {
  readonly file: string
  readonly bytes: number
}

export interface Facts {
  readonly plan: ServerPlan
  readonly done: readonly string[]
  readonly names: readonly NamesSeen[]
  readonly motd: readonly ScriptSeen[]
  readonly files: readonly FileSeen[]
  readonly settings?: SettingsSeen
  readonly pam?: PamSeen
  readonly bus?: BusSeen
  /** Scripts of pam_motd that are not timed yet. */
  readonly motdLeft?: readonly string[]
  readonly user?: UserSeen
  readonly keys?: KeysSeen
  readonly rc?: RcSeen
  readonly login?: LoginSeen
}

export const nothingYet = (plan: ServerPlan): Facts => ({ plan, done: [], names: [], motd: [], files: [] })

export type Look =
  | {
      readonly kind: 'settings' | 'pam' | 'bus' | 'files' | 'motd-list' | 'own-name' | 'user' | 'keys' | 'rc' | 'login'
    }
  | { readonly kind: 'client'; readonly address: string }
  | { readonly kind: 'motd'; readonly file: string }

/** What was seen is a part of what is known. */
export type Seen = Partial<Omit<Facts, 'plan' | 'done'>>

const CLIENTS_MAX = 3
/** More scripts than any system brings. */
const SCRIPTS_MAX = 64

export function nextLook(_: unknown, facts: Facts): Look | undefined {
  if (facts.settings?.refused != null) return undefined
  return looksOf(facts).find((look) => !facts.done.includes(keyOf(look)))
}

function looksOf(facts: Facts): Look[] {
  const { plan, settings, pam } = facts
  const known = plan.clients.length > 0 ? plan.clients : (settings?.clients ?? [])
  const hasUser = plan.user !== null
  const isPamUsed = setting(facts, 'usepam') !== 'no'
  const hasMotd = isPamUsed && motdLine(pam?.stack ?? []) !== undefined
  const keys = setting(facts, 'authorizedkeyscommand') ?? 'none'
  return [
    { kind: 'settings' },
    { kind: 'pam' },
    ...(isPamUsed ? [{ kind: 'bus' } as const] : []),
    { kind: 'files' },
    { kind: 'own-name' },
    ...known.slice(0, CLIENTS_MAX).map((address) => ({ kind: 'client', address }) as const),
    ...(hasMotd ? [{ kind: 'motd-list' } as const] : []),
    ...(facts.motdLeft ?? []).slice(0, SCRIPTS_MAX).map((file) => ({ kind: 'motd', file }) as const),
    ...(hasUser ? [{ kind: 'user' } as const] : []),
    ...(hasUser && keys !== 'none' ? [{ kind: 'keys' } as const] : []),
    ...(hasUser ? [{ kind: 'rc' } as const] : []),
    ...(hasUser && plan.login ? [{ kind: 'login' } as const] : []),
  ]
}

const keyOf = (look: Look) => Object.values(look).join(' ')

export function learn(facts: Facts, look: Look, seen: Seen): Facts {
  return {
    ...facts,
    ...seen,
    done: [...facts.done, keyOf(look)],
    names: [...facts.names, ...(seen.names ?? [])],
    motd: [...facts.motd, ...(seen.motd ?? [])],
    files: [...facts.files, ...(seen.files ?? [])],
  }
}

const DOING: Readonly<Record<Look['kind'], string>> = {
  settings: 'reading the settings of sshd',
  pam: 'reading the stack of PAM',
  bus: 'asking systemd-logind',
  files: 'looking at log files',
  'own-name': 'looking up the name of this machine',
  client: 'looking up the name of',
  'motd-list': 'listing the scripts of the message of the day',
  motd: 'timing',
  user: 'looking up the user and their groups',
  keys: 'timing the AuthorizedKeysCommand',
  rc: 'tracing the start of the shell',
  login: 'logging in',
}

export function doing(look: Look): string {
  const of = look.kind === 'client' ? ` ${look.address}` : look.kind === 'motd' ? ` ${look.file}` : ''
  return `${DOING[look.kind]}${of}`
}

/** As sshd says it is; undefined: it has no such setting, or does not say. */
export const setting = ({ settings }: Facts, name: string): string | undefined => settings?.effective.get(name)?.[0]
