// What may stand in a file, how long it is and what it is called.

import { posix } from 'node:path'
import { type Files, found, isCode, isTest, manifest, packageOf, packages, type Rule } from './project.ts'
import { scan } from './source.ts'

const mostLines = 400
const longestLine = 120

export const lengthRule: Rule = {
  name: `a code file has at most ${mostLines} lines`,
  faults: eachCode((path, text) => {
    const lines = text.trimEnd().split('\n').length
    return lines > mostLines ? [`${path}:${lines}: ${lines} lines, at most ${mostLines}: it has two subjects`] : []
  }),
}

export const widthRule: Rule = {
  name: `a line of code has at most ${longestLine} characters, tests and their recorded lines aside`,
  faults: eachCode((path, text) => {
    if (isTest(path)) return []
    return found(
      path,
      text,
      new RegExp(`^.{${longestLine + 1},}$`, 'gmu'),
      () => `longer than ${longestLine} characters`,
    )
  }),
}

export const defaultExportRule: Rule = {
  name: 'nothing is exported as default',
  faults: eachCode((path, text) => {
    const pattern = /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/g
    return found(path, scan(text).code, pattern, () => 'exported as default; give it a name')
  }),
}

export const chosenTestsRule: Rule = {
  name: 'no test is left out or put off',
  faults: eachCode((path, text) => {
    if (!isTest(path)) return []
    const pattern = /\.(?:only|skip|todo)\s*\(|\b(?:only|skip|todo)\s*:\s*(?:true\b|['"`])/g
    return found(path, scan(text).code, pattern, ([what]) => `"${what}" leaves out or puts off a test`)
  }),
}

/** Written so that this file does not hold what it looks for. */
const unwanted: readonly (readonly [RegExp, string])[] = [
  [/\b(?:TO[D]O|FI[X]ME|X[X]X)\b/g, 'do it now or leave the note out'],
  [/(?<![\w.~-])\/work\//g, 'a path of one machine only'],
  [
    /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|"resolved": "https?:[^"]*/gi,
    'where packages come from is the business of the machine',
  ],
]

export const unwantedRule: Rule = {
  name: 'no notes of unfinished work, no machine paths, no package registries',
  faults(files) {
    return [...files].flatMap(([path, text]) =>
      unwanted.flatMap(([pattern, why]) => found(path, text, pattern, ([what]) => `"${what}": ${why}`)),
    )
  },
}

const drawers = ['utils', 'util', 'common', 'shared', 'types', 'helpers', 'misc']

export const drawersRule: Rule = {
  name: 'no folder under packages is a drawer without a subject',
  faults(files) {
    return [...files.keys()].flatMap((path) => {
      const drawer = posix
        .dirname(path)
        .split('/')
        .find((folder) => drawers.includes(folder))
      return drawer === undefined || packageOf(path) === undefined ? [] : [`${path}:1: "${drawer}" names no subject`]
    })
  },
}

export const exactVersionsRule: Rule = {
  name: 'versions of dependencies are written exactly',
  faults(files) {
    return ['', ...packages(files).values()].flatMap((folder) => {
      const { dependencies, devDependencies, optionalDependencies } = manifest(files, folder) ?? { name: '' }
      const wanted = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      return wanted
        .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
        .map(([name, version]) => `${posix.join(folder, 'package.json')}:1: ${name} "${version}" is not exact`)
    })
  },
}

function eachCode(look: (path: string, text: string) => string[]): Rule['faults'] {
  return (files: Files) => [...files].filter(([path]) => isCode(path)).flatMap(([path, text]) => look(path, text))
}
