/** Flags + environment + file -> one frozen value, or all faults at once, before anything is touched. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { defaultData } from '@fettle/check'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Address, readAddress } from './address.ts'
import { DEFAULT_TEMPLATE, readTemplate, type Template } from './core/session.ts'
import { STDIN } from './ingest/log-source.ts'
import { type RedisTarget, readRedisUrl } from './ingest/redis-url.ts'
import { type GivenMapping, mappingSchema, readMapping, type SinkOptions } from './sink/mapping.ts'
import { readSinkUrl } from './sink/url.ts'

/** What `fettle relay serve` needs to know. */
export interface ServeOptions {
  /** The data folder. */
  readonly data: string
  /** Where coturn connects; null: nowhere. */
  readonly resp: Address | null
  /** A Redis to hear coturns from. */
  readonly redis: RedisTarget | null
  /** A log of coturn's to follow, absolute; `-`: what is piped in. */
  readonly log: string | null
  /** Where the API and the page are served; null: nowhere. */
  readonly http: Address | null
  /** A Redis that gets every command as well. */
  readonly forward: RedisTarget | null
  readonly template: Template
  readonly lingerMs: number
  /** A table that gets a row for each finished session. */
  readonly sink: SinkOptions | null
}

/** Values as they were given, by flag name; undefined: not given. */
export type Given = Readonly<Record<string, string | undefined>>

/** A value or everything that is wrong, each in one line: what, where it was given, what to do. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly string[] }

const settings = {
  data: 'FETTLE_DATA',
  resp: 'FETTLE_RESP',
  redis: 'FETTLE_REDIS',
  log: 'FETTLE_LOG',
  http: 'FETTLE_HTTP',
  forward: 'FETTLE_FORWARD',
  sink: 'FETTLE_SINK',
  username: 'FETTLE_USERNAME',
  linger: 'FETTLE_LINGER',
} as const
type Setting = keyof typeof settings

const text = z.union([z.string(), z.number()]).transform(String)
const fileSchema = z.strictObject({
  relay: z
    .strictObject({
      data: text,
      resp: text,
      redis: text,
      log: text,
      http: text,
      forward: text,
      username: text,
      linger: text,
      sink: z.strictObject({ url: text, ...mappingSchema }).partial(),
    })
    .partial()
    // All of it may be commented out.
    .nullish(),
})

type Environment = Readonly<Record<string, string | undefined>>

/** Reads everything `serve` and `sessions` take: `--flag`, then FETTLE_..., then the file, then the default. */
export function readOptions(flags: Given, environment: Environment): Outcome<ServeOptions> {
  const faults: string[] = []
  const file = readFile(flags.config ?? environment.FETTLE_CONFIG, environment, faults)
  const sources: readonly [string, (name: Setting) => string | undefined][] = [
    ['--', (name) => flags[name]],
    ['environment ', (name) => environment[settings[name]]],
    [`${file.path}: relay.`, (name) => file.values[name]],
  ]
  const given = (name: Setting, fallback: string) => {
    for (const [where, read] of sources) {
      const value = read(name)
      if (value !== undefined) return { value, where: where + (where === 'environment ' ? settings[name] : name) }
    }
    return { value: fallback, where: 'default' }
  }
  const fail = (one: { value: string; where: string }, problem: string, shown = JSON.stringify(one.value)) => {
    faults.push(`${one.where} ${shown}: ${problem}`)
  }

  const data = given('data', defaultData(environment))
  if (data.value === '') fail(data, 'is empty; give a folder')
  const heard = readSources(given, fail)
  const http = given('http', '127.0.0.1:7430')
  const page = http.value === 'off' ? null : readAddress(http.value)
  if (page === undefined) fail(http, 'is no HOST:PORT, for instance 127.0.0.1:7430, and not "off"')
  const username = given('username', DEFAULT_TEMPLATE)
  const template = readTemplate(username.value)
  if ('problem' in template) fail(username, `${template.problem}; for instance {expires}:{device}`)
  const linger = given('linger', '30')
  const lingerSeconds = Number(linger.value)
  if (!/^\d+(\.\d+)?$/.test(linger.value) || lingerSeconds > 86_400)
    fail(linger, 'is no number of seconds (0 to 86400)')
  const sink = 'problem' in template ? null : readSink(given('sink', ''), file, template, fail, faults)
  if (faults.length > 0 || heard === undefined || page === undefined || 'problem' in template)
    return { ok: false, faults }
  const value = {
    data: resolve(data.value),
    ...heard,
    http: page,
    template,
    lingerMs: lingerSeconds * 1000,
    sink,
  }
  return { ok: true, value: Object.freeze(value) }
}

interface OneGiven {
  readonly value: string
  readonly where: string
}

type Fail = (one: OneGiven, problem: string, shown?: string) => void
type Sources = Pick<ServeOptions, 'resp' | 'redis' | 'log' | 'forward'>

/** Where coturns are heard, and where it goes on to. Undefined: not at all; every fault is told. */
function readSources(given: (name: Setting, fallback: string) => OneGiven, fail: Fail): Sources | undefined {
  const endpoint = given('resp', '127.0.0.1:7431')
  const resp = endpoint.value === 'off' ? null : readAddress(endpoint.value)
  const heard = given('redis', '')
  const redis = readRedis(heard, fail)
  const log = given('log', '')
  const logProblem = problemOfLog(log.value)
  if (logProblem !== undefined) fail(log, logProblem)
  const passed = given('forward', '')
  const forward = readRedis(passed, fail)
  if (resp === undefined) fail(endpoint, 'is no HOST:PORT, for instance 127.0.0.1:7431 or [::1]:7431, and not "off"')
  if (resp === null && heard.value === '' && log.value === '') {
    fail(endpoint, 'leaves nothing to listen to; give --redis URL or --log FILE as well, or an address')
  } else if (resp === null && passed.value !== '') {
    fail(passed, 'passes on what comes to the endpoint, which is off; leave it out', '(not shown)')
  }
  if (redis !== null && forward?.host === redis.host && forward.port === redis.port) {
    fail(passed, 'is the Redis that --redis hears: all would be counted twice; leave one out', '(not shown)')
  }
  return resp === undefined ? undefined : { resp, redis, log: pathOfLog(log.value), forward }
}

/** Up to now that was the form of what the meter itself tells. */
const FORMS = ['text', 'json']

function problemOfLog(value: string): string | undefined {
  if (FORMS.includes(value))
    return `is the form of the meter's own log: --log-format ${value}; a file of that name is ./${value}`
  if (/[*?]/.test(dirname(value))) return 'has a * or ? in the name of a folder; only the name of the file may have one'
  return value.endsWith('/') ? "is a folder; give coturn's log in it, for instance turn.log" : undefined
}

function pathOfLog(value: string): string | null {
  if (value === '') return null
  return value === STDIN ? STDIN : resolve(value)
}

const readRedis = (given: OneGiven, fail: Fail) => readTarget(given, fail, readRedisUrl, 'redis://127.0.0.1:6379/0')

/** A URL may hold a password: it is never shown, and not taken from the command line, which everybody can read. */
function readTarget<T extends { readonly password: string | null }>(
  given: OneGiven,
  fail: Fail,
  read: (url: string) => T | { readonly problem: string },
  example: string,
): T | null {
  if (given.value === '') return null
  const target = read(given.value)
  if ('problem' in target) fail(given, `${target.problem}; for instance ${example}`, '(not shown)')
  else if (target.password !== null && given.where.startsWith('--')) {
    fail(
      given,
      `holds a password, which others could read there; give it as ${variableOf(given)} or in the file`,
      '(not shown)',
    )
  } else return target
  return null
}

const variableOf = ({ where }: OneGiven) => settings[where.slice(2) as Setting]

/** The mapping stands in the file only. */
function readSink(
  url: OneGiven,
  { path, mapping }: FileValues,
  template: Template,
  fail: Fail,
  faults: string[],
): SinkOptions | null {
  if (url.value === '' && mapping === undefined) return null
  const target = readTarget(url, fail, readSinkUrl, 'mysql://fettle@127.0.0.1:3306/billing')
  const read = readMapping(mapping ?? {}, template)
  if ('faults' in read) {
    faults.push(...read.faults.map((fault) => `${path}: relay.sink.${fault}`))
    return null
  }
  return Object.freeze({ ...read, target, template })
}

function configFolder(environment: Environment): string {
  return environment.XDG_CONFIG_HOME || join(environment.HOME || homedir(), '.config')
}

interface FileValues {
  readonly path: string
  readonly values: { readonly [name in Setting]?: string | undefined }
  /** Of the sink what is no plain value. */
  readonly mapping?: GivenMapping
}

/** The file named, which must be there, or `fettle/fettle.yaml` in the configuration folder, which may be. */
function readFile(named: string | undefined, environment: Environment, faults: string[]): FileValues {
  const path = named ?? join(configFolder(environment), 'fettle', 'fettle.yaml')
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (named !== undefined || code !== 'ENOENT') faults.push(`${path}: cannot be read (${code})`)
    return { path, values: {} }
  }
  try {
    const result = fileSchema.safeParse(parse(content) ?? {})
    if (result.success) {
      const { sink, ...values } = result.data.relay ?? {}
      if (sink === undefined) return { path, values }
      const { url, ...mapping } = sink
      return { path, values: { ...values, sink: url }, mapping }
    }
    for (const issue of result.error.issues) faults.push(`${path}: ${issue.path.join('.') || 'file'}: ${issue.message}`)
  } catch (error) {
    faults.push(`${path}: ${(error as Error).message.split('\n')[0]}`)
  }
  return { path, values: {} }
}
