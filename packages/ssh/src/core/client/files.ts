/** Where in the client's own files a setting stands. */
import type { Evidence } from '@fettle/report'
import type { PhaseKind } from '../phase.ts'
import type { ClientFile } from './facts.ts'

/** What is set to make a phase wait. */
const SET_BY: Readonly<Partial<Record<PhaseKind, RegExp>>> = {
  client: /^(match)[ \t=].*\bexec\b/i,
  proxy: /^(proxycommand|proxyjump)\b/i,
  gssapi: /^(gssapiauthentication)\b.*yes/i,
  hostkey: /^(verifyhostkeydns(?=\b.*(?:yes|ask))|knownhostscommand)\b/i,
  xauth: /^(forwardx11|forwardx11trusted|xauthlocation)\b/i,
  agent: /^(identityagent|pkcs11provider)\b/i,
}
/** Commands may hold what is nobody's business. */
const SHOWN_WHOLE = /^(?:gssapi|verify|forwardx11)/i

/** Whether a file of the client may make this phase wait. */
export const isSetInFiles = (kind: PhaseKind): boolean => SET_BY[kind] !== undefined

/** The lines by which a setting is made, as evidence. */
export function setBy(kind: PhaseKind, files: readonly ClientFile[]): Evidence[] {
  const pattern = SET_BY[kind]
  if (pattern === undefined) return []
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((raw, i) => {
      const line = raw.trim()
      const name = pattern.exec(line)?.[1]
      if (name === undefined) return []
      return [{ source: `${path}:${i + 1}`, text: SHOWN_WHOLE.test(name) ? line : `${name} ... (not shown)` }]
    }),
  )
}
