/** What a running meter leaves in its data folder for those who look for it: where it listens, and the API's token. */
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '@fettle/check'
import { z } from 'zod'
import { readAddress } from './address.ts'
import { FolderFault } from './folder.ts'

const running = z.strictObject({
  pid: z.int(),
  /** The API's address, such as `http://127.0.0.1:7430`; null: it serves none. */
  http: z.string().nullable(),
  /** Where coturn connects, HOST:PORT; null: nowhere. */
  resp: z
    .string()
    .refine((text) => readAddress(text) !== undefined)
    .nullable(),
  startedAt: z.string(),
})
export type Running = z.infer<typeof running>

const fileOf = (folder: string) => join(folder, 'running.json')

/** Returns what removes it. */
export function writeRunning(folder: string, value: Running): () => void {
  const file = fileOf(folder)
  writeWhole(file, `${JSON.stringify(value)}\n`)
  return () => rmSync(file, { force: true })
}

/** Undefined when no meter says that it runs; one that was killed may still say so. */
export function readRunning(folder: string): Running | undefined {
  try {
    return running.parse(JSON.parse(readFileSync(fileOf(folder), 'utf8')))
  } catch {
    return undefined
  }
}

/** What can stand in the header of a request. */
const TOKEN = /^[\x21-\x7e]{0,1000}$/

const tokenFile = (folder: string) => join(folder, 'token')

/** The bearer token of the API. Empty: the operator wants none, on loopback. */
export function readToken(folder: string): string {
  const file = tokenFile(folder)
  const token = readOwn(file)
  if (TOKEN.test(token)) return token
  throw new FolderFault(`${file}: a token is at most 1000 letters, digits and signs of ASCII, without a space`)
}

function readOwn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new FolderFault(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** The same, made at the first start. */
export function makeToken(folder: string): string {
  const file = tokenFile(folder)
  try {
    if (!existsSync(file)) writeWhole(file, `${randomBytes(24).toString('base64url')}\n`)
    // One that is nobody else's already may lie where nothing can be changed.
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  } catch (error) {
    throw new FolderFault(`${file}: cannot be used (${(error as NodeJS.ErrnoException).code})`)
  }
  return readToken(folder)
}
