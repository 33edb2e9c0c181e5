/**
 * The functions of the C library, which is opened at first use. Only this module
 * calls `Deno.dlopen`.
 *
 * Functions with an `off_t` are declared by their plain names, because it has 64
 * bits on x86_64 and aarch64 and musl no longer exports the `64` variants.
 * Variadic functions are declared like others, because both architectures pass
 * variadic integers in registers.
 *
 * Functions of the hot path take pointer objects and bigints and return 32 bits:
 * only such calls are V8 fast calls. 32 bits are enough for `ssize_t`, because
 * the kernel limits one transfer to 0x7ffff000 bytes.
 *
 * @module
 */
import { messageOf } from "../../base/message_of.ts";
import { UserError } from "../../base/user_error.ts";
import { AIO_SYMBOLS } from "./aio_symbols.ts";
import { CREDENTIAL_SYMBOLS } from "./credential_symbols.ts";
import { PIPE_SYMBOLS } from "./pipe_symbols.ts";
import { PROCESS_SYMBOLS } from "./process_symbols.ts";
import { SOCKET_SYMBOLS } from "./socket_symbols.ts";
import { THREAD_SYMBOLS } from "./thread_symbols.ts";
import { TREE_SYMBOLS } from "./tree_symbols.ts";
import { NUMBERED_CALLS } from "./numbered_calls.ts";

const SYMBOLS = {
  ...NUMBERED_CALLS,
  // ssize_t read(int fd, void *buf, size_t count);
  read: { parameters: ["i32", "pointer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buf, size_t count);
  write: { parameters: ["i32", "pointer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: { parameters: ["i32", "pointer", "usize", "i64"], result: "i32" },
  // ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset);
  pwrite: { parameters: ["i32", "pointer", "usize", "i64"], result: "i32" },
  // The same in a thread of Deno's pool, where errno is lost.
  read_nonblocking: {
    name: "read",
    parameters: ["i32", "pointer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  write_nonblocking: {
    name: "write",
    parameters: ["i32", "pointer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  // ssize_t preadv2(int fd, const struct iovec *iov, int iovcnt, off_t offset,
  //                 int flags);
  preadv2: {
    parameters: ["i32", "pointer", "i32", "i64", "i32"],
    result: "i32",
  },
  // int fstatfs(int fd, struct statfs *buf);
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  // The same, waiting in a thread of Deno's pool.
  poll_nonblocking: {
    name: "poll",
    parameters: ["pointer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int fdatasync(int fd);
  fdatasync: { parameters: ["i32"], result: "i32" },
  // int sync_file_range(int fd, off64_t offset, off64_t nbytes,
  //                     unsigned int flags);
  sync_file_range: { parameters: ["i32", "i64", "i64", "u32"], result: "i32" },
  // int ftruncate(int fd, off_t length);
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int fallocate(int fd, int mode, off_t offset, off_t len);
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  // Some of these in a thread of Deno's pool, because a medium may not answer.
  ftruncate_nonblocking: {
    name: "ftruncate",
    parameters: ["i32", "i64"],
    result: "i32",
    nonblocking: true,
  },
  fallocate_nonblocking: {
    name: "fallocate",
    parameters: ["i32", "i32", "i64", "i64"],
    result: "i32",
    nonblocking: true,
  },
  // off_t lseek(int fd, off_t offset, int whence);
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // The same in a thread of Deno's pool, because a server may not answer.
  lseek_nonblocking: {
    name: "lseek",
    parameters: ["i32", "i64", "i32"],
    result: "i64",
    nonblocking: true,
  },
  // int futimens(int fd, const struct timespec times[2]);
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  // The same in a thread of Deno's pool, because the file system may be frozen.
  futimens_nonblocking: {
    name: "futimens",
    parameters: ["i32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // The same by an address, which is faster.
  clock_gettime_at: {
    name: "clock_gettime",
    parameters: ["i32", "pointer"],
    result: "i32",
  },
  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask,
  //           struct statx *statxbuf);
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  // The same in a thread of Deno's pool, because a server may not answer.
  statx_nonblocking: {
    name: "statx",
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int openat(int dirfd, const char *pathname, int flags, mode_t mode);
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // The same in a thread of Deno's pool, because a FUSE server may be involved.
  openat_nonblocking: {
    name: "openat",
    parameters: ["i32", "buffer", "i32", "u32"],
    result: "i32",
    nonblocking: true,
  },
  close_nonblocking: {
    name: "close",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  // int flock(int fd, int op);
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *argument);
  ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  // The same in a thread of Deno's pool, because a server may not answer.
  ioctl_nonblocking: {
    name: "ioctl",
    parameters: ["i32", "usize", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int fcntl(int fd, int op, int argument);
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int mount(const char *source, const char *target, const char *type,
  //           unsigned long flags, const void *data);
  mount: {
    parameters: ["buffer", "buffer", "buffer", "usize", "buffer"],
    result: "i32",
  },
  // DIR *opendir(const char *name);
  opendir: { parameters: ["buffer"], result: "pointer" },
  // struct dirent *readdir(DIR *dirp);
  readdir: { parameters: ["pointer"], result: "pointer" },
  // int closedir(DIR *dirp);
  closedir: { parameters: ["pointer"], result: "i32" },
  // int umount2(const char *target, int flags);
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  // long syscall(SYS_fsopen, const char *fs_name, unsigned int flags);
  fsopen: {
    name: "syscall",
    parameters: ["i64", "buffer", "u32"],
    result: "i32",
  },
  // long syscall(SYS_fsconfig, int fs_fd, unsigned int cmd, const char *key,
  //              const void *value, int aux);
  fsconfig: {
    name: "syscall",
    parameters: ["i64", "i32", "u32", "pointer", "pointer", "i32"],
    result: "i32",
  },
  // long syscall(SYS_fsmount, int fs_fd, unsigned int flags,
  //              unsigned int attr_flags);
  fsmount: {
    name: "syscall",
    parameters: ["i64", "i32", "u32", "u32"],
    result: "i32",
  },
  // int eventfd(unsigned int initval, int flags);
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd,
  //            off_t offset);
  mmap: {
    parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"],
    result: "pointer",
  },
  // int munmap(void *addr, size_t length);
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  // int madvise(void *addr, size_t length, int advice);
  madvise: { parameters: ["pointer", "usize", "i32"], result: "i32" },
  // int mlock(const void *addr, size_t len);
  mlock: { parameters: ["pointer", "usize"], result: "i32" },
  // int sched_yield(void);
  sched_yield: { parameters: [], result: "i32" },
  // int fcntl(int fd, int op, struct flock *lock);
  fcntl_lock: {
    name: "fcntl",
    parameters: ["i32", "i32", "buffer"],
    result: "i32",
  },
  // int fchmod(int fd, mode_t mode);
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  // int getrlimit(int resource, struct rlimit *rlim);
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int setrlimit(int resource, const struct rlimit *rlim);
  setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // int unlink(const char *pathname);
  unlink: { parameters: ["buffer"], result: "i32" },
  // int linkat(int olddirfd, const char *oldpath, int newdirfd,
  //            const char *newpath, int flags);
  linkat: {
    parameters: ["i32", "buffer", "i32", "buffer", "i32"],
    result: "i32",
  },
  // int unlinkat(int dirfd, const char *pathname, int flags);
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // ssize_t readlinkat(int dirfd, const char *pathname, char *buf,
  //                    size_t bufsiz);
  readlinkat: {
    parameters: ["i32", "buffer", "buffer", "usize"],
    result: "i32",
  },
  // ssize_t getxattr(const char *path, const char *name, void *value,
  //                  size_t size);
  getxattr: {
    parameters: ["buffer", "buffer", "pointer", "usize"],
    result: "i32",
  },
  // char *realpath(const char *path, char *resolved_path);
  realpath: { parameters: ["buffer", "buffer"], result: "pointer" },
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // int access(const char *pathname, int mode);
  access: { parameters: ["buffer", "i32"], result: "i32" },
  ...CREDENTIAL_SYMBOLS,
  ...PIPE_SYMBOLS,
  ...PROCESS_SYMBOLS,
  ...SOCKET_SYMBOLS,
  ...THREAD_SYMBOLS,
  ...TREE_SYMBOLS,
  ...AIO_SYMBOLS,
  // char *getenv(const char *name);
  getenv: { parameters: ["buffer"], result: "pointer" },
  // int setenv(const char *name, const char *value, int overwrite);
  setenv: { parameters: ["buffer", "buffer", "i32"], result: "i32" },
  // char *strerror(int errnum);
  strerror: { parameters: ["i32"], result: "pointer" },
  // int *__errno_location(void);
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of the C library that this module declares. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

// glibc first, then musl, then the name that a distribution may link to either.
const CANDIDATES = [
  "libc.so.6",
  // It has aio(7) of glibc before 2.34, and leads to the rest.
  "librt.so.1",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
  "libc.so",
];

let symbols: Libc | undefined;
let errnoView: Deno.UnsafePointerView | undefined;

/**
 * The C library. The first call in each thread opens it.
 *
 * @throws {UserError} If Deno may not use FFI, or no C library can be opened.
 */
export function libc(): Libc {
  return symbols ??= openLibrary();
}

/**
 * `errno` of this thread. Read it immediately after the call that failed.
 *
 * @returns A positive error number, errno(3).
 */
export function errno(): number {
  errnoView ??= errnoOfThisThread();
  return errnoView.getInt32();
}

function errnoOfThisThread(): Deno.UnsafePointerView {
  // A Worker runs in one thread all its life, so the address stays valid.
  const location = libc().__errno_location();
  if (location === null) {
    throw new Error("Cannot find errno: __errno_location() gave no address");
  }
  return new Deno.UnsafePointerView(location);
}

function openLibrary(): Libc {
  const failures: string[] = [];
  for (const name of CANDIDATES) {
    try {
      return Deno.dlopen(name, SYMBOLS).symbols;
    } catch (error) {
      if (isPermissionError(error)) {
        throw new UserError(
          `Cannot open the C library ${name}: Deno may not call native code (run it with --allow-ffi)`,
          { cause: error },
        );
      }
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new UserError(
    `Cannot open the C library: ${
      failures.join("; ")
    } (mqfuse needs Linux on x86_64 or aarch64)`,
  );
}

function isPermissionError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.PermissionDenied;
}
