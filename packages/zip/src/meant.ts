/** The entries that are meant: the archive opened, its names decoded, the selection applied. */
import { tmpdir } from 'node:os'
import { EXIT, type Io, type Outcome, type Status, Unseen } from '@fettle/check'
import { type Archive, openArchive, readDirectory } from './archive.ts'
import { type Directory, MARK, modifiedMs, nameStart } from './core/directory.ts'
import { decoderOf } from './core/encoding.ts'
import { judgeWhole } from './core/judge.ts'
import { namesIn, type Selection, selection } from './core/select.ts'
import type { Tally } from './core/told.ts'
import { type Decode, isDos, nameOf } from './entries.ts'
import { isUrl, type Meant } from './options.ts'
import { readText } from './read-text.ts'
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
    headerFrom === undefined ? { ok: true as const, value: {} } : readHeaders(readText(headerFrom, HEADERS_MAX))
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
  const found = await find(meant, leavesNothing ? new AbortController().signal : stopOf(io))
  if (!found.ok) {
    for (const fault of found.faults) io.complain(fault)
    return EXIT.wrong
  }
  try {
    return await work(found.value)
  } finally {
    io.progress('')
    await found.value.archive.source.close()
  }
}

/** Throws Unseen. The faults are those of a request that was wrong: what it names is not there. */
async function find(meant: Meant, signal: AbortSignal): Promise<Outcome<Found>> {
  const chosen = chosenOf(meant)
  const source = await openSource(meant, signal)
  try {
    const archive = await openArchive(source, chosen.prefilter)
    const encoding = meant.encoding === undefined ? await detected(archive, chosen) : told(meant.encoding)
    const decode = decoderOf(encoding.name)
    const selected = applied(archive.directory, meant, chosen, decode)
    const missing = meant.isLenient ? [] : chosen.unmatched()
    if (missing.length === 0) return { ok: true, value: { archive, selected, encoding, decode } }
    const { explained } = await import('./missing.ts')
    const faults = await explained(archive, meant, missing, decode)
    await source.close()
    return { ok: false, faults }
  } catch (error) {
    await source.close()
    throw error
  }
}

const told = (name: string): Encoding => ({ name, by: 'told' })

function chosenOf(meant: Meant): Selection {
  const names = meant.namesFrom === undefined ? {} : { names: namesIn(readText(meant.namesFrom, NAMES_MAX)) }
  const chosen = selection({ ...meant, ...names })
  // They were looked at when the options were read.
  if (!chosen.ok) throw new Error(chosen.faults.join())
  return chosen.value
}

function applied({ columns, count }: Directory, meant: Meant, chosen: Selection, decode: Decode): Uint32Array {
  const selected = new Uint32Array(count)
  if (isEverything(meant)) return selected.map((_, i) => i)
  let length = 0
  for (let entry = 0; entry < count; entry++) {
    const isChosen = chosen.matches(nameOf(columns, entry, decode), columns.size[entry]!, modifiedMs(columns, entry))
    if (isChosen) selected[length++] = entry
  }
  return selected.subarray(0, length)
}

function isEverything({ include, exclude, namesFrom, larger, smaller, newerMs, olderMs }: Meant): boolean {
  const limits = [namesFrom, larger, smaller, newerMs, olderMs]
  return include.length === 0 && exclude.length === 0 && limits.every((limit) => limit === undefined)
}

const SAMPLES_MAX = 2000

async function detected({ source, end, directory }: Archive, { prefilter }: Selection): Promise<Encoding> {
  if (!directory.hasUnknownNames) return { name: 'utf-8', by: 'unneeded' }
  // All names tell more than those that may be meant.
  const { columns, count } = prefilter === undefined ? directory : await readDirectory(source, end)
  const samples: Uint8Array[] = []
  let dos = 0
  for (let entry = 0; entry < count && samples.length < SAMPLES_MAX; entry++) {
    if ((columns.marks[entry]! & (MARK.utf8 | MARK.beyondAscii)) !== MARK.beyondAscii) continue
    samples.push(columns.names.slice(nameStart(columns, entry), columns.nameEnd[entry]))
    if (isDos(columns.host[entry]!)) dos++
  }
  const { detectEncoding } = await import('./core/detect.ts')
  const { encoding, confidence } = detectEncoding(samples, { isDosHost: dos > 0 })
  return { name: encoding, by: confidence }
}

/** What is odd about the archive as a whole, and how its names were read. */
export function judgeFound({ archive, selected, encoding, decode }: Found, tally: Tally): void {
  const { source, end, directory } = archive
  judgeWhole({ ...end, name: source.name, directory }, tally)
  const { columns } = directory
  const how = encoding.by === 'told' ? 'as told' : encoding.by
  for (const entry of selected) {
    const mark = columns.marks[entry]! & (MARK.utf8 | MARK.beyondAscii | MARK.staleName)
    if (mark === MARK.beyondAscii)
      tally.add('name-encoding', nameOf(columns, entry, decode), `${encoding.name}, ${how}`)
    else if (mark & MARK.staleName) {
      tally.add('name-encoding', nameOf(columns, entry, decode), 'an extra field has the name of another entry')
    }
  }
}
