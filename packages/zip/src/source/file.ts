/** An archive in a file. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import type { Source } from './source.ts'

export interface FileSource extends Source {
  readonly file: number
  readInto(buffer: Buffer, start: number, end: number): Buffer
}

const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read; use an account that may',
  EISDIR: 'is a folder; name an archive in it',
}

/** Throws Unseen. The file is held open: what happens to its name later does not matter. */
export function openFile(path: string): FileSource {
  let file: number
  try {
    // A pipe without a writer would be waited for.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw unreadable(path, error)
  }
  const stat = fstatSync(file, { bigint: true })
  if (!stat.isFile()) {
    closeSync(file)
    const what = stat.isDirectory()
      ? REMEDIES.EISDIR
      : 'is no file; an archive is read from its end, so it cannot be a pipe'
    throw new Unseen(`${path}: ${what}`)
  }
  return fileSource(path, file, Number(stat.size))
}

/** Of a file that is open: threads share it. */
export function fileSource(path: string, file: number, size: number): FileSource {
  const cost = { bytes: 0, requests: 0 }
  return {
    name: path,
    file,
    size,
    pace: { waste: 1, gap: 16_384, piece: 4_194_304, parallel: 1 },
    cost,
    async read(start, end) {
      return this.readInto(Buffer.allocUnsafe(end - start), start, end)
    },
    readInto(buffer, start, end) {
      const bytes = buffer.subarray(0, end - start)
      readWhole(file, path, bytes, start)
      cost.bytes += bytes.length
      cost.requests++
      return bytes
    },
    async close() {
      closeSync(file)
    },
  }
}

function readWhole(file: number, path: string, bytes: Buffer, start: number): void {
  let read = 0
  while (read < bytes.length) {
    let length: number
    try {
      length = readSync(file, bytes, read, bytes.length - read, start + read)
    } catch (error) {
      throw unreadable(path, error)
    }
    if (length === 0) throw new Unseen(`${path}: has become shorter while it was read; start again when it is whole`)
    read += length
  }
}

function unreadable(path: string, error: unknown): Unseen {
  const { code = 'unknown' } = error as NodeJS.ErrnoException
  return new Unseen(`${path}: ${REMEDIES[code] ?? `cannot be read (${code})`}`)
}
