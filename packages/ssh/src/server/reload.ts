/** Lets the sshd that waits for connections read its settings anew. Sessions that are open stay. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Unseen } from '@fettle/check'
import { linkOf, listeners, processOf, startWords } from './processes.ts'
import { run } from './run.ts'
import { readFileOfOthers } from './trust.ts'

const SYSTEMD = '/run/systemd/system'
const UNITS = ['ssh.service', 'sshd.service']
const SECONDS = 30
const ANEW_MS = 50
const ANEW = 100
const PID_BYTES = 100

export interface Serving {
  /** Null: nobody waits for connections, or a socket of systemd does. */
  readonly pid: number | null
  /** Of systemd; null: it is not its. */
  readonly unit: string | null
  readonly at: readonly { readonly address: string; readonly port: number }[]
  readonly inodes: readonly string[]
  /** What it was started with, which counts more than any file. */
  readonly words: readonly string[]
}

/** `pidFile`: where the one stands that is meant, if there are several. Throws Unseen: it does not stand there. */
export async function serving(pidFile: string | null): Promise<Serving> {
  const all = listeners()
  const told = pidFile === null ? null : Number(readFileOfOthers(pidFile, PID_BYTES)?.toString().trim())
  const one = told === null ? all[0] : all.find(({ pid }) => pid === told)
  if (told !== null && one === undefined) throw new Unseen(`${pidFile}: no sshd that listens has the number in it`)
  const unit = await unitOf(one?.pid ?? null)
  if (one === undefined) return { pid: null, unit, at: [], inodes: [], words: [] }
  return { ...one, unit, words: startWords(one.pid) }
}

/** The one that has started this process; or, without one, that has started any. */
async function unitOf(pid: number | null): Promise<string | null> {
  if (!existsSync(SYSTEMD)) return null
  for (const unit of UNITS) {
    const { output } = await run(['systemctl', 'show', '--property=MainPID', unit], { seconds: SECONDS })
    const main = Number(/^MainPID=(\d+)$/m.exec(output)?.[1] ?? 0)
    if (main !== 0 && main === (pid ?? main)) return unit
  }
  return null
}

/** Returns why it could not; null: it has, or nobody is there to be told. */
export async function reload(sshd: Serving): Promise<string | null> {
  const failure = sshd.unit === null ? hangUp(sshd.pid) : await reloadUnit(sshd.unit)
  if (failure === null) await begunAnew(sshd)
  return failure
}

async function reloadUnit(unit: string): Promise<string | null> {
  const { status, complaints, isCut } = await run(['systemctl', 'reload', unit], { seconds: SECONDS })
  if (status === 0) return null
  return isCut ? `systemctl reload ${unit} does not end` : complaints.trim().split('\n')[0] || `${unit} does not reload`
}

function hangUp(pid: number | null): string | null {
  if (pid === null) return null
  // The number may be another's by now.
  if (basename(linkOf(`/proc/${pid}/exe`) ?? '').replace(/ \(deleted\)$/, '') !== 'sshd')
    return `process ${pid} is no sshd`
  process.kill(pid, 'SIGHUP')
  return null
}

/** Until it listens with other sockets: before that the old settings would be tried. Those of systemd stay. */
async function begunAnew({ pid, inodes }: Serving): Promise<void> {
  for (let i = 0; pid !== null && i < ANEW; i++) {
    await wait(ANEW_MS)
    const one = listeners().find((other) => other.pid === pid)
    if (one !== undefined && !one.inodes.some((inode) => inodes.includes(inode))) return
    if (one === undefined && processOf(pid) === undefined) return
  }
}

/** The settings before were put back: it reads them, and is started if it has ended. Returns why it is not there. */
export async function recover(sshd: Serving): Promise<string | null> {
  if (sshd.pid === null || processOf(sshd.pid) !== undefined) return await reload(sshd)
  if (sshd.unit === null) return 'sshd has ended; start it'
  const { status } = await run(['systemctl', 'restart', sshd.unit], { seconds: SECONDS })
  return status === 0 ? null : `${sshd.unit} does not start`
}
