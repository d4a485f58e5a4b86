/**
 * A login of its own: sshd with the machine's settings for one connection, a key that is thrown away, and nothing of
 * the machine changed. sshd gets the connection from us (`sshd -i`), and listens nowhere itself; the port of
 * 127.0.0.1 by which it comes takes nobody's but root's.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Unseen } from '@fettle/check'
import type { LoginSeen } from '../core/server/facts.ts'
import { refusalIn } from '../core/server/refusal.ts'
import { isFromRoot } from '../core/server/sockets.ts'
import { networkSockets } from './processes.ts'
import { endGroup, find, type Person, passableFolder, run } from './run.ts'
import { Watch } from './watching.ts'

export interface LoginPlan {
  readonly sshd: string
  readonly config: string
  /** sshd knows Include (8.2 and later); an older one goes by a Match of the machine before what we give it. */
  readonly canInclude: boolean
  readonly person: Person
  readonly seconds: number
  readonly isWatched: boolean
  readonly signal: AbortSignal
}

/** Longer than a login may take (LoginGraceTime), and than newer systemd waits for logind. */
export const LOGIN_SECONDS = 130
/** Where a log ends that would have gone on. */
const CUT = 'fettle waits no longer'
const LOG_MAX = 4 * 1024 * 1024
/** For sshd to say why, when the client is gone. */
const REST_MS = 1000

/** Throws Unseen when it could not be tried at all. */
export async function tryLogin(plan: LoginPlan): Promise<LoginSeen> {
  const folder = passableFolder('fettle-login-')
  try {
    await prepare(folder, plan)
    return await loginOnce(folder, plan)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * sshd reads the file of keys as the user: the folder lets them through, and the key itself is nobody's but ours.
 * A Match that is included ends with its file, so the settings of the machine follow as they are.
 */
async function prepare(folder: string, { config }: LoginPlan): Promise<void> {
  program('ssh')
  const key = join(folder, 'key')
  const made = await run([program('ssh-keygen'), '-q', '-t', 'ed25519', '-N', '', '-C', 'fettle', '-f', key], {
    seconds: 30,
  })
  if (made.status !== 0) throw new Unseen(`ssh-keygen: makes no key (${made.problem ?? made.complaints.trim()})`)
  const line = `no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-pty,command="true" `
  writeFileSync(join(folder, 'keys'), line + readFileSync(`${key}.pub`, 'utf8'))
  const own = ['Match all', ...ownSettings(folder).map((words) => words.join(' '))]
  writeFileSync(join(folder, 'own.conf'), `${own.join('\n')}\n`)
  writeFileSync(join(folder, 'config'), `Include "${join(folder, 'own.conf')}"\nInclude "${config}"\n`)
  for (const name of ['keys', 'own.conf', 'config']) chmodSync(join(folder, name), 0o644)
}

const ownSettings = (folder: string) => [
  ['AuthorizedKeysFile', join(folder, 'keys')],
  ['PubkeyAuthentication', 'yes'],
  ['AuthenticationMethods', 'publickey'],
  ['TrustedUserCAKeys', '/dev/null'],
  ['AuthorizedPrincipalsFile', 'none'],
  ['AuthorizedPrincipalsCommand', 'none'],
  ['ForceCommand', 'none'],
  ['LogLevel', 'DEBUG3'],
]

function program(name: string): string {
  const path = find(name)
  if (path === undefined) throw new Unseen(`${name}: is not here; it is in the package openssh-client`)
  return path
}

async function loginOnce(folder: string, plan: LoginPlan): Promise<LoginSeen> {
  const began = performance.now()
  const now = () => (performance.now() - began) / 1000
  const server = createServer({ pauseOnConnect: true })
  const port = await portOf(server)
  const log = new StampedLog(now)
  const sshd = new Promise<ChildProcess>((resolve) => {
    let isTaken = false
    // Until the end, lest somebody else takes the port for our ssh to come to.
    server.on('connection', (socket) => {
      if (isTaken || !isOfRoot(socket, port)) {
        socket.destroy()
        return
      }
      isTaken = true
      resolve(startSshd(folder, plan, socket, log))
    })
  })
  const client = startClient(folder, plan, port)
  const watch = sshd.then((child) => (plan.isWatched ? new Watch(child.pid!, port, now) : undefined))
  try {
    const { isCut, complaints } = await endOf(client, plan)
    const seconds = now()
    const samples = (await settled(watch))?.stop() ?? []
    await resting(await settled(sshd))
    if (isCut) log.add(`debug1: ${CUT}\n`, seconds)
    const isIn = /^[\d.]+ ERR Starting session: /m.test(log.text)
    const why = isIn ? null : isCut ? `was not in after ${plan.seconds} s` : refusalIn(log.text, complaints)
    return { isIn, why, seconds, isCut, log: log.text, samples }
  } finally {
    server.close()
    endGroup(client)
    const child = await settled(sshd)
    if (child !== undefined) endGroup(child)
    ;(await settled(watch))?.stop()
  }
}

/** Anybody here may come to the port, and what sshd trusts for this one login is nothing for them. */
function isOfRoot(socket: Socket, port: number): boolean {
  const { remoteAddress: address, remotePort } = socket
  if (address === undefined || remotePort === undefined) return false
  return isFromRoot(networkSockets(), { address, port: remotePort }, port)
}

/** What has come of it by now. */
const settled = <T>(promise: Promise<T>): Promise<T | undefined> => Promise.race([promise, Promise.resolve(undefined)])

const portOf = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Unseen(`127.0.0.1: nothing can listen there (${error.message})`)))
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

function startSshd(folder: string, { sshd, config, canInclude }: LoginPlan, socket: Socket, log: StampedLog) {
  // The file of keys lies where others may make files: nobody but us can make or change this one.
  const own = [['StrictModes', 'no'], ['PidFile', 'none'], ...(canInclude ? [] : ownSettings(folder))]
  const words = own.flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const child = spawn(sshd, ['-i', '-e', '-f', canInclude ? join(folder, 'config') : config, ...words], {
    stdio: [socket, socket, 'pipe'],
    detached: true,
  })
  socket.destroy()
  child.on('error', () => {})
  child.stderr!.setEncoding('utf8').on('data', (text: string) => log.add(text))
  return child
}

function startClient(folder: string, { person }: LoginPlan, port: number): ChildProcess {
  const options = [
    'BatchMode=yes',
    'UserKnownHostsFile=/dev/null',
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=no',
    'PreferredAuthentications=publickey',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'ControlPath=none',
    'ProxyCommand=none',
    'RequestTTY=no',
  ]
  const words = options.flatMap((one) => ['-o', one])
  const args = ['-F', '/dev/null', ...words, '-i', join(folder, 'key'), '-p', `${port}`, '-l', person.name, '127.0.0.1']
  return spawn(program('ssh'), [...args, 'true'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
}

function endOf(client: ChildProcess, { seconds, signal }: LoginPlan) {
  return new Promise<{ isCut: boolean; complaints: string }>((resolve) => {
    let complaints = ''
    let isCut = false
    client.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (complaints.length < 10_000) complaints += text
    })
    const cut = () => {
      isCut = true
      endGroup(client)
    }
    const timer = setTimeout(cut, seconds * 1000)
    signal.addEventListener('abort', cut)
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cut)
      resolve({ isCut, complaints })
    }
    client.once('error', done)
    client.once('exit', done)
    if (signal.aborted) cut()
  })
}

/** sshd closes its session; one that waits there as well is ended. */
async function resting(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, REST_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Each piece that sshd writes, with its time in front. */
class StampedLog {
  text = ''
  readonly #now: () => number
  #isOpen = false

  constructor(now: () => number) {
    this.#now = now
  }

  /** `at`: when it came, if that is not now. */
  add(text: string, at = this.#now()): void {
    if (this.text.length > LOG_MAX) return
    const stamp = `${at.toFixed(3)} ERR `
    const lines = text.replaceAll('\r', '').split(/(?<=\n)/)
    this.text += lines.map((line, i) => (i === 0 && this.#isOpen ? line : stamp + line)).join('')
    this.#isOpen = !text.endsWith('\n')
  }
}
