/** `fettle redis change`: puts right what can be put right without harm, and back again. */
import {
  type ChangeOptions,
  type Command,
  changeFlags,
  changing,
  EXIT,
  type Flag,
  type Given,
  type Io,
  type Outcome,
  readChangeOptions,
  type Status,
} from '@fettle/check'
import { addressArgument, doorFlags, lookThrough, readSeconds, readTarget } from './check.ts'
import type { Address } from './core/address.ts'
import { faultOf } from './core/change/changeable.ts'
import { isWishing, type Wishes } from './core/change/plan.ts'
import { protectionText } from './core/change/protect.ts'
import { Door, type Keys } from './door.ts'
import { RedisHand } from './hand.ts'

export interface RedisChangeOptions extends ChangeOptions {
  readonly address: Address
  readonly keys: Keys
  readonly wishes: Wishes
  /** How long to look, before and after. */
  readonly seconds: number
  /** Text that protects it is asked for, and nothing else. */
  readonly protect: boolean
}

const FLAGS: readonly Flag[] = [
  { name: 'set', value: 'name=value', many: true, says: 'this setting, instead of what is advisable' },
  { name: 'kill', value: 'client', many: true, says: 'end the connection with this address or id' },
  { name: 'slowlog-reset', says: 'empty the slow log' },
  { name: 'persist', says: 'CONFIG REWRITE: a restart forgets it otherwise' },
  { name: 'protect', says: 'only print what protects it, for its files' },
  { name: 'for', value: 'seconds', says: 'how long to look, before and after (5)' },
  ...doorFlags,
  ...changeFlags,
]

const SECONDS = 5

const about: Omit<Command<RedisChangeOptions>, 'run'> = {
  name: 'redis change',
  summary: 'put right what redis check finds, as far as it is safe; without --apply only shown',
  arguments: [addressArgument],
  flags: FLAGS,
  examples: [
    'fettle redis change 127.0.0.1',
    'fettle redis change 127.0.0.1 --set timeout=0 --apply',
    'fettle redis change 127.0.0.1 --undo --apply',
    'fettle redis change 127.0.0.1 --protect',
  ],
  read: readRedisChange,
}

const change = changing<RedisChangeOptions>(about, {
  target: ({ address }) => address.name,
  open(options, io) {
    const { address, keys, wishes, seconds, persist, data = io.data } = options
    const door = new Door(address, keys, io)
    // What was asked for needs no more than to know who is there.
    const look = () => lookThrough(door, data, isWishing(wishes) ? 0 : seconds, io)
    return RedisHand.open(door, { wishes, persist, look })
  },
})

export const redisChange: Command<RedisChangeOptions> = {
  ...change,
  run: (options, io) => (options.protect ? protect(options, io) : change.run(options, io)),
}

async function protect({ address, keys, data }: RedisChangeOptions, io: Io): Promise<Status> {
  const { infos, settings } = await lookThrough(new Door(address, keys, io), data ?? io.data, 0, io)
  await io.write(protectionText(infos.at(-1), settings))
  return EXIT.nothing
}

function readRedisChange(given: Given): Outcome<RedisChangeOptions> {
  const { flags } = given
  const [target, seconds] = [readTarget(given), readSeconds(given, SECONDS)]
  const set = listOf(flags.set).map(readPair)
  const wishes: Wishes = { set, kill: listOf(flags.kill), slowlogReset: flags['slowlog-reset'] === true }
  const options = { ...readChangeOptions(given), wishes, protect: flags.protect === true }
  const faults = [...[target, seconds].flatMap((one) => (one.ok ? [] : one.faults)), ...faultsOf(options)]
  if (!target.ok || !seconds.ok || faults.length > 0) return { ok: false, faults }
  const { address, keys } = target.value
  return { ok: true, value: { ...options, address, keys, seconds: seconds.value } }
}

const listOf = (value: Given['flags'][string] | undefined) => (Array.isArray(value) ? (value as string[]) : [])

function readPair(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text.toLowerCase(), ''] : [text.slice(0, equals).toLowerCase(), text.slice(equals + 1)]
}

function faultsOf({
  wishes,
  undo,
  protect,
  apply,
  json,
}: Omit<RedisChangeOptions, 'address' | 'keys' | 'seconds'>): string[] {
  const names = wishes.set.map(([name]) => name)
  const isAsking = isWishing(wishes)
  return [
    ...wishes.set.flatMap(([name, value]) => faultOf(name, value) ?? []).map((fault) => `--set: ${fault}`),
    ...(new Set(names).size === names.length ? [] : ['--set: give each setting once']),
    ...(undo !== null && isAsking
      ? ['--undo puts back what a journal holds: leave --set, --kill, --slowlog-reset out']
      : []),
    ...(protect && (isAsking || apply || undo !== null || json)
      ? ['--protect only prints text: leave --set, --kill, --slowlog-reset, --apply, --undo, --json out']
      : []),
  ]
}
