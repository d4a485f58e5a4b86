/** The password of an archive. */
import { type Io, Unseen } from '@fettle/check'
import { isEncrypted } from './core/entry.ts'
import type { Found } from './meant.ts'
import type { Meant } from './options.ts'
import { readText } from './read-text.ts'

/** undefined: nothing that is selected is encrypted, or nobody says it. Throws Unseen. */
export async function secretFor({ archive, selected }: Found, { passwordFrom }: Meant, io: Io) {
  const { columns } = archive.directory
  if (!selected.some((entry) => isEncrypted(columns, entry))) return undefined
  const typed =
    passwordFrom === undefined ? await io.secret(`password of ${archive.source.name}: `) : readSecret(passwordFrom)
  return typed === undefined || typed === '' ? undefined : new Uint8Array(Buffer.from(typed))
}

const SECRET_MAX = 65_536

function readSecret(file: string): string {
  const secret = readText(file, SECRET_MAX).split(/\r?\n/, 1)[0]!
  if (secret === '') throw new Unseen(`${file}: its first line is empty; write the password there`)
  return secret
}
