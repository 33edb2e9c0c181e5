/** What the program ends with. */
export const EXIT = {
  /** All went well. */
  OK: 0,
  /** Something failed while running. */
  FAILURE: 1,
  /** The command line is wrong. */
  USAGE: 2,
} as const;

/** One of {@linkcode EXIT}. */
export type ExitCode = typeof EXIT[keyof typeof EXIT];
