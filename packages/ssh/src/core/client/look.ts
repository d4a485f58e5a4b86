/** What to look at next: logins, and what tells apart why they wait. Pure. */
import { fullNames, reverseName } from '../names.ts'
import type { Phase, PhaseKind } from '../phase.ts'
import type { Query, QueryType } from '../query.ts'
import { stallsOf } from '../stalls.ts'
import { type Facts, isProxied, type Run, runsOf, settingOf } from './facts.ts'
import { isSetInFiles } from './files.ts'
import {
  byAddress,
  COMMAND,
  IPV4,
  IPV6,
  NO_DNS_KEY,
  NO_KEY_COMMAND,
  NO_PROXY,
  NO_X11,
  NOTHING,
  SFTP,
  SHELL,
  smallPackets,
  type Variant,
  withoutAgent,
  withoutFiles,
  withoutGssapi,
} from './variants.ts'

export type Look =
  /** `ssh -G`, and the files of the resolver; `isBare`: without the files of ssh. */
  | { readonly kind: 'settings'; readonly isBare: boolean }
  | { readonly kind: 'login'; readonly variant: Variant; readonly round: number }
  /** TCP and the first line of the server, by somebody who is no ssh. */
  | { readonly kind: 'door'; readonly address: string; readonly port: number }
  /** What the shell there reads is run once more, line by line. */
  | { readonly kind: 'trace'; readonly of: 'login' | 'command' }
  | { readonly kind: 'names'; readonly queries: readonly Query[] }
  /** The client's files, to see where a setting stands. */
  | { readonly kind: 'files'; readonly paths: readonly string[] }

export interface Plan {
  /** How many times each way to log in is tried, at most. */
  readonly logins: number
  /** What a slow shell reads may be run once more, to see which line waits. */
  readonly trace: boolean
}

/** A login that takes longer is done no more often than need be: two pairs tell such waits apart. */
const LONG_SECONDS = 5
const LONG_LOGINS = 2
/** What comes and goes needs more of them to be seen. */
const SOMETIMES = 6
const SOMETIMES_SECONDS = 10
/**
 * So many may fail: from 9.8 on a server that was failed by one address for 15 s in all (5 s each) closes to it
 * (sshd_config(5), PerSourcePenalties), and fail2ban does after 5.
 */
const FAILURES_MAX = 2
const DOORS = 2

/** What to look at next; undefined: it is enough. */
export function nextLook(plan: Plan, facts: Facts): Look | undefined {
  if (facts.settings === null) return { kind: 'settings', isBare: false }
  return wanted(plan, facts).find((look) => !isDone(facts, look))
}

function isDone({ runs, doors, answers, bareSeconds, files, traced, untried }: Facts, look: Look): boolean {
  if (look.kind === 'trace') return traced !== null
  if (look.kind === 'files') return files !== null
  if (look.kind === 'login') {
    const { name } = look.variant
    // Another way that hangs once does so again.
    const isOther = name !== COMMAND.name
    const same = runs.filter(({ variant }) => variant.name === name)
    const isTried = same.some(({ round, end }) => round === look.round || (isOther && isStuck(end)))
    return isTried || untried.includes(look.variant.says)
  }
  if (look.kind === 'door') return doors.filter(({ address }) => address === look.address).length >= DOORS
  if (look.kind === 'settings') return !look.isBare || bareSeconds !== null
  return look.queries.every(({ resolver, name, type }) =>
    answers.some((one) => one.resolver === resolver && one.name === name && one.type === type),
  )
}

function* rounds(plan: Plan, facts: Facts): Generator<Look> {
  const experiments = experimentsOf(facts)
  const count = roundsOf(plan, facts)
  for (let round = 1; round <= count; round++) {
    yield { kind: 'login', variant: COMMAND, round }
    // Where a command does not come through, a shell would not.
    if (isAnyIn(facts) && (round === 1 || !isLong(facts))) yield { kind: 'login', variant: SHELL, round }
    if (round === 1) yield* asked(plan, facts)
    for (const variant of experiments) yield { kind: 'login', variant, round }
  }
  for (let round = count + 1; round <= SOMETIMES && isSometimes(facts); round++) {
    yield { kind: 'login', variant: COMMAND, round }
  }
}

function wanted(plan: Plan, facts: Facts): readonly Look[] {
  const looks = Array.from(rounds(plan, facts))
  const failed = facts.runs.filter(isRefused).length
  if (failed === 0) return looks
  return looks.filter((look) => look.kind !== 'login' || isDone(facts, look) || failed < FAILURES_MAX)
}

const isStuck = (end: Run['end']) => end === 'limit' || end === 'flood'

const isAnyIn = ({ runs }: Facts) => runs.some(({ isIn }) => isIn)

/** The server has said no to who we are, and counts how often. */
const isRefused = ({ isIn, end, login }: Run) => !isIn && end === 'over' && login.software !== null

const secondsOf = ({ login }: Run) => (login.us ?? 0) / 1e6

function roundsOf({ logins }: Plan, facts: Facts): number {
  const runs = runsOf(facts, COMMAND.name)
  if (runs.some(({ end }) => end !== 'over')) return 1
  return isLong(facts) ? Math.min(LONG_LOGINS, logins) : logins
}

const isLong = (facts: Facts) => runsOf(facts, COMMAND.name).some((run) => secondsOf(run) >= LONG_SECONDS)

/** Some of the logins wait, and others do not. */
function isSometimes(facts: Facts): boolean {
  const runs = runsOf(facts, COMMAND.name)
  const slow = runs.filter((run) => stallsOf(run.login, false).length > 0).length
  return slow > 0 && slow < runs.length && runs.every((run) => secondsOf(run) < SOMETIMES_SECONDS)
}

/** Each phase that waits in any login of these two kinds. */
export function stalledIn(facts: Facts): readonly Phase[] {
  const phases = new Map<string, Phase>()
  for (const run of [...runsOf(facts, COMMAND.name), ...runsOf(facts, SHELL.name)]) {
    for (const { phase } of stallsOf(run.login, false)) phases.set(`${phase.kind} ${phase.subject}`, phase)
  }
  return Array.from(phases.values())
}

/** What may take the waits away, each way once. */
function experimentsOf(facts: Facts): readonly Variant[] {
  const variants = stalledIn(facts).flatMap((phase) => variantsFor(phase, facts))
  return variants.filter((one, i) => variants.findIndex(({ name }) => name === one.name) === i)
}

type Choice = (phase: Phase, facts: Facts) => readonly Variant[]
const always =
  (...variants: readonly Variant[]): Choice =>
  () =>
    variants

const CHOICES: Readonly<Partial<Record<PhaseKind, Choice>>> = {
  client: (_, { settings }) => [withoutFiles(settings!.values)],
  lookup: (_, facts) => [IPV4, ...byItsAddress(facts)],
  address: ({ subject }, facts) => (subject.includes(':') ? [IPV4] : byItsAddress(facts, subject)),
  proxy: always(NO_PROXY),
  kex: (_, facts) => [smallPackets(hostKeyAlgorithm(facts))],
  hostkey: (_, facts) => [
    ...(isSet(facts, 'verifyhostkeydns') ? [NO_DNS_KEY] : []),
    ...(isSet(facts, 'knownhostscommand') ? [NO_KEY_COMMAND] : []),
  ],
  agent: (_, { settings }) => [withoutAgent(settings!.values)],
  sign: (_, { settings }) => [withoutAgent(settings!.values)],
  gssapi: (_, { settings }) => [withoutGssapi(settings!.values)],
  // The server looks up another address then.
  start: (_, facts) => otherFamily(facts),
  xauth: always(NO_X11),
  channel: always(NOTHING),
  request: always(NOTHING),
  first: always(SFTP),
  shell: always(SFTP),
}

const isSet = (facts: Facts, name: string) => !['no', 'false', undefined].includes(settingOf(facts, name))

/** Ways to log in that may not have this wait. */
export const variantsFor: Choice = (phase, facts) => CHOICES[phase.kind]?.(phase, facts) ?? []

/** What the last line of a phase `address` names: where the client went. */
export function reachedAddress({ runs }: Facts): string | undefined {
  for (const { login } of runs) {
    const found = login.phases.filter(({ kind }) => kind === 'address').at(-1)?.subject
    if (found !== undefined && found !== '') return found
  }
  return undefined
}

/** Under which name known_hosts has it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
const nameOfKey = (host: string, port: string) => (port === '22' ? host : `[${host}]:${port}`)

/** `dead`: the address that is waited for. */
function byItsAddress(facts: Facts, dead = ''): readonly Variant[] {
  const address = reachedAddress(facts)
  const [host, port] = [settingOf(facts, 'hostname'), settingOf(facts, 'port')]
  if (address === undefined || address === dead || host === undefined || isProxied(facts)) return []
  return [byAddress(address, settingOf(facts, 'hostkeyalias') ?? nameOfKey(host, port ?? '22'))]
}

function otherFamily(facts: Facts): readonly Variant[] {
  const address = reachedAddress(facts)
  if (address === undefined || isProxied(facts) || isAddress(settingOf(facts, 'hostname') ?? '')) return []
  return [address.includes(':') ? IPV4 : IPV6]
}

function hostKeyAlgorithm({ runs }: Facts): string | undefined {
  for (const { log } of runs) {
    const line = log.lines.find(({ text }) => text.startsWith('kex: host key algorithm: '))
    const name = /: ([\w@.-]+)$/.exec(line?.text ?? '')?.[1]
    if (name !== undefined) return name
  }
  return undefined
}

/** What is asked beside the logins, of somebody else than ssh. */
function* asked({ trace }: Plan, facts: Facts): Generator<Look> {
  const kinds = new Set(stalledIn(facts).map(({ kind }) => kind))
  if (Array.from(kinds).some(isSetInFiles)) yield { kind: 'files', paths: readPaths(facts) }
  if (trace && (kinds.has('first') || kinds.has('shell'))) yield { kind: 'trace', of: traceOf(facts) }
  if (kinds.has('client')) yield { kind: 'settings', isBare: true }
  const queries = queriesFor(kinds, facts)
  if (queries.length > 0) yield { kind: 'names', queries }
  if (isProxied(facts)) return
  const port = Number(settingOf(facts, 'port') ?? 22)
  for (const { kind, subject } of stalledIn(facts)) {
    if (kind === 'address' && subject !== '') yield { kind: 'door', address: subject, port }
    const address = reachedAddress(facts)
    if (kind === 'banner' && address !== undefined) yield { kind: 'door', address, port }
  }
}

/** A command that waits is the first to be asked. */
function traceOf(facts: Facts): 'login' | 'command' {
  const isSlow = (run: Run) =>
    stallsOf(run.login, false).some(({ phase: { kind } }) => kind === 'first' || kind === 'shell')
  return runsOf(facts, COMMAND.name).some(isSlow) ? 'command' : 'login'
}

/** The files that ssh says it reads. */
function readPaths({ runs }: Facts): readonly string[] {
  const all = runs[0]?.log.lines ?? []
  // What comes later may be the word of the server.
  const end = all.findIndex(({ text }) => text.startsWith('Remote protocol version'))
  const lines = end < 0 ? all : all.slice(0, end)
  const paths = lines.flatMap(({ text }) => /^Reading configuration data (\/.*)$/.exec(text)?.[1] ?? [])
  return Array.from(new Set(paths))
}

const TYPES: Readonly<Partial<Record<PhaseKind, readonly QueryType[]>>> = {
  lookup: ['A', 'AAAA'],
  hostkey: ['SSHFP'],
  gssapi: ['PTR', 'A', 'AAAA'],
}

function queriesFor(kinds: ReadonlySet<PhaseKind>, facts: Facts): Query[] {
  const types = new Set(Array.from(kinds).flatMap((kind) => TYPES[kind] ?? []))
  const { resolvers } = facts
  const host = settingOf(facts, 'hostname')
  if (types.size === 0 || resolvers === null || host === undefined) return []
  const address = reachedAddress(facts)
  const names = isAddress(host) ? [] : namesAsked(facts, host)
  return resolvers.servers.flatMap((resolver) =>
    Array.from(types).flatMap((type): Query[] => {
      if (type !== 'PTR') return names.map((name) => ({ resolver, name, type }))
      return address === undefined ? [] : [{ resolver, name: reverseName(address), type }]
    }),
  )
}

/** The names that ssh itself looks up: with CanonicalDomains they are several. */
function namesAsked({ runs, resolvers }: Facts, host: string): readonly string[] {
  const lines = runs[0]?.log.lines ?? []
  const names = lines.flatMap(({ text }) => /^resolve_host: lookup (\S+?)\.?:\d+$/.exec(text)?.[1] ?? [])
  const all = names.length === 0 ? [host] : Array.from(new Set(names)).slice(0, NAMES_MAX)
  return all.flatMap((name) => fullNames(name, resolvers!))
}

const NAMES_MAX = 8

export const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':')
