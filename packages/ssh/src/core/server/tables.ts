/** What a login comes through here: its parts with their times, settings of sshd, modules of PAM. */
import type { Cell, Table } from '@fettle/report'
import { type Config, placeOf, whereSet } from './config.ts'
import { type Facts, setting } from './facts.ts'
import { waitsFor } from './pam.ts'
import { timed } from './timed.ts'

export const tablesOf = (facts: Facts): Table[] => [
  partsTable(facts),
  ...(facts.settings === undefined || facts.settings.refused !== null ? [] : [settingsTable(facts)]),
  ...(facts.pam === undefined || setting(facts, 'usepam') !== 'yes' ? [] : [pamTable(facts.pam.stack)]),
]

function partsTable(facts: Facts): Table {
  const rows = timed(facts)
    .sort((a, b) => b.seconds - a.seconds)
    .map(({ what, where, seconds, isCut }): Cell[] => [
      what,
      { value: seconds, unit: 's' },
      isCut ? 'and no end' : '',
      where,
    ])
  const columns = [
    { name: 'part', title: 'PART' },
    { name: 'seconds', title: 'SECONDS' },
    { name: 'end', title: '' },
    { name: 'where', title: 'WHERE', flexible: true },
  ] as const
  return { name: 'parts', title: 'Each part of a login, timed by itself', columns, rows }
}

/** Those that decide what a login waits for. */
const SETTINGS = [
  'UseDNS',
  'GSSAPIAuthentication',
  'UsePAM',
  'AuthorizedKeysCommand',
  'AuthorizedPrincipalsCommand',
  'ForceCommand',
  'PermitUserRC',
  'PrintMotd',
  'PrintLastLog',
  'X11Forwarding',
  'MaxStartups',
  'LoginGraceTime',
]

function settingsTable(facts: Facts): Table {
  const { config } = facts.settings!
  const rows = SETTINGS.flatMap((name): Cell[][] => {
    const value = setting(facts, name.toLowerCase())
    // The arguments of a command are nobody's business.
    return value === undefined ? [] : [[name, value.split(' ')[0]!, whereAll(config, name)]]
  })
  const columns = [
    { name: 'setting', title: 'SETTING' },
    { name: 'value', title: 'VALUE' },
    { name: 'where', title: 'SET BY', flexible: true },
  ] as const
  return { name: 'settings', title: 'Settings of sshd that a login waits for', columns, rows }
}

/** Where it is set for all, and for whom else. */
function whereAll(config: Config, name: string): string {
  const others = config.lines.filter((one) => one.match !== null && one.name === name.toLowerCase())
  const matches = others.map((one) => `${placeOf(one)} (Match ${one.match})`)
  return [whereSet(config, name) ?? 'nobody, it is the default', ...matches].join(', ')
}

type Stack = NonNullable<Facts['pam']>['stack']

function pamTable(stack: Stack): Table {
  const rows = stack
    .filter((line) => (line.type === 'account' || line.type === 'session') && waitsFor(line) !== undefined)
    .map((line): Cell[] => [line.type, line.module, placeOf(line), waitsFor(line)!])
  const columns = [
    { name: 'type', title: 'TYPE' },
    { name: 'module', title: 'MODULE' },
    { name: 'where', title: 'LINE' },
    { name: 'waits', title: 'WAITS FOR', flexible: true },
  ] as const
  return { name: 'pam', title: 'Modules of PAM that may wait, in their order', columns, rows }
}
