/** The throughput chart as it is sent: whole to who comes, and then what of it has changed. */
import { isoTime } from '../core/record.ts'
import { BIN_MS, type LastHour } from '../core/throughput.ts'
import type { Chart } from './contract.ts'

const lists = ['received', 'sent', 'receivedAwaited', 'sentAwaited'] as const

/** Bits per second with three digits, so that what hardly changes is not sent again. */
export function chartOf({ until, reported, awaited }: LastHour): Chart {
  const rates = (bytes: Float64Array) => Array.from(bytes, (one) => Number(((one * 8000) / BIN_MS).toPrecision(3)))
  return {
    from: isoTime(until - reported.received.length * BIN_MS)!,
    stepSeconds: BIN_MS / 1000,
    received: rates(reported.received),
    sent: rates(reported.sent),
    receivedAwaited: rates(awaited.received),
    sentAwaited: rates(awaited.sent),
  }
}

/** What has to be put in place of the end of `before`, or after it; undefined when nothing is new. */
export function changeOf(before: Chart, now: Chart): Chart | undefined {
  const shift = (Date.parse(now.from) - Date.parse(before.from)) / BIN_MS
  const isSame = (i: number) => lists.every((list) => now[list][i] === before[list][i + shift])
  const length = now.received.length
  let same = 0
  while (same < length && isSame(same)) same++
  if (same === length) return undefined
  const parts = lists.map((list) => [list, now[list].slice(same)] as const)
  const from = isoTime(Date.parse(now.from) + same * BIN_MS)!
  return { ...now, from, ...(Object.fromEntries(parts) as Pick<Chart, (typeof lists)[number]>) }
}
