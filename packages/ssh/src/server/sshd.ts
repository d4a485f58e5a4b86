/** What sshd itself says of its settings, and its files. */
import { existsSync, globSync, mkdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { Unseen } from '@fettle/check'
import { type Config, type ConfigFiles, readConfig, readEffective } from '../core/server/config.ts'
import { exeOf, listeners } from './processes.ts'
import { find, run } from './run.ts'
import { readFileOfOthers } from './trust.ts'

/** Nobody's settings are larger. */
const BYTES_MAX = 1024 * 1024
const ASK_SECONDS = 20

export interface Sshd {
  readonly program: string
  readonly canInclude: boolean
}

/** Throws Unseen. */
export async function findSshd(): Promise<Sshd> {
  const program = listeningProgram() ?? find('sshd')
  if (program === undefined) {
    throw new Unseen('sshd: is not on this machine; run this on the server, or give user@host in place of --server')
  }
  const { complaints, output } = await run([program, '-V'], { seconds: ASK_SECONDS })
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(complaints + output) ?? []
  return { program, canInclude: !(Number(major) * 100 + Number(minor) < 802) }
}

/** There may be two of them on a machine: the one that listens is meant. */
function listeningProgram(): string | undefined {
  const [listener] = listeners()
  const path = listener === undefined ? undefined : exeOf(listener.pid)
  return path !== undefined && existsSync(path) ? path : undefined
}

/** Throws Unseen, for whoever is not root sees too little of it and may change nothing. */
export function asRoot(command: string): void {
  if (process.getuid?.() !== 0)
    throw new Unseen(`fettle ${command}: needs root, to read what sshd reads; run it by sudo`)
}

export const onDisk: ConfigFiles = {
  text(file) {
    return readFileOfOthers(file, BYTES_MAX)?.toString('latin1')
  },
  files: (pattern) => filesFor(pattern),
}

/** As glob(3) does: in the order of bytes, and nothing that begins with a dot. */
function filesFor(pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern]
  try {
    const found = globSync(basename(pattern), { cwd: dirname(pattern) })
    return found
      .filter((name) => !name.startsWith('.'))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((name) => `${dirname(pattern)}/${name}`)
  } catch {
    return []
  }
}

export const configOf = (file: string): Config => readConfig(file, onDisk)

/** Why it does not take these settings, in its words; null: it does. */
export async function refusalOf(sshd: Sshd, config: string): Promise<string | null> {
  const words = [sshd.program, '-t', '-f', config]
  const { status, complaints, problem } = await run(words, { seconds: ASK_SECONDS })
  if (status === 0) return null
  // Where sshd is started for each connection, it is there only meanwhile, made by systemd as here.
  const [, missing] = /Missing privilege separation directory: (\/run\/\S+)/.exec(complaints) ?? []
  if (missing !== undefined && !existsSync(missing)) {
    mkdirSync(missing, { mode: 0o755 })
    return await refusalOf(sshd, config)
  }
  return complaints.trim().split('\n').at(-1)?.trim() || (problem ?? 'sshd -t gives no reason')
}

export interface Connection {
  readonly user: string
  readonly address: string | undefined
}

/** Each setting as it is for this connection, or for any. */
export async function effectiveOf({ program }: Sshd, config: string, of: Connection | null) {
  const words = [program, '-T', '-f', config]
  const { user, address = '127.0.0.1' } = of ?? { user: '' }
  const more = of === null ? [] : ['-C', `user=${user},host=${address},addr=${address},laddr=127.0.0.1,lport=22`]
  const first = await run([...words, ...more], { seconds: ASK_SECONDS })
  // Older ones know neither laddr nor lport.
  const { output } = first.status === 0 || of === null ? first : await run(words, { seconds: ASK_SECONDS })
  return readEffective(output)
}
