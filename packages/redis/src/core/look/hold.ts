/** Commands that make a server leave a connection alone for a while, so that it does what follows later, by itself. */
import { readInfos } from '../read/info.ts'

/** The command that holds for so many milliseconds. */
export type Hold = (milliseconds: number) => readonly string[]

/** Nobody has so many replicas. */
const REPLICAS = '1000000'

/**
 * Null: there is none. Before 6.0 the time of a command that waits was looked at once a second only. A replica may not
 * WAIT, but wait for a stream that is not there (both redis 7.0.15, replication.c and t_stream.c).
 */
export function holdOf(infoText: string): Hold | null {
  const info = readInfos(infoText)[0]
  const major = Number(/^\d+/.exec(info?.fields.get('redis_version') ?? '')?.[0] ?? 0)
  if (info === undefined || major < 6) return null
  return info.fields.get('role') === 'master'
    ? (milliseconds) => ['WAIT', REPLICAS, `${milliseconds}`]
    : (milliseconds) => ['XREAD', 'BLOCK', `${milliseconds}`, 'STREAMS', 'fettle:none', '$']
}
