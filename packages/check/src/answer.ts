/** How a report is given: for a person, or with `--json` for a program; the status says whether there is work. */
import { isClean, jsonText, type Report, reportText } from '@fettle/report'
import { EXIT, type Flag, type Given, type Status } from './command.ts'
import type { Io } from './io.ts'
import { saveReport } from './saved.ts'

export interface AnswerOptions {
  readonly json: boolean
  /** The report is kept. */
  readonly save: boolean
  /** The data folder; undefined: the usual one. */
  readonly data: string | undefined
}

/** What every command that reports takes. */
export const reportFlags: readonly Flag[] = [
  { name: 'json', says: 'the report as JSON' },
  { name: 'save', says: 'keep the report, for fettle compare' },
  { name: 'data', value: 'folder', says: 'the data folder, where reports are kept (FETTLE_DATA)' },
]

export function readAnswerOptions({ flags }: Given): AnswerOptions {
  const data = typeof flags.data === 'string' ? flags.data : undefined
  return { json: flags.json === true, save: flags.save === true, data }
}

/** `failure`: in one line why not all was done or seen that was asked for; it is told after the report. */
export async function answer(
  report: Report,
  { json, save, data }: AnswerOptions,
  io: Io,
  failure?: string | null,
): Promise<Status> {
  await io.write(json ? jsonText(report) : reportText(report, io.width))
  if (save) {
    const file = saveReport(data ?? io.data, report, Date.now())
    if (!json) await io.write(`kept: ${file}\n`)
  }
  if (failure === undefined || failure === null) return isClean(report) ? EXIT.nothing : EXIT.findings
  io.complain(failure)
  return EXIT.couldNot
}
