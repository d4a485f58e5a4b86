/** A folder in the one that is extracted into, where files are until they are whole. */
import { closeSync, mkdirSync, readdirSync, rmdirSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'
import { codeOf } from './fault.ts'
import { openFolder, pathOf } from './handle.ts'
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
  const own = join(folder, `${PREFIX}${process.pid}`)
  try {
    clear(own)
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
    throw new Unseen(`${folder}: nothing can be written into it (${codeOf(error)}); give another -d FOLDER`)
  }
}

/** A part of it for a thread: in one folder, threads wait for each other with each file. */
export function openShelf(stage: string, thread: number): { readonly path: string; close(): void } {
  const own = `${stage}/${thread}`
  mkdirSync(own, { mode: 0o700 })
  const handle = openFolder(own)
  return { path: pathOf(handle, own), close: () => closeSync(handle) }
}

function sweep(folder: string): boolean {
  const stale = readdirSync(folder).filter((name) => name.startsWith(PREFIX) && !isRunning(name.slice(PREFIX.length)))
  return stale.map((name) => clear(join(folder, name))).some((isCleared) => isCleared)
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
