/**
 * The folder that is extracted into, by handles: each folder below it is opened from the one above without following
 * links, and files are named from there. Whoever puts a link where a folder was leads nobody astray.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { codeOf } from './fault.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
/** Where handles have names; elsewhere than on Linux the paths must do. */
const HANDLES = `/proc/${process.pid}/fd`

/** Whether this /proc is that of this process: left over from another namespace it has others under our number. */
function ownHandles(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid)
  } catch {
    return false
  }
}

const hasHandles = ownHandles()

/** A name for an open folder that leads nowhere else, where there are such. */
export const pathOf = (handle: number, otherwise: string) => (hasHandles ? `${HANDLES}/${handle}` : otherwise)
/** Folders that are held open, by each thread: a process may have 1024 files open, where nobody has said otherwise. */
const OPEN_MAX = 100

export interface Opened {
  readonly handle: number
  /** A name for it that leads nowhere else. */
  readonly path: string
  /** We have made it, so nothing is in it but what we have put there. */
  readonly isOurs: boolean
}

/** Something else stands where a folder should be. */
export class Blocked extends Error {}

export class Folder {
  /** As it was given. */
  readonly name: string
  readonly #root: Opened
  /** By their paths from here, the one that was used last at the end. */
  readonly #opened = new Map<string, Opened>()
  readonly #made: Set<string>

  /** Throws Unseen. `isNew`: nothing was in it before. */
  constructor(name: string, isNew: boolean) {
    this.name = name
    this.#made = new Set()
    try {
      const handle = openSync(name, O_RDONLY | O_DIRECTORY)
      this.#root = { handle, path: pathOf(handle, realpathSync(name)), isOurs: isNew }
    } catch (error) {
      throw new Unseen(`${name}: cannot be written into (${codeOf(error)}); give another -d FOLDER`)
    }
  }

  /**
   * The folder of these names, made where it is missing. Throws Blocked where something else stands in the way, and
   * what the file system says. `depth`: how many of the names are folders.
   */
  open(segments: readonly string[], depth: number): Opened {
    if (depth === 0) return this.#root
    const key = depth === 1 ? segments[0]! : segments.slice(0, depth).join('/')
    const known = this.#opened.get(key)
    if (known !== undefined) return known
    const opened = this.#enter(this.open(segments, depth - 1), segments[depth - 1]!, key)
    if (this.#opened.size >= OPEN_MAX) this.#forget()
    this.#opened.set(key, opened)
    return opened
  }

  #enter(above: Opened, name: string, key: string): Opened {
    const path = `${above.path}/${name}`
    let isOurs = this.#made.has(key)
    if (!isOurs) {
      try {
        mkdirSync(path)
        isOurs = true
        this.#made.add(key)
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
    }
    if (!hasHandles && !lstatSync(path).isDirectory()) throw new Blocked(`${key} is no folder`)
    try {
      const handle = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      return { handle, path: pathOf(handle, path), isOurs }
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP') throw new Blocked(`${key} is no folder`)
      throw error
    }
  }

  #forget(): void {
    const [oldest] = this.#opened.keys()
    closeSync(this.#opened.get(oldest!)!.handle)
    this.#opened.delete(oldest!)
  }

  close(): void {
    for (const { handle } of this.#opened.values()) closeSync(handle)
    this.#opened.clear()
    closeSync(this.#root.handle)
  }
}
