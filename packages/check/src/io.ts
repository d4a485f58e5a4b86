/** The terminal, as commands see it. */

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
  write(text: string): Promise<void>
  print(text: string): void
  /** How far long work has come, over what stood there; only a person at a terminal sees it. */
  progress(line: string): void
  /** What a person types without it being seen; undefined: nobody sits there, or nothing was typed. */
  secret(question: string): Promise<string | undefined>
  /** One line on standard error, made harmless. */
  complain(line: string): void
}
