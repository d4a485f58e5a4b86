// npm test: everything, with real servers. `npm run test:real` runs those alone.

import { providePackages } from './debian.ts'
import { lint, longTests, quickTests, realTests, runStages, toolTests, types } from './stages.ts'

// The model test has more time here than between two edits.
process.env.FETTLE_MODEL_RUNS ??= '300'

const onlyReal = process.argv[2] === 'real'
const stages = onlyReal ? [realTests, toolTests] : [types, lint, quickTests, longTests, realTests, toolTests]
process.exitCode = providePackages() || (await runStages(stages))
