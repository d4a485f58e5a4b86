/**
 * What stands in front of a line of coturn's log: its own time and level, and around that what syslog, the journal and
 * Docker add. Only what one of the known forms matches wholly, from the beginning of the line, is a front: coturn
 * prints names that it refuses as they came, and what a client chose must never be taken for one (rule R27).
 */
import { isoTime, syslogTime } from './log-time.ts'

/** A line without its front. */
export interface Fronted {
  /** Milliseconds since the epoch; NaN: the front says nothing of it. */
  readonly t: number
  /** Which process wrote it, as far as the front tells; '': it does not. */
  readonly process: string
  /** Which of the forms it has: a log keeps to one. */
  readonly form: string
  readonly body: string
}

const TIME = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?`
const LEVEL = 'DEBUG|INFO|CONTROL|WARNING|ERROR'
/**
 * coturn's own: `12: `, `12: : ` and `ISO: ` up to 4.6.1; `12: (972): INFO: `, `ISO(972): INFO: ` with file and line
 * where that is asked for up to 4.16; `ISO.123+0000 INFO ` since (ns_turn_utils.c, turn_log_func_default).
 */
const OWN = new RegExp(
  `^(?:\\d{1,10}|(${TIME}))(?:(?::? ?\\(\\d{1,10}\\): (?:[\\w./-]+\\(\\d+\\):)?|: (?:: )?)(?:(?:${LEVEL}): )?` +
    `| (?:[\\w./-]+\\(\\d+\\) )?(?:${LEVEL}) )`,
)

const HOST = '[\\w.:-]{1,255}'
const TAG = `([\\w.@/-]{1,128}(?:\\[\\d{1,10}\\])?)`
/** `Nov 24 03:00:01 host turnserver[123]: `, by syslog or journalctl. */
const RFC3164 = new RegExp(
  `^(?:<\\d{1,3}>)?([A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?) (${HOST}) ${TAG}: `,
)
/** The same with an ISO time: rsyslog's form for files, journalctl -o short-iso. A level is no host. */
const ISO_SYSLOG = new RegExp(`^(?:<\\d{1,3}>)?(${TIME}) (?!(?:${LEVEL}) )(${HOST}) ${TAG}: `)
const RFC5424 = new RegExp(
  `^<\\d{1,3}>1 (${TIME}|-) (\\S{1,255}) (\\S{1,48}) (\\S{1,128}) \\S{1,32} ` +
    '(?:-|(?:\\[[^\\]]*\\])+) (?:\\xef\\xbb\\xbf)?',
)
/** `coturn-1  | `, by docker compose logs. */
const COMPOSE = /^([\w.-]{1,128}) +\| /
/** `docker logs -t`, `kubectl logs --timestamps`, and the files of a Kubernetes node. */
const STAMPED = new RegExp(`^(${TIME}) (?:std(?:out|err) F )?(?=\\d)`)

interface Wrapped {
  t: number
  process: string
  form: string
  text: string
  /** The wrapping says that the line goes on in another one. */
  isPart: boolean
}

/** Takes off the front; undefined: there is none that is known. The line holds one character for each byte. */
export function readFront(line: string, seenAt: number): Fronted | undefined {
  const wrapped = unwrap(line, seenAt)
  const own = wrapped.isPart ? null : OWN.exec(wrapped.text)
  if (own === null) return undefined
  const [front, time] = own
  const t = time === undefined ? Number.NaN : isoTime(time)
  return {
    t: Number.isNaN(t) ? wrapped.t : t,
    process: wrapped.process,
    form: `${wrapped.form} ${time === undefined ? 'seconds' : 'time'}`,
    body: wrapped.text.slice(front.length),
  }
}

function unwrap(line: string, seenAt: number): Wrapped {
  const one: Wrapped = { t: Number.NaN, process: '', form: '', text: line, isPart: false }
  if (line.startsWith('{')) return unwrapJson(line, one)
  const compose = COMPOSE.exec(line)
  if (compose !== null) {
    one.process = compose[1]!
    one.form = 'compose '
    one.text = line.slice(compose[0].length)
  }
  const stamped = STAMPED.exec(one.text)
  if (stamped !== null) {
    one.t = isoTime(stamped[1]!)
    one.form += 'stamped'
    one.text = one.text.slice(stamped[0].length)
    return one
  }
  return unwrapSyslog(one, seenAt)
}

function unwrapSyslog(one: Wrapped, seenAt: number): Wrapped {
  const { text } = one
  const plain = RFC3164.exec(text) ?? ISO_SYSLOG.exec(text)
  if (plain !== null) {
    const [front, time, host, tag] = plain as unknown as [string, string, string, string]
    one.t = /^\d/.test(time) ? isoTime(time) : syslogTime(time, seenAt)
    one.process = `${host} ${tag}`
    one.form += 'syslog'
    one.text = text.slice(front.length)
    return one
  }
  const full = RFC5424.exec(text)
  if (full !== null) {
    const [front, time, host, app, id] = full as unknown as [string, string, string, string, string]
    one.t = isoTime(time)
    one.process = `${host} ${app}[${id}]`
    one.form += 'rfc5424'
    one.text = text.slice(front.length)
  }
  return one
}

/** Lines of `journalctl -o json` and of Docker's json-file. Each is one message, whatever line breaks it holds. */
function unwrapJson(line: string, one: Wrapped): Wrapped {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(Buffer.from(line, 'latin1').toString()) as Record<string, unknown>
  } catch {
    return one
  }
  const { log, time, MESSAGE, __REALTIME_TIMESTAMP: micros, _PID } = entry
  one.form = 'json'
  if (typeof log === 'string') {
    one.text = latin1(log).replace(/\r?\n$/, '')
    one.t = typeof time === 'string' ? isoTime(time) : Number.NaN
    one.isPart = !log.endsWith('\n')
    return one
  }
  // The journal gives what is no UTF-8 as numbers.
  if (typeof MESSAGE === 'string') one.text = latin1(MESSAGE)
  else if (Array.isArray(MESSAGE)) one.text = Buffer.from(MESSAGE as number[]).toString('latin1')
  if (typeof micros === 'string' && /^\d{15,17}$/.test(micros)) one.t = Math.floor(Number(micros) / 1000)
  if (typeof _PID === 'string') one.process = `${String(entry._HOSTNAME ?? '')} [${_PID}]`
  return one
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
