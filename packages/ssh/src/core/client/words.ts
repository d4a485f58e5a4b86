/** The arguments of ssh for a login that is to be measured. Pure. */
import { sshOptions, type Target } from './target.ts'
import type { Variant } from './variants.ts'

type Values = ReadonlyMap<string, readonly string[]>

/** A login of its own, whatever connection is there, which takes no port of this machine and runs nothing here. */
const ALWAYS = ['ControlMaster=no', 'ControlPath=none', 'ClearAllForwardings=yes', 'PermitLocalCommand=no']
/** What not every ssh knows: it is given where `ssh -G` names it with another value. */
const WHERE_SET: Readonly<Record<string, string>> = {
  remotecommand: 'none',
  sessiontype: 'default',
  forkafterauthentication: 'no',
}

/** `more`: how questions are answered, or that none is. */
export function wordsFor(variant: Variant, target: Target, settings: Values, more: readonly string[]): string[] {
  const isOfItself = variant.wants === 'sftp' || variant.wants === 'nothing'
  const where = Object.entries(WHERE_SET)
    .filter(([name, plain]) => (settings.get(name)?.[0] ?? plain) !== plain)
    // ssh refuses -s and -N beside it.
    .filter(([name]) => name !== 'sessiontype' || !isOfItself)
  const fixed = [...ALWAYS, ...where.map(([name, plain]) => `${name}=${plain}`), ...more]
  const words = [
    '-vvv',
    ...fixed.flatMap((one) => ['-o', one]),
    ...variant.options,
    ...jump(target, settings),
    ...withoutJump(target.options),
    ...(variant.after ?? []),
    '-T',
  ]
  const { destination } = target
  if (variant.wants === 'shell') return [...words, destination]
  if (variant.wants === 'nothing') return [...words, '-N', destination]
  return variant.wants === 'sftp' ? [...words, '-s', destination, 'sftp'] : [...words, destination, 'true']
}

/**
 * With -J, ssh starts another ssh that is as talkative, and both write into one log. The same command is given here, as
 * ssh itself makes it (ssh.c, OpenSSH 9.2), but for the -v. A variant without proxy stands before it, and wins.
 */
function jump({ options }: Target, settings: Values): string[] {
  const hosts = (settings.get('proxyjump')?.[0] ?? 'none').split(',')
  const last = hosts.pop()!
  if (last === 'none') return []
  const file = fileOption(options)
  const words = [
    'ssh',
    ...(hosts.length === 0 ? [] : ['-J', hosts.join(',')]),
    ...(file === undefined ? [] : ['-F', file]),
    ...['-o', 'BatchMode=yes', '-W', '[%h]:%p'],
    last.includes('://') ? last : `ssh://${last}`,
  ]
  return ['-o', `ProxyCommand=${words.map(quoted).join(' ')}`]
}

/** ssh refuses -J beside a proxy command that is given, even to the same end. */
const withoutJump = (options: readonly string[]): readonly string[] =>
  sshOptions(options).flatMap(({ letter, value, words }) => (letter === 'J' && value !== undefined ? [] : words))

/** The file that is named by the user's own `-F`. */
const fileOption = (options: readonly string[]): string | undefined =>
  sshOptions(options).findLast(({ letter }) => letter === 'F')?.value

/** For a shell; `%` of what is no token of ssh is doubled. */
const quoted = (word: string) => {
  const text = word === '[%h]:%p' ? word : word.replaceAll('%', '%%')
  return /^[\w@%+=:,./-]+$/.test(text) ? text : inQuotes(text)
}

/** One word for a shell, whatever is in it. */
export const inQuotes = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
