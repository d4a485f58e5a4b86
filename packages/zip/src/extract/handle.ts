/** Open folders by names that lead nowhere else, whoever renames or links what: Node has no openat(2). */
import { constants, openSync, readlinkSync } from 'node:fs'

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

/** ENOTDIR or ELOOP where a link has its name. */
export const openFolder = (path: string): number =>
  openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
