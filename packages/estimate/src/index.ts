/** How sure one is: the public surface, nothing else. */

export { type Band, difference, type Interval, noiseBand, position } from './interval.ts'
export { type Look, lookAtRatio, type Neighbours, pairedDifference, pairedRatio } from './paired.ts'
export { type Row, ratioOfSums, type Stratum, shares } from './windows.ts'
