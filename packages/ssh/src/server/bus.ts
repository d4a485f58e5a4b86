/** systemd-logind, asked as pam_systemd asks it: over D-Bus, with whatever program is there for it. */
import { existsSync } from 'node:fs'
import type { BusSeen } from '../core/server/facts.ts'
import { namesIn, type Process, processes } from './processes.ts'
import { find, type Ran, run } from './run.ts'

/** Whoever answers does so in milliseconds; a login would wait 25 s. */
const ANSWER_SECONDS = 6
const TICKS = 100
const NAME = 'org.freedesktop.login1'
const PATH = '/org/freedesktop/login1'
const SOCKETS = ['/run/dbus/system_bus_socket', '/var/run/dbus/system_bus_socket']

const PROGRAMS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['busctl', ['--system', 'call', NAME, PATH, `${NAME}.Manager`, 'ListSessions']],
  ['dbus-send', ['--system', '--print-reply', `--dest=${NAME}`, PATH, `${NAME}.Manager.ListSessions`]],
  ['loginctl', ['list-sessions', '--no-legend', '--no-pager']],
]

export async function askLogind(signal: AbortSignal): Promise<BusSeen> {
  const rest = { sessions: null, files: sessionFiles(), busLaterSeconds: busLater() }
  if (!SOCKETS.some((file) => existsSync(file))) {
    return { ...rest, answer: 'no bus', seconds: 0, text: 'there is no socket of the bus' }
  }
  const found = PROGRAMS.map(([name, args]) => [find(name), args] as const).find(([path]) => path !== undefined)
  if (found === undefined) return { ...rest, answer: 'no program', seconds: 0, text: '' }
  const [program, args] = found
  const ran = await run([program!, ...args], { seconds: ANSWER_SECONDS, signal })
  return { ...rest, ...answerOf(ran), sessions: ran.status === 0 ? sessionsIn(ran.output) : null }
}

function answerOf({ status, isCut, seconds, complaints }: Ran): Pick<BusSeen, 'answer' | 'seconds' | 'text'> {
  if (isCut) return { answer: 'silent', seconds, text: `no answer from ${NAME}` }
  if (status === 0) return { answer: 'answers', seconds, text: `an answer from ${NAME}` }
  const text = complaints.trim().split('\n').at(-1) ?? ''
  // A bus that gives up itself has waited as well.
  const isTimeout = /timed out|NoReply|TimedOut/i.test(text)
  return { answer: isTimeout ? 'silent' : 'refuses', seconds, text: text.slice(0, 200) }
}

/** busctl: `a(susso) 2 "1" ...`; dbus-send: a struct each; loginctl: a line each. */
function sessionsIn(output: string): number | null {
  const count = /^a\(susso\) (\d+)/.exec(output)?.[1]
  if (count !== undefined) return Number(count)
  if (output.includes('struct {')) return output.split('struct {').length - 1
  return output.includes('array [') ? 0 : output.split('\n').filter((line) => line.trim() !== '').length
}

const sessionFiles = () => namesIn('/run/systemd/sessions').filter((name) => !name.endsWith('.ref')).length

function busLater(): number | null {
  const all = processes()
  const oldest = (isOne: (one: Process) => boolean) =>
    all.filter(isOne).sort((a, b) => a.started - b.started)[0]?.started
  const logind = oldest(({ name }) => name === 'systemd-logind')
  const bus = oldest(({ name, parent }) => /^dbus-(?:daemon|broker)/.test(name) && parent <= 1)
  if (logind === undefined || bus === undefined || bus - logind < 5 * TICKS) return null
  return (bus - logind) / TICKS
}
