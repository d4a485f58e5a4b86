/** Why a login was refused, in the words of who did. */

/** Lines of sshd without a level, by which it says why. */
const REFUSAL =
  /not (?:allowed|permitted)|refused|denied|bad ownership|fatal|error:|failed|expired|locked|Missing priv|Bad |closed/i
const LINE = /^ *[\d.]+ ERR (.*)$/
const TEXT_MAX = 200

/** `log`: of sshd; `complaints`: of ssh. */
export function refusalIn(log: string, complaints: string): string {
  const lines = log.split('\n').flatMap((line) => LINE.exec(line)?.[1] ?? [])
  const told = lines.filter((line) => !/^debug\d: /.test(line) && REFUSAL.test(line))
  const said = complaints.split('\n').map((line) => line.trim())
  const last = told[0] ?? said.filter((line) => line !== '' && !line.startsWith('Warning: ')).at(-1)
  return (last ?? 'ssh says nothing of why').replace(/ \[preauth\]$/, '').slice(0, TEXT_MAX)
}
