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
  #ones = 0

  one(): void {
    this.#ones++
  }

  add(reply: string): void {
    this.#text += ':1\r\n'.repeat(this.#ones) + reply
    this.#ones = 0
  }

  text(): string {
    this.add('')
    const text = this.#text
    this.#text = ''
    return text
  }
}
