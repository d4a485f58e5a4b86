/** The first words of a command line. What belongs to one is loaded when it is asked for: the others cost no time. */
import type { Io, Command as Tool } from '@fettle/check'
import type { Command } from 'commander'
import { addTools, fillTool } from './tool.ts'

interface Group {
  readonly name: string
  readonly says: string
  /** Makes this the command, or puts its commands under it; each sets the exit status by `done`. */
  fill(command: Command, io: Io, done: (status: number) => void): Promise<void>
}

export const groups: readonly Group[] = [
  {
    name: 'relay',
    says: 'meter what TURN relays carry',
    fill: async (relay, io, done) => (await import('./relay/relay.ts')).addRelay(relay, io, done),
  },
  tool('redis', 'find what burns the CPU of a Redis, and put it right', async () => {
    const { redisCheck, redisChange, redisExplain, redisWatch } = await import('@fettle/redis')
    return [redisCheck, redisChange, redisExplain, redisWatch]
  }),
  tool('ssh', 'find where the seconds of a slow login go', async () => {
    const { sshCheck, sshChange, sshExplain } = await import('@fettle/ssh')
    return [sshCheck, sshChange, sshExplain]
  }),
  tool('zip', 'take a few files out of a huge archive, from disk or over HTTP', async () => {
    const { zipList, zipExtract, zipCheck, zipCat } = await import('@fettle/zip')
    return [zipList, zipExtract, zipCheck, zipCat]
  }),
  {
    name: 'compare',
    says: 'say what changed between two reports, and whether it is more than noise',
    fill: async (command, io, done) => fillTool(command, (await import('@fettle/check/compare')).compare, io, done),
  },
]

// biome-ignore lint/suspicious/noExplicitAny: each reads its own options, and nobody else sees them
function tool(name: string, says: string, load: () => Promise<readonly Tool<any>[]>): Group {
  return { name, says, fill: async (group, io, done) => addTools(group, await load(), io, done) }
}
