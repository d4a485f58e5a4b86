// An endpoint for coturn that only answers and counts: what one would write without knowing that coturn falls silent on a
// connection that was once blocked. Prints the number of events so far with each one; SIGUSR2 closes the connections.
// Arguments: host.
import { createServer, type Socket } from 'node:net'

const sockets = new Set<Socket>()
let events = 0

const answers: readonly (readonly [RegExp, string])[] = [
  [/^\*\d+\r\n\$7\r\npublish\r\n/i, ':1\r\n'],
  [/^\*\d+\r\n\$3\r\ndel\r\n/i, ':1\r\n'],
  [/^\*\d+\r\n\$4\r\nkeys\r\n/i, '*0\r\n'],
  [/^\*/, '+OK\r\n'],
]

/** One request is an array of bulk strings; whether it is whole is all that this reads of it. */
const REQUEST = /^\*3\r\n(?:\$\d+\r\n[^\r]*\r\n){3}|^\*2\r\n(?:\$\d+\r\n[^\r]*\r\n){2}/

const server = createServer((socket) => {
  let rest = ''
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => {})
  socket.setEncoding('latin1').on('data', (text: string) => {
    rest += text
    for (;;) {
      const request = REQUEST.exec(rest)?.[0]
      if (request === undefined) return
      rest = rest.slice(request.length)
      const [, reply] = answers.find(([pattern]) => pattern.test(request))!
      socket.write(reply)
      // coturn's heartbeat is no event.
      if (/publish\r\n\$\d+\r\nturn/i.test(request)) process.stdout.write(`events ${++events}\n`)
    }
  })
})
server.listen(0, process.argv[2], () => {
  const address = server.address()
  process.stdout.write(`port ${typeof address === 'object' ? address?.port : ''}\n`)
})

process.on('SIGUSR2', () => {
  for (const socket of sockets) socket.destroy()
})
