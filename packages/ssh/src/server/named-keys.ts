/** Where names of hosts decide who may log in, which fits only where sshd looks names up: keys, and pam_access. */
import { isAbsolute, join } from 'node:path'
import { type Config, hasNamedFrom, namedAccess, otherSources } from '../core/server/config.ts'
import type { PamLine } from '../core/server/pam.ts'
import { textOf } from './processes.ts'
import { onDisk } from './sshd.ts'

const USERS_MAX = 5000
const USUAL = ['.ssh/authorized_keys', '.ssh/authorized_keys2']

type Effective = ReadonlyMap<string, readonly string[]>

/** `effective`: settings of sshd. The users are those of /etc/passwd. */
export function namedKeys(effective: Effective, { lines }: Config): string[] {
  const matched = lines.filter(({ name }) => name === 'authorizedkeysfile').flatMap(({ values }) => values)
  const patterns = [...(effective.get('authorizedkeysfile')?.[0]?.split(' ') ?? USUAL), ...matched]
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

/** Where there may be more keys, with names of hosts as well, that nobody can look through from here. */
export function unreadKeys(effective: Effective, { lines }: Config): string[] {
  const sources = otherSources(textOf('/etc/nsswitch.conf') ?? '')
  const settings = ['AuthorizedKeysCommand', 'AuthorizedPrincipalsCommand', 'AuthorizedPrincipalsFile']
  const isSet = (value: string | undefined) => value !== undefined && value.toLowerCase() !== 'none'
  const used = settings.filter((one) => {
    const name = one.toLowerCase()
    return isSet(effective.get(name)?.[0]) || lines.some((line) => line.name === name && isSet(line.values[0]))
  })
  return [...sources.map((one) => `passwd: ${one} in /etc/nsswitch.conf`), ...used]
}

/** The lines, `/etc/security/access.conf:12`. */
export function namedRules(stack: readonly PamLine[]): string[] {
  const uses = stack.filter(({ module }) => module === 'pam_access')
  const files = uses.flatMap(({ args }) => {
    const given = args.find((one) => one.startsWith('accessfile='))?.slice('accessfile='.length)
    return given === undefined
      ? ['/etc/security/access.conf', ...onDisk.files('/etc/security/access.d/*.conf')]
      : [given]
  })
  return Array.from(new Set(files)).flatMap((file) =>
    namedAccess(onDisk.text(file) ?? '').map((line) => `${file}:${line}`),
  )
}
