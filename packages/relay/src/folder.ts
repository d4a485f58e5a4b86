/** The data folder: who may use it, and what lies in it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import type { RespServer } from './ingest/resp.ts'

/** Something about the folder that the user must put right; the message is one line. */
export class FolderFault extends Error {}

export const ledgerFile = (folder: string) => join(folder, 'ledger.sqlite')

/** Makes the folder, readable by its owner only: the ledger holds addresses and names. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new FolderFault(`${folder}: cannot be made (${(error as NodeJS.ErrnoException).code}); choose another --data`)
  }
}

/**
 * Holds the folder for this process; the kernel lets go of it when the process ends, however it ends. Returns what
 * releases it.
 */
export function holdFolder(folder: string): () => void {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(join(folder, 'lock'))
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    const busy = (error as { errcode?: number }).errcode === SQLITE_BUSY
    const why = busy ? 'another fettle is running on this folder' : `cannot be written (${(error as Error).message})`
    throw new FolderFault(`${folder}: ${why}`)
  }
  const held = db
  return () => held.close()
}

const SQLITE_BUSY = 5

/**
 * A token of our own is 20 letters that need no quoting; coturn cuts the whole `redis-statsdb` line at 1024.
 */
const servers = z.array(
  z.strictObject({ name: z.string().min(1).max(64), token: z.string().max(256), version: z.string().nullable() }),
)

/** The coturns that may report, from `servers.json`; at the first start one, with a token of its own, is put there. */
export function readServers(folder: string): readonly RespServer[] {
  const file = join(folder, 'servers.json')
  if (!existsSync(file)) {
    writeServers(file, [{ name: 'turn1', token: randomBytes(15).toString('base64url'), version: null }])
  }
  const result = parseServers(file)
  const names = new Set(result.map((server) => server.name))
  const tokens = new Set(result.map((server) => server.token))
  if (names.size !== result.length) throw new FolderFault(`${file}: two servers have the same name`)
  if (tokens.size !== result.length) throw new FolderFault(`${file}: two servers have the same token`)
  return result
}

function parseServers(file: string): RespServer[] {
  try {
    chmodSync(file, 0o600)
    return servers.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : (error as Error).message
    throw new FolderFault(`${file}: not a list of {name, token, version}: ${why}`)
  }
}

/** Whole or not at all: a file that was half written would lock every coturn out. */
function writeServers(file: string, list: readonly RespServer[]): void {
  try {
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, `${JSON.stringify(list, undefined, 2)}\n`, { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    throw new FolderFault(`${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
}
