/** Logs that are damaged in known ways, and what may not come of them. */
import fc from 'fast-check'
import type { AllocationRecord } from '../src/core/record.ts'
import { type Call, calls, eight, fronts, interleave } from './log-world.ts'

const order = fc.array(fc.nat(100), { minLength: 1, maxLength: 60 })
const someFront = fc.constantFrom(...fronts)
/** The lines of some calls, whole. */
export const log = someFront.chain(({ tells, front }) =>
  fc
    .record({ calls: calls(tells), order })
    .map((one) => ({ calls: one.calls, front, lines: interleave(one.calls, front, one.order) })),
)

/** Says what of a log comes out wrong: a record that claims to be exact and is not, or one that has too much. */
export function faults(records: readonly AllocationRecord[], all: readonly Call[]): string[] {
  return records.flatMap((record) => {
    const counted = eight(record.client, record.peer)
    const own = all.filter(({ id, user }) => record.id === id && record.username === user)
    const isOne = own.some(({ sums }) => sums.join() === counted.join())
    const most = [0, 1, 2, 3, 4, 5, 6, 7].map((k) => own.reduce((sum, { sums }) => sum + sums[k]!, 0))
    const isTooMuch = counted.some((value, k) => value > most[k]!)
    if (isTooMuch) return [`${record.id} has too much: ${counted} of ${most}`]
    return record.quality === 'exact' && !isOne ? [`${record.id} is said to be exact: ${counted}`] : []
  })
}

/** Ways in which bytes are lost, of a line, at `at`; at least one byte of it stays. */
export const damages: Readonly<Record<string, (line: string, at: number, next: string) => string>> = {
  'breaks off and the next one follows at once': (line, at) => line.slice(0, at),
  'has lost its beginning': (line, at) => `${line.slice(at)}\n`,
  'breaks off in NUL bytes': (line, at) => `${line.slice(0, at)}${'\0'.repeat(line.length - at)}\n`,
  'has lost its beginning to NUL bytes': (line, at) => `${'\0'.repeat(at)}${line.slice(at)}\n`,
  'is nothing but NUL bytes': (line) => '\0'.repeat(line.length + 1),
  'has another one in its middle': (line, at, next) => `${line.slice(0, at)}${next}\n${line.slice(at)}\n`,
}

export const places = fc.array(fc.record({ nth: fc.nat(1000), share: fc.nat(1000).map((n) => n / 1000) }), {
  minLength: 1,
  maxLength: 3,
})

export interface Log {
  readonly calls: readonly Call[]
  readonly lines: readonly string[]
}

/** The log with some of its lines damaged like that. */
export function damagedText({ lines }: Log, what: string, where: readonly { nth: number; share: number }[]): string {
  const out = lines.map((line) => `${line}\n`)
  for (const { nth, share } of where) {
    const i = nth % out.length
    // Two that are damaged side by side may look like a name that was made to look like a line.
    if ([i - 2, i - 1, i, i + 1, i + 2].some((k) => k in out && out[k] !== `${lines[k]}\n`)) continue
    const line = lines[i]!
    out[i] = damages[what]!(line, 1 + Math.floor(share * (line.length - 2)), lines[i + 1] ?? '')
    if (what === 'has another one in its middle' && i + 1 < out.length) out[i + 1] = ''
  }
  return out.join('')
}
