/** A machine of a lab: a network, a mount table, processes and a name of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { find, type Ground, type Running, until } from '../harness.ts'

/** Folders that each machine has for itself, where everything that a login reads or writes is. */
const OWN = ['/etc', '/run', '/var/log'] as const

/** What came of a program that has run to its end, or to its limit. */
export interface Ran {
  /** 'SIGKILL': it was still running after its limit. */
  readonly status: number | NodeJS.Signals
  readonly output: string
  readonly complaints: string
  /** From its start to its end. */
  readonly seconds: number
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What it reads from its standard input; nothing if left out. */
  readonly input?: string
  readonly limitSeconds?: number
  /** Instead of root. */
  readonly user?: string
  /** It goes before others who want the CPU: how long it takes is measured, or is part of what is. */
  readonly isUrgent?: true
}

const URGENT = ['/usr/bin/nice', '-n', '-15']

const LIMIT_SECONDS = 400
/** Nobody reads more of what a program prints. */
const OUTPUT_MAX = 4 * 2 ** 20
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export class Machine {
  readonly name: string
  readonly folder: string
  readonly #ground: Ground
  readonly #holder: Running

  private constructor(ground: Ground, name: string, holder: Running) {
    this.#ground = ground
    this.#holder = holder
    this.name = name
    this.folder = join(ground.folder, name)
  }

  /** `files`: texts by path, there from the beginning. */
  static async start(ground: Ground, name: string, files: Readonly<Record<string, string>>): Promise<Machine> {
    const folder = join(ground.folder, name)
    for (const path of OWN) mkdirSync(join(folder, path), { recursive: true })
    mkdirSync(join(folder, 'home/root'), { recursive: true })
    const script = [
      // Programs are the real machine's, and these two say where some of them are.
      `cp -a /etc/ld.so.cache /etc/alternatives "${join(folder, 'etc')}"`,
      ...OWN.map((path) => `mount --bind "${join(folder, path)}" ${path}`),
      'mkdir -p /run/sshd /run/lock && chmod 755 /run/sshd',
      `"${find('ip')}" link set lo up`,
      `echo ${name} > /proc/sys/kernel/hostname`,
      'echo ready',
      // The first process takes in the orphans; "sleep" alone would never wait for them.
      'sleep infinity & wait',
    ].join('\n')
    const spaces = ['--mount', '--net', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc']
    const holder = ground.start(find('unshare'), [...spaces, '--', '/bin/sh', '-ec', script])
    const machine = new Machine(ground, name, holder)
    for (const [path, text] of Object.entries(files)) machine.write(path, text)
    await until(`the machine ${name}`, () => holder.output.includes('ready') || holder.status !== undefined)
    if (holder.status !== undefined) {
      throw new Error(`no machine of its own can be made here, which takes root: ${holder.complaints.trim()}`)
    }
    return machine
  }

  /** The process whose network and mounts are the machine's. */
  get pid(): number {
    return this.#holder.pid
  }

  /** Ends all of its processes at once. */
  stop(): void {
    this.#holder.kill('SIGKILL')
  }

  /** The home folder of a user, the same path inside and outside. */
  home(user: string): string {
    return join(this.folder, 'home', user)
  }

  /** Where a path of the machine is for everybody else. */
  outside(path: string): string {
    return OWN.some((own) => path.startsWith(`${own}/`)) ? join(this.folder, path) : path
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = this.outside(path)
    if (!existsSync(dirname(file))) mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
    chmodSync(file, mode) // whatever the mask is
  }

  read(path: string): string {
    return readFileSync(this.outside(path), 'utf8')
  }

  replace(path: string, part: string, by: string): void {
    this.write(path, this.read(path).replaceAll(part, by))
  }

  /** A script that a shell runs. */
  script(path: string, ...lines: readonly string[]): void {
    this.write(path, `${['#!/bin/sh', ...lines].join('\n')}\n`, 0o755)
  }

  /** Starts a program that goes on until the test is over. */
  start(words: readonly string[], options: RunOptions = {}): Running {
    const [command, ...args] = this.#words(words, options)
    return this.#ground.start(command!, args)
  }

  /** Starts a program in the machine's network only: its files and processes are the test's. */
  startBeside(words: readonly string[]): Running {
    return this.#ground.start(find('nsenter'), [`--target=${this.pid}`, '--net', '--', ...URGENT, ...words])
  }

  async run(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const { input, limitSeconds = LIMIT_SECONDS } = options
    const [command, ...args] = ['--pdeathsig', 'SIGKILL', ...this.#words(words, options)]
    const began = performance.now()
    const child = spawn(find('setpriv'), [command!, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {}) // it need not read what it is told
    child.stdin.end(input ?? '')
    const texts = [child.stdout, child.stderr].map(textOf)
    const timer = setTimeout(() => child.kill('SIGKILL'), limitSeconds * 1000)
    await closed(child)
    clearTimeout(timer)
    const [output = '', complaints = ''] = texts.map((text) => text())
    const status = child.exitCode ?? child.signalCode ?? 'SIGKILL'
    return { status, output, complaints, seconds: (performance.now() - began) / 1000 }
  }

  #words(words: readonly string[], { env = {}, user, isUrgent }: RunOptions): string[] {
    const target = this.pid
    const enter = [
      `--target=${target}`,
      '--mount',
      '--net',
      '--uts',
      '--ipc',
      `--pid=/proc/${target}/ns/pid_for_children`,
    ]
    const home = this.home(user ?? 'root')
    const variables = { PATH, HOME: home, USER: user ?? 'root', LANG: 'C.UTF-8', TERM: 'xterm', ...env }
    const settings = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
    const who = user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups']
    // nsenter stays outside, as a parent: the program has to notice its end by itself.
    const inner = [find('setpriv'), '--pdeathsig', 'SIGKILL', ...who, ...(isUrgent ? URGENT : []), ...words]
    return [find('nsenter'), ...enter, '--', '/usr/bin/env', '-i', '-C', home, ...settings, ...inner]
  }
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (more: string) => {
    if (text.length < OUTPUT_MAX) text += more
  })
  return () => text
}

async function closed(child: ChildProcess): Promise<void> {
  await once(child, 'close')
}
