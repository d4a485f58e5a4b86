/** What to do about commands that take long. */

const SCRIPT = 'bound what one call looks at, or do the work in the client: a script runs alone'

/** Commands whose cost grows with what they look at, and what to do instead. */
const REMEDIES = new Map(
  Object.entries({
    keys: 'keep an index of the names in a set of their own, and read that',
    smembers: 'ask for what is needed (SISMEMBER, SRANDMEMBER), or read it in parts by SSCAN',
    hgetall: 'ask for the fields that are needed (HMGET), or split the hash',
    lrange: 'read a part of the list, not all of it (LRANGE 0 99)',
    zrange: 'read a part of it (ZRANGE ... LIMIT)',
    sort: 'keep a sorted set instead of sorting each time',
    sunion: 'keep the union as a set of its own',
    sinter: 'keep the intersection as a set of its own',
    zrevrange: 'read a part of it (ZREVRANGE 0 99)',
    hkeys: 'ask for the fields that are needed (HMGET), or read it in parts by HSCAN',
    hvals: 'ask for the fields that are needed (HMGET), or read it in parts by HSCAN',
    eval: SCRIPT,
    evalsha: SCRIPT,
    fcall: SCRIPT,
    del: 'UNLINK frees a big value beside the other work',
    flushall: 'FLUSHALL ASYNC',
    flushdb: 'FLUSHDB ASYNC',
  }),
)
const SCAN_TRAP =
  'SCAN instead of KEYS ends the blocking and multiplies the CPU (measured: 129 ms became 690 to 2090 ms): ' +
  'it is no cure for CPU'

export function remediesOf(command: string): string[] {
  const remedy = REMEDIES.get(command)
  return [...(remedy === undefined ? [] : [remedy]), ...(command === 'keys' ? [SCAN_TRAP] : [])]
}
