/** From the filters of the address to the question for the meter. */

const PAGE = 100

export const filterNames = ['from', 'to', 'device', 'account', 'realm', 'server'] as const

/** `search`: as in the address; days are the viewer's own and `to` is the last one, the meter wants moments. */
export function questionOf(search: string, cursor: string | undefined): URLSearchParams {
  const given = new URLSearchParams(search)
  const asked = new URLSearchParams()
  for (const name of filterNames) {
    const value = given.get(name)
    if (value === null || value === '') continue
    const moment = name === 'from' ? startOf(value, 0) : name === 'to' ? startOf(value, 1) : value
    if (moment !== undefined) asked.set(name, moment)
  }
  asked.set('limit', String(PAGE))
  if (cursor !== undefined) asked.set('cursor', cursor)
  return asked
}

/** When the day begins here, or one some days after it; undefined for what is no day. */
function startOf(day: string, daysAfter: number): string | undefined {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? []
  if (year === undefined) return undefined
  return new Date(Number(year), Number(month) - 1, Number(date) + daysAfter).toISOString()
}
