/** Encodings of names: what they are called, and how bytes are read by them. What a name is in is told by detect.ts. */

/** Those that are found by themselves. All others that are accepted are labels of the Encoding Standard. */
export type Encoding =
  | 'utf-8'
  | 'gbk'
  | 'big5'
  | 'shift_jis'
  | 'euc-kr'
  | 'cp437'
  | 'cp850'
  | 'windows-1252'
  | 'windows-1251'
  | 'cp866'

/** Never fails: what stands for no character becomes U+FFFD. */
export type Decoder = (bytes: Uint8Array) => string

const CP437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐' +
  '└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0'

const CP850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐' +
  '└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0'

const SINGLE_BYTE = new Map([
  ['cp437', CP437],
  ['cp850', CP850],
])

/** As the Encoding Standard calls them. */
const STANDARD = new Map([
  ['gbk', 'gb18030'],
  ['cp866', 'ibm866'],
])

/** Other names, without what is neither letter nor digit, and without the `cp`, `ibm` or `windows` before a number. */
const ALIASES = new Map([
  ['65001', 'utf-8'],
  ['936', 'gbk'],
  ['54936', 'gbk'],
  ['gb2312', 'gbk'],
  ['gb18030', 'gbk'],
  ['euccn', 'gbk'],
  ['950', 'big5'],
  ['big5hkscs', 'big5'],
  ['932', 'shift_jis'],
  ['sjis', 'shift_jis'],
  ['mskanji', 'shift_jis'],
  ['949', 'euc-kr'],
  ['uhc', 'euc-kr'],
  ['euckr', 'euc-kr'],
  ['eucjp', 'euc-jp'],
  ['koi8r', 'koi8-r'],
  ['koi8u', 'koi8-u'],
  ['437', 'cp437'],
  ['850', 'cp850'],
  ['858', 'cp850'],
  ['866', 'cp866'],
  ['51932', 'euc-jp'],
  ['874', 'windows-874'],
  ['latin1', 'windows-1252'],
  ['dos', 'cp437'],
  ['oem', 'cp437'],
])

/**
 * What `--encoding` calls an encoding, in the words of {@link Encoding} or of the Encoding Standard; undefined: there
 * is none. Spelling does not count, and Windows' numbers are known: `GBK`, `cp936`, `936`, `sjis`, `CP-1251`.
 */
export function encodingNamed(label: string): string | undefined {
  const plain = label.toLowerCase().replace(/[^a-z0-9]/g, '')
  const number = /^(?:cp|ibm|windows|win|ms|dos|oem|codepage)?(\d+)$/.exec(plain)?.[1]
  const alias = ALIASES.get(number ?? plain)
  if (alias !== undefined) return alias
  if (number !== undefined && /^125[0-8]$/.test(number)) return `windows-${number}`
  const standard = standardName(label) ?? standardName(plain)
  // Two bytes for each character, also of ASCII: no names in an archive are written so.
  return standard?.startsWith('utf-16') ? undefined : standard
}

function standardName(label: string): string | undefined {
  try {
    const { encoding } = new TextDecoder(label)
    return [...STANDARD].find(([, standard]) => standard === encoding)?.[0] ?? encoding
  } catch {
    return undefined
  }
}

/** Of an encoding by a name that {@link encodingNamed} gives. */
export function decoderOf(encoding: string): Decoder {
  const table = SINGLE_BYTE.get(encoding)
  if (table !== undefined) return (bytes) => decodeBy(table, bytes)
  const decoder = new TextDecoder(STANDARD.get(encoding) ?? encoding, { ignoreBOM: true })
  return (bytes) => decoder.decode(bytes)
}

function decodeBy(table: string, bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte < 0x80 ? String.fromCharCode(byte) : table[byte - 0x80]
  return text
}
