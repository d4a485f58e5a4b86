import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { labelOf, readTemplate } from '../src/core/session.ts'
import { suggest, suggestTemplate } from '../src/suggest.ts'

const uuid = (letter: string) => `${letter.repeat(8)}-2222-3333-4444-555555555555`

const cases: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ['a unix time and a name', ['1795425905:alice', '1795425906:bob'], '{expires}:{device}'],
  [
    'more than a name',
    ['1795425905:a_web_x_77', '1795425906:b_app_x_78'],
    '{expires}:{device}_{part2}_{part3}_{part4}',
  ],
  ['the time last', ['alice:1795425905', 'bob:1795425906'], '{device}:{expires}'],
  ['milliseconds', ['1795425905123:alice', '1795425906123:bob'], '{expires}:{device}'],
  ['no time', ['alice_web', 'bob_app'], '{device}_{part2}'],
  ['a part that is always the same is not the device', ['turn:a', 'turn:b'], '{part2}:{device}'],
  [
    'a dash that only some have separates nothing',
    ['1795425905:desk-1_n', '1795425906:phone_s'],
    '{expires}:{device}_{part2}',
  ],
  ['dashes that all have separate', ['1795425905-a-n', '1795425906-b-s'], '{expires}-{device}-{part2}'],
  ['a UUID is one part', [`1795425905:${uuid('a')}`, `1795425906:${uuid('b')}`], '{expires}:{device}'],
  ['an address is one part', ['1795425905:10.0.0.1', '1795425906:10.0.0.2'], '{expires}:{device}'],
  ['a mail address is one part', ['1795425905:a.b@example.org', '1795425906:c@example.org'], '{expires}:{device}'],
  ['a UUID before a dash, where the meter would cut it', [`${uuid('a')}-x`, `${uuid('b')}-y`], undefined],
  ['nothing but names', ['alice', 'bob'], undefined],
  ['nothing', [], undefined],
  ['no shape in common', ['a:b', 'a_b', 'a.b', 'a-b', 'ab'], undefined],
  ['prose', [Array(20).fill('a').join('_'), Array(20).fill('b').join('_')], undefined],
]
for (const [what, names, expected] of cases) {
  test(`suggestTemplate: ${what}`, () => {
    assert.equal(suggestTemplate(names), expected)
  })
}

test('four of five must share the shape, and each name counts once', () => {
  const four = ['1795425901:a', '1795425902:b', '1795425903:c', '1795425904:d']
  assert.equal(suggestTemplate([...four, 'odd']), '{expires}:{device}')
  assert.equal(suggestTemplate([...four, 'odd', 'even']), undefined)
  assert.equal(suggestTemplate([...four, 'odd', 'odd', 'odd']), '{expires}:{device}')
})

test('each part comes with what stood there', () => {
  const names = ['1795425901:a_web', '1795425902:b_web', '1795425903:\u001b[31m_app', '1795425904:d_app', 'odd']
  assert.deepEqual(suggest(names), {
    template: '{expires}:{device}_{part2}',
    share: 0.8,
    parts: [
      { name: 'expires', examples: ['1795425901', '1795425902', '1795425903'] },
      { name: 'device', examples: ['a', 'b', '\u001b[31m'] },
      { name: 'part2', examples: ['web', 'app'] },
    ],
  })
})

test('whatever the names are, a suggestion is a template that the meter takes and that fits four of five', () => {
  const name = fc
    .array(fc.constantFrom('a', 'b', '1795425905', ':', '_', '-', '.', '10.0.0.1', uuid('c'), '{', '@'))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(name, { maxLength: 12 }), (names) => {
      const text = suggestTemplate(names)
      if (text === undefined) return
      const template = readTemplate(text)
      assert(!('problem' in template))
      const different = Array.from(new Set(names))
      const fitting = different.filter((one) => labelOf(template, '', one).fits)
      assert(fitting.length >= different.length * 0.8, `${text}: ${JSON.stringify(names)}`)
    }),
  )
})

test('a thousand long names of the worst kind take no time', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `${i}a.b-c_d:e@`.repeat(400).slice(0, i % 2 === 0 ? 4000 : 255))
  const began = performance.now()
  suggestTemplate(names)
  assert(performance.now() - began < 5000)
})
