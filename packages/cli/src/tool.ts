/** A tool's command, made known to the command line. */
import { compare, EXIT, type Flag, type Given, type Io, type Command as Tool, Unseen } from '@fettle/check'
import { redisChange, redisCheck, redisExplain, redisWatch } from '@fettle/redis'
import { sshChange, sshCheck, sshExplain } from '@fettle/ssh'
import { Command, Option } from 'commander'

// biome-ignore lint/suspicious/noExplicitAny: each reads its own options, and nobody else sees them
const tools: readonly Tool<any>[] = [
  redisCheck,
  redisChange,
  redisExplain,
  redisWatch,
  sshCheck,
  sshChange,
  sshExplain,
  compare,
]

/** The commands of all tools, a group for each first word; each sets the exit status by `done`. */
export function toolCommands(io: Io, done: (status: number) => void): Command[] {
  const groups = new Map<string, Command>()
  for (const tool of tools) {
    const [group = '', name] = tool.name.split(' ')
    if (name === undefined) {
      groups.set(group, commandOf(group, tool, io, done))
      continue
    }
    const parent = groups.get(group) ?? new Command(group).description(summaries[group] ?? '')
    groups.set(group, parent)
    parent.addCommand(commandOf(name, tool, io, done))
  }
  return Array.from(groups.values())
}

const summaries: Readonly<Record<string, string>> = {
  redis: 'find what burns the CPU of a Redis, and put it right',
  ssh: 'find where the seconds of a slow login go',
}

function commandOf(name: string, tool: Tool<unknown>, io: Io, done: (status: number) => void): Command {
  const command = new Command(name).description(tool.summary)
  const { argument } = tool
  if (argument !== undefined) {
    const word = `${argument.name}${argument.many ? '...' : ''}`
    command.argument(argument.optional ? `[${word}]` : `<${word}>`, argument.says)
  }
  for (const flag of tool.flags) {
    const option = new Option(optionText(flag), flag.says)
    if (flag.many) option.argParser((value, before: readonly string[] | undefined) => [...(before ?? []), value])
    command.addOption(option)
  }
  command.addHelpText('after', `\nExamples:\n${tool.examples.map((line) => `  ${line}\n`).join('')}`)
  return command.action(async () => {
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
