/** The entries that are meant: the archive opened, its names decoded, the selection applied. */
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { type Io, type Outcome, Unseen } from '@fettle/check'
import { type Archive, openArchive, readDirectory } from './archive.ts'
import { type Directory, MARK, modifiedMs, nameStart } from './core/directory.ts'
import { decoderOf } from './core/encoding.ts'
import { judgeWhole } from './core/judge.ts'
import { NearNames, nearWords } from './core/near.ts'
import { namesIn, type Selection, selection } from './core/select.ts'
import type { Tally } from './core/told.ts'
import { type Decode, isDos, nameOf } from './entries.ts'
import { codeOf } from './extract/fault.ts'
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

export async function openSource({ archive, headerFrom, download }: Meant, io: Io): Promise<Source> {
  if (!isUrl(archive)) return openFile(archive)
  const [{ openHttp }, { readHeaders }] = await Promise.all([import('./source/http.ts'), import('./source/headers.ts')])
  const headers = headerFrom === undefined ? { ok: true as const, value: {} } : readHeaders(readText(headerFrom))
  if (!headers.ok) throw new Unseen(`${headerFrom}: ${headers.faults.join('; ')}`)
  const folder = download ? tmpdir() : undefined
  return await openHttp(new URL(archive), { headers: headers.value, signal: io.signal, download: folder })
}

/** Throws Unseen. The faults are those of a request that was wrong: what it names is not there. */
export async function find(meant: Meant, io: Io): Promise<Outcome<Found>> {
  const chosen = chosenOf(meant)
  const source = await openSource(meant, io)
  try {
    const archive = await openArchive(source, chosen.prefilter)
    const encoding = meant.encoding === undefined ? await detected(archive, chosen) : told(meant.encoding)
    const decode = decoderOf(encoding.name)
    const selected = applied(archive.directory, meant, chosen, decode)
    const missing = meant.isLenient ? [] : chosen.unmatched()
    if (missing.length === 0) return { ok: true, value: { archive, selected, encoding, decode } }
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
  const names = meant.namesFrom === undefined ? {} : { names: namesIn(readText(meant.namesFrom)) }
  const chosen = selection({ ...meant, ...names })
  // They were looked at when the options were read.
  if (!chosen.ok) throw new Error(chosen.faults.join())
  return chosen.value
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new Unseen(`${file}: cannot be read (${codeOf(error)})`)
  }
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

const EXPLAINED_MAX = 5

/** A line for each that matches nothing, with what is near it. */
async function explained({ source, end }: Archive, meant: Meant, missing: readonly string[], decode: Decode) {
  const { columns, count } = await readDirectory(source, end)
  const near = missing.slice(0, EXPLAINED_MAX).map((pattern) => new NearNames(pattern, meant))
  for (let entry = 0; entry < count; entry++) {
    const name = nameOf(columns, entry, decode)
    for (const one of near) one.see(name)
  }
  const lines = near.map((one, i) => {
    const hints = one.found().map(({ name, reasons }) => `${JSON.stringify(name)} ${nearWords[reasons[0]!]}`)
    const near = hints.length === 0 ? '' : `; near it: ${hints.join('; ')}`
    return `${JSON.stringify(missing[i])} matches nothing in ${source.name}${near}`
  })
  const more = missing.length - lines.length
  return more === 0 ? lines : [...lines, `${more} more match nothing; --lenient goes on without what is not there`]
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
