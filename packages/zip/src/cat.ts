/** `fettle zip cat`: the content of entries, on standard output. */
import { type Command, EXIT, type Io } from '@fettle/check'
import { writeContents } from './contents.ts'
import { find } from './meant.ts'
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
  async run(meant, io: Io) {
    const found = await find(meant, io)
    if (!found.ok) {
      for (const fault of found.faults) io.complain(fault)
      return EXIT.wrong
    }
    try {
      return await writeContents(found.value, meant, '-', io)
    } finally {
      await found.value.archive.source.close()
    }
  },
}
