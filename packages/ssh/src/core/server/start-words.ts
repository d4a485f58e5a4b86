/** What sshd was started with (sshd(8)), which counts more than any file. */

export interface Start {
  /** After -f; undefined: it reads its usual file. */
  readonly config: string | undefined
  /** Names of settings after -o, in small letters. */
  readonly given: readonly string[]
}

/** Letters that have something after them, in the same word or in the next. */
const TAKING = 'CEbcfghkopu'

/** As getopt(3) takes them apart: `-f FILE`, `-fFILE`, `-Def FILE`. */
export function readStart(words: readonly string[]): Start {
  let config: string | undefined
  const given: string[] = []
  for (let i = 0; i < words.length; i++) {
    const [letter, joined] = takingOf(words[i]!)
    if (letter === undefined) continue
    const value = joined === '' ? (words[++i] ?? '') : joined!
    if (letter === 'f') config = value
    if (letter === 'o') given.push(value.split(/[=\s]/)[0]!.toLowerCase())
  }
  return { config, given }
}

/** The letter of a word that takes something, and what stands after it. */
function takingOf(word: string): [letter?: string, joined?: string] {
  if (!/^-[a-zA-Z0-9]/.test(word)) return []
  const at = Array.from(word).findIndex((one, i) => i > 0 && TAKING.includes(one))
  return at < 0 ? [] : [word[at]!, word.slice(at + 1)]
}
