import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { detectEncoding } from '../src/core/detect.ts'
import { decoderOf, encodingNamed } from '../src/core/encoding.ts'
import { ENCODED, NAMES } from './encoding-names.ts'

/** A name ends with its extension. */
const namesOf = (language: string) => NAMES[language]!.split(/\s*\n\s*|(?<=\.\w{2,4}) /).filter((name) => name !== '')

const PYTHON = `
import sys, json
out = {}
for language, encoding, names in json.load(sys.stdin):
    out[language + ' ' + encoding] = [name.encode(encoding, 'replace').hex() for name in names]
print(json.dumps(out))
`

function encodedNames(): Map<string, { names: string[]; bytes: Uint8Array[] }> {
  const asked = ENCODED.map(([language, python]) => [language, python, namesOf(language)])
  const text = execFileSync('python3', ['-c', PYTHON], { input: JSON.stringify(asked), encoding: 'utf8' })
  const encoded = JSON.parse(text) as Record<string, string[]>
  return new Map(
    ENCODED.map(([language, python]) => {
      const bytes = encoded[`${language} ${python}`]!.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))
      // What the encoding has no character for is no name that an archive could have.
      const pairs = namesOf(language).map((name, i) => ({ name, bytes: bytes[i]! }))
      const kept = pairs.filter(({ name, bytes }) => !(bytes.includes(0x3f) && !name.includes('?')))
      return [`${language} ${python}`, { names: kept.map(({ name }) => name), bytes: kept.map(({ bytes }) => bytes) }]
    }),
  )
}

/** How many of the groups of so many names are read as they were. */
function share(names: readonly string[], bytes: readonly Uint8Array[], size: number, isDosHost: boolean) {
  let right = 0
  let surelyWrong = 0
  let count = 0
  for (let start = 0; start < names.length; start++) {
    const picked = Array.from({ length: size }, (_, i) => (start + i * 7) % names.length)
    const group = picked.map((i) => bytes[i]!)
    if (!group.some((name) => name.some((byte) => byte >= 0x80))) continue
    count++
    const { encoding, confidence } = detectEncoding(group, { isDosHost })
    const isRight = picked.every((i) => decoderOf(encoding)(bytes[i]!) === names[i])
    if (isRight) right++
    else if (confidence === 'likely') surelyWrong++
  }
  return { right: right / count, surelyWrong: surelyWrong / count }
}

test('names are read as they were written [Z6]', () => {
  for (const [title, { names, bytes }] of encodedNames()) {
    assert.ok(names.length >= 30, `${title}: ${names.length} names`)
    const isDosHost = !title.includes('cp125')
    const [one, three, ten] = [1, 3, 10].map((size) => share(names, bytes, size, isDosHost))
    assert.ok(one!.right >= 0.9, `${title}, one name: ${one!.right}`)
    assert.ok(one!.surelyWrong <= 0.05, `${title}, one name, said to be likely: ${one!.surelyWrong}`)
    assert.ok(three!.right >= 0.97, `${title}, three names: ${three!.right}`)
    assert.equal(ten!.right, 1, `${title}, ten names`)
  }
})

test('UTF-8 that is not said to be is found [Z6]', () => {
  for (const language of Object.keys(NAMES)) {
    const names = namesOf(language).map((name) => new TextEncoder().encode(name))
    const { encoding, confidence } = detectEncoding(names, { isDosHost: true })
    assert.deepEqual([encoding, confidence], ['utf-8', 'likely'], language)
    for (const name of names.filter((bytes) => bytes.some((byte) => byte >= 0x80))) {
      assert.equal(detectEncoding([name], { isDosHost: false }).encoding, 'utf-8', Buffer.from(name).toString())
    }
  }
})

test('what an encoding may be called', () => {
  const labels = {
    gbk: ['GBK', 'cp936', '936', 'gb2312', 'GB18030', 'gb_2312-80', 'windows-936'],
    big5: ['Big5', '950', 'cp950', 'big5-hkscs'],
    shift_jis: ['sjis', 'Shift-JIS', 'cp932', 'windows-31j', 'MS932'],
    'euc-kr': ['euckr', 'cp949', '949', 'ks_c_5601-1987', 'uhc'],
    cp437: ['437', 'IBM437', 'cp-437', 'dos'],
    cp850: ['850', 'CP858'],
    cp866: ['866', 'ibm866'],
    'windows-1251': ['1251', 'CP1251', 'win-1251'],
    'windows-1252': ['latin1', 'iso-8859-1', '1252'],
    'utf-8': ['UTF8', 'cp65001', 'utf-8'],
    'koi8-r': ['koi8-r', 'KOI8R'],
    'iso-8859-2': ['latin2', 'iso8859-2'],
    'euc-jp': ['eucjp', 'cp51932'],
  }
  for (const [encoding, all] of Object.entries(labels)) {
    for (const label of all) assert.equal(encodingNamed(label), encoding, label)
    assert.equal(encodingNamed(encoding), encoding)
    assert.equal(decoderOf(encoding)(Uint8Array.of(0x61, 0x2f)), 'a/')
  }
  for (const label of ['', 'klingon', '999', 'utf-16', '__proto__'])
    assert.equal(encodingNamed(label), undefined, label)
})

test('bytes are read as Python reads them', () => {
  const script = `
import sys
for e in sys.argv[1:]:
    print(bytes(range(128, 256)).decode(e, 'replace'))
`
  const pages = ['cp437', 'cp850', 'cp866', 'windows-1251']
  const lines = execFileSync('python3', ['-c', script, ...pages], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONIOENCODING: 'utf-8' },
  }).split('\n')
  const all = Uint8Array.from({ length: 128 }, (_, i) => i + 128)
  for (const [i, page] of pages.entries()) {
    // 0x98 is nothing in windows-1251, and a control character in the Encoding Standard.
    assert.equal(decoderOf(page)(all).replace('\x98', '\ufffd'), lines[i], page)
  }
})

test('any bytes are read as something [Z6]', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 5 }), fc.boolean(), (names, isDosHost) => {
      const { encoding, others } = detectEncoding(names, { isDosHost })
      assert.ok(!others.includes(encoding))
      for (const name of names) assert.equal(typeof decoderOf(encoding)(name), 'string')
    }),
    { numRuns: 200 },
  )
})
