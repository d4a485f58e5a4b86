/** What became of each entry, a line of JSON each. */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { printable } from '@fettle/report'
import { nameOf } from '../entries.ts'
import type { Found } from '../meant.ts'
import { codeOf } from './fault.ts'
import { OUTCOME } from './job.ts'
import { writeAll } from './place.ts'

const WORDS = ['left', 'written', 'same', 'left'] as const
const LINES = 1000

export interface Manifest {
  /** Once. Throws Unseen. */
  write(found: Found, outcomes: Uint8Array): void
}

/** Before anything else is written: what cannot be told afterwards is not begun. Throws Unseen. */
export function openManifest(path: string, { archive: { source } }: Found): Manifest {
  try {
    const known = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (known !== undefined && 'file' in source) {
      const { dev, ino } = fstatSync(source.file as number, { bigint: true })
      if (known.dev === dev && known.ino === ino) {
        throw new Unseen(`${path}: is the archive itself; give another --manifest FILE`)
      }
    }
    const file = openSync(path, 'w', 0o600)
    return { write: (found, outcomes) => writeLines(path, file, found, outcomes) }
  } catch (error) {
    throw error instanceof Unseen ? error : unwritable(path, error)
  }
}

const unwritable = (path: string, error: unknown) =>
  new Unseen(`${path}: the manifest cannot be written (${codeOf(error)})`)

function writeLines(path: string, file: number, { archive, selected, decode }: Found, outcomes: Uint8Array): void {
  const { columns } = archive.directory
  try {
    let lines: string[] = []
    for (const entry of selected) {
      const crc32 = columns.crc[entry]!.toString(16).padStart(8, '0')
      const became = WORDS[outcomes[entry]!] ?? WORDS[OUTCOME.left]
      const line = { name: nameOf(columns, entry, decode), size: columns.size[entry], crc32, became }
      // In a string of JSON an escape is the letter itself, and steers no terminal.
      lines.push(`${printable(JSON.stringify(line))}\n`)
      if (lines.length < LINES) continue
      writeAll(file, Buffer.from(lines.join('')))
      lines = []
    }
    writeAll(file, Buffer.from(lines.join('')))
  } catch (error) {
    throw unwritable(path, error)
  } finally {
    closeSync(file)
  }
}
