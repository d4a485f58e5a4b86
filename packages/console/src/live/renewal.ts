/** A page may stay open for weeks, and the meter be replaced by a newer one that says things in another way. */

/** Whether the meter has another page by now than this one. */
export async function isOutdated(): Promise<boolean> {
  const response = await fetch(document.baseURI, { cache: 'no-cache' })
  // A meter without a page says so in plain text: then this one is the best there is.
  if (!response.ok || !response.headers.get('Content-Type')?.startsWith('text/html')) return false
  const page = await response.text()
  // The names of scripts change with what they hold.
  const own = Array.from(document.scripts, ({ src }) => src.slice(src.lastIndexOf('/') + 1))
  return own.some((name) => !page.includes(name))
}
