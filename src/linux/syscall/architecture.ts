/**
 * What depends on the processor: numbers of system calls, and flags of open(2).
 * Everything else is the same on every architecture that is listed: structs,
 * because all are little-endian with pointers of 64 bits, and ioctls.
 *
 * @module
 */

/** System calls by number, for which the C library may have no function. */
const CALLS_OF_ALL = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  cachestat: 451,
} as const;

/** Values of one architecture. */
interface Architecture {
  /** Numbers of system calls: asm/unistd.h. */
  readonly calls: Readonly<
    Record<
      | keyof typeof CALLS_OF_ALL
      | "getdents64"
      | "io_setup"
      | "io_destroy"
      | "io_submit"
      | "io_getevents",
      number
    >
  >;
  /** Flags of open(2): asm/fcntl.h. */
  readonly open: {
    readonly DIRECTORY: number;
    readonly NOFOLLOW: number;
    readonly DIRECT: number;
  };
}

/** The architectures, by the names of `Deno.build.arch`. */
export const ARCHITECTURES: Readonly<
  Record<"x86_64" | "aarch64", Architecture>
> = {
  "x86_64": {
    calls: {
      ...CALLS_OF_ALL,
      getdents64: 217,
      io_setup: 206,
      io_destroy: 207,
      io_getevents: 208,
      io_submit: 209,
    },
    open: { DIRECTORY: 0o200000, NOFOLLOW: 0o400000, DIRECT: 0o40000 },
  },
  "aarch64": {
    calls: {
      ...CALLS_OF_ALL,
      getdents64: 61,
      io_setup: 0,
      io_destroy: 1,
      io_submit: 2,
      io_getevents: 4,
    },
    open: { DIRECTORY: 0o40000, NOFOLLOW: 0o100000, DIRECT: 0o200000 },
  },
};

/** The architecture on which everything has been tried. */
export const TRIED_ARCHITECTURE = "x86_64";

/** This machine's values. */
export const ARCHITECTURE: Architecture = ARCHITECTURES[Deno.build.arch];

/** Numbers of system calls on this machine. */
export const CALLS: Architecture["calls"] = ARCHITECTURE.calls;
