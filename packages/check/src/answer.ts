/** How a report is given: for a person, or with `--json` for a program; the status says whether there is work. */
import { isClean, jsonText, type Report, reportText } from '@fettle/report'
import { EXIT, type Flag, type Status } from './command.ts'
import type { Io } from './io.ts'

/** What every command that reports takes. */
export const reportFlags: readonly Flag[] = [{ name: 'json', says: 'the report as JSON' }]

export async function answer(report: Report, asJson: boolean, io: Io): Promise<Status> {
  await io.write(asJson ? jsonText(report) : reportText(report, io.width))
  return isClean(report) ? EXIT.nothing : EXIT.findings
}
