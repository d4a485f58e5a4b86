/** What the endpoint answers. coturn reads replies and does not look at them, but for KEYS. */

/** Commands that are answered alike whatever they say. */
export const simpleReplies = new Map([
  ['SELECT', '+OK\r\n'],
  ['KEYS', '*0\r\n'],
  ['SET', '+OK\r\n'],
  ['DEL', ':1\r\n'],
  ['PING', '+PONG\r\n'],
  ['CLIENT', '+OK\r\n'],
])

/** The reply to HELLO 2. */
export const HELLO = [
  '*8',
  ...['server', 'fettle', 'version', '0.1.0'].flatMap((word) => [`$${word.length}`, word]),
  ...['$5', 'proto', ':2', '$4', 'role', '$6', 'master', ''],
].join('\r\n')

/** Replies to one chunk, written at once. Nearly all are `:1`. */
export class Replies {
  #text = ''
  /** `:1` that are not in the text yet. */
  #ones = 0
  #inText = 0

  /** How many there are so far. */
  get count(): number {
    return this.#inText + this.#ones
  }

  one(): void {
    this.#ones++
  }

  add(reply: string): void {
    this.#text += ':1\r\n'.repeat(this.#ones) + reply
    this.#inText += this.#ones + 1
    this.#ones = 0
  }

  text(): string {
    const text = this.#text + ':1\r\n'.repeat(this.#ones)
    this.#text = ''
    this.#ones = 0
    return text
  }
}
