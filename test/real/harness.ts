/** Real programs for the tests in this folder; each is stopped by its pid, whatever becomes of the test. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** The Debian package that brings a program which these tests run. */
const packageOf = {
  turnserver: 'coturn',
  chromium: 'chromium',
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  'redis-benchmark': 'redis-tools',
  openssl: 'openssl',
  mariadb: 'mariadb-client',
  mariadbd: 'mariadb-server',
  'mariadb-install-db': 'mariadb-server',
  turnutils_uclient: 'coturn',
  turnutils_peer: 'coturn',
  tmux: 'tmux',
  ip: 'iproute2',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  stdbuf: 'coreutils',
  ts: 'moreutils',
  script: 'bsdutils',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'ssh-agent': 'openssh-client',
  'ssh-add': 'openssh-client',
  sshd: 'openssh-server',
  dropbear: 'dropbear-bin',
  socat: 'socat',
  'dbus-daemon': 'dbus-daemon',
  xauth: 'xauth',
  zip: 'zip',
  unzip: 'unzip',
  '7zz': '7zip',
  bsdtar: 'libarchive-tools',
  python3: 'python3',
  nginx: 'nginx-light',
} as const
export type ProgramName = keyof typeof packageOf

/** The program's path. One that is missing fails the test: nothing is skipped. */
export function find(name: ProgramName): string {
  // A user's PATH on Debian lacks the last two.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const path = folders.map((folder) => join(folder, name)).find(isExecutable)
  if (path === undefined) throw new Error(`${name} is missing: sudo apt-get install -y ${packageOf[name]}`)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Running {
  readonly pid: number
  /** What it has printed so far, standard output and standard error as they came. */
  readonly output: string
  readonly complaints: string
  /** undefined while it runs. */
  readonly status: number | NodeJS.Signals | undefined
  /** Resolves when it has ended, to its exit status or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
}

/** What a hook of node:test is registered with: a test's context. */
interface Ending {
  after(hook: () => Promise<void>): void
}

/** A folder, loopback addresses and programs of one test; all is gone after it. */
export class Ground {
  readonly folder = mkdtempSync(join(tmpdir(), 'fettle-real-'))
  /** Three numbers of 127.0.0.0/8 that nobody else has, so that every port of `127.a.b.*` is free. */
  readonly #net = `127.${77 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 256)}`
  readonly #running: Running[] = []
  #namespace: Running | undefined

  constructor(test: Ending) {
    test.after(() => this.#end())
  }

  /** An address of this test's own on the loopback interface. */
  address(host: number): string {
    return `${this.#net}.${host}`
  }

  /** Starts a program, in the namespace if this ground has one. */
  start(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Running {
    // Should this process be killed before its hooks run, the kernel ends the program as well.
    const words = [find('setpriv'), '--pdeathsig', 'SIGKILL', ...this.#enter(), command, ...args]
    // What fettle says is read here as a person would; its page is where nobody else's is.
    const env = { ...process.env, FETTLE_LOG_FORMAT: 'text', FETTLE_HTTP: `${this.address(1)}:0`, ...more }
    const child = spawn(words[0]!, words.slice(1), { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const running = follow(child)
    this.#running.push(running)
    return running
  }

  #enter(): string[] {
    const namespace = this.#namespace
    if (namespace === undefined) return []
    const user = isRoot() ? [] : ['--user', '--preserve-credentials']
    return [find('nsenter'), `--target=${namespace.pid}`, '--net', ...user, '--']
  }

  /**
   * From now on programs start in a network of their own, whose TCP connections hold about `sendBytes` where they are
   * written and as little as the kernel allows where they are read: events soon fill one. Needs root, or a kernel that
   * lets users make namespaces.
   */
  async enterNarrowNetwork(sendBytes: number): Promise<void> {
    const setting = '/proc/sys/net/ipv4'
    const script = [
      `"${find('ip')}" link set lo up`,
      `echo 4096 4096 4096 > ${setting}/tcp_rmem`,
      `echo 4096 ${sendBytes} ${sendBytes} > ${setting}/tcp_wmem`,
      'echo ready',
      'exec sleep infinity',
    ].join(' && ')
    const unshare = [...(isRoot() ? [] : ['--map-root-user']), '--net', '--', '/bin/sh', '-c', script]
    const holder = this.start(find('unshare'), unshare)
    await until('a network namespace', () => holder.output.includes('ready') || holder.status !== undefined)
    if (holder.status !== undefined) throw new Error(`no network namespace can be made here: ${holder.complaints}`)
    this.#namespace = holder
  }

  /** Ends what was started last first, so that nothing waits for what is gone already. */
  async #end(): Promise<void> {
    for (const running of this.#running.toReversed()) {
      running.kill('SIGKILL')
      await running.ended
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const isRoot = () => process.getuid?.() === 0

function follow(child: ChildProcess): Running {
  const texts = { output: '', complaints: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    texts.output += text
    texts.complaints += text
  })
  const status = (): number | NodeJS.Signals | undefined => child.exitCode ?? child.signalCode ?? undefined
  // 'close' comes when all that it printed was read.
  const ended = once(child, 'close').then(() => status() ?? 'SIGKILL')
  return {
    pid: child.pid!,
    get output() {
      return texts.output
    },
    get complaints() {
      return texts.complaints
    },
    get status() {
      return status()
    },
    ended,
    // Never by number alone once it has ended: the number may be another's by then.
    kill(signal) {
      if (status() !== undefined) return
      // A stopped process takes no other signal than this one until it goes on.
      child.kill(signal)
    },
  }
}

const POLL_MS = 25

type Found<T> = T | undefined | false | null

/** Waits until the condition gives something, and returns that; fails after `seconds`, saying what was waited for. */
export async function until<T>(what: string, condition: () => Found<T> | Promise<Found<T>>, seconds = 20): Promise<T> {
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const found = await condition()
    if (found !== undefined && found !== false && found !== null) return found
    if (performance.now() > deadline) throw new Error(`after ${seconds} s there was still not: ${what}`)
    await wait(POLL_MS)
  }
}

/** As `ended`, with a limit. */
export async function exitOf(running: Running, seconds = 20): Promise<number | NodeJS.Signals> {
  await until(`the end of process ${running.pid}\n${running.output}`, () => running.status !== undefined, seconds)
  return running.ended
}
