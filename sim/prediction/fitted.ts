import type { FittedCosts } from "./costs.ts";

/** What `calibrate()` gives, rounded. */
export const FITTED_COSTS: FittedCosts = {
  clientCpu: 1.08,
  serverReadCpu: 2.43,
  serverWriteCpu: 2.16,
  fileReadCpu: 5.15,
  fileWriteCpu: 9.02,
  randReadLatency: 78.5,
  seqReadLatency: 2.03,
  mixedReadLatency: 36.4,
  writeLatency: 3.51,
};
