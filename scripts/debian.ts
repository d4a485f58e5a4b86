// The Debian packages that the tests with real servers need, and how they come onto this machine.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const listFile = 'scripts/packages.debian.txt'

/** The package names in the text of the list: one a line, `#` begins a comment. */
export function packageNames(list: string): string[] {
  return list
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((name) => name !== '')
}

/** The wanted packages that dpkg does not call installed; undefined where there is no dpkg to ask. */
export function missingPackages(wanted: readonly string[], dpkgQuery = 'dpkg-query'): string[] | undefined {
  const format = '-f=${Package} ${db:Status-Status}\\n'
  const answer = spawnSync(dpkgQuery, ['-W', format, ...wanted], { encoding: 'utf8' })
  if (answer.error !== undefined) return undefined
  const lines = answer.stdout.split('\n')
  return wanted.filter((name) => !lines.includes(`${name} installed`))
}

/** Installs what is missing, or says in one line how to. Status 0: all there; 3: we cannot look without them. */
export function providePackages(): 0 | 3 {
  const missing = missingPackages(packageNames(readFileSync(listFile, 'utf8')))
  if (missing === undefined) {
    console.log(`This is not Debian: the tests with real servers need what ${listFile} lists, by whatever name.`)
    return 0
  }
  if (missing.length === 0) return 0
  if (process.getuid?.() !== 0) {
    console.error(`Missing, as listed in ${listFile}: sudo apt-get install -y ${missing.join(' ')}`)
    return 3
  }
  console.log(`Installing ${missing.join(', ')} with apt-get, as listed in ${listFile}.`)
  if (aptGet('update') && aptGet('install', '-y', '--no-install-recommends', ...missing)) return 0
  console.error(`apt-get could not install ${missing.join(', ')}.`)
  return 3
}

function aptGet(...args: string[]): boolean {
  // RUNLEVEL keeps the packages' own services from starting where sysv scripts decide it.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  return spawnSync('apt-get', ['-q', ...args], { stdio: 'inherit', env }).status === 0
}
