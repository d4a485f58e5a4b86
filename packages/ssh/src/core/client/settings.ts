/** What `ssh -G` says of the client's own files. */
import type { Settings } from './facts.ts'

/** Lines of `name value`. */
export function readSettings(text: string, seconds: number): Settings {
  const values = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^(\S+) ?(.*)$/.exec(line.trimEnd()) ?? []
    if (name === '') continue
    const known = values.get(name.toLowerCase())
    if (known === undefined) values.set(name.toLowerCase(), [value])
    else known.push(value)
  }
  return { values, seconds }
}
