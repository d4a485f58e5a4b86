/** A crew works on what was found, and the answer is a report. */
import { type AnswerOptions, answer, type Io, type Status } from '@fettle/check'
import type { Report } from '@fettle/report'
import { type Found, onFound } from '../meant.ts'
import type { Meant } from '../options.ts'
import { Crew } from './crew.ts'

export interface Done {
  readonly report: Report
  /** Why not all was done that could be, in one line. */
  readonly failure: string | undefined
}

/** `began`: when looking began, milliseconds since 1970. Throws Unseen. */
export async function answerBy(
  options: Meant & AnswerOptions,
  io: Io,
  work: (found: Found, began: number, crew: Crew) => Promise<Done>,
): Promise<Status> {
  const began = Date.now()
  const crew = new Crew()
  try {
    return await onFound(options, io, async (found) => {
      const { report, failure } = await work(found, began, crew)
      return await answer(report, options, io, failure)
    })
  } finally {
    await crew.close()
  }
}
