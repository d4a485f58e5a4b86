/** `fettle ssh check`: from the client, or with `--server` on the server itself. */
import type { Command, Flag, Given, Io, Outcome, Status } from '@fettle/check'
import { type CheckOptions, sshCheck as clientCheck } from './client/check.ts'
import { checkServer, readServerOptions, type ServerOptions, serverFlags } from './server/check.ts'

export type SidedOptions =
  | { readonly side: 'client'; readonly options: CheckOptions }
  | { readonly side: 'server'; readonly options: ServerOptions }

const SERVER: Flag = { name: 'server', says: 'on the server, as root: name the file and line that makes logins slow' }

/** Flags that mean nothing on the other side. */
const CLIENT_ONLY = clientCheck.flags.map(({ name }) => name).filter((name) => !['json', 'save', 'data'].includes(name))

export const sshCheck: Command<SidedOptions> = {
  ...clientCheck,
  arguments: clientCheck.arguments.map((one) => ({ ...one, optional: true })),
  flags: [...clientCheck.flags, SERVER, ...serverFlags],
  examples: [...clientCheck.examples, 'fettle ssh check --server --user ops'],
  read,
  run: ({ side, options }: SidedOptions, io: Io): Promise<Status> =>
    side === 'server' ? checkServer(options, io) : clientCheck.run(options, io),
}

function read(given: Given): Outcome<SidedOptions> {
  const isServer = given.flags.server === true
  const others = isServer ? CLIENT_ONLY : serverFlags.map(({ name }) => name)
  const strange = others.filter((name) => given.flags[name] !== undefined)
  const faults = [
    ...strange.map((name) => `--${name}: ${isServer ? 'is not for --server' : 'is only for --server'}`),
    ...(isServer || given.arguments.length > 0 ? [] : ['give the host, or --server on the server itself']),
  ]
  if (faults.length > 0) return { ok: false, faults }
  if (isServer) {
    const read = readServerOptions(given)
    return read.ok ? { ok: true, value: { side: 'server', options: read.value } } : read
  }
  const read = clientCheck.read(given)
  return read.ok ? { ok: true, value: { side: 'client', options: read.value } } : read
}
