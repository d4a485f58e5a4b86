/** Files that are there whole or not at all, and folders for them; only their owner may read them. */
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Unseen } from './command.ts'

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code

/**
 * Throws what the file system says. The `recursive` of mkdirSync goes round for ever where a folder that is there takes
 * none, as in /proc.
 */
export function makeWithParents(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(folder).isDirectory()) return
    if (codeOf(error) !== 'ENOENT' || existsSync(dirname(folder))) throw error
    makeWithParents(dirname(folder))
    makeWithParents(folder)
  }
}

/** Whose a file is, and what they may do with it. */
export interface Belonging {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/**
 * Also when the power fails. `like`: whose it shall be, instead of ours alone. Throws what the file system says, and
 * leaves nothing behind then.
 */
export function writeWhole(file: string, text: string | Buffer, like?: Belonging): void {
  const draft = `${file}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true })
    if (like !== undefined) {
      chownSync(draft, like.uid, like.gid)
      chmodSync(draft, like.mode & 0o7777)
    }
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** In a folder of the data folder, which is made if there is none. Throws Unseen. */
export function keepWhole(file: string, text: string): void {
  try {
    makeWithParents(dirname(file))
    writeWhole(file, text)
  } catch (error) {
    throw new Unseen(`${file}: cannot be written (${codeOf(error)}); give another --data`)
  }
}
