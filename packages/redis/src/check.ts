/** `fettle redis check`: looks at a Redis for some seconds and says what burns its CPU. */
import {
  type AnswerOptions,
  type Argument,
  type Check,
  diagnosis,
  type Flag,
  type Given,
  type Io,
  lookAt,
  type Probe as OpenCheck,
  type Outcome,
  readAnswerOptions,
  reportFlags,
} from '@fettle/check'
import { type Address, readAddress } from './core/address.ts'
import { type Facts, noFacts } from './core/facts.ts'
import { judge } from './core/judge/judge.ts'
import { learn } from './core/look/learn.ts'
import { type Look, nextLook, nothingYet, type Plan, type Seen } from './core/look/look.ts'
import { Door, type Keys } from './door.ts'
import { Probe } from './probe.ts'

/** Which server is looked at, how to get in, and what may be done there to see more. */
export interface Target extends Omit<Plan, 'seconds'> {
  readonly address: Address
  readonly keys: Keys
  readonly showKeys: boolean
  /** The data folder; undefined: the usual one. */
  readonly data: string | undefined
}

export interface CheckOptions extends AnswerOptions, Target, Plan {}

export const addressArgument: Argument = {
  name: 'address',
  says: 'redis://[user@]host[:port], rediss:// for TLS, unix:/path',
}

/** Where the server is and how to get in. */
export const doorFlags: readonly Flag[] = [
  { name: 'password-file', value: 'file', says: 'its first line is the password (REDISCLI_AUTH)' },
  { name: 'cacert', value: 'file', says: 'certificates in PEM to trust, for rediss://' },
]

export const lookFlags: readonly Flag[] = [
  { name: 'sample', says: 'log every command for moments, to see who asks what for which keys' },
  { name: 'monitor', says: 'MONITOR for moments, where --sample is not permitted' },
  { name: 'show-keys', says: 'keys as they are, not as patterns' },
  ...doorFlags,
]

const FLAGS: readonly Flag[] = [
  { name: 'for', value: 'seconds', says: 'how long to look (15)' },
  ...lookFlags,
  ...reportFlags,
]

const SECONDS = 15
/** What is seen is kept until the end. */
const SECONDS_MAX = 600

const looking: Omit<Check<Plan, Facts, Look, Seen>, 'subject' | 'open'> = {
  next: nextLook,
  learn,
  judge,
  progress: ({ seconds }, { live }) => `looking, ${Math.floor(live?.moments.at(-1)?.at ?? 0)} of ${seconds} s`,
}

/** Looks at one server, until it is closed. */
export type Looking = OpenCheck<Facts, Look, Seen>

/** `answerMilliseconds`: how long each answer is waited for; left out: as `Connection` has it. Throws Unseen. */
export async function openLook(
  door: Door,
  data: string,
  { sample, showKeys }: Pick<Target, 'sample' | 'showKeys'>,
  answerMilliseconds?: number,
): Promise<Looking> {
  const probe = await Probe.open(door, data, sample, answerMilliseconds)
  const { name, isOpen, restored } = probe
  return {
    beginning: { ...noFacts, live: { ...nothingYet, name, isOpen, showKeys, restored } },
    observe: (look) => probe.observe(look),
    close: () => probe.close(),
  }
}

const check: Check<CheckOptions, Facts, Look, Seen> = {
  ...looking,
  subject: ({ address }) => address.name,
  open: (target, io) => openLook(new Door(target.address, target.keys, io), target.data ?? io.data, target),
}

/** A look without windows and without MONITOR, for those who have a door already. */
export async function lookThrough(door: Door, data: string, seconds: number, io: Io): Promise<Facts> {
  const plan: Plan = { seconds, sample: false, monitor: false }
  const open = () => openLook(door, data, { sample: false, showKeys: false })
  return await lookAt({ ...looking, subject: () => door.name, open }, plan, io)
}

export const redisCheck = diagnosis<CheckOptions, Facts, Look, Seen>(
  {
    name: 'redis check',
    summary: 'look at a Redis for some seconds and say what burns its CPU',
    arguments: [addressArgument],
    flags: FLAGS,
    examples: ['fettle redis check redis://127.0.0.1:6379', 'fettle redis check 127.0.0.1 --sample --save'],
    read: readCheckOptions,
  },
  check,
)

function readCheckOptions(given: Given): Outcome<CheckOptions> {
  const target = readTarget(given)
  const seconds = readSeconds(given, SECONDS)
  if (target.ok && seconds.ok) {
    return { ok: true, value: { ...target.value, seconds: seconds.value, ...readAnswerOptions(given) } }
  }
  return { ok: false, faults: [target, seconds].flatMap((one) => (one.ok ? [] : one.faults)) }
}

/** `--for`; `usual`: without it. */
export function readSeconds({ flags }: Given, usual: number): Outcome<number> {
  const seconds = Number(flags.for ?? usual)
  const isLong = seconds >= 1 && seconds <= SECONDS_MAX
  return isLong ? { ok: true, value: seconds } : { ok: false, faults: [`--for: give 1 to ${SECONDS_MAX} seconds`] }
}

/** What the argument and `lookFlags` say. */
export function readTarget(given: Given): Outcome<Target> {
  const { flags } = given
  const address = readAddress(given.arguments[0] ?? '')
  if ('problem' in address) return { ok: false, faults: [`the address: ${address.problem}`] }
  const { data } = readAnswerOptions(given)
  return { ok: true, value: { address, data, ...readKeys(given), ...switches(flags) } }
}

const switches = (flags: Given['flags']) => ({
  sample: flags.sample === true,
  monitor: flags.monitor === true,
  showKeys: flags['show-keys'] === true,
})

/** What `doorFlags` say. */
function readKeys({ flags }: Given): { readonly keys: Keys } {
  const text = (name: string) => {
    const value = flags[name]
    return typeof value === 'string' ? value : null
  }
  return { keys: { passwordFile: text('password-file'), certificates: text('cacert') } }
}
