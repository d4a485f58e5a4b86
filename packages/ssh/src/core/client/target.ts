/** Where one logs in, and the options of ssh that one would give. */

import { type Option, optionsOf } from '../options.ts'

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
  for (const { letter, value, words: own } of sshOptions(words)) {
    const word = own[0]!
    if (letter === '') return [`${word}: only options of ssh may follow --, and a command is not run`]
    if (REFUSED.includes(letter)) {
      return [`-${letter}: makes it another login than the one that is measured; leave it out`]
    }
    if (WITH_VALUE.includes(letter) && value === undefined) return [`${word}: its value is missing`]
  }
  return []
}

export const sshOptions = (words: readonly string[]): Option[] => optionsOf(words, WITH_VALUE)

/** `-p`; undefined: it is no port. */
export function portOf(text: string): string | undefined {
  const port = Number(text)
  return /^\d+$/.test(text) && port >= 1 && port <= PORT_MAX ? String(port) : undefined
}
