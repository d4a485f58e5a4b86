/**
 * A connection to a Redis that is being looked at. Replies come in the order of the commands; what is sent at once is
 * one write, so that the server works it off without waiting for us.
 *
 * It is our own because all of it is seen by the server that we measure: no HELLO, no names of a library, nothing that
 * is sent again by itself.
 */
import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Unseen } from '@fettle/check'
import type { Address } from './core/address.ts'
import { type Answer, NoRedis, ReplyReader, wireOf } from './core/read/resp.ts'

/** Connecting, and each reply. */
const ANSWER_MS = 10_000

interface Waiting {
  take(answer: Answer): void
  fail(error: Error): void
}

export class Connection {
  readonly #address: Address
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #waiting: Waiting[] = []
  /** Resolves when it is over, whoever ended it. */
  readonly closed: Promise<void>
  #failure: Error | undefined
  /** Who gets what comes without having been asked for: lines of MONITOR. */
  #listener: ((answer: Answer) => void) | undefined

  private constructor(address: Address, socket: Socket) {
    this.#address = address
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#hear(chunk))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#fail(`${address.name}: closed the connection`)
        resolve()
      })
    })
  }

  get bytesSent(): number {
    return this.#socket.bytesWritten
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** `certificates`: a file in PEM, trusted beside the system's. Throws Unseen: nobody answers there. */
  static async open(address: Address, certificates: string | null): Promise<Connection> {
    const socket = await openSocket(address, certificates)
    return new Connection(address, socket)
  }

  async ask(words: readonly string[], milliseconds = ANSWER_MS): Promise<Answer> {
    return (await this.askAll([words], milliseconds))[0]!
  }

  /** One write; each is answered, if only by a Refusal. Throws Unseen when that does not happen in time. */
  async askAll(commands: readonly (readonly string[])[], milliseconds = ANSWER_MS): Promise<Answer[]> {
    if (this.#failure !== undefined) throw this.#failure
    const timer = setTimeout(
      () => this.#fail(`${this.#address.name}: did not answer for ${Math.ceil(milliseconds / 1000)} s`),
      milliseconds,
    )
    const answers = commands.map(() => new Promise<Answer>((take, fail) => this.#waiting.push({ take, fail })))
    this.#socket.write(wireOf(commands))
    try {
      return await Promise.all(answers)
    } finally {
      clearTimeout(timer)
    }
  }

  /** All that comes unasked from now on; after MONITOR that is a line for each command of the server. */
  listen(listener: (answer: Answer) => void): void {
    this.#listener = listener
  }

  close(): void {
    this.#fail('closed')
  }

  #hear(chunk: Buffer): void {
    try {
      for (const answer of this.#reader.push(chunk)) {
        const waiting = this.#waiting.shift()
        if (waiting !== undefined) waiting.take(answer)
        else this.#listener?.(answer)
      }
    } catch (error) {
      if (!(error instanceof NoRedis)) throw error
      this.#fail(`${this.#address.name}: is no Redis; it sent ${error.message}`)
    }
  }

  #fail(message: string): void {
    if (this.#failure !== undefined) return
    this.#failure = new Unseen(message)
    this.#socket.destroy()
    for (const { fail } of this.#waiting.splice(0)) fail(this.#failure)
  }
}

function openSocket(address: Address, certificates: string | null): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { socket, opened } = socketTo(address, certificates)
    const fail = (why: string) => {
      socket.destroy()
      reject(new Unseen(`${address.name}: ${why}`))
    }
    socket.setTimeout(ANSWER_MS, () => fail(`did not answer for ${ANSWER_MS / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => fail(reasonOf(error)))
    socket.once(opened, () => {
      socket.setTimeout(0)
      socket.removeAllListeners('error')
      // What an error means is told by the end of the connection, which follows.
      socket.on('error', () => {})
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

function socketTo(address: Address, certificates: string | null) {
  if (address.kind === 'unix') return { socket: connectTcp(address.path), opened: 'connect' }
  const { host, port, isTls } = address
  if (!isTls) return { socket: connectTcp(port, host), opened: 'connect' }
  const ca = certificates === null ? {} : { ca: readCertificates(certificates) }
  return {
    socket: connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ca }),
    opened: 'secureConnect',
  }
}

function readCertificates(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new Unseen(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function reasonOf(error: NodeJS.ErrnoException): string {
  const codes: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOENT: 'there is no such socket',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name could not be looked up',
  }
  return codes[error.code ?? ''] ?? `${error.message || error.code}`
}
