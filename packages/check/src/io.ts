/** The terminal, as commands see it. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The data folder that nobody has named, by the XDG Base Directory Specification: data that a program writes. */
export function defaultData(environment: Io['environment']): string {
  return join(environment.XDG_DATA_HOME || join(environment.HOME || homedir(), '.local', 'share'), 'fettle')
}

export interface Io {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The data folder, unless a flag names another one. */
  readonly data: string
  /** A person reads standard output. */
  readonly isTerminal: boolean
  /** Columns of the terminal; a pipe has no edge. */
  readonly width: number
  /** Aborts at SIGINT, SIGTERM and SIGHUP. A command that never asks for it is ended by them as any program is. */
  readonly signal: AbortSignal
  /** Standard output, waiting while the other side is slow. */
  write(text: string | Uint8Array): Promise<void>
  print(text: string): void
  /** How far long work has come, over what stood there; only a person at a terminal sees it. */
  progress(line: string): void
  /** What a person types without it being seen; undefined: nobody sits there, or nothing was typed. */
  secret(question: string): Promise<string | undefined>
  /**
   * Takes over the whole terminal; undefined: there is none, or none that can be drawn on. `pressed` hears each letter
   * that is typed, but for Ctrl-C, which aborts `signal`.
   */
  screen(pressed: (key: string) => void): Screen | undefined
  /** One line on standard error, made harmless. */
  complain(line: string): void
}

/** A terminal for what changes while one looks at it. It is as it was once this is closed or the process ends. */
export interface Screen {
  /** In columns and lines, as it is now. */
  readonly size: { readonly width: number; readonly height: number }
  /** These lines and no others, from the top; none is wider than the screen. */
  show(lines: readonly ScreenLine[]): void
  close(): void
}

export interface ScreenLine {
  /** Holds nothing that could steer a terminal. */
  readonly text: string
  readonly look: 'plain' | 'title' | 'fault'
}
