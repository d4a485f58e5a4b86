/** Archives that are odd or mean harm, each with what should become of it. */
import type { Code } from './codes.ts'
import { type Archive, zip } from './writer.ts'

export interface Odd {
  readonly name: string
  make(): Uint8Array
  readonly flags?: readonly string[]
  readonly expect: Verdict
}

export interface Verdict {
  /** Files: path to content. Nothing else is there afterwards, but for folders on the way. */
  readonly written?: Readonly<Record<string, string | Uint8Array>>
  /** Symbolic links: path to target. */
  readonly links?: Readonly<Record<string, string>>
  /** Folders without anything in them. */
  readonly folders?: readonly string[]
  /** Permissions of some of the files, as with a umask of 022. */
  readonly modes?: Readonly<Record<string, number>>
  /** What is told and is no note: just these. Notes that are told: these at least. */
  readonly told?: readonly Code[]
  /** The archive cannot be read: status 3, and one line that says so. */
  readonly cannot?: RegExp
}

export const odd = (name: string, archive: Archive, expect: Verdict, ...flags: string[]): Odd => ({
  name,
  make: () => zip(archive),
  expect,
  flags,
})

export const raw = (name: string, make: () => Uint8Array, expect: Verdict): Odd => ({ name, make, expect })

/** What stands beside the odd one, and has to come out whole whatever that is. */
export const good = { name: 'good.txt', content: 'good\n' }
export const goodOnly = { 'good.txt': 'good\n' }
