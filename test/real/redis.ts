/** A real Redis, where coturn's commands are passed on to, and one who subscribes there. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { exitOf, find, type Ground, type Running, until } from './harness.ts'

const PORT = 6379

export interface Redis {
  readonly running: Running
  readonly host: string
  readonly port: number
}

/** Starts a Redis that keeps nothing on the disk; `more`: further settings. */
export async function startRedis(ground: Ground, ...more: string[]): Promise<Redis> {
  const host = ground.address(7)
  const settings = ['--bind', host, '--dir', ground.folder, '--save', '', '--appendonly', 'no']
  const port = more.includes('--tls-port') ? [] : ['--port', `${PORT}`]
  const running = ground.start(find('redis-server'), [...settings, ...port, ...more])
  await until('Redis listening', () => {
    if (running.status !== undefined) throw new Error(`redis-server ended with ${running.status}: ${running.output}`)
    return running.output.includes('Ready to accept connections')
  })
  return { running, host, port: PORT }
}

/** Publishes what `next` gives, many at once, until it gives undefined; resolves when Redis has taken all of it. */
export async function publish({ host, port }: Redis, next: () => Message | undefined): Promise<number> {
  const socket = connect(port, host)
  let lines = 0
  socket.on('data', (chunk) => {
    for (const byte of chunk) if (byte === 10) lines++
  })
  let sent = 0
  for (let isOver = false; !isOver; ) {
    const parts: string[] = []
    while (parts.length < 5000) {
      const message = next()
      isOver = message === undefined
      if (message === undefined) break
      parts.push(`*3\r\n$7\r\nPUBLISH\r\n${bulk(message.channel)}${bulk(message.text)}`)
    }
    sent += parts.length
    if (!socket.write(parts.join(''))) await once(socket, 'drain')
  }
  await until('all taken by Redis', () => lines >= sent, 120)
  socket.destroy()
  return sent
}

const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

/** What redis-cli prints in answer to a command. */
export async function ask({ host, port }: Redis, ground: Ground, ...words: string[]): Promise<string[]> {
  const answer = ground.start(find('redis-cli'), ['-h', host, '-p', `${port}`, ...words])
  const status = await exitOf(answer)
  if (status !== 0) throw new Error(`redis-cli ended with ${status}: ${answer.output}`)
  return answer.output.split('\n').filter((line) => line !== '')
}

export interface Message {
  readonly channel: string
  readonly text: string
}

/** One who hears all that coturn publishes; returns what was heard so far. */
export async function subscribe({ host, port }: Redis, ground: Ground, ...more: string[]): Promise<() => Message[]> {
  const cli = ground.start(find('redis-cli'), ['-h', host, '-p', `${port}`, ...more, 'psubscribe', 'turn/*'])
  await until('the subscription', () => cli.output.startsWith('psubscribe\nturn/*\n1\n'))
  return () => {
    // Four lines each: pmessage, the pattern, channel, message.
    const lines = cli.output.split('\n').slice(3, -1)
    const whole = lines.length - (lines.length % 4)
    return Array.from({ length: whole / 4 }, (_, i) => ({ channel: lines[i * 4 + 2]!, text: lines[i * 4 + 3]! }))
  }
}
