/** argv -> command -> exit status. */

import { EXIT, type Io } from '@fettle/check'
import { Command, CommanderError } from 'commander'
import { groups } from './groups.ts'
import { processIo } from './io.ts'

/** Runs one command line (without the program's name) and returns its exit status. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  let status: number = EXIT.nothing
  const program = new Command('fettle')
    .description('Keeps a self-hosted real-time service in fine fettle: measure, explain, put right, measure again.')
    .version('0.1.0')
    // So that a command may have a --version of its own.
    .enablePositionalOptions()
  const done = (result: number) => {
    status = result
  }
  for (const { name, says, fill } of groups) {
    const command = program.command(name).description(says)
    if (argv.includes(name)) await fill(command, io, done)
  }
  speakBy(io, program)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.nothing : EXIT.wrong
  }
}

/** A complaint is one line like all others; the help that stands for a missing command is help. */
function speakBy(io: Io, command: Command): void {
  command.exitOverride().configureOutput({
    writeOut: io.print,
    writeErr: io.print,
    outputError: (text) => io.complain(text.replace(/^error: /, '')),
  })
  for (const one of command.commands) speakBy(io, one)
}
