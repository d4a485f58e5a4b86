/** What may stand in SQL: names that come from outside, checked and quoted, and ids of our own. Values never do. */
const NAME_MAX = 64

/** Why this cannot be the name of a table or a column; undefined: it can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name.length > NAME_MAX) return `is longer than ${NAME_MAX} letters`
  // MySQL 8.4, "Schema Object Names": neither U+0000 nor what lies beyond U+FFFF can be in one,
  // nor a space at its end.
  if (/[\0\u{10000}-\u{10ffff}\ud800-\udfff]/u.test(name)) return 'has a letter that no name can have'
  if (name.endsWith(' ')) return 'ends with a space'
  return undefined
}

/** Throws where that was not checked before. */
export function quoteName(name: string): string {
  const problem = nameProblem(name)
  if (problem !== undefined) throw new Error(`a name that ${problem}`)
  return `\`${name.replaceAll('`', '``')}\``
}

/** An id of ours is digits, or those of a ledger and a number: it can stand in SQL as it is. */
export function quoteId(id: string, isNumber: boolean): string {
  if (isNumber ? !/^\d{1,16}$/.test(id) : !/^[0-9a-f]{0,16}-?\d{1,16}$/.test(id)) throw new Error('no id of ours')
  return isNumber ? id : `'${id}'`
}
