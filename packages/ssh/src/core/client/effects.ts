/** What one change of a login does to a wait, by pairs of logins that stand beside each other in time. */
import { type Interval, pairedDifference } from '@fettle/estimate'
import type { Login, Phase, PhaseKind } from '../phase.ts'
import { loginUs } from '../stalls.ts'
import { type Facts, type Run, runsOf } from './facts.ts'
import { variantsFor } from './look.ts'
import { COMMAND, type Variant } from './variants.ts'

export interface Effect {
  readonly variant: Variant
  /** Of the wait, in seconds; infinite ends: there is one pair only. */
  readonly saved: Interval
  readonly pairs: number
  /** The whole login, with and without the change, in seconds. */
  readonly before: number
  readonly after: number
  /** Whether without the change nobody was ever let in. */
  readonly isHung: boolean
  readonly verdict: 'gone' | 'less' | 'stays' | 'unclear'
}

/** Of a wait that is gone, so much at least was saved, and so much at most is left. */
const GONE = 0.5
const LEFT = 0.25
/** Saving less is no difference. */
const STAYS = 0.25

export const seconds = (run: Run): number => loginUs(run.login) / 1e6

/** In seconds. */
export const sumOf = ({ phases }: Login, isOf: (phase: Phase) => boolean): number =>
  phases.filter(isOf).reduce((sum, { us }) => sum + (us ?? 0), 0) / 1e6

export const secondsIn = (login: Login, { kind, subject }: Phase): number =>
  sumOf(login, (one) => one.kind === kind && one.subject === subject)

/** What one waits for in another phase, where the login goes another way. */
const INSTEAD: Readonly<Partial<Record<PhaseKind, readonly PhaseKind[]>>> = {
  proxy: ['proxy', 'lookup', 'address', 'banner'],
  // sftp is there when it ends; it says nothing that can be seen.
  first: ['first', 'shell', 'use'],
  shell: ['first', 'shell', 'use'],
}

/** All of one kind together: without one address, another one is waited for. */
const secondsInAll = (login: Login, { kind }: Phase): number =>
  sumOf(login, (one) => (INSTEAD[kind] ?? [kind]).includes(one.kind))

/** What each change did that was tried for this wait, in the order in which they tell most. */
export function effectsOn(phase: Phase, facts: Facts, base: Variant = COMMAND): Effect[] {
  return variantsFor(phase, facts).flatMap((variant) => {
    const pairs = runsOf(facts, base.name).flatMap((plain) => {
      const varied = runsOf(facts, variant.name).find(({ round }) => round === plain.round)
      return varied !== undefined && isComparable(plain, varied) ? [{ plain, varied }] : []
    })
    return pairs.length === 0 ? [] : [effectOf(phase, variant, pairs)]
  })
}

interface Pair {
  readonly plain: Run
  readonly varied: Run
}

/** One that failed elsewhere did not come as far. */
const isComparable = (plain: Run, varied: Run): boolean =>
  isThrough(varied) || (!plain.isIn && plain.end === 'over' && plain.login.reached.kind === varied.login.reached.kind)

const isThrough = ({ isIn, end }: Run) => isIn || end === 'ready'

function effectOf(phase: Phase, variant: Variant, pairs: readonly Pair[]): Effect {
  const waits = (which: keyof Pair) => pairs.map((pair) => secondsInAll(pair[which].login, phase))
  const [plain, varied] = [waits('plain'), waits('varied')]
  const saved = pairedDifference(varied, plain, 'independent')!
  const isHungHere = ({ end, login }: Run) => end === 'limit' && login.reached.kind === phase.kind
  const isHung = pairs.every(({ plain, varied }) => isHungHere(plain) && isThrough(varied))
  return {
    ...{ variant, saved, pairs: pairs.length, isHung },
    before: mean(pairs.map((pair) => seconds(pair.plain))),
    after: mean(pairs.map((pair) => seconds(pair.varied))),
    verdict: isHung ? 'gone' : verdictOf(saved, mean(plain), mean(varied)),
  }
}

function verdictOf({ low, high }: Interval, plain: number, varied: number): Effect['verdict'] {
  if (low >= GONE * plain && varied <= LEFT * plain) return 'gone'
  if (low > STAYS * plain) return 'less'
  return high < STAYS * plain ? 'stays' : 'unclear'
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
