/** `fettle relay server add | list | remove`: a token of its own for each coturn. */

import { EXIT, type Io } from '@fettle/check'
import {
  addServer,
  isLoopback,
  listServers,
  type RespServer,
  readAddress,
  removeServer,
  type ServeOptions,
  statsdbLine,
} from '@fettle/relay'
import { type Server, servers as serversAnswer } from '@fettle/relay/api'
import { jsonText, printable, table } from '@fettle/report'
import { Command } from 'commander'
import { ask, findRunning, meterOn } from './client.ts'
import { examplesText, folderOptions, withSettings } from './settings.ts'

/** Shown in help; a test runs each of them. */
export const serverExamples = [
  'fettle relay server add berlin',
  'fettle relay server add paris --version 4.6.1',
  'fettle relay server list',
  'fettle relay server list --lines',
  'fettle relay server remove paris',
] as const

interface ServerFlags {
  readonly version?: string
  readonly lines?: true
  readonly json?: true
}

export function serverCommand(io: Io, done: (status: number) => void): Command {
  const server = new Command('server')
    .description('say which coturns may report: each has a line of its own')
    .addHelpText('after', examplesText(serverExamples))
  const shared = (command: Command) =>
    folderOptions(command).option('--resp <host:port>', 'where coturn connects, while no meter runs (FETTLE_RESP)')
  shared(server.command('add'))
    .description('let one more coturn report, and print its line for turnserver.conf')
    .argument('<name>', 'a name for it: A-Z a-z 0-9 . _ -')
    .option('--version <version>', "coturn's version, such as 4.6.1: for its known faults")
    .action(async (name: string, flags: ServerFlags) =>
      done(await withSettings(flags, io, (options) => runAdd(options, name, flags.version, io))),
    )
  shared(server.command('list'))
    .description('list the coturns that may report, and how they are')
    .option('--lines', 'with their lines for turnserver.conf, which hold their passwords')
    .option('--json', 'as JSON')
    .action(async (flags: ServerFlags) => done(await withSettings(flags, io, (options) => runList(options, flags, io))))
  shared(server.command('remove'))
    .description('let a coturn report no more; its records stay')
    .argument('<name>')
    .action(async (name: string, flags: ServerFlags) =>
      done(await withSettings(flags, io, (options) => runRemove(options, name, io))),
    )
  return server
}

/** Where coturn is to connect. */
interface Endpoint {
  readonly host: string
  /** 0: not known before the meter runs. */
  readonly port: number
  /** `--resp off`: nowhere. */
  readonly isOff: boolean
  readonly running: boolean
  /** Whether the running meter can be asked. */
  readonly api: boolean
}

function endpointOf(options: ServeOptions): Endpoint {
  const running = findRunning(options.data)
  const address = running === undefined ? options.resp : readAddress(running.resp ?? '')
  const known = { running: running !== undefined, api: running !== undefined && running.http !== null }
  return { ...(address ?? { host: '', port: 0 }), isOff: !address, ...known }
}

async function runAdd(options: ServeOptions, name: string, version: string | undefined, io: Io): Promise<number> {
  const added = addServer(options.data, name, version ?? null)
  if ('problem' in added) {
    io.complain(added.problem)
    return EXIT.wrong
  }
  const endpoint = endpointOf(options)
  await io.write(`${name} may report now.${lineText(added, endpoint)}${nextSteps(added, endpoint)}`)
  return EXIT.nothing
}

const isAny = (host: string) => host === '0.0.0.0' || host === '::'

function lineText(server: RespServer, endpoint: Endpoint): string {
  if (endpoint.isOff) return ' The meter has no endpoint (--resp off): no coturn can connect.\n'
  if (endpoint.port === 0) {
    return ' Its line is known when the meter runs on a port:\nfettle relay server list --lines\n'
  }
  const line = statsdbLine(server, endpoint.host, endpoint.port)
  const any = isAny(endpoint.host)
    ? `Write an address of this machine that it reaches instead of ${endpoint.host}.\n`
    : ''
  return ` This line goes into its turnserver.conf, in place of any
other redis-statsdb, whose readers then hear nothing any more:\n\n${line}\n\n${any}`
}

/** What to do with the line; what a version of coturn needs stands in docs/operating.md. */
function nextSteps({ version }: RespServer, { host, running }: Endpoint): string {
  const drains = version !== null && !isBefore(version, 4, 10)
  const lines = [
    'Then restart that coturn: a restart ends its calls without a last report, so',
    drains ? 'drain it first (kill -USR1 its process).' : 'do it when no call is up.',
    ...(isLoopback(host) ? [`The meter listens on ${host}: only a coturn on this machine reaches it.`] : []),
    ...(running ? [] : ['No meter is running on this folder: fettle relay serve']),
    'Whether it has connected: fettle relay server list',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** Whether a version such as 4.6.1 is older than major.minor. */
export function isBefore(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number)
  return a < major || (a === major && b < minor)
}

async function runRemove(options: ServeOptions, name: string, io: Io): Promise<number> {
  if (!removeServer(options.data, name)) {
    const names = listServers(options.data).map((one) => one.name)
    io.complain(`${JSON.stringify(name)} is none of the servers: ${names.join(', ') || 'there are none'}`)
    return EXIT.wrong
  }
  await io.write(
    `${printable(name)} is removed: from now on its coturn is refused and counts for nothing.
Its records stay. Take the redis-statsdb line out of its turnserver.conf.\n`,
  )
  return EXIT.nothing
}

/** A server of the list with what the meter knows of it, if one runs. */
interface Listed {
  readonly server: RespServer
  readonly known: Server | undefined
}

async function runList(options: ServeOptions, flags: ServerFlags, io: Io): Promise<number> {
  const list = listServers(options.data)
  const endpoint = endpointOf(options)
  const answer = endpoint.api ? await ask(meterOn(options.data), '/v1/servers', serversAnswer) : undefined
  const listed = list.map((server) => ({ server, known: answer?.servers.find((one) => one.name === server.name) }))
  await io.write(flags.json ? listJson(listed, flags, endpoint) : listText(listed, flags, endpoint, io.width))
  return EXIT.nothing
}

function listJson(listed: readonly Listed[], flags: ServerFlags, endpoint: Endpoint): string {
  const servers = listed.map(({ server, known }) => ({
    name: server.name,
    version: server.version,
    connected: endpoint.api ? (known?.connected ?? false) : null,
    lastEventAt: known?.lastEventAt ?? null,
    allocations: endpoint.api ? (known?.allocations ?? 0) : null,
    ...(flags.lines ? { line: ownLine(server, endpoint) } : {}),
  }))
  const { running } = endpoint
  return jsonText({ schema: 'fettle.relay.servers/1', running, servers })
}

const columns = [
  { title: 'server', flexible: true },
  { title: 'coturn' },
  { title: 'connected' },
  { title: 'last event (UTC)' },
  { title: 'open', right: true },
] as const

function listText(listed: readonly Listed[], flags: ServerFlags, endpoint: Endpoint, width: number): string {
  if (listed.length === 0) return 'no servers; fettle relay server add NAME makes one\n'
  const rows = listed.map(({ server, known }) => [
    printable(server.name),
    printable(server.version ?? '-'),
    endpoint.api ? (known?.connected ? 'yes' : 'no') : '-',
    known?.lastEventAt?.slice(5, 19).replace('T', ' ') ?? '-',
    known === undefined ? '-' : String(known.allocations),
  ])
  const notes = listed
    .filter(({ known }) => known?.shared)
    .map(({ server }) => `${printable(server.name)}: two coturns seem to use its line; give each its own\n`)
  if (endpoint.isOff) notes.push('The meter has no endpoint (--resp off): no coturn can connect\n')
  if (!endpoint.running) notes.push('No meter is running on this folder: fettle relay serve\n')
  else if (!endpoint.api) notes.push('The meter serves no API, so nothing is known of its connections\n')
  const lines = flags.lines
    ? listed.map(({ server }) => {
        const line = ownLine(server, endpoint) ?? 'known when the meter runs on a port'
        return `\n${printable(server.name)}:\n${line}\n`
      })
    : []
  return [table(columns, rows, width), ...notes, ...lines].join('')
}

/** null: not known before the meter runs. */
function ownLine(server: RespServer, { host, port }: Endpoint): string | null {
  return port === 0 ? null : statsdbLine(server, host, port)
}
