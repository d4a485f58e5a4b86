/** `CLIENT LIST`: a line for each connection. */

export interface Client {
  /** Never given again until the server is started again. */
  readonly id: number
  /** `ip:port`, `[v6]:port` or a socket's path. */
  readonly address: string
  readonly name: string
  readonly ageSeconds: number
  /** Letters of the connection's kind: `N` normal, `O` MONITOR, `S` replica. */
  readonly flags: string
  /** Its last command, in lower case. */
  readonly command: string
  /** Channels and patterns that it has subscribed to. */
  readonly subscriptions: number
  /** Bytes that wait to be sent to it. */
  readonly outputBytes: number
  /** How many commands it has sent; Valkey 8.0 and newer. */
  readonly totalCommands: number | null
}

/** CLIENT SETNAME takes names of megabytes. */
export const NAME_MAX = 64

const LINE = /^id=\d+ addr=\S+ /

/** The clients in the text. No value holds a blank: CLIENT SETNAME refuses one too. */
export function readClients(text: string): Client[] {
  return text.split(/\r?\n/).flatMap((line) => {
    if (!LINE.test(line.trim())) return []
    const parts = new Map(line.trim().split(' ').map(splitAtFirst))
    const number = (name: string) => Number(parts.get(name) ?? 0) || 0
    const total = parts.get('tot-cmds')
    return {
      id: number('id'),
      address: parts.get('addr') ?? '',
      name: (parts.get('name') ?? '').slice(0, NAME_MAX),
      ageSeconds: number('age'),
      flags: parts.get('flags') ?? '',
      command: (parts.get('cmd') ?? '').toLowerCase(),
      subscriptions: number('sub') + number('psub'),
      outputBytes: number('omem'),
      totalCommands: total === undefined ? null : Number(total) || 0,
    }
  })
}

/** How people know it: by its name, else by its host. */
export const whoIs = ({ name, address }: Client): string => name || hostOf(address)

/** `S`: a replica; `M`: our master. Who is cut off loads everything anew. */
export const isReplica = ({ flags }: Client): boolean => /[SM]/.test(flags)

/** An address without the port, which is another one each time. */
export const hostOf = (address: string): string => address.replace(/:\d+$/, '')

function splitAtFirst(part: string): [string, string] {
  const equals = part.indexOf('=')
  return equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)]
}
