/** Cases of the model test: a stream, the rules' numbers and a plan, and how a case that fails is told. */
import fc from 'fast-check'
import { rules } from '../../src/core/state.ts'
import { anyDamage, type Damage, damaged, loss } from './damage.ts'
import { wordsOf } from './events.ts'
import { Reference } from './reference.ts'
import type { Plan, Stream } from './rig.ts'
import { type Item, type Life, type World, world } from './streams.ts'

export interface Case extends Stream {
  readonly items: readonly Item[]
  readonly lives: readonly Life[]
  readonly plan: Plan
}

const numbers = fc.record({
  heldMax: fc.constantFrom(rules.heldMax, 3, 1),
  rejectedMax: fc.constantFrom(rules.rejectedMax, 2),
  bucketMs: fc.constantFrom(rules.bucketMs, 60_000),
})

/** What is done after each event, round and round: 4 and above a commit, 5 a restart, 6 a commit that fails. */
const steps = fc.array(fc.nat({ max: 7 }), { maxLength: 40 })

function cases(worlds: fc.Arbitrary<World>, damage: fc.Arbitrary<Damage[]>): fc.Arbitrary<Case> {
  const lingerMs = fc.constantFrom(30_000, 30_000, 0, 120_000)
  return fc
    .record({ worlds, damage, numbers, lingerMs, recording: fc.boolean(), steps })
    .map(({ worlds: made, damage: done, numbers: own, lingerMs: linger, recording, steps: cycle }) => {
      const { items, lives, aware } = damaged(made, done)
      const events = items.map(({ event }) => event)
      return { items, lives, events, aware, rules: own, lingerMs: linger, recording, plan: planOf(cycle) }
    })
}

function planOf(cycle: readonly number[]): Plan {
  const step = (i: number) => cycle[i % cycle.length] ?? 0
  return { commit: (i) => step(i) >= 4, restart: (i) => step(i) === 5, fail: (i) => step(i) === 6 }
}

/** Heard in full, as coturn said it. */
export const legal = cases(world(['resp', 'redis', 'timeless']), fc.constant([]))
/** Two named servers, and events lost on the way: each life has a path of its own. */
export const lossy = cases(world(['resp']), loss)
/** Whatever may come. */
export const wild = cases(world(), anyDamage)

export function referenceOf({ events, rules: own, lingerMs, aware, recording }: Stream): Reference {
  const awareStreams = new Set(aware.flatMap((isAware, i) => (isAware ? [i + 1] : [])))
  const reference = new Reference({ ...rules, ...own }, lingerMs, awareStreams)
  for (const event of events) reference.hear(event)
  if (recording) reference.finish()
  reference.settle()
  return reference
}

const RUNS = Number(process.env.FETTLE_MODEL_RUNS ?? 25)
const SEED = Number(process.env.FETTLE_MODEL_SEED ?? 8656)

/** Holds that `faults` finds none in any case; a case that has some is told as small as it gets. */
export function holds(arbitrary: fc.Arbitrary<Case>, faults: (one: Case) => readonly string[], atLeast = 1): void {
  const property = fc.property(arbitrary, (one) => {
    const found = faults(one)
    if (found.length > 0) throw new Error(found.join('\n'))
  })
  const outcome = fc.check(property, { numRuns: Math.max(RUNS, atLeast), seed: SEED })
  if (!outcome.failed) return
  const { rules: own, lingerMs, aware, recording, events } = outcome.counterexample![0]
  throw new Error(
    [
      `run ${outcome.numRuns} of FETTLE_MODEL_SEED=${outcome.seed} FETTLE_MODEL_RUNS=${RUNS},`,
      `after ${outcome.numShrinks} reductions:`,
      (outcome.errorInstance as Error).message,
      JSON.stringify({ aware, rules: own, lingerMs, recording }),
      ...events.map(wordsOf),
    ].join('\n'),
    { cause: outcome.errorInstance },
  )
}
