/** The entries that are meant: the archive opened, its names decoded, the selection applied. */
import { tmpdir } from 'node:os'
import { EXIT, type Io, readText, type Status, Unseen } from '@fettle/check'
import { type Archive, directoryParts, type End, openArchive, readEnd } from './archive.ts'
import { type Directory, MARK, modifiedMs, nameStart } from './core/directory.ts'
import { decoderOf } from './core/encoding.ts'
import { isDos } from './core/entry.ts'
import { judgeWhole } from './core/judge.ts'
import { namesIn, type Selection, selection } from './core/select.ts'
import type { Tally } from './core/told.ts'
import { type Decode, nameOf } from './entries.ts'
import { isUrl, type Meant } from './options.ts'
import { openFile } from './source/file.ts'
import type { Source } from './source/source.ts'

export interface Found {
  readonly archive: Archive
  /** In the order of the directory. */
  readonly selected: Uint32Array
  readonly encoding: Encoding
  readonly decode: Decode
}

/** How names are decoded that do not say it. */
export interface Encoding {
  readonly name: string
  /** How it is known; `unneeded`: all names say theirs. */
  readonly by: 'unneeded' | 'told' | 'likely' | 'possible'
}

/** Bytes of lists of names, and of headers: a device may have no end. */
const NAMES_MAX = 268_435_456
const HEADERS_MAX = 1_048_576

/** Says that it was stopped in the words that everybody is told. */
function stopOf({ signal }: Io): AbortSignal {
  const controller = new AbortController()
  const stop = () => controller.abort(new Unseen('stopped'))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return controller.signal
}

async function openSource({ archive, headerFrom, download }: Meant, signal: AbortSignal): Promise<Source> {
  if (!isUrl(archive)) return openFile(archive)
  const [{ openHttp }, { readHeaders }] = await Promise.all([import('./source/http.ts'), import('./source/headers.ts')])
  const headers =
    headerFrom === undefined
      ? { ok: true as const, value: {} }
      : readHeaders(await readText(headerFrom, { most: HEADERS_MAX }))
  if (!headers.ok) throw new Unseen(`${headerFrom}: ${headers.faults.join('; ')}`)
  const folder = download ? tmpdir() : undefined
  return await openHttp(new URL(archive), { headers: headers.value, signal, download: folder })
}

/** Works on what was found. */
type Work = (found: Found) => Promise<Status>

/**
 * Finds what is meant and works on it; the archive is closed in the end. `leavesNothing`: signals may end it at any
 * moment, as they end any program. Throws Unseen.
 */
export async function onFound(meant: Meant, io: Io, work: Work, leavesNothing = false): Promise<Status> {
  const chosen = await chosenOf(meant)
  return await onSource(meant, io, leavesNothing ? NEVER : stopOf(io), async (source) => {
    const archive = await openArchive(source, chosen.prefilter)
    const isUnknown = meant.encoding === undefined && archive.directory.hasUnknownNames
    const encoding = isUnknown ? await detected(archive) : known(meant)
    const decode = decoderOf(encoding.name)
    const selected = applied(archive.directory, meant, chosen, decode)
    if (await isMissing(archive, meant, chosen, decode, io)) return EXIT.wrong
    return await work({ archive, selected, encoding, decode })
  })
}

/** The entries that are meant, some at a time: for what needs each but once. */
export interface Part extends Omit<Found, 'archive'> {
  readonly directory: Directory
}

/**
 * The same for work that takes entry by entry, however many there are. `begin` is asked when the end was read, and
 * gives what takes the parts and what is done after the last one.
 */
export async function onParts(
  meant: Meant,
  io: Io,
  begin: (source: Source, end: End) => { take(part: Part): Promise<void>; finish(last: Part): Promise<Status> },
): Promise<Status> {
  const chosen = await chosenOf(meant)
  return await onSource(meant, io, NEVER, async (source) => {
    const end = await readEnd(source)
    const { take, finish } = begin(source, end)
    let encoding = known(meant)
    let part: Part | undefined
    for await (const directory of directoryParts(source, end, chosen.prefilter)) {
      const isNew = encoding.by === 'unneeded' && directory.hasUnknownNames
      if (isNew) encoding = await detected({ source, end })
      const decode = part === undefined || isNew ? decoderOf(encoding.name) : part.decode
      part = { directory, encoding, decode, selected: applied(directory, meant, chosen, decode) }
      await take(part)
    }
    const status = await finish(part!)
    return (await isMissing({ source, end }, meant, chosen, part!.decode, io)) ? EXIT.wrong : status
  })
}

const NEVER = new AbortController().signal

async function onSource(
  meant: Meant,
  io: Io,
  signal: AbortSignal,
  work: (source: Source) => Promise<Status>,
): Promise<Status> {
  const source = await openSource(meant, signal)
  try {
    return await work(source)
  } finally {
    io.progress('')
    await source.close()
  }
}

/** Whether something that was named is not there; that is told. */
async function isMissing(
  archive: Pick<Archive, 'source' | 'end'>,
  meant: Meant,
  chosen: Selection,
  decode: Decode,
  io: Io,
): Promise<boolean> {
  const idle = meant.isLenient ? [] : chosen.unmatchedExcludes()
  if (idle.length > 0) io.complain(`--exclude ${idle.join(', ')}: there is nothing to leave out by that`)
  const missing = meant.isLenient ? [] : chosen.unmatched()
  if (missing.length === 0) return false
  const { explained } = await import('./missing.ts')
  for (const fault of await explained(archive, meant, missing, decode)) io.complain(fault)
  return true
}

const known = ({ encoding }: Meant): Encoding =>
  encoding === undefined ? { name: 'utf-8', by: 'unneeded' } : { name: encoding, by: 'told' }

async function chosenOf(meant: Meant): Promise<Selection> {
  const { namesFrom } = meant
  const names = namesFrom === undefined ? {} : { names: namesIn(await readText(namesFrom, { most: NAMES_MAX })) }
  const chosen = selection({ ...meant, ...names })
  // They were looked at when the options were read.
  if (!chosen.ok) throw new Error(chosen.faults.join())
  return chosen.value
}

function applied({ columns, count }: Directory, meant: Meant, chosen: Selection, decode: Decode): Uint32Array {
  const selected = new Uint32Array(count)
  if (isEverything(meant)) return selected.map((_, i) => i)
  const isTimed = meant.newerMs !== undefined || meant.olderMs !== undefined
  let length = 0
  for (let entry = 0; entry < count; entry++) {
    const modified = isTimed ? modifiedMs(columns, entry) : 0
    const isChosen = chosen.matches(nameOf(columns, entry, decode), columns.size[entry]!, modified)
    if (isChosen) selected[length++] = entry
  }
  return selected.subarray(0, length)
}

function isEverything({ include, exclude, namesFrom, larger, smaller, newerMs, olderMs }: Meant): boolean {
  const limits = [namesFrom, larger, smaller, newerMs, olderMs]
  return include.length === 0 && exclude.length === 0 && limits.every((limit) => limit === undefined)
}

const SAMPLES_MAX = 2000

/** All names tell more than those that may be meant. */
async function detected({ source, end }: Pick<Archive, 'source' | 'end'>): Promise<Encoding> {
  const samples: Uint8Array[] = []
  let dos = 0
  for await (const { columns, count } of directoryParts(source, end)) {
    for (let entry = 0; entry < count && samples.length < SAMPLES_MAX; entry++) {
      if ((columns.marks[entry]! & (MARK.utf8 | MARK.beyondAscii)) !== MARK.beyondAscii) continue
      samples.push(columns.names.slice(nameStart(columns, entry), columns.nameEnd[entry]))
      if (isDos(columns.host[entry]!)) dos++
    }
    if (samples.length === SAMPLES_MAX) break
  }
  const { detectEncoding } = await import('./core/detect.ts')
  const { encoding, confidence } = detectEncoding(samples, { isDosHost: dos > 0 })
  return { name: encoding, by: confidence }
}

/** What is odd about the archive as a whole, and how its names were read. */
export function judgeFound({ archive: { source, end, directory }, ...part }: Found, tally: Tally): void {
  judgeWhole({ ...end, name: source.name, directory }, tally)
  judgeNames({ directory, ...part }, tally)
}

export function judgeNames({ directory, selected, encoding, decode }: Part, tally: Tally): void {
  const { columns } = directory
  const how = encoding.by === 'told' ? 'as told' : encoding.by
  for (let i = 0; i < selected.length; i++) {
    const entry = selected[i]!
    const mark = columns.marks[entry]! & (MARK.utf8 | MARK.beyondAscii | MARK.staleName)
    if (mark === MARK.beyondAscii)
      tally.add('name-encoding', nameOf(columns, entry, decode), `${encoding.name}, ${how}`)
    else if (mark & MARK.staleName) {
      tally.add('name-encoding', nameOf(columns, entry, decode), 'an extra field has the name of another entry')
    }
  }
}
