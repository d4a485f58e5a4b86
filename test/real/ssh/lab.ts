/** Two machines with a network between them: one logs in at the other, and what makes that slow can be planted. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { launcher } from '../fettle.ts'
import { exitOf, find, Ground, type Running, until } from '../harness.ts'
import { reverseName, type TypeName } from './dns.ts'
import { etcOf, OPS_ID } from './files.ts'
import { Machine, type Ran, type RunOptions } from './machine.ts'
import type { Query, Rule, Zone } from './resolver.ts'

/** What a test of node:test registers hooks with. */
export interface Ending {
  after(hook: () => Promise<void>): void
}

/** Addresses; those of no machine get no answer at all, not even that nobody is there. */
export const ADDRESSES = {
  client: '10.77.0.1',
  client6: '2001:db8:77::1',
  server: '10.77.0.2',
  server6: '2001:db8:77::2',
  resolver: '10.77.0.53',
  dead: '10.77.0.3',
  dead6: '2001:db8:77::99',
  deadResolver: '10.77.0.54',
} as const

export const HOST = 'web1.lab.test'
const CLIENT = 'desk.lab.test'

/** Records of the lab's own DNS, until a test says otherwise. */
const RECORDS: Readonly<Record<string, readonly string[]>> = {
  [`A ${HOST}`]: [ADDRESSES.server],
  [`AAAA ${HOST}`]: [ADDRESSES.server6],
  [`A ${CLIENT}`]: [ADDRESSES.client],
  [`AAAA ${CLIENT}`]: [ADDRESSES.client6],
  [`PTR ${reverseName(ADDRESSES.server)}`]: [HOST],
  [`PTR ${reverseName(ADDRESSES.server6)}`]: [HOST],
  [`PTR ${reverseName(ADDRESSES.client)}`]: [CLIENT],
  [`PTR ${reverseName(ADDRESSES.client6)}`]: [CLIENT],
}

export interface LoginOptions extends RunOptions {
  /** Arguments of ssh in front of the host. */
  readonly options?: readonly string[]
  /** What is run there; a shell with a terminal, which ends at once, if undefined is given. */
  readonly command?: readonly string[] | undefined
  readonly host?: string
}

const LINK = '/usr/sbin:/sbin:/usr/bin:/bin'

export class Lab {
  readonly host = HOST
  readonly ground: Ground
  readonly client: Machine
  readonly server: Machine
  /** What the client's programs have in their environment besides. */
  readonly env: Record<string, string> = {}
  readonly #test: Ending
  #sshd: Running | undefined
  #records: Record<string, readonly string[]> = { ...RECORDS }
  #rules: readonly Rule[] = []

  private constructor(test: Ending, ground: Ground, client: Machine, server: Machine) {
    this.#test = test
    this.ground = ground
    this.client = client
    this.server = server
  }

  /** A lab in which a login is quick, after `plant` was done to it. */
  static async open(test: Ending, plant: (lab: Lab) => unknown = () => {}): Promise<Lab> {
    const machines: Machine[] = []
    // Before the ground waits for what was started in them: with a machine its processes end, whoever's children.
    test.after(async () => {
      for (const machine of machines) machine.stop()
    })
    const ground = new Ground(test)
    chmodSync(ground.folder, 0o755) // users who are not root come through it to their homes
    const files = (name: string) => etcOf(name, ADDRESSES.resolver, (user) => join(ground.folder, name, 'home', user))
    const [client, server] = await Promise.all([
      Machine.start(ground, 'desk', files('desk')),
      Machine.start(ground, 'web1', files('web1')),
    ])
    machines.push(client, server)
    const lab = new Lab(test, ground, client, server)
    await lab.#connect()
    lab.#trust()
    lab.#tell()
    const { resolver } = ADDRESSES
    const dns = server.startBeside([
      process.execPath,
      join(import.meta.dirname, 'resolver.ts'),
      resolver,
      ground.folder,
    ])
    await Promise.all([listening('the resolver', dns, 'listening'), lab.sshd()])
    await plant(lab)
    return lab
  }

  /** A cable between both, and neighbours who swallow everything. */
  async #connect(): Promise<void> {
    const { client, server, ...rest } = ADDRESSES
    const { client6, server6, resolver, dead, dead6, deadResolver } = rest
    const swallow = (address: string) => `ip neigh add ${address} lladdr 02:00:00:00:00:99 dev lan nud permanent`
    const shell = async (machine: Machine, ...lines: string[]) => {
      const { status, complaints } = await machine.run(['/bin/sh', '-ec', lines.join('\n')], { env: { PATH: LINK } })
      if (status !== 0) throw new Error(`no network between the machines of the lab: ${complaints}`)
    }
    // Neither end is ever in the network of the real machine.
    const cable = `link add lan type veth peer name lan netns /proc/${this.server.pid}/ns/net`
    await ran(this.client.startBeside([find('ip'), ...cable.split(' ')]))
    const up = (own: string, own6: string) => [
      `ip addr add ${own}/24 dev lan`,
      `ip addr add ${own6}/64 dev lan nodad`,
      'ip link set lan up',
      ...[dead, dead6, deadResolver].map(swallow),
    ]
    await Promise.all([
      shell(this.client, ...up(client, client6)),
      shell(this.server, ...up(server, server6), `ip addr add ${resolver}/24 dev lan`),
    ])
  }

  /** Keys and whom they let in, as if both had known each other for long. */
  #trust(): void {
    const { client, server } = this
    const [user, host] = keys(this.ground)
    const home = client.home('root')
    client.write(join(home, '.ssh/id_ed25519'), user.secret, 0o600)
    client.write(join(home, '.ssh/id_ed25519.pub'), user.shown)
    client.write(join(home, '.ssh/known_hosts'), `* ${host.shown}`)
    client.write(join(home, '.ssh/config'), 'Host *\n    User ops\n')
    server.write('/etc/ssh/ssh_host_ed25519_key', host.secret, 0o600)
    server.write('/etc/ssh/ssh_host_ed25519_key.pub', host.shown)
    for (const name of ['root', 'ops']) server.write(join(server.home(name), '.ssh/authorized_keys'), user.shown)
    server.script('/etc/update-motd.d/10-uname', 'uname -snrvm')
    for (const path of ['/var/log/lastlog', '/var/log/wtmp', '/var/log/btmp', '/run/utmp']) server.write(path, '')
    chownSync(server.home('ops'), OPS_ID, OPS_ID)
  }

  whenOver(hook: () => unknown): void {
    this.#test.after(async () => {
      await hook()
    })
  }

  /** Stops the server's sshd, and starts it with these settings in front of its own, and arguments. */
  async sshd(settings = '', args: readonly string[] = []): Promise<void> {
    this.stopSshd()
    await this.#sshd?.ended
    this.server.write('/etc/ssh/sshd_config.d/lab.conf', settings)
    this.#sshd = this.server.start([find('sshd'), '-D', '-e', ...args], { isUrgent: true })
    await listening('sshd', this.#sshd, 'Server listening on')
  }

  /** What was asked for is done by something else from now on. */
  stopSshd(): void {
    this.#sshd?.kill('SIGKILL')
  }

  /** What sshd has written, which would be in the journal. */
  get sshdLog(): string {
    return this.#sshd?.output ?? ''
  }

  /** Puts settings in front of the client's own. */
  sshConfig(settings: string): void {
    const path = join(this.client.home('root'), '.ssh/config')
    this.client.write(path, `${settings}\n${readFileSync(path, 'utf8')}`)
  }

  /** Rules of the DNS, in front of those before. */
  rules(...rules: readonly Rule[]): void {
    this.#rules = [...rules, ...this.#rules]
    this.#tell()
  }

  /** Data of one name and type; none: there is no such record. */
  record(type: TypeName, name: string, ...data: readonly string[]): void {
    this.#records = { ...this.#records, [`${type} ${name}`]: data }
    this.#tell()
  }

  #tell(): void {
    const zone: Zone = { rules: this.#rules, records: this.#records, client: ADDRESSES.client }
    const file = join(this.ground.folder, 'dns.json')
    writeFileSync(`${file}.new`, JSON.stringify(zone))
    renameSync(`${file}.new`, file)
  }

  /** What the DNS was asked so far. */
  queries(): Query[] {
    const file = join(this.ground.folder, 'dns.log')
    if (!existsSync(file)) return []
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
    return lines.map((line) => {
      const [from, type, name] = line.split(' ')
      return { from: from as Query['from'], type: type!, name: name! }
    })
  }

  /** A login with plain ssh, from the client. */
  login(more: LoginOptions = {}): Promise<Ran> {
    const { options = [], host = HOST, ...rest } = more
    const command = 'command' in more ? more.command : ['true']
    const words = command === undefined ? ['-tt', ...options, host] : ['-T', ...options, host, ...command]
    const input = command === undefined ? 'exit\n' : ''
    return this.client.run([find('ssh'), ...words], {
      isUrgent: true,
      input,
      ...rest,
      env: { ...this.env, ...rest.env },
    })
  }

  /** Runs `fettle ...` on the client. */
  fettle(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.#fettle(this.client, args, options)
  }

  /** The same, where it has a terminal at which `typed` is typed; its output is what it would write into a file. */
  async fettleAtTerminal(args: readonly string[], typed: string, options: RunOptions = {}): Promise<Ran> {
    const { client } = this
    const file = join(client.home('root'), 'report')
    const words = [process.execPath, launcher, ...args].map((word) => `'${word}'`)
    const command = `${words.join(' ')} > '${file}'`
    const shown = { ...this.#options(client, options), input: typed }
    const ran = await client.run([find('script'), '-qec', command, '/dev/null'], shown)
    return { ...ran, output: client.read(file), complaints: ran.output }
  }

  /** Runs `fettle ...` on the server, as root. */
  serverFettle(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return this.#fettle(this.server, args, options)
  }

  #fettle(machine: Machine, args: readonly string[], options: RunOptions): Promise<Ran> {
    return machine.run([process.execPath, launcher, ...args], this.#options(machine, options))
  }

  #options(machine: Machine, options: RunOptions): RunOptions {
    const cache = process.env.NODE_COMPILE_CACHE
    const env = {
      ...(machine === this.client ? this.env : {}),
      FETTLE_DATA: join(machine.home('root'), 'fettle'),
      ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
      ...options.env,
    }
    return { ...options, env }
  }
}

/** Waits for a line that says that it can be asked. */
export async function listening(what: string, running: Running, word: string): Promise<void> {
  await until(what, () => running.output.includes(word) || running.status !== undefined)
  if (running.status !== undefined) throw new Error(`${what} ended with ${running.status}: ${running.output}`)
}

/** Of a program that is over in a moment. */
async function ran(running: Running): Promise<void> {
  const status = await exitOf(running)
  if (status !== 0) throw new Error(`status ${status}: ${running.output}`)
}

interface Key {
  readonly secret: string
  readonly shown: string
}

let made: readonly [Key, Key] | undefined

/** One pair for the user and one for the server, the same in all labs of a process. */
function keys({ folder }: Ground): readonly [Key, Key] {
  const make = (name: string): Key => {
    const file = join(folder, 'keys', name)
    mkdirSync(join(folder, 'keys'), { recursive: true })
    execFileSync(find('ssh-keygen'), ['-q', '-t', 'ed25519', '-N', '', '-C', `${name} of the lab`, '-f', file])
    return { secret: readFileSync(file, 'utf8'), shown: readFileSync(`${file}.pub`, 'utf8') }
  }
  made ??= [make('user'), make('host')]
  return made
}
