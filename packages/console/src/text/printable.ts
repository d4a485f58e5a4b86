/** Names come from whoever speaks to the relay: what cannot be seen in them is made visible. */

/** C0 and C1 controls, separators, marks that turn the direction of text around, and what has no width. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** A text from outside, safe to show: whatever hides or misleads is shown as its code. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
