/** `fettle relay demo`: a meter to look at, for whoever has no coturn at hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, type Io } from '@fettle/check'
import {
  listServers,
  PLAYED_TEMPLATE,
  type PlayedCall,
  play,
  readAddress,
  readRunning,
  type ServeEvent,
  type ServeOptions,
  type SessionRecord,
  serve,
} from '@fettle/relay'
import { duration, printable, size } from '@fettle/report'
import { Command } from 'commander'
import { examplesText, withSettings } from './settings.ts'

/** Shown in help; a test runs each of them. */
export const demoExamples = ['fettle relay demo', 'fettle relay demo --speed 5'] as const

interface DemoFlags {
  readonly speed: string
  readonly http: string
}

/** A call's session goes on for so long after its end; at a higher speed for less. */
const LINGER_SECONDS = 30

/** `console`: folder of the built page, if there is one. */
export function demoCommand(io: Io, done: (status: number) => void, console?: string): Command {
  return new Command('demo')
    .description('meter a recording of real calls, to see what there is to see; nothing stays')
    .option('--speed <factor>', 'how fast it plays, 0.1 to 100; 1 is as it was', '1')
    .option('--http <host:port>', 'the page and the API; port 0: any free one', '127.0.0.1:0')
    .addHelpText('after', examplesText(demoExamples))
    .action(async (flags: DemoFlags) => done(await runDemo(flags, io, console)))
}

async function runDemo(flags: DemoFlags, io: Io, console: string | undefined): Promise<number> {
  const speed = Number(flags.speed)
  if (!(speed >= 0.1 && speed <= 100)) {
    io.complain(`--speed ${JSON.stringify(flags.speed)}: is no number from 0.1 to 100`)
    return EXIT.wrong
  }
  const folder = ownFolder()
  if (folder === undefined) {
    io.complain(`${tmpdir()}: no folder can be made there; name another as TMPDIR`)
    return EXIT.couldNot
  }
  // None of the user's own settings: the recording must not be passed on to where real records go.
  const environment = { HOME: folder, XDG_CONFIG_HOME: folder }
  const linger = String(LINGER_SECONDS / Math.max(speed, 1))
  const settings = { data: folder, resp: '127.0.0.1:0', http: flags.http, username: PLAYED_TEMPLATE, linger }
  try {
    return await withSettings(settings, io, (options) => demo(options, speed, io, console), environment)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function ownFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'fettle-demo-'))
  } catch {
    return undefined
  }
}

/** The meter, and beside it what plays the part of a coturn. */
async function demo(options: ServeOptions, speed: number, io: Io, console: string | undefined): Promise<number> {
  const ended = new AbortController()
  const signal = AbortSignal.any([io.signal, ended.signal])
  let playing: Promise<void> | undefined
  let failed = false
  const on = (event: ServeEvent) => {
    if (event.kind === 'ready') {
      io.print(headText(event, options.data))
      playing = playInto(options.data, speed, signal, io).catch((error: Error) => {
        io.complain(`the recording cannot be played: ${error.message}`)
        failed = true
        ended.abort()
      })
    } else tell(event, io)
  }
  const clean = await serve(options, { signal, on, ...(console === undefined ? {} : { console }) })
  ended.abort()
  await playing
  if (clean && !failed) io.print(`\nended; ${options.data} is removed\n`)
  return clean && !failed ? EXIT.nothing : EXIT.couldNot
}

function playInto(data: string, speed: number, signal: AbortSignal, io: Io): Promise<void> {
  const { host, port } = readAddress(readRunning(data)!.resp!)!
  const { token } = listServers(data)[0]!
  const on = (call: PlayedCall) => io.print(callLine(call))
  return play({ host, port, token, speed, signal, on })
}

function headText({ http, token }: Extract<ServeEvent, { kind: 'ready' }>, data: string): string {
  return `This is a RECORDING, played over and over: calls that a coturn once relayed, now
under made-up names. The meter is real. Ctrl-C ends it and removes its folder.

page:  ${http}/#token=${token}
also:  fettle relay tail --data ${data}
       fettle relay sessions --live --data ${data}

`
}

const clock = () => new Date().toISOString().slice(11, 19)

function callLine({ what, devices }: PlayedCall): string {
  return `${clock()}  ${devices.join(' calls ')}: ${what}\n`
}

function tell(event: ServeEvent, io: Io): void {
  switch (event.kind) {
    case 'session':
      return io.print(sessionText(event.session))
    case 'failed':
    case 'cannot start':
      return io.complain(event.why)
    case 'hung':
      return io.complain('the meter stood still for 30 s and was ended')
    default:
  }
}

function sessionText({ device, account, relaySeconds, client }: SessionRecord): string {
  const who = printable(account === null ? device : `${device} (${account})`)
  const time = relaySeconds === null ? '' : `relayed ${duration(relaySeconds)}, `
  const moved = `in ${size(client.receivedBytes)}, out ${size(client.sentBytes)}`
  return `${clock()}  session over: ${who}  ${time}${moved}\n`
}
