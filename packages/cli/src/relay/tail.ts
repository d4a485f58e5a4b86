/** `fettle relay tail`: events as they come. */

import { EXIT, type Io } from '@fettle/check'
import type { ServeOptions } from '@fettle/relay'
import { type TailEvent, tailEvent } from '@fettle/relay/api'
import { printable, size } from '@fettle/report'
import { Command } from 'commander'
import { listenTo, type Message, meterOn, readAs } from './client.ts'
import { examplesText, folderOptions, withSettings } from './settings.ts'

/** Shown in help; a test runs each of them. */
export const tailExamples = [
  'fettle relay tail',
  'fettle relay tail --device alice',
  'fettle relay tail --json',
] as const

interface TailFlags {
  readonly device?: string
  readonly json?: true
}

export function tailCommand(io: Io, done: (status: number) => void): Command {
  return folderOptions(new Command('tail'))
    .description('show what coturn reports, as it comes; Ctrl-C ends it')
    .option('--device <name>', 'only this device')
    .option('--json', 'one JSON object a line, with all that is known')
    .addHelpText('after', examplesText(tailExamples))
    .action(async (flags: TailFlags) => done(await withSettings(flags, io, (options) => runTail(options, flags, io))))
}

async function runTail({ data }: ServeOptions, flags: TailFlags, io: Io): Promise<number> {
  const meter = meterOn(data)
  if (io.isTerminal && !flags.json) await io.write(head(io.width))
  const query = flags.device === undefined ? '' : `?device=${encodeURIComponent(flags.device)}`
  for await (const message of listenTo(meter, `/v1/events${query}`, io.signal)) await show(message, flags, io)
  return EXIT.nothing
}

async function show({ event, data }: Message, flags: TailFlags, io: Io): Promise<void> {
  if (event === 'message') {
    const one = readAs(tailEvent, data)
    // In a string of JSON an escape is the letter itself.
    await io.write(flags.json ? `${printable(JSON.stringify(one))}\n` : tailLine(one, io.width))
  } else if (event === 'dropped') {
    const { dropped } = JSON.parse(data) as { dropped?: unknown }
    io.complain(`${Number(dropped)} events are not shown: they came too fast`)
  }
}

const SERVER = 8
const EVENT = 12
const WHAT = 24
const DEVICE_MAX = 32

/** What is left of the line for the device. */
const deviceWidth = (width: number) => Math.min(DEVICE_MAX, Math.max(8, width - 8 - SERVER - EVENT - WHAT - 8))

function head(width: number): string {
  const titles = `${cell('UTC', 8)}  ${cell('server', SERVER)}  ${cell('event', EVENT)}  `
  return `${titles}${cell('device', deviceWidth(width))}  what\n`
}

/** One event in one line of at most 80 columns, or as wide as the terminal. */
export function tailLine(event: TailEvent, width: number): string {
  const cells = [
    event.at.slice(11, 19),
    cell(printable(event.server), SERVER),
    cell(event.event, EVENT),
    cell(printable(event.device || event.username), deviceWidth(width)),
    what(event),
  ]
  return `${cells.join('  ').trimEnd()}\n`
}

function what({ event, counters, lifetimeSeconds }: TailEvent): string {
  if (counters !== null) return `in ${size(counters.receivedBytes)}, out ${size(counters.sentBytes)}`
  if (event === 'malformed') return 'cannot be read'
  if (lifetimeSeconds === null) return ''
  return lifetimeSeconds === 0 ? 'goodbye' : `lifetime ${lifetimeSeconds} s`
}

/** Exactly so wide: cut or filled. */
function cell(text: string, width: number): string {
  const letters = Array.from(text)
  if (letters.length > width) return `${letters.slice(0, width - 1).join('')}…`
  return text + ' '.repeat(width - letters.length)
}
