/** Somebody between fettle and a Redis, who can do something in the moment before a command arrives there. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Ground } from '../harness.ts'
import type { Redis } from '../redis.ts'

/** The words of what is sent at once. Returns whether it is passed on; false: the connection is cut instead. */
export type Watcher = (words: readonly string[]) => Promise<boolean> | boolean

/** What a hook of node:test is registered with: a test's context. */
interface Ending {
  after(hook: () => void): void
}

export interface Between {
  readonly host: string
  readonly port: number
  /** Nobody watches until this is set. */
  watch: Watcher | undefined
}

export async function standBetween(test: Ending, ground: Ground, { host, port }: Redis): Promise<Between> {
  const sockets = new Set<Socket>()
  const between: Between = { host: ground.address(8), port, watch: undefined }
  const server = createServer((near) => {
    const far = connect(port, host)
    for (const one of [near, far]) {
      sockets.add(one)
      one.on('error', () => {})
    }
    let last = Promise.resolve()
    near.on('data', (chunk) => {
      last = last.then(async () => {
        const isPassed = await (between.watch?.(wordsOf(chunk)) ?? true)
        if (isPassed) far.write(chunk)
        else near.destroy()
      })
    })
    far.on('data', (chunk) => near.write(chunk))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  server.listen(port, between.host)
  await once(server, 'listening')
  test.after(() => {
    server.close()
    for (const one of sockets) one.destroy()
  })
  return between
}

/** Of commands in RESP: what is no length. */
const wordsOf = (chunk: Buffer) =>
  chunk
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '' && !/^[*$]\d+$/.test(line))
