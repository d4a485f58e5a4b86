/** Settings of sshd that change how a login goes, and not who may log in. */

const YES_NO = /^(?:yes|no)$/
const within =
  (least: number, most: number) =>
  (value: string): boolean =>
    /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most

interface Changeable {
  readonly name: string
  readonly says: string
  fits(value: string): boolean
}

const yesNo = (name: string): Changeable => ({ name, says: 'yes or no', fits: (value) => YES_NO.test(value) })
const number = (name: string, least: number, most: number): Changeable => ({
  name,
  says: `${least} to ${most}`,
  fits: within(least, most),
})

/** By name in sshd_config(5). */
const CHANGEABLE: readonly Changeable[] = [
  yesNo('UseDNS'),
  yesNo('GSSAPIAuthentication'),
  yesNo('PrintMotd'),
  yesNo('PrintLastLog'),
  yesNo('TCPKeepAlive'),
  { name: 'Compression', says: 'yes, delayed or no', fits: (value) => /^(?:yes|delayed|no)$/.test(value) },
  { name: 'LogLevel', says: 'INFO or VERBOSE', fits: (value) => /^(?:INFO|VERBOSE)$/.test(value) },
  { name: 'MaxStartups', says: '10 to 9999, or START:RATE:FULL from 10 on', fits: isStartups },
  number('LoginGraceTime', 20, 600),
  number('ClientAliveInterval', 0, 3600),
  number('ClientAliveCountMax', 1, 1000),
  number('MaxSessions', 1, 1000),
]

function isStartups(value: string): boolean {
  const [start, rate, full, ...rest] = value.split(':')
  if (rest.length > 0 || !within(10, 9999)(start ?? '')) return false
  if (rate === undefined) return true
  return within(1, 100)(rate) && within(Number(start), 9999)(full ?? '')
}

/** As it is written; undefined: it cannot be set from here. */
export const settingName = (name: string): string | undefined =>
  CHANGEABLE.find((one) => one.name.toLowerCase() === name.toLowerCase())?.name

/** What is wrong with this; undefined: nothing. */
export function faultOf(name: string, value: string): string | undefined {
  const setting = CHANGEABLE.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (setting === undefined)
    return `${name} cannot be set from here; these can: ${CHANGEABLE.map((one) => one.name).join(', ')}`
  return setting.fits(value) ? undefined : `${setting.name} ${value}: give ${setting.says}`
}

/** Whether `sshd -T` shows what was set: numbers without zeros in front, lists in full, and delayed as yes. */
export function isSameValue(name: string, is: string, text: string): boolean {
  const plain = text.toLowerCase().replaceAll(/(^|:)0+(?=\d)/g, '$1')
  if (is.toLowerCase() === plain) return true
  if (name === 'Compression') return is.toLowerCase() === 'yes' && plain === 'delayed'
  return name === 'MaxStartups' && is.startsWith(`${plain}:`)
}
