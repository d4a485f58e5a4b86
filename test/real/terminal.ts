/** A terminal whose screen can be read: a shell in a tmux of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitOf, find, type Ground, until } from './harness.ts'

/** `capture-pane` gives columns, not letters: no line of it can be wider than the terminal. */
export class Terminal {
  readonly #ground: Ground
  readonly #socket: string

  private constructor(ground: Ground) {
    this.#ground = ground
    this.#socket = join(ground.folder, 'tmux')
  }

  static async open(ground: Ground, width: number, height: number): Promise<Terminal> {
    const terminal = new Terminal(ground)
    const server = ground.start(find('tmux'), ['-u', '-D', '-f', '/dev/null', '-S', terminal.#socket], UTF8)
    await until('tmux', async () => server.status === undefined && (await terminal.#does('list-sessions')))
    await terminal.#tmux('new-session', '-d', '-x', `${width}`, '-y', `${height}`, 'PS1="$ " exec sh')
    await terminal.shows(/^\$/m)
    return terminal
  }

  /** The lines of its screen, without blanks at their ends. */
  async screen(): Promise<string> {
    return await this.#tmux('capture-pane', '-p')
  }

  /** Waits until the screen matches, and returns it. */
  async shows(pattern: RegExp, seconds = 20): Promise<string> {
    let screen = ''
    const found = async () => {
      screen = await this.screen()
      return pattern.test(screen)
    }
    await until(`${pattern} on the screen`, found, seconds).catch((error: Error) => {
      throw new Error(`${error.message}, but:\n${screen}`)
    })
    return screen
  }

  /** Keys, one after the other. */
  async press(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text)
  }

  /** Types a command and Enter. */
  async type(command: string): Promise<void> {
    await this.press(command)
    await this.#tmux('send-keys', 'Enter')
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#tmux('resize-window', '-x', `${width}`, '-y', `${height}`)
  }

  /** How it is set, as programs leave it behind: modes of the line, whether the other screen, the cursor, wrapping are on. */
  async state(): Promise<string> {
    const file = join(this.#ground.folder, 'state')
    writeFileSync(file, '')
    await this.type('clear; stty -g > state; echo told')
    await this.shows(/^told$/m)
    const flags = await this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag} #{wrap_flag}')
    return `${readFileSync(file, 'utf8')}${flags}`
  }

  async #does(...words: string[]): Promise<boolean> {
    const client = this.#ground.start(find('tmux'), ['-u', '-S', this.#socket, ...words], UTF8)
    return (await exitOf(client)) === 0
  }

  async #tmux(...words: string[]): Promise<string> {
    const client = this.#ground.start(find('tmux'), ['-u', '-S', this.#socket, ...words], UTF8)
    const status = await exitOf(client)
    if (status !== 0) throw new Error(`tmux ${words[0]} ended with ${status}: ${client.output}`)
    return client.output
  }
}

const UTF8 = { LC_ALL: 'C.UTF-8' }
