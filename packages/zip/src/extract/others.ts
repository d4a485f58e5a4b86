/** What is made when all files are there: symbolic links, and what is said of folders. */
import { fchmodSync, fstatSync, futimesSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { modifiedMs } from '../core/directory.ts'
import { modeOf } from '../core/entry.ts'
import type { Plan } from '../core/plan.ts'
import { byOffset, spansOf } from '../core/spans.ts'
import { judgeLink, linkRefusalWords } from '../core/symlink.ts'
import { contentOf, prepare } from '../decode/content.ts'
import { type Decode, dataOf, NOTHING, nameOf, type Piece, placeOf } from '../entries.ts'
import type { Source } from '../source/source.ts'
import { fatal } from './fault.ts'
import { Folder } from './folder.ts'
import { type Job, OUTCOME } from './job.ts'
import { SETGID, there } from './place.ts'
import { whyOf } from './work.ts'
import { segmentsOf } from './write.ts'

/** A longer one leads nowhere on any system. */
const LINK_MAX = 4096

/** Each is the last thing that is made where it is, so nothing is ever written through one. */
export async function makeLinks(job: Job, source: Source, decode: Decode, { links, tally }: Plan): Promise<void> {
  const folder = new Folder(job.output!.folder, false)
  const { size, compressed } = job.columns
  try {
    const isLong = (entry: number) => size[entry]! > LINK_MAX || compressed[entry]! > 2 * LINK_MAX
    for (const entry of links.filter(isLong)) {
      tally.add('symlink-outside', nameOf(job.columns, entry, decode), linkRefusalWords.long)
    }
    for await (const [entry, piece] of withPieces(
      job,
      source,
      links.filter((entry) => !isLong(entry)),
    )) {
      const name = nameOf(job.columns, entry, decode)
      try {
        const text = await linkText(job, source, entry, piece)
        const segments = segmentsOf(job, entry, decode)
        const verdict = judgeLink(segments, text)
        if (!verdict.ok) tally.add('symlink-outside', name, linkRefusalWords[verdict.why])
        else job.control.outcomes[entry] = makeLink(job, folder, segments, text)
        if (job.control.outcomes[entry] === OUTCOME.left) tally.add('exists', name)
      } catch (error) {
        checkRoom(job, error)
        tally.add(...named(name, whyOf(error)))
      }
    }
  } finally {
    folder.close()
  }
}

const named = (name: string, [what, detail]: ReturnType<typeof whyOf>) => [what, name, detail] as const

/** Throws Unseen when nothing more can be written at all. */
function checkRoom({ output }: Job, error: unknown): void {
  const reason = fatal(error)
  if (reason !== undefined) throw new Unseen(`${output!.folder}: ${reason}`)
}

/** Those that lie near each other are read together: each by itself would be three requests. */
async function* withPieces({ columns }: Job, source: Source, links: Uint32Array): AsyncGenerator<[number, Piece]> {
  const order = byOffset(columns, links)
  const spans = spansOf(columns, order, source.size, source.pace)
  for (let span = 0; span < spans.count; span++) {
    const [start, end] = [spans.start[span]!, spans.end[span]!]
    // What lies outside is told when it is looked for there.
    const piece = start >= 0 && start < end ? { start, bytes: await source.read(start, end) } : NOTHING
    for (let i = spans.first[span]!; i < spans.first[span + 1]!; i++) yield [order[i]!, piece]
  }
}

async function linkText({ columns, secret }: Job, source: Source, entry: number, piece: Piece): Promise<string> {
  const { data, stored } = await placeOf(source, columns, entry, piece)
  await prepare(stored)
  return contentOf(stored, await dataOf(source, columns, entry, piece, data), secret).toString()
}

function makeLink({ output, existing }: Job, folder: Folder, segments: readonly string[], text: string): number {
  const { path } = folder.open(segments, segments.length - 1)
  const name = segments.at(-1)!
  const stat = there(path, name)
  if (stat?.isSymbolicLink() && readlinkSync(`${path}/${name}`) === text) return OUTCOME.same
  if (stat !== undefined && existing !== 'overwrite') return OUTCOME.left
  const draft = `${output!.stage}/link`
  rmSync(draft, { force: true })
  symlinkSync(text, draft)
  renameSync(draft, `${path}/${name}`)
  return OUTCOME.written
}

/** Folders that are there before anything is written. */
export function foldersThere(job: Job, decode: Decode, { folders }: Plan): ReadonlySet<number> {
  const isThere = (entry: number) =>
    there(job.output!.folder, segmentsOf(job, entry, decode).join('/'))?.isDirectory() === true
  return new Set(folders.filter(isThere))
}

/** Setgid stays where the folder above has given it that: the group is passed on. */
function setMode(folder: number, mode: number): void {
  fchmodSync(folder, (mode & 0o777 & ~process.umask()) | (fstatSync(folder).mode & SETGID))
}

/** `before`: those that were there keep their permissions and times. */
export function makeFolders(job: Job, decode: Decode, { folders, tally }: Plan, before: ReadonlySet<number>): void {
  const folder = new Folder(job.output!.folder, false)
  const { columns } = job
  try {
    // The deepest first: one that may not be written into any more may have others in it.
    const deepest = Array.from(folders, (entry) => ({ entry, segments: segmentsOf(job, entry, decode) })).sort(
      (one, other) => other.segments.length - one.segments.length,
    )
    for (const { entry, segments } of deepest) {
      try {
        // It has one, since nothing is hidden any more.
        const handle = folder.open(segments, segments.length).handle!
        job.control.outcomes[entry] = OUTCOME.written
        if (before.has(entry)) continue
        const mode = modeOf(columns, entry)
        if (mode !== undefined) setMode(handle, mode)
        const seconds = modifiedMs(columns, entry) / 1000
        futimesSync(handle, seconds, seconds)
      } catch (error) {
        checkRoom(job, error)
        tally.add(...named(nameOf(columns, entry, decode), whyOf(error)))
      }
    }
  } finally {
    folder.close()
  }
}
