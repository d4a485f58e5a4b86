/** A program that is run for a while: its words, its time, and no longer than it may take. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, chmodSync, constants, mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { Unseen } from '@fettle/check'
import { isSharedByRoot, type Owned } from '../core/server/trust.ts'
import type { Piece } from '../core/trace.ts'
import { isAllTheWay } from './trust.ts'

export interface Ran {
  /** Null: it was ended, or never began. */
  readonly status: number | null
  readonly seconds: number
  readonly output: string
  readonly complaints: string
  /** It took longer than it may, and was ended with all that it had started. */
  readonly isCut: boolean
  /** Why it could not begin; null: it did. */
  readonly problem: string | null
  /** What it told on descriptor 3, and when; in seconds since the epoch. */
  readonly trace: readonly Piece[]
  readonly ended: number
}

export interface RunOptions {
  readonly seconds: number
  readonly environment?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly signal?: AbortSignal
  /** Descriptor 3 is listened to. */
  readonly isTraced?: boolean
  /** What it prints is of no interest, and may be much. */
  readonly isMute?: boolean
}

const BYTES_MAX = 4 * 1024 * 1024
/** What it has left in the background may hold its output open. */
const REST_MS = 200

export async function run(words: readonly string[], options: RunOptions): Promise<Ran> {
  const [program = '', ...args] = words
  const print = options.isMute === true ? 'ignore' : 'pipe'
  const began = performance.now()
  const child = spawn(program, args, {
    stdio: ['ignore', print, print, options.isTraced === true ? 'pipe' : 'ignore'],
    env: { ...(options.environment ?? process.env) },
    cwd: options.folder ?? '/',
    detached: true,
  })
  const texts = [child.stdout, child.stderr].map(kept)
  const trace = pieces(options.isTraced === true ? (child.stdio[3] as Readable) : null)
  const { problem, isCut } = await endOf(child, options)
  const seconds = (performance.now() - began) / 1000
  const ended = Date.now() / 1000
  await closed(child)
  // What it has left in the background is nobody's.
  endGroup(child)
  const [output, complaints] = texts.map((text) => text())
  return { status: child.exitCode, seconds, output: output!, complaints: complaints!, isCut, problem, trace, ended }
}

/** What is read of a stream, as far as it is kept. */
function kept(stream: Readable | null): () => string {
  const parts: Buffer[] = []
  let left = BYTES_MAX
  stream?.on('data', (part: Buffer) => {
    if (left > 0) parts.push(part.subarray(0, left))
    left -= part.length
  })
  return () => Buffer.concat(parts).toString('utf8')
}

function pieces(stream: Readable | null): Piece[] {
  const all: Piece[] = []
  let left = BYTES_MAX
  stream?.setEncoding('utf8').on('data', (text: string) => {
    left -= text.length
    if (left > 0) all.push({ at: Date.now() / 1000, text })
  })
  return all
}

function endOf(child: ChildProcess, { seconds, signal }: RunOptions): Promise<Pick<Ran, 'problem' | 'isCut'>> {
  return new Promise((resolve) => {
    let isCut = false
    const cut = () => {
      isCut = true
      endGroup(child)
    }
    const timer = setTimeout(cut, seconds * 1000)
    signal?.addEventListener('abort', cut)
    const done = (problem: string | null) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cut)
      resolve({ problem, isCut })
    }
    child.once('error', (error) => done((error as NodeJS.ErrnoException).code ?? error.message))
    child.once('exit', () => done(null))
    if (signal?.aborted === true) cut()
  })
}

/** All that it has started and that has not left its group. */
export function endGroup({ pid }: ChildProcess, how: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, how)
  } catch {}
}

async function closed(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, REST_MS)
    child.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    if (child.pid === undefined || child.stdio.every((one) => one === null || one === undefined || one.destroyed)) {
      clearTimeout(timer)
      resolve()
    }
  })
  for (const stream of child.stdio) stream?.destroy()
}

/** The program's path; undefined: this machine does not have it. */
export function find(name: string): string | undefined {
  // A user's PATH on Debian lacks the last ones.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return folders
    .filter((one) => one.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A folder of our own that users come through, who are not root; what is made there says who may read it. Throws. */
export function passableFolder(prefix: string): string {
  const parent = [tmpdir(), '/tmp', '/var/tmp', '/run'].find(isPassable)
  if (parent === undefined) throw new Unseen('/tmp: is no folder that users may come through; set TMPDIR to one')
  const folder = mkdtempSync(join(realpathSync(parent), prefix))
  chmodSync(folder, 0o711)
  return folder
}

/** Some systems give each user a closed one (pam_tmpdir); in one of a user ours could be replaced by theirs. */
const isPassable = (folder: string): boolean =>
  isAllTheWay(folder, (one: Owned) => (one.mode & 0o001) !== 0 && isSharedByRoot(one))

/** Somebody who may log in. */
export interface Person {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly shell: string
}

const WHO_SECONDS = 60

/** As the system knows them. Throws Unseen: it knows nobody of that name, or does not say. */
export async function personOf(name: string, signal: AbortSignal): Promise<Person> {
  const { output, isCut } = await run(['getent', 'passwd', name], { seconds: WHO_SECONDS, signal })
  if (isCut) throw new Unseen(`${name}: getent passwd does not tell who that is; see passwd in /etc/nsswitch.conf`)
  const [known, , uid, gid, , home, shell] = output.split('\n')[0]!.split(':')
  if (known === undefined || shell === undefined) throw new Unseen(`${name}: this machine knows no such user`)
  return { name: known, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' }
}

/** The words that run a command as somebody, with their groups; undefined: this machine has nothing that does. */
export function asPerson({ name, uid, gid }: Person, words: readonly string[]): readonly string[] | undefined {
  if (uid === 0) return words
  const setpriv = find('setpriv')
  if (setpriv !== undefined) return [setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--', ...words]
  const runuser = find('runuser')
  return runuser === undefined ? undefined : [runuser, '-u', name, '--', ...words]
}

/** What sshd gives a session's programs. */
export const environmentOf = ({ name, home, shell }: Person): Readonly<Record<string, string>> => ({
  HOME: home,
  USER: name,
  LOGNAME: name,
  SHELL: shell,
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: process.env.LANG ?? 'C',
})
