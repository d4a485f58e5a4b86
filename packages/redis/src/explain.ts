/** `fettle redis explain`: what pasted outputs of a Redis tell, without asking it. */
import { open } from 'node:fs/promises'
import {
  type AnswerOptions,
  answer,
  type Command,
  readAnswerOptions,
  reportFlags,
  type Status,
  Unseen,
} from '@fettle/check'
import type { Report } from '@fettle/report'
import { type Facts, learnFrom, noFacts } from './core/facts.ts'
import { judge } from './core/judge/judge.ts'

export interface ExplainOptions extends AnswerOptions {
  /** `-` is standard input. */
  readonly files: readonly string[]
}

/** Nobody pastes more. */
const BYTES_MAX = 64 * 1024 * 1024

export const redisExplain: Command<ExplainOptions> = {
  name: 'redis explain',
  summary: 'say what burns the CPU of a Redis, from pasted INFO, SLOWLOG GET, CLIENT LIST, MONITOR, CONFIG GET',
  argument: {
    name: 'file',
    many: true,
    says: 'what was pasted, in any order; two INFOs are a window; - is standard input',
  },
  flags: reportFlags,
  examples: ['fettle redis explain info.txt', 'fettle redis explain info.txt slowlog.txt --json'],
  read: (given) => ({ ok: true, value: { files: given.arguments, ...readAnswerOptions(given) } }),
  async run({ files, ...how }, io): Promise<Status> {
    let facts = noFacts
    for (const file of files) facts = await learnFile(facts, file)
    return answer(reportOf(facts, files.join(' ')), how, io)
  },
}

/** The report on what was pasted. */
export function reportOf(facts: Facts, subject: string): Report {
  return { schema: 'fettle.report/1', tool: 'redis explain', subject, at: null, seconds: null, ...judge(facts) }
}

async function learnFile(facts: Facts, file: string): Promise<Facts> {
  const learnt = learnFrom(facts, await readText(file))
  if (learnt !== undefined) return learnt
  throw new Unseen(
    `${file}: none of INFO, SLOWLOG GET, CLIENT LIST, MONITOR and CONFIG GET; paste what redis-cli prints`,
  )
}

/** One letter for each byte: what is no UTF-8 is escaped where it is shown. */
async function readText(file: string): Promise<string> {
  try {
    const handle = await open(file === '-' ? '/dev/stdin' : file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(BYTES_MAX + 1), 0, BYTES_MAX + 1, null)
      if (bytesRead > BYTES_MAX) throw new Unseen(`${file}: is larger than ${BYTES_MAX} bytes; paste a part of it`)
      return buffer.toString('latin1', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (error instanceof Unseen) throw error
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
