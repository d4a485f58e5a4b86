/** Whether one can log in: asked of the real sshd as far as it goes without a key, and of one of ours all the way. */
import { setTimeout as wait } from 'node:timers/promises'
import { tryLogin } from './login.ts'
import type { Serving } from './reload.ts'
import { find, type Person, run } from './run.ts'
import type { Sshd } from './sshd.ts'

export interface Tried {
  /** What it offers after the key exchange; null: it does not come so far, or nobody waits for connections. */
  readonly methods: readonly string[] | null
  /** Why a whole login does not work; null: it does. */
  readonly refused: string | null
}

const ASK_SECONDS = 60
const LOGIN_SECONDS = 125
/** After a reload it may take a moment until it is there again. */
const AGAIN_MS = 250
const AGAIN = 20

export async function methodsOf({ at }: Serving, user: string): Promise<readonly string[] | null> {
  const ssh = find('ssh')
  const [first] = at
  if (ssh === undefined || first === undefined) return null
  const end = Date.now() + ASK_SECONDS * 1000
  for (let i = 0; i < AGAIN && Date.now() < end; i++) {
    const methods = await methodsAt(ssh, hostOf(first.address), first.port, user)
    if (methods === 'penalty') return null
    if (methods !== null) return methods
    await wait(AGAIN_MS)
  }
  return null
}

const hostOf = (address: string) => (address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address)

/** What ssh -v says that sshd offers; 'penalty': sshd takes none from here for a while (PerSourcePenalties). */
export function methodsIn(complaints: string): readonly string[] | 'penalty' | null {
  const list = /^debug1: Authentications that can continue: (\S+)/m.exec(complaints)?.[1]
  if (list !== undefined) return list.split(',')
  return /Not allowed at this time/.test(complaints) ? 'penalty' : null
}

async function methodsAt(ssh: string, host: string, port: number, user: string) {
  const options = [
    'BatchMode=yes',
    'PreferredAuthentications=none',
    'UserKnownHostsFile=/dev/null',
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=no',
    'IdentityAgent=none',
    'ControlPath=none',
    'ConnectTimeout=30',
  ]
  const words = options.flatMap((one) => ['-o', one])
  const args = ['-v', '-F', '/dev/null', ...words, '-p', `${port}`, '-l', user, host, 'true']
  const { complaints } = await run([ssh, ...args], { seconds: ASK_SECONDS })
  return methodsIn(complaints)
}

export async function whyNoLogin(
  sshd: Sshd,
  config: string,
  person: Person,
  signal: AbortSignal,
): Promise<string | null> {
  const { program, canInclude } = sshd
  const more = { seconds: LOGIN_SECONDS, isWatched: false, signal }
  const { isIn, why } = await tryLogin({ sshd: program, canInclude, config, person, ...more })
  return isIn ? null : (why ?? 'for no reason that is told')
}

/** What is worse than it was; null: nothing is. That GSSAPI is not offered any more may be what was wanted. */
export function worse(before: Tried, after: Tried): string | null {
  if (before.refused === null && after.refused !== null) return `a login does not work any more: ${after.refused}`
  if (before.methods !== null && after.methods === null) return 'sshd does not answer any more'
  const gone = (before.methods ?? []).filter(
    (one) => !one.startsWith('gssapi') && after.methods?.includes(one) === false,
  )
  return gone.length === 0 ? null : `${gone.join(', ')} is not offered any more`
}
