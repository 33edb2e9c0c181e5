/**
 * The functions of the C library for pipes. A part of the symbols of `libc.ts`.
 *
 * @module
 */

/** Declarations for `Deno.dlopen()`. */
export const PIPE_SYMBOLS = {
  // int pipe2(int pipefd[2], int flags);
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  // ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out,
  //                size_t size, unsigned int flags);
  splice: {
    parameters: ["i32", "pointer", "i32", "pointer", "usize", "u32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;
