/** coturn's verbose log (4.6.1 run; 4.5 and 4.6 write the same lines). */
import type { Recorder, RecordingKind } from './recorder.ts'

const encoder = new TextEncoder()

/**
 * What may stand before `session ID: `. coturn prints names that it refuses as they came (`ERROR: ... wrong username: x
 * session 000...: new, realm=<...`), so nothing that a name could be part of may stand there.
 */
const PREFIX = '^(?:(?!ERROR|WARNING|session )[^<])*'
const line = new RegExp(`${PREFIX}session \\d{18,20}: `)
/** `new`, `refreshed`, `usage`, `peer usage`, `delete`; the username may hold anything but white space and quotes. */
const session = new RegExp(`${PREFIX}session (\\d{18,20}): (new|refreshed|usage|peer usage|delete)[,:] realm=<(.*)$`)
const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d\d):?(\d\d)/

/**
 * The time in front of a line: ISO 8601 to the second (`--new-log-timestamp`). coturn's default, seconds since its
 * start, gives no time.
 */
function timeOf(text: string): number {
  const match = stamped.exec(text)
  return match === null ? Number.NaN : Date.parse(`${match[1]}${match[2]}:${match[3]}`)
}

/** The tail of each line, from the right: what stands behind the username. */
const tails: Readonly<Record<string, RegExp>> = {
  new: /^(.*?)>, username=<(.*)>, lifetime=(\d+)\s*$/,
  refreshed: /^(.*?)>, username=<(.*)>, lifetime=(\d+)\s*$/,
  usage: /^(.*?)>, username=<(.*)>, rp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+)\s*$/,
  'peer usage': /^(.*?)>, username=<(.*)>, rp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+)\s*$/,
  delete: /^(.*?)>, username=<(.*)>\s*$/,
}

export const logKind: RecordingKind = {
  name: 'coturn log',
  lacks: 'coturn logs them only with verbose in its turnserver.conf (or -v)',
  bootAware: false,
  detect: (lines) => lines.some((text) => line.test(text) || /Version Coturn-|Listener address to use:/.test(text)),
  reader: () => (text, out) => {
    const match = session.exec(text)
    if (match === null) return
    const [, id, kind, rest] = match as unknown as [string, string, string, string]
    const tail = tails[kind]!.exec(rest)
    if (tail === null) {
      out.malformed++
      return
    }
    const t = timeOf(text)
    if (t >= 0) out.at(t)
    tell(kind, id, tail as unknown as string[], out)
  },
}

/** The same as coturn would have published; only a log can add that nothing is missing. */
function tell(kind: string, id: string, tail: readonly string[], out: Recorder): void {
  const [, realm, username, ...numbers] = tail
  const who = realm === '' ? `turn/user/${username}` : `turn/realm/${realm}/user/${username}`
  const path = `${who}/allocation/${id}`
  const publish = (channel: string, message: string) => {
    out.publish(encoder.encode(`${path}/${channel}`), encoder.encode(message))
  }
  if (kind === 'new' || kind === 'refreshed') return publish('status', `${kind} lifetime=${numbers[0]}`)
  if (kind === 'delete') {
    publish('status', 'deleted')
    return out.complete(encoder.encode(path))
  }
  const [rp, rb, sp, sb] = numbers
  publish(kind === 'usage' ? 'traffic' : 'traffic/peer', `rcvp=${rp}, rcvb=${rb}, sentp=${sp}, sentb=${sb}`)
}
