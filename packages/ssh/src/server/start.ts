/** What is run for a user before they can type: the command that tells their keys, and the files of their shell. */
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Unseen } from '@fettle/check'
import type { KeysSeen, RcSeen, UserSeen } from '../core/server/facts.ts'
import { keysCommand } from '../core/server/keys.ts'
import { isRootsAlone } from '../core/server/trust.ts'
import { readTrace, startScript, type TracedLine } from '../core/trace.ts'
import { textOf } from './processes.ts'
import { asPerson, environmentOf, find, type Person, passableFolder, personOf, type Ran, run } from './run.ts'
import { isAllTheWay } from './trust.ts'

const KEYS_SECONDS = 60
const RC_SECONDS = 60

/** `line`: the command as sshd says it; `runner`: its AuthorizedKeysCommandUser. */
export async function timeKeys(line: string, runner: string, person: Person, signal: AbortSignal): Promise<KeysSeen> {
  const words = keysCommand(line, { user: person.name, uid: person.uid, home: person.home, ...strangeKey() })
  const nothing = { seconds: 0, isCut: false, status: null, linksTo: null, as: runner, keys: 0 }
  const file = line.split(' ')[0]!
  if ('problem' in words) return { ...nothing, file, problem: words.problem }
  if (!isAllTheWay(words[0]!, isRootsAlone))
    return { ...nothing, file, problem: 'sshd does not run it: others than root may write it, or a folder above it' }
  const as = await personOrWhy(runner, signal)
  if (typeof as === 'string') return { ...nothing, file, problem: as }
  const run1 = asPerson(as, words)
  if (run1 === undefined)
    return { ...nothing, file, problem: 'neither setpriv nor runuser is here to run it as its user' }
  const ran = await run(run1, { seconds: KEYS_SECONDS, environment: environmentOf(as), signal })
  const keys = ran.output.split('\n').filter((one) => /^[^#\s]/.test(one)).length
  return { ...nothing, ...ran, file, keys, problem: ran.problem }
}

async function personOrWhy(name: string, signal: AbortSignal): Promise<Person | string> {
  try {
    return await personOf(name, signal)
  } catch (error) {
    if (!(error instanceof Unseen)) throw error
    return error.message
  }
}

const WHO_SECONDS = 60
const HELD_UP_SECONDS = 0.2

/** Who it is, and which groups they are in. */
export async function timeUser({ name }: Person, signal: AbortSignal): Promise<UserSeen> {
  const who = await quickest(['getent', 'passwd', name], signal)
  const groups = await quickest(['id', '-G', name], signal)
  const lines = (textOf('/etc/nsswitch.conf') ?? '').split('\n').map((text, i) => ({ line: i + 1, text: text.trim() }))
  return {
    seconds: who.seconds,
    groupsSeconds: groups.seconds,
    isCut: who.isCut || groups.isCut,
    sources: lines.filter(({ text }) => /^(?:passwd|group|initgroups):/.test(text)),
  }
}

/** Of two runs, where the first may only have been held up by others. */
async function quickest(words: readonly string[], signal: AbortSignal): Promise<Ran> {
  const first = await run(words, { seconds: WHO_SECONDS, signal })
  if (first.seconds < HELD_UP_SECONDS || first.isCut) return first
  const second = await run(words, { seconds: WHO_SECONDS, signal })
  return second.seconds < first.seconds ? second : first
}

/** A key that nobody has. */
function strangeKey() {
  const type = 'ssh-ed25519'
  const part = (bytes: Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const blob = Buffer.concat([part(Buffer.from(type)), part(randomBytes(32))])
  const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
  return { type, key: blob.toString('base64'), fingerprint }
}

/** `hasRc`: sshd runs ~/.ssh/rc (PermitUserRC). */
export async function traceShell(person: Person, hasRc: boolean, signal: AbortSignal): Promise<RcSeen> {
  const { shell } = person
  const nothing: RcSeen = { shell, seconds: 0, isCut: false, lines: [], problem: null }
  if (basename(shell) !== 'bash')
    return { ...nothing, problem: `the shell is ${shell}, and only bash tells line by line` }
  if (!existsSync(shell)) return { ...nothing, problem: `${shell} is not there` }
  const folder = passableFolder('fettle-shell-')
  try {
    const login = await traceStart(person, 'login', { file: join(folder, 'login'), hasRc, signal })
    const command = await traceStart(person, 'command', { file: join(folder, 'command'), hasRc: false, signal })
    return { ...login, isCut: login.isCut || command.isCut, lines: longest([...login.lines, ...command.lines]) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Tracing {
  readonly file: string
  readonly hasRc: boolean
  readonly signal: AbortSignal
}

async function traceStart(person: Person, of: 'login' | 'command', { file, hasRc, signal }: Tracing): Promise<RcSeen> {
  const { shell, home } = person
  writeFileSync(file, startScript(of, hasRc))
  chmodSync(file, 0o644)
  const how = of === 'command' ? ['--noprofile', '--norc', file] : ['--noprofile', '--rcfile', file, '-i']
  const words = asPerson(person, [shell, ...how])
  const nothing: RcSeen = { shell, seconds: 0, isCut: false, lines: [], problem: null }
  if (words === undefined) return { ...nothing, problem: 'neither setpriv nor runuser is here to run it as its user' }
  const environment = { ...environmentOf(person), TERM: 'dumb', SSH_CONNECTION: '127.0.0.1 0 127.0.0.1 22' }
  const folder = existsSync(home) ? home : '/'
  const ran = await run(words, { seconds: RC_SECONDS, environment, folder, signal, isTraced: true })
  const lines = readTrace(ran.trace, ran.ended, new Set([file]))
  return { shell, seconds: ran.seconds, isCut: ran.isCut, lines, problem: ran.problem }
}

/** Of a line that both have run, that which took longer. */
function longest(lines: readonly TracedLine[]): TracedLine[] {
  return lines.toSorted((a, b) => b.seconds - a.seconds).filter((one, i, all) => isFirst(all, one, i))
}

const isFirst = (all: readonly TracedLine[], one: TracedLine, i: number) =>
  all.findIndex(({ file, line }) => file === one.file && line === one.line) === i

/** `run-parts --lsbsysinit` as pam_motd of Debian calls it. */
const MOTD_ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }
export const MOTD_FOLDER = '/etc/update-motd.d'
const MOTD_SECONDS = 60

export async function motdScripts(signal: AbortSignal): Promise<string[]> {
  const program = find('run-parts')
  if (program === undefined || !existsSync(MOTD_FOLDER)) return []
  const { output } = await run([program, '--test', '--lsbsysinit', MOTD_FOLDER], { seconds: 10, signal })
  return output.split('\n').filter((line) => line.startsWith('/'))
}

export const timeMotd = (file: string, signal: AbortSignal) =>
  run([file], { seconds: MOTD_SECONDS, environment: MOTD_ENVIRONMENT, signal, isMute: true })
