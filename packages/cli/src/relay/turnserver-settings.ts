/** The settings of a turnserver.conf, and what is expected of them. */
import type { RespServer } from '@fettle/relay'

/** Where the events of a coturn should go. */
export interface Expected {
  readonly servers: readonly RespServer[]
  readonly host: string
  /** 0: not known. */
  readonly port: number
  /** The Redis that the meter hears, if it does. */
  readonly redis?: { readonly host: string; readonly port: number } | null
  /** The log that the meter follows, if it does; `-`: one that is piped in. */
  readonly log: string | null
  /** The username template. */
  readonly template: string
  /** coturn's, if known. */
  readonly version: string | null
}

export interface Configuration {
  /** How it is called in what is said. */
  readonly name: string
  readonly text: string
  /** What its command line says, which counts instead of the file's. */
  readonly statsdb?: string
  /** All words of its command line. */
  readonly words?: readonly string[]
}

/** Values by name, in the order of the file; the last one of a name counts. */
export type Settings = ReadonlyMap<string, readonly string[]>

/** Lines as coturn reads them: name, then blanks or `=`, then a value that may be quoted; `#` only begins a line. */
export function readSettings(text: string): Settings {
  const settings = new Map<string, string[]>()
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [, name, rest] = /^([^\s=#][^\s=]*)[\s=]*(.*)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) continue
    const value = rest.startsWith('"') ? rest.slice(1).replace(/"$/, '') : rest
    settings.set(name, [...(settings.get(name) ?? []), value])
  }
  return settings
}
