import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { type Given, readOptions } from '../src/options.ts'

const here = { HOME: '/nonexistent' }

function logOf(flags: Given, environment: Given = {}): string | null {
  const options = readOptions(flags, { ...here, ...environment })
  assert.ok(options.ok)
  return options.value.log
}

function faultsOf(flags: Given, environment: Given = {}): readonly string[] {
  const options = readOptions(flags, { ...here, ...environment })
  return options.ok ? [] : options.faults
}

test('a log is named by flag, environment or file, and is an absolute path or what is piped in', () => {
  assert.equal(logOf({}), null)
  assert.equal(logOf({ log: '' }, { FETTLE_LOG: '/var/log/turn.log' }), null)
  assert.equal(logOf({ log: 'turn.log' }), resolve('turn.log'))
  assert.equal(logOf({ log: '-' }), '-')
  assert.equal(logOf({}, { FETTLE_LOG: '/var/log/turn_*.log' }), '/var/log/turn_*.log')
  const folder = mkdtempSync(join(tmpdir(), 'fettle-options-'))
  const config = join(folder, 'fettle.yaml')
  writeFileSync(config, 'relay:\n  resp: off\n  log: /var/log/turn.log\n')
  assert.equal(logOf({ config }), '/var/log/turn.log')
  rmSync(folder, { recursive: true })
})

test('a log alone is enough to listen to', () => {
  assert.deepEqual(faultsOf({ resp: 'off', log: 'turn.log' }), [])
  assert.match(faultsOf({ resp: 'off' }).join(), /^--resp "off": leaves nothing to listen to; give .* --log FILE/)
})

test('what is no log is said where it was given, with what to do', () => {
  const said = (value: string) => faultsOf({}, { FETTLE_LOG: value }).join()
  for (const form of ['text', 'json']) {
    assert.equal(
      said(form),
      `environment FETTLE_LOG "${form}": is the form of the meter's own log: --log-format ${form}; a file of that name is ./${form}`,
    )
  }
  assert.match(said('/var/log/'), /^environment FETTLE_LOG "\/var\/log\/": is a folder; give /)
  assert.match(
    said('/var/*/turn.log'),
    /: has a \* or \? in the name of a folder; only the name of the file may have one$/,
  )
})
