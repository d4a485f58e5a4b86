/** A command as the program knows it: what it takes, as data, and what it does. */
import type { Io } from './io.ts'

/** Exit statuses of every command. */
export const EXIT = {
  nothing: 0,
  findings: 1,
  /** The request was wrong. */
  wrong: 2,
  /** Could not look: unreachable, refused, missing. */
  couldNot: 3,
} as const
export type Status = (typeof EXIT)[keyof typeof EXIT]

/** A value or everything that is wrong, each in one line: what, where it was given, what to do. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly string[] }

export interface Flag {
  /** Without dashes; in `Given` under this name. */
  readonly name: string
  /** One letter that means the same, where programs that everybody knows have it. */
  readonly letter?: string
  /** What stands for its value in help; left out: it has none. */
  readonly value?: string
  /** The value may be left out. */
  readonly optional?: true
  /** It may be given several times. */
  readonly many?: true
  readonly says: string
}

export interface Argument {
  readonly name: string
  readonly many?: true
  readonly optional?: true
  readonly says: string
}

/** What was typed. */
export interface Given {
  readonly arguments: readonly string[]
  /** `true` for a flag without a value, a list for one of `many`; what was not given is not there. */
  readonly flags: Readonly<Record<string, string | true | readonly string[]>>
}

/** `O`: what it needs to know, read whole and before anything is touched. */
export interface Command<O> {
  /** With its group, if it has one: `redis explain`, `compare`. */
  readonly name: string
  readonly summary: string
  /** In their order; only the last one may be there many times. */
  readonly arguments: readonly Argument[]
  readonly flags: readonly Flag[]
  /** Shown in help; a test runs each of them. */
  readonly examples: readonly string[]
  read(given: Given): Outcome<O>
  run(options: O, io: Io): Promise<Status>
}

/** What could not be looked at; the message is one line: what, why, what to do. */
export class Unseen extends Error {}
