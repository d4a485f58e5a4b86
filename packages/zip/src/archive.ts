/** An archive that is open: where its bytes come from, what its end says, and the entries that are wanted of it. */
import { Unseen } from '@fettle/check'
import { size as sizeText } from '@fettle/report'
import { Directory, type Wanted } from './core/directory.ts'
import {
  beginsDirectory,
  COMMENT_MAX,
  END_SIZE,
  END64_SIZE,
  type EndRecord,
  endsIn,
  kindOf,
  LOCAL,
  LOCATOR_SIZE,
  locatorIn,
  withZip64,
} from './core/end.ts'
import type { Source } from './source/source.ts'

export interface Archive {
  readonly source: Source
  readonly end: End
  readonly directory: Directory
}

/** Where the directory is, and what is odd about the end. */
export interface End {
  readonly directoryStart: number
  readonly directorySize: number
  readonly entries: number
  /** What stands before the archive, bytes: its offsets do not count it. */
  readonly shift: number
  readonly isZip64: boolean
  readonly comment: Buffer
  /** Bytes behind the archive. */
  readonly trailing: number
  /** These are zeros. */
  readonly isPadded: boolean
  /** How many records more say that they are the end. */
  readonly otherEnds: number
}

/** What is read at a time. */
const CHUNK = 1_048_576
/** Longer than any record, whose three parts have at most 64 KiB each. */
const RECORD_MAX = 262_144
/** So far from the end something is looked for, when something stands behind the archive. */
const SEARCH_MAX = 16 * CHUNK

export async function readEnd(source: Source): Promise<End> {
  const { name, size } = source
  if (size === 0) throw new Unseen(`${name}: is empty`)
  let looked = 0
  let hasEnd = false
  for (let length = END_SIZE + COMMENT_MAX; looked < size && looked < SEARCH_MAX; length = CHUNK) {
    // What begins before this piece may end in the one before.
    const stop = Math.min(size - looked + (looked === 0 ? 0 : END_SIZE), size)
    const start = Math.max(size - looked - length, 0)
    const tail = await source.read(start, stop)
    const ends = endsIn(tail, start)
    for (const record of ends) {
      const end = await endOf(source, { ...record, trailing: record.trailing + size - stop })
      if (end === undefined) continue
      // Another one reaches to the end of the archive too, and this is in its comment.
      const others = ends.filter(({ at, trailing }) => at < record.at && trailing === 0 && stop === size)
      const behind = tail.subarray(record.at + END_SIZE + record.comment.length - start)
      const isPadded = behind.every((byte) => byte === 0)
      return { ...end, otherEnds: others.length, isPadded }
    }
    hasEnd ||= ends.length > 0
    looked = size - start
  }
  throw new Unseen(`${name}: ${hasEnd ? NO_DIRECTORY : await missing(source)}`)
}

/** Undefined: no directory is where this end says. */
async function endOf(source: Source, record: EndRecord): Promise<Omit<End, 'otherEnds' | 'isPadded'> | undefined> {
  const whole = await zip64Of(source, record)
  if (whole.disk !== whole.directoryDisk || whole.disk > 0) throw new Unseen(`${source.name}: ${SPLIT}`)
  const { directorySize, directoryStart } = whole
  const end = { ...whole, isZip64: whole !== record, trailing: Math.max(record.trailing, 0) }
  // It ends where the end begins; where that is later than it says, something stands before the archive.
  for (const start of [whole.at - directorySize, directoryStart]) {
    // Earlier than it says, something would be missing before it.
    if (start < directoryStart || start + directorySize > whole.at) continue
    if (beginsDirectory(await source.read(start, Math.min(start + 4, source.size)))) {
      return { ...end, directoryStart: start, shift: start - directoryStart }
    }
  }
  return undefined
}

const NO_DIRECTORY =
  'its end is there, but its directory is not where that says; the archive is damaged: copy or fetch it anew'

const SPLIT =
  'is the last part of an archive that was split; with all parts in one folder: zip -s 0 FILE --out whole.zip'

async function zip64Of(source: Source, record: EndRecord): Promise<EndRecord> {
  const behind = record.at - LOCATOR_SIZE
  const locator = behind < 0 ? undefined : locatorIn(await source.read(behind, record.at))
  if (locator === undefined) return record
  // Where something stands before the archive, the record is later than is said: right before this.
  for (const at of [behind - END64_SIZE, locator.at]) {
    if (at < 0 || at + END64_SIZE > behind) continue
    const whole = withZip64(record, await source.read(at, at + END64_SIZE), at)
    if (whole !== undefined) return whole
  }
  return record
}

/** Why there is no end, in a few words. */
async function missing(source: Source): Promise<string> {
  const head = await source.read(0, Math.min(source.size, 512))
  const signature = head.length < 4 ? 0 : head.readUInt32LE(0)
  const isSpanned = signature === 0x08074b50
  if (signature === LOCAL || isSpanned) {
    const parts = 'or it is a part of an archive that was split (then open the last part, or join them)'
    const cut = 'it was cut off when it was copied or is still being written'
    return `its end is missing: ${sizeText(source.size)} of it are there, so ${cut}, ${parts}`
  }
  const kind = kindOf(head)
  return kind === undefined ? 'is no zip archive' : `is no zip archive but ${kind}`
}

/** Reads the directory in large pieces; `wanted` says what is kept of it. */
export async function readDirectory(source: Source, end: End, wanted?: Wanted): Promise<Directory> {
  const { directorySize, shift } = end
  const directory = new Directory(recordsIn(end, directorySize), directorySize, shift, wanted)
  for await (const _ of feeding(source, end, directory));
  return directory
}

/** The same piece by piece, at least one, for what needs each entry but once: it holds the entries of one piece. */
export async function* directoryParts(source: Source, end: End, wanted?: Wanted): AsyncGenerator<Directory> {
  const directory = new Directory(recordsIn(end, CHUNK + RECORD_MAX), CHUNK + RECORD_MAX, end.shift, wanted)
  for await (const _ of feeding(source, end, directory)) {
    yield directory
    directory.clear()
  }
  if (end.directorySize === 0) yield directory
}

/** How many records there may be in so many bytes of the directory. */
const recordsIn = ({ entries }: End, bytes: number) => Math.min(entries, Math.floor(bytes / 46))

async function* feeding(source: Source, { directoryStart, directorySize }: End, directory: Directory) {
  const stop = directoryStart + directorySize
  // A record that is not whole comes again, in front of the next piece.
  const buffer = Buffer.allocUnsafe(CHUNK + RECORD_MAX)
  let left: Buffer = Buffer.alloc(0)
  for (let at = directoryStart; at < stop && directory.brokenAt === undefined; ) {
    const next = Math.min(at + CHUNK, stop)
    left.copy(buffer, 0)
    const room = buffer.subarray(left.length)
    const read = source.readInto?.(room, at, next) ?? (await source.read(at, next))
    if (read.buffer !== buffer.buffer) read.copy(room)
    const chunk = buffer.subarray(0, left.length + next - at)
    left = chunk.subarray(directory.feed(chunk))
    at = next
    if (at === stop || directory.brokenAt !== undefined) directory.finish(left)
    yield
  }
}

/** Throws Unseen. */
export async function openArchive(source: Source, wanted?: Wanted): Promise<Archive> {
  const end = await readEnd(source)
  return { source, end, directory: await readDirectory(source, end, wanted) }
}
