/** Headers of HTTP that a user gives in a file, because they hold secrets. */
import type { Outcome } from '@fettle/check'

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 9110 5.5; what is beyond ASCII has no meaning that all agree on. */
const VALUE = /^[\t\x20-\x7e]*$/

/** What says how the archive is read, which is not for the user to say. */
const OURS = new Set([
  'range',
  'if-range',
  'if-match',
  'accept-encoding',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'expect',
])

const MAX_LINES = 100

/**
 * Lines `Name: value`; empty ones and those that begin with # mean nothing. A fault never shows what stands in a line:
 * it is secret.
 */
export function readHeaders(text: string): Outcome<Record<string, string>> {
  const lines = text.split(/\r?\n/)
  if (lines.length > MAX_LINES) return { ok: false, faults: [`more than ${MAX_LINES} lines of headers`] }
  const headers: Record<string, string> = {}
  const faults: string[] = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon))
    const value = line.slice(colon + 1).trim()
    const fault = faultOf(name, value, headers)
    if (fault === undefined) headers[name.toLowerCase()] = value
    else faults.push(`line ${index + 1} of the headers: ${fault}`)
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: headers }
}

function faultOf(name: string, value: string, headers: Readonly<Record<string, string>>): string | undefined {
  if (!TOKEN.test(name)) return 'is not Name: value'
  if (!VALUE.test(value)) return 'its value holds characters that no header may hold'
  if (OURS.has(name.toLowerCase())) return 'that header is set by fettle itself; leave it out'
  if (Object.hasOwn(headers, name.toLowerCase())) return 'that header was given before'
  return undefined
}
