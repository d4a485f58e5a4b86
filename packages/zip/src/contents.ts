/** The content of entries, one after the other: to standard output, or into one file. */
import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import { EXIT, type Io, type Status, Unseen } from '@fettle/check'
import { Damaged } from './core/damaged.ts'
import { Refused } from './core/refused.ts'
import { byOffset, reach, SLACK } from './core/spans.ts'
import { contentStream, prepare } from './decode/content.ts'
import { dataOf, dataStream, headerOf, kindOf, nameOf, storedOf } from './entries.ts'
import { codeOf } from './extract/fault.ts'
import { writeAll } from './extract/place.ts'
import type { Found } from './meant.ts'
import type { Meant } from './options.ts'
import { secretFor } from './secret.ts'

const NOTHING = { bytes: Buffer.alloc(0), start: 0 }

/** What of an entry comes out is only known to be right at its end: the status then says whether it was. */
export async function writeContents(found: Found, meant: Meant, output: string, io: Io): Promise<Status> {
  const { archive, selected } = found
  const { columns } = archive.directory
  const files = byOffset(
    columns,
    selected.filter((entry) => kindOf(columns, entry) !== 'folder'),
  )
  const secret = await secretFor(found, meant, io)
  const sink = output === '-' ? standardOutput(io) : fileSink(output, io)
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
    sink.finish(isWhole)
  } catch (error) {
    sink.finish(false)
    throw error
  }
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
  const [held, { header, data }] = await headerOf(source, columns, entry, piece)
  const stored = storedOf(columns, entry, held.bytes.readUInt16LE(header + 10))
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
  /** `isWhole`: all of it is right. */
  finish(isWhole: boolean): void
}

function standardOutput(io: Io): Sink {
  // Nothing is left behind, so signals end it as they end any program.
  return { write: (part) => io.write(part), isStopped: () => false, finish() {} }
}

/** Under its name only when it is whole. Throws Unseen. */
function fileSink(path: string, { signal }: Io): Sink {
  const draft = `${path}.${process.pid}`
  const failed = (error: unknown) => new Unseen(`${path}: cannot be written (${codeOf(error)})`)
  let file: number
  try {
    file = openSync(draft, 'wx')
  } catch (error) {
    throw failed(error)
  }
  return {
    isStopped: () => signal.aborted,
    async write(part) {
      try {
        writeAll(file, part)
      } catch (error) {
        throw failed(error)
      }
    },
    finish(isWhole) {
      closeSync(file)
      if (isWhole && !signal.aborted) renameSync(draft, path)
      else rmSync(draft, { force: true })
    },
  }
}
