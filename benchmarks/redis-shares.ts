/**
 * How true is what is said of who burns a Redis' CPU? Three mixed loads that count their own calls, looked at in turn
 * by `fettle redis check --sample`, by counting what MONITOR tells for as long, by the method of redis-faina (the time
 * from a line of MONITOR to the next is charged to it), by the slow log as it is set by default, and by
 * `redis-cli --hotkeys`.
 *
 * Truth of calls: each command's from INFO, divided as the load itself has counted. Truth of the time spent on
 * executing: each command's from INFO, divided by calls times what a call of this kind takes, from a slow log of
 * everything right before, without calls that another program on the machine has interrupted.
 */
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Quantity, Report } from '@fettle/report'
import { fettle } from '../test/real/fettle.ts'
import { exitOf, find, Ground, until } from '../test/real/harness.ts'
import { type Count, type Load, type RunningLoad, startLoad } from '../test/real/redis/load.ts'
import { ask, type Redis, startRedis } from '../test/real/redis.ts'
import { spread } from './process.ts'
import { mixes } from './redis-mix.ts'

const rounds = Number(process.argv[2] ?? 5)
const SECONDS = 10
/** A call that takes longer was interrupted. */
const INTERRUPTED_USEC = 2000

const patternOf = (key: string) => key.replaceAll(/\d+/g, '*').replaceAll(/\*+/g, '*')

interface Stats {
  readonly calls: number
  readonly usec: number
}

async function statsOf(redis: Redis, ground: Ground): Promise<Map<string, Stats>> {
  const text = (await ask(redis, ground, 'info', 'commandstats')).join('\n')
  const lines = text.matchAll(/^cmdstat_(.+?):calls=(\d+),usec=(\d+)/gm)
  return new Map(Array.from(lines, ([, name, calls, usec]) => [name!, { calls: Number(calls), usec: Number(usec) }]))
}

/** By how much they have grown. */
function between(before: ReadonlyMap<string, Stats>, after: ReadonlyMap<string, Stats>): Map<string, Stats> {
  return new Map(
    Array.from(after, ([name, { calls, usec }]) => {
      const was = before.get(name) ?? { calls: 0, usec: 0 }
      return [name, { calls: calls - was.calls, usec: usec - was.usec }]
    }),
  )
}

/** Which part of the script's time is not that of its commands. */
function ownPart(each: ReadonlyMap<string, number>): number {
  const [all, ...inner] = ['eval limit:*', 'incr limit:*', 'expire limit:*'].map((name) => each.get(name) ?? Number.NaN)
  return 1 - inner.reduce((sum, usec) => sum + usec, 0) / all!
}

/** A share of calls and of time for each command, kind of key and client. */
type Shares = Map<string, { readonly calls: number; readonly executing: number }>

const nameOf = (command: string, keys: string, client: string) => `${command} ${patternOf(keys)} ${client}`

/** What a script calls is called by its caller as often. */
const withInner = (counts: readonly Count[]): Count[] =>
  counts.flatMap((one) =>
    one.command === 'eval' ? [one, { ...one, command: 'incr' }, { ...one, command: 'expire' }] : [one],
  )

function truthOf(
  counted: readonly Count[],
  stats: ReadonlyMap<string, Stats>,
  each: ReadonlyMap<string, number>,
): Shares {
  const counts = withInner(counted)
  const own = (command: string) => (command === 'eval' ? ownPart(each) : command === 'exec' ? 0 : 1)
  const grown = (name: string): Stats => {
    const { calls, usec } = stats.get(name) ?? { calls: 0, usec: 0 }
    return { calls, usec: own(name) * usec }
  }
  const commands = [...new Set(counts.map(({ command }) => command))]
  const calls = commands.reduce((sum, name) => sum + grown(name).calls, 0)
  const usec = commands.reduce((sum, name) => sum + grown(name).usec, 0)
  const cost = ({ command, keys }: Count) => each.get(`${command} ${patternOf(keys)}`) ?? Number.NaN
  const shares: Shares = new Map()
  for (const one of counts) {
    const same = counts.filter(({ command }) => command === one.command)
    const part = one.calls / same.reduce((sum, other) => sum + other.calls, 0)
    const time =
      same.length === 1 ? 1 : (one.calls * cost(one)) / same.reduce((sum, other) => sum + other.calls * cost(other), 0)
    shares.set(nameOf(one.command, one.keys, one.client), {
      calls: (part * grown(one.command).calls) / calls,
      executing: (time * grown(one.command).usec) / usec,
    })
  }
  return shares
}

/** Microseconds of a call of each kind. */
async function costs(redis: Redis, ground: Ground): Promise<Map<string, number>> {
  const set = (name: string, value: number) => ask(redis, ground, 'config', 'set', name, `${value}`)
  await set('slowlog-max-len', 200_000)
  await set('slowlog-log-slower-than', 0)
  await wait(4000)
  await set('slowlog-log-slower-than', 10_000)
  const text = (await ask(redis, ground, '--json', 'slowlog', 'get', '200000')).join('\n')
  const sums = new Map<string, { usec: number; calls: number }>()
  for (const [, , usec, words] of JSON.parse(text) as [number, number, number, string[]][]) {
    if (usec > INTERRUPTED_USEC) continue
    const command = words[0]!.toLowerCase()
    const name = `${command} ${patternOf((command === 'eval' ? words[3] : words[1]) ?? '')}`
    const sum = sums.get(name) ?? { usec: 0, calls: 0 }
    sums.set(name, { usec: sum.usec + usec, calls: sum.calls + 1 })
  }
  await ask(redis, ground, 'slowlog', 'reset')
  await set('slowlog-max-len', 128)
  return new Map(Array.from(sums, ([name, { usec, calls }]) => [name, usec / calls]))
}

/** What a peer says; NaN: it says nothing of that. */
type Peer = (redis: Redis, ground: Ground) => Promise<Shares>

interface Line {
  readonly at: number
  readonly command: string
  readonly keys: string
  readonly address: string
}

async function monitored(redis: Redis, ground: Ground): Promise<{ lines: Line[]; names: Map<string, string> }> {
  const list = await ask(redis, ground, 'client', 'list')
  const names = new Map(list.map((line) => [/ addr=(\S+)/.exec(line)![1]!, / name=(\S*)/.exec(line)![1]!]))
  const file = join(ground.folder, 'monitor.txt')
  const words = `exec ${find('redis-cli')} -h ${redis.host} -p ${redis.port} monitor > ${file}`
  const running = ground.start('/bin/sh', ['-c', words])
  await wait(SECONDS * 1000)
  running.kill('SIGKILL')
  await running.ended
  const { readFileSync } = await import('node:fs')
  const lines = Array.from(
    readFileSync(file, 'latin1').matchAll(/^(\d+\.\d+) \[\d+ (\S+)\] "([^"]*)"(?: "([^"]*)")?/gm),
    ([, at, address, command, keys]) => ({
      at: Number(at),
      command: command!.toLowerCase(),
      keys: command!.toLowerCase() === 'eval' ? 'limit:*' : (keys ?? ''),
      address: address!,
    }),
  )
  return { lines, names }
}

function sharesOf(rows: readonly { name: string; calls: number; usec: number }[]): Shares {
  const sum = (of: 'calls' | 'usec') => rows.reduce((all, one) => all + one[of], 0)
  const [calls, usec] = [sum('calls'), sum('usec')]
  const shares: Shares = new Map()
  for (const { name, calls: own, usec: time } of rows) {
    const was = shares.get(name) ?? { calls: 0, executing: 0 }
    shares.set(name, { calls: was.calls + own / calls, executing: was.executing + time / usec })
  }
  return shares
}

const peers: Readonly<Record<string, Peer>> = {
  'counting MONITOR': async (redis, ground) => {
    const { lines, names } = await monitored(redis, ground)
    let caller = ''
    return sharesOf(
      lines.map(({ command, keys, address }) => {
        if (address !== 'lua') caller = names.get(address) ?? ''
        return {
          name: nameOf(command, command === 'multi' || command === 'exec' ? '' : keys, caller),
          calls: 1,
          usec: Number.NaN,
        }
      }),
    )
  },
  'redis-faina’s method': async (redis, ground) => {
    const { lines, names } = await monitored(redis, ground)
    // It drops what scripts call, and knows no clients: here it gets them for nothing.
    const told = lines.filter(({ address }) => address !== 'lua')
    return sharesOf(
      told.slice(0, -1).map(({ command, keys, address, at }, i) => ({
        name: nameOf(command, keys, names.get(address) ?? ''),
        calls: Number.NaN,
        usec: told[i + 1]!.at - at,
      })),
    )
  },
  'the slow log': async (redis, ground) => {
    await ask(redis, ground, 'slowlog', 'reset')
    await wait(SECONDS * 1000)
    const text = (await ask(redis, ground, '--json', 'slowlog', 'get', '128')).join('\n')
    const entries = JSON.parse(text) as [number, number, number, string[], string, string][]
    return sharesOf(
      entries.map(([, , usec, words, , client]) => ({
        name: nameOf(words[0]!.toLowerCase(), words[1] ?? '', client),
        calls: Number.NaN,
        usec,
      })),
    )
  },
}

interface Score {
  readonly held: { calls: number; executing: number }
  readonly told: { calls: number; executing: number }
  /** In points of a hundred, for each row. */
  readonly off: { calls: number[]; executing: number[] }
}
const scores = new Map<string, Score>()
const scoreOf = (name: string): Score => {
  const score = scores.get(name) ?? {
    held: { calls: 0, executing: 0 },
    told: { calls: 0, executing: 0 },
    off: { calls: [], executing: [] },
  }
  scores.set(name, score)
  return score
}

/** Rows that take less than this of anything are nobody's question. */
const SHARE_MIN = 0.005

type Ends = ReadonlyMap<string, { readonly executing: Quantity; readonly calls: Quantity }>

function compare(score: Score, truth: Shares, told: Shares, ends?: Ends): void {
  for (const [name, row] of truth) {
    for (const what of ['executing', 'calls'] as const) {
      const value = told.get(name)?.[what] ?? 0
      if (!(row[what] >= SHARE_MIN) || Number.isNaN(value)) continue
      score.off[what].push(Math.abs(value - row[what]) * 100)
      if (ends === undefined) continue
      score.told[what]++
      const end = ends.get(name)?.[what]
      if (holds(end, row[what])) score.held[what]++
      else process.stderr.write(`${name}: ${what} ${row[what]} is not in ${JSON.stringify(end)}\n`)
    }
  }
}

/** The load's moments of starting and stopping to count are not quite those of the look. */
const SLACK = 0.005

function holds(told: Quantity | undefined, truth: number): boolean {
  if (told === undefined) return false
  const { value, low = value, high = value } = told
  return low - SLACK * truth <= truth && truth <= high + SLACK * truth
}

async function look(redis: Redis, ground: Ground, load: RunningLoad, each: ReadonlyMap<string, number>, name: string) {
  const words = ['redis', 'check', `redis://${redis.host}:${redis.port}`, '--sample', '--json', '--for', `${SECONDS}`]
  const running = fettle(ground, ...words, '--data', join(ground.folder, 'data'))
  const isThere = async () => (await ask(redis, ground, 'client', 'list')).some((line) => / name=fettle-/.test(line))
  await until('fettle looking', isThere)
  await load.mark()
  await exitOf(running, 60)
  const counted = await load.truth()
  const report = JSON.parse(running.output) as Report
  // That of the same moments: what INFO counts is no estimate.
  const stats = new Map(
    report.tables
      .find((one) => one.name === 'commands')!
      .rows.map(([command, calls, seconds]) => [
        String(command),
        { calls: (calls as Quantity).value, usec: (seconds as Quantity).value * 1e6 },
      ]),
  )
  const truth = truthOf(counted, stats, each)
  const rows = report.tables.find((one) => one.name === 'use')!.rows
  const ends = new Map(
    rows.map(([command, keys, client, executing, calls]) => [
      nameOf(String(command), String(keys), String(client)),
      { executing: executing as Quantity, calls: calls as Quantity },
    ]),
  )
  const told: Shares = new Map(
    Array.from(ends, ([row, { executing, calls }]) => [row, { executing: executing.value, calls: calls.value }]),
  )
  compare(scoreOf('fettle redis check'), truth, told, ends)
  compare(scoreOf(`fettle redis check, ${name}`), truth, told, ends)
}

for (let round = 0; round < rounds; round++) {
  for (const [name, mix] of Object.entries(mixes)) await measure(name, mix)
  process.stderr.write(`round ${round + 1} of ${rounds}\n`)
}

async function measure(name: string, mix: Load): Promise<void> {
  const endings: (() => Promise<void>)[] = []
  const ending = { after: (hook: () => Promise<void>) => endings.push(hook) }
  const ground = new Ground(ending)
  const redis = await startRedis(ground)
  const load = await startLoad(ending, redis, mix)
  try {
    const each = await costs(redis, ground)
    await look(redis, ground, load, each, name)
    for (const [peer, tell] of Object.entries(peers)) {
      await load.mark()
      const before = await statsOf(redis, ground)
      const told = await tell(redis, ground)
      const stats = between(before, await statsOf(redis, ground))
      compare(scoreOf(peer), truthOf(await load.truth(), stats, each), told)
    }
    if (name === 'web' && !scores.has('hot keys')) {
      const hot = ground.start(find('redis-cli'), ['-h', redis.host, '-p', `${redis.port}`, '--hotkeys'])
      await exitOf(hot)
      scores.set('hot keys', scoreOf('hot keys'))
      process.stdout.write(
        `redis-cli --hotkeys: ${hot.output.split('\n').find((line) => /ERR|Error/.test(line)) ?? hot.output}\n`,
      )
    }
  } finally {
    for (const end of endings.toReversed()) await end()
  }
}

const offText = (values: readonly number[]) => {
  if (values.length === 0) return 'says nothing'
  const { median, most } = spread(values)
  return `${median.toFixed(2)} points off, ${most.toFixed(1)} at most`
}
for (const [name, { held, told, off }] of scores) {
  if (name === 'hot keys') continue
  const hold = (of: 'calls' | 'executing') => (told[of] === 0 ? '' : `, ${held[of]} of ${told[of]} intervals held it`)
  process.stdout.write(`${name}\n  calls: ${offText(off.calls)}${hold('calls')}\n`)
  process.stdout.write(`  executing: ${offText(off.executing)}${hold('executing')}\n`)
}
