/** Which symbolic links may be made: those that lead nowhere outside, in whatever order all is made. */

export type LinkRefusal = keyof typeof linkRefusalWords

/** Each as the end of a sentence that begins with the link. */
export const linkRefusalWords = {
  empty: 'leads nowhere',
  nul: 'has a NUL character in it',
  long: 'has more than 4,095 bytes',
  absolute: 'begins at the root of the file system',
  outside: 'leads outside',
  winding: 'has .. behind a name, which may be a link itself',
} as const

export type LinkVerdict = { readonly ok: true } | { readonly ok: false; readonly why: LinkRefusal }

const TARGET_BYTES = 4095

/**
 * Whether a link at `segments` that holds `target` stays inside. The folders above it must be real ones, not links.
 *
 * `..` stands at the beginning only, where it is those real folders that are left: behind a name that is a link itself
 * it would be the parent of wherever that leads. So each link by itself stays inside, and so do all of them together.
 */
export function judgeLink(segments: readonly string[], target: string): LinkVerdict {
  const why = linkRefusal(segments.length - 1, target)
  return why === undefined ? { ok: true } : { ok: false, why }
}

function linkRefusal(depth: number, target: string): LinkRefusal | undefined {
  if (target === '') return 'empty'
  if (target.includes('\0')) return 'nul'
  if (target.length > TARGET_BYTES || new TextEncoder().encode(target).length > TARGET_BYTES) return 'long'
  if (target.startsWith('/')) return 'absolute'
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const names = parts.findIndex((part) => part !== '..')
  const up = names === -1 ? parts.length : names
  if (up > depth) return 'outside'
  return parts.indexOf('..', up) === -1 ? undefined : 'winding'
}
