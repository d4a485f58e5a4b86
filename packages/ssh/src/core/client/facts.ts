/** What is known of the logins that were tried, and of what was asked beside them. */
import type { Log } from '../log.ts'
import type { Resolvers } from '../names.ts'
import type { Login } from '../phase.ts'
import type { Answered, Query } from '../query.ts'
import type { TracedLine } from '../trace.ts'
import type { Variant } from './variants.ts'

export interface Facts {
  /** What `ssh -G` says; null: not asked yet. */
  readonly settings: Settings | null
  /** How long `ssh -G` takes without the client's files. */
  readonly bareSeconds: number | null
  readonly runs: readonly Run[]
  readonly doors: readonly DoorSeen[]
  readonly answers: readonly NameSeen[]
  readonly resolvers: Resolvers | null
  /** The client's files that ssh says it has read; null: not looked into. */
  readonly files: readonly ClientFile[] | null
  /** The lines of what a shell reads, the longest first; null: not traced. */
  readonly traced: readonly TracedLine[] | 'failed' | null
  /** Names of ways to log in that ssh itself refuses. */
  readonly untried: readonly string[]
}

export interface ClientFile {
  readonly path: string
  readonly text: string
}

/** The client's settings for this host, as ssh itself reads them. */
export interface Settings {
  /** Lower-case names; of one that stands several times, all values. */
  readonly values: ReadonlyMap<string, readonly string[]>
  /** How long it took to read them. */
  readonly seconds: number
}

/** How a login came to an end; `ready`: it was what was wanted, and we ended it; `stopped`: somebody had enough. */
export type RunEnd = 'over' | 'ready' | 'limit' | 'flood' | 'stopped'

/** One login. */
export interface Run {
  readonly variant: Variant
  /** From 1: runs of one round stand beside each other in time. */
  readonly round: number
  readonly log: Log
  readonly login: Login
  readonly end: RunEnd
  /** Somebody was logged in, and what was asked for was done. */
  readonly isIn: boolean
}

/** A look at the server's port by somebody who is no ssh. Seconds since the beginning; null: it never came. */
export interface DoorSeen {
  readonly address: string
  readonly connected: number | null
  readonly banner: number | null
  /** Why it ended, in the words of the system; null: it did not. */
  readonly error: string | null
}

/** What came of a query. */
export interface NameSeen extends Query, Answered {}

/** As long as a resolver of glibc waits, and a bit. */
export const NAME_LIMIT_SECONDS = 5.5

export const noFacts: Facts = {
  settings: null,
  bareSeconds: null,
  runs: [],
  doors: [],
  answers: [],
  resolvers: null,
  files: null,
  traced: null,
  untried: [],
}

/** The first value of a setting; undefined: there is none, or it is `none`. */
export function settingOf({ settings }: Facts, name: string): string | undefined {
  const value = settings?.values.get(name)?.[0]
  return value === undefined || value === 'none' ? undefined : value
}

export const isProxied = (facts: Facts): boolean =>
  settingOf(facts, 'proxycommand') !== undefined || settingOf(facts, 'proxyjump') !== undefined

export const runsOf = ({ runs }: Facts, name: string): readonly Run[] =>
  runs.filter(({ variant }) => variant.name === name)
