/** Opens a data folder for reading, beside a meter that may be running on it. */
import { DatabaseSync } from 'node:sqlite'
import { FolderFault, isThere, ledgerFile } from './folder.ts'
import { SCHEMA_VERSION } from './store/schema.ts'

/** A read-only connection; the caller closes it. */
export function openLedger(folder: string): DatabaseSync {
  const file = ledgerFile(folder)
  if (!isThere(file)) {
    throw new FolderFault(
      `${folder}: no meter has kept records here; start one with fettle relay serve --data ${folder}`,
    )
  }
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    const version = db.prepare('PRAGMA user_version').get()?.user_version
    if (version === SCHEMA_VERSION) return db
    db.close()
    throw new FolderFault(`${file}: is of version ${version}; this fettle reads version ${SCHEMA_VERSION}`)
  } catch (error) {
    if (error instanceof FolderFault) throw error
    throw new FolderFault(`${file}: cannot be read (${(error as Error).message})`)
  }
}
