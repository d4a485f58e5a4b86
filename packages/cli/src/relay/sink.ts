/** `fettle relay sink`: the table that gets a row for each finished session. */

import { EXIT, type Io } from '@fettle/check'
import { checkSink, type ServeOptions, type SinkCheck } from '@fettle/relay'
import { jsonText, plural, printable, table } from '@fettle/report'
import { Command } from 'commander'
import { examplesText, folderOptions, withSettings } from './settings.ts'

export const sinkExamples = [
  'fettle relay sink check',
  'fettle relay sink check --config ./fettle.yaml --json',
] as const

interface SinkFlags {
  readonly json?: true
}

export function sinkCommand(io: Io, done: (status: number) => void): Command {
  const sink = new Command('sink').description('the table of yours that gets a row for each finished session')
  folderOptions(sink.command('check'))
    .description('try the mapping against the table, and show the row of the last session; writes nothing')
    .option('--sink <url>', 'mysql://USER@HOST/DATABASE (FETTLE_SINK)')
    .option('--username <template>', 'what a username says (FETTLE_USERNAME)')
    .option('--json', 'as JSON')
    .addHelpText('after', examplesText(sinkExamples))
    .addHelpText('after', 'Exit status: 0 it fits, 1 it does not or rows are held back, 2 no sink, 3 no database.')
    .action(async (flags: SinkFlags) => done(await withSettings(flags, io, (options) => runCheck(options, flags, io))))
  return sink
}

async function runCheck({ sink, data }: ServeOptions, { json }: SinkFlags, io: Io): Promise<number> {
  if (sink === null || sink.target === null) {
    const what = sink === null ? 'the settings file has no relay.sink' : 'it is not said where to'
    io.complain(`${what}; give --sink URL or FETTLE_SINK, and relay.sink with table and columns in the file`)
    return EXIT.wrong
  }
  const check = await checkSink(sink, data)
  if (json) await io.write(jsonText({ schema: 'fettle.relay.sink-check/1', ...check }))
  else await io.write(checkText(check, io.width))
  return check.problems.length + check.held.length === 0 ? EXIT.nothing : EXIT.findings
}

const COLUMNS = [
  { title: 'column' },
  { title: 'type' },
  { title: 'field' },
  { title: 'verdict', flexible: true },
] as const
const HELD_SHOWN = 10

function checkText(check: SinkCheck, width: number): string {
  const rows = check.columns.map(({ column, type, field, problem, note }) => {
    const verdict = problem === null ? `ok${note === '' ? '' : `: ${note}`}` : `problem: ${problem}`
    return [printable(column), printable(type), printable(field), printable(verdict)]
  })
  const line = (text: string) => `${printable(text)}\n`
  return [
    line(`table ${check.table} at ${check.target} (${check.version})`),
    ...(rows.length === 0 ? [] : ['\n', table(COLUMNS, rows, width), '\n']),
    ...check.problems.map((text) => line(`problem: ${text}`)),
    ...check.warnings.map((text) => line(`warning: ${text}`)),
    ...(check.key === null ? [] : [line(`rows are known again by: ${check.key}`)]),
    line(`corrections: ${check.corrections}`),
    ...sampleLines(check),
    ...heldLines(check),
    line(check.problems.length > 0 ? 'Nothing is written like this.' : waitingText(check.waiting)),
  ].join('')
}

function sampleLines({ sample }: SinkCheck): string[] {
  if (sample === null) return []
  if (sample.problem !== null)
    return [`\nsession ${sample.session} could not be written: ${printable(sample.problem)}\n`]
  const rows = sample.values.map(({ column, text }) => [`  ${printable(column)}`, printable(text ?? 'NULL')])
  const columns = [{ title: '' }, { title: '' }]
  const body = table(columns, rows, Number.MAX_SAFE_INTEGER).split('\n').slice(1).join('\n')
  return [`\nthe row of session ${sample.session}, which was the last to end:\n`, body, '\n']
}

function heldLines({ held }: SinkCheck): string[] {
  if (held.length === 0) return []
  const shown = held.slice(0, HELD_SHOWN).map(({ session, why }) => `  session ${session}: ${printable(why)}\n`)
  return [`held back: ${plural(held.length, 'row')}\n`, ...shown]
}

function waitingText(waiting: number | null): string {
  if (waiting === null) return 'It fits. No meter has run on the data folder yet.'
  return `It fits. ${waiting === 0 ? 'No session waits' : `${plural(waiting, 'session')} wait`} to be written.`
}
