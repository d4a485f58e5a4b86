/** `fettle redis explain`: what pasted outputs of a Redis tell, without asking it. */
import {
  type AnswerOptions,
  answer,
  type Command,
  readAnswerOptions,
  readText,
  reportFlags,
  type Status,
  Unseen,
} from '@fettle/check'
import { type Report, reportOf } from '@fettle/report'
import { type Facts, learnFrom, noFacts } from './core/facts.ts'
import { judge } from './core/judge/judge.ts'

export interface ExplainOptions extends AnswerOptions {
  /** `-` is standard input. */
  readonly files: readonly string[]
}

export const redisExplain: Command<ExplainOptions> = {
  name: 'redis explain',
  summary: 'say what burns the CPU of a Redis, from pasted INFO, SLOWLOG GET, CLIENT LIST, MONITOR, CONFIG GET',
  arguments: [
    {
      name: 'file',
      many: true,
      says: 'what was pasted, in any order; two INFOs are a window; - is standard input',
    },
  ],
  flags: reportFlags,
  examples: ['fettle redis explain info.txt', 'fettle redis explain info.txt slowlog.txt --json'],
  read: (given) => ({ ok: true, value: { files: given.arguments, ...readAnswerOptions(given) } }),
  async run({ files, ...how }, io): Promise<Status> {
    let facts = noFacts
    for (const file of files) facts = await learnFile(facts, file)
    return answer(explained(facts, files.join(' ')), how, io)
  },
}

/** The report on what was pasted. */
export const explained = (facts: Facts, subject: string): Report =>
  reportOf('redis explain', subject, null, judge(facts))

async function learnFile(facts: Facts, file: string): Promise<Facts> {
  const learnt = learnFrom(facts, await readText(file, { encoding: 'latin1' }))
  if (learnt !== undefined) return learnt
  throw new Unseen(
    `${file}: none of INFO, SLOWLOG GET, CLIENT LIST, MONITOR and CONFIG GET; paste what redis-cli prints`,
  )
}
