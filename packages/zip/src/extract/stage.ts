/** A folder in the one that is extracted into, where files are until they are whole. */
import { closeSync, constants, existsSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'
import { codeOf } from './fault.ts'

const PREFIX = '.fettle-zip-'
const HANDLES = `/proc/${process.pid}/fd`

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
    rmSync(own, { recursive: true, force: true })
    mkdirSync(own, { mode: 0o700 })
    const handle = openSync(own, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    return {
      path: existsSync(HANDLES) ? `${HANDLES}/${handle}` : own,
      isResumed,
      close() {
        closeSync(handle)
        rmSync(own, { recursive: true, force: true })
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
  const handle = openSync(own, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  return { path: existsSync(HANDLES) ? `${HANDLES}/${handle}` : own, close: () => closeSync(handle) }
}

function sweep(folder: string): boolean {
  const stale = readdirSync(folder).filter((name) => name.startsWith(PREFIX) && !isRunning(name.slice(PREFIX.length)))
  for (const name of stale) rmSync(join(folder, name), { recursive: true, force: true })
  return stale.length > 0
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
