/** Runs the system's own ssh, and stamps each line of it when it comes. */
import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import type { Readable } from 'node:stream'
import { Unseen } from '@fettle/check'
import type { RunEnd } from '../core/client/facts.ts'

export interface Ran {
  /** `SECONDS ERR|OUT line`, a line each. */
  readonly text: string
  readonly end: RunEnd
  /** Null: a signal ended it. */
  readonly status: number | null
  readonly seconds: number
}

export interface RunOptions {
  readonly limitSeconds: number
  readonly signal: AbortSignal
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By this line on standard error it is where it was wanted. */
  readonly ready?: RegExp
}

/** A whole log of -vvv has 30 kB; a server may send as much as it likes. */
const BYTES_MAX = 4 * 1024 * 1024
/** Many short lines are as much as a few long ones. */
const LINE_BYTES = 64
/** It is asked to end, and ended after this. */
const GRACE_MS = 1000
/** What somebody else still holds open is not waited for. */
const REST_MS = 300

/** Throws Unseen when there is no ssh. */
export async function runSsh(words: readonly string[], options: RunOptions): Promise<Ran> {
  return await new Promise((resolve, reject) => new Running(words, options, resolve, reject))
}

class Running {
  readonly #began = performance.now()
  readonly #parts: { readonly at: number; readonly line: string }[] = []
  readonly #child
  readonly #done: (ran: Ran) => void
  readonly #timers: NodeJS.Timeout[] = []
  readonly #options: RunOptions
  #bytes = 0
  #end: Ran['end'] | undefined
  #isOver = false

  constructor(words: readonly string[], options: RunOptions, done: (ran: Ran) => void, fail: (error: Unseen) => void) {
    this.#options = options
    this.#done = done
    // In a group and session of its own: nothing asks at the terminal, and what it starts ends with it.
    this.#child = spawn('ssh', words, {
      env: options.environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      this.#isOver = true
      this.#forget()
      fail(new Unseen(`ssh: cannot be run (${error.code}); on Debian: apt-get install openssh-client`))
    })
    this.#follow(this.#child.stderr, 'ERR')
    this.#follow(this.#child.stdout, 'OUT')
    this.#child.on('exit', (status) => this.#after(REST_MS, () => this.#over(status)))
    this.#child.on('close', (status) => this.#over(status))
    this.#after(options.limitSeconds * 1000, () => this.#stop('limit'))
    options.signal.addEventListener('abort', this.#aborted)
    if (options.signal.aborted) this.#aborted()
  }

  readonly #aborted = () => this.#stop('stopped')

  #after(milliseconds: number, then: () => void): void {
    this.#timers.push(setTimeout(then, milliseconds))
  }

  get #seconds(): number {
    return (performance.now() - this.#began) / 1000
  }

  /** A line came when its first byte did. */
  #follow(stream: Readable, name: 'ERR' | 'OUT'): void {
    const line = { text: '', at: 0 }
    const end = () => {
      // ssh ends its lines as a terminal needs it.
      this.#put(line.at, `${name} ${line.text.replace(/\r$/, '')}`)
      if (name === 'ERR' && this.#options.ready?.test(line.text)) this.#stop('ready')
      line.text = ''
    }
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (this.#end !== undefined || this.#isFlooded(text)) return
      for (const [i, part] of text.split('\n').entries()) {
        if (i > 0) end()
        if (line.text === '') line.at = this.#seconds
        line.text += part
      }
    })
    stream.on('end', () => {
      if (line.text !== '') end()
    })
    stream.on('error', () => {})
  }

  #isFlooded(text: string): boolean {
    this.#bytes += text.length
    if (this.#bytes > BYTES_MAX) this.#stop('flood')
    return this.#bytes > BYTES_MAX
  }

  #put(at: number, line: string): void {
    this.#bytes += LINE_BYTES
    this.#parts.push({ at, line })
  }

  #stop(end: NonNullable<Ran['end']>): void {
    if (this.#isOver || this.#end !== undefined) return
    this.#end = end
    if (end === 'limit' || end === 'stopped') this.#put(this.#seconds, 'ERR fettle: nothing was waited for any more')
    this.#signal('SIGTERM')
    this.#after(GRACE_MS, () => this.#signal('SIGKILL'))
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#child.pid!, signal)
    } catch {
      // It is gone.
    }
  }

  #over(status: number | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#forget()
    // A proxy command may outlive its ssh.
    this.#signal('SIGKILL')
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
    this.#done({ text: this.#text(), end: this.#end ?? 'over', status, seconds: this.#seconds })
  }

  /** A line that nobody has ended is put last, and began before others. */
  #text(): string {
    const parts = this.#parts.sort((a, b) => a.at - b.at)
    return parts.map(({ at, line }) => `${at.toFixed(6)} ${line}`).join('\n')
  }

  #forget(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#options.signal.removeEventListener('abort', this.#aborted)
  }
}
