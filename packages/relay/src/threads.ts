/** What the meter's threads have in common. */

/**
 * A young generation of three semi-spaces of 1 MB instead of 16: what the threads throw away dies young, so larger ones
 * save no work and only stay resident, 10 to 15 MB for each thread. Measured in benchmarks/RESULTS.md.
 */
export const resourceLimits = Object.freeze({ maxYoungGenerationSizeMb: 3 })
