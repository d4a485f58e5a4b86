/**
 * Servers that are none, and a way to a real one that breaks. Run by itself: its arguments are the port, what to do
 * with who connects, and for a way the port of sshd and how many of its bytes come through.
 */
import { connect, createServer, type Socket } from 'node:net'
import { Writable } from 'node:stream'

const ESCAPES = '\x1b]0;yours\x07\x1b[2J\x1b[31m\x9b5m\r\n'
const VERSION = 'SSH-2.0-OpenSSH_9.2p1\r\n'
const DRIP_MS = 50

/** Sends the same again and again, as fast as it is taken. */
function flood(socket: Socket, bytes: Buffer | string): void {
  while (!socket.destroyed && socket.write(bytes));
  if (!socket.destroyed) socket.once('drain', () => flood(socket, bytes))
}

/** SSH_MSG_DISCONNECT (RFC 4253, section 11.1), before any key is agreed upon. */
function disconnect(text: string): Buffer {
  const words = Buffer.from(text, 'latin1')
  const body = Buffer.concat([Buffer.from([1]), number(2), number(words.length), words, number(0)])
  const padding = 8 - ((body.length + 5) % 8) + 8
  return Buffer.concat([number(body.length + padding + 1), Buffer.from([padding]), body, Buffer.alloc(padding)])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const WAYS: Readonly<Record<string, (socket: Socket) => void>> = {
  silence: () => {},
  'an endless line': (socket) => flood(socket, 'A'.repeat(65_536)),
  'endless lines': (socket) => flood(socket, 'still starting, please wait\r\n'.repeat(1000)),
  'an endless line, byte by byte': (socket) => {
    const timer = setInterval(() => socket.write('A'), DRIP_MS)
    socket.on('close', () => clearInterval(timer))
  },
  'the end at once': (socket) => socket.destroy(),
  nonsense: (socket) => socket.write(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i) % 256))),
  'a page': (socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html></html>\r\n'),
  'escapes before its name': (socket) => socket.end(`${ESCAPES.repeat(20)}${VERSION}`, 'latin1'),
  'escapes in its name': (socket) => socket.end(`SSH-2.0-\x1b[31mred\x1b]0;yours\x07 \x9b5m\r\n`, 'latin1'),
  'its name, and a flood': (socket) => {
    socket.write(VERSION)
    flood(socket, Buffer.alloc(65_536, 0x1b))
  },
  'its name, and a goodbye with escapes': (socket) => {
    socket.write(VERSION)
    socket.end(disconnect(ESCAPES))
  },
}
export const ways: readonly string[] = Object.keys(WAYS)

/** Passes on so many bytes of the server, and then ends the connection or nothing any more. */
function breakAfter(client: Socket, port: number, bytesMax: number, ends: boolean): void {
  const server = connect(port, '::1')
  let left = bytesMax
  client.pipe(server)
  const passed = new Writable({
    write(bytes: Buffer, _, done) {
      const part = bytes.subarray(0, left)
      left -= part.length
      if (part.length > 0 && !client.destroyed) client.write(part)
      if (left === 0 && ends) client.destroySoon()
      done()
    },
  })
  server.pipe(passed)
  server.on('error', () => client.destroy()).on('close', () => left > 0 && client.end())
  client.on('close', () => server.destroy())
}

const [port, way = '', sshdPort, bytes] = process.argv.slice(2)
if (import.meta.main && port !== undefined) {
  const take = WAYS[way] ?? ((socket: Socket) => breakAfter(socket, Number(sshdPort), Number(bytes), way === 'ends'))
  createServer((socket) => {
    socket.on('error', () => {}).resume()
    take(socket)
  }).listen(Number(port), () => console.log('listening'))
}
