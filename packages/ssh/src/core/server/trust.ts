/** What nobody but root can have put where it is. */

export interface Owned {
  readonly uid: number
  readonly mode: number
}

const GROUP_WRITES = 0o020
const OTHERS_WRITE = 0o002
const STICKY = 0o1000

/** As sshd has it of the commands that it runs (misc.c, safe_path): for the file, and each folder above it. */
export const isRootsAlone = ({ uid, mode }: Owned): boolean => uid === 0 && (mode & (GROUP_WRITES | OTHERS_WRITE)) === 0

/** Who may only add to a folder replaces nothing in it: a group does so where Nix keeps its programs. */
export const isKeptByRoot = (one: Owned): boolean =>
  isRootsAlone(one) || (one.uid === 0 && (one.mode & OTHERS_WRITE) === 0 && (one.mode & STICKY) !== 0)

/** A folder such as /tmp: what root has made in it, nobody else moves away. */
export const isSharedByRoot = (one: Owned): boolean => isRootsAlone(one) || (one.uid === 0 && (one.mode & STICKY) !== 0)

/** /proc/PID/status: whether it runs as root in each way. */
export function isOfRoot(status: string): boolean {
  const ids = /^Uid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? []
  return ids.length === 4 && ids.every((id) => id === '0')
}
