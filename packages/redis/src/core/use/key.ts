/** Which kind of key a command is about. */
import { patternOf } from './pattern.ts'

const setOf = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** What stands behind these is no key. */
const KEYLESS = setOf(
  'auth client config dbsize exec flushall flushdb hello info monitor multi ping publish save select slowlog',
)
/** Where the first key stands, if not right behind the command. `EVAL script numkeys key ...` */
const PLACES: ReadonlyMap<string, number> = new Map([
  ...Array.from(setOf('eval evalsha eval_ro evalsha_ro fcall fcall_ro blmpop bzmpop'), (name) => [name, 3] as const),
  ...Array.from(
    setOf('bitop debug memory object xgroup xinfo lmpop zmpop zdiff zinter zintercard zunion sintercard'),
    (name) => [name, 2] as const,
  ),
])
/** Behind this word it stands in these, if the word is there. */
const MARKS: ReadonlyMap<string, string> = new Map([
  ['scan', 'match'],
  ['xread', 'streams'],
  ['xreadgroup', 'streams'],
])

/** MONITOR tells keys of any length; the slow log cuts them before. */
const KEY_MAX = 200

/** The pattern of a command's first key, or the key itself; of SCAN what it looks for. Empty: it has none. */
export function keyOf(words: readonly string[], isShown = false): string {
  const key = firstKey(words[0]!.toLowerCase(), words)?.slice(0, KEY_MAX) ?? ''
  return isShown ? key : patternOf(key)
}

function firstKey(command: string, words: readonly string[]): string | undefined {
  if (KEYLESS.has(command)) return undefined
  const mark = MARKS.get(command)
  if (mark !== undefined) {
    const at = words.findIndex((word, i) => i > 0 && word.toLowerCase() === mark)
    return at < 0 ? undefined : words[at + 1]
  }
  const place = PLACES.get(command) ?? 1
  // What counts the keys stands right before them.
  return place === 3 && !(Number(words[2]) > 0) ? undefined : words[place]
}
