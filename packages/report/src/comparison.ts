/** Two reports compared, as data and as text: a door of its own, for the mathematics of intervals comes with it. */

export { type Change, type Comparison, compare } from './compare.ts'
export { comparisonText } from './render-comparison.ts'
