/** The stack of PAM that sshd of this machine comes through. */
import type { PamSeen } from '../core/server/facts.ts'
import { readPam } from '../core/server/pam.ts'
import { textOf } from './processes.ts'

/** `effective`: settings of sshd, of which newer ones name the service (PAMServiceName, 9.8). */
export function pamStack(effective: ReadonlyMap<string, readonly string[]>): PamSeen {
  const service = effective.get('pamservicename')?.[0] ?? 'sshd'
  const stack = readPam(service, (name) => {
    const files = name.startsWith('/') ? [name] : [`/etc/pam.d/${name}`, `/usr/lib/pam.d/${name}`]
    for (const file of files) {
      const text = textOf(file)
      if (text !== undefined) return { file, text }
    }
    return undefined
  })
  return { service, stack }
}
