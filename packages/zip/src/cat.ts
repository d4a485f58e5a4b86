/** `fettle zip cat`: the content of entries, on standard output. */
import type { Command } from '@fettle/check'
import { writeContents } from './contents.ts'
import { onFound } from './meant.ts'
import { archiveArguments, type Meant, readMeant, selectFlags } from './options.ts'

export const zipCat: Command<Meant> = {
  name: 'zip cat',
  summary: 'write the content of entries to standard output, one after the other',
  arguments: archiveArguments,
  flags: selectFlags,
  examples: ['fettle zip cat backup.zip etc/app.conf', "fettle zip cat backup.zip 'logs/*.log' | grep -c error"],
  read(given) {
    const meant = readMeant(given)
    const isAnything = given.arguments.length > 1 || given.flags['names-from'] !== undefined
    if (!meant.ok || isAnything) return meant
    return { ok: false, faults: ["zip cat: name what is wanted, such as 'logs/*.log'"] }
  },
  async run(meant, io) {
    return await onFound(meant, io, (found) => writeContents(found, meant, '-', io), true)
  },
}
