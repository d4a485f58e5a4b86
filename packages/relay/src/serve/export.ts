/**
 * All matching sessions as CSV, however many: a page is read, written and forgotten, then others have their turn. No
 * transaction stays open between pages, and a pause of half its time follows each: SQLite begins its log anew only
 * after a commit that nobody reads beside, so that a reader without pauses would let it grow for as long as the export
 * takes (measured). A session is in it as it was when its page was read.
 */
import type { ServerResponse } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { csvHeader, csvLine, sessionCsv } from '../csv.ts'
import { atOneCommit, type IdRange } from '../store/queries.ts'
import { findSessions, type SessionQuery, sessionRange, withinAllocations } from '../store/queries-sessions.ts'
import { readRecords } from '../store/sessions.ts'

const PAGE = 200
const ALLOCATIONS_MAX = 2000

/**
 * The header, then a row a session, newest first. When reading fails the connection is cut off, so that what was
 * written cannot seem to be all.
 */
export function sessionsCsv(
  db: DatabaseSync,
  query: SessionQuery,
  outgoing: ServerResponse | undefined,
  failed: (error: Error) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let range: IdRange | undefined
  let gone = false
  let pauseMs = 0
  const write = (controller: ReadableStreamDefaultController<Uint8Array>): { more: boolean; wrote: boolean } => {
    const began = performance.now()
    range ??= atOneCommit(db, () => sessionRange(db, query))
    const { text, next } = readPage(db, query, range)
    if (text !== '') controller.enqueue(encoder.encode(text))
    if (next === null) controller.close()
    else range = { low: range.low, high: next }
    pauseMs = (performance.now() - began) / 2
    return { more: next !== null, wrote: text !== '' }
  }
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(csvLine(csvHeader))),
    async pull(controller) {
      try {
        for (let done = false; !done; ) {
          await wait(pauseMs)
          if (gone) return
          const { more, wrote } = write(controller)
          done = wrote || !more
        }
      } catch (error) {
        failed(error as Error)
        if (outgoing === undefined) controller.error(error)
        else outgoing.destroy()
      }
    },
    cancel() {
      gone = true
    },
  })
}

function readPage(db: DatabaseSync, query: SessionQuery, range: IdRange): { text: string; next: number | null } {
  return atOneCommit(db, () => {
    const { rows, next } = withinAllocations(db, findSessions(db, query, range, PAGE), ALLOCATIONS_MAX)
    return { text: readRecords(db, rows).map(sessionCsv).join(''), next }
  })
}
