/** The content of entries, one after the other: to standard output, or into one file. */
import { closeSync, fstatSync, openSync, realpathSync, renameSync, rmSync, type Stats, statSync } from 'node:fs'
import { EXIT, type Io, type Status, Unseen } from '@fettle/check'
import { Damaged } from './core/damaged.ts'
import { kindOf } from './core/entry.ts'
import { Refused } from './core/refused.ts'
import { byOffset, reach, SLACK } from './core/spans.ts'
import { contentStream, prepare } from './decode/content.ts'
import { dataOf, dataStream, NOTHING, nameOf, placeOf } from './entries.ts'
import { codeOf } from './extract/fault.ts'
import { writeAll } from './extract/place.ts'
import type { Found } from './meant.ts'
import type { Meant } from './options.ts'
import { secretFor } from './secret.ts'
import type { Source } from './source/source.ts'

/** What of an entry comes out is only known to be right at its end: the status then says whether it was. */
export async function writeContents(found: Found, meant: Meant, output: string, io: Io): Promise<Status> {
  const { archive, selected } = found
  const { columns } = archive.directory
  const files = byOffset(
    columns,
    selected.filter((entry) => kindOf(columns, entry) !== 'folder'),
  )
  const secret = await secretFor(found, meant, io)
  const sink = output === '-' ? standardOutput(io) : fileSink(output, io, archive.source)
  let isWhole = true
  try {
    for (const entry of files) {
      if (sink.isStopped()) break
      try {
        for await (const part of contentOfEntry(found, entry, secret)) await sink.write(part)
      } catch (error) {
        if (!(error instanceof Damaged || error instanceof Refused)) throw error
        isWhole = false
        io.complain(`${nameOf(columns, entry, found.decode)}: ${error.message}`)
      }
    }
  } catch (error) {
    sink.drop()
    throw error
  }
  sink.finish(isWhole)
  if (sink.isStopped()) return EXIT.couldNot
  return isWhole ? EXIT.nothing : EXIT.findings
}

/** Throws Damaged or Refused, perhaps at its very end. */
export async function* contentOfEntry({ archive }: Found, entry: number, secret: Uint8Array | undefined) {
  const { source, end, directory } = archive
  const { columns } = directory
  const start = columns.offset[entry]!
  const stop = Math.min(reach(columns, entry) + SLACK, end.directoryStart)
  const isSmall = stop > start && stop - start <= source.pace.piece
  const piece = isSmall ? { start, bytes: await source.read(start, stop) } : NOTHING
  const { data, stored } = await placeOf(source, columns, entry, piece)
  await prepare(stored)
  const parts = isSmall
    ? one(await dataOf(source, columns, entry, piece, data))
    : dataStream(source, columns, entry, data)
  yield* contentStream(stored, parts, secret)
}

async function* one(part: Buffer): AsyncGenerator<Buffer> {
  yield part
}

interface Sink {
  write(part: Buffer): Promise<void>
  /** It was asked to stop. */
  isStopped(): boolean
  /** `isWhole`: all of it is right. Throws Unseen. */
  finish(isWhole: boolean): void
  /** What was written is of no use. */
  drop(): void
}

function standardOutput(io: Io): Sink {
  // Nothing is left behind, so signals end it as they end any program.
  return { write: (part) => io.write(part), isStopped: () => false, finish() {}, drop() {} }
}

/** Into what is no file, such as a device or a pipe, parts go as they come. Throws Unseen. */
function fileSink(path: string, io: Io, source: Source): Sink {
  try {
    const known = statSync(path, { throwIfNoEntry: false })
    if (known === undefined) return wholeFile(path, path, io)
    if (known.isDirectory()) throw new Unseen(`${path}: is a folder; --output names a file, --directory a folder`)
    if (!known.isFile()) return openEnd(path, io)
    if (source.file !== undefined && isSame(fstatSync(source.file), known)) {
      throw new Unseen(`${path}: is the archive itself; give another --output FILE`)
    }
    return wholeFile(path, realpathSync(path), io)
  } catch (error) {
    throw unwritable(path, error)
  }
}

const isSame = (one: Stats, other: Stats) => one.dev === other.dev && one.ino === other.ino

function unwritable(path: string, error: unknown): unknown {
  const isOfSystem = error instanceof Error && 'syscall' in error
  return isOfSystem ? new Unseen(`${path}: cannot be written (${codeOf(error)})`) : error
}

const into = (path: string, file: number) => async (part: Buffer) => {
  try {
    writeAll(file, part)
  } catch (error) {
    throw unwritable(path, error)
  }
}

function openEnd(path: string, { signal }: Io): Sink {
  const file = openSync(path, 'w')
  return {
    isStopped: () => signal.aborted,
    write: into(path, file),
    finish: () => closeSync(file),
    drop: () => closeSync(file),
  }
}

/** Under its name only when it is whole. `target`: the same, with no links in it. */
function wholeFile(path: string, target: string, { signal, complain }: Io): Sink {
  const draft = `${target}.${process.pid}`
  const file = openSync(draft, 'wx')
  const finish = (isWhole: boolean) => {
    closeSync(file)
    if (isWhole && !signal.aborted) return renameSync(draft, target)
    rmSync(draft, { force: true })
    if (signal.aborted) complain(`stopped; ${path} was not written`)
    else complain(`${path}: was not written, for not all of it is right`)
  }
  return {
    isStopped: () => signal.aborted,
    write: into(path, file),
    finish(isWhole) {
      try {
        finish(isWhole)
      } catch (error) {
        rmSync(draft, { force: true })
        throw unwritable(path, error)
      }
    },
    drop() {
      closeSync(file)
      rmSync(draft, { force: true })
    },
  }
}
