/** Text that somebody has written or pasted into a file, or into standard input. */
import { createReadStream } from 'node:fs'
import { Unseen } from './command.ts'

/** Nobody pastes more. */
const PASTED_MAX = 64 * 1024 * 1024
const SECRET_MAX = 65_536
/** With it begins what Windows' PowerShell writes, in UTF-16. */
const UTF16_MARK = '\u00ff\u00fe'
const BOM = '\ufeff'

export interface TextOptions {
  /** Bytes; a file that has more is refused: a device may have no end. */
  readonly most?: number
  /** `latin1`: one letter for each byte, for what may be no text at all. `utf8` takes UTF-16 too, by its mark. */
  readonly encoding?: 'latin1' | 'utf8'
}

/** `-` is standard input. Throws Unseen when it cannot be read or is too large. */
export async function readText(
  file: string,
  { most = PASTED_MAX, encoding = 'utf8' }: TextOptions = {},
): Promise<string> {
  const whole = await readBytes(file, most)
  if (encoding === 'latin1') return whole.toString(encoding)
  const text = whole.toString(whole.toString('latin1', 0, 2) === UTF16_MARK ? 'utf16le' : encoding)
  return text.startsWith(BOM) ? text.slice(1) : text
}

async function readBytes(file: string, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  try {
    // A pipe gives it piece by piece.
    for await (const part of file === '-' ? process.stdin : createReadStream(file)) {
      bytes += (part as Buffer).length
      if (bytes > most) throw new Unseen(`${file}: is larger than ${most} bytes; give a part of it`)
      parts.push(part as Buffer)
    }
  } catch (error) {
    if (error instanceof Unseen) throw error
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  return Buffer.concat(parts)
}

/** The first line of a file. Throws Unseen when it cannot be read, or there is nothing in that line. */
export async function readSecret(file: string): Promise<string> {
  const [secret = ''] = (await readText(file, { most: SECRET_MAX })).split(/\r?\n/, 1)
  if (secret === '') throw new Unseen(`${file}: its first line is empty; write the password there`)
  return secret
}
