/**
 * What the model takes as given, from what is commonly known of Linux on a
 * machine of 2025; microseconds. Chosen before anything was predicted.
 */
export interface AssumedCosts {
  /** What waking a sleeping thread takes of the waker: `try_to_wake_up()`. */
  readonly wakeCpu: number;
  /** From being woken to running, on an idle CPU in a shallow sleep. */
  readonly wakeLatency: number;
  /** What is done under a lock, without wake-ups. */
  readonly lockHold: number;
  /** Fetching the lock and what it guards from another CPU: two lines. */
  readonly lockTransfer: number;
  /** One atomic count that goes to another CPU: one line. */
  readonly atomicTransfer: number;
  /**
   * Cache lines that every request's begin, and every request's end, writes in
   * the server process, and that all its threads share. 0 in the prediction:
   * see {@linkcode SHARED_STATE_COSTS}.
   */
  readonly sharedLines: number;
  /** `ppoll()` or the like, without its lock. */
  readonly pollCpu: number;
  /** A helper thread's `pread()` or `pwrite()` and its notification. */
  readonly helperCpu: number;
  /** How long a thread computes while others wait for a CPU. */
  readonly timeSlice: number;
  /** Giving a CPU from one thread to another that is ready. */
  readonly contextSwitch: number;
  /** One `io_uring_enter()` that commits and fetches a batch. */
  readonly uringEnterCpu: number;
  /** What a request saves without `readv()` and `writev()` of its own. */
  readonly uringSavedCpu: number;
}

/** What was fitted to the seed's figures with one thread; microseconds. */
export interface FittedCosts {
  /** fio and its system calls, a request. */
  readonly clientCpu: number;
  /** The server's CPU for a READ of a null disk, without poll and locks. */
  readonly serverReadCpu: number;
  /** The server's CPU for a WRITE of a null disk, without poll and locks. */
  readonly serverWriteCpu: number;
  /** The server's CPU for handing a read to a helper and taking it back. */
  readonly fileReadCpu: number;
  /** The server's CPU for handing a write to a helper and taking it back. */
  readonly fileWriteCpu: number;
  /** The device's latency, reading anywhere. */
  readonly randReadLatency: number;
  /** The device's latency, reading on where it was. */
  readonly seqReadLatency: number;
  /** The device's latency, when several jobs read sequentially. */
  readonly mixedReadLatency: number;
  /** The device's latency, writing. */
  readonly writeLatency: number;
}

/** What the model takes as given. */
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
 * The same and a mechanism that the prediction does not have: counters that
 * QEMU's threads share, as its sources name them: the export's, the block
 * backend's and the node's requests in flight, the node's lock and its list.
 * Thought of after the prediction had been seen, so it explains and does not
 * predict.
 */
export const SHARED_STATE_COSTS: AssumedCosts = {
  ...ASSUMED_COSTS,
  sharedLines: 5,
};

/** The CPUs of the seed's machine, which it does not name. */
export const ASSUMED_CORES = 16;

/** How many requests the device works on at once. */
export const DEVICE_PARALLELISM = 128;

/** Where the fit starts: round guesses. */
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
