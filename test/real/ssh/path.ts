/**
 * What happens to packets between two ends of a tunnel. Run by itself: its arguments are the address, its two ports,
 * where each end receives (`ADDRESS:PORT`), how long each packet takes in milliseconds, and the largest in bytes that
 * comes through.
 */
import { createSocket } from 'node:dgram'

interface End {
  readonly port: number
  readonly to: { readonly address: string; readonly port: number }
}

function relay(address: string, ends: readonly [End, End], delayMs: number, bytesMax: number): void {
  const sockets = ends.map(({ port }, i) => {
    const socket = createSocket('udp4')
    socket.on('message', (packet) => {
      if (packet.length > bytesMax) return // and nobody is told
      const other = 1 - i
      const { to } = ends[other]!
      setTimeout(() => sockets[other]!.send(packet, to.port, to.address), delayMs)
    })
    return socket.bind(port, address)
  })
  console.log('listening')
}

function end(port: string, to: string): End {
  const [address, toPort] = to.split(':')
  return { port: Number(port), to: { address: address!, port: Number(toPort) } }
}

const [address, port1, port2, to1, to2, delayMs, bytesMax] = process.argv.slice(2)
if (import.meta.main && address !== undefined) {
  relay(address, [end(port1!, to1!), end(port2!, to2!)], Number(delayMs), Number(bytesMax))
}
