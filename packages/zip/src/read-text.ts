/** A small file that says something of what is wanted. */
import { closeSync, openSync, readSync } from 'node:fs'
import { Unseen } from '@fettle/check'
import { codeOf } from './extract/fault.ts'

const PIECE = 65_536
const BOM = '\ufeff'

/** `-` is standard input. Longer than `most` bytes it is refused: a device may have no end. Throws Unseen. */
export function readText(path: string, most: number): string {
  let file: number | undefined
  try {
    file = path === '-' ? 0 : openSync(path, 'r')
    const parts: Buffer[] = []
    for (let length = 0; ; ) {
      const part = Buffer.allocUnsafe(PIECE)
      const read = readSync(file, part)
      if (read === 0) break
      length += read
      if (length > most) throw new Unseen(`${path}: is too long; it may have ${most} bytes`)
      parts.push(part.subarray(0, read))
    }
    const text = Buffer.concat(parts).toString()
    return text.startsWith(BOM) ? text.slice(1) : text
  } catch (error) {
    throw error instanceof Unseen ? error : new Unseen(`${path}: cannot be read (${codeOf(error)})`)
  } finally {
    if (file !== undefined && file !== 0) closeSync(file)
  }
}
