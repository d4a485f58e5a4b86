/** A tool's command, made known to the command line. */
import { EXIT, type Flag, type Given, type Io, type Command as Tool, Unseen } from '@fettle/check'
import { type Command, Option } from 'commander'

/** Help is folded however little room what it explains leaves for it. */
const NARROW = { minWidthToWrap: 20 } as const

/** Commands, under what stands before the last word of their names; each sets the exit status by `done`. */
// biome-ignore lint/suspicious/noExplicitAny: each reads its own options, and nobody else sees them
export function addTools(group: Command, tools: readonly Tool<any>[], io: Io, done: (status: number) => void): void {
  group.configureHelp(NARROW)
  for (const tool of tools) fillTool(group.command(tool.name.split(' ').at(-1)!), tool, io, done)
}

/** Makes this command that of a tool. */
// biome-ignore lint/suspicious/noExplicitAny: it reads its own options, and nobody else sees them
export function fillTool(command: Command, tool: Tool<any>, io: Io, done: (status: number) => void): void {
  command.description(tool.summary).configureHelp(NARROW)
  for (const { name: called, many, optional, says } of tool.arguments) {
    const word = `${called}${many ? '...' : ''}`
    command.argument(optional ? `[${word}]` : `<${word}>`, says)
  }
  for (const flag of tool.flags) {
    const option = new Option(optionText(flag), flag.says)
    if (flag.many) option.argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value])
    command.addOption(option)
  }
  command.addHelpText('after', `\nExamples:\n${tool.examples.map((line) => `  ${line}\n`).join('')}`)
  command.action(async () => {
    const flags = command.options.map((option) => [option.name(), command.opts()[option.attributeName()]] as const)
    const given: Given = {
      arguments: command.args,
      flags: Object.fromEntries(flags.filter(([, value]) => value !== undefined)),
    }
    done(await runTool(tool, given, io))
  })
}

function optionText({ name, letter, value, optional }: Flag): string {
  const names = letter === undefined ? `--${name}` : `-${letter}, --${name}`
  if (value === undefined) return names
  return optional ? `${names} [${value}]` : `${names} <${value}>`
}

async function runTool(tool: Tool<unknown>, given: Given, io: Io): Promise<number> {
  const options = tool.read(given)
  if (!options.ok) {
    for (const fault of options.faults) io.complain(fault)
    return EXIT.wrong
  }
  try {
    return await tool.run(options.value, io)
  } catch (error) {
    if (!(error instanceof Unseen)) throw error
    io.complain(error.message)
    return EXIT.couldNot
  }
}
