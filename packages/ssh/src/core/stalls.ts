/** Which phases of a login wait, and what is likely to make them. */
import { CLIENT_CAUSES } from './causes-client.ts'
import { SERVER_CAUSES } from './causes-server.ts'
import type { Login, Phase, PhaseKind } from './phase.ts'
import { type Cause, lookedUpAgain, type Wait } from './wait.ts'

/** Nobody minds less. A quick login takes 0.3 s in all. */
export const STALL_SECONDS = 1
/** With stamps of whole seconds as much can be due to them alone. */
const WHOLE_SECONDS = 2
/** What is shorter, and comes again and again, is the way there and back. */
const SINGLE_SECONDS = 0.5
const SLACK_SECONDS = 0.1
/** Of a phase, where the rest of it may be left out. */
const MOST = 0.8

export const CAUSES: Readonly<Partial<Record<PhaseKind, (wait: Wait) => Cause>>> = {
  ...CLIENT_CAUSES,
  ...SERVER_CAUSES,
}

/** No part of logging in: somebody types, or works; or it is the other side's business. */
const OUTSIDE: readonly PhaseKind[] = ['typing', 'use', 'close', 'idle']

export const inside = ({ phases }: Login) => phases.filter(({ kind }) => !OUTSIDE.includes(kind))
/** How long the login took, without what is no part of it. */
export const loginUs = (login: Login) => inside(login).reduce((sum, { us }) => sum + (us ?? 0), 0)

export interface Stall {
  readonly phase: Phase
  /** Undefined: somebody types. */
  readonly cause: Cause | undefined
  /** What a cure would save. */
  readonly seconds: number
}

/** Each phase that waits long, the longest first. */
export function stallsOf(login: Login, isWhole: boolean): Stall[] {
  const least = isWhole ? WHOLE_SECONDS : STALL_SECONDS
  const slackSeconds = isWhole ? 1 : SLACK_SECONDS
  const way = roundTripUs(login)
  const isMany = (phase: Phase) => phase.kind === 'keys' && way < SINGLE_SECONDS * 1e6
  const isStall = (phase: Phase) =>
    (phase.us ?? 0) / 1e6 >= least && (isMany(phase) || hasSingle(phase, isDead(login, phase) ? 0 : way))
  const hasSlowKeys = login.phases.some((phase) => phase.kind === 'keys' && isStall(phase))
  const isTold = ({ kind }: Phase) => kind === 'account' && hasSlowKeys && lookedUpAgain(login) !== undefined
  return together(login.phases)
    .filter((phase) => isStall(phase) && !isTold(phase))
    .sort((a, b) => b.us! - a.us!)
    .flatMap((phase): Stall[] => {
      const own = waitSeconds(phase)
      if (phase.kind === 'typing') return [{ phase, cause: undefined, seconds: own }]
      const cause = CAUSES[phase.kind]?.({ login, phase, seconds: own, slackSeconds })
      const again = phase.kind === 'keys' ? (lookedUpAgain(login) ?? 0) : 0
      return cause === undefined ? [] : [{ phase, cause, seconds: own + again }]
    })
}

/** The mechanisms of GSSAPI wait for the same, one after the other. */
function together(phases: readonly Phase[]): readonly Phase[] {
  const [first, ...more] = phases.filter(({ kind, us }) => kind === 'gssapi' && (us ?? 0) / 1e6 >= SINGLE_SECONDS)
  if (first === undefined || more.length === 0) return phases
  const all = [first, ...more]
  const one = {
    ...first,
    subject: `${all.length} mechanisms`,
    us: all.reduce((sum, { us }) => sum + us!, 0),
    longest: all.map(({ longest }) => longest).reduce((a, b) => ((b?.us ?? 0) > (a?.us ?? 0) ? b : a)),
  }
  return [...phases.filter(({ kind }) => kind !== 'gssapi'), one]
}

const hasSingle = ({ longest }: Phase, way = 0) => ((longest?.us ?? 0) - way) / 1e6 >= SINGLE_SECONDS
const isDead = ({ failedAddresses }: Login, { subject }: Phase) => failedAddresses.has(subject)

/** In each of these something is sent and answered. */
const THERE_AND_BACK: readonly PhaseKind[] = ['banner', 'kex', 'start', 'account', 'channel', 'request']
/** Of fewer one may be the only that waits. */
const TRIPS_MIN = 3

/** No more than the way there and back takes: what the longest wait is in the quickest of these phases. */
function roundTripUs({ phases }: Login): number {
  const waits = phases.filter(({ kind }) => THERE_AND_BACK.includes(kind)).map(({ longest }) => longest?.us ?? 0)
  return waits.length < TRIPS_MIN ? 0 : Math.min(...waits)
}

/** One wait is known by how long it is; many small ones only by their sum. */
function waitSeconds({ us, longest }: Phase): number {
  const all = us ?? 0
  return (longest !== null && longest.us > MOST * all ? longest.us : all) / 1e6
}
