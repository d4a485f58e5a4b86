/** `fettle zip check`: whether an archive is whole, what is odd about it, and what in it is dangerous. */
import { type AnswerOptions, type Command, type Flag, readAnswerOptions, reportFlags } from '@fettle/check'
import { answerBy } from './extract/answer.ts'
import { type Verification, verify } from './extract/verify.ts'
import { archiveArguments, readMeant, selectFlags } from './options.ts'

type CheckOptions = Verification & AnswerOptions

const flags: readonly Flag[] = [
  { name: 'quick', says: 'read the directory only, not what is in the entries' },
  ...selectFlags,
  ...reportFlags,
]

export const zipCheck: Command<CheckOptions> = {
  name: 'zip check',
  summary: 'whether an archive is whole, what is odd about it, and what is dangerous',
  arguments: archiveArguments,
  flags,
  examples: [
    'fettle zip check backup.zip',
    'fettle zip check backup.zip --quick --json',
    "fettle zip check backup.zip 'Nginx/**'",
  ],
  read(given) {
    const meant = readMeant(given)
    if (!meant.ok) return meant
    return { ok: true, value: { ...meant.value, ...readAnswerOptions(given), isQuick: given.flags.quick === true } }
  },
  run: (options, io) => answerBy(options, io, (found, began, crew) => verify(found, options, began, crew, io)),
}
