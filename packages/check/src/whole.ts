/** A file that is there whole or not at all, and that only its owner may read. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Throws what the file system says, and leaves nothing behind then. */
export function writeWhole(file: string, text: string): void {
  const part = `${file}.part`
  try {
    const descriptor = openSync(part, 'w', 0o600)
    try {
      // On a disk that is nearly full one write may take a part of it.
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(part, file)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
}
