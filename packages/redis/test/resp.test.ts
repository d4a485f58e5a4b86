import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAddress } from '../src/core/address.ts'
import { type Answer, NoRedis, Refusal, ReplyReader, wireOf } from '../src/core/read/resp.ts'

const read = (text: string, size = text.length): Answer[] => {
  const bytes = Buffer.from(text, 'latin1')
  const reader = new ReplyReader()
  const answers: Answer[] = []
  for (let at = 0; at < bytes.length; at += size) answers.push(...reader.push(bytes.subarray(at, at + size)))
  return answers
}

test('replies are read wherever they are cut, a letter for each byte', () => {
  const text =
    '+OK\r\n:-7\r\n$-1\r\n$0\r\n\r\n*0\r\n*-1\r\n-NOPERM no\r\n$4\r\n\r\n\xff\x00\r\n' +
    '*2\r\n*3\r\n:1\r\n*1\r\n$1\r\na\r\n+b\r\n*0\r\n'
  const whole = ['OK', -7, null, '', [], null, new Refusal('NOPERM no'), '\r\n\xff\x00', [[1, ['a'], 'b'], []]]
  for (let size = 1; size <= text.length; size++) assert.deepEqual(read(text, size), whole, `${size} bytes at a time`)
})

test('a reply of many megabytes is put together once', () => {
  const long = 'x'.repeat(20e6)
  const began = performance.now()
  assert.equal((read(`$${long.length}\r\n${long}\r\n`, 64 * 1024)[0] as string).length, long.length)
  assert.ok(performance.now() - began < 2000, 'the time grows with the square of its length')
})

test('what is no Redis, or means to fill our memory, is told and not read on', () => {
  for (const [text, told] of [
    ['HTTP/1.1 400 Bad Request\r\n', /"HTTP\/1\.1 400/],
    ['SSH-2.0-OpenSSH\r\n', /"SSH-2\.0/],
    ['$99999999999\r\n', /a length of "99999999999"/],
    ['$9999999999\r\n', /a length/],
    ['$-2\r\n', /a length/],
    ['*1000001\r\n', /a length/],
    ['*1\r\n'.repeat(20), /lists within lists/],
    [`+${'x'.repeat(70_000)}`, /without an end/],
    [':12a\r\n', /":12a"/],
  ] as const) {
    assert.throws(
      () => read(text, 1000),
      (error) => error instanceof NoRedis && told.test(error.message),
      text,
    )
  }
})

test('a reply of many items that never ends is not read on, and many replies are', () => {
  const reader = new ReplyReader()
  const item = Buffer.from(`$1000000\r\n${'x'.repeat(1_000_000)}\r\n`)
  const push = () => {
    for (let i = 0; i < 140; i++) reader.push(item)
  }
  push()
  reader.push(Buffer.from('*1000000\r\n'))
  assert.throws(push, /a reply without an end/)
})

test('commands go out as bytes', () => {
  assert.equal(
    wireOf([['GET', '\xc3\xa9\r\n'], ['PING']]).toString('latin1'),
    '*2\r\n$3\r\nGET\r\n$4\r\n\xc3\xa9\r\n\r\n*1\r\n$4\r\nPING\r\n',
  )
})

test('an address is read as people write it, and never with a password', () => {
  for (const [text, name] of [
    ['10.0.0.7', 'redis://10.0.0.7:6379'],
    ['cache.example.org:6380', 'redis://cache.example.org:6380'],
    ['rediss://anna%40x@cache.example.org/3', 'rediss://cache.example.org:6379'],
    ['redis://[::1]:7000', 'redis://[::1]:7000'],
    ['unix:/run/redis.sock', 'unix:/run/redis.sock'],
  ] as const) {
    const address = readAddress(text)
    assert.equal('problem' in address ? address.problem : address.name, name)
  }
  for (const text of ['', 'redis://', 'http://a', 'redis://:secret@a', 'a:99999', 'redis://a/b', 'redis://%zz@a']) {
    const address = readAddress(text)
    assert.ok('problem' in address && !address.problem.includes('secret'), text)
  }
})
