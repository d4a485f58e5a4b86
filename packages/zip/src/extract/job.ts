/** What is to be written, as threads share it. All of it can be posted to one. */
import type { Columns } from '../core/directory.ts'
import type { Spans } from '../core/spans.ts'

/** What becomes of a file that is there with other content. */
export type Existing = 'skip' | 'overwrite' | 'newer' | 'rename'

export interface Job {
  readonly archive: { readonly name: string; readonly size: number; readonly file: number | undefined }
  readonly columns: Columns
  /** Entries to be written, by their offset. */
  readonly order: Uint32Array
  readonly spans: Spans
  /** How names are decoded that do not say it. */
  readonly encoding: string
  readonly strip: number
  readonly existing: Existing
  readonly secret: Uint8Array | undefined
  /** Where files go; undefined: nowhere, they are only looked at. */
  readonly output: Output | undefined
  readonly control: Control
}

export interface Output {
  readonly folder: string
  /** Nothing was in it. */
  readonly isNew: boolean
  /** A folder in it, by a handle, where files are written before they get their names. */
  readonly stage: string
  /** New folders get their names later, with what is in them: one thread writes, each entry under its own name. */
  readonly hidesNew: boolean
}

/** Shared memory in which threads see how far the others are. */
export interface Control {
  /** By NEXT and STOP. */
  readonly state: Int32Array
  /** Bytes and files that are done, of all threads. */
  readonly done: BigInt64Array
  /** What became of each entry, by OUTCOME. */
  readonly outcomes: Uint8Array
  /** Bytes and reads of threads that have a source of their own. */
  readonly reads: BigInt64Array
}

/** The next piece that nobody has taken; whether to stop: 1 it was asked for, 2 nothing can be written any more. */
export const NEXT = 0
export const STOP = 1
export const BYTES = 0
export const FILES = 1
export const READS = 1

export const OUTCOME = { pending: 0, written: 1, same: 2, left: 3 } as const

export function newControl(entries: number): Control {
  return {
    state: new Int32Array(new SharedArrayBuffer(8)),
    done: new BigInt64Array(new SharedArrayBuffer(16)),
    outcomes: new Uint8Array(new SharedArrayBuffer(entries)),
    reads: new BigInt64Array(new SharedArrayBuffer(16)),
  }
}
