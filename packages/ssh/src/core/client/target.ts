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
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!/^-[^-]/.test(word)) return [`${word}: only options of ssh may follow --, and a command is not run`]
    const letters = word.slice(1).split('')
    const at = letters.findIndex((letter) => WITH_VALUE.includes(letter))
    const refused = letters.slice(0, at < 0 ? letters.length : at + 1).find((letter) => REFUSED.includes(letter))
    if (refused !== undefined)
      return [`-${refused}: makes it another login than the one that is measured; leave it out`]
    if (at === letters.length - 1 && at >= 0 && ++i >= words.length) return [`${word}: its value is missing`]
  }
  return []
}

/** `-p`; undefined: it is no port. */
export function portOf(text: string): string | undefined {
  const port = Number(text)
  return /^\d+$/.test(text) && port >= 1 && port <= PORT_MAX ? String(port) : undefined
}
