import type { Command } from '@fettle/check'
import { reportFlags } from '@fettle/check'
import { checkServer, readServerOptions, type ServerOptions, serverFlags } from './check.ts'
export const sshServer: Command<ServerOptions> = {
  name: 'ssh server',
  summary: 'temporary',
  flags: [...serverFlags, ...reportFlags],
  examples: [],
  read: readServerOptions,
  run: checkServer,
}
