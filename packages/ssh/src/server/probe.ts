/** Looks at the server that this runs on. Nothing of it is changed. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism, hostname, loadavg } from 'node:os'
import { type Io, type Probe as OpenCheck, Unseen } from '@fettle/check'
import {
  doing,
  type Facts,
  type Look,
  nothingYet,
  type Seen,
  type ServerPlan,
  type SettingsSeen,
} from '../core/server/facts.ts'
import { keytabIn } from '../core/server/keytab.ts'
import { clientsOf } from '../core/server/sockets.ts'
import { wrapperRules } from '../core/server/wrapper.ts'
import { askLogind } from './bus.ts'
import { LOGIN_SECONDS, tryLogin } from './login.ts'
import { lookUpClient, lookUpOwn } from './names.ts'
import { pamStack } from './pam.ts'
import { linkOf, listeners, networkSockets, textOf } from './processes.ts'
import { type Person, personOf } from './run.ts'
import { asRoot, configOf, effectiveOf, findSshd, refusalOf, type Sshd } from './sshd.ts'
import { motdScripts, timeKeys, timeMotd, timeUser, traceShell } from './start.ts'

/** All of it may be read at a login. */
const LOGS = ['/var/log/btmp']
const WRAPPERS = ['/etc/hosts.allow', '/etc/hosts.deny']
const KRB5 = '/etc/krb5.conf'
/** It keeps the keys for others, where no program sees them. */
const GSSPROXY = '/var/lib/gssproxy/default.sock'
/** For a login of which is known that it waits for minutes. */
const KNOWN_SECONDS = 30
const TICK_MS = 1000

export class ServerProbe implements OpenCheck<Facts, Look, Seen> {
  readonly beginning: Facts
  readonly #plan: ServerPlan
  readonly #sshd: Sshd
  readonly #person: Person | undefined
  readonly #io: Io
  #isLogindSilent = false
  #effective: ReadonlyMap<string, readonly string[]> = new Map()

  private constructor(plan: ServerPlan, sshd: Sshd, person: Person | undefined, io: Io) {
    this.#plan = plan
    this.#sshd = sshd
    this.#person = person
    this.#io = io
    this.beginning = nothingYet(plan)
  }

  /** Throws Unseen: there is no sshd here, or no such user, or nobody may look. */
  static async open(plan: ServerPlan, io: Io): Promise<ServerProbe> {
    asRoot('ssh check --server')
    const sshd = await findSshd()
    if (!existsSync(plan.config))
      throw new Unseen(`${plan.config}: is not there; give the settings of sshd by --config`)
    const person = plan.user === null ? undefined : await personOf(plan.user, io.signal)
    return new ServerProbe(plan, sshd, person, io)
  }

  async observe(look: Look): Promise<Seen> {
    const began = Date.now()
    const tick = () => this.#io.progress(`${doing(look)}, ${Math.round((Date.now() - began) / 1000)} s`)
    const timer = setInterval(tick, TICK_MS)
    try {
      return await this.#look(look)
    } finally {
      clearInterval(timer)
    }
  }

  async close(): Promise<void> {}

  async #look(look: Look): Promise<Seen> {
    const { signal } = this.#io
    switch (look.kind) {
      case 'settings':
        return { settings: await this.#settings() }
      case 'pam':
        return { pam: pamStack(this.#effective) }
      case 'bus':
        return { bus: await this.#bus() }
      case 'files':
        return { files: LOGS.filter(existsSync).map((file) => ({ file, bytes: statSync(file).size })) }
      case 'own-name':
        return { names: [await lookUpOwn(hostname(), signal)] }
      case 'client':
        return { names: [await lookUpClient(look.address, signal)] }
      case 'motd-list':
        return { motdLeft: await motdScripts(signal) }
      case 'motd': {
        const { file } = look
        return { motd: [{ ...(await timeMotd(file, signal)), file, linksTo: linkOf(file) ?? null }] }
      }
      case 'user':
        return { user: await timeUser(this.#person!, signal) }
      case 'keys':
        return { keys: await timeKeys(this.#value('authorizedkeyscommand'), this.#keysUser, this.#person!, signal) }
      case 'rc':
        return { rc: await traceShell(this.#person!, this.#value('permituserrc') !== 'no', signal) }
      case 'login':
        return { login: await this.#login() }
    }
  }

  async #bus() {
    const bus = await askLogind(this.#io.signal)
    this.#isLogindSilent = bus.answer === 'silent'
    return bus
  }

  #value(name: string): string {
    return this.#effective.get(name)?.[0] ?? 'none'
  }

  get #keysUser(): string {
    const user = this.#value('authorizedkeyscommanduser')
    return user === '%u' ? this.#person!.name : user
  }

  async #settings(): Promise<SettingsSeen> {
    const { config, user, clients } = this.#plan
    const refused = await refusalOf(this.#sshd, config)
    const of = user === null ? null : { user, address: clients[0] }
    this.#effective = refused === null ? await effectiveOf(this.#sshd, config, of) : new Map()
    const [listener] = listeners()
    const ports = listener?.at ?? []
    return {
      config: configOf(config),
      effective: this.#effective,
      refused,
      startups: listener === undefined ? null : startupsOf(listener.pid),
      clients: this.#clients(new Set(ports.map(({ port }) => port))),
      load: { wanting: loadavg()[0]!, cpus: availableParallelism() },
      wrappers: this.#wrappers(),
      hasKeytab: this.#hasKeytab(),
    }
  }

  #hasKeytab(): boolean {
    const file = keytabIn(textOf(KRB5) ?? '')
    return file === null || existsSync(file) || existsSync(GSSPROXY)
  }

  /** Debian's sshd asks them, and others do not any more. */
  #wrappers() {
    if (!readFileSync(this.#sshd.program).includes('libwrap.so')) return []
    return WRAPPERS.flatMap((file) => wrapperRules(file, textOf(file) ?? ''))
  }

  /** Whoever runs this through ssh is a client too. */
  #clients(ports: ReadonlySet<number>): string[] {
    const own = this.#io.environment.SSH_CONNECTION?.split(' ')[0]
    const all = [...(own === undefined ? [] : [own]), ...clientsOf(networkSockets(), ports)]
    return Array.from(new Set(all))
  }

  async #login() {
    const { program: sshd, canInclude } = this.#sshd
    const { config } = this.#plan
    const seconds = this.#isLogindSilent ? KNOWN_SECONDS : LOGIN_SECONDS
    const more = { seconds, isWatched: true, signal: this.#io.signal }
    try {
      return await tryLogin({ sshd, canInclude, config, person: this.#person!, ...more })
    } catch (error) {
      if (!(error instanceof Unseen)) throw error
      return { isIn: false, why: error.message, seconds: 0, isCut: false, log: '', samples: [] }
    }
  }
}

/** `sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups` is how it calls itself. */
function startupsOf(pid: number): { readonly now: number; readonly from: number } | null {
  const [, now, from] = /(\d+) of (\d+)-\d+ startups/.exec(textOf(`/proc/${pid}/cmdline`) ?? '') ?? []
  return now === undefined ? null : { now: Number(now), from: Number(from) }
}
