/** A Redis under a load, looked at by fettle, and beside it by redis-cli: what is there whether fettle sees it or not. */
import { join } from 'node:path'
import type { Finding, Report } from '@fettle/report'
import { fettle } from '../fettle.ts'
import { exitOf, Ground, until } from '../harness.ts'
import { ask, type Redis, startRedis } from '../redis.ts'
import { type Count, type Load, startLoad } from './load.ts'

/** How a Redis is set and what is asked of it. */
export interface Patient {
  readonly name: string
  /** Arguments of redis-server. */
  readonly settings?: readonly string[]
  readonly load: Load
  /** In a network of its own, where it may listen to everybody. */
  readonly isAlone?: true
  /** Its load takes so much CPU that it does not come about beside others. */
  readonly isHungry?: true
  /** What happens while fettle looks. */
  readonly meanwhile?: (ground: Ground, redis: Redis) => Promise<unknown>
}

/** What redis-cli tells, before and after fettle has looked. */
export interface Vitals {
  /** A field of INFO at the end, and by how much it has grown. */
  field(name: string): number
  grown(name: string): number
  callsOf(command: string): number
  /** Of one call, on average. */
  secondsOf(command: string): number
  /** Lines of CLIENT LIST at the end. */
  readonly clients: readonly string[]
  /** How long that was. */
  readonly seconds: number
}

export interface Looked {
  readonly report: Report
  readonly status: number | string
  readonly vitals: Vitals
  /** What was answered to each client meanwhile. */
  readonly truth: readonly Count[]
  /** Settings, connections and keys before and after, where they should be the same. */
  readonly left: { readonly before: readonly string[]; readonly after: readonly string[] }
}

interface Ending {
  after(hook: () => Promise<void>): void
}

const SECONDS = 4

/** Starts it, lets fettle look at it, and stops it. */
export async function lookAt(test: Ending, { settings = [], load, isAlone, meanwhile }: Patient): Promise<Looked> {
  const ground = new Ground(test)
  if (isAlone) await ground.enterNarrowNetwork(2 ** 16)
  const redis = await startRedis(ground, ...settings)
  const before = await settingsOf(redis, ground)
  // The thread of a load is not in that network.
  const running = isAlone ? undefined : await startLoad(test, redis, load)
  const first = await infoOf(redis, ground)
  await running?.mark()
  const data = join(ground.folder, 'data')
  const url = `redis://${redis.host}:${redis.port}`
  const check = fettle(ground, 'redis', 'check', url, '--for', `${SECONDS}`, '--sample', '--json', '--data', data)
  if (meanwhile !== undefined) {
    const isThere = async () =>
      (await ask(redis, ground, 'client', 'list')).some((line) => line.includes(' name=fettle-'))
    await until('fettle looking', isThere)
    await meanwhile(ground, redis)
  }
  const status = await exitOf(check, 60)
  const truth = (await running?.truth()) ?? []
  const last = await infoOf(redis, ground)
  const clients = await ask(redis, ground, 'client', 'list')
  if (check.complaints !== '') throw new Error(check.complaints)
  await running?.stop()
  const after = await settingsOf(redis, ground)
  const report = JSON.parse(check.output) as Report
  return { report, status, vitals: vitalsOf(first, last, clients), truth, left: { before, after } }
}

/** Settings, names of connections, and keys that are the tool's. */
async function settingsOf(redis: Redis, ground: Ground): Promise<string[]> {
  const [names, keys] = [() => ask(redis, ground, 'client', 'list'), () => ask(redis, ground, 'keys', '*fettle*')]
  // The server closes a connection a moment after the other side has.
  await until('nobody else', async () => (await names()).length === 1)
  const settings = await ask(redis, ground, 'config', 'get', '*')
  return [...settings, ...(await keys())].sort()
}

type Info = ReadonlyMap<string, string>

async function infoOf(redis: Redis, ground: Ground): Promise<Info> {
  const lines = await ask(redis, ground, 'info', 'all')
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at), line.slice(at + 1).trim()] as const
    }),
  )
}

function vitalsOf(first: Info, last: Info, clients: readonly string[]): Vitals {
  const number = (info: Info, name: string) => Number(info.get(name)?.replace('count=', '') ?? 0)
  const stat = (info: Info, command: string, name: string) =>
    Number(new RegExp(`\\b${name}=(\\d+)`).exec(info.get(`cmdstat_${command}`) ?? '')?.[1] ?? 0)
  const grown = (command: string, name: string) => stat(last, command, name) - stat(first, command, name)
  return {
    clients,
    seconds: (number(last, 'server_time_usec') - number(first, 'server_time_usec')) / 1e6,
    field: (name) => number(last, name),
    grown: (name) => number(last, name) - number(first, name),
    callsOf: (command) => grown(command, 'calls'),
    secondsOf: (command) => grown(command, 'usec') / 1e6 / grown(command, 'calls'),
  }
}

/** For a failing test: everything that was found, in a line each. */
export const told = ({ findings }: Report): string[] =>
  findings.map((one) => `${one.severity} ${one.code} ${one.subject} ${who(one)}`)

/** Whom a finding names. */
export const who = ({ subject, evidence }: Finding): string => [subject, ...evidence.map(({ text }) => text)].join('; ')
