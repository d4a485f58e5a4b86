/** `fettle compare`: two reports of the same thing, before and after a change. */
import { compare as compareReports, comparisonText, jsonText } from '@fettle/report'
import { type Command, EXIT, type Status } from './command.ts'
import { lastTwo, loadReport } from './saved.ts'

export interface CompareOptions {
  /** Before and after; undefined: the last two that were kept. */
  readonly files: readonly [string, string] | undefined
  readonly data: string | undefined
  readonly json: boolean
}

export const compare: Command<CompareOptions> = {
  name: 'compare',
  summary: 'say what changed between two reports, and whether it is more than noise',
  arguments: [
    { name: 'report', many: true, optional: true, says: 'before and after; none: the last two that were kept' },
  ],
  flags: [
    { name: 'data', value: 'folder', says: 'where reports are kept (FETTLE_DATA)' },
    { name: 'json', says: 'as JSON' },
  ],
  examples: ['fettle compare before.json after.json', 'fettle compare'],
  read({ arguments: files, flags }) {
    const [before, after, ...more] = files
    if (more.length > 0 || (before !== undefined && after === undefined)) {
      return { ok: false, faults: ['compare: give two reports, or none for the last two that were kept'] }
    }
    const data = typeof flags.data === 'string' ? flags.data : undefined
    const pair = before === undefined || after === undefined ? undefined : ([before, after] as const)
    return { ok: true, value: { files: pair, data, json: flags.json === true } }
  },
  async run({ files, data, json }, io): Promise<Status> {
    const two =
      files === undefined ? lastTwo(data ?? io.data) : Promise.all([loadReport(files[0]), loadReport(files[1])])
    const comparison = compareReports(...(await two))
    if ('problem' in comparison) {
      io.complain(`these reports cannot be compared: ${comparison.problem}`)
      return EXIT.wrong
    }
    await io.write(json ? jsonText(comparison) : comparisonText(comparison, io.width))
    const isWorse = comparison.changes.some(({ verdict }) => verdict === 'worse')
    return isWorse || comparison.come.some(({ severity }) => severity !== 'note') ? EXIT.findings : EXIT.nothing
  },
}
