/** Open folders by names that lead nowhere else, whoever renames or links what: Node has no openat(2). */
import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { codeOf } from './fault.ts'

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

export const hasHandles = ownHandles()

/** A name for an open folder, where there are such. */
export const pathOf = (handle: number, otherwise: string) => (hasHandles ? `${HANDLES}/${handle}` : otherwise)

/**
 * From now on relative names begin in this folder, in all of the process: like those of `pathOf` they lead nowhere
 * else, and the system finds what they mean in less time. Returns how to go back, which throws Unseen; undefined:
 * nothing has changed.
 */
export function standIn(handle: number): (() => void) | undefined {
  if (!hasHandles) return undefined
  let before: number
  try {
    before = openFolder('.')
  } catch {
    return undefined
  }
  try {
    process.chdir(`${HANDLES}/${handle}`)
  } catch {
    closeSync(before)
    return undefined
  }
  return () => {
    try {
      process.chdir(`${HANDLES}/${before}`)
    } catch (error) {
      throw new Unseen(`the folder in which this was started may not be used any more (${codeOf(error)})`)
    } finally {
      closeSync(before)
    }
  }
}

/** ENOTDIR or ELOOP where a link has its name. */
export const openFolder = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
