/** `fettle relay doctor`: what is wrong, and what to do. */
import { accessSync, constants, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { EXIT, type Io, Unseen } from '@fettle/check'
import {
  type Address,
  addressText,
  isHeld,
  listServers,
  type RespServer,
  type Running,
  type ServeOptions,
} from '@fettle/relay'
import { type Ready, ready as readyAnswer } from '@fettle/relay/api'
import { jsonText, plural } from '@fettle/report'
import { Command } from 'commander'
import { type Check, checkText, ok, problem, warning } from '../check.ts'
import { ask, findRunning, MeterFault, meterOn } from './client.ts'
import { checkCoturns, DEFAULT_FILE } from './coturn.ts'
import { checkDisk, checkFolder, checkRecords } from './records.ts'
import { examplesText, folderOptions, withSettings } from './settings.ts'

/** Shown in help; a test runs each of them. */
export const doctorExamples = [
  'fettle relay doctor',
  'fettle relay doctor --turnserver-conf ./turnserver.conf',
  'fettle relay doctor --json',
] as const

interface DoctorFlags {
  readonly turnserverConf?: string
  readonly json?: true
}

export function doctorCommand(io: Io, done: (status: number) => void): Command {
  return folderOptions(new Command('doctor'))
    .description('say whether all is well with the meter and its coturns, and if not, what to do')
    .option('--resp <host:port>', 'where coturn connects, while no meter runs (FETTLE_RESP)')
    .option('--redis <url>', 'a Redis that the meter hears coturns from (FETTLE_REDIS)')
    .option('--log <file>', "a log of coturn's that the meter follows (FETTLE_LOG)")
    .option('--username <template>', 'what a username says, while no meter runs (FETTLE_USERNAME)')
    .option('--turnserver-conf <file>', `coturn's configuration (${DEFAULT_FILE}, if coturn runs here)`)
    .option('--json', 'as JSON')
    .addHelpText('after', examplesText(doctorExamples))
    .addHelpText('after', 'Exit status: 0 all is well, 1 something is not, 3 it could not be looked at.')
    .action(async (flags: DoctorFlags) =>
      done(await withSettings(flags, io, (options) => runDoctor(options, flags, io))),
    )
}

async function runDoctor(options: ServeOptions, { turnserverConf, json }: DoctorFlags, io: Io): Promise<number> {
  const checks = await lookAt(options, turnserverConf)
  if (json) await io.write(jsonText({ schema: 'fettle.relay.doctor/1', data: options.data, checks }))
  else await io.write(checks.map((check) => checkText(check, Math.min(io.width, WIDTH))).join('') + verdict(checks))
  return checks.every(({ level }) => level === 'ok') ? EXIT.nothing : EXIT.findings
}

/** Sentences wider than this are hard to read. */
const WIDTH = 100

function verdict(checks: readonly Check[]): string {
  const count = (level: string) => checks.filter((check) => check.level === level).length
  const said = (n: number, word: string) => (n === 0 ? [] : [plural(n, word)])
  const found = [...said(count('problem'), 'problem'), ...said(count('warning'), 'warning')]
  return `\n${found.length === 0 ? 'All is well.' : `${found.join(', ')}.`}\n`
}

async function lookAt(options: ServeOptions, file: string | undefined): Promise<Check[]> {
  const { data } = options
  needFolder(data)
  const servers = listServers(data)
  const running = findRunning(data)
  const startedAt = running === undefined ? null : Date.parse(running.startedAt)
  const { checks, answer } = await checkMeter(options, running)
  const own = [await checkDisk(data, answer?.diskFreeBytes), ...checkRecords(options, startedAt, Date.now())]
  const told = answer === undefined ? own : joined(checkAnswer(answer, servers), own)
  return [checkFolder(data), ...checks, ...told, ...(await checkCoturns(options, servers, running?.resp, file))]
}

/** What a running meter finds as well, and knows better. */
const FAMILIES = [/^disk/, /^gap/, /^clock-jump$/, /^malformed$/, /^rejected$/, /^heard-twice$/]

/** What the meter finds, and what was found beside it, each thing once. */
function joined(found: readonly Check[], own: readonly Check[]): Check[] {
  // Only here is what was named since the meter has the template that it has, and a suggestion.
  const isNamed = own.some(({ code }) => code === 'template' || code === 'misfits')
  const isFound = (code: string) =>
    FAMILIES.some((family) => family.test(code) && found.some((one) => family.test(one.code)))
  const isLeft = ({ code, level }: Check) =>
    !isFound(code) && (level === 'ok' || !FAMILIES.some((family) => family.test(code)))
  return [...found.filter(({ code }) => code !== 'misfits' || !isNamed), ...own.filter((one) => isLeft(one))]
}

function needFolder(data: string): void {
  try {
    if (!statSync(data).isDirectory()) throw new Unseen(`${data}: is no folder; give another --data`)
    accessSync(data, constants.R_OK | constants.X_OK)
  } catch (error) {
    if (error instanceof Unseen) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw new Unseen(`${data}: cannot be looked at (${code}); run this as the meter's user`)
    throw new Unseen(`${data}: no meter has run here; start one with fettle relay serve, or give another --data`)
  }
}

interface Looked {
  readonly checks: readonly Check[]
  readonly answer?: Ready
}

async function checkMeter(options: ServeOptions, running: Running | undefined): Promise<Looked> {
  const { data } = options
  if (running === undefined) {
    const port = options.resp === null ? [] : [options.resp]
    if (!isHeld(data)) return { checks: [notRunning(data), ...(await Promise.all(port.map(checkPort)))] }
    const text = `A meter holds ${data} and does not say where it listens: it starts or stops.`
    return { checks: [warning('meter', text, 'Look again in a few seconds.')] }
  }
  const where = running.resp === null ? 'has no endpoint' : `listens on ${running.resp}`
  const since = `A meter runs since ${said(running.startedAt)} and ${where}`
  if (running.http === null) return { checks: [ok('meter', `${since}; it serves no API and cannot be asked more.`)] }
  try {
    const answer = await ask(meterOn(data), '/readyz', readyAnswer)
    return { checks: [ok('meter', `${since}.`)], answer }
  } catch (error) {
    if (!(error instanceof MeterFault)) throw error
    const remedy = 'If it stays so, restart the meter, and report it as a bug.'
    return { checks: [problem('meter', `A meter runs and does not answer: ${error.message}`, remedy)] }
  }
}

const said = (time: string) => `${time.slice(5, 19).replace('T', ' ')} UTC`

const notRunning = (data: string) =>
  problem('meter', 'No meter is running.', `Start one: fettle relay serve --data ${data}`)

/** Whether a meter could listen there. */
function checkPort({ host, port }: Address): Promise<Check> {
  const where = addressText(host, port)
  const { promise, resolve: answer } = Promise.withResolvers<Check>()
  const server = createServer()
  server.once('error', ({ code }: NodeJS.ErrnoException) => {
    if (code === 'EADDRINUSE') {
      const remedy = 'End that, or give serve another --resp; then the lines in turnserver.conf change as well.'
      answer(problem('port', `${where} is taken by another program.`, remedy))
    } else answer(problem('port', `Nothing can listen on ${where} (${code}).`, 'Give serve another --resp.'))
  })
  server.listen({ host, port }, () => {
    server.close(() => answer(ok('port', `${where} is free for a meter.`)))
  })
  return promise
}

/** What the meter says of itself and of its coturns. */
function checkAnswer(answer: Ready, servers: readonly RespServer[]): Check[] {
  const found = answer.findings.map(({ code, level, text, remedy }) => ({
    code,
    level,
    text,
    remedy: code === 'server-never-connected' ? [remedy, UNUSED] : [remedy],
  }))
  const isSaid = (name: string) =>
    found.some(({ code, text }) => /^(server|redis|log)-/.test(code) && text.includes(`"${name}"`))
  // Where coturns are heard otherwise, none is waited for that has never connected (and with --resp off none can).
  const areAwaited = answer.servers.every(({ kind }) => kind === 'coturn')
  const connected = new Set(answer.servers.filter((one) => one.connected).map(({ name }) => name))
  const unsaid = servers.filter(({ name }) => !isSaid(name) && (areAwaited || connected.has(name)))
  const heard = (of: string) => answer.servers.filter(({ kind, connected }) => kind === of && connected)
  return [
    ...heard('redis').map(({ name, lastEventAt }) =>
      ok('redis', `The Redis ${name} is heard, ${eventsText(lastEventAt)}.`),
    ),
    ...heard('log').map(({ name, lastEventAt }) => ok('log', `The log ${name} is read, ${eventsText(lastEventAt)}.`)),
    ...unsaid.map(({ name }) =>
      checkServer(
        name,
        answer.servers.find((one) => one.name === name),
      ),
    ),
    ...found,
  ]
}

const LINES = 'The line: fettle relay server list --lines'
const UNUSED = 'If no coturn is to use it: fettle relay server remove NAME'

const eventsText = (heard: string | null) => (heard === null ? 'no event yet' : `last event ${said(heard)}`)

function checkServer(name: string, known: Ready['servers'][number] | undefined): Check {
  const events = eventsText(known?.lastEventAt ?? null)
  if (known?.connected) return ok('server', `${name} is connected, ${events}.`)
  return warning('server', `${name} is not connected, ${events}.`, LINES, UNUSED)
}
