/** Servers of a lab that are none, at a port beside that of its sshd. */
import { join } from 'node:path'
import { type Lab, listening } from './lab.ts'

export const HOSTILE_PORT = 2022

async function start(lab: Lab, ...words: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, 'no-sshd.ts')
  const running = lab.server.startBeside([process.execPath, program, `${HOSTILE_PORT}`, ...words])
  await listening('a hostile server', running, 'listening')
}

/** One of the `ways` of no-sshd.ts. */
export const hostile = (lab: Lab, way: string): Promise<void> => start(lab, way)

/** A way to the real sshd which after so many bytes of its answer ends, or is silent for ever. */
export const breaking = (lab: Lab, how: 'ends' | 'hangs', bytes: number): Promise<void> =>
  start(lab, how, '22', `${bytes}`)
