/**
 * The functions of the C library that look at and change a tree of files by
 * descriptors of its directories, for libc.ts.
 *
 * @module
 */

/** openat(2) and its relatives. */
export const TREE_SYMBOLS = {
  // int mkdirat(int dirfd, const char *pathname, mode_t mode);
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int mknodat(int dirfd, const char *pathname, mode_t mode, dev_t dev);
  mknodat: { parameters: ["i32", "buffer", "u32", "u64"], result: "i32" },
  // int symlinkat(const char *target, int newdirfd, const char *linkpath);
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  // int renameat2(int olddirfd, const char *oldpath, int newdirfd,
  //               const char *newpath, unsigned int flags);
  renameat2: {
    parameters: ["i32", "buffer", "i32", "buffer", "u32"],
    result: "i32",
  },
  // int fchmodat(int dirfd, const char *pathname, mode_t mode, int flags);
  fchmodat: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  // int fchownat(int dirfd, const char *pathname, uid_t owner, gid_t group,
  //              int flags);
  fchownat: {
    parameters: ["i32", "buffer", "u32", "u32", "i32"],
    result: "i32",
  },
  // int utimensat(int dirfd, const char *pathname,
  //               const struct timespec times[2], int flags);
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  // long syscall(SYS_getdents64, unsigned int fd, void *dirp, size_t count);
  getdents64: {
    name: "syscall",
    parameters: ["i64", "i32", "buffer", "usize"],
    result: "i32",
  },
  // int name_to_handle_at(int dirfd, const char *pathname,
  //                       struct file_handle *handle, int *mount_id,
  //                       int flags);
  name_to_handle_at: {
    parameters: ["i32", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
  },
  // int open_by_handle_at(int mount_fd, struct file_handle *handle, int flags);
  open_by_handle_at: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int fsync(int fd), in a thread of Deno's pool, where errno is lost.
  fsync_nonblocking: {
    name: "fsync",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  fdatasync_nonblocking: {
    name: "fdatasync",
    parameters: ["i32"],
    result: "i32",
    nonblocking: true,
  },
  // int fsync(int fd);
  fsync: { parameters: ["i32"], result: "i32" },
  // int dup(int oldfd);
  dup: { parameters: ["i32"], result: "i32" },
  // int setxattr(const char *path, const char *name, const void *value,
  //              size_t size, int flags);
  setxattr: {
    parameters: ["buffer", "buffer", "buffer", "usize", "i32"],
    result: "i32",
  },
  // ssize_t listxattr(const char *path, char *list, size_t size);
  listxattr: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // int removexattr(const char *path, const char *name);
  removexattr: { parameters: ["buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;
