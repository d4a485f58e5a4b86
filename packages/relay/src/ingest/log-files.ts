/** The files of a log: the one that is written, and those that were before it. */
import type { BigIntStats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** A file of a log, as it was when it was looked at. */
export interface LogFile {
  readonly path: string
  /** Device, inode and, where that is known, when the inode was given out: it is given out again and again. */
  readonly id: string
  readonly size: number
  /** When it was last written, nanoseconds since the epoch. */
  readonly writtenAt: bigint
}

/** A folder may hold anything; the newest ones count. */
const FILES_MAX = 1000

/** `*` and `?` in a file's name stand for any letters, and for one. */
export const isPattern = (path: string): boolean => /[*?]/.test(basename(path))

const ROTATED = String.raw`[.-]\d[\dT:._-]*`

/** Names of a log's files: itself, with a number or a date behind it or in front of the extension, and packed. */
export function namesOf(path: string): RegExp {
  const literal = (text: string) =>
    text
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
  const end = extname(path)
  const stem = basename(path, end)
  return new RegExp(`^${literal(stem)}(?:${ROTATED})?${literal(end)}(?:${ROTATED})?(?:\\.gz)?$`)
}

/**
 * The files of a log in the order in which they were last written; a plain name's own file is the last one. One that is
 * being packed is left out until it is gone unpacked.
 */
export async function filesOf(path: string): Promise<LogFile[]> {
  const names = namesOf(path)
  const folder = dirname(path)
  const all = new Set(await readdir(folder))
  const found = Array.from(all).filter(
    (name) => names.test(name) && !(name.endsWith('.gz') && all.has(name.slice(0, -3))),
  )
  const files = (await Promise.all(found.map((name) => lookAt(join(folder, name))))).filter((one) => one !== undefined)
  const isLast = ({ path: other }: LogFile) => (other === path ? 1 : 0)
  return files
    .sort((a, b) => isLast(a) - isLast(b) || Number(a.writtenAt - b.writtenAt) || (a.path < b.path ? -1 : 1))
    .slice(-FILES_MAX)
}

/** Undefined: it is no file, or none any more. */
export async function lookAt(path: string): Promise<LogFile | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found?.isFile() ? describe(path, found) : undefined
}

export function describe(path: string, { dev, ino, birthtimeNs, size, mtimeNs }: BigIntStats): LogFile {
  return { path, id: `${dev}:${ino}:${birthtimeNs}`, size: Number(size), writtenAt: mtimeNs }
}
