/** What a turnserver.conf says to its coturn, as coturn reads it, and whether that brings its events here. */
import { BlockList, isIP } from 'node:net'
import { isLoopback, type RespServer } from '@fettle/relay'
import { type Check, ok, problem, warning } from '../check.ts'
import { isBefore } from './server.ts'
import { checkLogging } from './turnserver-log.ts'
import { type Configuration, type Expected, readSettings, type Settings } from './turnserver-settings.ts'

interface Statsdb {
  readonly host: string
  readonly port: number
  readonly password: string
  readonly tls: boolean
}

/** coturn's many words for the same (dbd_redis_conninfo.c); what stands for nothing here is empty. */
const WORDS: Readonly<Record<string, keyof Statsdb | ''>> = {
  ...{ host: 'host', ip: 'host', addr: 'host', ipaddr: 'host', hostaddr: 'host' },
  ...{ password: 'password', pwd: 'password', passwd: 'password', secret: 'password' },
  ...{ port: 'port', p: 'port', tls: 'tls', ssl: 'tls' },
  ...{
    dbname: '',
    db: '',
    database: '',
    user: '',
    uname: '',
    name: '',
    username: '',
    connect_timeout: '',
    timeout: '',
  },
}
const REDIS_PORT = 6379

/** Undefined when coturn cannot read it either. */
function readStatsdb(text: string): Statsdb | undefined {
  const found: Partial<Record<keyof Statsdb, string>> = {}
  for (const token of text.split(' ').filter((one) => one !== '')) {
    const at = token.indexOf('=')
    const word = token.slice(0, at)
    const isKnown =
      Object.hasOwn(WORDS, word) || /^(tls-|ca$|cacert$|capath$|cert$|clientkey$|sni$|servername$|verify$)/.test(word)
    if (at < 0 || !isKnown) return undefined
    const meaning = WORDS[word]
    if (meaning) found[meaning] = token.slice(at + 1)
  }
  const { host = '127.0.0.1', password = '', tls = '' } = found
  const port = Number.parseInt(found.port ?? '', 10) || REDIS_PORT
  return { host: host === 'localhost' ? '127.0.0.1' : host, port, password, tls: /^(1|true|on|yes)$/.test(tls) }
}

/** Everything about one coturn's configuration; `server`: whose line it holds. */
export function checkConfiguration(
  configuration: Configuration,
  expected: Expected,
): { readonly checks: readonly Check[]; readonly server: RespServer | undefined } {
  const settings = readSettings(configuration.text)
  const lines = settings.get('redis-statsdb') ?? []
  const line = configuration.statsdb ?? lines.at(-1)
  const statsdb = line === undefined ? undefined : readStatsdb(line)
  const server = expected.servers.find(({ token }) => statsdb !== undefined && token === statsdb.password)
  const checks = [checkStatsdb(configuration, line, statsdb, server, expected)]
  if (configuration.statsdb === undefined && lines.length > 1) {
    checks.push(
      warning(
        'statsdb-twice',
        `${configuration.name} has ${lines.length} redis-statsdb lines; only the last one counts.`,
        'Remove the others.',
      ),
    )
  }
  if (statsdb !== undefined && server !== undefined) checks.push(...checkReach(settings, statsdb, expected.version))
  const isHeard =
    statsdb !== undefined &&
    ((server !== undefined && reaches(statsdb, expected)) || (!!expected.redis && reaches(statsdb, expected.redis)))
  checks.push(...checkLogging(configuration, settings, expected, isHeard))
  checks.push(...checkOthers(configuration.name, settings, expected))
  return { checks, server }
}

function checkStatsdb(
  { name, statsdb: fromArguments }: Configuration,
  line: string | undefined,
  statsdb: Statsdb | undefined,
  server: RespServer | undefined,
  expected: Expected,
): Check {
  const where = fromArguments === undefined ? name : `the command line of the coturn that reads ${name}`
  const use = [
    'The line for it: fettle relay server list --lines',
    `Then restart it when no call is up${drainHint(expected.version)}: a restart ends its calls without a last report.`,
  ]
  if (line === undefined && expected.log !== null) return ok('statsdb', `${where} has no redis-statsdb. ${LOGGED}`)
  if (line === undefined)
    return problem('statsdb-missing', `${where} has no redis-statsdb: it reports nowhere.`, ...use)
  if (statsdb === undefined)
    return problem('statsdb-unreadable', `${where}: coturn cannot read its redis-statsdb.`, ...use)
  const to = `${statsdb.host}:${statsdb.port}`
  if (expected.redis && reaches(statsdb, expected.redis)) {
    return ok('statsdb', `${where} reports to ${to}, which the meter hears.`)
  }
  if (statsdb.tls)
    return problem('statsdb-tls', `${where}: redis-statsdb asks for TLS, which the meter does not speak.`, ...use)
  const isHere = reaches(statsdb, expected)
  if (server !== undefined && isHere) return ok('statsdb', `${where} has the line of ${server.name}.`)
  if (server !== undefined) {
    const here = `${expected.host}:${expected.port}`
    return problem('statsdb-address', `${where}: redis-statsdb leads to ${to}; the meter listens on ${here}.`, ...use)
  }
  if (isHere && expected.port !== 0) {
    return problem('statsdb-password', `${where}: the password of redis-statsdb is none of the servers'.`, ...use)
  }
  if (expected.log !== null) return ok('statsdb', `${where} reports to ${to}. ${LOGGED}`)
  return problem(
    'statsdb-elsewhere',
    `${where}: redis-statsdb leads to ${to}, not to this meter.`,
    ...use,
    `Whoever reads ${to} today hears nothing any more then; serve --forward passes all on to it.`,
  )
}

const LOGGED = 'The meter follows a log.'

const drainHint = (version: string | null) =>
  version !== null && !isBefore(version, 4, 10) ? ' (kill -USR1 drains it)' : ''

const isAny = (host: string) => host === '0.0.0.0' || host === '::'

function reaches({ host, port }: Statsdb, expected: Pick<Expected, 'host' | 'port'>): boolean {
  if (expected.port !== 0 && port !== expected.port) return false
  const wanted = expected.host === 'localhost' ? '127.0.0.1' : expected.host
  // Where a name leads is not known here.
  return host === wanted || isAny(wanted) || isIP(host) === 0 || isIP(wanted) === 0
}

/** Whether clients of the relay can get at the meter through it. From 4.17 on coturn itself sees to it. */
function checkReach(settings: Settings, { host, port }: Statsdb, version: string | null): Check[] {
  if (version !== null && !isBefore(version, 4, 17)) return []
  const code = 'meter-exposed'
  if (isLoopback(host)) {
    if (!settings.has('allow-loopback-peers')) return []
    const text = 'allow-loopback-peers lets clients of the relay reach the ports of this machine, the meter too.'
    return [warning(code, text, 'Remove it from a real service.')]
  }
  if (isIP(host) === 0 || isDenied(settings, host)) return []
  const text = `Clients of the relay may reach the meter through it, at ${host}:${port}.`
  return [
    warning(code, text, `Put denied-peer-ip=${host} into turnserver.conf; coturn 4.17 and newer needs no such line.`),
  ]
}

function isDenied(settings: Settings, host: string): boolean {
  const denied = new BlockList()
  for (const value of settings.get('denied-peer-ip') ?? []) deny(denied, value)
  return denied.check(host, family(host))
}

const family = (ip: string) => (isIP(ip) === 6 ? 'ipv6' : 'ipv4')

/** An address, `first-last`, or `first/bits`. */
function deny(denied: BlockList, value: string): void {
  const [, first = '', sign, last = ''] = /^([^-/\s]+)(?:([-/])(\S+))?/.exec(value) ?? []
  try {
    if (sign === '-') denied.addRange(first, last, family(first))
    else if (sign === '/') denied.addSubnet(first, Number(last), family(first))
    else denied.addAddress(first, family(first))
  } catch {
    // Nonsense denies nobody.
  }
}

function checkOthers(name: string, settings: Settings, { template }: Expected): Check[] {
  const checks: Check[] = []
  if (settings.has('stun-only')) {
    checks.push(warning('stun-only', `${name} says stun-only: nothing is relayed, so there is nothing to meter.`))
  }
  const separator = settings.get('rest-api-separator')?.at(-1)?.[0] ?? ':'
  const isRead = template.includes(`{expires}${separator}`) || template.includes(`${separator}{expires}`)
  if (settings.has('use-auth-secret') && template.includes('{expires}') && !isRead) {
    const text = `Its usernames are EXPIRES${separator}NAME (rest-api-separator), the template is ${template}.`
    checks.push(warning('separator', text, `Start the meter with --username "{expires}${separator}{device}"`))
  }
  return checks
}

/** What a version of coturn is known for. */
export function checkVersion(name: string, version: string, host: string): Check[] {
  if (isBefore(version, 4, 13)) {
    return [
      warning(
        'percent',
        `${name} runs coturn ${version}: below 4.13.0 a % in a username can end the whole server.`,
        'Upgrade, or see to it that no credentials have a % in the name (GHSA-4g7c-p5wg-j4hp).',
      ),
    ]
  }
  if (!isBefore(version, 4, 17)) {
    return [ok('version', `${name} runs coturn ${version}, which relays nothing to ${host}, where it reports to.`)]
  }
  return [ok('version', `${name} runs coturn ${version}.`)]
}
