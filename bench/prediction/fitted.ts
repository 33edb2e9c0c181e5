import type { FittedCosts } from "./costs.ts";

/** What `calibrate()` gives, rounded. */
export const FITTED_COSTS: FittedCosts = {
  clientCpu: 1.09,
  serverReadCpu: 2.43,
  serverWriteCpu: 2.15,
  fileReadCpu: 5.14,
  fileWriteCpu: 9.02,
  randReadLatency: 78.5,
  seqReadLatency: 2.04,
  mixedReadLatency: 36.7,
  writeLatency: 3.51,
};
