/** `CONFIG GET *`: what a Redis is set to. */
import { type Reply, readReplies } from './reply.ts'

/** Names and values. */
export type Settings = ReadonlyMap<string, string>

/** Of these nobody needs to know more than whether there is one. */
const SECRETS: ReadonlySet<string> = new Set([
  'requirepass',
  'masterauth',
  'tls-key-file-pass',
  'tls-client-key-file-pass',
])
/** What stands in place of a secret. */
const HIDDEN = '(set)'
/** Names as Redis writes them; a list of pairs with one of these is a list of settings, whichever were asked for. */
const NAME = /^[a-z][a-z0-9-]*$/
const KNOWN: ReadonlySet<string> = new Set([
  'bind',
  'client-output-buffer-limit',
  'maxmemory',
  'maxmemory-policy',
  'protected-mode',
  'requirepass',
  'save',
  'slowlog-log-slower-than',
  'timeout',
])

/** Settings from a reply: name, value, name, value. */
export function settingsOf(words: readonly string[]): Settings {
  const settings = new Map<string, string>()
  for (let i = 0; i + 1 < words.length; i += 2) {
    const [name, value] = [words[i]!.toLowerCase(), words[i + 1]!]
    settings.set(name, SECRETS.has(name) && value !== '' ? HIDDEN : value)
  }
  return settings
}

/** The settings in the text, as redis-cli prints them for people. */
export function readSettings(text: string): Settings {
  return settingsOf(readReplies(text).flatMap((list) => (isSettings(list) ? list : [])))
}

function isSettings(list: Reply): list is readonly string[] {
  if (!Array.isArray(list) || list.length % 2 !== 0) return false
  if (!list.every((word) => typeof word === 'string')) return false
  const names = list.filter((_, i) => i % 2 === 0) as string[]
  return names.every((name) => NAME.test(name)) && names.some((name) => KNOWN.has(name))
}

/** As Redis has it by default. */
const SLOW_USEC = 10_000

/** What is slow, in seconds; infinite where nothing is logged at all. Who logs everything does not call it slow. */
export function slowSeconds(settings: Settings): number {
  const usec = Number(settings.get('slowlog-log-slower-than') ?? SLOW_USEC)
  return usec < 0 ? Infinity : (usec || SLOW_USEC) / 1e6
}
