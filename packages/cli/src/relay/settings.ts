/** What the commands on a data folder have in common: their options, and how it is said that something cannot be. */

import { EXIT, type Io, Unseen } from '@fettle/check'
import { FolderFault, ReplayFault, readOptions, type ServeOptions, SinkFault } from '@fettle/relay'
import type { Command } from 'commander'
import { MeterFault } from './client.ts'

/** Values of options, by name. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>

export function folderOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder (FETTLE_DATA; default by XDG: ~/.local/share/fettle)')
    .option('--config <file>', 'settings (FETTLE_CONFIG; default ~/.config/fettle/fettle.yaml)')
}

/** Examples under a command's help. */
export function examplesText(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

const faults = [FolderFault, MeterFault, ReplayFault, SinkFault, Unseen]

/** Reads the settings, runs the command with them, and returns its exit status. What cannot be is said in a line. */
export async function withSettings(
  flags: object,
  io: Io,
  run: (options: ServeOptions) => Promise<number>,
  environment = io.environment,
): Promise<number> {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => typeof value === 'string'))
  const options = readOptions(given, environment)
  if (!options.ok) {
    for (const fault of options.faults) io.complain(fault)
    return EXIT.wrong
  }
  try {
    return await run(options.value)
  } catch (error) {
    if (!faults.some((fault) => error instanceof fault)) throw error
    io.complain((error as Error).message)
    return EXIT.couldNot
  }
}
