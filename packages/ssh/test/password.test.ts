/** A password that ssh asks a program for, and where it is meanwhile: nowhere. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { askingWith } from '../src/client/password.ts'

const SECRET = 'h4lf a secret $x `y`'

test('[S19] a password is answered, each time; whether to trust a host is not; afterwards nothing is left', (t) => {
  const asking = askingWith(SECRET, undefined)
  t.after(() => asking.close())
  const script = asking.environment.SSH_ASKPASS!
  const folder = dirname(script)
  const ask = (question: string) => spawnSync(script, [question], { encoding: 'utf8' })
  for (let i = 0; i < 2; i++) {
    asking.begin()
    // One that was not used is not there for the next login.
    asking.begin()
    assert.equal(ask("ops@host's password: ").stdout, `${SECRET}\n`)
    // A second question in the same login does not wait for ever.
    assert.equal(ask("Enter passphrase for key '/k': ").stdout, `${SECRET}\n`)
  }
  asking.begin()
  const trust = ask('Are you sure you want to continue connecting (yes/no)? ')
  assert.deepEqual([trust.status, trust.stdout], [1, ''])
  assert.equal(statSync(folder).mode & 0o77, 0, 'nobody else may look')
  assert.doesNotMatch(JSON.stringify([asking.environment, asking.settings]), /h4lf/)
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isFile()) assert.doesNotMatch(readFileSync(path, 'utf8'), /h4lf/)
  }
  const other = askingWith(SECRET, ':1')
  other.close()
  assert.equal(existsSync(dirname(other.environment.SSH_ASKPASS!)), false)
})
