/** Where the bytes of an archive come from. */
import type { Pace } from '../core/spans.ts'

export interface Source {
  /** As people are told: a path, or a URL without its password and query. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** The handle of a file, which threads share; undefined: it is none. */
  readonly file?: number
  /**
   * Exactly the bytes from `start` up to `end` (not included), both within the size. Throws Unseen, with what, where
   * and what to do, when they cannot be had or when the archive is no longer the one that was opened.
   */
  read(start: number, end: number): Promise<Buffer>
  /**
   * The same into a buffer of the caller's that is large enough, and at once, where that is possible. What it held is
   * gone.
   */
  readInto?(buffer: Buffer, start: number, end: number): Buffer
  /** What makes reading it quick. */
  readonly pace: Pace
  /** What reading has cost so far. */
  readonly cost: Cost
  close(): Promise<void>
}

export interface Cost {
  readonly bytes: number
  readonly requests: number
}
