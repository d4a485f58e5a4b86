/** The only place where a login is tried, and where names, ports and files are asked for beside it. */
import { once } from 'node:events'
import { accessSync, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Io, makeWithParents, Unseen, writeWhole } from '@fettle/check'
import { ask } from '../ask.ts'
import { type ClientFile, type DoorSeen, NAME_LIMIT_SECONDS, type Settings } from '../core/client/facts.ts'
import type { Seen } from '../core/client/learn.ts'
import type { Look } from '../core/client/look.ts'
import { readSettings } from '../core/client/settings.ts'
import type { Target } from '../core/client/target.ts'
import { COMMAND, type Variant } from '../core/client/variants.ts'
import { inQuotes, wordsFor } from '../core/client/words.ts'
import { keptLog } from '../core/evidence.ts'
import { readLog } from '../core/log.ts'
import { readResolvers } from '../core/names.ts'
import type { Query } from '../core/query.ts'
import { endOfTrace, readTrace, startScript } from '../core/trace.ts'
import type { Asking } from './password.ts'
import { type Ran, type RunOptions, runSsh } from './run.ts'

export interface ProbeOptions extends Target {
  readonly limitSeconds: number
  /** Null: nothing is asked, and ssh has to get in without. */
  readonly asking: Asking | null
  /** Where the log of each login is kept; undefined: nowhere. */
  readonly logs: string | undefined
}

/** No file of settings is larger. */
const FILE_MAX = 256 * 1024
const BANNER_MAX = 64 * 1024
/** So long somebody who is no ssh waits. */
const KNOCK_SECONDS = 10
/** By then a session is open, and nothing runs in it. */
const READY = /debug\d: (?:receive packet: type 80$|client_input_global_request: rtype hostkeys)/

export class Probe {
  readonly #options: ProbeOptions
  readonly #io: Io
  #settings: Settings['values'] = new Map()
  #logins = 0
  readonly #stopped: Promise<Seen>

  constructor(options: ProbeOptions, io: Io) {
    this.#options = options
    this.#io = io
    this.#stopped = new Promise((resolve) => {
      if (io.signal.aborted) resolve({ kind: 'nothing' })
      io.signal.addEventListener('abort', () => resolve({ kind: 'nothing' }), { once: true })
    })
  }

  async observe(look: Look): Promise<Seen> {
    if (look.kind === 'settings') return await this.#readSettings(look.isBare)
    if (look.kind === 'login') return await this.#login(look.variant)
    if (look.kind === 'trace') return await this.#trace(look.of)
    if (look.kind === 'files') return { kind: 'files', files: look.paths.flatMap(readFile) }
    const seen =
      look.kind === 'names' ? askAll(look.queries) : knock(look.address, look.port, this.#options.limitSeconds)
    return await Promise.race([seen, this.#stopped])
  }

  close(): void {
    this.#options.asking?.close()
  }

  async #readSettings(isBare: boolean): Promise<Seen> {
    const { destination, options } = this.#options
    const ran = await this.#run(['-G', ...options, ...(isBare ? ['-F', '/dev/null'] : []), destination], {})
    if (ran.end === 'stopped') return { kind: 'nothing' }
    const lines = (name: 'ERR' | 'OUT') => linesOf(ran, name)
    if (ran.status !== 0) {
      const why = ran.end === 'over' ? (lines('ERR').at(-1) ?? 'it does not say why') : 'it does not come to an end'
      throw new Unseen(`ssh -G ${destination}: ${why}`)
    }
    const settings = readSettings(lines('OUT').join('\n'), ran.seconds)
    if (!isBare) this.#goBy(settings)
    const [resolvConf, nsswitch] = ['/etc/resolv.conf', '/etc/nsswitch.conf'].map((path) => readFile(path)[0]?.text)
    return { kind: 'settings', settings, resolvers: readResolvers(resolvConf ?? '', nsswitch ?? '') }
  }

  #goBy({ values }: Settings): void {
    const { asking, logs } = this.#options
    this.#settings = values
    if (asking !== null && values.has('proxycommand')) {
      throw new Unseen('--password: a proxy command leads there, and might be given it; log in with a key')
    }
    if (logs !== undefined) this.#prepare(logs)
  }

  async #login(variant: Variant): Promise<Seen> {
    const ready = variant.wants === 'nothing' ? { ready: READY } : {}
    const noAgent = variant.hasNoAgent ? { SSH_AUTH_SOCK: undefined } : {}
    const ran = await this.#enter(this.#words(variant), { environment: noAgent, ...ready })
    const { text, end, status } = ran
    // It does not even say which version it is.
    if (readLog(text) === undefined) {
      if (end === 'stopped') return { kind: 'nothing' }
      if (this.#logins > 0) return { kind: 'refused' }
      throw new Unseen(`ssh ${this.#options.destination}: ${linesOf(ran, 'ERR').at(-1) ?? 'says nothing'}`)
    }
    this.#logins++
    this.#keep(`login-${this.#logins}-${variant.name}.log`, text)
    return { kind: 'login', text, end, status }
  }

  async #trace(of: 'login' | 'command'): Promise<Seen> {
    const script = `exec 3>&1 >/dev/null </dev/null\n${startScript(of, true)}`
    const command = `exec bash --noprofile --norc ${of === 'login' ? '-i ' : ''}-c ${inQuotes(script)}`
    const ran = await this.#enter([...this.#words(COMMAND).slice(1, -1), command], {})
    if (ran.end === 'stopped') return { kind: 'nothing' }
    const pieces = ran.text.split('\n').flatMap((line) => {
      const [, at, text] = /^(\S+) OUT (.*)$/.exec(line) ?? []
      return at === undefined ? [] : [{ at: Number(at), text: `${text}\n` }]
    })
    const end = endOfTrace(pieces, ran.seconds)
    return { kind: 'trace', lines: end === undefined ? null : readTrace(pieces, end, new Set()) }
  }

  #keep(name: string, text: string): void {
    const { logs } = this.#options
    if (logs === undefined) return
    try {
      writeWhole(join(logs, name), keptLog(text))
    } catch (error) {
      throw new Unseen(`--logs: ${join(logs, name)}: cannot be written (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  #prepare(logs: string): void {
    try {
      makeWithParents(logs)
      accessSync(logs, constants.W_OK)
    } catch (error) {
      throw new Unseen(`--logs: ${logs}: cannot be written to (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  #words(variant: Variant): string[] {
    const { asking } = this.#options
    return wordsFor(variant, this.#options, this.#settings, asking?.settings ?? ['BatchMode=yes'])
  }

  /** Logs in, with the password if there is one. */
  #enter(words: readonly string[], more: Partial<RunOptions>): Promise<Ran> {
    const { asking } = this.#options
    asking?.begin()
    return this.#run(words, { ...more, environment: { ...asking?.environment, ...more.environment } })
  }

  #run(words: readonly string[], more: Partial<RunOptions>): Promise<Ran> {
    const { environment, ...rest } = more
    return runSsh(words, {
      limitSeconds: this.#options.limitSeconds,
      signal: this.#io.signal,
      environment: { ...this.#io.environment, ...environment },
      ...rest,
    })
  }
}

const linesOf = ({ text }: Ran, name: 'ERR' | 'OUT'): string[] => {
  const pattern = new RegExp(`^\\S+ ${name} (.*)$`)
  return text.split('\n').flatMap((line) => pattern.exec(line)?.[1] ?? [])
}

/** One that cannot be read, or is no file, is left out: a pipe would hold us up for ever. */
function readFile(path: string): ClientFile[] {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    if (!fstatSync(file).isFile()) return []
    const bytes = Buffer.alloc(FILE_MAX)
    return [{ path, text: bytes.toString('utf8', 0, readSync(file, bytes)) }]
  } catch {
    return []
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

async function askAll(queries: readonly Query[]): Promise<Seen> {
  const answers = queries.map(async (query) => ({ ...query, ...(await ask(query, NAME_LIMIT_SECONDS)) }))
  return { kind: 'names', answers: await Promise.all(answers) }
}

/** Connects, waits for the first line, and goes. */
async function knock(address: string, port: number, limitSeconds: number): Promise<Seen> {
  const began = performance.now()
  const now = () => (performance.now() - began) / 1000
  const socket = connect({ host: address, port })
  let connected: number | null = null
  let banner: number | null = null
  let error: string | null = null
  let text = ''
  const silence = Object.assign(new Error('no answer'), { code: 'no answer' })
  const timer = setTimeout(() => socket.destroy(silence), Math.min(limitSeconds, KNOCK_SECONDS) * 1000)
  socket.on('connect', () => {
    connected = now()
  })
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    if (/^SSH-/m.test(text)) banner = now()
    if (banner !== null || text.length > BANNER_MAX) socket.destroy()
  })
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    error = failure.code ?? 'failed'
  })
  await once(socket, 'close').catch(() => {})
  clearTimeout(timer)
  return { kind: 'door', door: { address, connected, banner, error } satisfies DoorSeen }
}
