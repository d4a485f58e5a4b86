/** Puts a file under its name, whole or not at all. */
import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { codeOf } from './fault.ts'

/** A file that is being written, in the stage. */
export interface Draft {
  readonly path: string
  readonly file: number
  isOpen: boolean
}

export function openDraft(path: string, mode: number): Draft {
  return { path, file: openSync(path, 'wx', mode), isOpen: true }
}

/** Undefined: something has this name. */
export function openFree(path: string, mode: number): Draft | undefined {
  try {
    return openDraft(path, mode)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined
    throw error
  }
}

export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at)
}

/** Its content is there. `seconds`: when it was changed, since 1970. */
export function setTime({ file }: Draft, seconds: number): void {
  try {
    // A file system need not know such a time.
    if (Number.isFinite(seconds)) futimesSync(file, seconds, seconds)
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error
  }
}

/** Over a network it may be only then that it has no room. */
export function closeDraft(draft: Draft): void {
  // Whatever is said then, it is closed.
  draft.isOpen = false
  closeSync(draft.file)
}

/** Whether nothing is left of it. Throws nothing: what went wrong before is what is told. */
export function dropDraft(draft: Draft): boolean {
  try {
    if (draft.isOpen) closeDraft(draft)
  } catch {
    // What was written before is of no use in any case.
  }
  try {
    rmSync(draft.path, { force: true })
    return true
  } catch {
    return false
  }
}

export const SETGID = 0o2000

/** The group that a folder passes on to what is made in it. */
export const passedOn = ({ mode, gid }: Stats): number | undefined => ((mode & SETGID) !== 0 ? gid : undefined)

/** As if it had been made in a folder that passes this group on; where one may not give it, it keeps its own. */
export function setGroup(draft: string, group: number): void {
  try {
    chownSync(draft, -1, group)
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error
  }
}

/** Under this name, in place of what has it. */
export function put(draft: string, folder: string, name: string): void {
  renameSync(draft, `${folder}/${name}`)
}

/** What has this name; undefined: nothing. */
export function there(folder: string, name: string): Stats | undefined {
  return lstatSync(`${folder}/${name}`, { throwIfNoEntry: false })
}

const O_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const PIECE = 262_144
let buffer: Buffer | undefined

/** Whether the file of this name has this content. */
export function hasContent(folder: string, name: string, size: number, crc: number): boolean {
  // Not what a link leads to, and no pipe that would be waited for.
  const file = openSync(`${folder}/${name}`, O_READ)
  try {
    if (!fstatSync(file).isFile()) return false
    buffer ??= Buffer.allocUnsafe(PIECE)
    let sum = 0
    let total = 0
    for (;;) {
      const length = readSync(file, buffer, 0, PIECE, null)
      if (length === 0) return total === size && sum === crc
      sum = crc32(buffer.subarray(0, length), sum)
      total += length
    }
  } finally {
    closeSync(file)
  }
}
