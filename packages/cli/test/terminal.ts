/** A terminal of 80 columns for commands that run in the test's own process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '@fettle/check'
import { complaint } from '../src/io.ts'
import { main } from '../src/main.ts'

/** What a command has said and how it ended. */
export interface Run {
  readonly status: number
  readonly out: string
  readonly err: string
}

export interface Running {
  readonly out: string
  readonly err: string
  readonly ended: Promise<Run>
  /** Ctrl-C. */
  interrupt(): void
  /** Waits until the output matches. */
  shows(pattern: RegExp): Promise<RegExpExecArray>
}

/** A user of their own: a home of theirs, and no settings. */
export class User {
  readonly home = mkdtempSync(join(tmpdir(), 'fettle-user-'))
  readonly data = join(this.home, 'data')
  readonly #started: Running[] = []

  constructor(test: { after(hook: () => Promise<void>): void }) {
    test.after(async () => {
      for (const one of this.#started) one.interrupt()
      await Promise.allSettled(this.#started.map(({ ended }) => ended))
      rmSync(this.home, { recursive: true, force: true })
    })
  }

  path(name: string): string {
    return join(this.home, name)
  }

  /** Starts `fettle ...`. */
  start(...words: string[]): Running {
    const running = start(words, {
      HOME: this.home,
      FETTLE_DATA: this.data,
      FETTLE_RESP: '127.0.0.1:0',
      FETTLE_HTTP: '127.0.0.1:0',
      FETTLE_LOG_FORMAT: 'text',
    })
    this.#started.push(running)
    return running
  }

  /** Runs it to its end. */
  run(...words: string[]): Promise<Run> {
    return this.start(...words).ended
  }
}

/** Starts a command in this process, with this environment and no other. */
export function start(words: readonly string[], environment: Record<string, string>): Running {
  const controller = new AbortController()
  let out = ''
  let err = ''
  const print = (text: string) => {
    out += text
  }
  const io: Io = {
    environment,
    data: environment.FETTLE_DATA ?? '',
    isTerminal: true,
    width: 80,
    signal: controller.signal,
    write: async (text) => print(typeof text === 'string' ? text : Buffer.from(text).toString('latin1')),
    print,
    progress: () => {},
    secret: async () => undefined,
    screen: () => undefined,
    complain: (line) => {
      err += `${complaint(line)}\n`
    },
  }
  let over = false
  const ended = main(words, io).then((status) => {
    over = true
    return { status, out, err }
  })
  return {
    get out() {
      return out
    },
    get err() {
      return err
    },
    ended,
    interrupt: () => controller.abort(),
    async shows(pattern) {
      const deadline = performance.now() + 10_000
      for (;;) {
        const found = pattern.exec(out + err)
        if (found !== null) return found
        if (over || performance.now() > deadline) throw new Error(`${pattern} was not shown, but: ${out}${err}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}

/** Words as a shell would split them. */
export function words(command: string): string[] {
  return Array.from(command.matchAll(/"([^"]*)"|(\S+)/g), (match) => match[1] ?? match[2]!).slice(1)
}
