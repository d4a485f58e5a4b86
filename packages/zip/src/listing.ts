/** Entries as a table, a tree, bare names or JSON: in one pass, whatever their number. */
import { EXIT, type Io, type Status } from '@fettle/check'
import { counted, type Finding, plural, printable, size as sizeText } from '@fettle/report'
import type { End } from './archive.ts'
import { type Columns, MARK, modifiedMs, nameStart } from './core/directory.ts'
import { isEncrypted, kindOf, modeOf } from './core/entry.ts'
import { judgeWhole } from './core/judge.ts'
import { Tally } from './core/told.ts'
import { nameOf } from './entries.ts'
import { judgeNames, type Part } from './meant.ts'
import type { Source } from './source/source.ts'

export type Form = 'table' | 'tree' | 'names' | 'json'

export interface Listing {
  readonly form: Form
  /** How many folders deep a tree is. */
  readonly depth: number
}

/** So many are written at a time: text that is soon forgotten needs little memory. */
const LINES = 2000

/** What takes the entries that are meant, part by part. */
export function lister({ form, depth }: Listing, source: Source, end: End, io: Io) {
  const tally = new Tally()
  const sums = { entries: 0, bytes: 0, packed: 0 }
  const writer = writers[form](source, end, depth)
  return {
    async take(part: Part): Promise<void> {
      judgeNames(part, tally)
      add(part, sums)
      for (let from = 0; from < part.selected.length; from += LINES) {
        await io.write(writer.part({ ...part, selected: part.selected.subarray(from, from + LINES) }))
      }
    },

    async finish(last: Part): Promise<Status> {
      await io.write(writer.end(last))
      judgeWhole({ ...end, name: source.name, directory: last.directory }, tally)
      const findings = tally.findings(source.name)
      const isForPeople = form === 'table' || form === 'tree'
      if (isForPeople) await io.write(`\n${totals(sums, last.directory.records, source.size)}\n`)
      for (const finding of findings) {
        if (isForPeople) await io.write(`${finding.severity}: ${printable(wordsOf(finding, last))}\n`)
        else if (finding.severity !== 'note') io.complain(finding.says)
      }
      return findings.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.nothing
    },
  }
}

/** What matters here is how such names are shown. */
const wordsOf = ({ code, says }: Finding, { encoding }: Part) =>
  code === 'zip.name-encoding' && encoding.by !== 'unneeded' ? `${says} (${encoding.name}, ${encoding.by})` : says

interface Sums {
  entries: number
  bytes: number
  packed: number
}

function add({ directory: { columns }, selected }: Part, sums: Sums): void {
  sums.entries += selected.length
  for (const entry of selected) {
    sums.bytes += columns.size[entry]!
    sums.packed += columns.compressed[entry]!
  }
}

function totals({ entries, bytes, packed }: Sums, records: number, archive: number): string {
  const all = entries === records ? '' : ` of ${counted(records)}`
  const count = `${counted(entries)}${all} ${records === 1 ? 'entry' : 'entries'}`
  return `${count}, ${sizeText(bytes)} in ${sizeText(packed)}; the archive has ${sizeText(archive)}`
}

interface Writer {
  part(part: Part): string | Uint8Array
  end(last: Part): string
}

const writers: Readonly<Record<Form, (source: Source, end: End, depth: number) => Writer>> = {
  table() {
    let head = '     size    packed  changed           name\n'
    let foot = ''
    return {
      part({ directory: { columns }, selected, decode }) {
        let text = head
        head = ''
        for (const entry of selected) {
          const size = sizeText(columns.size[entry]!).padStart(9)
          const packed = sizeText(columns.compressed[entry]!).padStart(9)
          const mark = isEncrypted(columns, entry) ? '*' : ' '
          if (mark === '*') foot = '* is encrypted\n'
          const name = nameOf(columns, entry, decode)
          text += `${size} ${packed}${mark} ${dateText(columns, entry)}  ${isPlain(name) ? name : printable(name)}\n`
        }
        return text
      },
      end: () => head + foot,
    }
  },

  names: () => ({ part: namesOf, end: () => '' }),

  json(source, { comment }) {
    const about = { schema: 'fettle.zip.list/1', archive: source.name, bytes: source.size }
    const begun = JSON.stringify({ ...about, comment: comment.toString('latin1') })
    let head = `${printable(begun).slice(0, -1)},"list":[\n`
    let separator = ''
    return {
      part({ directory: { columns }, selected, decode }) {
        let text = head
        head = ''
        for (const entry of selected) {
          const row = JSON.stringify(rowOf(columns, entry, nameOf(columns, entry, decode)))
          // In a string of JSON an escape is the letter itself.
          text += `${separator}${printable(row)}`
          separator = ',\n'
        }
        return text
      },
      end({ directory, encoding }) {
        return `${head}\n],"entries":${directory.records},"encoding":${JSON.stringify(encoding.name)}}\n`
      },
    }
  },

  tree(_source, _end, depth) {
    const sums = new Map<string, { count: number; bytes: number }>()
    return {
      part({ directory: { columns }, selected, decode }) {
        for (const entry of selected) {
          const isFolder = kindOf(columns, entry) === 'folder'
          const above = nameOf(columns, entry, decode).split('/').slice(0, -1)
          for (let level = 0; level <= Math.min(above.length, depth); level++) {
            const path = above.slice(0, level).join('/')
            const sum = sums.get(path) ?? { count: 0, bytes: 0 }
            if (!isFolder) sum.count++
            sum.bytes += columns.size[entry]!
            sums.set(path, sum)
          }
        }
        return ''
      },
      end: () =>
        Array.from(sums)
          .sort(([one], [other]) => compareText(one, other))
          .map(([path, { count, bytes }]) => {
            const parts = path.split('/')
            const name = path === '' ? '.' : `${'  '.repeat(parts.length)}${printable(parts.at(-1)!)}/`
            return `${sizeText(bytes).padStart(9)}  ${plural(count, 'file').padStart(14)}  ${name}\n`
          })
          .join(''),
    }
  },
}

const compareText = (one: string, other: string) => {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')]
  return a < b ? -1 : a > b ? 1 : 0
}

/** A line each. What is plain is copied as it is: a million names take longer to decode than to find. */
function namesOf(part: Part): string | Uint8Array {
  const { directory, selected, decode } = part
  const { columns } = directory
  const lines = plainLines(columns, selected)
  if (lines !== undefined) return lines
  return Array.from(selected, (entry) => `${printable(nameOf(columns, entry, decode))}\n`).join('')
}

/** undefined: not all of them are of ASCII without controls. */
function plainLines(columns: Columns, selected: Uint32Array): Uint8Array | undefined {
  const { names, nameEnd, marks } = columns
  let length = selected.length
  for (const entry of selected) length += nameEnd[entry]! - nameStart(columns, entry)
  const lines = new Uint8Array(length)
  let at = 0
  for (const entry of selected) {
    if (marks[entry]! & MARK.beyondAscii) return undefined
    const end = nameEnd[entry]!
    for (let i = nameStart(columns, entry); i < end; i++) {
      const byte = names[i]!
      if (byte < 0x20 || byte === 0x7f) return undefined
      lines[at++] = byte
    }
    lines[at++] = 0x0a
  }
  return lines
}

function rowOf(columns: Columns, entry: number, name: string): object {
  const mode = modeOf(columns, entry)
  const changed = modifiedMs(columns, entry)
  return {
    name,
    kind: kindOf(columns, entry),
    size: columns.size[entry],
    packed: columns.compressed[entry],
    changed: Number.isNaN(changed) ? null : new Date(changed).toISOString(),
    crc32: columns.crc[entry]!.toString(16).padStart(8, '0'),
    method: columns.method[entry],
    isEncrypted: isEncrypted(columns, entry),
    ...(mode === undefined ? {} : { mode: mode.toString(8).padStart(4, '0') }),
  }
}

/** ASCII without controls: it is looked at faster than by what `printable` knows. */
const isPlain = (name: string) => /^[ -~]*$/.test(name)

const pad = (value: number) => (value < 10 ? `0${value}` : `${value}`)

/** In local time, as `ls` tells it. What MS-DOS wrote is local already. */
function dateText(columns: Columns, entry: number): string {
  const time = columns.time[entry]!
  if (columns.marks[entry]! & MARK.utc) {
    const at = new Date((time | 0) * 1000)
    const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
    return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}`
  }
  const day = `${1980 + (time >>> 25)}-${pad((time >>> 21) & 15)}-${pad((time >>> 16) & 31)}`
  return `${day} ${pad((time >>> 11) & 31)}:${pad((time >>> 5) & 63)}`
}
