/** What receiving and answering costs, beside executing: the part that no list of slow commands shows. */
import { type Finding, type Quantity, quantityText } from '@fettle/report'
import type { Facts } from '../facts.ts'
import type { Load } from '../load.ts'
import { largestDatabase, numberOf } from '../read/info.ts'

/** Fewer commands a second than this are no load. */
const BUSY = 5000
/** Where the kernel's side takes more than this many times the server's own CPU, a command is mostly a request. */
const MOSTLY_KERNEL = 3
const SMALL_BYTES = 200
/** Commands in a batch below which nothing is pipelined to speak of. */
const BATCHED = 2
/** A connection that is opened reads without a command, so that even single ones are not exactly one. */
const BATCHED_HARDLY = 1.1
/**
 * CPU of KEYS for each key that it looks at: 129 ms for a million (Redis 7.0.15). Its reply holds what it finds; all of
 * it is user time.
 */
const KEYS_SECONDS_EACH = 129e-9

const text = (value: number, unit: Quantity['unit']) => quantityText({ value, unit })

export function findRequests(facts: Facts, load: Load): Finding[] {
  return [tinyRequests(facts, load), noKeys(facts, load), churn(load)].filter((one) => one !== undefined)
}

interface PerCommand {
  readonly kernel: number
  readonly user: number
  readonly bytesIn: number
  readonly bytesOut: number
}

function perCommand({ commands, kernelSeconds, userSeconds, bytesIn, bytesOut }: Load): PerCommand | undefined {
  if (commands === 0 || kernelSeconds === null || userSeconds === null || bytesIn === null || bytesOut === null) {
    return undefined
  }
  return {
    kernel: kernelSeconds / commands,
    user: userSeconds / commands,
    bytesIn: bytesIn / commands,
    bytesOut: bytesOut / commands,
  }
}

/** Very many requests, each of them next to nothing: what is paid for is that they come one by one. */
function tinyRequests({ infos }: Facts, load: Load): Finding | undefined {
  const each = perCommand(load)
  const rate = load.over === 'window' && load.seconds ? load.commands / load.seconds : nowOf(infos.at(-1)!)
  const others = 1 - (load.byCommand.get('scan')?.calls ?? 0) / load.commands
  // SCAN in a row has a finding of its own, and another cure.
  if (each === undefined || rate === undefined || rate * others < BUSY) return undefined
  const batch = load.reads === null ? undefined : load.commands / load.reads
  const isMostlyKernel = each.kernel > MOSTLY_KERNEL * each.user
  const isSmall = each.bytesIn < SMALL_BYTES && each.bytesOut < SMALL_BYTES
  if (!isSmall || !(batch === undefined ? isMostlyKernel : batch < BATCHED)) return undefined
  const cpu = each.kernel + each.user
  const alone = batch === undefined ? 'It looks as if they come one by one' : 'They come one by one'
  const came = batch === undefined || batch < BATCHED_HARDLY ? alone : `${text(batch, '1')} come in a batch`
  return {
    code: 'redis.tiny-requests',
    severity: 'fault',
    subject: '',
    says:
      `Very many very small requests: ${text(rate, '/s')}, ${text(each.bytesIn, 'B')} in and ` +
      `${text(each.bytesOut, 'B')} out each, ${text(cpu, 's')} of CPU each.`,
    cause:
      `${came}: the kernel's side takes ${text(each.kernel / each.user, '1')} times the CPU of Redis itself, ` +
      'a read and a write for each command. That is the price of requests, not of what they ask.',
    confidence: batch === undefined ? 'likely' : 'measured',
    quantities: {
      rate: { value: rate, unit: '/s' },
      cpuPerCommand: { value: cpu, unit: 's' },
      cpuNow: { value: rate * cpu, unit: 'share' },
    },
    evidence: [
      { source: 'INFO', text: `used_cpu_sys by total_commands_processed: ${text(each.kernel, 's')}` },
      { source: 'INFO', text: `used_cpu_user by total_commands_processed: ${text(each.user, 's')}` },
      { source: 'INFO', text: `at ${text(rate, '/s')} that is ${text(rate * cpu, 'share')} of a core` },
    ],
    remedy: [
      'send several commands at once (pipelining), or use those that take many keys (MGET, MSET, HMGET)',
      'find who sends them: CLIENT LIST shows each connection and its last command',
      'what it is worth, measured on Redis 7.0: a GET took 9.4 us of CPU alone, and 1.4 us sixteen at a time',
    ],
  }
}

const nowOf = (info: Facts['infos'][number]) => numberOf(info, 'instantaneous_ops_per_sec')

/** People suspect KEYS first: whether anything points there is worth a sentence, with how much there can be at most. */
function noKeys({ infos, slow }: Facts, load: Load): Finding | undefined {
  const each = perCommand(load)
  const { name, keys } = largestDatabase(infos.at(-1)!) ?? { name: '', keys: 0 }
  const isTold = load.byCommand.size > 0 || slow.length > 0
  if (isTold || each === undefined || keys === 0) return undefined
  const one = keys * KEYS_SECONDS_EACH
  const most = each.user / one
  if (most > 0.01) return undefined
  return {
    code: 'redis.no-sign-of-keys',
    severity: 'note',
    subject: '',
    says: 'Nothing in these numbers points to KEYS.',
    cause:
      'KEYS works in user mode, and answers with what it finds. ' +
      `Here a command takes ${text(each.user, 's')} of that and answers with ${text(each.bytesOut, 'B')}. ` +
      `Over the ${text(keys, '1')} keys of ${name} one KEYS takes about ${text(one, 's')}: ` +
      `were all user time of it, at most ${text(most, 'share')} of the commands could be.`,
    confidence: 'likely',
    quantities: { keysAtMost: { value: most, unit: 'share' } },
    evidence: [
      { source: 'INFO', text: `used_cpu_user ${load.userSeconds} s, total_commands_processed ${load.commands}` },
    ],
    remedy: ['INFO commandstats counts every command; SLOWLOG GET names who sent a slow one'],
  }
}

const CHURN = 20

/** So many connections in all, or, in a window, so many a second, are no chance. */
const MANY = 1000
const MANY_A_SECOND = 20

function churn({ over, seconds, commands, connections }: Load): Finding | undefined {
  if (!connections || commands / connections >= CHURN) return undefined
  if (connections < (over === 'window' && seconds ? MANY_A_SECOND * seconds : MANY)) return undefined
  const each = commands / connections
  return {
    code: 'redis.connection-churn',
    severity: 'warning',
    subject: '',
    says: `A connection is used for ${text(each, '1')} commands and then thrown away.`,
    cause: 'Opening one costs more than the commands that follow: TCP, often AUTH and SELECT.',
    confidence: 'measured',
    quantities: { commandsPerConnection: { value: each, unit: '1' } },
    evidence: [
      { source: 'INFO', text: `total_connections_received ${connections}, total_commands_processed ${commands}` },
    ],
    remedy: ['keep connections open (PHP: pconnect, or a proxy beside the pool)'],
  }
}
