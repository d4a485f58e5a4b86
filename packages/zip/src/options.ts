/** Which entries of which archive are meant, as it is typed. */
import type { Argument, Flag, Given, Outcome } from '@fettle/check'
import { encodingNamed } from './core/encoding.ts'
import { selection } from './core/select.ts'

/** What unpacks to more than so many times its bytes is a bomb, where nobody says otherwise. */
export const MAX_RATIO = 250

/** What every command takes. */
export interface Meant {
  /** A path, or an address of http or https. */
  readonly archive: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly namesFrom: string | undefined
  readonly unzipGlobs: boolean
  readonly ignoreCase: boolean
  readonly larger: number | undefined
  readonly smaller: number | undefined
  readonly newerMs: number | undefined
  readonly olderMs: number | undefined
  /** For names that do not say their encoding; undefined: it is found out. */
  readonly encoding: string | undefined
  readonly headerFrom: string | undefined
  /** A file whose first line is the password. */
  readonly passwordFrom: string | undefined
  readonly download: boolean
  /** What is named and not there is no fault. */
  readonly isLenient: boolean
}

export const archiveArguments: readonly Argument[] = [
  { name: 'archive', says: 'a zip file, or its address (http://, https://)' },
  {
    name: 'pattern',
    many: true,
    optional: true,
    says: 'names in it: * within a folder, ** across; a folder means all in it',
  },
]

export const archiveFlags: readonly Flag[] = [
  { name: 'encoding', value: 'name', says: 'of names that do not say it, such as gbk, cp437 or windows-1251' },
  { name: 'password-from', value: 'file', says: 'its first line is the password; without it, it is asked for' },
  { name: 'header-from', value: 'file', says: 'lines for HTTP requests, such as Authorization: Bearer ...' },
  { name: 'download', says: 'fetch the whole archive, where its server gives no parts of it' },
]

export const selectFlags: readonly Flag[] = [
  { name: 'exclude', letter: 'x', value: 'pattern', many: true, says: 'not these; may be given several times' },
  { name: 'names-from', value: 'file', says: 'exact names, a line each; - is standard input' },
  { name: 'ignore-case', letter: 'i', says: 'small letters are as good as capital ones in patterns and names' },
  { name: 'unzip-globs', says: '* and ? stand for / too, as for unzip' },
  { name: 'larger', value: 'size', says: 'only what is larger than this, such as 10M' },
  { name: 'smaller', value: 'size', says: 'only what is smaller than this' },
  { name: 'newer', value: 'date', says: 'changed at that time or later, such as 2026-11-01' },
  { name: 'older', value: 'date', says: 'changed before that time' },
  { name: 'lenient', says: 'go on where a pattern or a name matches nothing' },
  ...archiveFlags,
]

export const text = (value: Given['flags'][string] | undefined) => (typeof value === 'string' ? value : undefined)
const list = (value: Given['flags'][string] | undefined) => (Array.isArray(value) ? (value as string[]) : [])

export function readMeant({ arguments: [archive = '', ...include], flags }: Given): Outcome<Meant> {
  const faults: string[] = []
  const value: Meant = {
    archive,
    include,
    exclude: list(flags.exclude),
    namesFrom: text(flags['names-from']),
    unzipGlobs: flags['unzip-globs'] === true,
    ignoreCase: flags['ignore-case'] === true,
    larger: readSize('larger', flags, faults),
    smaller: readSize('smaller', flags, faults),
    newerMs: readDate('newer', flags, faults),
    olderMs: readDate('older', flags, faults),
    encoding: readEncoding(flags, faults),
    headerFrom: text(flags['header-from']),
    passwordFrom: text(flags['password-from']),
    download: flags.download === true,
    isLenient: flags.lenient === true,
  }
  const isRemote = isUrl(archive)
  if (!isRemote && (value.headerFrom !== undefined || value.download)) {
    faults.push('--header-from and --download are for archives that are fetched over HTTP')
  }
  const isInput = (file: string | undefined) => file === '-'
  if ([value.namesFrom, value.headerFrom, value.passwordFrom].filter(isInput).length > 1) {
    faults.push('-: only one of --names-from, --header-from and --password-from can be standard input')
  }
  const patterns = selection(value)
  if (!patterns.ok) faults.push(...patterns.faults)
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value }
}

function readEncoding(flags: Given['flags'], faults: string[]): string | undefined {
  const given = text(flags.encoding)
  const named = given === undefined ? undefined : encodingNamed(given)
  if (given !== undefined && named === undefined) {
    faults.push(`--encoding ${given}: is not known; gbk, big5, shift_jis, euc-kr, cp437, cp866, windows-1251 are`)
  }
  return named
}

export const isUrl = (archive: string) => /^https?:\/\//i.test(archive)

const POWERS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 }

/** As `10M` or `1.5GB`: decimal, as bytes are told everywhere here. */
export function readSize(name: string, flags: Given['flags'], faults: string[]): number | undefined {
  const given = text(flags[name])
  if (given === undefined) return undefined
  const found = /^(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)b?$/i.exec(given)
  if (found !== null) return Math.round(Number(found[1]) * 1000 ** POWERS[found[2]!.toLowerCase()]!)
  faults.push(`--${name} ${given}: is no size; write it as 500, 20k, 10M or 1.5G`)
  return undefined
}

function readDate(name: string, flags: Given['flags'], faults: string[]): number | undefined {
  const given = text(flags[name])
  if (given === undefined) return undefined
  // A day begins where one is, as `ls` tells it.
  const ms = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?$/.test(given)
    ? new Date(given.length === 10 ? `${given}T00:00` : given.replace(' ', 'T')).getTime()
    : Number.NaN
  // A day that its month has not would be one of the next.
  if (new Date(ms).getDate() === Number(given.slice(8, 10))) return ms
  faults.push(`--${name} ${given}: is no date; write it as 2026-11-01 or 2026-11-01T14:30`)
  return undefined
}
