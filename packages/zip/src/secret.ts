/** The password of an archive. */
import { readFileSync } from 'node:fs'
import { type Io, Unseen } from '@fettle/check'
import { FLAG } from './core/directory.ts'
import { codeOf } from './extract/fault.ts'
import type { Found } from './meant.ts'
import type { Meant } from './options.ts'

/** undefined: nothing that is selected is encrypted, or nobody says it. Throws Unseen. */
export async function secretFor({ archive, selected }: Found, { passwordFrom }: Meant, io: Io) {
  const { flags } = archive.directory.columns
  if (!selected.some((entry) => (flags[entry]! & FLAG.encrypted) !== 0)) return undefined
  const typed =
    passwordFrom === undefined ? await io.secret(`password of ${archive.source.name}: `) : readSecret(passwordFrom)
  return typed === undefined || typed === '' ? undefined : new Uint8Array(Buffer.from(typed))
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/, 1)[0]!
  } catch (error) {
    throw new Unseen(`${file}: the password cannot be read (${codeOf(error)})`)
  }
}
