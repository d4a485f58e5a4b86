/** `fettle ssh check`: logs in some times and says where the seconds go, and what makes them. */
import {
  type AnswerOptions,
  type Check,
  diagnosis,
  type Flag,
  type Given,
  type Io,
  type Outcome,
  readAnswerOptions,
  reportFlags,
  Unseen,
} from '@fettle/check'
import { type Facts, noFacts } from '../core/client/facts.ts'
import { failureOf, judgeLogins } from '../core/client/judge.ts'
import { learn, type Seen } from '../core/client/learn.ts'
import { type Look, nextLook, type Plan } from '../core/client/look.ts'
import { faultsOf, portOf, type Target } from '../core/client/target.ts'
import { type Asking, askingWith } from './password.ts'
import { Probe } from './probe.ts'

export interface CheckOptions extends AnswerOptions, Target, Plan {
  /** As it stands in the report. */
  readonly subject: string
  readonly limitSeconds: number
  readonly password: boolean
  readonly logs: string | undefined
}

const LOGINS = 3
const LOGINS_MAX = 20
const LIMIT_SECONDS = 100
const LIMIT_SECONDS_MAX = 600

const FLAGS: readonly Flag[] = [
  { name: 'port', letter: 'p', value: 'port', says: 'the port of the server' },
  {
    name: 'logins',
    value: 'n',
    says: `how often each way to log in is tried (${LOGINS}; more where it comes and goes)`,
  },
  { name: 'limit', value: 'seconds', says: `give a login up that takes longer (${LIMIT_SECONDS})` },
  { name: 'password', says: 'ask for the password once, and use it for each login' },
  { name: 'trace', says: 'run what a slow shell reads once more, to see which file and line it is' },
  { name: 'logs', value: 'folder', says: 'keep the log of each login there, without commands and output' },
  ...reportFlags,
]

const check: Check<CheckOptions, Facts, Look, Seen> = {
  subject: ({ subject }) => subject,
  async open(options, io) {
    const probe = new Probe({ ...options, asking: options.password ? await askFor(options.subject, io) : null }, io)
    return {
      beginning: noFacts,
      observe: (look) => probe.observe(look),
      close: async () => probe.close(),
    }
  },
  next: nextLook,
  learn,
  judge: judgeLogins,
  failure: failureOf,
  progress: (options, facts) => progressText(nextLook(options, facts), facts),
}

async function askFor(subject: string, io: Io): Promise<Asking> {
  const secret = await io.secret(`password of ${subject}: `)
  if (secret === undefined) throw new Unseen('--password: nobody is there to type it, or nothing was typed')
  return askingWith(secret, io.environment.DISPLAY)
}

function progressText(look: Look | undefined, { runs }: Facts): string {
  if (look?.kind === 'login') return `login ${runs.length + 1}: ${look.variant.says}`
  if (look?.kind === 'names') return 'asking the resolvers'
  return look?.kind === 'door' ? `connecting to ${look.address}` : 'reading settings'
}

export const sshCheck = diagnosis<CheckOptions, Facts, Look, Seen>(
  {
    name: 'ssh check',
    summary: 'log in some times and say where the seconds of a slow login go, and what makes them',
    arguments: [{ name: 'host', many: true, says: '[user@]host or ssh://[user@]host[:port]; options of ssh after --' }],
    flags: FLAGS,
    examples: ['fettle ssh check ops@127.0.0.1 --save', 'fettle ssh check 127.0.0.1 -p 2222 -- -i ~/.ssh/id_ed25519'],
    read: readCheckOptions,
  },
  check,
)

function readCheckOptions(given: Given): Outcome<CheckOptions> {
  const { flags } = given
  const [destination = '', ...words] = given.arguments
  const port = typeof flags.port === 'string' ? portOf(flags.port) : null
  const logins = numberOf(flags.logins, LOGINS, LOGINS_MAX)
  const limitSeconds = numberOf(flags.limit, LIMIT_SECONDS, LIMIT_SECONDS_MAX)
  const options = [...(port ? ['-p', port] : []), ...words]
  const faults = [
    ...faultsOf({ destination, options: words }),
    ...(port === undefined ? ['--port: give 1 to 65535'] : []),
    ...(logins === undefined ? [`--logins: give 1 to ${LOGINS_MAX}`] : []),
    ...(limitSeconds === undefined ? [`--limit: give 1 to ${LIMIT_SECONDS_MAX} seconds`] : []),
  ]
  if (faults.length > 0 || logins === undefined || limitSeconds === undefined) return { ok: false, faults }
  const subject = port ? `${destination} port ${port}` : destination
  const password = flags.password === true
  const trace = flags.trace === true
  const logs = typeof flags.logs === 'string' ? flags.logs : undefined
  return {
    ok: true,
    value: { destination, options, subject, logins, limitSeconds, password, trace, logs, ...readAnswerOptions(given) },
  }
}

/** A whole number from 1 on; undefined: it is none. */
function numberOf(flag: Given['flags'][string] | undefined, usual: number, most: number): number | undefined {
  const value = Number(flag ?? usual)
  return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined
}
