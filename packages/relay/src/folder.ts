/** The data folder: who may use it, and what lies in it. */
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeWithParents, writeWhole } from '@fettle/check'
import { z } from 'zod'
import type { RespServer } from './ingest/resp.ts'

/** Something about the folder that the user must put right; the message is one line. */
export class FolderFault extends Error {}

export const ledgerFile = (folder: string) => join(folder, 'ledger.sqlite')
/** The coturns that may report. */
export const serversFile = (folder: string) => join(folder, 'servers.json')
const lockFile = (folder: string) => join(folder, 'lock')

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/** Makes the folder, readable by its owner only: the ledger holds addresses and names. */
export function makeFolder(folder: string): void {
  try {
    makeWithParents(folder)
  } catch (error) {
    throw new FolderFault(`${folder}: cannot be made (${codeOf(error)}); choose another --data`)
  }
}

/** Whether the file is there. Not to be allowed to see it is a fault: it must not pass for a folder without a meter. */
export function isThere(file: string): boolean {
  try {
    statSync(file)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    throw new FolderFault(
      `${file}: cannot be looked at (${code})${code === 'EACCES' ? "; run this as the meter's user" : ''}`,
    )
  }
}

/**
 * Holds the folder for this process; the kernel lets go of it when the process ends, however it ends. Returns what
 * releases it.
 */
export function holdFolder(folder: string): () => void {
  let db: DatabaseSync | undefined
  try {
    // Whoever only looks whether the folder is held (`isHeld`) holds it for a moment.
    db = new DatabaseSync(lockFile(folder), { timeout: LOOK_MS })
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    db?.close()
    const why = isBusy(error)
      ? 'another fettle is running on this folder'
      : `cannot be written (${(error as Error).message})`
    throw new FolderFault(`${folder}: ${why}`)
  }
  const held = db
  return () => held.close()
}

const LOOK_MS = 500
const SQLITE_BUSY = 5
const isBusy = (error: unknown) => (error as { errcode?: number }).errcode === SQLITE_BUSY

/** Whether a meter runs on the folder, by its lock. Writes nothing. */
export function isHeld(folder: string): boolean {
  if (!isThere(lockFile(folder))) return false
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(lockFile(folder), { readOnly: true })
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw new FolderFault(`${lockFile(folder)}: cannot be read (${(error as Error).message})`)
  } finally {
    db?.close()
  }
}

/**
 * A token of our own is 20 letters that need no quoting; coturn cuts the whole `redis-statsdb` line at 1024.
 */
const servers = z.array(
  z.strictObject({ name: z.string().min(1).max(64), token: z.string().max(256), version: z.string().nullable() }),
)
const NAME = /^[A-Za-z0-9._-]{1,64}$/
const VERSION = /^\d{1,4}(\.\d{1,4}){1,3}$/
const SERVERS_MAX = 256

/** The coturns that may report; at the first start one, with a token of its own, is put there. */
export function readServers(folder: string): readonly RespServer[] {
  if (!isThere(serversFile(folder))) {
    changeServers(folder, (list) => (list.length === 0 ? [newServer('turn1', null)] : list))
  }
  return listServers(folder)
}

/** The same, without putting one there: none in a folder where no meter has run. */
export function listServers(folder: string): readonly RespServer[] {
  const file = serversFile(folder)
  if (!isThere(file)) return []
  const result = parseServers(file)
  const names = new Set(result.map((server) => server.name))
  const tokens = new Set(result.map((server) => server.token))
  if (names.size !== result.length) throw new FolderFault(`${file}: two servers have the same name`)
  if (tokens.size !== result.length) throw new FolderFault(`${file}: two servers have the same token`)
  return result
}

/** Puts one more there, or says in one line why that cannot be. `version`: coturn's, if the operator says. */
export function addServer(
  folder: string,
  name: string,
  version: string | null,
): RespServer | { readonly problem: string } {
  if (!NAME.test(name)) return { problem: `${JSON.stringify(name)} is no name: 1 to 64 of A-Z a-z 0-9 . _ -` }
  if (version !== null && !VERSION.test(version))
    return { problem: `${JSON.stringify(version)} is no version of coturn, such as 4.6.1` }
  const added = newServer(name, version)
  let problem: string | undefined
  changeServers(folder, (list) => {
    if (list.some((one) => one.name === name))
      problem = `${name} is there already; fettle relay server list --lines shows its line`
    else if (list.length >= SERVERS_MAX) problem = `${list.length} servers are there, which is the most`
    else return [...list, added]
    return list
  })
  return problem === undefined ? added : { problem }
}

/** Takes one away; false when there was none of that name. */
export function removeServer(folder: string, name: string): boolean {
  const isThat = (one: RespServer) => one.name === name
  // A wrong name makes no folder.
  if (!listServers(folder).some(isThat)) return false
  changeServers(folder, (list) => list.filter((one) => !isThat(one)))
  return true
}

const newServer = (name: string, version: string | null): RespServer => ({
  name,
  token: randomBytes(15).toString('base64url'),
  version,
})

/** Reads, changes and writes the list while nobody else does. The same list back: nothing is written. */
function changeServers(folder: string, change: (list: readonly RespServer[]) => readonly RespServer[]): void {
  makeFolder(folder)
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(join(folder, 'servers.lock'), { timeout: 5000 })
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock?.close()
    const why = isBusy(error) ? 'is being changed by another fettle' : `cannot be changed (${(error as Error).message})`
    throw new FolderFault(`${serversFile(folder)}: ${why}`)
  }
  try {
    const list = listServers(folder)
    const changed = change(list)
    if (changed !== list) writeServers(serversFile(folder), changed)
  } finally {
    lock.close()
  }
}

function parseServers(file: string): RespServer[] {
  try {
    // A change of the mode that changes nothing would look like a change of the file to whoever watches it.
    if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600)
    return servers.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    const code = codeOf(error)
    if (code !== undefined) throw new FolderFault(`${file}: cannot be read (${code})`)
    // What JSON.parse says itself may quote a part of a token.
    const why = error instanceof z.ZodError ? z.prettifyError(error).split('\n')[0] : 'it is no JSON'
    throw new FolderFault(`${file}: not a list of {name, token, version}: ${why}`)
  }
}

/** A file that was half written would lock every coturn out. */
function writeServers(file: string, list: readonly RespServer[]): void {
  try {
    writeWhole(file, `${JSON.stringify(list, undefined, 2)}\n`)
  } catch (error) {
    throw new FolderFault(`${file}: cannot be written (${codeOf(error)})`)
  }
}
