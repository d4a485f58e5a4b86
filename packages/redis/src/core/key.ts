/** Which kind of key a command is about. */
import { patternOf } from './pattern.ts'

/** What stands behind these is no key. */
const KEYLESS: ReadonlySet<string> = new Set(
  'auth client config dbsize exec flushall flushdb hello info monitor multi ping publish save select slowlog'.split(
    ' ',
  ),
)
/** `EVAL script numkeys key ...` */
const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'evalsha', 'eval_ro', 'evalsha_ro', 'fcall', 'fcall_ro'])

/** The pattern of a command's first key, or the key itself; empty: it has none. */
export function keyOf(words: readonly string[], isShown = false): string {
  const command = words[0]!.toLowerCase()
  if (KEYLESS.has(command)) return ''
  const isScript = SCRIPTS.has(command)
  const key = (isScript ? (Number(words[2]) > 0 ? words[3] : undefined) : words[1]) ?? ''
  return isShown ? key : patternOf(key)
}
