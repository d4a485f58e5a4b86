// npm test: everything, with real servers. `npm run test:real` runs those alone.

import { providePackages } from './debian.ts'
import { lint, longTests, quickTests, realTests, runStages, types } from './stages.ts'

// The model test has more time here than between two edits.
process.env.FETTLE_MODEL_RUNS ??= '300'

const onlyReal = process.argv[2] === 'real'
const stages = onlyReal ? [realTests] : [types, lint, quickTests, longTests, realTests]
process.exitCode = providePackages() || (await runStages(stages))
