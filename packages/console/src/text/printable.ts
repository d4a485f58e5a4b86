/** Names come from whoever speaks to the relay: what cannot be seen in them is made visible. */

/**
 * Controls, separators, and what Unicode says has no look of its own: marks that turn the direction of text around,
 * fillers, tags. What joins letters and what makes them emoji (U+200C, U+200D, U+FE0F) stays: names need it.
 */
const UNSAFE = /(?!\u200c|\u200d|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{DI}\u2800\ufff9-\ufffb]/gu

/** A text from outside, safe to show: whatever hides or misleads is shown as its code. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (letter) => {
    const code = letter.codePointAt(0)!.toString(16).padStart(4, '0')
    return code.length > 4 ? `\\u{${code}}` : `\\u${code}`
  })
}
