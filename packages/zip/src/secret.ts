/** The password of an archive. */
import { type Io, readSecret } from '@fettle/check'
import { isEncrypted } from './core/entry.ts'
import type { Found } from './meant.ts'
import type { Meant } from './options.ts'

/** undefined: nothing that is selected is encrypted, or nobody says it. Throws Unseen. */
export async function secretFor({ archive, selected }: Found, { passwordFrom }: Meant, io: Io) {
  const { columns } = archive.directory
  if (!selected.some((entry) => isEncrypted(columns, entry))) return undefined
  const typed =
    passwordFrom === undefined
      ? await io.secret(`password of ${archive.source.name}: `)
      : await readSecret(passwordFrom)
  return typed === undefined || typed === '' ? undefined : new Uint8Array(Buffer.from(typed))
}
