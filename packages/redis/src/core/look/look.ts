/** What to look at next in a live Redis: looks, some a second, for as long as was asked for. Pure. */
import type { Facts, Live } from '../facts.ts'
import { slicesOf } from '../load.ts'
import { numberOf } from '../read/info.ts'
import type { Answer } from '../read/resp.ts'
import type { Own } from './own.ts'

/** Everything that one look asks for; the server works it off at once. */
export interface Look {
  /** Seconds since the beginning; it is waited for. */
  readonly at: number
  /** INFO. */
  readonly info: boolean
  /** CLIENT LIST: it costs more, the more clients there are. */
  readonly clients: boolean
  /** CONFIG GET. */
  readonly settings: boolean
  /** So many entries of the slow log. */
  readonly slow: number
  /** For how long every command is logged. */
  readonly window: Sampling | null
  /** For how long MONITOR runs. */
  readonly monitor: { readonly milliseconds: number } | null
  /** It is the last one. */
  readonly isLast: boolean
}

export interface Sampling {
  readonly milliseconds: number
  /** `slowlog-log-slower-than` as the user has it, in microseconds. */
  readonly threshold: string
  /** What it is between two windows: whatever takes longer is known exactly, however rarely it comes. */
  readonly between: string
  readonly entries: number
}

/** What came of a look; what was not asked for is not there. */
export interface Seen {
  /** Seconds since the beginning, when the answers were there. */
  readonly at: number
  readonly info?: Answer
  readonly clients?: Answer
  /** In the order of `SETTINGS`. */
  readonly settings?: readonly Answer[]
  /** The slow log before anything else of this look. */
  readonly slow: Answer
  /** The slow log after a window; a Refusal when the window was not opened. */
  readonly window?: Answer
  /** Lines of MONITOR. */
  readonly lines?: readonly string[]
  readonly own: Own
}

/** What is known before the first look. */
export const nothingYet: Live = {
  looks: 0,
  isOver: false,
  moments: [],
  name: '',
  newest: -1,
  lost: 0,
  before: [],
  clientsBefore: [],
  tail: [],
  tailSeconds: null,
  windows: [],
  cannotSample: null,
  bursts: [],
  refused: [],
  isOpen: false,
  showKeys: false,
  restored: [],
}

export interface Plan {
  readonly seconds: number
  /** Windows in which everything is logged. */
  readonly sample: boolean
  /** MONITOR, where windows cannot be. */
  readonly monitor: boolean
}

const LOOKS_A_SECOND = 5
/** Of a slow log that holds more, this is enough between two looks. */
const ENTRIES = 128
/** Of what was slow before we came. */
const ENTRIES_BEFORE = 1024
/** A window is as long as it takes to see about so many commands: what it costs is bounded by that, not by time. */
const ENTRIES_AIM = 100
const WINDOW_MS_MAX = 200
/** Of a slow log that holds fewer, windows show too little. */
const RING_MIN = 16
/** MONITOR is priced by its first burst, and ends when these are spent. */
const FIRST_BURST_MS = 5
const BURST_MS_MAX = 50
const BURST_LINES_AIM = 1000
const LINES_MAX = 50_000

/** What to look at next; undefined: it is enough. */
export function nextLook(plan: Plan, facts: Facts): Look | undefined {
  const live = facts.live ?? nothingYet
  const plain = {
    info: true,
    clients: true,
    settings: false,
    slow: ENTRIES,
    window: null,
    monitor: null,
    isLast: false,
  }
  const { looks } = live
  if (looks === 0) return { ...plain, at: 0, settings: true, slow: ENTRIES_BEFORE }
  if (live.isOver) return undefined
  const at = (looks - 1 + jitter(looks)) / LOOKS_A_SECOND
  if (at > plan.seconds) return { ...plain, at: plan.seconds, isLast: true }
  const sampling = plan.sample ? samplingOf(facts, live) : null
  return {
    ...plain,
    at,
    info: looks % LOOKS_A_SECOND === 0,
    clients: false,
    window: sampling,
    monitor: plan.monitor && sampling === null ? burstOf(live, facts.monitor.length) : null,
  }
}

/** What comes at even distances must not always meet what others do at even distances. */
const jitter = (n: number) => (n * 0.618_033_988_75) % 1

/** Why no window can be opened; null: nothing is known to be in the way. */
export function whyNoWindows({ settings, clients }: Facts, { cannotSample }: Live): string | null {
  const ring = settings.get('slowlog-max-len')
  if (ring === undefined) return 'CONFIG GET is not permitted'
  if (Number(ring) < RING_MIN) return `slowlog-max-len is ${ring}`
  if (clients.some(({ flags }) => flags.includes('O'))) return 'a MONITOR runs and changes what would be measured'
  return cannotSample
}

function samplingOf(facts: Facts, live: Live): Sampling | null {
  const threshold = facts.settings.get('slowlog-log-slower-than')
  if (threshold === undefined || whyNoWindows(facts, live) !== null) return null
  const ring = Number(facts.settings.get('slowlog-max-len'))
  const entries = Math.min(ENTRIES, ring)
  const aim = Math.min(ENTRIES_AIM, 0.8 * ring)
  const rate = rateOf(facts, live)
  const milliseconds = Math.round(clamp((1000 * aim) / rate, 1, WINDOW_MS_MAX))
  return { milliseconds, threshold, between: betweenOf(threshold), entries }
}

/**
 * From one look to the next there is no time for more commands of this length than the log holds. It is a number that
 * nobody else sets: so what a killed look has left is known, and what somebody sets meanwhile is not taken for ours.
 */
export const BETWEEN_USEC = 1997

function betweenOf(threshold: string): string {
  const own = Number(threshold)
  return own >= 0 && own < BETWEEN_USEC ? threshold : `${BETWEEN_USEC}`
}

/** Commands a second, as far as one has looked. */
function rateOf(facts: Facts, live: Live): number {
  const infos = facts.infos.slice(-2)
  const [last] = slicesOf({ ...facts, infos, live: { ...live, moments: live.moments.slice(-2) } })
  if (last?.seconds) return last.commands / last.seconds
  return (infos.length > 0 && numberOf(infos.at(-1)!, 'instantaneous_ops_per_sec')) || 1
}

function burstOf({ bursts }: Live, lines: number): { milliseconds: number } | null {
  if (lines >= LINES_MAX) return null
  const milliseconds = bursts.reduce((sum, one) => sum + one.milliseconds, 0)
  if (milliseconds === 0) return { milliseconds: FIRST_BURST_MS }
  const aim = (BURST_LINES_AIM * milliseconds) / Math.max(1, lines)
  return { milliseconds: Math.round(clamp(aim, 1, BURST_MS_MAX)) }
}

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value))

/** Asked for one by one: all at once would have passwords among them, and old servers take one name at a time. */
export const SETTINGS = [
  'slowlog-log-slower-than',
  'slowlog-max-len',
  'latency-monitor-threshold',
  'maxmemory',
  'maxmemory-policy',
  'maxclients',
  'timeout',
  'tcp-keepalive',
  'client-output-buffer-limit',
  'bind',
  'protected-mode',
  'io-threads',
  'save',
  'appendonly',
  'appendfsync',
  'activedefrag',
] as const
