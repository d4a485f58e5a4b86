/** What a running meter tells: to a person at a terminal, or as JSON lines to whoever collects logs. */

import type { Io } from '@fettle/check'
import { type ServeEvent, type SessionRecord, twinsTexts } from '@fettle/relay'
import { duration, plural, printable, size } from '@fettle/report'
import { pino } from 'pino'
import { sessionLine } from './sessions.ts'

export type Teller = (event: ServeEvent) => void

/** Lines for a person. */
export function textTeller(io: Io): Teller {
  return (event) => tellText(event, io)
}

function tellText(event: ServeEvent, io: Io): void {
  switch (event.kind) {
    case 'ready':
      return tellReady(event, io)
    case 'connected':
      return io.print(`coturn ${printable(event.server)} connected\n`)
    case 'disconnected':
      return io.print(`coturn ${printable(event.server)} has closed its connections\n`)
    case 'restarted':
      return io.print(`coturn ${printable(event.server)} was restarted; what was open then has ended\n`)
    case 'session':
      return io.print(sessionLine(event.session))
    case 'gap':
      return io.print(
        `gap: up to ${duration(event.ms / 1000)} of events of ${printable(event.server)} may be lost (${event.why})\n`,
      )
    case 'redis connected':
      return io.print(`Redis ${event.redis} is heard\n`)
    case 'redis looked':
      return io.print(`${plural(event.keys, 'allocation')} open already at Redis ${event.redis}\n`)
    case 'log reading':
      return io.print(`log ${printable(event.file.path)}: ${readText(event)}\n`)
    case 'log current':
      return io.print(`log ${printable(event.log)}: read to its end; what is written there is read as it comes\n`)
    case 'log ended':
      return io.print(`log: ${event.log} has ended; nothing more comes of it\n`)
    case 'forward again':
      return io.print(`forwarding works again; ${event.dropped} commands were dropped since the start\n`)
    case 'sink again':
      return io.print(`rows can be written again; ${plural(event.waiting, 'session')} to go\n`)
    case 'servers':
      if (event.why !== undefined) return io.complain(`${event.why}; the servers known before go on`)
      return io.print(`servers now: ${event.lines.map(({ server }) => printable(server)).join(', ') || 'none'}\n`)
    default:
      return io.complain(complaintOf(event))
  }
}

type Complaint = Extract<
  ServeEvent,
  {
    kind:
      | 'refused'
      | 'failed'
      | 'cannot start'
      | 'hung'
      | 'shared'
      | 'forward'
      | 'redis lost'
      | 'redis unseen'
      | 'redis warning'
      | 'log unseen'
      | 'log undated'
      | 'log forked'
      | 'api failed'
      | 'untold'
      | 'sink'
      | 'sink held'
      | 'heard twice'
  }
>

function complaintOf(event: Complaint): string {
  switch (event.kind) {
    case 'refused':
      return `${event.count === 1 ? 'a connection was' : `${event.count} connections were`} refused: ${event.why}`
    case 'failed':
      return `records cannot be written, trying again: ${event.why}`
    case 'shared':
      return `two coturns use the line of ${printable(event.server)}; give each its own: fettle relay server add NAME`
    case 'forward':
      return `forwarding: ${event.why}`
    case 'redis lost':
      return `Redis ${event.redis} is not heard, next try in ${event.retrySeconds} s: ${event.why}`
    case 'redis unseen':
      return `Redis ${event.redis}: its ${event.what} cannot be looked at: ${event.why}`
    case 'redis warning':
      return `Redis ${event.redis}: ${event.text} ${event.remedy}`
    case 'log unseen':
      return `log ${printable(event.log)}: ${event.why}; tried again all the while`
    case 'log undated':
      return `log ${printable(event.log)}: its lines have no time, so they count as of when they are read; ${DATED}`
    case 'log forked':
      return `log ${printable(event.log)}: ${printable(event.file)} goes on beside a later file, ${ONE_COTURN}`
    case 'sink':
      return `no row can be written, trying again: ${event.why}`
    case 'sink held':
      return `the row of session ${event.session} is held back: ${event.why}`
    case 'api failed':
      return `a request could not be answered: ${event.why}`
    case 'untold':
      return `sessions that have ended cannot be read: ${event.why}`
    case 'heard twice':
      return `${printable(twinsTexts(event).text)} ${twinsTexts(event).remedy}`
    case 'hung':
      return 'the meter stood still for 30 s and was ended; start it again, and report this as a bug'
    case 'cannot start':
      return event.why
  }
}

/** What cannot be undone, where the line is read that leads to it. */
const BEFORE = `Before you do: a restart ends coturn's calls without a last report, so drain it;
and whoever reads its present redis-statsdb hears nothing any more, unless you
--forward (docs/operating.md).

`
const DATED = 'put new-log-timestamp into turnserver.conf'
const ONE_COTURN = 'and is not read; let --log name the files of one coturn only'

function readText({ isNews, file: { from, size: all, left } }: Extract<ServeEvent, { kind: 'log reading' }>): string {
  if (!isNews) return `${size(all - left)} of ${size(all)} read`
  return from === 0 ? `read from its beginning, ${size(all)}` : `read on where it was, ${size(left)} to go`
}

function tellReady(event: Extract<ServeEvent, { kind: 'ready' }>, io: Io): void {
  io.print(`fettle meters your TURN relays; Ctrl-C ends it.\n\ndata: ${printable(event.data)}\n`)
  if (event.http !== null) io.print(`page: ${event.http}/${event.token === '' ? '' : `#token=${event.token}`}\n`)
  if (event.redis !== null) io.print(`Redis: ${event.redis}\n`)
  if (event.log !== null) io.print(`log: ${event.log === '-' ? 'what is piped in' : printable(event.log)}\n`)
  for (const { server, line } of event.lines) {
    io.print(`coturn ${printable(server)}: put this line into its turnserver.conf and restart it\n\n${line}\n\n`)
  }
  if (event.lines.length > 0) io.print(BEFORE)
  io.print('waiting for coturn\n')
}

const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]
export const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text)

/** JSON lines. No name or address of a user, and no secret, above `debug`. */
export function jsonTeller(io: Io, level: Level): Teller {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write: io.print })
  return (event) => {
    switch (event.kind) {
      case 'ready':
        return log.info(readyFacts(event), 'ready')
      case 'session':
        log.info(factsOf(event.session), 'session')
        return log.debug({ session: event.session }, 'session')
      case 'gap':
        return log.warn({ server: event.server, why: event.why, ms: event.ms }, 'gap')
      case 'connected':
      case 'disconnected':
      case 'restarted':
        return log.info({ server: event.server }, event.kind)
      case 'redis connected':
        return log.info({ redis: event.redis }, event.kind)
      case 'redis looked':
        return log.info({ redis: event.redis, keys: event.keys }, event.kind)
      case 'redis lost':
        return log.warn({ redis: event.redis, why: event.why, retrySeconds: event.retrySeconds }, event.kind)
      case 'redis unseen':
        return log.info({ redis: event.redis, what: event.what, why: event.why }, event.kind)
      case 'redis warning':
        return log.warn({ redis: event.redis, code: event.code, remedy: event.remedy }, event.text)
      case 'log reading':
        return log.info({ log: event.log, file: event.file }, event.kind)
      case 'log current':
      case 'log ended':
        return log.info({ log: event.log }, event.kind)
      case 'log unseen':
        return log.warn({ log: event.log, why: event.why }, event.kind)
      case 'log undated':
        return log.warn({ log: event.log, remedy: DATED }, event.kind)
      case 'log forked':
        return log.warn({ log: event.log, file: event.file }, event.kind)
      case 'forward again':
        return log.info({ dropped: event.dropped }, event.kind)
      case 'sink again':
        return log.info({ waiting: event.waiting }, event.kind)
      case 'sink':
        return log.warn({ why: event.why }, event.kind)
      case 'sink held':
        return log.warn({ session: event.session, why: event.why }, event.kind)
      case 'servers':
        if (event.why !== undefined) return log.error({ why: event.why }, 'servers')
        return log.info({ servers: event.lines.map((one) => one.server) }, 'servers')
      case 'refused':
        log.warn({ why: event.why, count: event.count }, 'refused')
        return log.debug({ peer: event.peer }, 'refused')
      case 'shared':
        log.warn({ server: event.server }, 'shared')
        return log.debug({ peers: event.peers }, 'shared')
      // Why it is not there any more is for whoever started it, too.
      case 'cannot start':
      case 'hung':
        log.error({ kind: event.kind }, complaintOf(event))
        return io.complain(complaintOf(event))
      default:
        return log.error({ kind: event.kind }, complaintOf(event))
    }
  }
}

function readyFacts({ data, http, redis, log, lines }: Extract<ServeEvent, { kind: 'ready' }>) {
  return { data, http, redis, log, servers: lines.map(({ server }) => server) }
}

function factsOf({ id, class: kind, state, end, quality, servers, relaySeconds, client, peer }: SessionRecord) {
  return { id, class: kind, state, end, quality, servers, relaySeconds, client, peer }
}
