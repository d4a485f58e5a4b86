/** `fettle ssh check --server`: on the server itself, the setting, script or daemon that makes logins slow. */
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import {
  type AnswerOptions,
  answer,
  type Check,
  type Flag,
  type Given,
  type Io,
  lookAt,
  type Outcome,
  readAnswerOptions,
  type Status,
  Unseen,
} from '@fettle/check'
import { reportOf } from '@fettle/report'
import { doing, type Facts, type Look, learn, nextLook, type Seen, type ServerPlan } from '../core/server/facts.ts'
import { judge } from '../core/server/judge.ts'
import { readStart } from '../core/server/start-words.ts'
import { isKeptByRoot } from '../core/server/trust.ts'
import { ServerProbe } from './probe.ts'
import { listeners, startWords } from './processes.ts'
import { isAllTheWay } from './trust.ts'

export interface ServerOptions extends AnswerOptions, Omit<ServerPlan, 'config'> {
  /** Null: what the sshd that listens reads. */
  readonly config: string | null
}

export const SSHD_CONFIG = '/etc/ssh/sshd_config'

/** Which user's login, whose addresses, which settings. */
export const serverFlags: readonly Flag[] = [
  {
    name: 'user',
    value: 'name',
    says: "with --server: whose login; runs that user's shell files, and logs in as them",
  },
  { name: 'client', value: 'address', many: true, says: 'with --server: whose name is looked up (those connected)' },
  { name: 'config', value: 'file', says: `with --server: the settings of sshd (${SSHD_CONFIG})` },
  { name: 'without-login', says: 'with --server and --user: without a login of its own' },
]

export const serverCheck: Check<ServerPlan, Facts, Look, Seen> = {
  subject: () => hostname(),
  open: (plan, io) => ServerProbe.open(plan, io),
  next: nextLook,
  learn,
  judge,
  progress: (plan, facts) => {
    const look = nextLook(plan, facts)
    return look === undefined ? '' : doing(look)
  },
}

export function readServerOptions(given: Given): Outcome<ServerOptions> {
  const { flags } = given
  const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : null)
  const clients = Array.isArray(flags.client) ? (flags.client as string[]) : []
  const [user, config] = [text('user'), text('config')]
  const faults = [
    ...clientFaults(clients),
    ...(config === null || config.startsWith('/') ? [] : ['--config: give the whole path, as sshd wants it']),
    ...(user === null || /^[\w.@\\$-]+$/.test(user) ? [] : ['--user: give the name of a user']),
    ...(given.arguments.length === 0 ? [] : ['--server looks at this machine: leave the host out']),
    ...(flags['without-login'] === true && user === null
      ? ['--without-login: without --user there is no login at all']
      : []),
  ]
  if (faults.length > 0) return { ok: false, faults }
  const login = flags['without-login'] !== true
  return { ok: true, value: { user, clients, config, login, ...readAnswerOptions(given) } }
}

export const clientFaults = (clients: readonly string[]): string[] =>
  clients.filter((one) => isIP(one) === 0).map((one) => `--client ${one}: give an address, no name`)

/** It may have been started with another file. Throws Unseen: what stands there is anybody's. */
function listeningConfig(): string | undefined {
  const [listener] = listeners()
  const file = listener === undefined ? undefined : readStart(startWords(listener.pid)).config
  if (file === undefined || !file.startsWith('/')) return undefined
  if (existsSync(file) && !isAllTheWay(file, isKeptByRoot))
    throw new Unseen(`${file}: sshd reads it, and others than root may write it; see to that, or give it by --config`)
  return file
}

/** Looks, judges and reports. */
export async function checkServer(options: ServerOptions, io: Io): Promise<Status> {
  const began = Date.now()
  const plan = { ...options, config: options.config ?? listeningConfig() ?? SSHD_CONFIG }
  const facts = await lookAt(serverCheck, plan, io)
  const looked = { began, ended: Date.now() }
  return answer(reportOf('ssh check', `server ${serverCheck.subject(plan)}`, looked, judge(facts)), options, io)
}
