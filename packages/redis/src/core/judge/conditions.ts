/** Conditions of the server that cost something, or will. */
import { type Finding, quantityText } from '@fettle/report'
import { type Info, numberOf } from '../read/info.ts'

type Rule = (info: Info) => Finding | undefined

/** One that is told by a field of INFO alone. */
function told(
  code: Finding['code'],
  severity: Finding['severity'],
  field: string,
  isBad: (value: number, info: Info) => boolean,
  says: (value: number) => string,
  remedy: readonly string[],
): Rule {
  return (info) => {
    const value = numberOf(info, field)
    if (value === undefined || !isBad(value, info)) return undefined
    const evidence = [{ source: 'INFO', text: `${field}:${info.fields.get(field)}` }]
    return { code, severity, subject: '', says: says(value), confidence: 'measured', quantities: {}, evidence, remedy }
  }
}

/** Something that INFO says has failed when it was tried last. */
function failed(code: Finding['code'], field: string, says: string, remedy: readonly string[]): Rule {
  return ({ fields }) => {
    if (fields.get(field) !== 'err') return undefined
    const evidence = [{ source: 'INFO', text: `${field}:err` }]
    return { code, severity: 'fault', subject: '', says, confidence: 'measured', quantities: {}, evidence, remedy }
  }
}

const FORK_USEC = 100_000
const FRAGMENTED = 1.5
const SWAPPED = 0.9
const LARGE_BYTES = 100e6

const isLarge = (info: Info) => (numberOf(info, 'used_memory') ?? 0) > LARGE_BYTES

const LOOK_AT_LOG = 'its log says why; most often the disk is full, or the folder is not writable'

const rules: readonly Rule[] = [
  failed(
    'redis.save-failing',
    'rdb_last_bgsave_status',
    'The last save to disk failed; unless stop-writes-on-bgsave-error is off, every command that writes is refused.',
    [LOOK_AT_LOG],
  ),
  failed('redis.append-failing', 'aof_last_write_status', 'The last write to the append-only file failed.', [
    LOOK_AT_LOG,
  ]),
  failed(
    'redis.rewrite-failing',
    'aof_last_bgrewrite_status',
    'The append-only file could not be rewritten, and grows.',
    [LOOK_AT_LOG],
  ),
  told(
    'redis.slow-fork',
    'warning',
    'latest_fork_usec',
    (usec) => usec > FORK_USEC,
    (usec) => `Each save to disk stops everything for ${quantityText({ value: usec / 1e6, unit: 's' })}.`,
    ['turn transparent huge pages off on this machine', 'save less often, or on a replica'],
  ),
  told(
    'redis.fragmented',
    'warning',
    'mem_fragmentation_ratio',
    (ratio, info) => ratio > FRAGMENTED && isLarge(info),
    (ratio) => `It takes ${quantityText({ value: ratio, unit: '1' })} times the memory that its data needs.`,
    ['CONFIG SET activedefrag yes (4.0 and newer, with jemalloc), or restart it when that is convenient'],
  ),
  told(
    'redis.swapped',
    'fault',
    'mem_fragmentation_ratio',
    (ratio, info) => ratio < SWAPPED && isLarge(info),
    () => 'Part of its memory is in swap: each touch of it waits for a disk.',
    ['give the machine memory, or Redis less of it (maxmemory)'],
  ),
]

export function findConditions(info: Info): Finding[] {
  return rules.map((rule) => rule(info)).filter((one) => one !== undefined)
}
