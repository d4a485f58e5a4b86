// A small sound project, and for each house rule what breaks it. What must not stand in a file of ours as it is, such as
// an unfinished note, is put together from parts.

import { decisionsRule, linksRule, promisesRule } from './documents.ts'
import {
  arrowsRule,
  coreRule,
  cyclesRule,
  deadFilesRule,
  declaredRule,
  leadsSomewhereRule,
  pageRule,
  wallsRule,
} from './imports.ts'
import type { Files, Rule } from './project.ts'
import {
  chosenTestsRule,
  defaultExportRule,
  drawersRule,
  exactVersionsRule,
  lengthRule,
  unwantedRule,
  widthRule,
} from './texts.ts'

export const sound: Files = new Map(
  Object.entries({
    'README.md':
      '# Fettle\n\nSee [the decisions](docs/README.md), [one](docs/README.md#decisions-and-why), [all](docs).\n',
    'docs/README.md': '# Documents\n\n## Decisions, and why\n\n- [One](decisions/0001-one.md)\n\n`[no](link)`\n',
    'docs/decisions/0001-one.md': '# One\n',
    'package.json': '{ "name": "root", "devDependencies": { "fast-check": "4.0.0" } }',
    'packages/relay/package.json': '{ "name": "@fettle/relay", "exports": { ".": "./src/index.ts" } }',
    'packages/relay/README.md': '# relay\n\n**R1** Bytes are counted.\n\n**R2** Twice (R1) never.\n',
    'packages/relay/src/index.ts': `export { fold } from './core/fold.ts'\nimport './serve.ts'\n`,
    'packages/relay/src/serve.ts': `new Worker(new URL('./worker.ts', import.meta.url))\n`,
    'packages/relay/src/worker.ts': `import type { Row } from './core/row.ts'\n`,
    'packages/relay/src/core/fold.ts': `import type { Row } from './row.ts'\n/** Rule R1. No Date. */\nexport const fold = 1\n`,
    'packages/relay/src/core/row.ts': `export interface Row { readonly process: string }\n`,
    'packages/relay/src/core/fold.test.ts': `import fc from 'fast-check'\nimport { test } from 'node:test'\ntest('[R1] counts', async () => {})\n`,
    'packages/relay/test/scenarios/twice.scenario': '# [R2]\nat 0s new\n',
    'packages/cli/package.json':
      '{ "name": "fettle", "bin": { "fettle": "bin/fettle.js" }, "dependencies": { "@fettle/relay": "0.1.0" } }',
    'packages/cli/bin/fettle.js': `require('../src/main.ts')\n`,
    'packages/cli/src/main.ts': `import { fold } from '@fettle/relay'\nexport const main = fold\n`,
    'packages/console/package.json': JSON.stringify({
      name: '@fettle/console',
      files: ['dist'],
      exports: { './build': './build.ts' },
      devDependencies: { '@fettle/relay': '0.1.0', bundler: '1.0.0' },
    }),
    'packages/console/index.html': '<script type="module" src="./src/main.tsx"></script>',
    'packages/console/build.ts': `import 'bundler'\n`,
    'packages/console/src/main.tsx': `import type { fold } from '@fettle/relay'\n`,
    'test/real/serve.test.ts': `import '@fettle/relay'\nspawn(new URL('../../packages/cli/bin/fettle.js', import.meta.url))\n`,
  }),
)

interface Plant {
  readonly rule: Rule
  readonly because: string
  readonly files: Readonly<Record<string, string>>
  readonly faults: readonly string[]
}

const relay = 'packages/relay/src'
const core = 'packages/relay/src/core/row.ts'
const main = 'packages/cli/src/main.ts'

export const plants: readonly Plant[] = [
  {
    rule: arrowsRule,
    because: 'the meter imports the command line, if only a type',
    files: { [`${relay}/serve.ts`]: `import type { main } from 'fettle'\n` },
    faults: [`${relay}/serve.ts:1: relay may not import cli`],
  },
  {
    rule: arrowsRule,
    because: 'a package nobody has given an arrow',
    files: {
      'packages/zip/package.json': '{ "name": "@fettle/zip" }',
      'packages/zip/src/index.ts': `import '@fettle/relay'`,
    },
    faults: ['packages/zip/src/index.ts:1: zip may not import relay'],
  },
  {
    rule: coreRule,
    because: 'core imports node, a package and what lies outside',
    files: { [core]: `import 'node:fs'\nimport '@fettle/relay'\nimport type { A } from '../serve.ts'\n` },
    faults: [
      `${core}:1: core may not import node:fs`,
      `${core}:2: core may not import @fettle/relay`,
      `${core}:3: core may not import ../serve.ts`,
    ],
  },
  {
    rule: coreRule,
    because: 'core uses a clock, chance, the process and promises',
    files: {
      [core]: [
        'export const a = Date.now()',
        'export const b = Math.random()',
        'export const c = { ...process.env }',
        'export async function d(): Promise<void> {',
        '  setTimeout(d, performance.now())',
        '}',
        'export const e = d.process + e.fetch',
        'export const f = [new Date(1).toISOString(), Date.UTC(2026), new Date( )]',
      ].join('\n'),
    },
    faults: [
      `${core}:1: core may not use Date`,
      `${core}:2: core may not use Math.random`,
      `${core}:3: core may not use process`,
      `${core}:4: core may not use async`,
      `${core}:4: core may not use Promise`,
      `${core}:5: core may not use setTimeout`,
      `${core}:5: core may not use performance`,
      `${core}:8: core may not use new Date`,
    ],
  },
  {
    rule: cyclesRule,
    because: 'two files import each other, one of them only a type',
    files: { [core]: `import type { fold } from './fold.ts'\n` },
    faults: [
      `${relay}/core/fold.ts:1: in a circle: ${relay}/core/fold.ts -> ${relay}/core/row.ts -> ${relay}/core/fold.ts`,
    ],
  },
  {
    rule: cyclesRule,
    because: 'a circle of three, through a package and an import() at run time',
    files: {
      'packages/relay/package.json':
        '{ "name": "@fettle/relay", "exports": { ".": "./src/index.ts" }, "dependencies": { "fettle": "0.1.0" } }',
      'packages/cli/package.json': '{ "name": "fettle", "exports": { ".": "./src/main.ts" } }',
      [`${relay}/serve.ts`]: `await import('fettle')\n`,
    },
    faults: [
      `${relay}/index.ts:1: in a circle: ${relay}/index.ts -> ${relay}/serve.ts -> ${main} -> ${relay}/index.ts`,
    ],
  },
  {
    rule: deadFilesRule,
    because: 'a file that nothing imports, and one that only its test does',
    files: {
      [`${relay}/left.ts`]: 'export const left = 1\n',
      [`${relay}/tried.ts`]: 'export const tried = 1\n',
      [`${relay}/tried.test.ts`]: `import { tried } from './tried.ts'\n`,
    },
    faults: [`${relay}/left.ts:1: nothing imports it`, `${relay}/tried.ts:1: nothing imports it`],
  },
  {
    rule: deadFilesRule,
    because: 'a worker that is no longer started',
    files: { [`${relay}/serve.ts`]: 'export {}\n' },
    faults: [`${relay}/worker.ts:1: nothing imports it`],
  },
  {
    rule: declaredRule,
    because: 'a package imports what its manifest does not name',
    files: { [main]: `import 'commander'\nimport '@fettle/relay'\nimport 'fast-check'\n` },
    faults: [`${main}:1: commander is not declared`, `${main}:3: fast-check is not declared`],
  },
  {
    rule: declaredRule,
    because: 'a package of ours that is not declared, and a test with a dependency nobody has',
    files: {
      'packages/cli/package.json': '{ "name": "fettle", "bin": { "fettle": "bin/fettle.js" } }',
      'test/real/serve.test.ts': `import '@scope/deep/inside'\n`,
    },
    faults: [`${main}:1: @fettle/relay is not declared`, 'test/real/serve.test.ts:1: @scope/deep is not declared'],
  },
  {
    rule: leadsSomewhereRule,
    because: 'an import and a worker that are not there',
    files: { [main]: `import './gone.ts'\nnew URL('./worker.ts', import.meta.url)\n` },
    faults: [
      `${main}:1: packages/cli/src/gone.ts does not exist`,
      `${main}:2: packages/cli/src/worker.ts does not exist`,
    ],
  },
  {
    rule: declaredRule,
    because: 'a package that does not only hand out what was built uses what is there for its development',
    files: {
      'packages/cli/package.json':
        '{ "name": "fettle", "files": ["dist", "src"], "devDependencies": { "bundler": "1.0.0" } }',
      [main]: `import 'bundler'\n`,
    },
    faults: [`${main}:1: bundler is not declared`],
  },
  {
    rule: deadFilesRule,
    because: 'a file that the page no longer runs',
    files: { 'packages/console/index.html': '<script src="./elsewhere.js"></script>' },
    faults: ['packages/console/src/main.tsx:1: nothing imports it'],
  },
  {
    rule: pageRule,
    because: 'a page takes more than types, in three ways; what is beside its source may',
    files: {
      'packages/console/build.ts': `import { fold } from '@fettle/relay'\n`,
      'packages/console/src/main.tsx': [
        `import { fold } from '@fettle/relay'`,
        `import type { Fold } from '@fettle/relay'`,
        `import { type Fold } from '@fettle/relay'`,
        `export type { Row } from '@fettle/relay'`,
        `await import('@fettle/relay')`,
      ].join('\n'),
    },
    faults: [1, 3, 5].map(
      (line) => `packages/console/src/main.tsx:${line}: @fettle/relay is imported as more than types`,
    ),
  },
  {
    rule: wallsRule,
    because: 'four ways into the inside of another package',
    files: {
      [main]: `import '@fettle/relay/src/core/row.ts'\nimport '../../relay/src/core/row.ts'\n`,
      'test/real/serve.test.ts': `import '../../${core}'\nnew URL('../../${core}', import.meta.url)\n`,
    },
    faults: [
      `${main}:1: @fettle/relay/src/core/row.ts is not exported`,
      `${main}:2: ../../relay/src/core/row.ts leads out of or into a package; import it by its name`,
      `test/real/serve.test.ts:1: ../../${core} leads out of or into a package; import it by its name`,
      `test/real/serve.test.ts:2: ../../${core} leads out of or into a package; import it by its name`,
    ],
  },
  {
    rule: chosenTestsRule,
    because: 'tests that are left out, put off or the only ones',
    files: {
      [`${relay}/core/fold.test.ts`]: [
        `test.only('a', () => {})`,
        `it.skip('b', () => {})`,
        `test('c', { skip: true }, () => {})`,
        `test('d', { todo: 'later' }, () => {})`,
        `test('test.only( in a text', () => {}) // test.skip(`,
      ].join('\n'),
    },
    faults: [
      `${relay}/core/fold.test.ts:1: ".only(" leaves out or puts off a test`,
      `${relay}/core/fold.test.ts:2: ".skip(" leaves out or puts off a test`,
      `${relay}/core/fold.test.ts:3: "skip: true" leaves out or puts off a test`,
      `${relay}/core/fold.test.ts:4: "todo: '" leaves out or puts off a test`,
    ],
  },
  {
    rule: defaultExportRule,
    because: 'two ways to export a default',
    files: { [main]: `export default 1\nconst a = 'export default'\nexport { a as default }\n` },
    faults: [`${main}:1: exported as default; give it a name`, `${main}:3: exported as default; give it a name`],
  },
  {
    rule: drawersRule,
    because: 'a package and a folder that name no subject',
    files: { 'packages/common/package.json': '{ "name": "@fettle/common" }', [`${relay}/utils/a.ts`]: '' },
    faults: [
      'packages/common/package.json:1: "common" names no subject',
      `${relay}/utils/a.ts:1: "utils" names no subject`,
    ],
  },
  {
    rule: exactVersionsRule,
    because: 'versions that may change by themselves',
    files: {
      'package.json': '{ "name": "root", "devDependencies": { "a": "^1.0.0" }, "optionalDependencies": { "b": "24" } }',
      'packages/cli/package.json': '{ "name": "fettle", "dependencies": { "c": "*" } }',
    },
    faults: [
      'package.json:1: a "^1.0.0" is not exact',
      'package.json:1: b "24" is not exact',
      'packages/cli/package.json:1: c "*" is not exact',
    ],
  },
  {
    rule: lengthRule,
    because: 'one line too many; 400 are allowed',
    files: { [main]: '//\n'.repeat(401), [core]: '//\n'.repeat(400), 'long.md': '\n'.repeat(500) },
    faults: [`${main}:401: 401 lines, at most 400: it has two subjects`],
  },
  {
    rule: unwantedRule,
    because: 'unfinished notes, a path of one machine, a package registry',
    files: {
      [main]: `// ${'TO'}${'DO'}: a\n// ${'FIX'}${'ME'}\n// __${'XX'}X__ is coturn's heartbeat\n`,
      'README.md': `See ${'/wo'}rk/x, not docs/work/x\n`,
      'package-lock.json': `\n"resolved": "packages/cli"\n"resolved": "${'https'}://${'registry'}.example.org/a.tgz"\n`,
    },
    faults: [
      `README.md:1: "${'/wo'}rk/": a path of one machine only`,
      `${main}:1: "${'TO'}${'DO'}": do it now or leave the note out`,
      `${main}:2: "${'FIX'}${'ME'}": do it now or leave the note out`,
      `package-lock.json:3: ""resolved": "${'https'}://${'registry'}.example.org/a.tgz": where packages come from is the business of the machine`,
    ],
  },
  {
    rule: widthRule,
    because: 'a line of 121 characters; a test may have it',
    files: { [main]: `${'a'.repeat(120)}\n${'b'.repeat(121)}\n`, 'test/real/serve.test.ts': 'c'.repeat(200) },
    faults: [`${main}:2: longer than 120 characters`],
  },
  {
    rule: decisionsRule,
    because: 'decisions with a gap, without a title, without a link, with a bad name',
    files: {
      'docs/decisions/0003-three.md': '# Three\n',
      'docs/decisions/four.md': 'Four\n',
      'docs/README.md':
        '# Documents\n\n## Decisions, and why\n\n[1](decisions/0001-one.md) [3](decisions/0003-three.md)\n',
    },
    faults: [
      'docs/decisions/0003-three.md:1: should be number 0002',
      'docs/decisions/four.md:1: not named like 0003-what-was-decided.md',
      'docs/decisions/four.md:1: does not begin with a title',
      'docs/decisions/four.md:1: docs/README.md has no link to it',
    ],
  },
  {
    rule: linksRule,
    because: 'links to files and headings that are not there',
    files: {
      'README.md': [
        '[a](gone.md) [b](docs/README.md#gone) ![c](<docs/c.png>)',
        '[d]: docs/d.md',
        '<img src="e.png"> [f](https://example.org/gone) [g](#fine)',
        '```',
        '[h](h.md)',
        '```',
        '## Fine',
      ].join('\n'),
    },
    faults: [
      'README.md:1: gone.md leads nowhere',
      'README.md:1: docs/README.md has no heading #gone',
      'README.md:1: docs/c.png leads nowhere',
      'README.md:2: docs/d.md leads nowhere',
      'README.md:3: e.png leads nowhere',
    ],
  },
  {
    rule: promisesRule,
    because: 'rules nobody tests, tests of rules nobody made, a rule that is there twice',
    files: {
      'packages/relay/README.md': '**R1** a\n\n**R1** b\n\n**R2** c\n\n**R3** d (R8)\n',
      'packages/relay/src/core/fold.ts': '// rule R7\n',
      'packages/relay/test/gap.test.ts': `// [R3]\nconst a = '[R3]'\ntest('[R1, R9] gap', () => {})\n`,
    },
    faults: [
      'packages/relay/README.md:3: rule R1 is there twice',
      'packages/relay/README.md:7: no test or scenario cites rule R3',
      'packages/relay/test/gap.test.ts:3: no README has rule R9',
      'packages/relay/README.md:7: no README has rule R8',
      'packages/relay/src/core/fold.ts:1: no README has rule R7',
    ],
  },
]
