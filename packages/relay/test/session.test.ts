/** Whom a username stands for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelOf, readTemplate, type Template } from '../src/core/session.ts'

const template = (text: string) => readTemplate(text) as Template
const usual = template('{expires}:{device}')

test('[R19] no realm and username make the key of another realm and another username', () => {
  const keyOf = (realm: string, username: string) => labelOf(usual, realm, username).key
  assert.notEqual(keyOf('a', '1:b/*:c'), keyOf('a/*:b', '1:c'))
  assert.notEqual(keyOf('a/b', '1:c'), keyOf('a%2Fb', '1:c'))
  assert.equal(keyOf('a', '1:c'), keyOf('a', '2:c'))
})

test('[R19] a field ends where the next literal first stands; the last one takes the rest', () => {
  assert.equal(labelOf(usual, 'r', '1:a:b').device, 'a:b')
  const { device, account, labels } = labelOf(template('{expires}:{device}_{kind}_{account}'), 'r', '1:d_k_a_b')
  assert.deepEqual([device, labels.kind, account], ['d', 'k', 'a_b'])
})

test('[R19] a field may be empty', () => {
  assert.deepEqual(
    { ...labelOf(usual, 'r', ':ann'), key: '' },
    { key: '', device: 'ann', account: null, labels: {}, fits: true },
  )
  assert.equal(labelOf(usual, 'r', '1:').device, '')
})

test('[R19] what stands before the first field and after the last one is told apart', () => {
  const own = template('u-{expires}-{device}-x')
  assert.deepEqual([labelOf(own, 'r', 'u-1-ann-x').device, labelOf(own, 'r', '1-ann').fits], ['ann', false])
  assert.equal(labelOf(own, 'r', 'u-1-ann-x').key, 'r/u-*-ann-x')
})
