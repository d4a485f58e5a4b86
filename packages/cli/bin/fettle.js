#!/usr/bin/env node
// Written so that even Node 8 can read it: an old Node must get a sentence, not a syntax error. Hence `var`, `require`
// (the package.json in this folder says so) and no `import()`, which Node 8 cannot parse.
var oldest = [24, 15]
var version = process.versions.node
var parts = version.split('.').map(Number)

if (parts[0] < oldest[0] || (parts[0] === oldest[0] && parts[1] < oldest[1])) {
  process.stderr.write(
    `fettle needs Node.js ${oldest.join('.')} or newer; this is ${version} (${process.execPath}). ` +
      'In a clone of fettle "npm ci" brings the right one and "npx fettle" uses it; ' +
      'elsewhere see https://nodejs.org/en/download\n',
  )
  process.exitCode = 78 // EX_CONFIG of sysexits.h
} else {
  Promise.resolve()
    .then(() => {
      require('node:module').enableCompileCache()
      return require('../src/main.ts').main(process.argv.slice(2))
    })
    .then(
      (status) => {
        process.exitCode = status
      },
      (bug) => {
        console.error(bug)
        process.exitCode = 70 // EX_SOFTWARE: a fault of ours must not look like an answer (0 to 3)
      },
    )
}
