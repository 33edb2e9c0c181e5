/**
 * Costs in microseconds that are assumed: round numbers of what is commonly
 * known about Linux on a machine of 2025, chosen before anything was predicted.
 */
export interface AssumedCosts {
  /** CPU time of the waker to wake a sleeping thread: `try_to_wake_up()`. */
  readonly wakeCpu: number;
  /**
   * Time from the wake-up until the thread runs, on an idle CPU in a shallow
   * sleep.
   */
  readonly wakeLatency: number;
  /** CPU time under a lock, without wake-ups. */
  readonly lockHold: number;
  /**
   * Time to fetch a lock and the data it protects from another CPU: two cache
   * lines.
   */
  readonly lockTransfer: number;
  /** Time to fetch an atomic counter from another CPU: one cache line. */
  readonly atomicTransfer: number;
  /**
   * Cache lines shared by all server threads that each request writes at its
   * start and again at its end. 0 in the prediction; see {@linkcode
   * SHARED_STATE_COSTS}.
   */
  readonly sharedLines: number;
  /** CPU time of `ppoll()`, without its lock. */
  readonly pollCpu: number;
  /**
   * CPU time of a helper thread's `pread()` or `pwrite()` and of its
   * notification.
   */
  readonly helperCpu: number;
  /** How long a thread runs while others wait for a CPU. */
  readonly timeSlice: number;
  /** Time to switch a CPU to another ready thread. */
  readonly contextSwitch: number;
  /** CPU time of one `io_uring_enter()` that commits and fetches a batch. */
  readonly uringEnterCpu: number;
  /**
   * CPU time that a request saves because it needs no `readv()` and `writev()`.
   */
  readonly uringSavedCpu: number;
}

/** Costs in microseconds that are fitted to the single-thread figures. */
export interface FittedCosts {
  /** CPU time of a request in fio and its system calls. */
  readonly clientCpu: number;
  /**
   * The server's CPU time for a READ of a null disk, without poll and locks.
   */
  readonly serverReadCpu: number;
  /**
   * The server's CPU time for a WRITE of a null disk, without poll and locks.
   */
  readonly serverWriteCpu: number;
  /**
   * The server's CPU time to pass a read to a helper thread and take it back.
   */
  readonly fileReadCpu: number;
  /**
   * The server's CPU time to pass a write to a helper thread and take it back.
   */
  readonly fileWriteCpu: number;
  /** The device's latency of a random read. */
  readonly randReadLatency: number;
  /** The device's latency of a sequential read. */
  readonly seqReadLatency: number;
  /** The device's latency of a sequential read while several jobs read. */
  readonly mixedReadLatency: number;
  /** The device's latency of a write. */
  readonly writeLatency: number;
}

/** The assumed costs of the prediction. */
export const ASSUMED_COSTS: AssumedCosts = {
  wakeCpu: 0.5,
  wakeLatency: 1,
  lockHold: 0.05,
  lockTransfer: 0.2,
  atomicTransfer: 0.1,
  sharedLines: 0,
  pollCpu: 0.3,
  helperCpu: 2,
  timeSlice: 100,
  contextSwitch: 1,
  uringEnterCpu: 0.5,
  uringSavedCpu: 0.4,
};

/**
 * The assumed costs with an additional mechanism: counters that QEMU's threads
 * share, as its sources show them. These are the requests in flight of the
 * export, the block backend and the node, and the node's lock and list. The
 * mechanism was thought of after the prediction had been compared, so it
 * explains and does not predict.
 */
export const SHARED_STATE_COSTS: AssumedCosts = {
  ...ASSUMED_COSTS,
  sharedLines: 5,
};

/** The number of CPUs, which the 2025 measurements do not state. */
export const ASSUMED_CORES = 16;

/** The number of transfers that the device works on at the same time. */
export const DEVICE_PARALLELISM = 128;

/** The costs at which the fit starts: round guesses. */
export const FIRST_GUESS: FittedCosts = {
  clientCpu: 1.5,
  serverReadCpu: 2.5,
  serverWriteCpu: 2.5,
  fileReadCpu: 5,
  fileWriteCpu: 8,
  randReadLatency: 80,
  seqReadLatency: 5,
  mixedReadLatency: 40,
  writeLatency: 5,
};

/** The rounded result of `calibrate()`. */
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
