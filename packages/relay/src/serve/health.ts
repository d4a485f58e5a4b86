/** What is not as it should be, and what to do about it: from facts alone, so that everybody who asks gets the same. */
import type { SinkStatus } from '../sink/sink.ts'
import type { GapCount, Share, Twins } from '../store/queries-state.ts'
import type { Finding, Server } from './contract.ts'
import type { MeterStatus } from './status.ts'

/** What is known of a running meter. Times are milliseconds. */
export interface Facts {
  readonly now: number
  /** What the meter's thread said last; undefined: nothing yet. */
  readonly status: MeterStatus | undefined
  readonly servers: readonly Server[]
  /** Gaps that ended in the last day. */
  readonly gaps: readonly GapCount[]
  /** Names under which something was rejected in the last day. */
  readonly rejectedNames: number
  /** Of the newest allocations those whose usernames do not fit the template. */
  readonly misfits: Share
  /** Sources that count the same allocations. */
  readonly twins: readonly Twins[]
  /** null: not known. */
  readonly diskFreeBytes: number | null
  /** The file is not where it was, or is another one. */
  readonly isLedgerGone: boolean
  /** null: there is no row sink. */
  readonly sink: SinkStatus | null
}

/** The meter's thread speaks every second; after this it is taken for stuck. */
export const SILENT_MS = 10_000
export const LAG_MAX_SECONDS = 10
export const DISK_FULL_BYTES = 256e6
export const DISK_LOW_BYTES = 1e9
const QUIET_MS = 3_600_000
/** Somebody who was refused before that has given up, or is let in now. */
const REFUSED_MS = 3_600_000
const REJECTED_NAMES_MANY = 20
const HELD_MANY = 1000
/** So long in a day may no meter run before that is told. */
const RESTARTS_MS = 60_000
/** A database is restarted within this time, now and then. */
const SINK_AWAY_MS = 10_000
const PENDING_HIGH = 200_000

/** Everything that is wrong, the worst first. */
export function findings(facts: Facts): Finding[] {
  const all = checks.flatMap((check) => check(facts))
  return [...all.filter((one) => one.level === 'problem'), ...all.filter((one) => one.level === 'warning')]
}

/** Whether the meter's thread has spoken lately. */
export function isSilent({ now, status }: Pick<Facts, 'now' | 'status'>): boolean {
  return status === undefined || now - status.now >= SILENT_MS
}

/** Age of the last commit while something waits, else 0. */
export function lagSeconds(status: MeterStatus | undefined): number {
  if (status === undefined || (status.pending === 0 && status.failing === null)) return 0
  return Math.max(0, status.now - status.committedAt) / 1000
}

type Check = (facts: Facts) => Finding | Finding[]

const problem = (code: string, text: string, remedy: string): Finding => ({ code, level: 'problem', text, remedy })
const warning = (code: string, text: string, remedy: string): Finding => ({ code, level: 'warning', text, remedy })

const checks: readonly Check[] = [
  silence,
  store,
  ledger,
  disk,
  servers,
  refused,
  redis,
  log,
  twins,
  gaps,
  malformed,
  rejected,
  misfits,
  forward,
  sink,
  pending,
]

function silence(facts: Facts): Finding[] {
  if (!isSilent(facts)) return []
  const { status, now } = facts
  const text =
    status === undefined
      ? 'The meter has not said anything yet.'
      : `The meter has said nothing for ${seconds(now - status.now)}; it takes no events in that time.`
  return [problem('meter-silent', text, 'It ends itself after 30 s of this; let the service manager start it again.')]
}

function store({ status }: Facts): Finding[] {
  if (status === undefined) return []
  const lag = lagSeconds(status)
  if (status.failing !== null) {
    const text = `Nothing was stored for ${seconds(lag * 1000)}: ${status.failing}.`
    const remedy =
      'Look at the disk and at the rights on the data folder. What was counted is kept in memory meanwhile.'
    return [problem('store-failing', text, remedy)]
  }
  if (lag <= LAG_MAX_SECONDS) return []
  const text = `The last commit is ${seconds(lag * 1000)} old though events wait to be stored.`
  return [problem('commit-lag', text, 'The disk is slow or stuck: look what else writes to it.')]
}

/** Nobody would notice otherwise: SQLite writes on into a file that has no name any more, which ends with the meter. */
function ledger({ isLedgerGone }: Facts): Finding[] {
  if (!isLedgerGone) return []
  const text = 'The file of the ledger was moved, removed or replaced while the meter runs; it stores into the old one.'
  const remedy =
    'Put the old one back, with its -wal, then restart the meter. If it was removed, what it stores is lost.'
  return [problem('ledger-gone', text, remedy)]
}

function disk({ diskFreeBytes: free }: Facts): Finding[] {
  if (free === null || free >= DISK_LOW_BYTES) return []
  const text = `The disk of the data folder has ${Math.floor(free / 1e6)} MB left.`
  const remedy = 'Make room. When it is full nothing can be stored, and what is relayed then is a gap in the end.'
  return [free < DISK_FULL_BYTES ? problem('disk-full', text, remedy) : warning('disk-low', text, remedy)]
}

function servers({ servers: all, now }: Facts): Finding[] {
  const alone = all.every((server) => !server.connected)
  const coturns = all.filter(({ kind }) => kind === 'coturn')
  return coturns.flatMap((server) => {
    const found: Finding[] = []
    // Where coturns are heard at a Redis, the line that every meter has at first may be nobody's.
    if (!server.connected && (server.boot > 0 || coturns.length === all.length)) found.push(absent(server, alone))
    else if (isQuiet(server, now)) found.push(quiet(server))
    if (server.shared) found.push(shared(server))
    return found
  })
}

function redis({ servers: all, status }: Facts): Finding[] {
  const server = all.find(({ kind }) => kind === 'redis')
  const known = status?.redis ?? null
  if (server === undefined || known === null) return []
  const { name, connected } = server
  const found = known.warnings.map(({ code, text, remedy }) => warning(code, `The Redis "${name}": ${text}`, remedy))
  if (connected) return found
  const say = all.every((one) => !one.connected) ? problem : warning
  const text = `The Redis "${name}" is not heard${known.why === null ? '' : `: ${known.why}`}. What coturns report there
    now is lost until the totals come.`
  const remedy = 'See that it runs and lets the meter in. The meter tries again by itself.'
  return [say('redis-gone', oneLine(text), remedy), ...found]
}

function log({ servers: all, status }: Facts): Finding[] {
  const server = all.find(({ kind }) => kind === 'log')
  const known = status?.log ?? null
  if (server === undefined || known === null) return []
  const { name } = server
  const found: Finding[] = []
  if (known.why !== null) {
    const say = all.every((one) => !one.connected) ? problem : warning
    const remedy = "See that coturn writes it and that the meter's user may read it. It is tried again all the while."
    found.push(say('log-gone', `The log "${name}" is not read: ${known.why}.`, remedy))
  }
  if (known.isUndated) {
    const text = `The lines of the log "${name}" have no time: they count as of when they are read.`
    found.push(warning('log-undated', text, 'Put new-log-timestamp into turnserver.conf.'))
  }
  if (known.forked !== null) {
    const text = `${known.forked} goes on beside a file of the log "${name}" that was written later; it is not read.`
    found.push(problem('log-forked', text, 'Let --log name the files of one coturn only.'))
  }
  return found
}

/** Words for two sources of the same events, and what to do. */
export const twinsTexts = ({ first, other }: Twins) => ({
  text: `Allocations are counted twice: "${first}" and "${other}" tell of the same ones.`,
  remedy:
    "Let the meter hear each coturn in one way only: leave one of the two out, and bill from the other's records.",
})

function twins({ twins: all }: Facts): Finding[] {
  return all.map((one) => {
    const { text, remedy } = twinsTexts(one)
    return problem('heard-twice', text, remedy)
  })
}

function absent({ name, boot, lastEventAt }: Server, alone: boolean): Finding {
  const say = alone ? problem : warning
  if (boot === 0) {
    const remedy = `Put its line, which "fettle relay server list --lines" shows, into its turnserver.conf and restart
      that coturn.`
    return say('server-never-connected', `The coturn "${name}" has never connected.`, oneLine(remedy))
  }
  const since = lastEventAt === null ? 'since the meter was started' : `; it was last heard at ${minute(lastEventAt)}`
  const text = `The coturn "${name}" is not connected${lastEventAt === null ? ' ' : ''}${since}.`
  const remedy = 'See that it runs and can reach the meter. It connects again by itself with its next report.'
  return say('server-gone', text, remedy)
}

function isQuiet({ lastEventAt, allocations }: Server, now: number): boolean {
  return allocations > 0 && lastEventAt !== null && now - Date.parse(lastEventAt) > QUIET_MS
}

function quiet({ name, lastEventAt, allocations }: Server): Finding {
  const text = `The coturn "${name}" is connected and has ${plural(allocations, 'open allocation')}, but nothing was
    heard of it since ${minute(lastEventAt!)}.`
  const remedy = 'A coturn that was once blocked stays silent. Restart it when that can be: it ends the calls.'
  return warning('server-quiet', oneLine(text), remedy)
}

function shared({ name }: Server): Finding {
  const text = `Two coturns seem to use the line of "${name}", so that their allocations cannot be told apart.`
  const remedy = 'Give each coturn a line of its own: fettle relay server add NAME.'
  return problem('server-shared', text, remedy)
}

/** A coturn with an old password is told apart from a stranger by nobody but the operator. */
function refused({ status, now }: Facts): Finding[] {
  const known = status?.refused ?? null
  if (known === null || now - known.lastAt > REFUSED_MS) return []
  const { count, lastAt, why } = known
  const text = `${plural(count, 'connection')} ${count === 1 ? 'was' : 'were'} refused since the start, the last one at
    ${minute(new Date(lastAt).toISOString())}: ${why}.`
  const remedy = `If that is a coturn of yours, put its line into its turnserver.conf again: fettle relay server list
    --lines. If not, see that strangers do not reach the port.`
  return [warning('refused', oneLine(text), oneLine(remedy))]
}

/** What made a gap, in words. */
export const gapReasonTexts: Readonly<Record<string, string>> = {
  restart: 'no meter was running',
  stall: 'the meter stood still',
  connection: 'a connection broke off',
  overflow: 'there was more than the meter may keep',
  clock: "the machine's clock was set",
  damage: 'a log could not be read whole',
  rotation: 'a log was rotated away before it was read',
}

const remedies: Readonly<Record<string, string>> = {
  restart: 'Records that were open then are a lower bound until their totals come.',
  stall: 'The machine was overloaded or slept. Give the meter a processor of its own if it comes again.',
  connection:
    'Look at the network between the meter and that coturn or Redis, and whether that was restarted or cut it off.',
  overflow: 'Look at the disk and the memory of the machine.',
  clock: 'Let the clock be kept by NTP, which moves it slowly.',
  damage: 'Something cuts its lines or writes between them. Records that were open then are a lower bound.',
  rotation: 'Rotate it by renaming, not by copytruncate, and leave one rotated file unpacked or beside it (FILE.1).',
}

/**
 * Those that somebody should look at. A restart that is soon over is how a meter is looked after, and the calls that it
 * fell into are whole again by their totals. Many of them, or a long one, are something else.
 */
export function notable(counts: readonly GapCount[]): GapCount[] {
  return counts.filter(({ why, ms }) => why !== 'restart' || ms >= RESTARTS_MS)
}

function gaps({ gaps: counts }: Facts): Finding[] {
  return Array.from(Map.groupBy(notable(counts), (one) => one.why)).map(([why, own]) => {
    const sum = own.reduce((total, one) => total + one.count, 0)
    const who = own.map((one) => `${one.server}: ${one.count}`).join(', ')
    const text = `${plural(sum, 'gap')} in the last 24 hours because ${gapReasonTexts[why] ?? why} (${who}).
      In a gap events may have been lost.`
    const say = why === 'overflow' ? problem : warning
    return say(why === 'clock' ? 'clock-jump' : `gap-${why}`, oneLine(text), remedies[why] ?? 'Look at the log.')
  })
}

function malformed({ status }: Facts): Finding[] {
  const count = status?.events.malformed ?? 0
  if (count === 0) return []
  const text = `${plural(count, 'message')} since the start could not be read as an event of coturn.`
  const remedy = 'See them as they come: fettle relay tail. Does something else than coturn write there?'
  return [warning('malformed', text, remedy)]
}

function rejected({ rejectedNames, status }: Facts): Finding[] {
  const held = status?.held ?? 0
  if (rejectedNames < REJECTED_NAMES_MANY && held < HELD_MANY) return []
  const waiting = `${plural(held, 'more allocation')} ${held === 1 ? 'waits' : 'wait'} for proof`
  const text = `${plural(rejectedNames, 'username')} in the last 24 hours never proved real, and ${waiting}.
    None of it is billed to anyone.`
  const remedy = `Either somebody tries passwords, or your application and coturn do not use the same secret
    (static-auth-secret).`
  return [warning('rejected', oneLine(text), oneLine(remedy))]
}

function misfits({ misfits: { of, count } }: Facts): Finding[] {
  if (count === 0) return []
  const text = `The usernames of ${count} of the last ${plural(of, 'allocation')} do not fit the template: the whole
    name is taken for the device, and the account is unknown.`
  return [warning('misfits', oneLine(text), 'Start the meter with the --username template that your names follow.')]
}

function forward({ status }: Facts): Finding[] {
  const target = status?.forward ?? null
  if (target === null) return []
  const found: Finding[] = []
  if (!target.connected) {
    const text = 'The Redis to which all is passed on cannot be reached; it misses what comes now.'
    found.push(warning('forward-disconnected', text, 'See that it runs. The meter tries again by itself.'))
  }
  if (target.dropped > 0) {
    const text = `${plural(target.dropped, 'command')} since the start could not be passed on to the Redis.`
    found.push(warning('forward-dropping', text, "It was away or too slow. The meter's own records are whole."))
  }
  return found
}

/** The meter itself is well: what cannot be written now is in the ledger, and is written later. */
function sink({ sink: rows, now }: Facts): Finding[] {
  if (rows === null) return []
  const { failing, waiting, heldBack, lastHeld } = rows
  const found: Finding[] = []
  if (failing !== null && now - failing.since >= SINK_AWAY_MS) {
    const text = `No row is written since ${minute(new Date(failing.since).toISOString())}: ${failing.why};
      ${plural(waiting, 'session')} ${waiting === 1 ? 'waits' : 'wait'}.`
    const remedy = 'Ask "fettle relay sink check" what is wrong. It is tried again all the while; nothing is lost.'
    found.push(warning('sink-failing', oneLine(text), remedy))
  }
  if (heldBack > 0) {
    const text = `${plural(heldBack, 'row')} cannot be written and ${heldBack === 1 ? 'is' : 'are'} held back, the last
      one of ${lastHeld}.`
    const remedy = 'Change the table so that it takes them; they are tried again every 10 minutes and at a restart.'
    found.push(warning('sink-held-back', oneLine(text), remedy))
  }
  return found
}

function pending({ status }: Facts): Finding[] {
  const rows = status?.pending ?? 0
  if (rows < PENDING_HIGH) return []
  const text = `${plural(rows, 'row')} wait to be stored.`
  return [warning('pending-high', text, 'The disk does not keep up with the events: give it less else to do.')]
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

function minute(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
