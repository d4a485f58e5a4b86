/** Where one logs in, and the options of ssh that one would give. */

export interface Target {
  /** As it is typed: `ops@host`, `ssh://ops@host:2222`. */
  readonly destination: string
  /** Of ssh itself, as they are typed. */
  readonly options: readonly string[]
}

/** Options of ssh that take a value (ssh(1), OpenSSH 9.2). */
const WITH_VALUE = 'BbcDEeFIiJLlmOoPpQRSwW'
/** What makes it another thing than a login, or writes elsewhere. */
const REFUSED = 'EfGMNnOQqSsTtVvWy'
const PORT_MAX = 65_535

/** What is wrong with it, a line each. */
export function faultsOf({ destination, options }: Target): string[] {
  return [...destinationFaults(destination), ...optionFaults(options)]
}

function destinationFaults(destination: string): string[] {
  if (destination === '') return ['ssh check: give a host: fettle ssh check user@host']
  if (destination.startsWith('-')) return [`${destination}: the host comes first, options of ssh after --`]
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  return /[\s\u0000-\u001f\u007f]/.test(destination) ? ['the host: holds blanks or control characters'] : []
}

function optionFaults(words: readonly string[]): string[] {
  for (const { letter, value, words: own } of optionsOf(words)) {
    const word = own[0]!
    if (letter === '') return [`${word}: only options of ssh may follow --, and a command is not run`]
    if (REFUSED.includes(letter)) {
      return [`-${letter}: makes it another login than the one that is measured; leave it out`]
    }
    if (WITH_VALUE.includes(letter) && value === undefined) return [`${word}: its value is missing`]
  }
  return []
}

export interface SshOption {
  /** Empty: it is no option. */
  readonly letter: string
  readonly value?: string
  /** As it may be given by itself. */
  readonly words: readonly string[]
}

/** One by one, as getopt(3) reads them: letters may stand together, and a value in the same word or the next. */
export function optionsOf(words: readonly string[]): SshOption[] {
  const options: SshOption[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!/^-[^-]/.test(word)) {
      options.push({ letter: '', words: [word] })
      continue
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at]!
      if (!WITH_VALUE.includes(letter)) {
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

/** `-p`; undefined: it is no port. */
export function portOf(text: string): string | undefined {
  const port = Number(text)
  return /^\d+$/.test(text) && port >= 1 && port <= PORT_MAX ? String(port) : undefined
}
