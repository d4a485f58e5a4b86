/** The coturn that runs on this machine: does it report here, and can it? */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { Unseen } from '@fettle/check'
import { type RespServer, readAddress, type ServeOptions } from '@fettle/relay'
import { type Check, ok, problem, warning } from '../check.ts'
import { checkConfiguration, checkVersion } from './turnserver-conf.ts'
import type { Expected } from './turnserver-settings.ts'

/** A turnserver process. */
interface CoturnProcess {
  readonly pid: number
  readonly arguments: readonly string[]
  /** Its configuration file; null: it reads none. */
  readonly file: string | null
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** It sees another file system than this process: a container. */
  readonly elsewhere: boolean
}

export const DEFAULT_FILE = '/etc/turnserver.conf'

/** What runs here by the name of turnserver, as far as /proc tells; none where there is no /proc. */
function coturnProcesses(): CoturnProcess[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readProcess(Number(name)) : []))
  } catch {
    return []
  }
}

/** Nothing when it is no turnserver, has ended meanwhile, or may not be looked at. */
function readProcess(pid: number): CoturnProcess[] {
  const at = `/proc/${pid}`
  try {
    if (readFileSync(`${at}/comm`, 'utf8') !== 'turnserver\n') return []
    const words = readFileSync(`${at}/cmdline`, 'utf8').split('\0').slice(1, -1)
    return [{ pid, arguments: words, file: fileOf(at, words), startedAt: startOf(at), elsewhere: isElsewhere(at) }]
  } catch {
    return []
  }
}

/** proc(5): field 22 of stat counts ticks, of which there are 100 a second, since the machine started. */
function startOf(at: string): number {
  const ticks = Number(readFileSync(`${at}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19])
  const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  return Date.now() - (up - ticks / 100) * 1000
}

function fileOf(at: string, words: readonly string[]): string | null {
  if (words.includes('-n')) return null
  const named = words[words.indexOf('-c') + 1]
  if (!words.includes('-c') || named === undefined) return DEFAULT_FILE
  return named.startsWith('/') ? named : resolve(linkOf(`${at}/cwd`) ?? '/', named)
}

function isElsewhere(at: string): boolean {
  const theirs = linkOf(`${at}/ns/mnt`)
  return theirs !== undefined && theirs !== linkOf('/proc/self/ns/mnt')
}

/** Undefined when it may not be read. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** What the command line says about redis-statsdb, which counts instead of the file. */
function statsdbArgument(words: readonly string[]): string | undefined {
  const long = words.findLast((word) => word.startsWith('--redis-statsdb='))
  if (long !== undefined) return long.slice(long.indexOf('=') + 1)
  const at = words.findLastIndex((word) => word === '-O' || word === '--redis-statsdb')
  return at < 0 ? undefined : words[at + 1]
}

/** The turnserver in PATH. Asked, not started: both options print and end before anything else is done. */
interface Program {
  readonly version: string | null
  /** It was built with Redis; null: not known. */
  readonly hasRedis: boolean | null
}

const run = promisify(execFile)
const ASK = { timeout: 2000, killSignal: 'SIGKILL', maxBuffer: 1_000_000 } as const

async function askProgram(): Promise<Program> {
  const output = async (option: string) => {
    try {
      const { stdout, stderr } = await run('turnserver', [option], ASK)
      return stdout + stderr
    } catch {
      return ''
    }
  }
  const version = /^(\d+(?:\.\d+)+)\s*$/m.exec(await output('--version'))?.[1] ?? null
  const usage = await output('-h')
  return { version, hasRedis: usage.includes('--listening-port') ? usage.includes('--redis-statsdb') : null }
}

/** Nothing leads to a meter that has no endpoint. */
const NOWHERE = { host: '127.0.0.1', port: -1 }

const NOT_ASKED: Program = { version: null, hasRedis: null }

/**
 * `resp`: where the running meter listens, null: it has no endpoint. `named`: the configuration that the operator
 * names; without, the usual one is looked at if a coturn runs here that reads it.
 */
export async function checkCoturns(
  options: ServeOptions,
  servers: readonly RespServer[],
  resp: string | null | undefined,
  named: string | undefined,
): Promise<Check[]> {
  const file = resolve(named ?? DEFAULT_FILE)
  const here = coturnProcesses().filter((one) => !one.elsewhere && one.file === file)
  const isHere = here.length > 0 || named !== undefined
  const program = isHere ? await askProgram() : NOT_ASKED
  const { host, port } = (resp === undefined ? options.resp : readAddress(resp ?? '')) ?? NOWHERE
  const { redis, log, template } = options
  const expected = { servers, host, port, redis, log, template: template.text, version: program.version }
  const { checks, server } = isHere ? checkFile(file, here, expected, named !== undefined) : notHere
  return [...checks, ...checkProgram(program, server), ...checkVersions(servers, server, program, host)]
}

interface Found {
  readonly checks: readonly Check[]
  /** Whose line is in the file. */
  readonly server: RespServer | undefined
}

const notHere: Found = {
  checks: [ok('coturn', `No coturn that reads ${DEFAULT_FILE} runs on this machine.`)],
  server: undefined,
}

function checkFile(file: string, here: readonly CoturnProcess[], expected: Expected, isNamed: boolean): Found {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (isNamed) throw new Unseen(`${file}: cannot be read (${code})`)
    return {
      checks: [ok('coturn', `${file} cannot be read (${code}): look as root, for instance with sudo.`)],
      server: undefined,
    }
  }
  const statsdb = here.map((one) => statsdbArgument(one.arguments)).find((one) => one !== undefined)
  const words = here.flatMap((one) => one.arguments)
  const configuration = { name: file, text, words, ...(statsdb === undefined ? {} : { statsdb }) }
  const { checks, server } = checkConfiguration(configuration, expected)
  return { checks: [...checks, ...checkAge(file, here), ...checkMode(file, server)], server }
}

/** The clock ticks coarser for processes than for files. */
const SAME_MS = 2000

function checkAge(file: string, here: readonly CoturnProcess[]): Check[] {
  const changedAt = statSync(file).mtimeMs
  return here
    .filter(({ startedAt }) => startedAt < changedAt - SAME_MS)
    .map(({ pid }) =>
      warning(
        'not-restarted',
        `${file} was changed after its coturn (process ${pid}) had started, which does not know of it.`,
        'Restart it when no call is up: a restart ends its calls without a last report.',
      ),
    )
}

function checkMode(file: string, server: RespServer | undefined): Check[] {
  if (server === undefined || (statSync(file).mode & 0o004) === 0) return []
  const text = `${file} can be read by everybody on this machine, and the password of ${server.name} with it.`
  return [warning('configuration-open', text, `chmod o= ${file}`)]
}

function checkProgram({ version, hasRedis }: Program, server: RespServer | undefined): Check[] {
  const checks: Check[] = []
  if (hasRedis === false) {
    const text = 'the turnserver of this machine was built without Redis: it cannot report.'
    checks.push(problem('without-redis', text, "Take a package that has it, such as Debian's."))
  }
  if (server?.version && version !== null && server.version !== version) {
    const said = `servers.json says ${server.version}, whose faults are corrected.`
    const text = `${server.name} runs coturn ${version}; ${said}`
    checks.push(warning('version-said', text, `Write "${version}" into servers.json and restart the meter.`))
  }
  return checks
}

/** `own`: which of the servers runs here, if that is known. */
function checkVersions(
  servers: readonly RespServer[],
  own: RespServer | undefined,
  program: Program,
  host: string,
): Check[] {
  const known = servers.map(({ name, version }) => ({
    name,
    version: (name === own?.name && program.version) || version,
  }))
  const here = own === undefined ? [{ name: 'this machine', version: program.version }] : []
  return [...here, ...known].flatMap(({ name, version }) => (version === null ? [] : checkVersion(name, version, host)))
}
