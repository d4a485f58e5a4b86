/**
 * The folder that is extracted into, by handles: each folder below it is opened from the one above without following
 * links, and files are named from there. Whoever puts a link where a folder was leads nobody astray.
 */
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, realpathSync, renameSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { codeOf } from './fault.ts'
import { hasHandles, openFolder, pathOf } from './handle.ts'
import { type Hidden, hide, isHidden } from './hidden.ts'
import { passedOn, there } from './place.ts'

/** Folders that are held open, by each thread: a process may have 1024 files open, where nobody has said otherwise. */
const OPEN_MAX = 100
/** With a longer name, in UTF-16 units, a folder in the stage is a handle too: 4,095 bytes are the most of a name. */
const NEAR_MAX = 1000

export interface Opened {
  /** Undefined: it is in a part of the stage, where nobody else has anything to do, and not far down. */
  readonly handle: number | undefined
  /** A name for it that leads nowhere else. */
  readonly path: string
  /** We have made it, so nothing is in it but what we have put there. */
  readonly isOurs: boolean
  /** It is a part of this one, or it itself, which nobody else sees as long as it has no name. */
  readonly hidden: Hidden | undefined
  /** The group that what is made in it has; what is moved into it does not get that by itself. */
  readonly group: number | undefined
}

/** Something else stands where a folder should be. */
export class Blocked extends Error {}

export class Folder {
  /** As it was given. */
  readonly name: string
  readonly #root: Opened
  /** The group that the stage, which is in this folder, has from it. */
  readonly #group: number | undefined
  /** By their paths from here, the one that was used last at the end. */
  readonly #opened = new Map<string, Opened>()
  readonly #made = new Set<string>()
  #shelf: string | undefined
  /** Those without a name, by the paths that they will have. */
  readonly #hidden = new Map<string, Hidden>()
  #hides = 0

  /** Throws Unseen. `isNew`: nothing was in it before. */
  constructor(name: string, isNew: boolean) {
    this.name = name
    try {
      const handle = openSync(name, constants.O_RDONLY | constants.O_DIRECTORY)
      this.#root = {
        handle,
        path: pathOf(handle, realpathSync(name)),
        isOurs: isNew,
        hidden: undefined,
        group: undefined,
      }
      this.#group = passedOn(fstatSync(handle))
    } catch (error) {
      throw new Unseen(`${name}: cannot be written into (${codeOf(error)}); give another -d FOLDER`)
    }
  }

  /** Folders that are new are made in this part of the stage from now on, and get their names later. */
  hideIn(shelf: string): void {
    // Without handles, what is in them would have another path afterwards.
    if (hasHandles) this.#shelf = shelf
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
    if (this.#opened.size >= OPEN_MAX) this.#forget(this.#opened.keys().next().value!)
    this.#opened.set(key, opened)
    return opened
  }

  #enter(above: Opened, name: string, key: string): Opened {
    const hidden = this.#hidden.get(key) ?? this.#hide(above, name, key)
    if (hidden !== undefined) return this.#openAt(hidden.path, key, true, hidden)
    const path = `${above.path}/${name}`
    return this.#openAt(path, key, this.#made.has(key) || this.#make(path, key), above.hidden)
  }

  /** Makes one that gets its name later, where it may. */
  #hide(above: Opened, name: string, key: string): Hidden | undefined {
    // In one that others have made, it is to be as they have arranged (setgid, default ACL).
    const mayHide = !isHidden(above.hidden) && (above.isOurs || above === this.#root) && !this.#made.has(key)
    if (this.#shelf === undefined || !mayHide || there(above.path, name) !== undefined) return undefined
    const hidden = hide(this.#shelf, this.#hides++)
    this.#hidden.set(key, hidden)
    this.#made.add(key)
    return hidden
  }

  /** Whether it was missing. */
  #make(path: string, key: string): boolean {
    try {
      mkdirSync(path)
      this.#made.add(key)
      return true
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      return false
    }
  }

  #openAt(path: string, key: string, isOurs: boolean, hidden: Hidden | undefined): Opened {
    if (isHidden(hidden) && path.length <= NEAR_MAX)
      return { handle: undefined, path, isOurs, hidden, group: undefined }
    if (!hasHandles && !lstatSync(path).isDirectory()) throw new Blocked(`${key} is no folder`)
    try {
      const handle = openFolder(path)
      const group = passedOn(fstatSync(handle))
      const isStages = group === this.#group
      return { handle, path: pathOf(handle, path), isOurs, hidden, group: isStages ? undefined : group }
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ELOOP') throw new Blocked(`${key} is no folder`)
      throw error
    }
  }

  /**
   * Folders that have no name yet get it. `single`: where that cannot be, since somebody else has made it meanwhile or
   * the file system moves no folders, what is in it has to be put there one by one. `depth`: how many names lead to it.
   */
  giveNames(single: (hidden: Hidden, depth: number) => void): void {
    for (const [key, hidden] of this.#hidden) {
      const segments = key.split('/')
      this.#hidden.delete(key)
      hidden.isNamed = true
      this.#forgetIn(key)
      if (!hidden.isSpoilt && this.#isNamed(hidden, segments)) continue
      for (const path of this.#made) if (isIn(key, path)) this.#made.delete(path)
      // Hidden once more, they would get no name once more, and so without end.
      this.#shelf = undefined
      single(hidden, segments.length)
    }
  }

  #isNamed({ path }: Hidden, segments: readonly string[]): boolean {
    try {
      const above = this.open(segments, segments.length - 1).path
      const name = segments.at(-1)!
      // A rename would take the place of a folder in which nothing is yet.
      if (there(above, name) !== undefined) return false
      renameSync(path, `${above}/${name}`)
      return true
    } catch {
      // Why it cannot be, each file in it will tell.
      return false
    }
  }

  /** What was at this path and below it is elsewhere now. */
  #forgetIn(key: string): void {
    for (const path of this.#opened.keys()) if (isIn(key, path)) this.#forget(path)
  }

  #forget(key: string): void {
    closeIfOpen(this.#opened.get(key)!)
    this.#opened.delete(key)
  }

  close(): void {
    for (const opened of this.#opened.values()) closeIfOpen(opened)
    this.#opened.clear()
    closeIfOpen(this.#root)
  }
}

const isIn = (key: string, path: string) => path === key || path.startsWith(`${key}/`)

function closeIfOpen({ handle }: Opened): void {
  if (handle !== undefined) closeSync(handle)
}
