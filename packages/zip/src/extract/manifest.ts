/** What became of each entry, a line of JSON each. */
import { closeSync, openSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { nameOf } from '../entries.ts'
import type { Found } from '../meant.ts'
import { codeOf } from './fault.ts'
import { OUTCOME } from './job.ts'
import { writeAll } from './place.ts'

const WORDS = ['left', 'written', 'same', 'left'] as const
const LINES = 1000

/** Throws Unseen. */
export function writeManifest(path: string, { archive, selected, decode }: Found, outcomes: Uint8Array): void {
  const { columns } = archive.directory
  try {
    const file = openSync(path, 'w', 0o600)
    try {
      let lines: string[] = []
      for (const entry of selected) {
        const crc32 = columns.crc[entry]!.toString(16).padStart(8, '0')
        const became = WORDS[outcomes[entry]!] ?? WORDS[OUTCOME.left]
        lines.push(JSON.stringify({ name: nameOf(columns, entry, decode), size: columns.size[entry], crc32, became }))
        if (lines.length < LINES) continue
        writeAll(file, Buffer.from(`${lines.join('\n')}\n`))
        lines = []
      }
      if (lines.length > 0) writeAll(file, Buffer.from(`${lines.join('\n')}\n`))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new Unseen(`${path}: the manifest cannot be written (${codeOf(error)})`)
  }
}
