/**
 * System calls that the C library has no function for: syscall(2) with their
 * number first. A part of the symbols of `libc.ts`.
 *
 * @module
 */

/** The declarations of `Deno.dlopen`. */
export const NUMBERED_CALLS = {
  // long syscall(SYS_io_uring_setup, u32 entries, struct io_uring_params *p);
  io_uring_setup: {
    name: "syscall",
    parameters: ["i32", "u32", "buffer"],
    result: "i32",
  },
  // long syscall(SYS_io_uring_enter, unsigned int fd, unsigned int to_submit,
  //              unsigned int min_complete, unsigned int flags, sigset_t *sig,
  //              size_t sz); the kernel reads sz only if sig is not null.
  io_uring_enter: {
    name: "syscall",
    parameters: ["i32", "i32", "u32", "u32", "u32", "pointer"],
    result: "i32",
  },
  // long syscall(SYS_io_uring_register, unsigned int fd, unsigned int opcode,
  //              void *arg, unsigned int nr_args);
  io_uring_register: {
    name: "syscall",
    parameters: ["i32", "i32", "u32", "buffer", "u32"],
    result: "i32",
  },
  // long syscall(SYS_io_setup, unsigned int nr_events, aio_context_t *ctx);
  io_setup: {
    name: "syscall",
    parameters: ["i64", "u32", "buffer"],
    result: "i32",
  },
  // long syscall(SYS_io_destroy, aio_context_t ctx);
  io_destroy: {
    name: "syscall",
    parameters: ["i64", "usize"],
    result: "i32",
  },
  // long syscall(SYS_io_submit, aio_context_t ctx, long nr,
  //              struct iocb **iocbpp), in a thread of Deno's pool.
  io_submit_nonblocking: {
    name: "syscall",
    parameters: ["i64", "usize", "i64", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  // long syscall(SYS_io_getevents, aio_context_t ctx, long min_nr, long nr,
  //              struct io_event *events, struct timespec *timeout);
  io_getevents: {
    name: "syscall",
    parameters: ["i64", "usize", "i64", "i64", "pointer", "pointer"],
    result: "i32",
  },
  // long syscall(SYS_cachestat, unsigned int fd, struct cachestat_range *range,
  //              struct cachestat *stat, unsigned int flags);
  cachestat: {
    name: "syscall",
    parameters: ["i32", "i32", "pointer", "pointer", "u32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
