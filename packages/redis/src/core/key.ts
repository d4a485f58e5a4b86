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

/** The pattern of a command's first key; empty: it has none. */
export function keyOf(words: readonly string[]): string {
  const command = words[0]!.toLowerCase()
  if (KEYLESS.has(command)) return ''
  if (SCRIPTS.has(command)) return Number(words[2]) > 0 ? patternOf(words[3] ?? '') : ''
  return patternOf(words[1] ?? '')
}
