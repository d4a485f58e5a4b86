/** How far the rows have come, in the data folder: written after they are committed, and so never ahead of them. */
import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { SinkOptions } from './mapping.ts'

const held = z.strictObject({
  session: z.int(),
  /** A row that this meter did not write has its id. */
  foreign: z.boolean(),
  why: z.string(),
})
/** A session whose row the table does not take. */
export type HeldBack = z.infer<typeof held>

const cursor = z.strictObject({
  /** Which table of which ledger: of another one nothing is known. */
  target: z.string(),
  ledger: z.string(),
  /** Entries of the outbox up to here are done. */
  seq: z.int().min(0),
  /** Entries up to here may have rows already: a batch was under way. */
  trying: z.int().min(0),
  held: z.array(held),
})
export type Cursor = z.infer<typeof cursor>

/** So many rows are held back; with more, something is wrong with the table, and the sink waits. */
export const HELD_MAX = 1000

export const cursorFile = (folder: string) => join(folder, 'sink.json')

/** Where the rows go, without what may change and does not matter: user and password. */
export function targetOf({ target, table }: SinkOptions): string {
  if (target === null) return ''
  const { socket, host, port, database } = target
  return `${socket ?? `${host}:${port}`}/${database}/${table}`
}

/** What is known of this target; undefined: nothing. Throws when the file is none. */
export function readCursor(folder: string, target: string, ledger: string): Cursor | undefined {
  let text: string
  try {
    text = readFileSync(cursorFile(folder), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const result = cursor.safeParse(parsed(text))
  if (!result.success) throw new Error(`${cursorFile(folder)} is damaged; without it the rows are looked up again`)
  return result.data.target === target && result.data.ledger === ledger ? result.data : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whole or not at all, and on the disk. Not `writeWhole`, which would hold up the thread for each batch. */
export async function writeCursor(folder: string, value: Cursor): Promise<void> {
  const file = cursorFile(folder)
  const draft = `${file}.${process.pid}`
  const handle = await open(draft, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(value)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}
