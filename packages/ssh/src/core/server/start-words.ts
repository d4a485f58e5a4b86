/** What sshd was started with (sshd(8)), which counts more than any file. */

import { optionsOf } from '../options.ts'

export interface Start {
  /** After -f; undefined: it reads its usual file. */
  readonly config: string | undefined
  /** Names of settings after -o, in small letters. */
  readonly given: readonly string[]
}

/** Letters that have something after them, in the same word or in the next. */
const TAKING = 'CEbcfghkopu'

export function readStart(words: readonly string[]): Start {
  const options = optionsOf(words, TAKING)
  const valuesOf = (wanted: string) => options.flatMap(({ letter, value }) => (letter === wanted ? [value ?? ''] : []))
  return {
    config: valuesOf('f').at(-1),
    given: valuesOf('o').map((setting) => setting.split(/[=\s]/)[0]!.toLowerCase()),
  }
}
