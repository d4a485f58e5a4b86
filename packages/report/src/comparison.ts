/** Two reports compared, as data and as text: a door of its own, since it takes the mathematics of intervals with it. */

export { type Change, type Comparison, compare } from './compare.ts'
export { comparisonText } from './render-comparison.ts'
