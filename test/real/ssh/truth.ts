/** What plants do to a login, measured by plain ssh: what is there whether fettle sees it or not. */
import assert from 'node:assert/strict'
import { type Ending, Lab, type LoginOptions } from './lab.ts'
import type { Plant } from './plants.ts'

export interface Slowed {
  readonly lab: Lab
  /** What is added to a login; Infinity: nothing had come of it after some seconds. */
  measure(): Promise<number>
  /** The same, beside a login to a lab without a plant: what a busy machine adds, it adds to both. */
  measureBeside(): Promise<number>
}

/** Who has waited that long for a login that should end says that it hangs. */
const HANGS_SECONDS = 8
/** Of a wait that is longer, what a busy machine adds is no great part. */
const LONG_SECONDS = 8
const LOGINS = 2

type Kind = 'command' | 'shell'

/** The quickest healthy login so far: what is more than that is due to a busy machine. */
const healthy: Record<Kind, number> = { command: Infinity, shell: Infinity }
let opened: Promise<unknown> = Promise.resolve()

/** A lab in which these were planted. */
export async function slowed(test: Ending, planted: readonly Plant[]): Promise<Slowed> {
  const kind = planted.some(({ login }) => login === 'shell') ? 'shell' : 'command'
  // One after the other: many at once would take each other's time, and none would be quick.
  const opening = opened.then(() => healthyLab(test, kind))
  opened = opening.catch(() => {})
  const lab = await opening
  for (const { plant } of planted) await plant(lab)
  if (planted.some(({ found }) => found.seconds === Infinity)) {
    return { lab, measure: () => hanging(lab), measureBeside: () => hanging(lab) }
  }
  let twin: Lab | undefined
  return {
    lab,
    measure: async () => (await quickest(lab, kind)) - healthy[kind],
    async measureBeside() {
      twin ??= await Lab.open(test)
      const [slow, beside] = await Promise.all([login(lab, kind), login(twin, kind)])
      return slow - (beside + (await login(twin, kind))) / 2
    },
  }
}

async function quickest(lab: Lab, kind: Kind): Promise<number> {
  let least = Infinity
  for (let i = 0; i < LOGINS && (i === 0 || least < LONG_SECONDS); i++) least = Math.min(least, await login(lab, kind))
  return least
}

async function healthyLab(test: Ending, kind: Kind): Promise<Lab> {
  const lab = await Lab.open(test)
  healthy[kind] = Math.min(healthy[kind], await quickest(lab, kind))
  return lab
}

async function hanging(lab: Lab): Promise<number> {
  const { seconds } = await lab.login({ limitSeconds: HANGS_SECONDS })
  return seconds >= HANGS_SECONDS ? Infinity : seconds
}

async function login(lab: Lab, kind: Kind): Promise<number> {
  const options: LoginOptions = kind === 'shell' ? { command: undefined } : {}
  const { status, complaints, seconds } = await lab.login(options)
  assert.equal(status, 0, complaints)
  return seconds
}
