/** The least that a coturn can report to, for the peers in the benchmark. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Takes the three words of a PUBLISH. */
type Publish = (words: string[]) => void

/** `*2\r\n$4\r\nAUTH` has an A where `*3\r\n$7\r\nPUBLISH` has a P. */
const AUTH_A = 65

/** Where `lengthAt` stopped. */
let lengthEnd = 0

/** A Redis server of the plainest kind. */
export async function listen(publish: Publish | undefined): Promise<number> {
  const server = createServer((socket) => {
    let rest: Buffer | undefined
    socket.on('data', (chunk) => {
      const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
      const { at, replies } = answer(bytes, publish)
      rest = at < bytes.length ? bytes.subarray(at) : undefined
      if (replies !== '') socket.write(replies, 'latin1')
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function answer(bytes: Buffer, publish: Publish | undefined): { at: number; replies: string } {
  let replies = ''
  let at = 0
  for (let end = commandEnd(bytes, 0); end >= 0; end = commandEnd(bytes, end)) {
    const isAuth = bytes[at + 8] === AUTH_A
    if (publish && !isAuth) publish(wordsOf(bytes, at))
    replies += isAuth ? '+OK\r\n' : ':1\r\n'
    at = end
  }
  return { at, replies }
}

/** Where the command at `at` ends, -1 when it is not whole. */
function commandEnd(bytes: Buffer, at: number): number {
  if (at + 4 > bytes.length) return -1
  const words = bytes[at + 1]! - 48
  let next = at + 4
  for (let i = 0; i < words; i++) {
    const line = lengthAt(bytes, next)
    if (line < 0) return -1
    next = lengthEnd + line + 2
  }
  return next <= bytes.length ? next : -1
}

function lengthAt(bytes: Buffer, at: number): number {
  let value = 0
  let i = at + 1
  for (; i < bytes.length && bytes[i] !== 13; i++) value = value * 10 + bytes[i]! - 48
  lengthEnd = i + 2
  return lengthEnd <= bytes.length ? value : -1
}

function wordsOf(bytes: Buffer, at: number): string[] {
  const words: string[] = []
  let next = at + 4
  for (let i = 0; i < 3; i++) {
    const length = lengthAt(bytes, next)
    words.push(bytes.toString('latin1', lengthEnd, lengthEnd + length))
    next = lengthEnd + length + 2
  }
  return words
}
