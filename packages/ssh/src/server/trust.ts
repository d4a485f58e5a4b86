/** Files that root may read, run, or put something beside, whoever else is on this machine. */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Owned } from '../core/server/trust.ts'

/** Whether it and each folder above it is so, once all links are followed. */
export function isAllTheWay(path: string, isFine: (one: Owned) => boolean): boolean {
  try {
    for (let one = realpathSync(path); ; one = dirname(one)) {
      if (!isFine(statSync(one))) return false
      if (one === '/') return true
    }
  } catch {
    return false
  }
}

/** open(2): nothing of it is opened, so that a device or a pipe does not notice. */
const O_PATH = 0o10000000

/** What a file holds that may be anybody's; undefined: it is no file, cannot be read, or is longer than that. */
export function readFileOfOthers(path: string, most: number): Buffer | undefined {
  try {
    return withOpen(path, O_PATH | constants.O_NOCTTY, (place) => {
      if (!fstatSync(place).isFile()) return undefined
      return withOpen(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_NONBLOCK, (file) =>
        readAtMost(file, most),
      )
    })
  } catch {
    return undefined
  }
}

function withOpen<T>(path: string, flags: number, use: (descriptor: number) => T): T {
  const descriptor = openSync(path, flags)
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** It may grow meanwhile. */
function readAtMost(file: number, most: number): Buffer | undefined {
  if (fstatSync(file).size > most) return undefined
  const parts: Buffer[] = []
  for (let left = most; left >= 0; ) {
    const part = Buffer.alloc(Math.min(left + 1, 64 * 1024))
    const read = readSync(file, part)
    if (read === 0) return Buffer.concat(parts)
    parts.push(part.subarray(0, read))
    left -= read
  }
  return undefined
}
