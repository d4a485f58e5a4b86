/** `INFO` of a Redis, as the server sends it or as people paste it: with or without headers and sections. */

/** Names and values of one INFO; numbers are read when they are needed. */
export interface Info {
  readonly fields: ReadonlyMap<string, string>
  /** `cmdstat_*` (Redis 2.6 and newer), by the command's name in lower case, `config|get` among them. */
  readonly commands: ReadonlyMap<string, CommandStats>
}

export interface CommandStats {
  readonly calls: number
  /** Wall time of executing, in seconds; a script's holds that of the commands in it. */
  readonly seconds: number
}

const LINE = /^([a-zA-Z][a-zA-Z0-9_|.-]*):(.*)$/
const COMMAND = /^cmdstat_(.+)$/
/** Comes once for each module that is loaded, and makes no other INFO. */
const MANY: ReadonlySet<string> = new Set(['module'])
/** So many lines of this form, and it is an INFO. */
const LINES_MIN = 5

/** Every INFO in the text, in order: a name that comes again begins the next one. Empty: there is none. */
export function readInfos(text: string): Info[] {
  const found: { fields: Map<string, string>; commands: Map<string, CommandStats> }[] = []
  let current: (typeof found)[number] | undefined
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = LINE.exec(line.trim()) ?? []
    if (name === undefined || value === undefined || MANY.has(name)) continue
    if (current === undefined || current.fields.has(name)) {
      current = { fields: new Map(), commands: new Map() }
      found.push(current)
    }
    current.fields.set(name, value)
    const command = COMMAND.exec(name)?.[1]
    const stats = command === undefined ? undefined : readStats(value)
    if (command !== undefined && stats !== undefined) current.commands.set(command.toLowerCase(), stats)
  }
  return found.filter(({ fields }) => fields.size >= LINES_MIN)
}

/** `calls=5,usec=926062,usec_per_call=185212.40` */
function readStats(value: string): CommandStats | undefined {
  const parts = new Map(value.split(',').map((part) => part.split('=') as [string, string]))
  const calls = Number(parts.get('calls') ?? Number.NaN)
  const usec = Number(parts.get('usec') ?? Number.NaN)
  return Number.isFinite(calls) && Number.isFinite(usec) ? { calls, seconds: usec / 1e6 } : undefined
}

/** A field as a number; undefined when it is not there or none. */
export function numberOf({ fields }: Info, name: string): number | undefined {
  const text = fields.get(name)
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** The database with most keys: `db0:keys=14078,expires=1209,avg_ttl=150542`. A command looks into one only. */
export function largestDatabase({ fields }: Info): { readonly name: string; readonly keys: number } | undefined {
  const databases = Array.from(fields).flatMap(([name, value]) => {
    const keys = /^db\d+$/.test(name) ? /(?:^|,)keys=(\d+)/.exec(value)?.[1] : undefined
    return keys === undefined ? [] : [{ name, keys: Number(keys) }]
  })
  return databases.sort((a, b) => b.keys - a.keys)[0]
}

/** `errorstat_OOM:count=5` (6.2 and newer): how many commands were answered with such an error. */
export function errorsOf({ fields }: Info, code: string): number {
  return Number(/^count=(\d+)$/.exec(fields.get(`errorstat_${code}`) ?? '')?.[1] ?? 0)
}

/** `rejected_calls` of a command (6.2 and newer): calls that were refused before they were executed. */
export function refusedOf({ fields }: Info, command: string): number {
  return Number(/(?:^|,)rejected_calls=(\d+)/.exec(fields.get(`cmdstat_${command}`) ?? '')?.[1] ?? 0)
}

/** The same of all commands. */
export function refusedInAll(info: Info): number {
  let sum = 0
  for (const command of info.commands.keys()) sum += refusedOf(info, command)
  return sum
}
