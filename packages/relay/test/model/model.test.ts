/**
 * The meter against a second one, written from the rules only, and against itself: in random streams, cut anywhere,
 * started anew anywhere. FETTLE_MODEL_RUNS sets how many streams for each property, FETTLE_MODEL_SEED which.
 */
import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { openDatabase } from '../../src/store/ledger.ts'
import { type Case, holds, legal, lossy, referenceOf, wild } from './cases.ts'
import type { CountEvent, Four, ModelEvent, Path } from './events.ts'
import { features, featuresOf } from './features.ts'
import { relayOf } from './relay.ts'
import { afterEveryEvent, inOneGo, meter, type Plan } from './rig.ts'
import type { Life } from './streams.ts'
import {
  balances,
  differences,
  dump,
  relayTimes,
  type Tables,
  usageTexts,
  viewOfReference,
  viewOfTables,
} from './tables.ts'

test('[R30] rows are the same however the stream is cut, wherever the meter is started anew, whatever commit fails', () => {
  holds(wild, (one) => {
    const expected = meter(one, inOneGo, dump)
    return [
      ...differences(expected, meter(one, afterEveryEvent, dump)).map((line) => `a commit after each event: ${line}`),
      ...differences(expected, meter(one, one.plan, dump)).map((line) => `cut at random: ${line}`),
    ]
  })
})

test('[R1, R2, R3, R4, R5, R6, R7, R8, R9, R10, R11, R12, R13, R14, R15, R16, R17, R19, R20, R21, R23, R24, R26, R27] rows are what the rules say, word by word', () => {
  holds(wild, (one) => differences(meter(one, inOneGo, viewOfTables), viewOfReference(referenceOf(one))))
})

test('[R5, R6, R16] what is heard in full is exact to the byte, on both sides, beyond 4 GiB', () => {
  holds(legal, (one) => {
    const rows = meter(one, one.plan, viewOfTables).allocation as unknown as readonly Recorded[]
    return closedLives(one, rows).flatMap(({ life, row: { ended, quality, client, peer } }) => {
      const expected = { ended: 'deleted', quality: 'exact', client: life.client, peer: life.peer }
      return differences({ [pathOf(life)]: [expected] }, { [pathOf(life)]: [{ ended, quality, client, peer }] })
    })
  })
})

interface Recorded extends Path {
  readonly ended: string
  readonly quality: string
  readonly client: Four
  readonly peer: Four | null
}

/** The lives that came to their end, each with its row: the nth life of a path is the nth row of that path. */
function closedLives<T extends Path>({ items, lives }: Case, rows: readonly T[]) {
  const nth = new Map<string, number>()
  const inTime = new Set(items.flatMap(({ life }) => lives[life] ?? []))
  const pairs = Array.from(inTime, (life) => {
    const path = pathOf(life)
    const n = nth.get(path) ?? 0
    nth.set(path, n + 1)
    return { life, row: rows.filter((row) => pathOf(row) === path)[n]! }
  })
  return pairs.filter(({ life }) => life.closed)
}

function pathOf({ stream, boot, realm, username, id }: Path): string {
  return JSON.stringify([stream, boot, realm, username, id])
}

test('[R25] the last report is laid out at the rate of the last full one', () => {
  holds(legal, (one) => {
    const told = closedLives(one, meter(one, one.plan, relayTimes)).filter(({ row }) => row.waits === 0)
    return told.flatMap(({ life, row }) => {
      const own = one.items.filter((item) => one.lives[item.life] === life).map(({ event }) => event)
      const expected = relayOf(own)
      const isNear = row.to === expected || Math.abs(Number(row.to) - Number(expected)) < 1
      return isNear ? [] : [`${JSON.stringify(row)} and ${expected}`]
    })
  })
})

test('[R5, R6, R16] what is lost is never made up, and known again with the total', () => {
  holds(lossy, (one) => {
    const rows = meter(one, one.plan, viewOfTables).allocation as unknown as readonly Recorded[]
    return one.lives.flatMap((life, i) => {
      const records = rows.filter((row) => pathOf(row) === pathOf(life))
      const total = one.items.some((item) => item.life === i && item.event.kind === 'total_traffic')
      return [
        ...records.flatMap((record) => overstated(life, record, isPeerTold(one, i))),
        ...doubled(life, records),
        ...(total && !records.some(({ client }) => isSame(client, life.client)) ? ['the heard total is nowhere'] : []),
      ]
    })
  })
})

const isSame = (a: Four, b: Four) => a.every((one, k) => one === b[k])
const isWithin = (a: Four, b: Four) => a.every((one, k) => one <= b[k]!)

/** More than was moved, or called exact and not what was moved. */
function overstated(life: Life, record: Recorded, peerTold: boolean): string[] {
  const { quality, client, peer } = record
  const faults: string[] = []
  if (!isWithin(client, life.client)) faults.push('more than the client moved')
  if (peer !== null && (life.peer === null || !isWithin(peer, life.peer))) faults.push('more than the peers moved')
  if (quality === 'exact' && !isSame(client, life.client)) faults.push('called exact, and is not what the client moved')
  if (quality === 'exact' && (peerTold || peer !== null) && !isWhole(life.peer, peer))
    faults.push('called exact, and is not what the peers moved')
  return faults.map((fault) => `${fault}: ${JSON.stringify(record)} of ${JSON.stringify(life)}`)
}

/** Before the life's client total something had told that its coturn reports peer sides. */
function isPeerTold({ items, lives }: Case, life: number): boolean {
  const { stream, boot } = lives[life]!
  const end = items.findIndex((item) => item.life === life && item.event.kind === 'total_traffic')
  return items
    .slice(0, Math.max(end, 0))
    .some(({ event }) => isPeerEvent(event) && event.stream === stream && event.boot === boot)
}

function isPeerEvent(event: ModelEvent): event is CountEvent {
  return event.kind === 'traffic/peer' || event.kind === 'total_traffic/peer'
}

/** A peer's total is known up to whole 4 GiB that were never reported. */
function isWhole(moved: Four | null, heard: Four | null): boolean {
  if (moved === null || heard === null) return moved === heard
  return moved.every((one, k) => one === heard[k] || (one > 2 ** 32 && (one - heard[k]!) % 2 ** 32 === 0))
}

/** Records of the same allocation that together hold more than it moved. */
function doubled(life: Life, records: readonly Recorded[]): string[] {
  const sum = (fours: readonly Four[]): Four =>
    fours.reduce<Four>((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]], [0, 0, 0, 0])
  const fits = isWithin(sum(records.map(({ client }) => client)), life.client)
  return fits ? [] : [`counted twice: ${JSON.stringify(records)} of ${JSON.stringify(life)}`]
}

test('[R26] usage adds up to the counters of what is over, and never holds more than those of what is open', () => {
  holds(lossy, (one) => {
    const rows = meter(one, one.plan, balances)
    return rows
      .filter(({ isOver, read, used }) => !read.every((n, k) => (isOver ? n === used[k] : n >= used[k]!)))
      .map((row) => JSON.stringify(row))
  })
})

test('[R26] a usage row that was once written stays as it is', () => {
  holds(wild, (one) => {
    const seen = new Set<string>()
    const faults: string[] = []
    const committed = (db: DatabaseSync) => {
      const now = new Set(usageTexts(db))
      for (const row of seen) if (!now.has(row)) faults.push(`gone or changed: ${row}`)
      for (const row of now) seen.add(row)
    }
    meter(one, { ...one.plan, committed }, () => {})
    return faults
  })
})

test('[R26] nobody can change or remove a usage row', () => {
  const db = openDatabase(':memory:')
  db.exec('INSERT INTO usage VALUES (1, 0, 0, 0, 1, 2, 3, 4)')
  for (const change of ['UPDATE usage SET rcvb = 5', 'DELETE FROM usage']) {
    assert.throws(() => db.exec(change), /usage is append-only/)
  }
  db.close()
})

test('[R30] a commit that fails leaves nothing behind, and is whole when it is given again', () => {
  holds(wild, (one) => {
    const faults: string[] = []
    const refused = (before: Tables, after: Tables) => faults.push(...differences(before, after))
    const plan: Plan = { ...inOneGo, fail: (i) => i % 4 === 0, commit: () => true, refused }
    const expected = meter(one, inOneGo, dump)
    const found = meter(one, plan, dump)
    return [...faults.map((line) => `left behind: ${line}`), ...differences(expected, found)]
  })
})

test('the streams hold what the rules speak of', () => {
  const seen = new Map<string, number>()
  const count = (one: Case) => {
    for (const word of featuresOf(one)) seen.set(word, (seen.get(word) ?? 0) + 1)
    return []
  }
  // Few streams, as between two edits, need not hold everything.
  holds(wild, count, 300)
  assert.deepEqual(
    features.filter((word) => !seen.has(word)),
    [],
  )
})
