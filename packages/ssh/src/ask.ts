/** Asks one resolver for one name, once, and tells how long it took: by UDP, as the resolver of the system does. */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type Answered, answerCode, type Query, queryBytes } from './core/query.ts'

const NO_ANSWER: Answered = { seconds: null, code: null }
const PORT = 53

export async function ask({ resolver, name, type }: Query, limitSeconds: number): Promise<Answered> {
  const id = Math.floor(Math.random() * 65_536)
  const bytes = queryBytes(id, name, type)
  if (bytes === undefined) return { seconds: 0, code: 'no name of the DNS' }
  const socket = createSocket(isIPv6(resolver) ? 'udp6' : 'udp4')
  const began = performance.now()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Answered>((resolve) => {
      timer = setTimeout(() => resolve(NO_ANSWER), limitSeconds * 1000)
      const now = () => (performance.now() - began) / 1000
      // Nobody listens there, or there is no way: that is known at once, and the next resolver is asked.
      socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve({ seconds: now(), code: code ?? 'failed' }))
      socket.on('message', (answer) => {
        const code = answerCode(id, answer)
        if (code !== undefined) resolve({ seconds: now(), code })
      })
      socket.connect(PORT, resolver, () => socket.send(bytes))
    })
  } finally {
    clearTimeout(timer)
    socket.close()
  }
}
