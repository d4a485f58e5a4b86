/** A file that is there whole or not at all, and that only its owner may read. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'

/** Throws what the file system says. */
export function writeWhole(file: string, text: string): void {
  const descriptor = openSync(`${file}.part`, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${file}.part`, file)
}
