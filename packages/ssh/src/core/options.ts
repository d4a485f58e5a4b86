/** What a program was started with, or shall be. */

export interface Option {
  /** Empty: it is no option. */
  readonly letter: string
  readonly value?: string
  /** As it may be given by itself. */
  readonly words: readonly string[]
}

/**
 * One by one, as getopt(3) reads them: letters may stand together, and the value of one that is `taking` in the same
 * word or the next.
 */
export function optionsOf(words: readonly string[], taking: string): Option[] {
  const options: Option[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!/^-[^-]/.test(word)) {
      options.push({ letter: '', words: [word] })
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      if (!taking.includes(letter)) {
        options.push({ letter, words: [`-${letter}`] })
        continue
      }
      const value = at + 1 < word.length ? word.slice(at + 1) : words[++i]
      options.push(value === undefined ? { letter, words: [word] } : { letter, value, words: [`-${letter}`, value] })
      break
    }
  }
  return options
}
