/** Servers of a lab that are none, at a port beside that of its sshd. */
import { join } from 'node:path'
import { type Lab, listening } from './lab.ts'
import type { Machine } from './machine.ts'

export const HOSTILE_PORT = 2022

async function start(lab: Lab, ...words: readonly string[]): Promise<void> {
  const program = join(import.meta.dirname, 'no-sshd.ts')
  const running = lab.server.startBeside([process.execPath, program, `${HOSTILE_PORT}`, ...words])
  await listening('a hostile server', running, 'listening')
}

/** One of the `ways` of no-sshd.ts. */
export const hostile = (lab: Lab, way: string): Promise<void> => start(lab, way)

/**
 * A way to the real sshd which after so many bytes of its answer ends, or is silent for ever. Its key exchange is as
 * small as that of a login with small first packets, which is tried where a busy machine makes it wait: it would come
 * further with as many bytes.
 */
export async function breaking(lab: Lab, how: 'ends' | 'hangs', bytes: number): Promise<void> {
  await lab.sshd('KexAlgorithms curve25519-sha256')
  await start(lab, how, '22', `${bytes}`)
}

export interface Refusal {
  readonly name: string
  readonly plant: (lab: Lab) => unknown
  /** To whom somebody logs in, if not to the host. */
  readonly to?: string
  /** What is said of it. */
  readonly says: RegExp
}

const knows = (client: Machine, text: string) => client.write(join(client.home('root'), '.ssh/known_hosts'), text)

/** Logins that end at once, because somebody says no. */
export const refusals: readonly Refusal[] = [
  { name: 'nobody listens', plant: (lab) => lab.stopSshd(), says: /Connection refused/ },
  { name: 'there is no such name', plant: () => {}, to: 'nobody.lab.test', says: /Could not resolve hostname/ },
  { name: 'a line of its settings is wrong', plant: (lab) => lab.sshConfig('Bog\x1b[31mus yes'), says: /bad config/ },
  { name: 'its key is not known', plant: ({ client }) => knows(client, ''), says: /Host key verification failed/ },
  {
    name: 'its key is another one',
    plant: ({ client }) => knows(client, `* ${client.read(join(client.home('root'), '.ssh/id_ed25519.pub'))}`),
    says: /Host key verification failed/,
  },
  {
    name: 'our key is not known there',
    plant: ({ server }) => server.write(join(server.home('ops'), '.ssh/authorized_keys'), ''),
    says: /Permission denied/,
  },
  {
    name: 'nobody may log in just now',
    plant: ({ server }) => server.write('/etc/nologin', '\x1b[31mmaintenance\n'),
    says: /Connection closed/,
  },
]
