/** `fettle ssh explain`: where the seconds of a login went, from its pasted log, without asking anybody. */
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
import { judge } from './core/judge.ts'
import { type Log, readLog } from './core/log.ts'

export interface ExplainOptions extends AnswerOptions {
  /** `-` is standard input. */
  readonly file: string
}

export const sshExplain: Command<ExplainOptions> = {
  name: 'ssh explain',
  summary: 'say where the seconds of a slow login went, from the log of ssh -vvv, with time stamps or without',
  arguments: [
    {
      name: 'log',
      says: "what was pasted, best of: ssh -vvv HOST true 2>&1 | ts -s '%.s'; - is standard input",
    },
  ],
  flags: reportFlags,
  examples: ['fettle ssh explain log.txt', 'fettle ssh explain log.txt --json'],
  read: (given) => ({ ok: true, value: { file: given.arguments[0]!, ...readAnswerOptions(given) } }),
  async run({ file, ...how }, io): Promise<Status> {
    const log = readLog(await readText(file))
    if (log === undefined) {
      throw new Unseen(`${file}: no line is of ssh -v ("debug1: ..."); paste what ssh -vvv HOST true prints`)
    }
    return answer(explained(log, file), how, io)
  },
}

/** The report on a log. */
export const explained = (log: Log, subject: string): Report => reportOf('ssh explain', subject, null, judge(log))
