/** A folder in the one that is extracted into, where files are until they are whole. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'
import { codeOf, fatal } from './fault.ts'
import { openFolder, pathOf, standIn } from './handle.ts'
import { HIDDEN } from './hidden.ts'

const PREFIX = '.fettle-zip-'
/** As drafts are called, shelves, and folders that have no name yet. */
const DRAFT = new RegExp(`^(?:\\d+(?:-\\d+)?|link|${HIDDEN}\\d+)$`)

export interface Stage {
  /** By a handle, where there are such. */
  readonly path: string
  /** Another one was there, of a run that was ended half-way. */
  readonly isResumed: boolean
  close(): void
}

/** Clears away those of runs that were killed. Throws Unseen. */
export function openStage(folder: string): Stage {
  const isResumed = sweep(folder)
  const own = join(folder, stageName())
  try {
    mkdirSync(own, { mode: 0o700 })
    const handle = openFolder(own)
    return {
      path: pathOf(handle, own),
      isResumed,
      close() {
        closeSync(handle)
        clear(own)
      },
    }
  } catch (error) {
    throw unwritable(folder, error)
  }
}

/** A part of a stage, for one thread: in one folder, threads wait for each other with each file. */
export interface Shelf {
  /** From where we are. */
  readonly path: string
  close(): void
}

/**
 * `folder`: the one that is extracted into. `isAlone`: no other thread is at work, so that we may stand in it until it
 * is closed. Throws Unseen.
 */
export function openShelf(folder: string, stage: string, thread: number, isAlone: boolean): Shelf {
  const own = `${stage}/${thread}`
  try {
    mkdirSync(own, { mode: 0o700 })
    const handle = openFolder(own)
    const goBack = isAlone ? standIn(handle) : undefined
    return {
      path: goBack === undefined ? pathOf(handle, own) : '.',
      close() {
        closeSync(handle)
        goBack?.()
      },
    }
  } catch (error) {
    throw unwritable(folder, error)
  }
}

const unwritable = (folder: string, error: unknown) =>
  new Unseen(
    `${folder}: ${fatal(error) ?? `nothing can be written into it (${codeOf(error)})`}; give another -d FOLDER`,
  )

/** An archive has no entry of that name, for nobody could know it. */
const stageName = () => `${PREFIX}${process.pid}-${here()}-${Math.random().toString(36).slice(2, 10)}`

/** Where numbers of processes mean something: this machine since it was started, and in it this namespace. */
function here(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
    return `${boot}${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))}`
  } catch {
    return ''
  }
}

/** From elsewhere, nobody knows whether it still runs. */
const OLD_MS = 86_400_000

function sweep(folder: string): boolean {
  const stale = readdirSync(folder).filter((name) => name.startsWith(PREFIX) && isStale(folder, name))
  return stale.map((name) => clear(join(folder, name))).some((isCleared) => isCleared)
}

function isStale(folder: string, name: string): boolean {
  const [pid = '', where] = name.slice(PREFIX.length).split('-')
  if (where === here()) return !isRunning(pid)
  const stat = lstatSync(join(folder, name), { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs > OLD_MS
}

/**
 * Takes away what runs of ours leave, and nothing else: an archive may have a folder of such a name, and whoever shares
 * the folder may put a link there. Whether it was one. `isShelf`: it is a part of one.
 */
function clear(own: string, isShelf = false): boolean {
  let handle: number | undefined
  try {
    handle = openFolder(own)
    const path = pathOf(handle, own)
    const things = readdirSync(path, { withFileTypes: true })
    if (!things.every(({ name }) => DRAFT.test(name))) return false
    for (const thing of things) {
      const inner = join(path, thing.name)
      if (!thing.isDirectory()) unlinkSync(inner)
      else if (isShelf && thing.name.startsWith(HIDDEN)) rmSync(inner, { recursive: true })
      else if (isShelf || !clear(inner, true)) return false
    }
    rmdirSync(own)
    return true
  } catch {
    // It is not there, not ours, or somebody else clears it away too.
    return false
  } finally {
    if (handle !== undefined) closeSync(handle)
  }
}

function isRunning(pid: string): boolean {
  if (!/^\d{1,10}$/.test(pid)) return true
  if (Number(pid) === process.pid) return false
  try {
    process.kill(Number(pid), 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}
