/** When a report was kept, which its name begins with; null: it does not. */
export function keptAt(name: string): string | null {
  const [, hour, minute, second] = /^(\d{4}-\d\d-\d\dT\d\d)(\d\d)(\d\d\.\d{3}Z)-/.exec(name) ?? []
  const time = `${hour}:${minute}:${second}`
  return Number.isNaN(Date.parse(time)) ? null : time
}
