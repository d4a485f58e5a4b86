/** Reads an event stream (the HTML standard, "server-sent events"): `EventSource` cannot send a header, `fetch` can. */

export interface ServerEvent {
  readonly event: string
  readonly data: string
  /** The last id that the stream gave; empty when it gave none. */
  readonly id: string
}

/** A snapshot of 500 sessions has some 300 kB. */
const LONGEST_EVENT = 16_000_000

/** Takes the text in whatever pieces it comes, gives the events that are complete. Throws on one that has no end. */
export function createReader(): (piece: string) => ServerEvent[] {
  let rest = ''
  let lines: string[] = []
  let held = 0
  let afterReturn = false
  let id = ''
  return (piece) => {
    if (piece === '') return []
    // A line ends with CR LF, LF or CR; the two halves of CR LF may come in two pieces.
    const parts = (rest + (afterReturn && piece[0] === '\n' ? piece.slice(1) : piece)).split(/\r\n|\n|\r/)
    afterReturn = piece.endsWith('\r')
    rest = parts.pop()!
    const events: ServerEvent[] = []
    for (const line of parts) {
      lines.push(line)
      held += line.length
      if (line !== '') continue
      const event = readEvent(lines, id)
      id = event.id
      if (event.data !== undefined) events.push({ ...event, data: event.data })
      lines = []
      held = 0
    }
    if (rest.length + held > LONGEST_EVENT) throw new Error('the meter sent an event that does not end')
    return events
  }
}

/** `data` is undefined where there is none: then it is no event, but its id counts. */
function readEvent(lines: readonly string[], lastId: string): Omit<ServerEvent, 'data'> & { data: string | undefined } {
  const fields = lines.map((line) => {
    const colon = line.indexOf(':')
    if (colon === -1) return [line, ''] as const
    return [line.slice(0, colon), line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))] as const
  })
  const all = (name: string) => fields.filter(([key]) => key === name).map(([, value]) => value)
  const data = all('data')
  return {
    event: all('event').at(-1) || 'message',
    data: data.length === 0 ? undefined : data.join('\n'),
    id: all('id').findLast((value) => !value.includes('\0')) ?? lastId,
  }
}
