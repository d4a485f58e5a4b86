/** What somebody has pasted into a file, or into standard input. */
import { createReadStream } from 'node:fs'
import { Unseen } from './command.ts'

/** Nobody pastes more. */
const BYTES_MAX = 64 * 1024 * 1024
/** With it begins what Windows' PowerShell writes, in UTF-16. */
const UTF16_MARK = '\u00ff\u00fe'

/**
 * `-` is standard input. `latin1`: one letter for each byte, for what may be no text at all. Throws Unseen when it
 * cannot be read or is too large.
 */
export async function readPasted(file: string, encoding: 'latin1' | 'utf8'): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    // A pipe gives it piece by piece.
    for await (const part of createReadStream(file === '-' ? '/dev/stdin' : file)) {
      bytes += (part as Buffer).length
      if (bytes > BYTES_MAX) throw new Unseen(`${file}: is larger than ${BYTES_MAX} bytes; paste a part of it`)
      parts.push(part as Buffer)
    }
  } catch (error) {
    if (error instanceof Unseen) throw error
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const whole = Buffer.concat(parts)
  const isUtf16 = encoding === 'utf8' && whole.toString('latin1', 0, 2) === UTF16_MARK
  return whole.toString(isUtf16 ? 'utf16le' : encoding)
}
