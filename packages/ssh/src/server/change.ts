/** `fettle ssh change`: puts right what makes logins slow, as far as it does no harm, and back again. */
import {
  type ChangeOptions,
  type Command,
  changeFlags,
  changing,
  type Flag,
  type Given,
  type Outcome,
  readChangeOptions,
} from '@fettle/check'
import { faultOf, settingName } from '../core/server/changeable.ts'
import type { Wishes } from '../core/server/plan.ts'
import { clientFaults, SSHD_CONFIG } from './check.ts'
import { ServerHand } from './hand.ts'

export interface SshChangeOptions extends ChangeOptions {
  readonly config: string
  readonly user: string | null
  readonly clients: readonly string[]
  readonly pidFile: string | null
  readonly wishes: Wishes
}

const FLAGS: readonly Flag[] = [
  { name: 'set', value: 'name=value', many: true, says: 'this setting, instead of what is advisable' },
  { name: 'user', value: 'name', says: 'whose login is tried before and after (root)' },
  { name: 'client', value: 'address', many: true, says: 'whose name is looked up (those connected)' },
  { name: 'pid-file', value: 'file', says: 'of the sshd that is meant, where several listen' },
  ...changeFlags,
]

export const sshChange: Command<SshChangeOptions> = changing<SshChangeOptions>(
  {
    name: 'ssh change',
    summary: 'on the server: put right what makes logins slow, as far as it is safe; without --apply only shown',
    arguments: [{ name: 'config', optional: true, says: `the settings of sshd (${SSHD_CONFIG})` }],
    flags: FLAGS,
    examples: [
      'fettle ssh change',
      'fettle ssh change --set UseDNS=no --user ops --apply',
      'fettle ssh change --undo --apply',
    ],
    read: readSshChange,
  },
  {
    target: ({ config }) => config,
    open({ config, user, clients, pidFile, wishes, undo, apply }, io) {
      // What is put back may be what keeps everybody out.
      const plan = { user, clients, config, login: undo === null }
      return ServerHand.open({ plan, wishes, user: user ?? 'root', pidFile, apply }, io)
    },
  },
)

function readSshChange(given: Given): Outcome<SshChangeOptions> {
  const { flags } = given
  const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : null)
  const list = (name: string) => (Array.isArray(flags[name]) ? (flags[name] as string[]) : [])
  const set = list('set').map(readPair)
  const config = given.arguments[0] ?? SSHD_CONFIG
  const options = readChangeOptions(given)
  const clients = list('client')
  const faults = [
    ...set.flatMap(([name, value]) => faultOf(name, value) ?? []).map((fault) => `--set: ${fault}`),
    ...(new Set(set.map(([name]) => name)).size === set.length ? [] : ['--set: give each setting once']),
    ...(options.undo !== null && set.length > 0 ? ['--undo puts back what a journal holds: leave --set out'] : []),
    ...(config.startsWith('/') ? [] : ['the settings of sshd: give the whole path, as sshd wants it']),
    ...clientFaults(clients),
  ]
  if (faults.length > 0) return { ok: false, faults }
  const more = { config, user: text('user'), clients, pidFile: text('pid-file'), wishes: { set } }
  return { ok: true, value: { ...options, ...more } }
}

function readPair(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  return [settingName(name) ?? name, equals < 0 ? '' : text.slice(equals + 1)]
}
