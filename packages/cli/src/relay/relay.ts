/** `fettle relay ...`: flags in, the meter's answers out. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EXIT, type Io } from '@fettle/check'
import type { ServeOptions, SessionRecord } from '@fettle/relay'
import {
  csvHeader,
  csvLine,
  NO_TARGET,
  openLedger,
  type Replay,
  readSessions,
  replay,
  serve,
  sessionCsv,
} from '@fettle/relay'
import { jsonText, plural, printable } from '@fettle/report'
import { type Command, Option } from 'commander'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { isLevel, jsonTeller, type Teller, textTeller } from './log.ts'
import { reconcileCommand } from './reconcile.ts'
import { serverCommand } from './server.ts'
import { sessionTable } from './sessions.ts'
import { examplesText, type Flags, folderOptions, withSettings } from './settings.ts'
import { sinkCommand } from './sink.ts'
import { tailCommand } from './tail.ts'

/** Commands that help shows as examples; a test runs each of them. The files are recordings. */
export const examples = {
  serve: [
    'fettle relay serve',
    'fettle relay serve --data ./meter --resp 127.0.0.1:0',
    'fettle relay serve --resp off --log turn.log',
  ],
  sessions: [
    'fettle relay sessions',
    'fettle relay sessions --live --json',
    'fettle relay sessions --device alice --csv',
  ],
  replay: [
    'fettle relay replay call.txt',
    'fettle relay replay call.txt --username "{expires}:{device}_{kind}_{client}_{account}" --json',
    'fettle relay replay call.txt turnserver.log',
  ],
} as const

/** The commands, under `relay`; each sets the exit status by `done`. */
export function addRelay(relay: Command, io: Io, done: (status: number) => void): void {
  const labelled = (command: Command) =>
    command
      .option('--username <template>', 'what a username says, such as {expires}:{device} (FETTLE_USERNAME)')
      .option('--linger <seconds>', 'a session may go on this long after its last call closed (FETTLE_LINGER; 30)')
  const output = (command: Command) =>
    command
      .option('--json', 'the records as JSON')
      .addOption(new Option('--csv', 'one row a session, for a spreadsheet').conflicts('json'))

  labelled(folderOptions(relay.command('serve')))
    .description('take the events of your coturn servers and keep who relayed how much for how long')
    .option('--resp <host:port>', 'where coturn connects (FETTLE_RESP; 127.0.0.1:7431; port 0: any free one; off)')
    .option('--redis <url>', 'a Redis that coturns report to, redis://HOST:PORT/DB (FETTLE_REDIS)')
    .option('--log <file>', "a log of coturn's to follow; - for one that is piped in (FETTLE_LOG)")
    .option('--http <host:port>', 'the page and the API (FETTLE_HTTP; 127.0.0.1:7430; off: none)')
    .option('--forward <url>', 'pass all on to a Redis as well, redis://HOST:PORT/DB (FETTLE_FORWARD)')
    .option('--sink <url>', 'a row for each finished session, mysql://USER@HOST/DATABASE (FETTLE_SINK)')
    .option('--log-format <form>', 'what the meter itself tells: text or json (FETTLE_LOG_FORMAT; text at a terminal)')
    .option('--log-level <level>', 'debug, info, warn or error, of the JSON (FETTLE_LOG_LEVEL; info)')
    .addHelpText('after', examplesText(examples.serve))
    .action(async (flags: Flags) => done(await withSettings(flags, io, (options) => runServe(options, flags, io))))
  output(folderOptions(relay.command('sessions')))
    .description('list the sessions that the meter keeps')
    .option('--live', 'only those that are open now')
    .option('--device <name>', 'only this device')
    .addHelpText('after', examplesText(examples.sessions))
    .action(async (flags: Flags) => done(await withSettings(flags, io, (options) => runSessions(options, flags, io))))
  output(labelled(relay.command('replay')))
    .description('fold recordings into sessions: redis-cli psubscribe or monitor, RESP captures, coturn logs')
    .argument('<file...>', 'files of one form are one stream, in this order; other forms are compared with it')
    .addHelpText('after', examplesText(examples.replay))
    .action(async (files: string[], flags: Flags) =>
      done(await withSettings(flags, io, (options) => runReplay(files, options, flags, io))),
    )
    .addCommand(serverCommand(io, done))
    .addCommand(doctorCommand(io, done))
    .addCommand(tailCommand(io, done))
    .addCommand(reconcileCommand(io, done))
    .addCommand(sinkCommand(io, done))
    .addCommand(demoCommand(io, done, consoleFolder().console))
}

async function runServe(options: ServeOptions, flags: Flags, io: Io): Promise<number> {
  const tell = tellerOf(flags, io)
  if (tell === undefined) return EXIT.wrong
  if (options.sink?.target === null) {
    io.complain(`relay.sink: ${NO_TARGET}`)
    return EXIT.wrong
  }
  const clean = await serve(options, { signal: io.signal, on: tell, ...consoleFolder() })
  return clean ? EXIT.nothing : EXIT.couldNot
}

/** A person reads lines; a service's output is collected, so it is JSON and names nobody. */
function tellerOf(flags: Flags, io: Io): Teller | undefined {
  const read = (flag: 'logFormat' | 'logLevel', where: string, variable: string, fallback: string) => {
    const given = flags[flag] ?? io.environment[variable] ?? fallback
    return [String(given), flags[flag] === undefined ? `environment ${variable}` : where] as const
  }
  const [form, formFrom] = read('logFormat', '--log-format', 'FETTLE_LOG_FORMAT', io.isTerminal ? 'text' : 'json')
  const [level, levelFrom] = read('logLevel', '--log-level', 'FETTLE_LOG_LEVEL', 'info')
  if (form !== 'text' && form !== 'json') io.complain(`${formFrom} ${JSON.stringify(form)}: is neither text nor json`)
  else if (!isLevel(level)) io.complain(`${levelFrom} ${JSON.stringify(level)}: is none of debug, info, warn, error`)
  else return form === 'text' ? textTeller(io) : jsonTeller(io, level)
  return undefined
}

/** The page, if it was built. */
function consoleFolder(): { console?: string } {
  const folder = fileURLToPath(new URL('../../../console/dist', import.meta.url))
  return existsSync(join(folder, 'index.html')) ? { console: folder } : {}
}

async function runSessions(options: ServeOptions, flags: Flags, io: Io): Promise<number> {
  const db = openLedger(options.data)
  try {
    const device = flags.device as string | undefined
    const filter = { live: flags.live === true, ...(device === undefined ? {} : { device }) }
    await writeSessions(readSessions(db, filter), flags, io)
  } finally {
    db.close()
  }
  return EXIT.nothing
}

/** A file gets every letter as it is; at a terminal none may steer it. */
function csvText(sessions: readonly SessionRecord[], io: Io): string {
  const rows = sessions.map(sessionCsv)
  return (io.isTerminal ? rows.map((row) => `${printable(row.trimEnd())}\r\n`) : rows).join('')
}

/** A page at a time: a year of sessions must not fill the memory. */
async function writeSessions(pages: Iterable<SessionRecord[]>, flags: Flags, io: Io): Promise<void> {
  if (flags.csv) await io.write(csvLine(csvHeader))
  if (flags.json) await io.write('{"schema":"fettle.relay.sessions/1","sessions":[')
  let count = 0
  for (const page of pages) {
    if (flags.json)
      await io.write(
        page.map((session, i) => (count + i > 0 ? ',\n' : '\n') + printable(JSON.stringify(session))).join(''),
      )
    else if (flags.csv) await io.write(csvText(page, io))
    else await io.write(sessionTable(page, io.width))
    count += page.length
  }
  if (flags.json) await io.write('\n]}\n')
  else if (count === 0 && !flags.csv) await io.write('no sessions\n')
}

async function runReplay(
  files: readonly string[],
  { template, lingerMs }: ServeOptions,
  flags: Flags,
  io: Io,
): Promise<number> {
  const result = await replay(files, template, lingerMs, io.progress)
  io.progress('')
  for (const line of [...result.cut, ...result.empty]) io.complain(line)
  if (flags.json) await io.write(jsonText(result))
  else if (flags.csv) await io.write(csvLine(csvHeader) + csvText(result.sessions, io))
  else await io.write(replayText(result, io))
  return EXIT.nothing
}

function replayText(result: Replay, io: Io): string {
  const lines = [result.sessions.length === 0 ? 'no sessions\n' : sessionTable(result.sessions, io.width)]
  const rejected = result.rejected.reduce((total, one) => total + one.allocations, 0)
  if (rejected > 0) lines.push(`rejected: ${plural(rejected, 'allocation')} that never proved real; billed to nobody\n`)
  if (result.gaps.length > 0) lines.push(`gaps: ${result.gaps.length}\n`)
  if (result.misfits > 0) lines.push(`${result.misfits} allocations have usernames that do not fit the template\n`)
  if (result.malformed > 0) lines.push(`unreadable: ${plural(result.malformed, 'line')}\n`)
  for (const { first, other, equal, differences } of result.compared) {
    lines.push(`${other} beside ${first}: ${plural(equal, 'allocation')} equal, ${differences.length} different\n`)
    for (const one of differences.slice(0, 20)) lines.push(`  ${printable(one.path)}\n`)
  }
  return lines.join('')
}
