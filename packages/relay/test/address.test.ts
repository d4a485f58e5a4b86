import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText, isLoopback, readAddress } from '../src/address.ts'
import { checkHost } from '../src/serve/auth.ts'

test('what is written is read as it was', () => {
  for (const text of ['127.0.0.1:7431', '[::1]:0', 'host.example:65535']) {
    const { host, port } = readAddress(text)!
    assert.equal(addressText(host, port), text)
  }
  for (const text of ['', 'host', ':1', '::1:7431', '[::1]', 'host:65536', 'a b:1'])
    assert.equal(readAddress(text), undefined)
})

test('loopback is loopback however it is written, and a name like it is not', () => {
  for (const host of [
    'localhost',
    'LocalHost',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
  ]) {
    assert.equal(isLoopback(host), true, host)
    const name = addressText(host, 7430)
    for (const said of [name, name.replace(/:7430$/, '')]) {
      assert.equal(checkHost(new Request('http://x/', { headers: { host: said } })), undefined, said)
    }
  }
  for (const host of ['', '0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '127.0.0.1.example.org', '127.example.org']) {
    assert.equal(isLoopback(host), false, host)
    assert.notEqual(checkHost(new Request('http://x/', { headers: { host: `${host}:80` } })), undefined, host)
  }
})
