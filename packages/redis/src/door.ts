/** How one gets into a Redis: where it is, and what it asks for. */
import { randomInt } from 'node:crypto'
import { type Io, readSecret, Unseen } from '@fettle/check'
import { Connection } from './connection.ts'
import type { Address } from './core/address.ts'
import { Refusal } from './core/read/resp.ts'

export interface Keys {
  /** The first line is the password. */
  readonly passwordFile: string | null
  /** Certificates in PEM that are trusted beside the system's. */
  readonly certificates: string | null
}

export class Door {
  readonly #address: Address
  readonly #keys: Keys
  readonly #io: Io
  /** In containers, many a process has the same number. */
  readonly #run = randomInt(2 ** 32)
  /** undefined: nobody has looked for one. */
  #password: string | null | undefined

  constructor(address: Address, keys: Keys, io: Io) {
    this.#address = address
    this.#keys = keys
    this.#io = io
  }

  get name(): string {
    return this.#address.name
  }

  /** Under which the server shows our connections. */
  clientName(isLogging: boolean): string {
    return `fettle-${isLogging ? 'logging-' : ''}${this.#run}`
  }

  /** It has let us in without a password. */
  get isOpen(): boolean {
    return this.#password === null
  }

  /** Asks whoever sits there for the password, if one is needed and was not given. Throws Unseen. */
  async enter(): Promise<Connection> {
    this.#password ??= await this.#given()
    const connection = await Connection.open(this.#address, this.#keys.certificates)
    try {
      if (this.#password !== null) await this.#signIn(connection, this.#password)
      let answer = await connection.ask(['PING'])
      if (answer instanceof Refusal && /^NOAUTH/.test(answer.text) && this.#password === null) {
        this.#password = (await this.#io.secret(`Password of ${this.name}: `)) || null
        if (this.#password !== null) await this.#signIn(connection, this.#password)
        answer = await connection.ask(['PING'])
      }
      if (answer instanceof Refusal) throw new Unseen(`${this.name}: ${refusalText(answer.text)}`)
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  async #given(): Promise<string | null> {
    const { passwordFile } = this.#keys
    return passwordFile === null ? this.#io.environment.REDISCLI_AUTH || null : await readSecret(passwordFile)
  }

  async #signIn(connection: Connection, password: string): Promise<void> {
    const { user } = this.#address
    const words = ['AUTH', ...(user === null ? [] : [user]), password]
    const answer = await connection.ask(words.map(asBytes))
    if (answer instanceof Refusal) throw new Unseen(`${this.name}: refused the password (${answer.text})`)
  }
}

/** Words go out a byte a letter. */
const asBytes = (text: string) => Buffer.from(text, 'utf8').toString('latin1')

function refusalText(text: string): string {
  if (/^NOAUTH/.test(text)) return 'asks for a password; set REDISCLI_AUTH, or give --password-file'
  if (/^LOADING/.test(text)) return 'is still loading its data; try again when it has'
  if (/^DENIED/.test(text)) return 'answers only on its own machine (protected-mode); run this there'
  return `does not let us in (${text})`
}
