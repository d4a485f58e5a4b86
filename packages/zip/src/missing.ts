/** Patterns and names that match nothing, and what is near them. */
import { counted } from '@fettle/report'
import { type Archive, directoryParts } from './archive.ts'
import { NearNames, nearWords } from './core/near.ts'
import { type Decode, nameOf } from './entries.ts'
import type { Meant } from './options.ts'

const EXPLAINED_MAX = 5

/** A line for each that matches nothing, with what is near it. */
export async function explained(
  { source, end }: Pick<Archive, 'source' | 'end'>,
  meant: Meant,
  missing: readonly string[],
  decode: Decode,
) {
  const near = missing.slice(0, EXPLAINED_MAX).map((pattern) => new NearNames(pattern, meant))
  for await (const { columns, count } of directoryParts(source, end)) {
    for (let entry = 0; entry < count; entry++) {
      const name = nameOf(columns, entry, decode)
      for (const one of near) one.see(name)
    }
  }
  const lines = near.map((one, i) => {
    const hints = one.found().map(({ name, reasons, count }) => {
      const many = count === undefined ? '' : ` (${counted(count)} entries)`
      return `${JSON.stringify(name)}${many} ${nearWords[reasons[0]!]}`
    })
    const near = hints.length === 0 ? '' : `; near it: ${hints.join('; ')}`
    return `${JSON.stringify(missing[i])} matches nothing in ${source.name}${near}`
  })
  const more = missing.length - lines.length
  return more === 0 ? lines : [...lines, `${more} more match nothing; --lenient goes on without what is not there`]
}
