/** Keys of one kind as one pattern, so that a report names kinds and nobody's data. */

const SEPARATOR = /([:/.|_-])/
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi
const HEX = /^(?=.*\d)[0-9a-f]{8,}$/i
const DIGITS = /\d+/g
const LONG = 40

/** Words and what stands between them, in order. */
export const parted = (key: string): string[] => key.split(SEPARATOR).filter((part) => part !== '')

/** `user:4711:profile` is `user:*:profile`: numbers, long hex, UUIDs and very long parts are `*`. */
export function patternOf(key: string): string {
  const parts = key.replaceAll(UUID, '*').split(SEPARATOR)
  const folded = parts.map((part) => {
    if (HEX.test(part) || part.length > LONG) return '*'
    return part.replaceAll(DIGITS, '*')
  })
  // `*:*` and `**` are no more than `*`.
  return folded.join('').replaceAll(/\*+/g, '*')
}
