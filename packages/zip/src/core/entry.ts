/** What an entry is, by its attributes. */
import { type Columns, FLAG, HOST } from './directory.ts'

export type Kind = 'file' | 'folder' | 'link' | 'special'

const KINDS = new Map<number, Kind>([
  [4, 'folder'],
  [8, 'file'],
  [10, 'link'],
])
const FOLDER_OF_DOS = 0x10

/** Whether these attributes are those of Unix. */
export const isUnix = (host: number) => host === HOST.unix || host === HOST.darwin
export const isDos = (host: number) => host === HOST.dos || host === HOST.ntfs || host === HOST.vfat

/** By its attributes and the end of its name. */
export function kindOf({ attributes, host, names, nameEnd }: Columns, entry: number): Kind {
  const end = nameEnd[entry]!
  const last = names[end - 1]
  const value = attributes[entry]!
  const type = isUnix(host[entry]!) ? value >>> 28 : 0
  if (last === 0x2f) return 'folder'
  if (last === 0x5c && isDos(host[entry]!)) return 'folder'
  if (type !== 0) return KINDS.get(type) ?? 'special'
  return value & FOLDER_OF_DOS && isDos(host[entry]!) ? 'folder' : 'file'
}

/** Its permissions, without setuid, setgid and sticky; undefined: it says nothing of them. */
export function modeOf({ attributes, host }: Columns, entry: number): number | undefined {
  const value = attributes[entry]!
  // Without a type nobody has said anything.
  if (isUnix(host[entry]!)) return value >>> 16 === 0 ? undefined : (value >>> 16) & 0o7777
  return value & 1 && (value & FOLDER_OF_DOS) === 0 ? 0o444 : undefined
}

export const isEncrypted = ({ flags }: Columns, entry: number) => (flags[entry]! & FLAG.encrypted) !== 0

/** Setuid, setgid, sticky. */
export const hasSpecialMode = (columns: Columns, entry: number) => ((modeOf(columns, entry) ?? 0) & 0o7000) !== 0
