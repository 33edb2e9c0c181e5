/**
 * Asynchronous I/O of the C library, which uses threads of its own. A part of the
 * symbols of `libc.ts`.
 *
 * @module
 */

/** aio(7). Glibc before 2.34 has these in librt. */
export const AIO_SYMBOLS = {
  // int aio_read(struct aiocb *aiocbp);
  aio_read: { parameters: ["pointer"], result: "i32" },
  // int aio_write(struct aiocb *aiocbp);
  aio_write: { parameters: ["pointer"], result: "i32" },
  // int aio_fsync(int op, struct aiocb *aiocbp);
  aio_fsync: { parameters: ["i32", "pointer"], result: "i32" },
  // int aio_error(const struct aiocb *aiocbp);
  aio_error: { parameters: ["pointer"], result: "i32" },
  // ssize_t aio_return(struct aiocb *aiocbp);
  aio_return: { parameters: ["pointer"], result: "i64" },
  // int lio_listio(int mode, struct aiocb *const aiocb_list[], int nitems,
  //                struct sigevent *sevp), in a thread of Deno's pool.
  lio_listio_nonblocking: {
    name: "lio_listio",
    parameters: ["i32", "pointer", "i32", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  // int aio_suspend(const struct aiocb *const list[], int nitems,
  //                 const struct timespec *timeout), in a thread of Deno's pool.
  aio_suspend_nonblocking: {
    name: "aio_suspend",
    parameters: ["pointer", "i32", "pointer"],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;
