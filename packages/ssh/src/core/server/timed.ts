/** All that was timed, and what of it is long. */
import { secondsText } from '../wait.ts'
import { whereSet } from './config.ts'
import { type Facts, type NamesSeen, setting } from './facts.ts'

/** Nobody minds less. */
export const FAULT_SECONDS = 1
/** Of many such, a slow login is made. */
export const WARNING_SECONDS = 0.5

/** `3.01 s`; of what was cut only that it is no shorter. */
export const longText = ({ seconds, isCut }: { readonly seconds: number; readonly isCut: boolean }) =>
  isCut ? `more than ${secondsText(seconds)}` : secondsText(seconds)

export const severityOf = (seconds: number) => (seconds >= FAULT_SECONDS ? 'fault' : 'warning')

export interface Timed {
  readonly what: string
  readonly where: string
  readonly seconds: number
  readonly isCut: boolean
}

export function timed(facts: Facts): Timed[] {
  const { names, motd, user, keys, rc, login, bus } = facts
  const config = facts.settings?.config
  const line = (name: string) => (config === undefined ? undefined : whereSet(config, name)) ?? "sshd's default"
  return [
    ...(login?.isIn === true ? [{ ...login, what: 'a whole login', where: '127.0.0.1, a private sshd' }] : []),
    ...names.map((one) => ({
      ...one,
      seconds: allSeconds(one),
      what: nameText(one),
      where: one.role === 'client' ? `UseDNS ${line('UseDNS')}` : 'getent ahosts',
    })),
    ...(bus === undefined || (bus.answer !== 'answers' && bus.answer !== 'silent')
      ? []
      : [{ what: 'logind', where: 'D-Bus', seconds: bus.seconds, isCut: bus.answer === 'silent' }]),
    ...motd.map((one) => ({ ...one, what: 'message of the day', where: one.file })),
    ...(user === undefined
      ? []
      : [
          {
            ...user,
            what: 'who the user is',
            where: 'getent passwd, id -G',
            seconds: user.seconds + user.groupsSeconds,
          },
        ]),
    ...(keys === undefined || keys.problem !== null ? [] : [{ ...keys, what: 'keys of the user', where: keys.file }]),
    ...(rc === undefined || rc.problem !== null ? [] : [{ ...rc, what: 'start of the shell', where: rc.shell }]),
  ]
}

const nameText = ({ role, subject }: NamesSeen) => (role === 'client' ? `name of ${subject}` : 'name of this machine')

/** Forth and back, as sshd asks (canohost.c). */
export const allSeconds = ({ seconds, backSeconds }: NamesSeen) => seconds + (backSeconds ?? 0)

/** How long sshd waits for the slowest client's names; undefined: nobody's were looked up. */
export function namesSeconds(facts: Facts): number | undefined {
  const clients = facts.names.filter(({ role }) => role === 'client')
  if (clients.length === 0) return undefined
  return setting(facts, 'usedns') === 'yes' ? Math.max(...clients.map(allSeconds)) : 0
}
