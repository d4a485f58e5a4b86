/** What there is to tell of the archive as a whole. */
import type { Directory } from './directory.ts'
import type { Tally } from './told.ts'

/** What its end says, and what was found. */
export interface Whole {
  readonly name: string
  readonly directory: Directory
  readonly entries: number
  readonly shift: number
  readonly trailing: number
  /** These are zeros. */
  readonly isPadded: boolean
  readonly isZip64: boolean
  readonly otherEnds: number
}

export function judgeWhole(
  { name, directory, entries, shift, trailing, isPadded, isZip64, otherEnds }: Whole,
  tally: Tally,
): void {
  const { records, brokenAt, lowest } = directory
  if (brokenAt !== undefined)
    tally.add('truncated', name, `after ${records} entries, at byte ${brokenAt} of the directory`)
  // Without Zip64 the number has 16 bits; programs that know no Zip64 let it run over.
  const isCounted = records === entries || (!isZip64 && records % 65_536 === entries)
  if (!isCounted && brokenAt === undefined) tally.add('count', name, `${entries} are told, ${records} are there`)
  const before = records === 0 ? shift : shift + lowest
  if (before > 0) tally.add('prepended', name, `${before} bytes`)
  if (trailing > 0) tally.add(isPadded ? 'padding' : 'trailing-bytes', name, `${trailing} bytes`)
  if (otherEnds > 0) tally.add('two-ends', name)
}
