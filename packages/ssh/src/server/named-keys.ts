/** Where names of hosts decide who may log in, which fits only where sshd looks names up: keys, and pam_access. */
import { isAbsolute, join } from 'node:path'
import { hasNamedFrom, namedAccess } from '../core/server/config.ts'
import type { PamLine } from '../core/server/pam.ts'
import { textOf } from './processes.ts'
import { onDisk } from './sshd.ts'

const USERS_MAX = 5000
const USUAL = ['.ssh/authorized_keys', '.ssh/authorized_keys2']

/** `effective`: settings of sshd. The users are those of /etc/passwd: a directory may have more of them. */
export function namedKeys(effective: ReadonlyMap<string, readonly string[]>): string[] {
  const patterns = effective.get('authorizedkeysfile')?.[0]?.split(' ') ?? USUAL
  const users = (textOf('/etc/passwd') ?? '').split('\n').slice(0, USERS_MAX)
  const files = users.flatMap((line) => {
    const [name, , , , , home] = line.split(':')
    return name === undefined || home === undefined ? [] : patterns.map((one) => fileOf(one, name, home))
  })
  return Array.from(new Set(files)).filter((file) => hasNamedFrom(onDisk.text(file) ?? ''))
}

function fileOf(pattern: string, name: string, home: string): string {
  const path = pattern.replaceAll(/%([hu%])/g, (_, letter) => ({ h: home, u: name })[letter as 'h'] ?? '%')
  return isAbsolute(path) ? path : join(home, path)
}

/** The lines, `/etc/security/access.conf:12`. */
export function namedRules(stack: readonly PamLine[]): string[] {
  const uses = stack.filter(({ module }) => module === 'pam_access')
  const files = uses.map(({ args }) => args.find((one) => one.startsWith('accessfile='))?.slice('accessfile='.length))
  return Array.from(new Set(files.map((file) => file ?? '/etc/security/access.conf'))).flatMap((file) =>
    namedAccess(onDisk.text(file) ?? '').map((line) => `${file}:${line}`),
  )
}
