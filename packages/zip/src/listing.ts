/** Entries as a table, a tree, bare names or JSON. */
import { EXIT, type Io, type Status } from '@fettle/check'
import { counted, type Finding, plural, printable, size as sizeText } from '@fettle/report'
import { modifiedMs } from './core/directory.ts'
import { Tally } from './core/told.ts'
import { isEncrypted, kindOf, modeOf, nameOf } from './entries.ts'
import { type Found, judgeFound } from './meant.ts'

type Form = 'table' | 'tree' | 'names' | 'json'

export interface Listing {
  readonly form: Form
  /** How many folders deep a tree is. */
  readonly depth: number
}

export async function writeList(found: Found, { form, depth }: Listing, io: Io): Promise<Status> {
  const tally = new Tally()
  judgeFound(found, tally)
  const findings = tally.findings(found.archive.source.name)
  await forms[form](found, new Lines(io), depth)
  if (form === 'table' || form === 'tree') {
    await io.write(`\n${totals(found)}\n`)
    for (const one of findings) await io.write(`${one.severity}: ${printable(wordsOf(one, found))}\n`)
  } else for (const { severity, says } of findings) if (severity !== 'note') io.complain(says)
  return findings.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.nothing
}

/** What matters here is how such names are shown. */
const wordsOf = ({ code, says }: Finding, { encoding }: Found) =>
  code === 'zip.name-encoding' && encoding.by !== 'unneeded' ? `${says} (${encoding.name}, ${encoding.by})` : says

function totals({ archive, selected }: Found): string {
  const { directory, source } = archive
  const { size, compressed } = directory.columns
  let [bytes, packed] = [0, 0]
  for (const entry of selected) {
    bytes += size[entry]!
    packed += compressed[entry]!
  }
  const all = selected.length === directory.records ? '' : ` of ${counted(directory.records)}`
  const count = `${counted(selected.length)}${all} ${directory.records === 1 ? 'entry' : 'entries'}`
  return `${count}, ${sizeText(bytes)} in ${sizeText(packed)}; the archive has ${sizeText(source.size)}`
}

/** Lines in large pieces: an archive may have a million of them. */
class Lines {
  readonly #io: Io
  #held: string[] = []

  constructor(io: Io) {
    this.#io = io
  }

  async add(line: string): Promise<void> {
    if (this.#held.push(line) >= 2000) await this.end()
  }

  async end(): Promise<void> {
    const text = this.#held.join('')
    this.#held = []
    await this.#io.write(text)
  }
}

const forms: Readonly<Record<Form, (found: Found, lines: Lines, depth: number) => Promise<void>>> = {
  async table({ archive, selected, decode }, lines) {
    const { columns } = archive.directory
    await lines.add(`     size    packed  changed           name\n`)
    for (const entry of selected) {
      const size = sizeText(columns.size[entry]!).padStart(9)
      const packed = sizeText(columns.compressed[entry]!).padStart(9)
      const mark = isEncrypted(columns, entry) ? '*' : ' '
      const name = printable(nameOf(columns, entry, decode))
      await lines.add(`${size} ${packed}${mark} ${dateText(modifiedMs(columns, entry))}  ${name}\n`)
    }
    if (selected.some((entry) => isEncrypted(columns, entry))) await lines.add('* is encrypted\n')
    await lines.end()
  },

  async names({ archive, selected, decode }, lines) {
    const { columns } = archive.directory
    for (const entry of selected) await lines.add(`${printable(nameOf(columns, entry, decode))}\n`)
    await lines.end()
  },

  async json({ archive, selected, decode, encoding }, lines) {
    const { columns, records } = archive.directory
    const { source, end } = archive
    const head = { schema: 'fettle.zip.list/1', archive: source.name, bytes: source.size, entries: records }
    const about = { ...head, comment: printable(end.comment.toString('latin1')), encoding: encoding.name }
    await lines.add(`${JSON.stringify(about).slice(0, -1)},"list":[\n`)
    for (const [i, entry] of selected.entries()) {
      const mode = modeOf(columns, entry)
      const line = {
        name: nameOf(columns, entry, decode),
        kind: kindOf(columns, entry),
        size: columns.size[entry],
        packed: columns.compressed[entry],
        changed: isoText(modifiedMs(columns, entry)),
        crc32: columns.crc[entry]!.toString(16).padStart(8, '0'),
        method: columns.method[entry],
        isEncrypted: isEncrypted(columns, entry),
        ...(mode === undefined ? {} : { mode: mode.toString(8).padStart(4, '0') }),
      }
      // In a string of JSON an escape is the letter itself.
      await lines.add(`${i === 0 ? '' : ',\n'}${printable(JSON.stringify(line))}`)
    }
    await lines.add('\n]}\n')
    await lines.end()
  },

  async tree({ archive, selected, decode }, lines, depth) {
    const { columns } = archive.directory
    const sums = new Map<string, { count: number; bytes: number }>()
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
    for (const [path, { count, bytes }] of Array.from(sums).sort(([one], [other]) => compareText(one, other))) {
      const parts = path.split('/')
      const name = path === '' ? '.' : `${'  '.repeat(parts.length)}${printable(parts.at(-1)!)}/`
      await lines.add(`${sizeText(bytes).padStart(9)}  ${plural(count, 'file').padStart(14)}  ${name}\n`)
    }
    await lines.end()
  },
}

const compareText = (one: string, other: string) => {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')]
  return a < b ? -1 : a > b ? 1 : 0
}

const pad = (value: number) => (value < 10 ? `0${value}` : `${value}`)

/** In local time, as `ls` tells it. */
function dateText(ms: number): string {
  const at = new Date(ms)
  if (Number.isNaN(at.getTime())) return '-               '
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}`
}

const isoText = (ms: number) => (Number.isNaN(ms) ? null : new Date(ms).toISOString())
