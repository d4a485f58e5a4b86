/** What a turnserver.conf says of coturn's log, where the meter follows one. */
import { basename, dirname, extname } from 'node:path'
import { type Check, problem, warning } from '../check.ts'
import { isBefore } from './server.ts'
import type { Configuration, Expected, Settings } from './turnserver-settings.ts'

const VERBOSE = ['-v', '-V', '--verbose', '--Verbose']
const RESTART = 'Then restart it when no call is up.'

/**
 * What keeps the log from being a source of records; nothing where the meter follows none. `isHeard`: what this coturn
 * reports comes to the meter as well.
 */
export function checkLogging(
  { name, words = [] }: Configuration,
  settings: Settings,
  { log, version }: Pick<Expected, 'log' | 'version'>,
  isHeard: boolean,
): Check[] {
  if (log === null) return []
  const isVerbose = VERBOSE.some((word) => words.includes(word) || settings.has(word.slice(word.lastIndexOf('-') + 1)))
  const checks: Check[] = isVerbose
    ? []
    : [problem('log-verbose', `${name} has no verbose: its log tells of no allocation.`, 'Put it in.', RESTART)]
  if (log === '-') return checks
  const elsewhere = checkPlace(name, settings, log)
  if (elsewhere !== undefined) return [...checks, elsewhere]
  if (isHeard && settings.has('log-file')) {
    const text = `${name}: this coturn reports to the meter, which follows its log as well: all is counted twice.`
    checks.push(problem('heard-twice', text, 'Leave out one of the two.'))
  }
  const isDated = settings.has('new-log-timestamp') || (version !== null && !isBefore(version, 4, 17))
  if (isDated) return checks
  const text = `${name} has no new-log-timestamp: lines have no time, and count as of when they are read.`
  return [...checks, warning('log-undated', text, 'Put it in.', RESTART)]
}

/** Whether coturn writes where the meter reads, as far as the file tells. */
function checkPlace(name: string, settings: Settings, log: string): Check | undefined {
  const file = settings.get('log-file')?.at(-1)
  const lines = `Put in: simple-log, log-file=${log}; and take out syslog and other log-file lines.`
  if (settings.has('syslog') || file === 'syslog' || file === 'stdout' || file === '-') {
    const pipe = 'Or pipe it in: journalctl -f -u coturn -o short-iso | fettle relay serve --log -'
    return problem('log-elsewhere', `${name}: coturn writes no file, its log goes elsewhere.`, lines, pipe)
  }
  const isSimple = settings.has('simple-log')
  if (file === undefined || patternOf(log).test(isSimple ? file : datedName(file))) return undefined
  const where = isSimple ? file : `${datedName(file)}, one for each day`
  return problem('log-elsewhere', `${name}: coturn writes ${where}; the meter follows ${log}.`, lines)
}

/** As coturn names a file without simple-log (ns_turn_utils.c, set_log_file_name_func). */
function datedName(file: string): string {
  const end = extname(file)
  const stem = file.slice(0, file.length - end.length)
  return `${stem}${/[-_/]$/.test(stem) ? '' : '_'}YYYY-MM-DD${end === '' ? '.log' : end}`
}

function patternOf(log: string): RegExp {
  const escaped = basename(log)
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
  return new RegExp(`^${dirname(log).replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')}/${escaped}$`)
}
