// src/base/message_of.ts
function isReadableError(value2) {
  try {
    if (!(value2 instanceof Error)) return false;
    const texts = [
      value2.name,
      value2.message,
      value2.stack ?? ""
    ];
    return texts.every((text) => typeof text === "string");
  } catch {
    return false;
  }
}
function messageOf(error) {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return "a value that has no text was thrown";
  }
}

// src/base/user_error.ts
var UserError = class extends Error {
  /** `UserError`, or the name of a class that extends it. */
  name = "UserError";
};

// src/base/limits.ts
var PAGE_SIZE = 4096;
var NAME_MAX = 255;
var PATH_MAX = 4096;
var XATTR_SIZE_MAX = 65536;

// src/protocol/flags.ts
var FUSE_KERNEL_VERSION = 7;
var FUSE_KERNEL_MINOR_VERSION = 45;
var INIT_FLAGS = {
  ASYNC_READ: {
    bit: 0,
    since: 6
  },
  POSIX_LOCKS: {
    bit: 1,
    since: 7
  },
  FILE_OPS: {
    bit: 2,
    since: 9
  },
  ATOMIC_O_TRUNC: {
    bit: 3,
    since: 9
  },
  EXPORT_SUPPORT: {
    bit: 4,
    since: 10
  },
  BIG_WRITES: {
    bit: 5,
    since: 9
  },
  DONT_MASK: {
    bit: 6,
    since: 12
  },
  SPLICE_WRITE: {
    bit: 7,
    since: 14
  },
  SPLICE_MOVE: {
    bit: 8,
    since: 14
  },
  SPLICE_READ: {
    bit: 9,
    since: 14
  },
  FLOCK_LOCKS: {
    bit: 10,
    since: 17
  },
  HAS_IOCTL_DIR: {
    bit: 11,
    since: 18
  },
  AUTO_INVAL_DATA: {
    bit: 12,
    since: 20
  },
  DO_READDIRPLUS: {
    bit: 13,
    since: 21
  },
  READDIRPLUS_AUTO: {
    bit: 14,
    since: 21
  },
  ASYNC_DIO: {
    bit: 15,
    since: 22
  },
  WRITEBACK_CACHE: {
    bit: 16,
    since: 23
  },
  NO_OPEN_SUPPORT: {
    bit: 17,
    since: 23
  },
  PARALLEL_DIROPS: {
    bit: 18,
    since: 25
  },
  HANDLE_KILLPRIV: {
    bit: 19,
    since: 26
  },
  POSIX_ACL: {
    bit: 20,
    since: 26
  },
  ABORT_ERROR: {
    bit: 21,
    since: 27
  },
  MAX_PAGES: {
    bit: 22,
    since: 28
  },
  CACHE_SYMLINKS: {
    bit: 23,
    since: 28
  },
  NO_OPENDIR_SUPPORT: {
    bit: 24,
    since: 29
  },
  EXPLICIT_INVAL_DATA: {
    bit: 25,
    since: 30
  },
  MAP_ALIGNMENT: {
    bit: 26,
    since: 31
  },
  SUBMOUNTS: {
    bit: 27,
    since: 32
  },
  HANDLE_KILLPRIV_V2: {
    bit: 28,
    since: 33
  },
  SETXATTR_EXT: {
    bit: 29,
    since: 33
  },
  INIT_EXT: {
    bit: 30,
    since: 36
  },
  INIT_RESERVED: {
    bit: 31,
    since: 36
  },
  SECURITY_CTX: {
    bit: 32,
    since: 36
  },
  HAS_INODE_DAX: {
    bit: 33,
    since: 36
  },
  CREATE_SUPP_GROUP: {
    bit: 34,
    since: 38
  },
  HAS_EXPIRE_ONLY: {
    bit: 35,
    since: 38
  },
  DIRECT_IO_ALLOW_MMAP: {
    bit: 36,
    since: 39
  },
  PASSTHROUGH: {
    bit: 37,
    since: 40
  },
  NO_EXPORT_SUPPORT: {
    bit: 38,
    since: 40
  },
  HAS_RESEND: {
    bit: 39,
    since: 40
  },
  ALLOW_IDMAP: {
    bit: 40,
    since: 41
  },
  OVER_IO_URING: {
    bit: 41,
    since: 42
  },
  REQUEST_TIMEOUT: {
    bit: 42,
    since: 43
  },
  HAS_IO_URING_BUFPOOL: {
    bit: 43,
    since: 46
  }
};
var FOPEN = {
  DIRECT_IO: 1 << 0,
  KEEP_CACHE: 1 << 1,
  NONSEEKABLE: 1 << 2,
  CACHE_DIR: 1 << 3,
  STREAM: 1 << 4,
  NOFLUSH: 1 << 5,
  PARALLEL_DIRECT_WRITES: 1 << 6,
  PASSTHROUGH: 1 << 7,
  /** 7.46 */
  IO_URING_ZERO_COPY: 1 << 8
};
var FUSE_OPEN = {
  KILL_SUIDGID: 1 << 0
};
var FATTR = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  FH: 1 << 6,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
  LOCKOWNER: 1 << 9,
  CTIME: 1 << 10,
  KILL_SUIDGID: 1 << 11
};
var FUSE_GETATTR = {
  FH: 1 << 0
};
var FUSE_RELEASE = {
  FLUSH: 1 << 0,
  FLOCK_UNLOCK: 1 << 1
};
var FUSE_READ = {
  LOCKOWNER: 1 << 1
};
var FUSE_WRITE = {
  CACHE: 1 << 0,
  LOCKOWNER: 1 << 1,
  KILL_SUIDGID: 1 << 2
};
var FUSE_FSYNC = {
  FDATASYNC: 1 << 0
};
var FUSE_LK = {
  FLOCK: 1 << 0
};
var FUSE_ATTR = {
  SUBMOUNT: 1 << 0,
  DAX: 1 << 1
};
var FUSE_SETXATTR = {
  ACL_KILL_SGID: 1 << 0
};
var FUSE_IOCTL = {
  COMPAT: 1 << 0,
  UNRESTRICTED: 1 << 1,
  RETRY: 1 << 2,
  IOCTL_32BIT: 1 << 3,
  DIR: 1 << 4,
  COMPAT_X32: 1 << 5
};
var FUSE_POLL = {
  SCHEDULE_NOTIFY: 1 << 0
};
var FUSE_NOTIFY_INVAL_ENTRY = {
  EXPIRE_ONLY: 1 << 0
};
var FUSE_SETUPMAPPING = {
  WRITE: 1 << 0,
  READ: 1 << 1
};
var CUSE_INIT = {
  UNRESTRICTED_IOCTL: 1 << 0
};
var FUSE_EXT = {
  MAX_NR_SECCTX: 31,
  GROUPS: 32
};
var FUSE_NOTIFY = {
  POLL: 1,
  INVAL_INODE: 2,
  INVAL_ENTRY: 3,
  STORE: 4,
  RETRIEVE: 5,
  DELETE: 6,
  RESEND: 7,
  INC_EPOCH: 8,
  PRUNE: 9
};
var FUSE_UNIQUE_RESEND = 1n << 63n;
var FUSE_ROOT_ID = 1n;
var FUSE_MIN_READ_BUFFER = 8192;
var FUSE_NAME_MAX = PATH_MAX - 1;

// src/protocol/structs.ts
var STRUCTS = {
  /** stat(2) of an inode; atime, mtime and ctime are signed seconds. */
  fuse_attr: {
    ino: "u64",
    size: "size64",
    blocks: "size64",
    atime: "u64",
    mtime: "u64",
    ctime: "u64",
    atimensec: "u32",
    mtimensec: "u32",
    ctimensec: "u32",
    mode: "u32",
    nlink: "u32",
    uid: "u32",
    gid: "u32",
    rdev: "u32",
    blksize: "u32 since 7.9",
    flags: "u32 since 7.32"
  },
  /** A timestamp of statx(2). */
  fuse_sx_time: {
    tv_sec: "s64",
    tv_nsec: "u32",
    __reserved: "s32"
  },
  /** statx(2) of an inode. */
  fuse_statx: {
    mask: "u32",
    blksize: "u32",
    attributes: "u64",
    nlink: "u32",
    uid: "u32",
    gid: "u32",
    mode: "u16",
    __spare0: "u16",
    ino: "u64",
    size: "size64",
    blocks: "size64",
    attributes_mask: "u64",
    atime: "fuse_sx_time",
    btime: "fuse_sx_time",
    ctime: "fuse_sx_time",
    mtime: "fuse_sx_time",
    rdev_major: "u32",
    rdev_minor: "u32",
    dev_major: "u32",
    dev_minor: "u32",
    __spare2: "u64[14]"
  },
  /** statfs(2) of the file system. */
  fuse_kstatfs: {
    blocks: "size64",
    bfree: "size64",
    bavail: "size64",
    files: "size64",
    ffree: "size64",
    bsize: "u32",
    namelen: "u32",
    frsize: "u32 since 7.4",
    padding: "u32 since 7.4",
    spare: "u32[6] since 7.4"
  },
  /** A POSIX or flock(2) lock; `type` is F_RDLCK 0, F_WRLCK 1, F_UNLCK 2. */
  fuse_file_lock: {
    start: "u64",
    end: "u64",
    type: "u32",
    pid: "u32"
  },
  /** An inode that was found or created: fuse_lookup_name(). */
  fuse_entry_out: {
    nodeid: "u64",
    generation: "u64",
    entry_valid: "u64",
    attr_valid: "u64",
    entry_valid_nsec: "u32",
    attr_valid_nsec: "u32",
    attr: "fuse_attr"
  },
  /** The kernel drops `nlookup` references to an inode. */
  fuse_forget_in: {
    nlookup: "u64"
  },
  /** One inode of BATCH_FORGET. */
  fuse_forget_one: {
    nodeid: "u64",
    nlookup: "u64"
  },
  /** Starts BATCH_FORGET; `count` items follow. */
  fuse_batch_forget_in: {
    count: "u32",
    dummy: "u32"
  },
  /** `fh` is valid if `getattr_flags` says so. */
  fuse_getattr_in: {
    getattr_flags: "u32 since 7.9",
    dummy: "u32 since 7.9",
    fh: "u64 since 7.9"
  },
  /** The attributes of an inode, and how long they may be cached. */
  fuse_attr_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    dummy: "u32",
    attr: "fuse_attr"
  },
  /** statx(2): the request. */
  fuse_statx_in: {
    getattr_flags: "u32",
    reserved: "u32",
    fh: "u64",
    sx_flags: "u32",
    sx_mask: "u32"
  },
  /** statx(2): the reply. */
  fuse_statx_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    flags: "u32",
    spare: "u64[2]",
    stat: "fuse_statx"
  },
  /** mknod(2); a name follows. */
  fuse_mknod_in: {
    mode: "u32",
    rdev: "u32",
    umask: "u32 since 7.12",
    padding: "u32 since 7.12"
  },
  /** mkdir(2); a name follows. */
  fuse_mkdir_in: {
    mode: "u32",
    umask: "u32 since 7.12"
  },
  /** rename(2); two names follow. */
  fuse_rename_in: {
    newdir: "u64"
  },
  /** renameat2(2); two names follow. */
  fuse_rename2_in: {
    newdir: "u64",
    flags: "u32",
    padding: "u32"
  },
  /** link(2); the new name follows. */
  fuse_link_in: {
    oldnodeid: "u64"
  },
  /** chmod(2), chown(2), truncate(2), utimensat(2), as `valid` says. */
  fuse_setattr_in: {
    valid: "u32",
    padding: "u32",
    fh: "u64 since 7.3",
    size: "size64",
    lock_owner: "u64 since 7.9",
    atime: "u64",
    mtime: "u64",
    ctime: "u64 since 7.23",
    atimensec: "u32",
    mtimensec: "u32",
    ctimensec: "u32 since 7.23",
    mode: "u32",
    unused4: "u32",
    uid: "u32",
    gid: "u32",
    unused5: "u32"
  },
  /** open(2) of a file or directory. */
  fuse_open_in: {
    flags: "u32",
    open_flags: "u32 since 7.33"
  },
  /** open(2) with O_CREAT, or O_TMPFILE; a name follows. */
  fuse_create_in: {
    flags: "u32",
    mode: "u32",
    umask: "u32 since 7.12",
    open_flags: "u32 since 7.33"
  },
  /** An open file or directory. */
  fuse_open_out: {
    fh: "u64",
    open_flags: "u32",
    backing_id: "u32 since 7.40"
  },
  /** The last close of an open file or directory. */
  fuse_release_in: {
    fh: "u64",
    flags: "u32",
    release_flags: "u32 since 7.8",
    lock_owner: "u64 since 7.8"
  },
  /** Each close(2) of a descriptor. */
  fuse_flush_in: {
    fh: "u64",
    unused: "u32",
    padding: "u32",
    lock_owner: "u64 since 7.7"
  },
  /** pread(2) of a file, or a part of a directory listing. */
  fuse_read_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    read_flags: "u32 since 7.9",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  /** pwrite(2); `size` bytes follow. */
  fuse_write_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    write_flags: "u32",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  /** Bytes written. */
  fuse_write_out: {
    size: "u32",
    padding: "u32"
  },
  /** statfs(2): the reply. */
  fuse_statfs_out: {
    st: "fuse_kstatfs"
  },
  /** fsync(2), fdatasync(2). */
  fuse_fsync_in: {
    fh: "u64",
    fsync_flags: "u32",
    padding: "u32"
  },
  /** Ends after `flags` unless FUSE_SETXATTR_EXT was negotiated. */
  fuse_setxattr_in: {
    size: "u32",
    flags: "u32",
    setxattr_flags: "u32 since 7.33",
    padding: "u32 since 7.33"
  },
  /** `size` 0 requests the size only. */
  fuse_getxattr_in: {
    size: "u32",
    padding: "u32"
  },
  /** The size of a value or of a list. */
  fuse_getxattr_out: {
    size: "u32",
    padding: "u32"
  },
  /** fcntl(2) or flock(2) locks. */
  fuse_lk_in: {
    fh: "u64",
    owner: "u64",
    lk: "fuse_file_lock",
    lk_flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  /** The conflicting lock, or `type` F_UNLCK. */
  fuse_lk_out: {
    lk: "fuse_file_lock"
  },
  /** access(2). */
  fuse_access_in: {
    mask: "u32",
    padding: "u32"
  },
  /** The capabilities that the kernel offers: fuse_send_init(). */
  fuse_init_in: {
    major: "u32",
    minor: "u32",
    max_readahead: "u32 since 7.6",
    flags: "u32 since 7.6",
    flags2: "u32 since 7.36",
    unused: "u32[11] since 7.36"
  },
  /** The negotiated capabilities: process_init_reply(). */
  fuse_init_out: {
    major: "u32",
    minor: "u32",
    max_readahead: "u32 since 7.6",
    flags: "u32 since 7.5",
    max_background: "u16 since 7.13",
    congestion_threshold: "u16 since 7.13",
    max_write: "u32 since 7.5",
    time_gran: "u32 since 7.23",
    max_pages: "u16 since 7.28",
    map_alignment: "u16 since 7.31",
    flags2: "u32 since 7.36",
    max_stack_depth: "u32 since 7.40",
    request_timeout: "u16 since 7.43",
    unused: "u16[11] since 7.23"
  },
  /** `unique` of the request whose caller was interrupted by a signal. */
  fuse_interrupt_in: {
    unique: "u64"
  },
  /** FIBMAP. */
  fuse_bmap_in: {
    block: "u64",
    blocksize: "u32",
    padding: "u32"
  },
  /** FIBMAP: the block of the device. */
  fuse_bmap_out: {
    block: "u64"
  },
  /** ioctl(2); `in_size` bytes follow. */
  fuse_ioctl_in: {
    fh: "u64",
    flags: "u32",
    cmd: "u32",
    arg: "u64",
    in_size: "u32",
    out_size: "u32"
  },
  /** A range of the caller's memory, for a retry of ioctl(2). */
  fuse_ioctl_iovec: {
    base: "u64",
    len: "u64"
  },
  /** The result of ioctl(2), or the ranges that a retry should transfer. */
  fuse_ioctl_out: {
    result: "s32",
    flags: "u32",
    in_iovs: "u32",
    out_iovs: "u32"
  },
  /** poll(2); `kh` identifies the file in a notification. */
  fuse_poll_in: {
    fh: "u64",
    kh: "u64",
    flags: "u32",
    events: "u32 since 7.21"
  },
  /** Events that are ready. */
  fuse_poll_out: {
    revents: "u32",
    padding: "u32"
  },
  /** Wakes up poll(2) of the file `kh`. */
  fuse_notify_poll_wakeup_out: {
    kh: "u64"
  },
  /** fallocate(2). */
  fuse_fallocate_in: {
    fh: "u64",
    offset: "size64",
    length: "size64",
    mode: "u32",
    padding: "u32"
  },
  /** Starts every request. `total_extlen` is in units of 8 bytes. */
  fuse_in_header: {
    len: "u32",
    opcode: "u32",
    unique: "u64",
    nodeid: "u64",
    uid: "u32",
    gid: "u32",
    pid: "u32",
    total_extlen: "u16 since 7.38",
    padding: "u16"
  },
  /** Starts every reply and notification: fuse_dev_do_write(). */
  fuse_out_header: {
    len: "u32",
    error: "s32",
    unique: "u64"
  },
  /** One entry of READDIR; its name follows, padded to 8 bytes. */
  fuse_dirent: {
    ino: "u64",
    off: "u64",
    namelen: "u32",
    type: "u32"
  },
  /** One entry of READDIRPLUS; its name follows, padded to 8 bytes. */
  fuse_direntplus: {
    entry_out: "fuse_entry_out",
    dirent: "fuse_dirent"
  },
  /** Drops cached attributes and, unless `off` is negative, cached pages. */
  fuse_notify_inval_inode_out: {
    ino: "u64",
    off: "s64",
    len: "s64"
  },
  /** Drops a cached name, which follows with a NUL. */
  fuse_notify_inval_entry_out: {
    parent: "u64",
    namelen: "u32",
    flags: "u32 since 7.38"
  },
  /** A name was deleted; it follows with a NUL. */
  fuse_notify_delete_out: {
    parent: "u64",
    child: "u64",
    namelen: "u32",
    padding: "u32 since 7.18"
  },
  /** Puts `size` bytes, which follow, into the page cache. */
  fuse_notify_store_out: {
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32"
  },
  /** Requests cached pages, which the kernel sends in a NOTIFY_REPLY. */
  fuse_notify_retrieve_out: {
    notify_unique: "u64",
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32"
  },
  /** Starts NOTIFY_REPLY; `size` bytes follow. */
  fuse_notify_retrieve_in: {
    dummy1: "u64",
    offset: "size64",
    size: "u32",
    dummy2: "u32",
    dummy3: "u64",
    dummy4: "u64"
  },
  /** Drops unused inodes; `count` nodeids follow. */
  fuse_notify_prune_out: {
    count: "u32",
    padding: "u32",
    spare: "u64"
  },
  /** Argument of ioctl FUSE_DEV_IOC_BACKING_OPEN. */
  fuse_backing_map: {
    fd: "s32",
    flags: "u32",
    padding: "u64"
  },
  /** lseek(2) with SEEK_DATA or SEEK_HOLE. */
  fuse_lseek_in: {
    fh: "u64",
    offset: "size64",
    whence: "u32",
    padding: "u32"
  },
  /** lseek(2): the position found. */
  fuse_lseek_out: {
    offset: "size64"
  },
  /** copy_file_range(2). */
  fuse_copy_file_range_in: {
    fh_in: "u64",
    off_in: "size64",
    nodeid_out: "u64",
    fh_out: "u64",
    off_out: "size64",
    len: "size64",
    flags: "u64"
  },
  /** Bytes copied. */
  fuse_copy_file_range_out: {
    bytes_copied: "size64"
  },
  /** DAX: maps a range of a file. */
  fuse_setupmapping_in: {
    fh: "u64",
    foffset: "u64",
    len: "u64",
    flags: "u64",
    moffset: "u64"
  },
  /** DAX: removes mappings; `count` items follow. */
  fuse_removemapping_in: {
    count: "u32"
  },
  /** DAX: one mapping. */
  fuse_removemapping_one: {
    moffset: "u64",
    len: "u64"
  },
  /** syncfs(2). */
  fuse_syncfs_in: {
    padding: "u64"
  },
  /** One security context; its name with a NUL and `size` bytes follow. */
  fuse_secctx: {
    size: "u32",
    padding: "u32"
  },
  /** Starts the security contexts of a request; `size` includes it. */
  fuse_secctx_header: {
    size: "u32",
    nr_secctx: "u32"
  },
  /** Starts each extension of a request; `size` includes it. */
  fuse_ext_header: {
    size: "u32",
    type: "u32"
  },
  /** FUSE_EXT_GROUPS; `nr_groups` supplementary group ids follow, each a u32. */
  fuse_supp_groups: {
    nr_groups: "u32"
  },
  /** State of an io_uring entry; `payload_sz` is used in both directions. */
  fuse_uring_ent_in_out: {
    flags: "u64",
    commit_id: "u64",
    payload_sz: "u32",
    /** The payload's offset in the queue's buffer pool; padding before 7.46. */
    offset: "u32 since 7.46",
    reserved: "u64"
  },
  /** Headers of one io_uring entry: fuse_uring_copy_to_ring(). */
  fuse_uring_req_header: {
    in_out: "u8[128]",
    op_in: "u8[128]",
    ring_ent_in_out: "fuse_uring_ent_in_out"
  },
  /** In the SQE of a ring command; 7.46 appends a union of 16 bytes. */
  fuse_uring_cmd_req: {
    flags: "u64",
    commit_id: "u64",
    qid: "u16",
    padding: "u8[6]"
  },
  /** Character devices in user space: cuse_send_init(). */
  cuse_init_in: {
    major: "u32",
    minor: "u32",
    unused: "u32",
    flags: "u32"
  },
  /** The device to create; its name follows. */
  cuse_init_out: {
    major: "u32",
    minor: "u32",
    unused: "u32",
    flags: "u32",
    max_read: "u32",
    max_write: "u32",
    dev_major: "u32",
    dev_minor: "u32",
    spare: "u32[10]"
  }
};
var COMPAT_SIZES = {
  fuse_init_in: [
    [
      6,
      8
    ],
    [
      36,
      16
    ]
  ],
  fuse_init_out: [
    [
      5,
      8
    ],
    [
      23,
      24
    ]
  ],
  fuse_attr: [
    [
      9,
      80
    ]
  ],
  fuse_attr_out: [
    [
      9,
      96
    ]
  ],
  fuse_entry_out: [
    [
      9,
      120
    ]
  ],
  fuse_getattr_in: [
    [
      9,
      0
    ]
  ],
  fuse_read_in: [
    [
      9,
      24
    ]
  ],
  fuse_write_in: [
    [
      9,
      24
    ]
  ],
  fuse_lk_in: [
    [
      9,
      40
    ]
  ],
  fuse_mknod_in: [
    [
      12,
      8
    ]
  ],
  fuse_create_in: [
    [
      12,
      8
    ]
  ],
  fuse_statfs_out: [
    [
      4,
      48
    ]
  ]
};
var FUSE_COMPAT_SETXATTR_IN_SIZE = 8;

// src/protocol/layout.ts
var SCALAR_SIZES = {
  u8: 1,
  u16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  s64: 8,
  size64: 8
};
var CELL = /^(\w+)(?:\[(\d+)\])?(?: since 7\.(\d+))?$/;
var layouts = /* @__PURE__ */ new Map();
function isScalar(type) {
  return Object.hasOwn(SCALAR_SIZES, type);
}
function scalarSize(type) {
  return SCALAR_SIZES[type];
}
function layoutOf(name) {
  let layout = layouts.get(name);
  if (layout === void 0) {
    layout = computeLayout(name);
    layouts.set(name, layout);
  }
  return layout;
}
function computeLayout(name) {
  const fields = [];
  let offset = 0;
  let align = 1;
  for (const [field, cell] of Object.entries(STRUCTS[name])) {
    const match = CELL.exec(cell);
    if (match === null) {
      throw new TypeError(`Bad cell ${name}.${field}: ${cell}`);
    }
    const type = match[1];
    const unit = isScalar(type) ? {
      size: SCALAR_SIZES[type],
      align: SCALAR_SIZES[type]
    } : layoutOf(type);
    const count2 = match[2] === void 0 ? null : Number(match[2]);
    if (offset % unit.align !== 0) {
      throw new TypeError(`Hidden padding before ${name}.${field}`);
    }
    const size = unit.size * (count2 ?? 1);
    const since = Number(match[3] ?? 0);
    fields.push({
      name: field,
      offset,
      size,
      type,
      count: count2,
      since
    });
    offset += size;
    align = Math.max(align, unit.align);
  }
  if (offset % align !== 0) throw new TypeError(`Hidden padding after ${name}`);
  return {
    name,
    size: offset,
    align,
    fields
  };
}
function sizeOf(name) {
  return layoutOf(name).size;
}
function sizeAt(name, minor) {
  const compat = COMPAT_SIZES;
  const steps = compat[name];
  return steps?.find(([before]) => minor < before)?.[1] ?? sizeOf(name);
}
for (const name of Object.keys(STRUCTS)) layoutOf(name);
if (new Uint8Array(new Uint32Array([
  1
]).buffer)[0] !== 1) {
  throw new TypeError("Cannot use the FUSE protocol on a big-endian machine: the table is little-endian");
}

// src/protocol/codec.ts
function readScalar(view2, at, type) {
  switch (type) {
    case "u8":
      return view2.getUint8(at);
    case "u16":
      return view2.getUint16(at, true);
    case "u32":
      return view2.getUint32(at, true);
    case "s32":
      return view2.getInt32(at, true);
    case "s64":
      return view2.getBigInt64(at, true);
    case "u64":
    case "size64":
      return view2.getBigUint64(at, true);
  }
}
function writeScalar(view2, at, type, value2) {
  checkScalar(type, value2);
  switch (type) {
    case "u8":
      return view2.setUint8(at, value2);
    case "u16":
      return view2.setUint16(at, value2, true);
    case "u32":
      return view2.setUint32(at, value2, true);
    case "s32":
      return view2.setInt32(at, value2, true);
    case "s64":
      return view2.setBigInt64(at, value2, true);
    case "u64":
    case "size64":
      return view2.setBigUint64(at, value2, true);
  }
}
var RANGES = {
  u8: [
    0,
    255
  ],
  u16: [
    0,
    65535
  ],
  u32: [
    0,
    4294967295
  ],
  s32: [
    -(2 ** 31),
    2 ** 31 - 1
  ],
  s64: [
    -(1n << 63n),
    (1n << 63n) - 1n
  ],
  u64: [
    0n,
    (1n << 64n) - 1n
  ],
  size64: [
    0n,
    (1n << 64n) - 1n
  ]
};
function checkScalar(type, value2) {
  const [least, most] = RANGES[type];
  const isWhole = typeof value2 === typeof least && (typeof value2 === "bigint" || Number.isInteger(value2));
  if (isWhole && value2 >= least && value2 <= most) return;
  const unit = typeof least === "bigint" ? "n" : "";
  throw new RangeError(`expected a whole number from ${least}${unit} to ${most}${unit}, received ${typeof value2 === "bigint" ? `${value2}n` : value2}`);
}
function readUnit(view2, at, type, end) {
  if (!isScalar(type)) return readFields(view2, at, type, end);
  return at + scalarSize(type) <= end ? readScalar(view2, at, type) : readScalar(NOTHING, 0, type);
}
function writeUnit(view2, at, type, value2) {
  if (!isScalar(type)) {
    writeFields(view2, at, type, value2 ?? {});
  } else {
    const zero2 = type === "u64" || type === "s64" || type === "size64" ? 0n : 0;
    writeScalar(view2, at, type, value2 ?? zero2);
  }
}
function readFields(view2, base, name, end) {
  const value2 = {};
  for (const { name: key, offset, size, type, count: count2 } of layoutOf(name).fields) {
    const at = base + offset;
    value2[key] = count2 === null ? readUnit(view2, at, type, end) : Array.from({
      length: count2
    }, (_, i) => readUnit(view2, at + i * (size / count2), type, end));
  }
  return value2;
}
var NOTHING = new DataView(new ArrayBuffer(8));
function writeFields(view2, base, name, value2) {
  for (const { name: key, offset, size, type, count: count2 } of layoutOf(name).fields) {
    const at = base + offset;
    const given = isSignedTime(name, key) ? unsigned(value2[key]) : value2[key];
    try {
      if (count2 === null) {
        writeUnit(view2, at, type, given);
        continue;
      }
      const items = given ?? [];
      for (let i = 0; i < count2; i++) {
        writeUnit(view2, at + i * (size / count2), type, items[i]);
      }
    } catch (error) {
      throw isScalar(type) ? naming(`${name}.${key}`, error) : error;
    }
  }
}
function isSignedTime(name, field) {
  return (name === "fuse_attr" || name === "fuse_setattr_in") && (field === "atime" || field === "mtime" || field === "ctime");
}
function unsigned(value2) {
  return typeof value2 === "bigint" && value2 < 0n && value2 >= -(1n << 63n) ? BigInt.asUintN(64, value2) : value2;
}
function naming(field, error) {
  return error instanceof RangeError ? new RangeError(`Cannot encode ${field}: ${error.message}`) : error;
}
function viewOf(bytes2) {
  return new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
}
function decodeStruct(name, bytes2, base = 0, minor = FUSE_KERNEL_MINOR_VERSION) {
  const size = sizeAt(name, minor);
  if (base + size > bytes2.byteLength) {
    throw new RangeError(`Cannot decode ${name}: expected ${size} bytes, received ${Math.max(0, bytes2.byteLength - base)}`);
  }
  return readFields(viewOf(bytes2), base, name, base + size);
}
function encodeStruct(name, value2 = {}, minor = FUSE_KERNEL_MINOR_VERSION) {
  const bytes2 = new Uint8Array(layoutOf(name).size);
  writeFields(viewOf(bytes2), 0, name, value2);
  return bytes2.slice(0, sizeAt(name, minor));
}
function writeStruct(name, view2, base, value2) {
  writeFields(view2, base, name, value2);
}

// src/protocol/accessors.ts
var TWO_32 = 4294967296;
function getter(type, at) {
  switch (type) {
    case "u8":
      return (view2, base = 0) => view2.getUint8(base + at);
    case "u16":
      return (view2, base = 0) => view2.getUint16(base + at, true);
    case "u32":
      return (view2, base = 0) => view2.getUint32(base + at, true);
    case "s32":
      return (view2, base = 0) => view2.getInt32(base + at, true);
    case "s64":
      return (view2, base = 0) => view2.getBigInt64(base + at, true);
    case "u64":
    case "size64":
      return (view2, base = 0) => view2.getBigUint64(base + at, true);
  }
}
function setter(type, at) {
  switch (type) {
    case "u8":
      return (view2, base, value2) => view2.setUint8(base + at, value2);
    case "u16":
      return (view2, base, value2) => view2.setUint16(base + at, value2, true);
    case "u32":
      return (view2, base, value2) => view2.setUint32(base + at, value2, true);
    case "s32":
      return (view2, base, value2) => view2.setInt32(base + at, value2, true);
    case "s64":
      return (view2, base, value2) => view2.setBigInt64(base + at, value2, true);
    case "u64":
    case "size64":
      return (view2, base, value2) => view2.setBigUint64(base + at, value2, true);
  }
}
function numberGetter(at) {
  return (view2, base = 0) => view2.getUint32(base + at + 4, true) * TWO_32 + view2.getUint32(base + at, true);
}
function numberSetter(at) {
  return (view2, base, value2) => {
    if (!(value2 >= 0 && value2 <= Number.MAX_SAFE_INTEGER && value2 % 1 === 0)) {
      throw new RangeError(`Expected a whole number from 0 to 2^53 - 1, received ${value2}`);
    }
    view2.setUint32(base + at, value2 % TWO_32, true);
    view2.setUint32(base + at + 4, value2 / TWO_32, true);
  };
}
function table(fields, make) {
  return Object.freeze(Object.fromEntries(fields.map((field) => [
    field.name,
    make(field)
  ])));
}
function accessors(name) {
  const { size, fields } = layoutOf(name);
  const scalars = fields.filter((f) => f.count === null && isScalar(f.type));
  const counts = scalars.filter((f) => f.type === "size64");
  return Object.freeze({
    name,
    size,
    at: table(fields, (f) => f.offset),
    get: table(scalars, (f) => getter(f.type, f.offset)),
    set: table(scalars, (f) => setter(f.type, f.offset)),
    number: table(counts, (f) => numberGetter(f.offset)),
    setNumber: table(counts, (f) => numberSetter(f.offset))
  });
}

// src/protocol/opcodes.ts
var OPCODES = {
  LOOKUP: {
    opcode: 1,
    tail: "name",
    out: [
      "fuse_entry_out"
    ]
  },
  FORGET: {
    opcode: 2,
    in: "fuse_forget_in",
    noReply: true
  },
  GETATTR: {
    opcode: 3,
    in: "fuse_getattr_in",
    out: [
      "fuse_attr_out"
    ]
  },
  SETATTR: {
    opcode: 4,
    in: "fuse_setattr_in",
    out: [
      "fuse_attr_out"
    ],
    since: 1
  },
  READLINK: {
    opcode: 5,
    outTail: "string"
  },
  SYMLINK: {
    opcode: 6,
    tail: "name name",
    extensions: true,
    out: [
      "fuse_entry_out"
    ],
    since: 1
  },
  MKNOD: {
    opcode: 8,
    in: "fuse_mknod_in",
    tail: "name",
    extensions: true,
    out: [
      "fuse_entry_out"
    ],
    since: 1
  },
  MKDIR: {
    opcode: 9,
    in: "fuse_mkdir_in",
    tail: "name",
    extensions: true,
    out: [
      "fuse_entry_out"
    ],
    since: 1
  },
  UNLINK: {
    opcode: 10,
    tail: "name",
    since: 1
  },
  RMDIR: {
    opcode: 11,
    tail: "name",
    since: 1
  },
  RENAME: {
    opcode: 12,
    in: "fuse_rename_in",
    tail: "name name",
    since: 1
  },
  LINK: {
    opcode: 13,
    in: "fuse_link_in",
    tail: "name",
    out: [
      "fuse_entry_out"
    ],
    since: 1
  },
  OPEN: {
    opcode: 14,
    in: "fuse_open_in",
    out: [
      "fuse_open_out"
    ],
    since: 1
  },
  READ: {
    opcode: 15,
    in: "fuse_read_in",
    outTail: "data",
    since: 1
  },
  WRITE: {
    opcode: 16,
    in: "fuse_write_in",
    tail: "data",
    out: [
      "fuse_write_out"
    ],
    since: 1
  },
  STATFS: {
    opcode: 17,
    out: [
      "fuse_statfs_out"
    ]
  },
  RELEASE: {
    opcode: 18,
    in: "fuse_release_in",
    since: 1
  },
  FSYNC: {
    opcode: 20,
    in: "fuse_fsync_in",
    since: 1
  },
  SETXATTR: {
    opcode: 21,
    in: "fuse_setxattr_in",
    tail: "name value",
    since: 1
  },
  GETXATTR: {
    opcode: 22,
    in: "fuse_getxattr_in",
    tail: "name",
    outTail: "value",
    since: 1
  },
  LISTXATTR: {
    opcode: 23,
    in: "fuse_getxattr_in",
    outTail: "value",
    since: 1
  },
  REMOVEXATTR: {
    opcode: 24,
    tail: "name",
    since: 1
  },
  FLUSH: {
    opcode: 25,
    in: "fuse_flush_in",
    since: 1
  },
  INIT: {
    opcode: 26,
    in: "fuse_init_in",
    out: [
      "fuse_init_out"
    ]
  },
  OPENDIR: {
    opcode: 27,
    in: "fuse_open_in",
    out: [
      "fuse_open_out"
    ],
    since: 1
  },
  READDIR: {
    opcode: 28,
    in: "fuse_read_in",
    outTail: "dirents",
    since: 1
  },
  RELEASEDIR: {
    opcode: 29,
    in: "fuse_release_in",
    since: 1
  },
  FSYNCDIR: {
    opcode: 30,
    in: "fuse_fsync_in",
    since: 2
  },
  GETLK: {
    opcode: 31,
    in: "fuse_lk_in",
    out: [
      "fuse_lk_out"
    ],
    since: 7
  },
  SETLK: {
    opcode: 32,
    in: "fuse_lk_in",
    since: 7
  },
  SETLKW: {
    opcode: 33,
    in: "fuse_lk_in",
    since: 7
  },
  ACCESS: {
    opcode: 34,
    in: "fuse_access_in",
    since: 3
  },
  CREATE: {
    opcode: 35,
    in: "fuse_create_in",
    tail: "name",
    extensions: true,
    out: [
      "fuse_entry_out",
      "fuse_open_out"
    ],
    since: 3
  },
  INTERRUPT: {
    opcode: 36,
    in: "fuse_interrupt_in",
    optionalReply: true,
    since: 7
  },
  BMAP: {
    opcode: 37,
    in: "fuse_bmap_in",
    out: [
      "fuse_bmap_out"
    ],
    since: 8
  },
  DESTROY: {
    opcode: 38,
    since: 8
  },
  IOCTL: {
    opcode: 39,
    in: "fuse_ioctl_in",
    tail: "data",
    out: [
      "fuse_ioctl_out"
    ],
    outTail: "ioctl",
    since: 11
  },
  POLL: {
    opcode: 40,
    in: "fuse_poll_in",
    out: [
      "fuse_poll_out"
    ],
    since: 11
  },
  NOTIFY_REPLY: {
    opcode: 41,
    in: "fuse_notify_retrieve_in",
    tail: "data",
    noReply: true,
    since: 15
  },
  BATCH_FORGET: {
    opcode: 42,
    in: "fuse_batch_forget_in",
    tail: "items",
    items: "fuse_forget_one",
    noReply: true,
    since: 16
  },
  FALLOCATE: {
    opcode: 43,
    in: "fuse_fallocate_in",
    since: 19
  },
  READDIRPLUS: {
    opcode: 44,
    in: "fuse_read_in",
    outTail: "direntplus",
    since: 21
  },
  RENAME2: {
    opcode: 45,
    in: "fuse_rename2_in",
    tail: "name name",
    since: 23
  },
  LSEEK: {
    opcode: 46,
    in: "fuse_lseek_in",
    out: [
      "fuse_lseek_out"
    ],
    since: 24
  },
  COPY_FILE_RANGE: {
    opcode: 47,
    in: "fuse_copy_file_range_in",
    out: [
      "fuse_write_out"
    ],
    since: 28
  },
  SETUPMAPPING: {
    opcode: 48,
    in: "fuse_setupmapping_in",
    since: 31
  },
  REMOVEMAPPING: {
    opcode: 49,
    in: "fuse_removemapping_in",
    tail: "items",
    items: "fuse_removemapping_one",
    since: 31
  },
  SYNCFS: {
    opcode: 50,
    in: "fuse_syncfs_in",
    since: 34
  },
  TMPFILE: {
    opcode: 51,
    in: "fuse_create_in",
    tail: "name",
    extensions: true,
    out: [
      "fuse_entry_out",
      "fuse_open_out"
    ],
    since: 37
  },
  STATX: {
    opcode: 52,
    in: "fuse_statx_in",
    out: [
      "fuse_statx_out"
    ],
    since: 39
  },
  COPY_FILE_RANGE_64: {
    opcode: 53,
    in: "fuse_copy_file_range_in",
    out: [
      "fuse_copy_file_range_out"
    ],
    since: 45
  },
  CUSE_INIT: {
    opcode: 4096,
    in: "cuse_init_in",
    out: [
      "cuse_init_out"
    ],
    outTail: "info",
    since: 12
  }
};
var names = new Array(4097).fill(void 0);
var rows = new Array(4097).fill(void 0);
for (const [name, row] of Object.entries(OPCODES)) {
  names[row.opcode] = name;
  rows[row.opcode] = row;
}
function opcodeName(opcode) {
  return names[opcode];
}
function opcodeRow(opcode) {
  return rows[opcode];
}

// src/protocol/protocol_version.ts
var OPCODE_MAX = Math.max(...Object.values(OPCODES).map(({ opcode }) => opcode));
var INIT_IN_SIZE_MIN = sizeAt("fuse_init_in", 0);
var INIT_EXT_SINCE = INIT_FLAGS.INIT_EXT.since;
var INIT_EXT = 1 << INIT_FLAGS.INIT_EXT.bit;
function initInSize(major, minor, flags) {
  if (major === FUSE_KERNEL_VERSION && minor < INIT_EXT_SINCE) {
    return sizeAt("fuse_init_in", minor);
  }
  return (flags & INIT_EXT) !== 0 ? sizeOf("fuse_init_in") : sizeAt("fuse_init_in", INIT_EXT_SINCE - 1);
}
var ProtocolVersion = class _ProtocolVersion {
  /** The newest version, without any flag of INIT. */
  static NEWEST = new _ProtocolVersion();
  /** The version that holds until INIT is answered. */
  static BEFORE_INIT = new _ProtocolVersion({
    minor: INIT_EXT_SINCE - 1
  });
  /** The negotiated minor version. */
  minor;
  /** Whether fuse_setxattr_in has its long form. */
  setxattrExt;
  /** The size of the fixed struct by opcode, -1 for an unknown opcode. */
  #bodySizes = new Int16Array(OPCODE_MAX + 1).fill(-1);
  /** 1 by opcode for what {@linkcode ProtocolVersion.isPlain} says. */
  #plain = new Uint8Array(OPCODE_MAX + 1);
  /** Computes the sizes of a version. */
  constructor(options = {}) {
    this.minor = options.minor ?? FUSE_KERNEL_MINOR_VERSION;
    this.setxattrExt = options.setxattrExt ?? false;
    for (const row of Object.values(OPCODES)) {
      const size = this.#sizeOfBody(row);
      const newest = row.in === void 0 ? 0 : sizeOf(row.in);
      this.#bodySizes[row.opcode] = size;
      this.#plain[row.opcode] = Number(row.tail === void 0 && size === newest);
    }
  }
  #sizeOfBody(row) {
    if (row.in === void 0) return 0;
    return row.opcode === OPCODES.INIT.opcode ? INIT_IN_SIZE_MIN : this.size(row.in);
  }
  /** The size of a struct in this version, in bytes. */
  size(name) {
    if (name === "fuse_setxattr_in" && !this.setxattrExt) {
      return FUSE_COMPAT_SETXATTR_IN_SIZE;
    }
    return sizeAt(name, this.minor);
  }
  /**
   * The size of a request's fixed struct in bytes, -1 for an unknown opcode.
   * For INIT it is the least that any kernel sends.
   */
  bodySize(opcode) {
    return opcode <= OPCODE_MAX ? this.#bodySizes[opcode] : -1;
  }
  /**
   * Whether a request is its fixed struct in its newest form and nothing more,
   * so that validation has only its length to check.
   */
  isPlain(opcode) {
    return this.#plain[opcode] === 1;
  }
};

// src/base/errno.ts
var ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENOMSG: 42,
  EIDRM: 43,
  ECHRNG: 44,
  EL2NSYNC: 45,
  EL3HLT: 46,
  EL3RST: 47,
  ELNRNG: 48,
  EUNATCH: 49,
  ENOCSI: 50,
  EL2HLT: 51,
  EBADE: 52,
  EBADR: 53,
  EXFULL: 54,
  ENOANO: 55,
  EBADRQC: 56,
  EBADSLT: 57,
  EBFONT: 59,
  ENOSTR: 60,
  ENODATA: 61,
  ETIME: 62,
  ENOSR: 63,
  ENONET: 64,
  ENOPKG: 65,
  EREMOTE: 66,
  ENOLINK: 67,
  EADV: 68,
  ESRMNT: 69,
  ECOMM: 70,
  EPROTO: 71,
  EMULTIHOP: 72,
  EDOTDOT: 73,
  EBADMSG: 74,
  EOVERFLOW: 75,
  ENOTUNIQ: 76,
  EBADFD: 77,
  EREMCHG: 78,
  ELIBACC: 79,
  ELIBBAD: 80,
  ELIBSCN: 81,
  ELIBMAX: 82,
  ELIBEXEC: 83,
  EILSEQ: 84,
  ERESTART: 85,
  ESTRPIPE: 86,
  EUSERS: 87,
  ENOTSOCK: 88,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  EPROTOTYPE: 91,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EPFNOSUPPORT: 96,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ESHUTDOWN: 108,
  ETOOMANYREFS: 109,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  ESTALE: 116,
  EUCLEAN: 117,
  ENOTNAM: 118,
  ENAVAIL: 119,
  EISNAM: 120,
  EREMOTEIO: 121,
  EDQUOT: 122,
  ENOMEDIUM: 123,
  EMEDIUMTYPE: 124,
  ECANCELED: 125,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
  ERFKILL: 132,
  EHWPOISON: 133
};
var ERRNO_MAX = 511;
var NAMES = new Map(Object.entries(ERRNO).map(([name, n]) => [
  n,
  name
]));
function errnoName(errno2) {
  return NAMES.get(errno2) ?? `E${errno2}`;
}
var Errno = class extends Error {
  /** The positive error number. */
  errno;
  /**
   * Creates an error.
   *
   * @param name The name of the error number, such as `ENOENT`.
   * @param message What went wrong, for logs; the name by default.
   */
  constructor(name, message = name) {
    super(message);
    this.name = "Errno";
    this.errno = ERRNO[name];
  }
};

// src/protocol/init.ts
var INIT_IN = accessors("fuse_init_in");
function initFlag(name) {
  return 1n << BigInt(INIT_FLAGS[name].bit);
}
function isNegotiated(negotiated, name) {
  return (negotiated.flags & initFlag(name)) !== 0n;
}
function protocolVersionOf(negotiated) {
  return new ProtocolVersion({
    minor: negotiated.minor,
    setxattrExt: isNegotiated(negotiated, "SETXATTR_EXT")
  });
}

// src/base/timespec.ts
var NS_PER_S = 1000000000n;
var NS_PER_MS = 1000000n;
var US_PER_MS = 1e3;
var NS_PER_US = 1e3;
var MS_PER_S = 1e3;
function systemTime() {
  return BigInt(Date.now()) * NS_PER_MS;
}
function secondsOf(ns) {
  return (ns - remainder(ns)) / NS_PER_S;
}
function nanosecondsOf(ns) {
  return Number(remainder(ns));
}
function timeOf(seconds, nanoseconds2) {
  return BigInt.asIntN(64, seconds) * NS_PER_S + BigInt(nanoseconds2);
}
function remainder(ns) {
  return (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
}

// src/event/poll_strategy.ts
var AUTO_MAX_US = 50;
var AUTO_FIRST_US = 10;
var BATCH = 2;
var PollStrategy = class {
  #fixed;
  #yieldCpu;
  #now;
  #window = 0;
  /**
   * Makes a strategy.
   *
   * @param pollUs `auto`, or microseconds.
   * @param options What it uses of the system.
   */
  constructor(pollUs = "auto", options = {}) {
    this.#fixed = pollUs === "auto" ? null : pollUs;
    this.#yieldCpu = options.yieldCpu ?? (() => {
    });
    this.#now = options.now ?? (() => performance.now());
  }
  /** Whether `waited()` has to be called. */
  get adapts() {
    return this.#fixed === null;
  }
  /**
   * How long to poll now, in microseconds; 0 for not at all.
   *
   * @param batch How many requests the last fetch brought.
   */
  window(batch) {
    return batch >= BATCH ? 0 : this.#fixed ?? this.#window;
  }
  /**
   * Polls until there is something or the window is over. If there is something,
   * notes how long that took: the client may run for long in place of a poller
   * that yields to it, and then polling saves nothing.
   *
   * @param window Microseconds.
   * @param polls Polls in a row before the core is yielded.
   * @param isPending Whether there is something.
   * @returns Whether there is something.
   */
  poll(window, polls, isPending) {
    let start = 0;
    for (let i = 1; !isPending(); i++) {
      if (i % polls !== 0) continue;
      const now = this.#now();
      if (start === 0) start = now;
      else if (now >= start + window / US_PER_MS) {
        if (isPending()) break;
        return false;
      }
      this.#yieldCpu();
    }
    this.waited(start === 0 ? 0 : (this.#now() - start) * US_PER_MS);
    return true;
  }
  /**
   * Notes how long a wait took, polling and sleeping.
   *
   * @param us Microseconds.
   */
  waited(us) {
    if (us <= AUTO_MAX_US) {
      const twice = Math.max(AUTO_FIRST_US, this.#window * 2);
      this.#window = Math.min(AUTO_MAX_US, twice);
    } else if (this.#window > 0) {
      this.#window = this.#window > AUTO_FIRST_US ? this.#window >> 1 : 0;
    }
  }
};

// src/event/ring_events.ts
var POLLS = 8;
var RingEvents = class {
  #ring;
  #poll;
  #hasWork;
  #registered = [];
  /** The owner of each slot, and the first slot of that owner's range. */
  #owners = [];
  #firsts = [];
  /** Completed operations; those from `#next` to `#end` are not settled yet. */
  #completed = [];
  #next = 0;
  #end = 0;
  #inFlight = 0;
  /** Completions dispatched since the thread slept last. */
  #batch = 0;
  /** Calls of `ready()` that wait, so that nothing else submits. */
  #waiting = 0;
  #usable = true;
  #closed = false;
  /**
   * Makes an event source of a ring, which it closes.
   *
   * @param ring The ring.
   * @param poll How long to poll before sleeping; adapts to the load if left
   * out.
   */
  constructor(ring, poll2 = new PollStrategy()) {
    this.#ring = ring;
    this.#poll = poll2;
    this.#hasWork = () => ring.hasWork;
  }
  /** Registers the owner of a range of reserved slots. */
  register(owner, first2, slots) {
    this.#registered.push(owner);
    for (let slot = first2; slot < first2 + slots; slot++) {
      this.#owners[slot] = owner;
      this.#firsts[slot] = first2;
    }
  }
  get inFlight() {
    return this.#inFlight;
  }
  get hasCompleted() {
    return this.#next < this.#end;
  }
  /** Whether slots were pushed and not submitted yet. */
  get needsSubmit() {
    return this.#ring.needsSubmit;
  }
  /** Counts an operation that a request waits for. */
  started() {
    this.#inFlight++;
  }
  /** Notes that such an operation has completed. */
  completed(operation) {
    this.#completed[this.#end++] = operation;
  }
  /**
   * Called after a slot was pushed: submits it at once while `ready()` waits.
   */
  pushed() {
    if (this.#waiting > 0) this.submit();
  }
  /** Submits what was pushed, without sleeping. */
  submit() {
    if (this.#usable) this.#enter(0);
  }
  /** Submits what was pushed and dispatches completions, without sleeping. */
  exchange() {
    this.submit();
    if (!this.#closed) this.#dispatch();
  }
  /**
   * Dispatches completions to their owners. If there are none, submits what was
   * pushed and dispatches the completions that result.
   *
   * @param mayBlock Whether to sleep until there is a completion.
   * @returns Whether it submitted.
   */
  wait(mayBlock) {
    if (this.#closed) return true;
    if (this.#dispatch()) return false;
    if (!this.#usable) return true;
    if (mayBlock) this.#sleep();
    else this.#enter(0);
    this.#dispatch();
    return true;
  }
  /**
   * Resolves once `wait()` may have something to dispatch; timers and promises
   * of this thread run meanwhile.
   */
  async ready() {
    this.submit();
    if (!this.#usable || this.#ring.hasWork) return;
    this.#waiting++;
    await this.#ring.readable();
    this.#waiting--;
  }
  settle() {
    while (this.#next < this.#end) {
      const operation = this.#completed[this.#next++];
      this.#inFlight--;
      operation.settle();
    }
    this.#next = 0;
    this.#end = 0;
  }
  drain() {
    for (; ; ) {
      this.settle();
      if (this.#inFlight === 0) return;
      if (this.#dispatch()) continue;
      if (!this.#usable) return;
      this.#enter(1);
    }
  }
  close() {
    if (this.#closed) return;
    this.drain();
    if (this.#ring.needsSubmit) this.submit();
    this.#closed = true;
    this.#usable = false;
    const quiet = this.#inFlight === 0;
    this.#ring.close();
    for (const owner of this.#registered) owner.ringClosed(quiet);
    this.settle();
  }
  /** Hands all completions to their owners; returns whether there were any. */
  #dispatch() {
    const ring = this.#ring;
    const before = this.#batch;
    while (ring.take()) {
      const { tag } = ring;
      this.#batch++;
      this.#owners[tag].completed(tag - this.#firsts[tag], ring.result);
    }
    return this.#batch !== before;
  }
  /** Sleeps until something completes, after polling if that is worth it. */
  #sleep() {
    const poll2 = this.#poll;
    const window = poll2.window(this.#batch);
    const isSingle = this.#batch < 2;
    this.#batch = 0;
    if (window === 0 && !(isSingle && poll2.adapts)) return this.#enter(1);
    if (window > 0) {
      if (this.#ring.needsSubmit) this.#enter(0);
      if (poll2.poll(window, POLLS, this.#hasWork)) return this.#enter(0);
    }
    const start = performance.now();
    this.#enter(1);
    poll2.waited(window + (performance.now() - start) * US_PER_MS);
  }
  #enter(least) {
    const result3 = this.#ring.enter(least);
    if (result3 >= 0 || result3 === -ERRNO.EAGAIN || result3 === -ERRNO.EBUSY) {
      return;
    }
    this.#usable = false;
    for (const owner of this.#registered) owner.ringFailed(-result3);
  }
};

// src/event/completion.ts
var SPENT = 0;
var PENDING = 1;
var SETTLED = 2;
var WORDS_OF_STEP = 4;
var pool = [];
var Completion = class _Completion {
  #state = SPENT;
  #failed = false;
  /** The result so far, or the error. */
  #value = void 0;
  /** Steps, each followed by its arguments; only `#end` words are in use. */
  #steps = [];
  /** Words of `#steps` that are in use. */
  #end = 0;
  /** The word of the next step to run. */
  #next = 0;
  #consumed = true;
  #reusable = true;
  #receiver = null;
  /** Callbacks for a promise, made when first needed. */
  #onFulfilled = null;
  #onRejected = null;
  /** A completion for a new operation. */
  static start() {
    const completion = pool.pop() ?? new _Completion();
    completion.#state = PENDING;
    completion.#failed = false;
    completion.#consumed = false;
    completion.#end = 0;
    completion.#next = 0;
    completion.#receiver = null;
    return completion;
  }
  /**
   * The completion of an asynchronous answer: the answer itself if it is one,
   * else one that follows the promise.
   *
   * @throws {TypeError} If the answer is neither.
   */
  static of(answer) {
    if (answer instanceof _Completion) return answer;
    if (!isThenable(answer)) {
      const received = answer === null ? "null" : typeof answer;
      throw new TypeError(`Expected a promise, received ${received}`);
    }
    const completion = _Completion.start();
    completion.#follow(answer);
    return completion;
  }
  /** Ends the operation with a result; called by its owner. */
  complete(value2) {
    this.#settle(false, value2);
  }
  /** Ends the operation with an error; called by its owner. */
  fail(error) {
    this.#settle(true, error);
  }
  after(step, first2, second2, third) {
    this.#check();
    const steps = this.#steps;
    const at = this.#end;
    this.#end = at + WORDS_OF_STEP;
    steps[at] = step;
    steps[at + 1] = first2;
    steps[at + 2] = second2;
    steps[at + 3] = third;
    if (this.#state === SETTLED) this.#proceed();
    return this;
  }
  /**
   * Consumes the result: delivers it when the operation ends, or at once if it
   * has ended.
   *
   * @throws {Error} If it was consumed.
   */
  deliverTo(receiver) {
    this.#check();
    this.#consumed = true;
    this.#receiver = receiver;
    if (this.#state === SETTLED) this.#deliver();
  }
  /**
   * Consumes the result as a promise.
   *
   * @throws {Error} If it was consumed.
   */
  then(onFulfilled, onRejected) {
    this.#check();
    this.#reusable = false;
    return new Promise((complete, fail) => this.deliverTo({
      complete,
      fail
    })).then(onFulfilled, onRejected);
  }
  #check() {
    if (!this.#consumed) return;
    throw new Error("This completion was consumed already: await it, return it or deliver it, once");
  }
  #settle(failed, value2) {
    if (this.#state !== PENDING) {
      throw new Error("This completion was settled already");
    }
    this.#failed = failed;
    this.#value = value2;
    this.#proceed();
  }
  /** Runs the remaining steps, up to one that waits. */
  #proceed() {
    const steps = this.#steps;
    this.#state = PENDING;
    while (this.#next < this.#end) {
      const at = this.#next;
      this.#next = at + WORDS_OF_STEP;
      const step = steps[at];
      try {
        let value2;
        if (!this.#failed) {
          value2 = step.run(this.#value, steps[at + 1], steps[at + 2], steps[at + 3]);
        } else if (step.recover !== void 0) {
          value2 = step.recover(this.#value, steps[at + 1], steps[at + 2], steps[at + 3]);
        } else {
          continue;
        }
        this.#failed = false;
        if (isThenable(value2)) return this.#follow(value2);
        this.#value = value2;
      } catch (error) {
        this.#failed = true;
        this.#value = error;
      }
    }
    this.#state = SETTLED;
    if (this.#receiver !== null) this.#deliver();
  }
  /** Settles as another asynchronous answer does. */
  #follow(answer) {
    if (answer === this) throw new TypeError("A completion awaits itself");
    if (answer instanceof _Completion) return answer.deliverTo(this);
    this.#onFulfilled ??= (value2) => this.#settle(false, value2);
    this.#onRejected ??= (error) => this.#settle(true, error);
    new Promise((resolve2) => resolve2(answer)).then(this.#onFulfilled, this.#onRejected);
  }
  #deliver() {
    const receiver = this.#receiver;
    const value2 = this.#value;
    const failed = this.#failed;
    this.#state = SPENT;
    this.#receiver = null;
    this.#value = void 0;
    if (this.#reusable) pool.push(this);
    if (failed) receiver.fail(value2);
    else receiver.complete(value2);
  }
};
function isThenable(value2) {
  return typeof value2 === "object" && value2 !== null && typeof value2.then === "function";
}

// src/event/file_operation.ts
var NO_FILE = -1;
var FILE_CALL = {
  /** pread(2). */
  READ: 0,
  /** pwrite(2). */
  WRITE: 1,
  /** fdatasync(2). */
  SYNC: 2,
  /** fallocate(2). */
  ALLOCATE: 3,
  /** ftruncate(2). */
  TRUNCATE: 4
};
var OperationList = class {
  #first = null;
  #last = null;
  get isEmpty() {
    return this.#first === null;
  }
  add(operation) {
    if (this.#last === null) this.#first = operation;
    else this.#last.next = operation;
    this.#last = operation;
  }
  /** Removes the first one; `null` if there is none. */
  shift() {
    const first2 = this.#first;
    if (first2 === null) return null;
    this.#first = first2.next;
    if (first2.next === null) this.#last = null;
    first2.next = null;
    return first2;
  }
};
var FileOperation = class {
  /** Its result, once its last call has completed. */
  result = 0;
  /** The operation that waits behind this one. */
  next = null;
  #slots;
  #owner;
  #slot = 0;
  #completion = null;
  #call = FILE_CALL.READ;
  #fd = NO_FILE;
  #fallback = NO_FILE;
  #buffer = null;
  #start = 0;
  #length = 0;
  #position = 0;
  /** Bytes that earlier calls have transferred. */
  #done = 0;
  constructor(slots, owner) {
    this.#slots = slots;
    this.#owner = owner;
  }
  get isRead() {
    return this.#call === FILE_CALL.READ;
  }
  /** Sets the first call; the parameters are those of `FileSlots.prepare()`. */
  set(call3, fd, buffer, start, length2, position) {
    this.#call = call3;
    this.#fd = fd;
    this.#buffer = buffer;
    this.#start = start;
    this.#length = length2;
    this.#position = position;
    this.#done = 0;
  }
  /** Starts the operation, which still needs a slot. */
  start(fallback) {
    this.#fallback = fallback === this.#fd ? NO_FILE : fallback;
    return this.#completion = Completion.start();
  }
  /** Makes the first call in a slot. */
  run(slot) {
    this.#slot = slot;
    this.#push();
  }
  /** Takes the result of a call; whether the operation needs another one. */
  continues(result3) {
    if (result3 === -ERRNO.EINTR || result3 === -ERRNO.EAGAIN) {
      this.#slots.repeat(this.#slot);
      return true;
    }
    if (result3 === -ERRNO.ECANCELED) return this.continues(this.#makeHere());
    if (this.#call > FILE_CALL.WRITE) return this.#ends(result3);
    const { isRead } = this;
    const failsHere = result3 === -ERRNO.EINVAL || isRead && result3 < 0;
    if (failsHere && this.#fallback !== NO_FILE) {
      this.#fd = this.#fallback;
      this.#fallback = NO_FILE;
      this.#push();
      return true;
    }
    if (result3 > 0) {
      this.#done += result3;
      if (this.#done < this.#length) {
        this.#push();
        return true;
      }
    }
    if (result3 < 0 && this.#done === 0) return this.#ends(result3);
    const isStuck = !isRead && this.#done === 0;
    return this.#ends(isStuck ? -ERRNO.EIO : this.#done);
  }
  settle() {
    const completion = this.#completion;
    this.#completion = null;
    this.#buffer = null;
    this.#owner.release(this);
    completion.complete(this.result);
  }
  #ends(result3) {
    this.result = result3;
    return false;
  }
  /** Makes the call for the rest in this thread. */
  #makeHere() {
    const result3 = this.#slots.makeHere(this.#call, this.#fd, this.#buffer, this.#start + this.#done, this.#length - this.#done, this.#position + this.#done);
    return result3 === -ERRNO.ECANCELED ? -ERRNO.EIO : result3;
  }
  /** Pushes the call for the rest. */
  #push() {
    this.#slots.prepare(this.#slot, this.#call, this.#fd, this.#buffer, this.#start + this.#done, this.#length - this.#done, this.#position + this.#done);
  }
};

// src/event/ring_stream.ts
var RingStream = class {
  #parts;
  #owner;
  #buffer = null;
  #at = 0;
  #left = 0;
  #isSending = false;
  #isReceiving = false;
  #isClosed = false;
  /** Makes a stream of a socket that is connected. */
  constructor(parts2, owner) {
    this.#parts = parts2;
    this.#owner = owner;
  }
  send(buffer, start, length2) {
    this.#buffer = buffer;
    this.#at = start;
    this.#left = length2;
    this.#isSending = true;
    this.#push(FILE_CALL.WRITE, buffer, start, length2);
  }
  receive(buffer, start, length2) {
    this.#isReceiving = true;
    this.#push(FILE_CALL.READ, buffer, start, length2);
  }
  started() {
    this.#parts.events.started();
  }
  completed(operation) {
    this.#parts.events.completed(operation);
  }
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.shutdown(this.#parts.fd);
    this.#releaseIfIdle();
  }
  /** Takes the result of a call in one of its slots. */
  slotCompleted(slot, result3) {
    const isAgain = result3 === -ERRNO.EINTR || result3 === -ERRNO.EAGAIN;
    if (slot === this.#parts.receiveSlot) {
      if (isAgain && !this.#isClosed) return this.#parts.slots.repeat(slot);
      this.#isReceiving = false;
      if (!this.#isClosed) this.#owner.received(result3);
    } else this.#sent(isAgain ? 0 : result3);
    if (this.#isClosed) this.#releaseIfIdle();
  }
  /** The ring is gone. */
  cancel() {
    if (this.#isClosed) return;
    const wasReceiving = this.#isReceiving;
    this.#isReceiving = this.#isSending = false;
    if (wasReceiving) this.#owner.received(-ERRNO.ECANCELED);
    this.close();
  }
  #sent(result3) {
    if (result3 >= 0 && !this.#isClosed) {
      this.#at += result3;
      this.#left -= result3;
      if (this.#left > 0) {
        const { WRITE: WRITE6 } = FILE_CALL;
        return this.#push(WRITE6, this.#buffer, this.#at, this.#left);
      }
    }
    this.#isSending = false;
    this.#buffer = null;
    if (!this.#isClosed) this.#owner.sent(Math.min(0, result3));
  }
  #push(call3, buffer, start, length2) {
    const { slots, sendSlot, receiveSlot, fd, events } = this.#parts;
    const slot = call3 === FILE_CALL.READ ? receiveSlot : sendSlot;
    slots.prepare(slot, call3, fd, buffer, start, length2, 0);
    events.pushed();
  }
  #releaseIfIdle() {
    if (!this.#isSending && !this.#isReceiving) this.#parts.release();
  }
};

// src/event/ring_file_io.ts
var STREAM_SLOTS = 2;
var READ_SLOTS = 4;
var RingFileIo = class {
  #events;
  #slots;
  #blocking;
  /** The operation in each slot. */
  #running;
  #freeSlots;
  /** The stream that has a slot. */
  #streams = [];
  /** Operations for reuse. */
  #idle = [];
  #waitingReads = new OperationList();
  #waitingOthers = new OperationList();
  /** Slots that operations other than reads may take at once. */
  #othersMax;
  #others = 0;
  #closed = false;
  /**
   * Registers the slots of file I/O on an event source.
   *
   * @param blocking Limits calls that may block; none is allowed if left out.
   */
  constructor(events, slots, blocking = null) {
    const { first: first2, count: count2 } = slots;
    this.#blocking = blocking;
    this.#events = events;
    this.#slots = slots;
    this.#running = Array.from({
      length: count2
    }, () => null);
    this.#freeSlots = Array.from({
      length: count2
    }, (_, slot) => slot);
    this.#othersMax = count2 - Math.min(READ_SLOTS, Math.floor(count2 / 2));
    events.register(this, first2, count2);
  }
  read(fd, buffer, start, length2, position, fallback = NO_FILE) {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.READ, fd, buffer, start, length2, position);
    return this.#start(operation, fallback);
  }
  write(fd, buffer, start, length2, position, fallback = NO_FILE) {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.WRITE, fd, buffer, start, length2, position);
    return this.#start(operation, fallback);
  }
  sync(fd) {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.SYNC, fd, null, 0, 0, 0);
    return this.#start(operation, NO_FILE);
  }
  allocate(fd, mode, position, length2) {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.ALLOCATE, fd, null, mode, length2, position);
    return this.#start(operation, NO_FILE);
  }
  truncate(fd, size) {
    if (this.#closed) return -ERRNO.ENODEV;
    const operation = this.#operation();
    operation.set(FILE_CALL.TRUNCATE, fd, null, 0, 0, size);
    return this.#start(operation, NO_FILE);
  }
  mayBlock(rarely = false) {
    return this.#blocking !== null && this.#events.inFlight === 0 && this.#blocking.tryEnter(rarely);
  }
  unblock() {
    this.#blocking.leave();
  }
  stream(fd, owner, calls) {
    if (this.#closed || this.#freeSlots.length < STREAM_SLOTS) return null;
    const sendSlot = this.#freeSlots.pop();
    const receiveSlot = this.#freeSlots.pop();
    const both = [
      sendSlot,
      receiveSlot
    ];
    const stream = new RingStream({
      events: this.#events,
      slots: this.#slots,
      sendSlot,
      receiveSlot,
      fd,
      shutdown: calls.shutdown,
      release: () => {
        calls.close(fd);
        for (const slot of both) this.#streams[slot] = null;
        this.#freeSlots.push(...both);
      }
    }, owner);
    for (const slot of both) this.#streams[slot] = stream;
    return stream;
  }
  completed(slot, result3) {
    const operation = this.#running[slot] ?? null;
    if (operation === null) {
      return this.#streams[slot].slotCompleted(slot, result3);
    }
    if (operation.continues(result3)) return this.#events.pushed();
    this.#running[slot] = null;
    this.#freeSlots.push(slot);
    if (!operation.isRead) this.#others--;
    this.#events.completed(operation);
    this.#runWaiting();
  }
  ringFailed() {
  }
  ringClosed() {
    this.#closed = true;
    for (const stream of this.#streams) stream?.cancel();
    for (const operation of this.#running) {
      if (operation !== null) this.#cancel(operation);
    }
    this.#running.fill(null);
    for (const list of [
      this.#waitingReads,
      this.#waitingOthers
    ]) {
      for (let next; (next = list.shift()) !== null; ) this.#cancel(next);
    }
  }
  release(operation) {
    this.#idle.push(operation);
  }
  #operation() {
    return this.#idle.pop() ?? new FileOperation(this.#slots, this);
  }
  #start(operation, fallback) {
    const completion = operation.start(fallback);
    this.#events.started();
    const { isRead } = operation;
    if (!this.#hasRoom(isRead)) {
      (isRead ? this.#waitingReads : this.#waitingOthers).add(operation);
    } else {
      this.#run(operation);
    }
    return completion;
  }
  #hasRoom(isRead) {
    return this.#freeSlots.length > 0 && (isRead || this.#others < this.#othersMax);
  }
  #run(operation) {
    const slot = this.#freeSlots.pop();
    this.#running[slot] = operation;
    if (!operation.isRead) this.#others++;
    operation.run(slot);
    this.#events.pushed();
  }
  /** Gives free slots to operations that wait, to reads first. */
  #runWaiting() {
    for (; ; ) {
      const list = this.#waitingReads.isEmpty ? this.#waitingOthers : this.#waitingReads;
      const isRead = list === this.#waitingReads;
      if (list.isEmpty || !this.#hasRoom(isRead)) return;
      this.#run(list.shift());
    }
  }
  #cancel(operation) {
    operation.result = -ERRNO.ECANCELED;
    this.#events.completed(operation);
  }
};

// src/base/file_flags.ts
var O = {
  ACCMODE: 3,
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 64,
  EXCL: 128,
  NOCTTY: 256,
  TRUNC: 512,
  APPEND: 1024,
  NONBLOCK: 2048,
  DSYNC: 4096,
  CLOEXEC: 524288
};
var O_DIRECT = 16384 | 65536;
var SEEK = {
  SET: 0,
  CUR: 1,
  END: 2,
  DATA: 3,
  HOLE: 4
};
var FALLOC_FL = {
  KEEP_SIZE: 1,
  PUNCH_HOLE: 2,
  NO_HIDE_STALE: 4,
  COLLAPSE_RANGE: 8,
  ZERO_RANGE: 16,
  INSERT_RANGE: 32,
  UNSHARE_RANGE: 64
};
var RENAME = {
  NOREPLACE: 1 << 0,
  EXCHANGE: 1 << 1,
  WHITEOUT: 1 << 2
};
var XATTR = {
  CREATE: 1 << 0,
  REPLACE: 1 << 1
};
var POLL = {
  /** There is something to read, or the other end was closed. */
  IN: 1,
  /** There is something urgent. */
  PRI: 2,
  /** Something can be written. */
  OUT: 4,
  /** An error. */
  ERR: 8,
  /** The other end was closed. */
  HUP: 16
};
var S_IF = {
  MT: 61440,
  SOCK: 49152,
  LNK: 40960,
  REG: 32768,
  BLK: 24576,
  DIR: 16384,
  CHR: 8192,
  FIFO: 4096
};
var S_IS = {
  UID: 2048,
  GID: 1024,
  VTX: 512
};
var STATX = {
  TYPE: 1,
  MODE: 2,
  NLINK: 4,
  UID: 8,
  GID: 16,
  ATIME: 32,
  MTIME: 64,
  CTIME: 128,
  INO: 256,
  SIZE: 512,
  BLOCKS: 1024,
  BTIME: 2048
};
var STATX_BASIC_STATS = 2047;

// src/event/device_events.ts
var READY_POLL_US = 30;
var READY_POLLS_MAX = 32;
var POLLS2 = 4;
var READS = 16;
var READY_POLL = new PollStrategy(READY_POLL_US);
var POLL_SLOT = 0;
var SLOTS = 2;
var DeviceEvents = class {
  #device;
  #poll;
  #longestSleepMs;
  #isPending;
  #ring = null;
  /** Whether `read()` returned something that was there at once. */
  #cameAtOnce = false;
  #looksFirst = false;
  /** Whether the last poll ended although there was nothing to read. */
  #hasError = false;
  /** Whether the poll and the timer are in flight. */
  #isPolling = false;
  #isTiming = false;
  /** Reads since operations were submitted last. */
  #reads = 0;
  /** Calls of `ready()` since timers and events of this thread ran. */
  #readyPolls = 0;
  /** The errno with which the ring failed, else 0. */
  #failure = 0;
  #hasLostOperations = false;
  /** The last result of `operationReady()`, while it is pending. */
  #operationReady = null;
  /** Makes an event source of a descriptor, whose owner closes it. */
  constructor(device, options = {}) {
    this.#device = device;
    this.#poll = options.poll ?? new PollStrategy(0);
    this.#longestSleepMs = options.longestSleepMs;
    this.#isPending = () => device.poll();
  }
  /**
   * Adds a ring for operations, which `close()` closes.
   *
   * @param looksFirst Whether `read()` notes if there is something at once.
   * @internal
   */
  addRing(events, slots, looksFirst = false) {
    this.#ring = {
      events,
      slots
    };
    this.#looksFirst = looksFirst;
    events.register(this, slots.first, SLOTS);
  }
  get inFlight() {
    return this.#ring === null ? 0 : this.#ring.events.inFlight;
  }
  get hasCompleted() {
    return this.#ring !== null && this.#ring.events.hasCompleted;
  }
  /**
   * Whether operations were in flight when the ring was closed, so that the
   * kernel may still write to their memory.
   */
  get hasLostOperations() {
    return this.#hasLostOperations;
  }
  /**
   * Whether the last `read()` that blocked would not have had to; known of one
   * that polls.
   */
  get cameAtOnce() {
    return this.#cameAtOnce;
  }
  /** Whether the ring polls the descriptor: there was nothing to read. */
  get isPolling() {
    return this.#isPolling;
  }
  /** Whether the ring's poll has found an error, which read(2) will tell. */
  get hasError() {
    return this.#hasError;
  }
  /**
   * read(2).
   *
   * @param mayBlock Whether to sleep until there is something to read, an
   * operation has completed, or the longest sleep is over.
   * @returns Bytes, or a negative errno: `-EAGAIN` if there is nothing to read
   * or an operation has completed.
   */
  read(buffer, mayBlock) {
    const ring = this.#ring;
    if (ring !== null && ring.events.inFlight > 0) {
      return this.#readBeside(ring, buffer, mayBlock);
    }
    const device = this.#device;
    const blocks = mayBlock && this.#longestSleepMs === void 0;
    device.setBlocking(blocks);
    if (!blocks) {
      if (mayBlock) device.poll(this.#longestSleepMs);
      return device.read(buffer);
    }
    for (; ; ) {
      const received = this.#readBlocking(buffer);
      if (received !== -ERRNO.EAGAIN) return received;
    }
  }
  /**
   * Resolves once `read()` has something to return or an operation has
   * completed, or after a while; timers and promises of this thread run
   * meanwhile.
   */
  async ready() {
    const ring = this.#ring;
    if (ring === null || this.#failure !== 0) return this.#readable();
    ring.events.wait(false);
    if (ring.events.hasCompleted) return;
    this.#startPoll(ring);
    await ring.events.ready();
  }
  /**
   * Sleeps in the ring until there may be something to read.
   *
   * @param mayBlock Whether to sleep at all.
   * @returns `false` if an operation has completed, or the caller should look
   * whether to go on.
   */
  waitBeside(mayBlock) {
    const ring = this.#ring;
    this.#startPoll(ring);
    for (; ; ) {
      if (this.#failure !== 0 || ring.events.hasCompleted) return false;
      const goesOn = this.#sleep(ring, mayBlock);
      if (!this.#isPolling) return true;
      if (!goesOn) return false;
    }
  }
  /**
   * Takes completions, for a caller that has no memory to read into.
   *
   * @param mayBlock Whether to sleep until an operation has completed, or the
   * longest sleep is over.
   */
  waitForOperation(mayBlock) {
    const ring = this.#ring;
    while (ring !== null && ring.events.inFlight > 0 && this.#failure === 0) {
      if (ring.events.hasCompleted || !this.#sleep(ring, mayBlock)) return;
    }
  }
  /**
   * Resolves once an operation may have completed, or after a while; `null` if
   * none is in flight.
   */
  operationReady() {
    const ring = this.#ring;
    if (ring === null || ring.events.inFlight === 0) return null;
    ring.events.wait(false);
    if (ring.events.hasCompleted) return Promise.resolve();
    return this.#operationReady ??= ring.events.ready().finally(() => this.#operationReady = null);
  }
  settle() {
    this.#ring?.events.settle();
  }
  drain() {
    this.#ring?.events.drain();
  }
  close() {
    this.#ring?.events.close();
  }
  completed(slot, result3) {
    if (slot !== POLL_SLOT) {
      this.#isTiming = false;
    } else {
      this.#isPolling = false;
      this.#hasError = (result3 & POLL.IN) === 0;
    }
  }
  ringFailed(errno2) {
    this.#failure = errno2;
  }
  ringClosed(quiet) {
    this.#isPolling = false;
    this.#hasLostOperations = !quiet;
  }
  /** `ready()` without a ring: in another thread, unless it is soon. */
  async #readable() {
    const polls = this.#readyPolls++ < READY_POLLS_MAX;
    if (polls && READY_POLL.poll(READY_POLL_US, POLLS2, this.#isPending)) return;
    this.#readyPolls = 0;
    await this.#device.readable();
  }
  /** `read()` while operations are in flight. */
  #readBeside(ring, buffer, mayBlock) {
    const device = this.#device;
    for (; ; ) {
      if (this.#failure !== 0) return -this.#failure;
      if (this.#reads >= READS) this.#sleep(ring, false);
      if (ring.events.hasCompleted) return -ERRNO.EAGAIN;
      if (!this.#isPolling) {
        device.setBlocking(false);
        const received = device.read(buffer);
        this.#reads++;
        if (received !== -ERRNO.EAGAIN) return received;
        this.#startPoll(ring);
      }
      const goesOn = this.#sleep(ring, mayBlock);
      if (!goesOn && this.#isPolling) return -ERRNO.EAGAIN;
    }
  }
  #startPoll({ slots }) {
    if (this.#isPolling) return;
    this.#isPolling = true;
    slots.poll();
  }
  /**
   * Submits operations and dispatches completions.
   *
   * @param mayBlock Whether to sleep until there is one.
   * @returns Whether the caller may sleep again.
   */
  #sleep({ events, slots }, mayBlock) {
    this.#reads = 0;
    const limitMs = this.#longestSleepMs;
    const isLimited = mayBlock && limitMs !== void 0;
    if (isLimited && !this.#isTiming) {
      this.#isTiming = true;
      slots.startTimer(limitMs);
    }
    events.wait(mayBlock);
    return mayBlock && !(isLimited && !this.#isTiming);
  }
  /** read(2) that sleeps, after polling if that is worth it. */
  #readBlocking(buffer) {
    const device = this.#device;
    const window = this.#poll.window(1);
    this.#cameAtOnce = (window > 0 || this.#looksFirst) && device.poll();
    if (this.#cameAtOnce) return device.read(buffer);
    if (window === 0 && !this.#poll.adapts) return device.read(buffer);
    if (window > 0 && this.#poll.poll(window, POLLS2, this.#isPending)) {
      return device.read(buffer);
    }
    const start = performance.now();
    const received = device.read(buffer);
    this.#poll.waited(window + (performance.now() - start) * US_PER_MS);
    return received;
  }
};

// src/queue/message_memory.ts
function heapMemory(size) {
  return {
    bytes: new Uint8Array(size),
    release() {
    }
  };
}

// src/base/show_value.ts
function showValue(value2) {
  switch (typeof value2) {
    case "string":
      return JSON.stringify(value2);
    case "bigint":
      return `${value2}n`;
    case "function":
      return "a function";
    case "object":
      return value2 === null ? "null" : "an object";
    default:
      return Object.is(value2, -0) ? "-0" : String(value2);
  }
}

// src/protocol/attr_checks.ts
var ATTR = accessors("fuse_attr");
var ENTRY = accessors("fuse_entry_out");
var STATX2 = accessors("fuse_statx");
var ENTRY_ATTR_AT = ENTRY.at.attr;
var ROOT_ID = 1;
var SIGN = 2147483648;
var TYPES = new Set(Object.entries(S_IF).filter(([name]) => name !== "MT").map(([, type]) => type));
function isHuge(view2, at) {
  return view2.getUint32(at + 4, true) >= SIGN;
}
function typeProblem(mode, wanted) {
  const type = mode & S_IF.MT;
  const shown = `0o${mode.toString(8)}`;
  if (wanted !== void 0 && type !== wanted) {
    return `mode ${shown} is not of type 0o${wanted.toString(8)}`;
  }
  return TYPES.has(type) ? null : `mode ${shown} has no file type of S_IF`;
}
function attrProblem(view2, at, type) {
  if (isHuge(view2, at + ATTR.at.size)) {
    return `size ${ATTR.get.size(view2, at)} is 2^63 or more`;
  }
  return typeProblem(ATTR.get.mode(view2, at), type);
}
function entryProblem(view2, at, found, type) {
  const nodeid = view2.getUint32(at + ENTRY.at.nodeid, true);
  const isShort = view2.getUint32(at + ENTRY.at.nodeid + 4, true) === 0;
  if (isShort && nodeid <= ROOT_ID) {
    if (!found) {
      return `nodeid ${nodeid} is not that of an inode below the root`;
    }
    if (nodeid === 0) return null;
  }
  return attrProblem(view2, at + ENTRY_ATTR_AT, type);
}
function statxProblem(view2, at, bits) {
  const mask = STATX2.get.mask(view2, at);
  if ((mask & bits.SIZE) !== 0 && isHuge(view2, at + STATX2.at.size)) {
    return `size ${STATX2.get.size(view2, at)} is 2^63 or more`;
  }
  return (mask & bits.TYPE) === 0 ? null : typeProblem(STATX2.get.mode(view2, at));
}

// src/protocol/bytes.ts
function align8(size) {
  return Math.ceil(size / 8) * 8;
}
function concat(parts2) {
  const size = parts2.reduce((sum, part2) => sum + part2.length, 0);
  const bytes2 = new Uint8Array(size);
  let at = 0;
  for (const part2 of parts2) {
    bytes2.set(part2, at);
    at += part2.length;
  }
  return bytes2;
}

// src/protocol/listing_checks.ts
var DIRENT = accessors("fuse_dirent");
var DIRENTPLUS = accessors("fuse_direntplus");
var ENTRY2 = accessors("fuse_entry_out");
var OFF_MAX = 2n ** 63n - 1n;
var TYPE_MAX = 15;
var NUL = 0;
var SLASH = 47;
var DOT = 46;
function nameProblem(bytes2, start, length2) {
  if (length2 === 0 || length2 > FUSE_NAME_MAX) {
    return `it has ${length2} bytes, 1 to ${FUSE_NAME_MAX} are allowed`;
  }
  for (let i = start; i < start + length2; i++) {
    if (bytes2[i] === SLASH) return "it contains a slash";
    if (bytes2[i] === NUL) return "it contains a NUL";
  }
  return null;
}
function numbersProblem(ino, off, type) {
  if (typeof ino !== "bigint" || ino !== BigInt.asUintN(64, ino)) {
    return `inode ${ino} is not a bigint from 0n to 2n ** 64n - 1n`;
  }
  if (typeof off !== "bigint" || off < 1n || off > OFF_MAX) {
    return `position ${off} is not a bigint from 1n to 2n ** 63n - 1n`;
  }
  return Number.isInteger(type) && type >= 0 && type <= TYPE_MAX ? null : `type ${type} is not one that direntType() returns`;
}
function isDots(bytes2, start, length2) {
  return length2 <= 2 && bytes2[start] === DOT && bytes2[start + length2 - 1] === DOT;
}
function listingProblem(bytes2, view2, size, plus) {
  const head = plus ? DIRENTPLUS.size : DIRENT.size;
  let at = 0;
  for (let number2 = 1; size - at >= head; number2++) {
    const dirent = at + head - DIRENT.size;
    const length2 = DIRENT.get.namelen(view2, dirent);
    const start = at + head;
    const end = at + align8(head + Math.min(length2, FUSE_NAME_MAX));
    if (length2 <= FUSE_NAME_MAX && end > size) return null;
    const problem = nameProblem(bytes2, start, length2);
    if (problem !== null) return `the name of entry ${number2}: ${problem}`;
    if (plus) {
      const bad = plusProblem(bytes2, view2, at, start, length2);
      if (bad !== null) return `entry ${number2}: ${bad}`;
    }
    at = end;
  }
  return null;
}
function plusProblem(bytes2, view2, at, start, length2) {
  const nodeidAt = at + ENTRY2.at.nodeid;
  const isPlain = view2.getUint32(nodeidAt, true) === 0 && view2.getUint32(nodeidAt + 4, true) === 0;
  return isPlain || isDots(bytes2, start, length2) ? null : entryProblem(view2, at, false);
}
function xattrListProblem(bytes2, size) {
  for (let at = 0; at < size; ) {
    const nul = bytes2.indexOf(NUL, at);
    if (nul < 0 || nul >= size) return "its last name has no NUL";
    if (nul === at) return "a name is empty";
    at = nul + 1;
  }
  return null;
}

// src/protocol/reply_size.ts
var READ_IN = accessors("fuse_read_in");
var GETXATTR_IN = accessors("fuse_getxattr_in");
var IOCTL_IN = accessors("fuse_ioctl_in");
var CUSE_INIT_INFO_MAX = 4096;
var FIXED = new Array(4097).fill(0);
for (const row of Object.values(OPCODES)) {
  for (const struct of row.out ?? []) FIXED[row.opcode] += sizeOf(struct);
}
function fixedReplySize(opcode) {
  return FIXED[opcode];
}
function replyTailMax({ outTail }, size) {
  switch (outTail) {
    case void 0:
      return 0;
    case "string":
      return FUSE_NAME_MAX;
    case "ioctl":
      return Math.max(size, PAGE_SIZE);
    case "info":
      return CUSE_INIT_INFO_MAX;
    default:
      return size;
  }
}
function replyRoom(request) {
  const { opcode } = request;
  const row = opcodeRow(opcode);
  const tail = row.outTail === "string" ? PATH_MAX : replyTailMax(row, replySize(row, request.body));
  const fixed = row.outTail === "value" ? sizeOf("fuse_getxattr_out") : FIXED[opcode];
  return fixed + tail;
}
function replySize({ outTail }, body) {
  switch (outTail) {
    case "data":
    case "dirents":
    case "direntplus":
      return READ_IN.get.size(body);
    case "value":
      return GETXATTR_IN.get.size(body);
    case "ioctl":
      return IOCTL_IN.get.out_size(body);
    default:
      return 0;
  }
}

// src/protocol/reply_checks.ts
var ATTR_AT = accessors("fuse_attr_out").at.attr;
var STAT_AT = accessors("fuse_statx_out").at.stat;
var COPY_IN = accessors("fuse_copy_file_range_in");
var COPY_OUT = accessors("fuse_copy_file_range_out");
var WRITE_OUT = accessors("fuse_write_out");
var GETXATTR_IN2 = accessors("fuse_getxattr_in");
var GETXATTR_OUT = accessors("fuse_getxattr_out");
var IOCTL_IN2 = accessors("fuse_ioctl_in");
var IOCTL_OUT = accessors("fuse_ioctl_out");
var IOVEC_SIZE = accessors("fuse_ioctl_iovec").size;
var IOCTL_IOVECS_MAX = 256;
var LOCK = accessors("fuse_file_lock");
var LOCK_TYPE_MAX = 2;
var MKNOD_IN = accessors("fuse_mknod_in");
var INIT_SIZE_MIN = sizeAt("fuse_init_out", 0);
var attr = ({ body }) => attrProblem(body, ATTR_AT);
var entry = ({ body }) => entryProblem(body, 0, false);
function entryOfType(type) {
  return ({ body }) => entryProblem(body, 0, false, type);
}
function listing(plus) {
  return ({ data, body }, size) => listingProblem(data, body, size, plus);
}
function isSizeQuery(request) {
  return GETXATTR_IN2.get.size(request.body) === 0;
}
var value = ({ body }, _size, request) => {
  if (!isSizeQuery(request)) return null;
  const size = GETXATTR_OUT.get.size(body);
  return size > XATTR_SIZE_MAX ? `size ${size} is more than ${XATTR_SIZE_MAX}` : null;
};
var CHECKS = {
  LOOKUP: ({ body }) => entryProblem(body, 0, true),
  GETATTR: attr,
  SETATTR: attr,
  //= fs/fuse/dir.c create_new_entry(): the type that was requested
  MKNOD: ({ body }, _size, request) => {
    const type = MKNOD_IN.get.mode(request.body) & S_IF.MT;
    return entryProblem(body, 0, false, type === 0 ? S_IF.REG : type);
  },
  MKDIR: entryOfType(S_IF.DIR),
  SYMLINK: entryOfType(S_IF.LNK),
  LINK: entry,
  //= fs/fuse/dir.c fuse_create_open()
  CREATE: entryOfType(S_IF.REG),
  TMPFILE: entryOfType(S_IF.REG),
  READLINK: ({ data }, size) => {
    if (size === 0) return "its target is empty";
    const nul = data.indexOf(0);
    return nul >= 0 && nul < size ? "its target contains a NUL" : null;
  },
  READDIR: listing(false),
  READDIRPLUS: listing(true),
  GETXATTR: value,
  LISTXATTR: (reply, size, request) => isSizeQuery(request) ? value(reply, size, request) : xattrListProblem(reply.data, size),
  STATX: ({ body }) => statxProblem(body, STAT_AT, STATX),
  GETLK: ({ body }) => {
    const type = LOCK.get.type(body);
    if (type > LOCK_TYPE_MAX) return `lock type ${type} is not 0, 1 or 2`;
    if (type === LOCK_TYPE_MAX) return null;
    const start = LOCK.get.start(body);
    const end = LOCK.get.end(body);
    return isHuge(body, LOCK.at.start) || isHuge(body, LOCK.at.end) || end < start ? `${start} to ${end} is not a range of a file` : null;
  },
  LSEEK: ({ body }) => isHuge(body, 0) ? `offset ${body.getBigUint64(0, true)} is 2^63 or more` : null,
  //= fs/fuse/file.c __fuse_copy_file_range()
  COPY_FILE_RANGE: ({ body }, _size, { body: wanted }) => copied(BigInt(WRITE_OUT.get.size(body)), COPY_IN.get.len(wanted)),
  COPY_FILE_RANGE_64: ({ body }, _size, { body: wanted }) => copied(COPY_OUT.get.bytes_copied(body), COPY_IN.get.len(wanted)),
  IOCTL: ioctlProblem
};
function copied(size, wanted) {
  return size > wanted ? `${size} bytes were copied, at most ${wanted} were requested` : null;
}
function ioctlProblem({ body }, size, { body: wanted }) {
  const data = size - IOCTL_OUT.size;
  if ((IOCTL_OUT.get.flags(body) & FUSE_IOCTL.RETRY) === 0) {
    const most = IOCTL_IN2.get.out_size(wanted);
    return data > most ? `${data} bytes of data, at most ${most} were requested` : null;
  }
  if ((IOCTL_IN2.get.flags(wanted) & FUSE_IOCTL.UNRESTRICTED) === 0) {
    return "a retry is possible only for FUSE_IOCTL_UNRESTRICTED";
  }
  const iovecs = IOCTL_OUT.get.in_iovs(body) + IOCTL_OUT.get.out_iovs(body);
  if (iovecs > IOCTL_IOVECS_MAX) {
    return `${iovecs} iovecs, at most ${IOCTL_IOVECS_MAX} are allowed`;
  }
  return data === iovecs * IOVEC_SIZE ? null : `${data} bytes are not ${iovecs} iovecs`;
}
var BY_OPCODE = new Array(4097).fill(null);
for (const [name, check] of Object.entries(CHECKS)) {
  BY_OPCODE[OPCODES[name].opcode] = check;
}
function leastSize(request, most) {
  switch (request.opcode) {
    case OPCODES.INIT.opcode:
      return INIT_SIZE_MIN;
    case OPCODES.READLINK.opcode:
    case OPCODES.READDIR.opcode:
    case OPCODES.READDIRPLUS.opcode:
      return 0;
    case OPCODES.GETXATTR.opcode:
    case OPCODES.LISTXATTR.opcode:
      return isSizeQuery(request) ? most : 0;
    default:
      return fixedReplySize(request.opcode);
  }
}
function mostSize(request) {
  switch (request.opcode) {
    case OPCODES.READLINK.opcode:
      return PAGE_SIZE - 1;
    case OPCODES.GETXATTR.opcode:
    case OPCODES.LISTXATTR.opcode:
      return isSizeQuery(request) ? GETXATTR_OUT.size : GETXATTR_IN2.get.size(request.body);
    default:
      return replyRoom(request);
  }
}
function replyProblem(request, reply, size) {
  const most = mostSize(request);
  const least = leastSize(request, most);
  if (!Number.isInteger(size) || size < least || size > most) {
    return least === most ? `a reply to it has ${most} bytes` : `a reply to it has ${least} to ${most} bytes`;
  }
  if (size > reply.data.length) {
    return `there is room for ${reply.data.length} bytes`;
  }
  return BY_OPCODE[request.opcode]?.(reply, size, request) ?? null;
}

// src/protocol/reply_error.ts
var ReplyError = class extends Error {
  /** The request's opcode. */
  opcode;
  /** The request's id. */
  unique;
  #watcher;
  /**
   * Describes a refused call.
   *
   * @param request The request.
   * @param call The call, such as `ok(5)`.
   * @param problem What is wrong with it.
   * @param watcher Learns if nothing catches the error.
   */
  constructor({ opcode, unique }, call3, problem, watcher = null) {
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    super(`Cannot answer ${name} (unique ${unique}) by ${call3}: ${problem}`);
    this.name = "ReplyError";
    this.opcode = opcode;
    this.unique = unique;
    this.#watcher = watcher;
  }
  /**
   * Says that nothing has caught the error, because it was thrown in a timer for
   * instance: the request that waits for the answer fails with EIO.
   */
  uncaught() {
    this.#watcher?.uncaught(this);
  }
};

// src/protocol/reply.ts
var OUT_HEADER = accessors("fuse_out_header");
var HEADER_SIZE = OUT_HEADER.size;
var UNIQUE_AT = OUT_HEADER.at.unique;
var READ = OPCODES.READ.opcode;
var WRITE = OPCODES.WRITE.opcode;
var READ_IN2 = accessors("fuse_read_in");
var WRITE_IN = accessors("fuse_write_in");
var WRITE_OUT2 = accessors("fuse_write_out");
var UNFILLED = -1;
var ANSWERED = "the request was answered already";
var NEWEST_SIZES_SINCE = 9;
var Reply = class {
  /** The fuse_out_header, for accessors. */
  header;
  /** The bytes after the header, to the end of the memory. */
  data;
  /** The same bytes, for accessors. */
  body;
  #request;
  #length = UNFILLED;
  #errno = 0;
  #isDead = false;
  #isInPipe = false;
  /** Why the request was answered before its handler did. */
  #ended = ANSWERED;
  #watcher = null;
  /** Binds a reply to its request and to the memory of a queue's slot. */
  constructor(request, memory) {
    this.#request = request;
    this.header = memory.header;
    this.data = memory.data;
    this.body = memory.body;
  }
  /** Bytes of the whole reply: 0 if none is sent, -1 until it is filled. */
  get length() {
    return this.#length;
  }
  /** Whether the request has been answered. */
  get filled() {
    return this.#length !== UNFILLED;
  }
  /** The positive error number of a filled reply, 0 for success. */
  get errno() {
    return this.#length > 0 ? this.#errno : 0;
  }
  /**
   * Whether the bytes after the header lie in the pipe of the queue, and not in
   * `data`.
   */
  get isInPipe() {
    return this.#isInPipe;
  }
  /**
   * Discards an answer that is not sent yet, so that another can follow. Queues
   * call this when they bind a new request; they send nothing for a reply that
   * is not filled.
   */
  reset() {
    if (this.#isDead && this.#watcher !== null) return;
    if (this.#isDead) this.#ended = ANSWERED;
    this.#length = UNFILLED;
    this.#isDead = false;
    this.#isInPipe = false;
  }
  /** Sets who learns of refused calls; the serve loop does. */
  watch(watcher) {
    this.#watcher = watcher;
  }
  /** Ends the life of a reply whose request is answered: it refuses all calls. */
  retire() {
    if (this.#length === UNFILLED) this.#length = 0;
    this.#isDead = true;
  }
  /**
   * Says why the request will be answered before its handler does, for the report
   * of an answer that comes too late.
   */
  expire(why) {
    this.#ended = why;
  }
  /**
   * Answers as another reply does, whose bytes it copies; not at all if that one
   * was retired without an answer.
   *
   * @throws {TypeError} If the memory of that one was transferred.
   * @throws {ReplyError} If it sends nothing, but the request needs a reply, or
   * if its bytes are in a pipe.
   */
  adopt(other) {
    if (other.#length <= 0) {
      if (other.#length === 0 && !other.#isDead) this.none();
      return;
    }
    const size = other.#length - HEADER_SIZE;
    if (other.#isInPipe) {
      this.#refuse(`okInPipe(${size})`, "its handler has no pipe");
    }
    this.#finish(other.#length, other.#errno);
    if (size > 0) this.data.set(other.data.subarray(0, size));
  }
  /**
   * Zeroes the first `size` bytes after the header, so that padding discloses
   * nothing of earlier messages, and returns `body`.
   */
  zeroed(size) {
    this.data.fill(0, 0, size);
    return this.body;
  }
  /**
   * Answers with success.
   *
   * Structs have to be filled in their newest form; this shortens them for a
   * peer of 7.8 or less. The struct of INIT is sent as it is.
   *
   * @param size Bytes of the reply after the header.
   * @throws {ReplyError} If the kernel would refuse the reply, or the request
   * was answered already.
   */
  ok(size = 0) {
    if (this.#length !== UNFILLED) this.#refuseAgain(`ok(${showValue(size)})`);
    const request = this.#request;
    const opcode = request.opcode;
    if (opcode === READ) {
      const isWhole = typeof size === "number" && size >>> 0 === size;
      if (!isWhole || size > READ_IN2.get.size(request.body)) {
        this.#refuseSize(size);
      }
      if (size > this.data.length) this.#refuseSize(size);
    } else if (opcode !== WRITE) {
      const problem = replyProblem(request, this, size);
      if (problem !== null) this.#refuse(`ok(${showValue(size)})`, problem);
    } else if (size !== WRITE_OUT2.size) {
      this.#refuseSize(size);
    } else if (WRITE_OUT2.get.size(this.body) > WRITE_IN.get.size(request.body)) {
      this.#refuse("ok(8)", "fuse_write_out.size is more than the WRITE's size");
    }
    const { minor } = request.protocolVersion;
    const sent = minor < NEWEST_SIZES_SINCE ? this.#shorten(size, minor) : size;
    this.#finish(HEADER_SIZE + sent, 0);
  }
  /**
   * Answers READ with success and bytes that are in the pipe of the queue, or
   * will be before the queue takes the reply. For handlers that work in place.
   *
   * @param size Bytes of the reply after the header.
   * @throws {ReplyError} As {@linkcode Reply.ok}.
   */
  okInPipe(size) {
    this.ok(size);
    this.#isInPipe = true;
  }
  /**
   * Answers with success and one struct.
   *
   * @param name The struct's name in the table.
   * @param fields Its fields; those left out are zero.
   * @throws {ReplyError} If the request is not answered with this struct, a
   * field does not fit into it, or as {@linkcode Reply.ok}.
   */
  struct(name, fields) {
    const call3 = `struct(${name})`;
    if (this.#length !== UNFILLED) this.#refuseAgain(call3);
    const row = opcodeRow(this.#request.opcode);
    const isOnly = row.out?.length === 1 && row.out[0] === name;
    if (!isOnly && !(row.outTail === "value" && name === "fuse_getxattr_out")) {
      const wanted = row.out?.join(" and ") ?? "no struct";
      this.#refuse(call3, `a reply to it has ${wanted}`);
    }
    try {
      writeStruct(name, this.body, 0, fields);
    } catch (error) {
      this.#refuse(call3, error.message);
    }
    this.ok(sizeOf(name));
  }
  /**
   * Answers with an error, which has a header only.
   *
   * @param errno A positive error number, at most 511.
   * @throws {ReplyError} If the kernel would refuse the error number, or the
   * request was answered already.
   */
  error(errno2) {
    if (this.#length !== UNFILLED) {
      this.#refuseAgain(`error(${showValue(errno2)})`);
    }
    const isWhole = typeof errno2 === "number" && errno2 >>> 0 === errno2;
    if (!isWhole || errno2 === 0 || errno2 > ERRNO_MAX) {
      this.#refuse(`error(${showValue(errno2)})`, `an error number is 1 to ${ERRNO_MAX}`);
    }
    this.#finish(HEADER_SIZE, errno2);
  }
  /**
   * Ends a request without a reply: FORGET, BATCH_FORGET, NOTIFY_REPLY, and
   * INTERRUPT.
   *
   * @throws {ReplyError} If the request needs a reply, or was answered already.
   */
  none() {
    if (this.#length !== UNFILLED) this.#refuseAgain("none()");
    const row = opcodeRow(this.#request.opcode);
    if (!row?.noReply && !row?.optionalReply) {
      this.#refuse("none()", "its caller waits for a reply");
    }
    this.#length = 0;
  }
  #refuseSize(size) {
    const problem = replyProblem(this.#request, this, size) ?? "not a size";
    this.#refuse(`ok(${showValue(size)})`, problem);
  }
  #refuseAgain(call3) {
    this.#refuse(call3, this.#ended);
  }
  #refuse(call3, problem) {
    const error = new ReplyError(this.#request, call3, problem, this.#watcher);
    if (this.#isDead) this.#watcher?.late(error);
    throw error;
  }
  /** Cuts off the end of each struct: newer fields have only been appended. */
  #shorten(size, minor) {
    let from = 0;
    let to = 0;
    for (const name of opcodeRow(this.#request.opcode)?.out ?? []) {
      if (name === "fuse_init_out" || from + sizeOf(name) > size) break;
      this.data.copyWithin(to, from, from + sizeOf(name));
      from += sizeOf(name);
      to += sizeAt(name, minor);
    }
    this.data.copyWithin(to, from, size);
    return to + size - from;
  }
  /** A copy of the whole filled reply, as write(2) on /dev/fuse takes it. */
  copy() {
    const bytes2 = new Uint8Array(Math.max(0, this.#length));
    if (bytes2.length === 0) return bytes2;
    const { buffer, byteOffset } = this.header;
    bytes2.set(new Uint8Array(buffer, byteOffset, HEADER_SIZE));
    bytes2.set(this.data.subarray(0, bytes2.length - HEADER_SIZE), HEADER_SIZE);
    return bytes2;
  }
  #finish(length2, errno2) {
    const from = this.#request.header;
    const low = from.getUint32(UNIQUE_AT, true);
    const high = from.getUint32(UNIQUE_AT + 4, true);
    OUT_HEADER.set.len(this.header, 0, length2);
    OUT_HEADER.set.error(this.header, 0, 0 - errno2);
    this.header.setUint32(UNIQUE_AT, low, true);
    this.header.setUint32(UNIQUE_AT + 4, high, true);
    this.#errno = errno2;
    this.#length = length2;
  }
};

// src/base/name_bytes.ts
var ENCODER = new TextEncoder();
var DECODER = new TextDecoder("utf-8", {
  ignoreBOM: true,
  fatal: true
});
var LENIENT = new TextDecoder("utf-8", {
  ignoreBOM: true
});
var REPLACEMENT = "\uFFFD";
var REPLACEMENT_BYTES = ENCODER.encode(REPLACEMENT);
var ESCAPE = 56320;
var FIRST_ESCAPE = ESCAPE + 128;
var LAST_ESCAPE = ESCAPE + 255;
function encodeName(name) {
  if (name.isWellFormed()) return ENCODER.encode(name);
  const bytes2 = [];
  for (const character of name) {
    const code = character.codePointAt(0);
    if (isEscape(code)) bytes2.push(code - ESCAPE);
    else bytes2.push(...ENCODER.encode(character));
  }
  return Uint8Array.from(bytes2);
}
function decodeName(bytes2) {
  const own = isUnshared(bytes2) ? bytes2 : bytes2.slice();
  const name = LENIENT.decode(own);
  return name.includes(REPLACEMENT) ? decodeUtf8(own) ?? decodeMixed(own) : name;
}
function isUnshared(bytes2) {
  return bytes2.buffer instanceof ArrayBuffer;
}
function isName(name) {
  if (name.isWellFormed()) return true;
  for (const character of name) {
    if (!character.isWellFormed() && !isEscape(character.charCodeAt(0))) {
      return false;
    }
  }
  return true;
}
function isEscape(code) {
  return code >= FIRST_ESCAPE && code <= LAST_ESCAPE;
}
function decodeMixed(bytes2) {
  let name = "";
  for (let at = 0; at < bytes2.length; ) {
    const length2 = sequenceLength(bytes2[at]);
    const character = at + length2 <= bytes2.length ? decodeCharacter(bytes2.subarray(at, at + length2)) : null;
    if (character === null) name += String.fromCharCode(ESCAPE + bytes2[at]);
    else name += character;
    at += character === null ? 1 : length2;
  }
  return name;
}
function decodeCharacter(bytes2) {
  const text = LENIENT.decode(bytes2);
  if (!text.includes(REPLACEMENT)) return text;
  const isItself = REPLACEMENT_BYTES.every((byte, i) => byte === bytes2[i]);
  return isItself ? text : null;
}
function sequenceLength(lead) {
  if (lead < 224) return lead < 192 ? 1 : 2;
  return lead < 240 ? 3 : 4;
}
function decodeUtf8(bytes2) {
  try {
    return DECODER.decode(bytes2);
  } catch {
    return null;
  }
}

// src/protocol/text.ts
var LOOSE = new TextDecoder("utf-8", {
  ignoreBOM: true
});
var STRICT = new TextDecoder("utf-8", {
  ignoreBOM: true,
  fatal: true
});
function bytesOfName(name) {
  return typeof name === "string" ? encodeName(name) : name;
}
function nameOfBytes(bytes2) {
  const copy = bytes2.slice();
  try {
    return STRICT.decode(copy);
  } catch {
    return copy;
  }
}
function textOfBytes(bytes2) {
  return LOOSE.decode(bytes2.slice());
}
function indexOfNul(bytes2, start, end) {
  for (let at = start; at < end; at++) if (bytes2[at] === 0) return at;
  return -1;
}

// src/protocol/extensions.ts
var EXT_HEADER = accessors("fuse_ext_header");
var SECCTX = accessors("fuse_secctx");
var SUPP_GROUPS = accessors("fuse_supp_groups");
var HEADER_SIZE2 = EXT_HEADER.size;
function checkExtensions(bytes2) {
  const view2 = viewOf(bytes2);
  let at = 0;
  while (at < bytes2.length) {
    const rest = bytes2.length - at;
    if (rest < HEADER_SIZE2) return {
      expected: HEADER_SIZE2,
      received: rest
    };
    const size = EXT_HEADER.get.size(view2, at);
    if (size < HEADER_SIZE2) return {
      expected: HEADER_SIZE2,
      received: size
    };
    if (size > rest) return {
      expected: size,
      received: rest
    };
    const type = EXT_HEADER.get.type(view2, at);
    const end = at + size;
    const bad = type <= FUSE_EXT.MAX_NR_SECCTX ? checkContexts(bytes2, view2, at + HEADER_SIZE2, end, type) : type === FUSE_EXT.GROUPS ? checkGroups(view2, at + HEADER_SIZE2, end) : null;
    if (bad !== null) return bad;
    at += align8(size);
  }
  return null;
}
function checkContexts(bytes2, view2, start, end, count2) {
  let at = start;
  for (let i = 0; i < count2; i++) {
    const rest = Math.max(0, end - at);
    if (rest < SECCTX.size) return {
      expected: SECCTX.size,
      received: rest
    };
    const nul = indexOfNul(bytes2, at + SECCTX.size, end);
    if (nul < 0) return {
      expected: rest + 1,
      received: rest
    };
    const next = nul + 1 + SECCTX.get.size(view2, at);
    if (next > end) return {
      expected: next - at,
      received: rest
    };
    at = start + align8(next - start);
  }
  return null;
}
function checkGroups(view2, start, end) {
  const rest = end - start;
  if (rest < SUPP_GROUPS.size) {
    return {
      expected: SUPP_GROUPS.size,
      received: rest
    };
  }
  const needed2 = SUPP_GROUPS.size + 4 * SUPP_GROUPS.get.nr_groups(view2, start);
  return needed2 <= rest ? null : {
    expected: needed2,
    received: rest
  };
}
function decodeExtensions(bytes2) {
  const view2 = viewOf(bytes2);
  const extensions = [];
  for (let at = 0; at < bytes2.length; ) {
    const size = EXT_HEADER.get.size(view2, at);
    const type = EXT_HEADER.get.type(view2, at);
    const start = at + HEADER_SIZE2;
    if (type <= FUSE_EXT.MAX_NR_SECCTX) {
      extensions.push({
        contexts: decodeContexts(bytes2, view2, start, type)
      });
    } else if (type === FUSE_EXT.GROUPS) {
      extensions.push({
        groups: decodeGroups(view2, start)
      });
    } else {
      extensions.push({
        type,
        data: bytes2.slice(start, at + size)
      });
    }
    at += align8(size);
  }
  return extensions;
}
function decodeContexts(bytes2, view2, start, count2) {
  let at = start;
  return Array.from({
    length: count2
  }, () => {
    const from = at + SECCTX.size;
    const nul = indexOfNul(bytes2, from, bytes2.length);
    const end = nul + 1 + SECCTX.get.size(view2, at);
    at = start + align8(end - start);
    return {
      name: nameOfBytes(bytes2.subarray(from, nul)),
      value: bytes2.slice(nul + 1, end)
    };
  });
}
function decodeGroups(view2, start) {
  return Array.from({
    length: SUPP_GROUPS.get.nr_groups(view2, start)
  }, (_, i) => view2.getUint32(start + SUPP_GROUPS.size + 4 * i, true));
}

// src/protocol/protocol_error.ts
var ProtocolError = class extends Error {
  /** What is wrong. */
  kind;
  /** The opcode on the wire; 0 if the message has no whole header. */
  opcode;
  /** Bytes that the rule requires, or its limit where there are too many. */
  expected;
  /** Bytes that the message has. */
  received;
  /** The error to answer with: ENOSYS for an unknown opcode, else EINVAL. */
  errno;
  /**
   * Whether the header is valid, so that a reply can be sent. If not, kernel
   * and server are out of step and the connection has to end.
   */
  answerable;
  /** Describes what is wrong with a message. */
  constructor(kind, opcode, expected, received) {
    super(describe(kind, opcode, expected, received));
    this.name = "ProtocolError";
    this.kind = kind;
    this.opcode = opcode;
    this.expected = expected;
    this.received = received;
    this.errno = kind === "unknown opcode" ? ERRNO.ENOSYS : ERRNO.EINVAL;
    this.answerable = kind !== "short header" && kind !== "wrong length";
  }
};
function describe(kind, opcode, expected, received) {
  const what = opcodeName(opcode) ?? `opcode ${opcode}`;
  switch (kind) {
    case "short header":
      return `Cannot read a message: expected a header of ${expected} bytes, received ${received}`;
    case "wrong length":
      return `Cannot read ${what}: its header says ${expected} bytes, received ${received}`;
    case "unknown opcode":
      return `Cannot read ${what}: FUSE ${FUSE_KERNEL_VERSION}.${FUSE_KERNEL_MINOR_VERSION} has no such request`;
    case "short body":
      return `Cannot read ${what}: expected at least ${expected} bytes, received ${received}`;
    case "missing NUL":
      return `Cannot read ${what}: a name has no NUL within ${received} bytes`;
    case "long name":
      return `Cannot read ${what}: a name has ${received} bytes, at most ${expected} are allowed`;
    case "short data":
      return `Cannot read ${what}: it should have ${expected} bytes of data, received ${received}`;
    case "short items":
      return `Cannot read ${what}: its items should have ${expected} bytes, received ${received}`;
    case "long extensions":
      return `Cannot read ${what}: its extensions should have ${expected} bytes, received ${received}`;
    case "bad extension":
      return `Cannot read ${what}: an extension should have ${expected} bytes, received ${received}`;
    case "bad error":
      return `Cannot read the reply to ${what}: error ${received} is not between -${expected} and 0`;
    case "long body":
      return `Cannot read the reply to ${what}: expected at most ${expected} bytes, received ${received}`;
    case "bad entry":
      return `Cannot read the reply to ${what}: an entry is malformed in ${received} bytes`;
  }
}

// src/protocol/tail_count.ts
var WRITE_IN2 = accessors("fuse_write_in");
var SETXATTR_IN = accessors("fuse_setxattr_in");
var RETRIEVE_IN = accessors("fuse_notify_retrieve_in");
var IOCTL_IN3 = accessors("fuse_ioctl_in");
var BATCH_FORGET_IN = accessors("fuse_batch_forget_in");
var REMOVEMAPPING_IN = accessors("fuse_removemapping_in");
function tailCount(struct, body) {
  switch (struct) {
    case "fuse_write_in":
      return WRITE_IN2.get.size(body);
    case "fuse_setxattr_in":
      return SETXATTR_IN.get.size(body);
    case "fuse_notify_retrieve_in":
      return RETRIEVE_IN.get.size(body);
    case "fuse_ioctl_in":
      return IOCTL_IN3.get.in_size(body);
    case "fuse_batch_forget_in":
      return BATCH_FORGET_IN.get.count(body);
    case "fuse_removemapping_in":
      return REMOVEMAPPING_IN.get.count(body);
    default:
      return 0;
  }
}

// src/protocol/request_checks.ts
var INIT_IN2 = accessors("fuse_init_in");
var HEADER_SIZE3 = sizeOf("fuse_in_header");
function measureInit(body, known, received) {
  const major = INIT_IN2.get.major(body);
  const minor = INIT_IN2.get.minor(body);
  let size = initInSize(major, minor, 0);
  if (received >= size && size > known) {
    size = initInSize(major, minor, INIT_IN2.get.flags(body));
  }
  return received >= size ? size : new ProtocolError("short body", OPCODES.INIT.opcode, HEADER_SIZE3 + size, HEADER_SIZE3 + received);
}
function checkRest(row, body, rest) {
  const { bytes: bytes2, start, end } = rest;
  switch (row.tail) {
    case "name":
      return checkNames(row, rest, 1);
    case "name name":
      return checkNames(row, rest, 2);
    case "name value":
      return checkNames(row, rest, 1) ?? checkCount(row, body, end - afterNames(bytes2, start, end, 1));
    case "data":
    case "items":
      return checkCount(row, body, end - start);
  }
  return null;
}
function checkNames({ opcode }, { bytes: bytes2, start, end }, count2) {
  let at = start;
  for (let i = 0; i < count2; i++) {
    const nul = indexOfNul(bytes2, at, end);
    if (nul < 0) {
      return new ProtocolError("missing NUL", opcode, end - at + 1, end - at);
    }
    const size = nul - at;
    if (size > FUSE_NAME_MAX) {
      return new ProtocolError("long name", opcode, FUSE_NAME_MAX, size);
    }
    at = nul + 1;
  }
  return null;
}
function checkCount(row, body, received) {
  const unit = row.items === void 0 ? 1 : sizeOf(row.items);
  const size = tailCount(row.in, body) * unit;
  if (size <= received) return null;
  const kind = row.items === void 0 ? "short data" : "short items";
  return new ProtocolError(kind, row.opcode, size, received);
}
function afterNames(bytes2, start, end, count2) {
  let at = start;
  for (let i = 0; i < count2 && at < end; i++) {
    const nul = indexOfNul(bytes2, at, end);
    at = nul < 0 ? end : nul + 1;
  }
  return at;
}

// src/protocol/request.ts
var IN_HEADER = accessors("fuse_in_header");
var WRITE_IN3 = accessors("fuse_write_in");
var HEADER_SIZE4 = IN_HEADER.size;
var INIT = OPCODES.INIT.opcode;
var WRITE2 = OPCODES.WRITE.opcode;
var BODY_SIZE_MAX = Math.max(...Object.values(OPCODES).map(({ in: body }) => body === void 0 ? 0 : sizeOf(body)));
var Request = class {
  /** The fuse_in_header, for accessors. */
  header;
  #memory;
  #protocolVersion = ProtocolVersion.BEFORE_INIT;
  #body;
  #data;
  /** The fixed struct in its newest form, where the peer sends a shorter one. */
  #wholeBody = null;
  #bodySize = 0;
  #tailStart = 0;
  /** Where the extensions start, if there are any. */
  #tailEnd = 0;
  #extensionsSize = 0;
  /** Binds a request to the memory of a queue's slot. */
  constructor(memory) {
    this.#memory = memory;
    this.header = memory.header;
    this.#body = memory.body;
    this.#data = memory.data;
  }
  /**
   * The request's fixed struct, for accessors. Fields that an older peer does
   * not send read as zero.
   */
  get body() {
    return this.#body;
  }
  /**
   * The data of a WRITE, from its first byte; its length is the `size` of the
   * fixed struct. It is the same view for every request of a queue's slot,
   * unless the peer speaks 7.8 or less.
   */
  get data() {
    return this.#data;
  }
  /** The version of the protocol in which the request was sent. */
  get protocolVersion() {
    return this.#protocolVersion;
  }
  /**
   * Validates the message that the memory holds now. If it returns `null`, no
   * getter fails until the request is answered.
   *
   * @param received Bytes of the whole message.
   * @param protocolVersion The negotiated version.
   * @returns What is wrong, or `null`.
   */
  validate(received, protocolVersion) {
    if (received < HEADER_SIZE4) {
      return new ProtocolError("short header", 0, HEADER_SIZE4, received);
    }
    const opcode = IN_HEADER.get.opcode(this.header);
    const length2 = IN_HEADER.get.len(this.header);
    if (length2 !== received) {
      return new ProtocolError("wrong length", opcode, length2, received);
    }
    const bodySize = protocolVersion.bodySize(opcode);
    if (bodySize < 0) {
      return new ProtocolError("unknown opcode", opcode, 0, received);
    }
    const rest = received - HEADER_SIZE4 - bodySize;
    if (rest < 0) {
      const least = HEADER_SIZE4 + bodySize;
      return new ProtocolError("short body", opcode, least, received);
    }
    const extensions = IN_HEADER.get.total_extlen(this.header) * 8;
    if (extensions > rest) {
      return new ProtocolError("long extensions", opcode, extensions, rest);
    }
    const base = this.#memory.contiguous ? bodySize : 0;
    this.#protocolVersion = protocolVersion;
    this.#bodySize = bodySize;
    this.#tailStart = base;
    this.#tailEnd = base + rest - extensions;
    this.#extensionsSize = extensions;
    if (this.#body !== this.#memory.body) this.#body = this.#memory.body;
    if (extensions === 0) {
      if (protocolVersion.isPlain(opcode)) return null;
      if (opcode === WRITE2 && bodySize === WRITE_IN3.size) {
        if (this.#data !== this.#memory.data) this.#data = this.#memory.data;
        const size = WRITE_IN3.get.size(this.#body);
        return size <= rest ? null : new ProtocolError("short data", opcode, size, rest);
      }
    }
    return this.#validateRest(opcode, opcodeRow(opcode));
  }
  #validateRest(opcode, row) {
    if (opcode === INIT) {
      const known = this.#bodySize;
      const received = known + this.tailLength;
      const size = measureInit(this.#memory.body, known, received);
      if (typeof size !== "number") return size;
      this.#tailStart += size - known;
      this.#bodySize = size;
    }
    const whole = row.in === void 0 ? 0 : sizeOf(row.in);
    if (this.#bodySize < whole) this.#completeBody(whole);
    if (opcode === WRITE2) {
      this.#data = this.#memory.tail.subarray(this.#tailStart);
    }
    if (this.#extensionsSize > 0) {
      const bad = checkExtensions(this.extensions());
      if (bad !== null) {
        const { expected, received } = bad;
        return new ProtocolError("bad extension", opcode, expected, received);
      }
    }
    return checkRest(row, this.#body, {
      bytes: this.#memory.tail,
      start: this.#tailStart,
      end: this.#tailEnd
    });
  }
  /** Copies a fixed struct of which the peer sends less than `size` bytes. */
  #completeBody(size) {
    const { body } = this.#memory;
    this.#wholeBody ??= new Uint8Array(BODY_SIZE_MAX);
    this.#wholeBody.fill(0, this.#bodySize, size);
    for (let i = 0; i < this.#bodySize; i++) {
      this.#wholeBody[i] = body.getUint8(i);
    }
    this.#body = viewOf(this.#wholeBody);
  }
  /** The opcode. */
  get opcode() {
    return IN_HEADER.get.opcode(this.header);
  }
  /** Identifies the request among those in flight: 64 opaque bits. */
  get unique() {
    return IN_HEADER.get.unique(this.header);
  }
  /** The inode that the request is about: 64 opaque bits, 1 for the root. */
  get nodeid() {
    return IN_HEADER.get.nodeid(this.header);
  }
  /** The caller's user id. */
  get uid() {
    return IN_HEADER.get.uid(this.header);
  }
  /** The caller's group id. */
  get gid() {
    return IN_HEADER.get.gid(this.header);
  }
  /** The caller's thread id, 0 for a request of the kernel's own. */
  get pid() {
    return IN_HEADER.get.pid(this.header);
  }
  /** Bytes of the whole message. */
  get length() {
    return IN_HEADER.get.len(this.header);
  }
  /** Bytes of the extensions at the end of the message. */
  get extensionsLength() {
    return this.#extensionsSize;
  }
  /** Bytes of the fixed struct, as the peer sends it. */
  get bodyLength() {
    return this.#bodySize;
  }
  /** Bytes after the fixed struct, without the extensions. */
  get tailLength() {
    return this.#tailEnd - this.#tailStart;
  }
  /** The bytes after the fixed struct, in place, without the extensions. */
  tail() {
    return this.#memory.tail.subarray(this.#tailStart, this.#tailEnd);
  }
  /** The same bytes as a view, for accessors of items. */
  tailView() {
    return viewOf(this.tail());
  }
  /** The extensions, in place; see {@linkcode decodeExtensions}. */
  extensions() {
    const start = this.#tailEnd;
    return this.#memory.tail.subarray(start, start + this.#extensionsSize);
  }
  /**
   * The bytes of a name, in place, without the NUL; empty if there is none.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  nameBytes(index = 0) {
    const { tail } = this.#memory;
    const end = this.#tailEnd;
    const start = afterNames(tail, this.#tailStart, end, index);
    const nul = indexOfNul(tail, start, end);
    return tail.subarray(start, nul < 0 ? end : nul);
  }
  /**
   * A name as text. Bytes that are not UTF-8 become U+FFFD.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  name(index = 0) {
    return textOfBytes(this.nameBytes(index));
  }
  /**
   * The bytes after a name, in place: the value of SETXATTR.
   *
   * @param index Which name they follow.
   */
  value(index = 0) {
    const { tail } = this.#memory;
    const end = this.#tailEnd;
    const start = afterNames(tail, this.#tailStart, end, index + 1);
    return tail.subarray(start, end);
  }
  /** A copy of the whole message, as read(2) on /dev/fuse returns it. */
  copy() {
    const bytes2 = new Uint8Array(this.length);
    const { header, body, tail } = this.#memory;
    copyView(header, HEADER_SIZE4, bytes2, 0);
    copyView(body, this.#bodySize, bytes2, HEADER_SIZE4);
    const end = this.#tailEnd + this.#extensionsSize;
    bytes2.set(tail.subarray(this.#tailStart, end), HEADER_SIZE4 + this.#bodySize);
    return bytes2;
  }
  /**
   * Copies the whole message to contiguous memory.
   *
   * @param header The memory, from the fuse_in_header.
   * @param tail The same memory, from the fixed struct.
   */
  copyTo(header, tail) {
    const bodySize = this.#bodySize;
    copyWords(this.header, HEADER_SIZE4, header, 0);
    copyWords(this.#memory.body, bodySize, header, HEADER_SIZE4);
    const end = this.#tailEnd + this.#extensionsSize;
    if (end === this.#tailStart) return;
    tail.set(this.#memory.tail.subarray(this.#tailStart, end), bodySize);
  }
};
function copyWords(from, size, to, at) {
  for (let i = 0; i < size; i += 4) to.setInt32(at + i, from.getInt32(i));
}
function copyView(from, size, to, at) {
  to.set(new Uint8Array(from.buffer, from.byteOffset, size), at);
}

// src/protocol/exchange.ts
var IN_HEADER_SIZE = sizeOf("fuse_in_header");
var OUT_HEADER_SIZE = sizeOf("fuse_out_header");
var WRITE_IN_SIZE = sizeOf("fuse_write_in");
var URING_HEADERS = accessors("fuse_uring_req_header");
function contiguousExchange(incoming, outgoing) {
  const request = new Request({
    header: viewOf(incoming),
    body: viewOf(incoming.subarray(IN_HEADER_SIZE)),
    tail: incoming.subarray(IN_HEADER_SIZE),
    contiguous: true,
    data: incoming.subarray(IN_HEADER_SIZE + WRITE_IN_SIZE)
  });
  const data = outgoing.subarray(OUT_HEADER_SIZE);
  const reply = new Reply(request, {
    header: viewOf(outgoing),
    data,
    body: viewOf(data)
  });
  return {
    request,
    reply
  };
}
function compactExchange(head, outgoing) {
  const data = outgoing.subarray(OUT_HEADER_SIZE);
  const request = new Request({
    header: viewOf(head),
    body: viewOf(head.subarray(IN_HEADER_SIZE)),
    tail: data,
    contiguous: false,
    data
  });
  const reply = new Reply(request, {
    header: viewOf(outgoing),
    data,
    body: viewOf(data)
  });
  return {
    request,
    reply
  };
}
function separateExchange(headers, payload) {
  const request = new Request({
    header: viewOf(headers),
    body: viewOf(headers.subarray(URING_HEADERS.at.op_in, URING_HEADERS.at.ring_ent_in_out)),
    tail: payload,
    contiguous: false,
    data: payload
  });
  const reply = new Reply(request, {
    header: viewOf(headers),
    data: payload,
    body: viewOf(payload)
  });
  return {
    request,
    reply
  };
}

// src/queue/slot.ts
var INIT2 = OPCODES.INIT.opcode;
var IN_HEADER_SIZE2 = sizeOf("fuse_in_header");
var OUT_HEADER_SIZE2 = sizeOf("fuse_out_header");
var WRITE_HEAD_SIZE = IN_HEADER_SIZE2 + sizeOf("fuse_write_in");
var HEAD_SIZE = 168;
var Slot = class _Slot {
  request;
  reply;
  /** What read(2) fills; empty if this is a small slot. */
  incoming;
  /** What write(2) sends. */
  outgoing;
  /** The slab of a small slot; `null` if read(2) can fill this one. */
  slab;
  /** Bytes of the message that was read into it. */
  received = 0;
  /** Whether the request was read in a batch, and has to be answered in one. */
  batched = false;
  /** The head of the request as words, for copies without an allocation. */
  #head;
  constructor(memory, head, exchange) {
    this.incoming = memory.incoming;
    this.outgoing = memory.outgoing;
    this.slab = memory.slab;
    this.request = exchange.request;
    this.reply = exchange.reply;
    const { buffer, byteOffset } = head;
    this.#head = new Int32Array(buffer, byteOffset, HEAD_SIZE / 4);
  }
  /**
   * A slot that holds any request, and any reply to it. The data of a WRITE
   * begins a page, and so does that of a READ's reply, one page further on: a
   * reply overwrites data of the request, but neither its header nor its fixed
   * struct.
   *
   * @param bytes Memory of `largeSlotSize()` bytes.
   * @param maxPayload Largest payload in bytes.
   */
  static large(bytes2, maxPayload) {
    const incoming = messageIn(bytes2, PAGE_SIZE - WRITE_HEAD_SIZE, WRITE_HEAD_SIZE + maxPayload);
    const outgoing = messageIn(bytes2, 2 * PAGE_SIZE - OUT_HEADER_SIZE2, OUT_HEADER_SIZE2 + maxPayload);
    const exchange = contiguousExchange(incoming, outgoing);
    return new _Slot({
      incoming,
      outgoing,
      slab: null
    }, incoming, exchange);
  }
  /**
   * A slot for requests that were read into a large one. What follows the
   * request's fixed struct lies where the reply's data will.
   *
   * @param slab Its slab.
   * @param bytes The head, the reply's header, and the payload.
   * @param payloadAt Where in `bytes` the payload begins.
   */
  static small(slab, bytes2, payloadAt) {
    const head = bytes2.subarray(0, HEAD_SIZE);
    const outgoing = bytes2.subarray(payloadAt - OUT_HEADER_SIZE2);
    const exchange = compactExchange(head, outgoing);
    const incoming = bytes2.subarray(0, 0);
    return new _Slot({
      incoming,
      outgoing,
      slab
    }, head, exchange);
  }
  /** Bytes that this slot has after the reply's header. */
  get payload() {
    return this.outgoing.length - OUT_HEADER_SIZE2;
  }
  /** Copies the request of another slot, which has to be validated again. */
  copyFrom(other) {
    const { request } = other;
    this.batched = other.batched;
    if (this.slab === null) {
      this.incoming.set(request.copy());
      return;
    }
    const headSize = headSizeOf(other);
    for (let i = 0; i < headSize / 4; i++) this.#head[i] = other.#head[i];
    const rest = request.length - headSize;
    if (rest === 0) return;
    const isLarge = other.slab === null;
    const bytes2 = isLarge ? other.incoming : other.outgoing;
    const start = isLarge ? headSize : OUT_HEADER_SIZE2;
    this.outgoing.set(bytes2.subarray(start, start + rest), OUT_HEADER_SIZE2);
  }
};
function requestPayloadOf(slot) {
  const headSize = headSizeOf(slot);
  return headSize > HEAD_SIZE || slot.request.opcode === INIT2 ? Infinity : slot.request.length - headSize;
}
function payloadOf(slot) {
  return Math.max(requestPayloadOf(slot), replyRoom(slot.request));
}
function headSizeOf({ request }) {
  return IN_HEADER_SIZE2 + request.bodyLength;
}
function largeSlotSize(maxPayload) {
  const payload = Math.max(FUSE_MIN_READ_BUFFER, maxPayload);
  return 2 * PAGE_SIZE + Math.ceil(payload / PAGE_SIZE) * PAGE_SIZE;
}
function messageIn(bytes2, at, size) {
  return bytes2.subarray(at, at + Math.max(FUSE_MIN_READ_BUFFER, size));
}

// src/queue/outstanding_requests.ts
var IN_PLACE_MAX = 2;
var COPY_MAX = 16 * 1024;
var INTERRUPT_IN = accessors("fuse_interrupt_in");
var URGENT = /* @__PURE__ */ new Set([
  OPCODES.INTERRUPT.opcode,
  OPCODES.FORGET.opcode,
  OPCODES.BATCH_FORGET.opcode,
  OPCODES.RELEASE.opcode,
  OPCODES.RELEASEDIR.opcode,
  OPCODES.FLUSH.opcode,
  OPCODES.DESTROY.opcode
]);
var OutstandingRequests = class {
  #slots;
  /** Requests that wait for room, in small slots. */
  #waiting = [];
  #count = 0;
  /** Without requests; takes slots for them from a pool. */
  constructor(slots) {
    this.#slots = slots;
  }
  /** Requests that were returned and that have no reply yet. */
  get count() {
    return this.#count;
  }
  /** Whether requests wait for room. */
  get haveWaiting() {
    return this.#waiting.length > 0;
  }
  /** Whether there is room for another request of any size. */
  get haveRoom() {
    return this.#waiting.length === 0 && this.#slots.hasRoom;
  }
  /** Adds a request in the slot that it was read into. */
  add(slot) {
    this.#count++;
    return slot;
  }
  /** Removes a request whose reply will be sent before the next call. */
  remove(slot) {
    this.#count--;
    this.#slots.free(slot);
  }
  /** Removes a request whose memory is given back once its reply is sent. */
  removeLater() {
    this.#count--;
  }
  /** Gives all memory back; nothing may use it any more. */
  release() {
    this.#waiting.length = 0;
    this.#slots.release();
  }
  /**
   * Adds a request that was read while others are outstanding, where a large
   * slot is left to read into.
   *
   * @returns Its slot; `null` if it waits for room.
   */
  place(slot, version) {
    const slots = this.#slots;
    if (this.#waiting.length > 0 && this.#interruptsWaiting(slot)) {
      return this.#park(slot, version) ? null : this.add(slot);
    }
    if (this.#count < IN_PLACE_MAX && slots.hasLarge) return this.add(slot);
    const small = this.#takeSmallFor(slot);
    if (small !== null) {
      this.#move(slot, small, version);
      return this.add(small);
    }
    const waits = !slots.reserveLarge() && this.#park(slot, version);
    return waits ? null : this.add(slot);
  }
  /**
   * Adds the request that has waited longest.
   *
   * @returns Its slot; `null` if there is no room for it yet.
   */
  admit(version) {
    const slots = this.#slots;
    let slot = this.#waiting[0];
    const payload = payloadOf(slot);
    if (payload > slot.payload) {
      const larger = slots.takeSmall(payload, false) ?? slots.takeSpareLarge();
      if (larger === null) return null;
      this.#move(slot, larger, version);
      slot = larger;
    }
    this.#waiting.shift();
    return this.add(slot);
  }
  /**
   * Takes a small slot for a request and its reply, unless a large slot costs
   * less than a copy of the request.
   */
  #takeSmallFor(slot) {
    const { opcode, length: length2 } = slot.request;
    if (length2 > COPY_MAX && this.#slots.reserveLarge()) return null;
    return this.#slots.takeSmall(payloadOf(slot), URGENT.has(opcode));
  }
  /**
   * Lets a request wait in a small slot, without room for its reply; whether
   * there is one.
   */
  #park(slot, version) {
    const isUrgent = URGENT.has(slot.request.opcode);
    const small = this.#slots.takeSmall(requestPayloadOf(slot), isUrgent);
    if (small === null) return false;
    this.#move(slot, small, version);
    this.#waiting.push(small);
    return true;
  }
  /**
   * Whether this is an INTERRUPT of a request that waits. It has to wait too,
   * because the handler does not know that request yet.
   */
  #interruptsWaiting({ request: { opcode, body } }) {
    if (opcode !== OPCODES.INTERRUPT.opcode) return false;
    const unique = INTERRUPT_IN.get.unique(body);
    return this.#waiting.some(({ request }) => request.unique === unique);
  }
  /** Moves a request, which was valid where it was, and frees that slot. */
  #move(from, to, version) {
    to.copyFrom(from);
    to.reply.reset();
    to.request.validate(from.request.length, version);
    this.#slots.free(from);
  }
};

// src/queue/read_errors.ts
var LOST_MAX = 1e3;
var ReadErrors = class {
  #lost = 0;
  /** Whether a read(2) that failed is to be repeated. */
  isRepeated(errno2) {
    if (errno2 === ERRNO.ENOENT || errno2 === ERRNO.EINTR) return true;
    return errno2 === ERRNO.ECONNABORTED && this.#lost++ < LOST_MAX;
  }
};
function endOfError(errno2) {
  switch (errno2) {
    case ERRNO.EAGAIN:
      return null;
    case ERRNO.ENODEV:
      return {
        reason: "unmounted",
        message: "The mount has gone"
      };
    case ERRNO.ECONNABORTED:
      return {
        reason: "aborted",
        message: "The connection was aborted"
      };
    default:
      return {
        reason: "failed",
        message: `Cannot read /dev/fuse: ${errnoName(errno2)}`
      };
  }
}

// src/queue/refused_reply.ts
function isLost(errno2) {
  return errno2 === ERRNO.ENOENT || errno2 === ERRNO.ENODEV || errno2 === ERRNO.ECONNABORTED || errno2 === ERRNO.EPERM;
}
function refusedReply(reply, errno2) {
  const call3 = reply.errno === 0 ? `${reply.length} bytes` : `error ${reply.errno}`;
  return new ReplyError(reply, call3, `the kernel refuses the reply with ${errnoName(errno2)}`);
}

// src/queue/sent_replies.ts
var OUT_HEADER2 = accessors("fuse_out_header");
var UNIQUE_AT2 = OUT_HEADER2.at.unique;
var SentReplies = class {
  #max;
  #device;
  #onRefused;
  /** The memory of each reply. */
  #slots = [];
  /** Four words each: opcode, length, errno, unused. */
  #facts;
  /** The `unique` of each. */
  #uniques;
  /** How many there are. */
  count = 0;
  /**
   * Without replies.
   *
   * @param max Replies at most.
   * @param device What they are sent to.
   * @param onRefused Receives the error of one that was refused.
   */
  constructor(max, device, onRefused) {
    this.#max = max;
    this.#device = device;
    this.#onRefused = onRefused;
    this.#facts = new Int32Array(max * 4);
    this.#uniques = new DataView(new ArrayBuffer(max * 8));
  }
  /** Whether there is room for no more. */
  get isFull() {
    return this.count === this.#max;
  }
  /** Adds one; returns its number. */
  add(slot) {
    const index = this.count++;
    this.#slots[index] = slot;
    const { request, reply } = slot;
    const facts = this.#facts;
    facts[index * 4] = request.opcode;
    facts[index * 4 + 1] = reply.length;
    facts[index * 4 + 2] = reply.errno;
    const uniques = this.#uniques;
    const { header } = reply;
    uniques.setInt32(index * 8, header.getInt32(UNIQUE_AT2, true), true);
    uniques.setInt32(index * 8 + 4, header.getInt32(UNIQUE_AT2 + 4, true), true);
    return index;
  }
  /** Gives the memory of all of them back, after they were sent. */
  release(pool2) {
    const slots = this.#slots;
    for (let i = 0; i < this.count; i++) pool2.free(slots[i]);
    this.count = 0;
  }
  /** The kernel has refused one; `errno` is that of write(2). */
  failed(index, errno2) {
    if (isLost(errno2)) return;
    const facts = this.#facts;
    const unique = this.#uniques.getBigUint64(index * 8, true);
    const bytes2 = encodeStruct("fuse_out_header", {
      len: OUT_HEADER2.size,
      error: -ERRNO.EIO,
      unique
    });
    this.#device.write(bytes2, bytes2.length);
    this.#onRefused(refusedReply({
      opcode: facts[index * 4],
      unique,
      length: facts[index * 4 + 1],
      errno: facts[index * 4 + 2]
    }, errno2));
  }
};

// src/queue/request_batch.ts
var PATIENCE = 2;
var PATIENCE_MAX = 64;
var WORTHWHILE = 3;
var LONGEST_MS = 0.2;
var RequestBatch = class {
  #events;
  #slots;
  #pool;
  #device;
  #sent;
  #now;
  /** The memory of the READs in flight. */
  #reading;
  #inFlight = 0;
  /** Requests that were read; those from `#next` to `#end` wait. */
  #read = [];
  #next = 0;
  #end = 0;
  /** The errno of a failed READ; 0 for none. */
  #errno = 0;
  /** Requests to read next; 0 while they are read singly. */
  #size = 0;
  #largest;
  #patience = PATIENCE;
  /** Requests in a row that were read singly and were there at once. */
  #atOnce = 0;
  /** When the batch was read, in milliseconds, and its size. */
  #start = 0;
  #count = 0;
  #usable = true;
  #failure = 0;
  /** Registers on the ring. */
  constructor({ events, slots, device, onRefused, now }, pool2) {
    this.#events = events;
    this.#now = now ?? (() => performance.now());
    this.#slots = slots;
    this.#pool = pool2;
    this.#device = device;
    this.#sent = new SentReplies(slots.writes, device, onRefused);
    this.#reading = Array.from({
      length: slots.reads
    }, () => null);
    this.#largest = slots.reads;
    events.register(this, slots.first, slots.reads + slots.writes + 1);
  }
  /** Whether requests are read in batches at present. */
  get isActive() {
    return this.#size > 0;
  }
  /** Whether it can read at all. */
  get isUsable() {
    return this.#usable;
  }
  /** Whether requests were read and not taken. */
  get hasRead() {
    return this.#next < this.#end;
  }
  /** Whether requests were read and not taken, or replies wait to be sent. */
  get isBusy() {
    return this.#next < this.#end || this.#sent.count > 0 && this.#events.needsSubmit;
  }
  /**
   * Tests whether a READ that finds no request completes at once. If it waits in
   * the ring, nothing is ever read here again.
   *
   * @returns Whether it does.
   */
  probe() {
    this.fetch();
    if (this.#inFlight === 0) return true;
    this.#usable = false;
    this.#slots.cancel(0);
    while (this.#inFlight > 0 && this.#failure === 0) this.#events.wait(true);
    return false;
  }
  /** Notes a request that was read singly, and whether it was there at once. */
  noteSingle(atOnce) {
    this.#atOnce = atOnce ? this.#atOnce + 1 : 0;
    if (this.#atOnce >= this.#patience && this.#usable) {
      this.#size = Math.min(WORTHWHILE, this.#largest);
      this.#atOnce = 0;
    }
  }
  /** Takes the next request that was read; `null` if there is none. */
  take() {
    return this.#next < this.#end ? this.#read[this.#next++] : null;
  }
  /** Takes the errno with which reading failed; 0 for none. */
  takeErrno() {
    const errno2 = this.#errno;
    this.#errno = 0;
    return errno2;
  }
  /**
   * Sends what waits, and reads requests; all that were read before have been
   * taken.
   *
   * @returns Whether requests came.
   */
  fetch() {
    this.#limit();
    this.#next = this.#end = 0;
    this.#sent.release(this.#pool);
    const asked = this.#push(Math.max(1, this.#size));
    this.#submit();
    const came = this.#end;
    this.#adapt(came, came === asked);
    this.#count = came;
    if (came > 1) this.#start = this.#now();
    return came > 0;
  }
  /**
   * Sends what waits, and reads one request by read(2), which tells errors.
   *
   * @returns Whether it came.
   */
  readOne() {
    this.flush();
    this.#next = this.#end = 0;
    const slot = this.#pool.takeLarge();
    if (slot !== null) this.#note(slot, this.#device.read(slot.incoming));
    this.noteSingle(this.#end > 0);
    return this.#end > 0;
  }
  /** Queues a reply, whose memory is given back once it is sent. */
  reply(slot) {
    if (this.#sent.isFull) this.#submit();
    const index = this.#sent.add(slot);
    this.#slots.write(index, slot.outgoing, slot.reply.length);
    this.#events.pushed();
  }
  /** Sends what waits. */
  flush() {
    if (this.#sent.count > 0) this.#submit();
  }
  /** Gives the memory of replies back that the ring has sent since. */
  reclaim() {
    if (!this.#events.needsSubmit) this.#sent.release(this.#pool);
  }
  completed(slot, result3) {
    const { reads, writes } = this.#slots;
    if (slot >= reads + writes) return;
    if (slot >= reads) return this.#sent.failed(slot - reads, -result3);
    const memory = this.#reading[slot];
    this.#reading[slot] = null;
    this.#inFlight--;
    this.#note(memory, result3);
  }
  ringFailed(errno2) {
    this.#failure = this.#errno = errno2;
  }
  ringClosed() {
    this.#usable = false;
    this.#size = 0;
    this.#next = this.#end = 0;
  }
  /** Pushes READs, as far as there is memory; returns how many. */
  #push(count2) {
    for (let i = 0; i < count2; i++) {
      const slot = i === 0 ? this.#pool.takeLarge() : this.#pool.takeExtraLarge();
      if (slot === null) return i;
      this.#reading[i] = slot;
      this.#inFlight++;
      this.#slots.read(i, slot.incoming);
    }
    return count2;
  }
  /** Notes the result of a READ. */
  #note(slot, result3) {
    if (result3 >= 0) {
      slot.received = result3;
      slot.batched = true;
      this.#read[this.#end++] = slot;
      return;
    }
    this.#pool.free(slot);
    if (result3 !== -ERRNO.EAGAIN && result3 !== -ERRNO.ECANCELED) {
      this.#errno = -result3;
    }
  }
  #submit() {
    do
      this.#events.exchange();
    while (this.#events.needsSubmit && this.#failure === 0);
    this.#sent.release(this.#pool);
  }
  /** Chooses the size of the next batch by what the last READs brought. */
  #adapt(came, isEnough) {
    if (this.#size === 0) return;
    if (came >= WORTHWHILE) {
      this.#size = Math.min(isEnough ? 2 * came : came + 1, this.#largest);
    } else {
      this.#size = 0;
      this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
    }
  }
  /** Limits the next batch by how long the last one took. */
  #limit() {
    if (this.#count < WORTHWHILE) return;
    const isSlow = this.#now() - this.#start > LONGEST_MS;
    if (isSlow) {
      this.#largest = this.#count >> 1;
      if (this.#largest < WORTHWHILE) {
        this.#largest = WORTHWHILE;
        this.#size = 0;
        this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
      }
    } else {
      this.#largest = Math.min(2 * this.#largest, this.#slots.reads);
      this.#patience = PATIENCE;
    }
    this.#size = Math.min(this.#size, this.#largest);
  }
};

// src/queue/slot_pool.ts
var SLAB_SIZE = 256 * 1024;
var PAYLOADS = [
  512,
  4096,
  16384,
  65536
];
var HEADS = [
  512,
  PAGE_SIZE,
  PAGE_SIZE,
  PAGE_SIZE
];
var RESERVED_SLOTS = 16;
var LARGE_MIN = 2;
var SlotPool = class {
  #options;
  #largeSize;
  /** The memory of each large slot. */
  #large = /* @__PURE__ */ new Map();
  /** Large slots that are not in use. */
  #freeLarge = [];
  #sizes;
  /** Slabs of which no slot is in use, without the first one. */
  #idleSlabs = 0;
  /** The slab that is never given back, with the reserved slots. */
  #firstSlab = null;
  /** Bytes that are allocated, or reserved for the least of slots. */
  #used;
  /** Makes a pool without slots. */
  constructor(options) {
    this.#options = options;
    this.#largeSize = largeSlotSize(options.maxPayload);
    this.#used = LARGE_MIN * this.#largeSize + SLAB_SIZE;
    this.#sizes = PAYLOADS.map((payload, i) => ({
      payload,
      head: HEADS[i],
      free: [],
      slabs: []
    }));
  }
  /** Whether a large slot is free without a new allocation. */
  get hasLarge() {
    return this.#freeLarge.length > 0;
  }
  /**
   * Whether there is room for another request of any size, besides the slot to
   * read into.
   */
  get hasRoom() {
    return this.#freeLarge.length > 1 || this.#large.size < LARGE_MIN || this.#unused + this.#idleSlabs * SLAB_SIZE >= this.#largeSize;
  }
  /**
   * Allocates slots before they are needed: large ones, and the slab with the
   * reserved ones.
   *
   * @param large How many large slots.
   */
  prepare(large) {
    while (this.#large.size < large) {
      const slot = this.#newLarge();
      if (slot === null) break;
      this.#freeLarge.push(slot);
    }
    if (this.#firstSlab === null) this.#newSlab(this.#sizes[0]);
  }
  /** Takes a large slot; `null` if there is no room for it. */
  takeLarge() {
    return this.#freeLarge.pop() ?? this.#newLarge();
  }
  /** Makes sure that a large slot is free; `false` if there is no room for it. */
  reserveLarge() {
    if (this.#freeLarge.length > 0) return true;
    const slot = this.#newLarge();
    if (slot !== null) this.#freeLarge.push(slot);
    return slot !== null;
  }
  /** Takes a large slot if another one stays free; else `null`. */
  takeSpareLarge() {
    if (!this.reserveLarge()) return null;
    return this.#freeLarge.length > 1 ? this.#freeLarge.pop() : this.#newLarge();
  }
  /**
   * Takes a large slot to read ahead into, which leaves room for others and
   * takes no memory from small slots; else `null`.
   */
  takeExtraLarge() {
    if (this.#freeLarge.length > LARGE_MIN) return this.#freeLarge.pop();
    return this.#unused >= LARGE_MIN * this.#largeSize ? this.#newLarge() : null;
  }
  /**
   * Takes a small slot for a payload.
   *
   * @param payload Bytes.
   * @param urgent Whether to take one of the reserved slots, if need be.
   * @returns `null` if there is none that fits.
   */
  takeSmall(payload, urgent) {
    for (const size of this.#sizes) {
      if (payload > size.payload) continue;
      const slot = this.#takeOf(size, urgent);
      if (slot !== null) return slot;
    }
    return null;
  }
  /** Takes a slot back. */
  free(slot) {
    const { slab } = slot;
    if (slab === null) {
      this.#freeLarge.push(slot);
      return;
    }
    slab.size.free.push(slot);
    if (--slab.busy === 0 && slab !== this.#firstSlab) this.#idleSlabs++;
  }
  /** Gives all memory back; no slot may be in use, now or later. */
  release() {
    for (const memory of this.#large.values()) memory.release();
    this.#large.clear();
    for (const { slabs, free } of this.#sizes) {
      free.length = 0;
      for (const { memory } of slabs.splice(0)) memory.release();
    }
    this.#freeLarge.length = 0;
  }
  /** Bytes that may be allocated. */
  get #unused() {
    return this.#options.memoryMax - this.#used;
  }
  #takeOf(size, urgent) {
    const isSmallest = size === this.#sizes[0];
    const kept = isSmallest && !urgent ? RESERVED_SLOTS : 0;
    if (size.free.length <= kept && !this.#newSlab(size)) return null;
    const slot = size.free.pop();
    const slab = slot.slab;
    if (slab.busy++ === 0 && slab !== this.#firstSlab) this.#idleSlabs--;
    return slot;
  }
  #newLarge() {
    const size = this.#largeSize;
    const isReserved = this.#large.size < LARGE_MIN;
    if (!isReserved && !this.#makeRoom(size)) return null;
    const memory = this.#options.allocate(size);
    if (memory === null) return null;
    if (!isReserved) this.#used += size;
    const slot = Slot.large(memory.bytes, this.#options.maxPayload);
    this.#large.set(slot, memory);
    return slot;
  }
  /** Cuts small slots from new memory; whether that was possible. */
  #newSlab(size) {
    const isReserved = this.#firstSlab === null && size === this.#sizes[0];
    if (!isReserved && !this.#makeRoom(SLAB_SIZE)) return false;
    const memory = this.#options.allocate(SLAB_SIZE);
    if (memory === null) return false;
    const slab = {
      memory,
      size,
      busy: 0
    };
    if (isReserved) {
      this.#firstSlab = slab;
    } else {
      this.#used += SLAB_SIZE;
      this.#idleSlabs++;
    }
    size.slabs.push(slab);
    const stride = size.head + size.payload;
    for (let at = 0; at + stride <= SLAB_SIZE; at += stride) {
      const bytes2 = memory.bytes.subarray(at, at + stride);
      size.free.push(Slot.small(slab, bytes2, size.head));
    }
    return true;
  }
  /** Gives back what is not in use, until there is room for new memory. */
  #makeRoom(bytes2) {
    while (this.#unused < bytes2 && this.#idleSlabs > 0) this.#giveBackSlab();
    while (this.#unused < bytes2 && this.#freeLarge.length > 1) {
      if (this.#large.size === LARGE_MIN) break;
      this.#giveBackLarge();
    }
    return this.#unused >= bytes2;
  }
  #giveBackSlab() {
    for (const { slabs, free } of this.#sizes) {
      const isIdle = (each) => each.busy === 0 && each !== this.#firstSlab;
      const slab = slabs.find(isIdle);
      if (slab === void 0) continue;
      slabs.splice(slabs.indexOf(slab), 1);
      const rest = free.filter((slot) => slot.slab !== slab);
      free.splice(0, free.length, ...rest);
      this.#idleSlabs--;
      this.#used -= SLAB_SIZE;
      return slab.memory.release();
    }
  }
  #giveBackLarge() {
    const slot = this.#freeLarge.pop();
    this.#large.get(slot).release();
    this.#large.delete(slot);
    this.#used -= this.#largeSize;
  }
};

// src/queue/device_queue.ts
var MEMORY_MAX = 64 * 2 ** 20;
var CHECK_ROOM_MS = 20;
var DeviceQueue = class {
  protocolVersion;
  #device;
  #events;
  #shared;
  #pipe;
  #slots;
  #requests;
  #batch = null;
  #batchDevice = null;
  /** Whether the other queues were told that there is no room. */
  #toldFull = false;
  /** Resolves when a reply makes room in a full queue; made when needed. */
  #room = null;
  #errors = new ReadErrors();
  #end = null;
  /** Makes a queue of a descriptor; the queue closes it. */
  constructor(device, options) {
    this.#device = device;
    this.#events = options.events ?? new DeviceEvents(device);
    this.#shared = options.shared ?? null;
    this.#pipe = options.pipe ?? null;
    this.#slots = new SlotPool({
      maxPayload: options.maxPayload,
      memoryMax: options.memoryMax ?? MEMORY_MAX,
      allocate: options.allocate ?? heapMemory
    });
    this.#requests = new OutstandingRequests(this.#slots);
    this.protocolVersion = options.protocolVersion ?? ProtocolVersion.BEFORE_INIT;
  }
  get end() {
    return this.#end;
  }
  /**
   * Allocates memory before the first request.
   *
   * @param largeSlots Requests of the largest size that it must have room for.
   */
  prepare(largeSlots) {
    this.#slots.prepare(largeSlots);
  }
  /**
   * Reads requests in batches from now on, while they come fast enough, if the
   * kernel allows it.
   *
   * @returns Whether it does.
   *
   * @internal
   */
  startBatches(options) {
    this.#batch = new RequestBatch(options, this.#slots);
    this.#batchDevice = options.device;
    return this.#batch.probe();
  }
  /**
   * Whether requests wait that this queue has read, or replies that it has not
   * sent: what blocks the thread would block them.
   */
  get isBusy() {
    return this.#batch !== null && this.#batch.isBusy;
  }
  next(mayBlock) {
    if (this.#end !== null) return null;
    const requests = this.#requests;
    if (this.#batch !== null) this.#reclaim(this.#batch);
    if (requests.haveWaiting) {
      const slot = requests.admit(this.protocolVersion);
      if (slot !== null) {
        this.#tellRoom();
        return slot;
      }
    }
    for (; ; ) {
      const slot = this.#take(mayBlock);
      if (slot === null) return null;
      if (requests.count === 0) return requests.add(slot);
      const placed = requests.place(slot, this.protocolVersion);
      this.#tellRoom();
      if (placed !== null) return placed;
    }
  }
  async ready() {
    if (this.#end !== null || this.#batch?.hasRead) return;
    this.#batch?.flush();
    if (this.#leavesRequests) {
      const timer = setTimeout(() => this.#endWait(), CHECK_ROOM_MS);
      await this.#roomOrOperation();
      return clearTimeout(timer);
    }
    if (!this.#slots.reserveLarge()) return await this.#roomOrOperation();
    if (!this.#requests.haveWaiting) return await this.#events.ready();
    await Promise.race([
      this.#events.ready(),
      this.#nextRoom()
    ]);
  }
  reply(exchange) {
    const slot = exchange;
    const { length: length2, isInPipe } = slot.reply;
    const isSentLater = slot.batched && length2 > 0 && !isInPipe && this.#end === null;
    if (isSentLater) {
      this.#requests.removeLater();
      this.#batch.reply(slot);
    } else {
      this.#requests.remove(slot);
    }
    if (this.#room !== null) this.#endWait();
    if (this.#toldFull) this.#tellRoom();
    if (isSentLater) return true;
    if (length2 <= 0) {
      if (this.#end?.reason === "closed") this.#releaseUnused();
      return true;
    }
    return this.#write(slot, length2);
  }
  close() {
    if (this.#end?.reason === "closed") return;
    this.#end = {
      reason: "closed",
      message: "The queue was closed"
    };
    this.#device.close();
    this.#events.close();
    this.#batchDevice?.close();
    this.#tellRoom();
    this.#releaseUnused();
    this.#endWait();
  }
  /** Whether requests are left to other queues, because they have room. */
  get #leavesRequests() {
    return this.#toldFull && this.#shared.othersHaveRoom();
  }
  /** The next valid request; `null` if there is none. */
  #take(mayBlock) {
    for (; ; ) {
      const slot = this.#batch?.take() ?? this.#fetch(mayBlock);
      if (slot === null) return null;
      slot.reply.reset();
      const error = slot.request.validate(slot.received, this.protocolVersion);
      if (error === null) return slot;
      if (!error.answerable) {
        this.#end = {
          reason: "failed",
          message: error.message
        };
        this.#slots.free(slot);
        return null;
      }
      slot.reply.error(error.errno);
      if (slot.batched) {
        this.#batch.reply(slot);
      } else {
        this.#device.write(slot.outgoing, slot.reply.length);
        this.#slots.free(slot);
      }
    }
  }
  /** Sends a reply from the pipe at once, as write(2) would. */
  #sendPipe(device, { outgoing }, length2) {
    const pipe = this.#pipe;
    const sent = pipe.send(device.fd);
    if (sent === length2 || isLost(-sent)) return sent;
    const left = pipe.drain(outgoing);
    return left === length2 ? device.write(outgoing, length2) : sent;
  }
  /** Reads requests, and takes the first of them. */
  #fetch(mayBlock) {
    const events = this.#events;
    const batch = this.#batch;
    while (this.#hasMemory()) {
      const isBeside = !mayBlock || events.inFlight > 0;
      const isSingle = mayBlock && !isBeside && !batch?.isActive;
      if (batch === null || !batch.isUsable || isSingle) {
        batch?.flush();
        return this.#readSingly(mayBlock);
      }
      if (isBeside && events.isPolling && !events.waitBeside(mayBlock)) {
        return null;
      }
      const isBatch = batch.isActive || events.inFlight > 0 && !events.hasError;
      if (isBatch ? batch.fetch() : batch.readOne()) return batch.take();
      const errno2 = batch.takeErrno();
      if (errno2 !== 0) {
        if (this.#isRepeated(errno2)) continue;
        return null;
      }
      if (events.hasCompleted) return null;
      if (events.inFlight > 0) {
        if (!events.waitBeside(mayBlock)) return null;
      } else if (!isBatch) {
        return null;
      }
    }
    events.waitForOperation(mayBlock);
    return null;
  }
  /** Whether a request may be read now: there is memory, and it is our turn. */
  #hasMemory() {
    if (this.#slots.reserveLarge() && !this.#leavesRequests) return true;
    if (this.#batch === null) return false;
    this.#batch.flush();
    this.#tellRoom();
    return this.#slots.reserveLarge() && !this.#leavesRequests;
  }
  #readSingly(mayBlock) {
    const slot = this.#slots.takeLarge();
    if (slot === null) return null;
    for (; ; ) {
      const received = this.#events.read(slot.incoming, mayBlock);
      if (received >= 0) {
        slot.received = received;
        slot.batched = false;
        this.#batch?.noteSingle(this.#events.cameAtOnce);
        return slot;
      }
      if (this.#isRepeated(-received)) continue;
      this.#slots.free(slot);
      return null;
    }
  }
  /** Takes back the memory of replies that were sent, or that others need. */
  #reclaim(batch) {
    if (this.#requests.haveWaiting) batch.flush();
    else batch.reclaim();
    if (this.#toldFull) this.#tellRoom();
  }
  /** Sends a reply at once, on the descriptor that its request came from. */
  #write(slot, length2) {
    if (this.#end?.reason === "closed") {
      this.#releaseUnused();
      return false;
    }
    const device = slot.batched ? this.#batchDevice : this.#device;
    const written = slot.reply.isInPipe ? this.#sendPipe(device, slot, length2) : device.write(slot.outgoing, length2);
    if (written === length2) return true;
    if (isLost(-written)) return false;
    const { request, reply, outgoing } = slot;
    const { opcode, unique } = request;
    const refused2 = {
      opcode,
      unique,
      length: length2,
      errno: reply.errno
    };
    const error = refusedReply(refused2, -written);
    reply.reset();
    reply.error(ERRNO.EIO);
    device.write(outgoing, reply.length);
    throw error;
  }
  #tellRoom() {
    if (this.#shared === null) return;
    const isFull = this.#end !== null || !this.#requests.haveRoom;
    if (isFull === this.#toldFull) return;
    this.#toldFull = isFull;
    this.#shared.tell(!isFull);
  }
  /** Resolves when a reply is sent, or the queue is closed. */
  #nextRoom() {
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }
  /** The same, or when an operation has completed, which may cause a reply. */
  async #roomOrOperation() {
    const room3 = this.#nextRoom();
    const operation = this.#events.operationReady();
    await (operation === null ? room3 : Promise.race([
      room3,
      operation
    ]));
  }
  /** Gives the memory back once the queue is closed and nothing uses it. */
  #releaseUnused() {
    if (this.#requests.count > 0 || this.#events.hasLostOperations) return;
    this.#requests.release();
  }
  #endWait() {
    this.#room?.resolve();
    this.#room = null;
  }
  /**
   * Whether to repeat a failed read(2). Notes the end of the queue if the error
   * means that.
   */
  #isRepeated(errno2) {
    if (this.#errors.isRepeated(errno2)) return true;
    this.#end ??= endOfError(errno2);
    return false;
  }
};

// src/queue/latency.ts
var OPERATIONS = [
  "read",
  "write",
  "flush",
  "other"
];
var STEPS = 8;
var STEP_BITS = 3;
var EXACT = 2 * STEPS;
var BUCKETS = EXACT + (31 - STEP_BITS) * STEPS;
var SUM = BUCKETS;
var BYTES = BUCKETS + 1;
var UNITS_PER_US = 8;
var LONGEST = 2 ** 32 - 1;
var HISTOGRAM_LENGTH = 256;
function operationOf(opcode) {
  switch (opcode) {
    case OPCODES.READ.opcode:
      return 0;
    case OPCODES.WRITE.opcode:
      return 1;
    case OPCODES.FLUSH.opcode:
    case OPCODES.FSYNC.opcode:
      return 2;
    default:
      return 3;
  }
}
function observe(histogram, ms, bytes2) {
  const units = Math.min(LONGEST, ms * US_PER_MS * UNITS_PER_US);
  histogram[bucketOf(units)]++;
  histogram[SUM] += units;
  histogram[BYTES] += bytes2;
}
var LIMITS_US = Array.from({
  length: 24
}, (_, i) => 2 ** i);
function bucketOf(units) {
  const value2 = units >>> 0;
  if (value2 < EXACT) return value2;
  const power = 31 - Math.clz32(value2);
  const step = value2 >>> power - STEP_BITS & STEPS - 1;
  return EXACT + (power - STEP_BITS - 1) * STEPS + step;
}

// src/queue/opcode_counts.ts
var OPCODES_MAX = 64;
var UNKNOWN = 0;
var OPCODE_COUNTS_SIZE = 2 * OPCODES_MAX * 8;
var OpcodeCounts = class {
  #requests;
  #errors;
  /** Wraps {@linkcode OPCODE_COUNTS_SIZE} bytes of a memory. */
  constructor(memory, at) {
    this.#requests = new Float64Array(memory, at, OPCODES_MAX);
    this.#errors = new Float64Array(memory, at + OPCODES_MAX * 8, OPCODES_MAX);
  }
  /** Counts a request. */
  taken(opcode) {
    this.#requests[opcode < OPCODES_MAX ? opcode : UNKNOWN]++;
  }
  /** Counts an error. */
  failed(opcode) {
    this.#errors[opcode < OPCODES_MAX ? opcode : UNKNOWN]++;
  }
  /** The totals of every opcode that occurred, in the order of the numbers. */
  totals() {
    const all = [];
    for (let opcode = 0; opcode < OPCODES_MAX; opcode++) {
      const requests = this.#requests[opcode];
      const errors = this.#errors[opcode];
      if (requests === 0 && errors === 0) continue;
      all.push({
        opcode: opcodeName(opcode) ?? "unknown",
        requests,
        errors
      });
    }
    return all;
  }
};

// src/queue/queue_statistics.ts
var STOPPING = 0;
var COUNT = 1;
var MEASURING = 2;
var IN_FLIGHT = 0;
var IS_FULL = 1;
var QUEUE_WORDS = 2;
var TOTALS_AT = 8;
var REQUESTS = 0;
var READS2 = 1;
var WRITES = 2;
var BYTES_READ = 3;
var BYTES_WRITTEN = 4;
var ERRORS = 5;
var BYTES_SPLICED = 6;
var TOTALS = 7;
var SESSION_SIZE = 128;
var OPCODES_AT = 128;
var HISTOGRAMS_AT = OPCODES_AT + OPCODE_COUNTS_SIZE;
var HISTOGRAMS_SIZE = OPERATIONS.length * HISTOGRAM_LENGTH * 8;
var QUEUE_SIZE = HISTOGRAMS_AT + HISTOGRAMS_SIZE;
var QueueStatistics = class _QueueStatistics {
  /** The shared memory, which another thread wraps with its own object. */
  memory;
  /** The counters of each queue. */
  queues;
  #words;
  /** Wraps memory that {@linkcode QueueStatistics.create} made. */
  constructor(memory) {
    this.memory = memory;
    const words = new Int32Array(memory, 0, 3);
    this.#words = words;
    this.queues = Array.from({
      length: words[COUNT]
    }, (_, index) => new QueueCounters(memory, index));
  }
  /** Makes statistics of a number of queues. */
  static create(queues, { measuring = false } = {}) {
    const memory = new SharedArrayBuffer(SESSION_SIZE + queues * QUEUE_SIZE);
    const words = new Int32Array(memory);
    words[COUNT] = queues;
    words[MEASURING] = Number(measuring);
    return new _QueueStatistics(memory);
  }
  /** Whether queues measure how long requests take. */
  get measuring() {
    return this.#words[MEASURING] !== 0;
  }
  /** Makes the queues measure how long requests take, from the next one on. */
  measure() {
    Atomics.store(this.#words, MEASURING, 1);
  }
  /** Whether the queues must take no more requests. */
  get stopping() {
    return Atomics.load(this.#words, STOPPING) !== 0;
  }
  /** Tells every queue to answer what is outstanding and take no more. */
  stop() {
    Atomics.store(this.#words, STOPPING, 1);
  }
  /** Requests that were taken and not answered yet, in all queues. */
  get inFlight() {
    return this.queues.reduce((sum, queue) => sum + queue.inFlight, 0);
  }
  /** The totals of every queue. */
  totals() {
    return this.queues.map((queue) => queue.totals());
  }
};
var QueueCounters = class {
  /** The queue's number. */
  index;
  #words;
  #totals;
  #opcodes;
  #histograms;
  /**
   * Wraps the part of the shared memory that belongs to one queue.
   *
   * @param memory The memory of a {@linkcode QueueStatistics}.
   * @param index The queue's number.
   */
  constructor(memory, index) {
    const start = SESSION_SIZE + index * QUEUE_SIZE;
    this.index = index;
    this.#words = new Int32Array(memory, start, QUEUE_WORDS);
    this.#totals = new Float64Array(memory, start + TOTALS_AT, TOTALS);
    this.#opcodes = new OpcodeCounts(memory, start + OPCODES_AT);
    const at = start + HISTOGRAMS_AT;
    this.#histograms = OPERATIONS.map((_, operation) => new Float64Array(memory, at + operation * HISTOGRAM_LENGTH * 8, HISTOGRAM_LENGTH));
  }
  /** Requests that were taken and not answered yet. */
  get inFlight() {
    return Atomics.load(this.#words, IN_FLIGHT);
  }
  /** Whether the queue has room for another request; not once it has ended. */
  get hasRoom() {
    return Atomics.load(this.#words, IS_FULL) === 0;
  }
  set hasRoom(hasRoom) {
    Atomics.store(this.#words, IS_FULL, Number(!hasRoom));
  }
  /** A number that grows whenever a request is taken or answered. */
  get progress() {
    return 2 * this.#totals[REQUESTS] - this.inFlight;
  }
  /** Counts a request that was taken. */
  taken(opcode) {
    this.#words[IN_FLIGHT]++;
    this.#totals[REQUESTS]++;
    this.#opcodes.taken(opcode);
  }
  /** Counts a request that was answered. */
  answered() {
    this.#words[IN_FLIGHT]--;
  }
  /** Counts a READ that returned `bytes`. */
  read(bytes2) {
    this.#totals[READS2]++;
    this.#totals[BYTES_READ] += bytes2;
  }
  /** Counts bytes of a READ that were spliced. */
  spliced(bytes2) {
    this.#totals[BYTES_SPLICED] += bytes2;
  }
  /** Counts a WRITE that wrote `bytes`. */
  written(bytes2) {
    this.#totals[WRITES]++;
    this.#totals[BYTES_WRITTEN] += bytes2;
  }
  /** Counts an error. */
  failed(opcode) {
    this.#totals[ERRORS]++;
    this.#opcodes.failed(opcode);
  }
  /**
   * Adds a request to the histograms.
   *
   * @param operation Index in `OPERATIONS`.
   * @param ms Milliseconds from taking it to answering it.
   * @param bytes Bytes that it transferred.
   */
  took(operation, ms, bytes2) {
    observe(this.#histograms[operation], ms, bytes2);
  }
  /** Copies of the histograms, by operation. */
  histograms() {
    return this.#histograms.map((histogram) => Float64Array.from(histogram));
  }
  /** Requests and errors so far by opcode. */
  opcodes() {
    return this.#opcodes.totals();
  }
  /** The totals so far. */
  totals() {
    const totals = this.#totals;
    return {
      index: this.index,
      requests: totals[REQUESTS],
      reads: totals[READS2],
      writes: totals[WRITES],
      bytesRead: totals[BYTES_READ],
      bytesSpliced: totals[BYTES_SPLICED],
      bytesWritten: totals[BYTES_WRITTEN],
      errors: totals[ERRORS]
    };
  }
};

// src/queue/ring_queues.ts
var MEMORY_MAX2 = 2 ** 28;
function ringPayloadSize(negotiated) {
  return Math.max(FUSE_MIN_READ_BUFFER, negotiated.maxWrite, negotiated.maxPages * PAGE_SIZE);
}

// src/base/errno_of.ts
var CAUSES_MAX = 8;
var ERRNO_BY_NAME = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  Busy: "EBUSY",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  FilesystemLoop: "ELOOP",
  Interrupted: "EINTR",
  IsADirectory: "EISDIR",
  NetworkUnreachable: "ENETUNREACH",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  NotSupported: "EOPNOTSUPP",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  WouldBlock: "EAGAIN",
  // A client that is interrupted expects EINTR, signal(7).
  AbortError: "EINTR",
  NoModificationAllowedError: "EROFS",
  NotAllowedError: "EACCES",
  NotFoundError: "ENOENT",
  NotSupportedError: "EOPNOTSUPP",
  QuotaExceededError: "EDQUOT",
  SecurityError: "EACCES",
  TimeoutError: "ETIMEDOUT"
};
function knownErrnoOf(error) {
  try {
    let parts2 = error;
    for (let depth = 0; depth < CAUSES_MAX && isObject(parts2); depth++) {
      const errno2 = ownErrno(parts2);
      if (errno2 !== null) return errno2;
      parts2 = parts2.cause;
    }
  } catch {
  }
  return null;
}
function errnoOf(error) {
  return knownErrnoOf(error) ?? ERRNO.EIO;
}
function isObject(value2) {
  return typeof value2 === "object" && value2 !== null || typeof value2 === "function";
}
function ownErrno({ code, errno: errno2, name }) {
  return byKey(ERRNO, code) ?? checked(errno2) ?? byKey(ERRNO, byKey(ERRNO_BY_NAME, name));
}
function byKey(table2, key) {
  return typeof key === "string" && Object.hasOwn(table2, key) ? table2[key] : null;
}
function checked(errno2) {
  if (typeof errno2 === "string" && !/^-?\d+$/.test(errno2)) return null;
  if (typeof errno2 !== "number" && typeof errno2 !== "string") return null;
  const number2 = Math.abs(Number(errno2));
  return Number.isInteger(number2) && number2 > 0 && number2 <= ERRNO_MAX ? number2 : null;
}

// src/event/event_source.ts
var NO_OPERATIONS = {
  inFlight: 0,
  hasCompleted: false,
  settle() {
  },
  drain() {
  },
  close() {
  }
};

// src/queue/own_exchange.ts
var IN_HEADER_SIZE3 = sizeOf("fuse_in_header");
var OUT_HEADER_SIZE3 = sizeOf("fuse_out_header");
var WRITE_HEAD_SIZE2 = IN_HEADER_SIZE3 + sizeOf("fuse_write_in");
var WRITE3 = OPCODES.WRITE.opcode;
var OwnExchange = class {
  request;
  reply;
  #outgoing;
  /** Copies a validated request, and has room for the largest reply to it. */
  constructor(request) {
    this.request = copyOf(request);
    this.#outgoing = new ArrayBuffer(OUT_HEADER_SIZE3 + replyRoom(request));
    this.reply = new Reply(this.request, {
      header: new DataView(this.#outgoing),
      data: new Uint8Array(this.#outgoing, OUT_HEADER_SIZE3),
      body: new DataView(this.#outgoing, OUT_HEADER_SIZE3)
    });
  }
  /**
   * Ends it: the reply refuses all calls.
   *
   * @param isDone Whether the handler has answered before it returned: then the
   * memory of the reply is freed, and views of it are empty. Operations of Deno
   * that still use it keep it allocated; a foreign function that runs on another
   * thread does not.
   */
  end(isDone) {
    this.reply.retire();
    if (isDone && !this.#outgoing.detached) this.#outgoing.transfer(0);
  }
};
function copyOf(request) {
  const { length: length2, opcode } = request;
  const bytes2 = new ArrayBuffer(length2);
  const header = new DataView(bytes2);
  const tail = new Uint8Array(bytes2, IN_HEADER_SIZE3);
  request.copyTo(header, tail);
  const copy = new Request({
    header,
    body: new DataView(bytes2, IN_HEADER_SIZE3),
    tail,
    contiguous: true,
    data: opcode === WRITE3 ? writtenData(bytes2) : tail
  });
  copy.validate(length2, request.protocolVersion);
  return copy;
}
function writtenData(bytes2) {
  return new Uint8Array(bytes2, Math.min(WRITE_HEAD_SIZE2, bytes2.byteLength));
}

// src/queue/pending_reply.ts
var PendingReply = class {
  /** Its opcode. */
  opcode = 0;
  /** When it was taken. */
  start = 0;
  /** What its handler works on, in memory of its own; `null` if in place. */
  own = null;
  #loop;
  /** The queue's exchange; `null` once the request is answered. */
  #exchange = null;
  /** Makes one for a loop. */
  constructor(loop) {
    this.#loop = loop;
  }
  /** Binds it to a request. */
  begin(exchange, opcode, start) {
    this.#exchange = exchange;
    this.opcode = opcode;
    this.start = start;
    return this;
  }
  /**
   * Gives the request memory of its own, which no other request ever has: what a
   * handler does to it after the answer hurts no one.
   */
  detach(exchange) {
    const own = new OwnExchange(exchange.request);
    own.reply.watch(this);
    this.own = own;
    return own;
  }
  /** Ends it; returns the queue's exchange. */
  end() {
    const exchange = this.#exchange;
    this.#exchange = null;
    return exchange;
  }
  complete() {
    if (this.#exchange !== null) this.#loop.answered(this, void 0, false);
  }
  fail(error) {
    if (this.#exchange !== null) this.#loop.answered(this, error, true);
  }
  late(error) {
    this.#loop.report(error, this.opcode);
  }
  uncaught(error) {
    this.fail(error);
  }
};

// src/queue/serve.ts
var WRITE_OUT3 = accessors("fuse_write_out");
var OUT_HEADER_SIZE4 = accessors("fuse_out_header").size;
var INTERRUPT = OPCODES.INTERRUPT.opcode;
var READ2 = OPCODES.READ.opcode;
var WRITE4 = OPCODES.WRITE.opcode;
var BURST_MAX = 64;
var JOBS_MAX = 32;
var DRAIN_STEP_MS = 5;
function serve(queue, handler, options = {}) {
  return new ServeLoop(queue, handler, options).run();
}
var ServeLoop = class {
  #queue;
  #handler;
  #options;
  #events;
  #counters;
  #clock;
  /**
   * When the request was taken that is about to be answered; 0 if it is not
   * measured. As an argument, the number would be allocated.
   */
  #start = new Float64Array(1);
  /** Whether the handler works in the queue's memory. */
  #inPlace;
  /** Says whether to measure how long requests take. */
  #statistics;
  /** Pending replies for reuse, so that none is allocated for a request. */
  #idle = [];
  /** Requests whose answers have not come yet. */
  #outstanding = 0;
  /** Called when such an answer comes. */
  #onAnswered = () => {
  };
  constructor(queue, handler, options) {
    this.#queue = queue;
    this.#handler = handler;
    this.#inPlace = handler.inPlace === true;
    this.#options = options;
    this.#events = options.events ?? NO_OPERATIONS;
    this.#clock = options.clock ?? (() => performance.now());
    this.#statistics = options.statistics;
    this.#counters = options.statistics?.queues[options.index ?? 0];
  }
  async run() {
    const queue = this.#queue;
    const events = this.#events;
    const { statistics } = this.#options;
    const mayBlock = this.#options.mayBlock === true && this.#handler.background !== true;
    let burst = 0;
    while (statistics === void 0 || !statistics.stopping) {
      events.settle();
      const maySleep = mayBlock && !this.#awaitsPromise;
      const exchange = queue.next(maySleep);
      if (exchange !== null || events.hasCompleted) {
        if (exchange !== null) this.#handle(exchange);
        for (let i = 0; i < JOBS_MAX && this.#awaitsPromise; i++) {
          await void 0;
        }
        if (maySleep || ++burst < BURST_MAX) continue;
        await turn();
      } else if (queue.end !== null) {
        break;
      } else if (maySleep) {
        await turn();
      } else {
        await queue.ready();
      }
      burst = 0;
    }
    await this.#drain();
    return queue.end ?? {
      reason: "closed",
      message: "Told to stop"
    };
  }
  /** Whether an outstanding request waits for no operation, but for a promise. */
  get #awaitsPromise() {
    return this.#outstanding > this.#events.inFlight;
  }
  #handle(exchange) {
    const opcode = exchange.request.opcode;
    this.#counters?.taken(opcode);
    const start = this.#statistics?.measuring ? this.#clock() : 0;
    const pending = this.#inPlace ? null : new PendingReply(this).begin(exchange, opcode, start);
    const own = pending === null ? null : pending.detach(exchange);
    const given = own ?? exchange;
    let hasThrown = false;
    try {
      const answer = this.#handler.handle(given.request, given.reply);
      if (answer !== void 0) {
        const completion = Completion.of(answer);
        const receiver = pending ?? this.#idle.pop() ?? new PendingReply(this);
        completion.deliverTo(receiver.begin(exchange, opcode, start));
        this.#outstanding++;
        return;
      }
    } catch (error) {
      hasThrown = true;
      this.#fail(error, given.reply, opcode);
    }
    if (own !== null) {
      pending.end();
      const isDone = !hasThrown && own.reply.filled;
      this.#adopt(exchange.reply, own, opcode, isDone);
    }
    this.#start[0] = start;
    this.#answer(exchange, opcode);
  }
  answered(pending, error, failed) {
    const { opcode, start, own } = pending;
    const exchange = pending.end();
    if (own === null) this.#idle.push(pending);
    if (failed) this.#fail(error, (own ?? exchange).reply, opcode);
    if (own !== null) this.#adopt(exchange.reply, own, opcode, false);
    this.#start[0] = start;
    this.#answer(exchange, opcode);
    this.#outstanding--;
    this.#onAnswered();
  }
  report(error, opcode) {
    const during = opcodeName(opcode) ?? `opcode ${opcode}`;
    try {
      this.#options.report?.(asError(error), during);
    } catch {
    }
  }
  /** Answers with an error, even if the handler has answered before. */
  #fail(error, reply, opcode) {
    const errno2 = knownErrnoOf(error);
    reply.reset();
    try {
      reply.error(errno2 ?? ERRNO.EIO);
    } catch {
    }
    if (errno2 === null) this.report(error, opcode);
  }
  /** Sends what a handler has filled. */
  #answer(exchange, opcode) {
    const { reply } = exchange;
    const start = this.#start[0];
    if (opcodeRow(opcode)?.noReply) reply.reset();
    else if (!reply.filled) this.#fillForHandler(reply, opcode);
    if (this.#counters !== void 0) count(this.#counters, reply, opcode);
    const bytes2 = start === 0 ? 0 : bytesOf(reply, opcode);
    this.#send(exchange, opcode);
    this.#counters?.answered();
    if (start === 0) return;
    const ms = this.#clock() - start;
    this.#counters?.took(operationOf(opcode), ms, bytes2);
  }
  /** Copies a reply of a handler's own into the queue's memory, and ends it. */
  #adopt(reply, own, opcode, isDone) {
    try {
      reply.adopt(own.reply);
    } catch (error) {
      this.#fail(error, reply, opcode);
    }
    own.end(isDone);
  }
  #send(exchange, opcode) {
    try {
      this.#queue.reply(exchange);
    } catch (error) {
      this.#counters?.failed(opcode);
      this.report(error, opcode);
    }
  }
  #fillForHandler(reply, opcode) {
    reply.error(ERRNO.EIO);
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    this.report(new Error(`Handler returned without answering ${name}`), opcode);
  }
  #nextAnswer() {
    return new Promise((resolve2) => this.#onAnswered = resolve2);
  }
  /** Waits for outstanding answers, for a limited time. */
  async #drain() {
    const { drainMs = 2e3 } = this.#options;
    const deadline = performance.now() + drainMs;
    this.#events.drain();
    while (this.#outstanding > 0 && performance.now() < deadline) {
      let timer;
      const timeout = new Promise((resolve2) => {
        timer = setTimeout(resolve2, DRAIN_STEP_MS);
      });
      await Promise.race([
        this.#nextAnswer(),
        timeout
      ]);
      clearTimeout(timer);
      this.#events.drain();
    }
  }
};
function count(counters, reply, opcode) {
  if (reply.errno !== 0) {
    if (opcode !== INTERRUPT) counters.failed(opcode);
  } else if (opcode === READ2) {
    const bytes2 = bytesOf(reply, opcode);
    counters.read(bytes2);
    if (reply.isInPipe) counters.spliced(bytes2);
  } else if (opcode === WRITE4) counters.written(bytesOf(reply, opcode));
}
function bytesOf(reply, opcode) {
  if (reply.errno !== 0) return 0;
  if (opcode === READ2) return reply.length - OUT_HEADER_SIZE4;
  return opcode === WRITE4 ? WRITE_OUT3.get.size(reply.body) : 0;
}
function turn() {
  return new Promise((resolve2) => setImmediate(resolve2));
}
function asError(error) {
  if (isReadableError(error)) return error;
  const isText = typeof error === "string";
  const value2 = isText ? error : showValue(error);
  return new Error(`Handler threw ${value2}, which is no proper Error`, {
    cause: error
  });
}

// src/protocol/dirent.ts
var DIRENT2 = accessors("fuse_dirent");
var DIRENTPLUS2 = accessors("fuse_direntplus");
var ENTRY_AT = DIRENTPLUS2.at.entry_out;
var ENCODER2 = new TextEncoder();
var SCRATCH = new Uint8Array(FUSE_NAME_MAX + 4);
var ENTRY_SIZE = accessors("fuse_entry_out").size;
function direntType(mode) {
  return (mode & S_IF.MT) >>> 12;
}
function direntSize(nameLength, plus) {
  return align8((plus ? DIRENTPLUS2.size : DIRENT2.size) + nameLength);
}
var EntryMemory = class {
  /** Its bytes. */
  bytes = new Uint8Array(ENTRY_SIZE);
  /** The same, for accessors. */
  view = new DataView(this.bytes.buffer);
};
var DirentWriter = class {
  #target;
  #view;
  #capacity;
  #length = 0;
  /**
   * Starts a listing.
   *
   * @param target Memory for it: `reply.data`.
   * @param size The request's `size`: most bytes that the kernel takes.
   */
  constructor(target, size) {
    this.#target = target;
    this.#view = viewOf(target);
    this.#capacity = Math.min(size, target.length);
  }
  /** Bytes of the entries so far, to be passed to `reply.ok()`. */
  get length() {
    return this.#length;
  }
  /**
   * Adds an entry to a reply to READDIR.
   *
   * @returns Whether the entry fits; nothing is written otherwise.
   * @throws {RangeError} If the name is empty, longer than 4095 bytes or
   * contains a slash or a NUL, or if a number is out of its range.
   */
  add(name, ino, off, type) {
    const length2 = measure(name);
    refuse(name, numbersProblem(ino, off, type));
    const at = this.#length;
    if (!this.#reserve(direntSize(length2, false))) return false;
    this.#write(at, length2, ino, off, type);
    return true;
  }
  /**
   * Adds an entry to a reply to READDIRPLUS.
   *
   * @param entry As in a reply to LOOKUP, or memory that holds it; the kernel
   * counts it as a lookup. Empty, or zeroes, for `.`, `..` and any entry that is
   * not to be looked up.
   * @returns Whether the entry fits; nothing is written otherwise.
   * @throws {RangeError} As {@linkcode DirentWriter.add}, or if the kernel would
   * reject the attributes.
   */
  addPlus(name, entry2, ino, off, type) {
    const length2 = measure(name);
    refuse(name, numbersProblem(ino, off, type));
    const struct = entry2 instanceof EntryMemory ? entry2 : encoded(entry2);
    checkEntry(name, length2, struct.view);
    const at = this.#length;
    if (!this.#reserve(direntSize(length2, true))) return false;
    this.#target.set(struct.bytes, at + ENTRY_AT);
    this.#write(at + DIRENTPLUS2.at.dirent, length2, ino, off, type);
    return true;
  }
  #reserve(size) {
    const end = this.#length + size;
    if (end > this.#capacity) return false;
    this.#target.fill(0, end - 8, end);
    this.#length = end;
    return true;
  }
  #write(at, length2, ino, off, type) {
    const view2 = this.#view;
    DIRENT2.set.ino(view2, at, ino);
    DIRENT2.set.off(view2, at, off);
    DIRENT2.set.namelen(view2, at, length2);
    DIRENT2.set.type(view2, at, type);
    const start = at + DIRENT2.size;
    for (let i = 0; i < length2; i++) {
      this.#target[start + i] = SCRATCH[i];
    }
  }
};
function measure(name) {
  let length2 = name.length;
  if (typeof name === "string") {
    const { read: read2, written } = ENCODER2.encodeInto(name, SCRATCH);
    length2 = read2 < name.length ? SCRATCH.length : written;
  } else if (length2 <= FUSE_NAME_MAX) {
    SCRATCH.set(name);
  }
  refuse(name, nameProblem(SCRATCH, 0, length2));
  return length2;
}
function refuse(name, problem) {
  if (problem === null) return;
  const shown = JSON.stringify(name).slice(0, 80);
  throw new RangeError(`Cannot list the name ${shown}: ${problem}`);
}
var ENTRY3 = new EntryMemory();
function encoded(entry2) {
  writeStruct("fuse_entry_out", ENTRY3.view, 0, entry2);
  return ENTRY3;
}
function checkEntry(name, length2, entry2) {
  const isLookedUp = (entry2.getUint32(0, true) | entry2.getUint32(4, true)) !== 0;
  if (!isLookedUp || isDots(SCRATCH, 0, length2)) return;
  refuse(name, entryProblem(entry2, 0, false));
}
function parseDirents(bytes2) {
  return parse(bytes2, DIRENT2.size, (at) => entryAt(bytes2, at));
}
function parseDirentsPlus(bytes2) {
  return parse(bytes2, DIRENTPLUS2.size, (at) => ({
    entry: decodeStruct("fuse_entry_out", bytes2, at + ENTRY_AT),
    ...entryAt(bytes2, at + DIRENTPLUS2.at.dirent)
  }));
}
function parse(bytes2, headSize, read2) {
  const view2 = viewOf(bytes2);
  const entries2 = [];
  let at = 0;
  while (bytes2.length - at >= headSize) {
    const dirent = at + headSize - DIRENT2.size;
    const length2 = DIRENT2.get.namelen(view2, dirent);
    const size = align8(headSize + Math.min(length2, FUSE_NAME_MAX));
    if (length2 <= FUSE_NAME_MAX && at + size > bytes2.length) break;
    const problem = nameProblem(bytes2, at + headSize, length2);
    if (problem !== null) {
      throw new RangeError(`Cannot read a directory entry's name: ${problem}`);
    }
    entries2.push(read2(at));
    at += size;
  }
  return entries2;
}
function entryAt(bytes2, at) {
  const view2 = viewOf(bytes2);
  const start = at + DIRENT2.size;
  const end = start + DIRENT2.get.namelen(view2, at);
  return {
    ino: DIRENT2.get.ino(view2, at),
    off: DIRENT2.get.off(view2, at),
    type: DIRENT2.get.type(view2, at),
    name: nameOfBytes(bytes2.subarray(start, end))
  };
}

// src/protocol/notifications.ts
var OUT_HEADER3 = accessors("fuse_out_header");
var NOTIFICATIONS = {
  POLL: {
    code: FUSE_NOTIFY.POLL,
    out: "fuse_notify_poll_wakeup_out",
    since: 11
  },
  INVAL_INODE: {
    code: FUSE_NOTIFY.INVAL_INODE,
    out: "fuse_notify_inval_inode_out",
    since: 12
  },
  INVAL_ENTRY: {
    code: FUSE_NOTIFY.INVAL_ENTRY,
    out: "fuse_notify_inval_entry_out",
    tail: "name",
    since: 12
  },
  STORE: {
    code: FUSE_NOTIFY.STORE,
    out: "fuse_notify_store_out",
    tail: "data",
    since: 15
  },
  RETRIEVE: {
    code: FUSE_NOTIFY.RETRIEVE,
    out: "fuse_notify_retrieve_out",
    since: 15
  },
  DELETE: {
    code: FUSE_NOTIFY.DELETE,
    out: "fuse_notify_delete_out",
    tail: "name",
    since: 18
  },
  RESEND: {
    code: FUSE_NOTIFY.RESEND,
    since: 40
  },
  INC_EPOCH: {
    code: FUSE_NOTIFY.INC_EPOCH,
    since: 44
  },
  PRUNE: {
    code: FUSE_NOTIFY.PRUNE,
    out: "fuse_notify_prune_out",
    tail: "nodeids",
    since: 45
  }
};
var NAMES2 = new Map(Object.entries(NOTIFICATIONS).map(([name, { code }]) => [
  code,
  name
]));
function encodeNotification(notification, parts2 = {}) {
  const row = NOTIFICATIONS[notification];
  const { data = new Uint8Array(), nodeids = [] } = parts2;
  const name = bytesOfName(parts2.name ?? "");
  const pieces = [
    new Uint8Array(OUT_HEADER3.size)
  ];
  if (row.out !== void 0) {
    const counts = {
      name: {
        namelen: name.length
      },
      data: {
        size: data.length
      },
      nodeids: {
        count: nodeids.length
      }
    };
    const body = row.tail === void 0 ? {} : counts[row.tail];
    pieces.push(encodeStruct(row.out, {
      ...body,
      ...parts2.body
    }));
  }
  if (row.tail === "name") pieces.push(name, new Uint8Array(1));
  if (row.tail === "data") pieces.push(data);
  if (row.tail === "nodeids") {
    pieces.push(new Uint8Array(new BigUint64Array(nodeids).buffer));
  }
  const message = concat(pieces);
  const view2 = viewOf(message);
  OUT_HEADER3.set.len(view2, 0, message.length);
  OUT_HEADER3.set.error(view2, 0, row.code);
  return message;
}

// src/protocol/trace_record.ts
var SILENT = /^(padding|dummy\d?|unused\d?|reserved|spare|__\w+)$/;
var OUT_HEADER_SIZE5 = sizeOf("fuse_out_header");
function traceRequest(queue, request) {
  const { opcode, unique } = request;
  const row = opcodeRow(opcode);
  const fields = {
    nodeid: request.nodeid
  };
  if (row.in !== void 0) {
    Object.assign(fields, structFields(row.in, request.body, 0));
  }
  let bytes2 = row.tail === void 0 ? 0 : request.tailLength;
  if (row.tail?.startsWith("name")) {
    fields.name = request.name();
    if (row.tail === "name name") fields.name2 = request.name(1);
    bytes2 = row.tail === "name value" ? request.value().byteLength : 0;
  }
  if (row.items !== void 0) {
    const size = sizeOf(row.items);
    const tail = request.tail();
    fields.items = Array.from({
      length: Math.floor(tail.length / size)
    }, (_, i) => structFields(row.items, tail, i * size));
    bytes2 = 0;
  }
  if (request.extensionsLength > 0) {
    Object.assign(fields, extensionFields(request.extensions()));
  }
  return {
    queue,
    direction: "<-",
    unique,
    opcode,
    fields,
    bytes: bytes2
  };
}
function extensionFields(bytes2) {
  const fields = {};
  for (const extension of decodeExtensions(bytes2)) {
    if ("groups" in extension) fields.groups = [
      ...extension.groups
    ];
    else if ("contexts" in extension) {
      fields.contexts = extension.contexts.map(({ name }) => textOf(name));
    }
  }
  return fields;
}
function textOf(name) {
  return typeof name === "string" ? name : textOfBytes(name);
}
function traceReply(request, reply, protocolVersion = ProtocolVersion.NEWEST) {
  const size = Math.max(0, reply.length - OUT_HEADER_SIZE5);
  const body = reply.data.subarray(0, size);
  return traceReplyBody(request, reply.errno, body, protocolVersion);
}
function traceReplyBody(request, errno2, body, protocolVersion = ProtocolVersion.NEWEST) {
  const { queue, unique, opcode } = request;
  const row = opcodeRow(opcode);
  const fields = {};
  let at = 0;
  for (const name of replyStructs(request, row)) {
    const size = name === "fuse_init_out" ? Math.min(body.length, sizeOf(name)) : protocolVersion.size(name);
    if (body.length === 0 || at + size > body.length) break;
    const whole = new Uint8Array(sizeOf(name));
    whole.set(body.subarray(at, at + size));
    Object.assign(fields, structFields(name, whole, 0));
    at += size;
  }
  const rest = body.subarray(at);
  let bytes2 = rest.length;
  let entries2 = null;
  if (row?.outTail === "string" && errno2 === 0) {
    fields.target = textOfBytes(rest);
    bytes2 = 0;
  } else if (row?.outTail?.startsWith("dirent") && errno2 === 0) {
    entries2 = countEntries(rest, row.outTail === "direntplus");
  }
  return {
    queue,
    direction: "->",
    unique,
    opcode,
    fields,
    errno: errno2,
    ...entries2 === null ? {} : {
      entries: entries2
    },
    bytes: bytes2
  };
}
function replyStructs(request, row) {
  return row?.outTail === "value" && request.fields.size === 0 ? [
    "fuse_getxattr_out"
  ] : row?.out ?? [];
}
function countEntries(bytes2, plus) {
  try {
    return (plus ? parseDirentsPlus(bytes2) : parseDirents(bytes2)).length;
  } catch {
    return null;
  }
}
function structFields(name, bytes2, base) {
  const all = decodeStruct(name, bytes2, base);
  return Object.fromEntries(Object.entries(all).filter(([field]) => !SILENT.test(field)));
}

// src/queue/forwarding_queue.ts
var ForwardingQueue = class {
  /** The queue that everything is forwarded to. */
  inner;
  /** Wraps a queue. */
  constructor(inner) {
    this.inner = inner;
  }
  /** The inner queue's protocol version. */
  get protocolVersion() {
    return this.inner.protocolVersion;
  }
  /** Sets the inner queue's protocol version. */
  set protocolVersion(protocolVersion) {
    this.inner.protocolVersion = protocolVersion;
  }
  /** How the inner queue ended. */
  get end() {
    return this.inner.end;
  }
  /** Takes the next request of the inner queue. */
  next(mayBlock) {
    return this.inner.next(mayBlock);
  }
  /** Waits for the inner queue. */
  ready() {
    return this.inner.ready();
  }
  /** Sends a reply through the inner queue. */
  reply(exchange) {
    return this.inner.reply(exchange);
  }
  /** Closes the inner queue. */
  close() {
    this.inner.close();
  }
};

// src/queue/trace_queue.ts
var TraceQueue = class extends ForwardingQueue {
  #show;
  #index;
  #wire;
  /** The records of requests that are outstanding. */
  #requests = /* @__PURE__ */ new Map();
  /**
   * Traces a queue.
   *
   * @param queue The queue.
   * @param show Receives a record of each message, in the order in which they
   * pass.
   */
  constructor(queue, show, options = {}) {
    super(queue);
    this.#show = show;
    this.#index = options.index ?? 0;
    this.#wire = options.wire ?? false;
  }
  /** Takes a request and records it. */
  next(mayBlock) {
    const exchange = super.next(mayBlock);
    if (exchange !== null) {
      const { request } = exchange;
      const record = traceRequest(this.#index, request);
      this.#requests.set(exchange, record);
      this.#show(this.#wire ? withWire(record, request.copy()) : record);
    }
    return exchange;
  }
  /** Records a reply and sends it. */
  reply(exchange) {
    const { reply } = exchange;
    const request = this.#requests.get(exchange);
    this.#requests.delete(exchange);
    if (request !== void 0 && reply.length > 0) {
      const record = traceReply(request, reply, this.protocolVersion);
      this.#show(this.#wire ? withWire(record, reply.copy()) : record);
    }
    return super.reply(exchange);
  }
};
function withWire(record, wire) {
  const ms = performance.timeOrigin + performance.now();
  return {
    ...record,
    at: Math.round(ms * US_PER_MS),
    wire
  };
}

// src/queue/uring_queue.ts
var IN_HEADER2 = accessors("fuse_in_header");
var OUT_HEADER4 = accessors("fuse_out_header");
var ENT_IN_OUT = accessors("fuse_uring_ent_in_out");
var { op_in: OP_IN_AT, ring_ent_in_out: ENT_IN_OUT_AT } = accessors("fuse_uring_req_header").at;
var UringQueue = class {
  #protocolVersion;
  #events;
  #entries;
  #device;
  #pollsDevice;
  #exchanges;
  /** Numbers of filled entries: `#filledCount` from `#filledAt` on, cyclic. */
  #filled;
  #filledAt = 0;
  #filledCount = 0;
  /** Requests that `next()` returned and that have no reply yet. */
  #outstanding = 0;
  #started = false;
  #deviceIsReadable = false;
  /** Whether the kernel may still write to the entries of a closed ring. */
  #memoryInUse = false;
  #ended = null;
  /** Registers entries on an event source. */
  constructor(events, entries2, options) {
    this.#events = events;
    this.#entries = entries2;
    this.#protocolVersion = options.protocolVersion;
    this.#device = options.device;
    this.#pollsDevice = options.pollsDevice;
    this.#exchanges = entries2.entries.map(exchangeOf);
    const count2 = this.#exchanges.length;
    this.#filled = new Int32Array(count2);
    events.register(this, entries2.first, count2 + 1);
  }
  get end() {
    return this.#ended;
  }
  get protocolVersion() {
    return this.#protocolVersion;
  }
  set protocolVersion(protocolVersion) {
    this.#protocolVersion = protocolVersion;
    this.#device.protocolVersion = protocolVersion;
  }
  next(mayBlock) {
    if (this.#ended?.reason === "closed") return null;
    if (!this.#started) this.#start();
    let submitted = false;
    for (; ; ) {
      const exchange = this.#takeFilled() ?? this.#takeFromDevice();
      if (exchange !== null) return exchange;
      if (this.#ended !== null) return null;
      if (this.#events.hasCompleted) return null;
      if (submitted && !mayBlock) return null;
      submitted = this.#events.wait(mayBlock);
    }
  }
  async ready() {
    if (this.#ended === null && !this.#started) this.#start();
    if (this.#ended !== null || this.#deviceIsReadable) return;
    if (this.#filledCount > 0 || this.#events.hasCompleted) return;
    await this.#events.ready();
  }
  reply(exchange) {
    const { number: number2, header, reply } = exchange;
    this.#outstanding--;
    if (this.#ended !== null) this.#releaseUnused();
    if (number2 === void 0) return this.#device.reply(exchange);
    if (this.#ended !== null) return false;
    const length2 = reply.length;
    if (length2 <= 0) OUT_HEADER4.set.error(header, 0, 0);
    const body = Math.max(0, length2 - OUT_HEADER4.size);
    ENT_IN_OUT.set.payload_sz(header, ENT_IN_OUT_AT, body);
    this.#entries.commit(number2);
    this.#events.pushed();
    return true;
  }
  close() {
    this.#events.close();
  }
  completed(slot, result3) {
    if (slot === this.#exchanges.length) {
      this.#deviceIsReadable = true;
    } else if (result3 === 0) {
      const at = this.#filledAt + this.#filledCount++;
      this.#filled[at % this.#filled.length] = slot;
    } else {
      this.#failed(slot, result3);
    }
  }
  ringFailed(errno2) {
    this.#fail("use the io_uring", errno2);
  }
  ringClosed(quiet) {
    this.#ended = {
      reason: "closed",
      message: "The queue was closed"
    };
    this.#memoryInUse = !quiet;
    this.#device.close();
    this.#releaseUnused();
  }
  #start() {
    this.#started = true;
    for (const { number: number2 } of this.#exchanges) this.#entries.register(number2);
    if (this.#pollsDevice) this.#entries.pollDevice();
  }
  /** The next request in a filled entry. */
  #takeFilled() {
    while (this.#filledCount > 0) {
      const exchange = this.#exchanges[this.#filled[this.#filledAt]];
      this.#filledAt = (this.#filledAt + 1) % this.#filled.length;
      this.#filledCount--;
      if (this.#begin(exchange)) return exchange;
    }
    return null;
  }
  /** Binds an exchange to the request in its entry; whether it is valid. */
  #begin(exchange) {
    const { header, request, reply } = exchange;
    const bodySize = this.#protocolVersion.bodySize(IN_HEADER2.get.opcode(header));
    const least = IN_HEADER2.size + bodySize;
    const length2 = IN_HEADER2.get.len(header);
    const received = bodySize < 0 || length2 < least ? length2 : least + payloadSize(exchange, bodySize);
    this.#outstanding++;
    reply.reset();
    const error = request.validate(received, this.#protocolVersion);
    if (error === null) return true;
    if (error.answerable) {
      reply.error(error.errno);
      this.reply(exchange);
    } else {
      this.#outstanding--;
      this.#ended ??= {
        reason: "failed",
        message: error.message
      };
    }
    return false;
  }
  #failed(entry2, result3) {
    switch (-result3) {
      case ERRNO.EAGAIN:
      case ERRNO.EINTR:
        this.#entries.repeat(entry2);
        return this.#events.pushed();
      case ERRNO.ENOTCONN:
      case ERRNO.ENODEV:
        this.#ended ??= {
          reason: "unmounted",
          message: "The mount has gone"
        };
        return;
      case ERRNO.ECONNABORTED:
      case ERRNO.ECANCELED:
        this.#ended ??= {
          reason: "aborted",
          message: "The connection was aborted"
        };
        return;
      default:
        this.#fail("offer an entry of the ring", -result3);
    }
  }
  /** The next request from /dev/fuse. */
  #takeFromDevice() {
    if (!this.#deviceIsReadable) return null;
    const exchange = this.#device.next(false);
    if (exchange !== null) {
      this.#outstanding++;
      return exchange;
    }
    this.#deviceIsReadable = false;
    if (this.#device.end !== null) this.#ended ??= this.#device.end;
    else this.#entries.pollDevice();
    return null;
  }
  #fail(what, errno2) {
    this.#ended ??= {
      reason: "failed",
      message: `Cannot ${what}: ${errnoName(errno2)}`
    };
  }
  /**
   * Unmaps the entries once the ring is closed and no request is outstanding.
   */
  #releaseUnused() {
    if (this.#ended?.reason !== "closed" || this.#memoryInUse) return;
    if (this.#outstanding === 0) this.#entries.release();
  }
};
function exchangeOf({ headers, payload }, number2) {
  const exchange = separateExchange(headers, payload);
  return {
    ...exchange,
    number: number2,
    header: exchange.reply.header
  };
}
function payloadSize({ header, reply }, bodySize) {
  const size = ENT_IN_OUT.get.payload_sz(header, ENT_IN_OUT_AT);
  const isInPayload = bodySize > 0 && size === IN_HEADER2.get.len(header) - IN_HEADER2.size;
  if (!isInPayload) return size;
  const payload = reply.data;
  const at = header.byteOffset + OP_IN_AT;
  new Uint8Array(header.buffer, at, bodySize).set(payload.subarray(0, bodySize));
  payload.copyWithin(0, bodySize, size);
  return size - bodySize;
}

// src/linux/syscall/ffi_values.ts
function cString(text) {
  if (text.includes("\0")) refuseName(text, "a NUL character");
  if (!isName(text)) refuseName(text, "half of a surrogate pair");
  return encodeName(`${text}\0`);
}
function refuseName(text, what) {
  throw new UserError(`Cannot use ${JSON.stringify(text)} as a path or name: it contains ${what} (remove it)`);
}
function textOf2(bytes2, length2 = bytes2.byteLength) {
  const filled = bytes2.subarray(0, length2);
  const end = filled.indexOf(0);
  return decodeName(end < 0 ? filled : filled.subarray(0, end));
}
function textAt(pointer) {
  if (pointer === null) return null;
  const view2 = new Deno.UnsafePointerView(pointer);
  let length2 = 0;
  while (view2.getUint8(length2) !== 0) length2++;
  const bytes2 = new Uint8Array(length2);
  view2.copyInto(bytes2);
  return decodeName(bytes2);
}
var BufferPointers = class {
  #last;
  #lastPointer = null;
  // Weak, so that the cache does not keep buffers alive.
  #known = /* @__PURE__ */ new WeakMap();
  /**
   * The address of a view's first byte.
   *
   * @param view A view of an ArrayBuffer or a SharedArrayBuffer.
   * @returns Possibly `null` for an empty view.
   */
  of(view2) {
    if (view2 === this.#last) return this.#lastPointer;
    let pointer = this.#known.get(view2);
    if (pointer === void 0) {
      pointer = pointerOf(view2);
      this.#known.set(view2, pointer);
    }
    this.#last = view2;
    this.#lastPointer = pointer;
    return pointer;
  }
};
var BufferAddresses = class {
  // Weak, so that the cache does not keep buffers alive.
  #known = /* @__PURE__ */ new WeakMap();
  /**
   * The address of a view's first byte. Addresses of user space are exact as
   * numbers.
   *
   * @param view A view of an ArrayBuffer or a SharedArrayBuffer.
   */
  of(view2) {
    let address = this.#known.get(view2);
    if (address === void 0) {
      address = Number(Deno.UnsafePointer.value(pointerOf(view2)));
      this.#known.set(view2, address);
    }
    return address;
  }
};
var LastBigint = class {
  #number = 0;
  #bigint = 0n;
  /**
   * A whole number as a bigint.
   *
   * @param value A length in bytes.
   */
  of(value2) {
    if (value2 !== this.#number) {
      this.#bigint = BigInt(value2);
      this.#number = value2;
    }
    return this.#bigint;
  }
};
function pointerOf(view2) {
  void view2.buffer;
  return Deno.UnsafePointer.of(view2);
}

// src/linux/syscall/aio_symbols.ts
var AIO_SYMBOLS = {
  // int aio_read(struct aiocb *aiocbp);
  aio_read: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int aio_write(struct aiocb *aiocbp);
  aio_write: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int aio_fsync(int op, struct aiocb *aiocbp);
  aio_fsync: {
    parameters: [
      "i32",
      "pointer"
    ],
    result: "i32"
  },
  // int aio_error(const struct aiocb *aiocbp);
  aio_error: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // ssize_t aio_return(struct aiocb *aiocbp);
  aio_return: {
    parameters: [
      "pointer"
    ],
    result: "i64"
  },
  // int aio_suspend(const struct aiocb *const list[], int nitems,
  //                 const struct timespec *timeout), in a thread of Deno's pool.
  aio_suspend_nonblocking: {
    name: "aio_suspend",
    parameters: [
      "pointer",
      "i32",
      "pointer"
    ],
    result: "i32",
    nonblocking: true
  }
};

// src/linux/syscall/credential_symbols.ts
var CREDENTIAL_SYMBOLS = {
  // uid_t getuid(void);
  getuid: {
    parameters: [],
    result: "u32"
  },
  // gid_t getgid(void);
  getgid: {
    parameters: [],
    result: "u32"
  },
  // uid_t geteuid(void);
  geteuid: {
    parameters: [],
    result: "u32"
  },
  // gid_t getegid(void);
  getegid: {
    parameters: [],
    result: "u32"
  },
  // int setgroups(size_t size, const gid_t *list);
  setgroups: {
    parameters: [
      "usize",
      "pointer"
    ],
    result: "i32"
  },
  // int setresgid(gid_t rgid, gid_t egid, gid_t sgid);
  setresgid: {
    parameters: [
      "u32",
      "u32",
      "u32"
    ],
    result: "i32"
  },
  // int setresuid(uid_t ruid, uid_t euid, uid_t suid);
  setresuid: {
    parameters: [
      "u32",
      "u32",
      "u32"
    ],
    result: "i32"
  },
  // int setfsgid(gid_t fsgid): of the calling thread only, setfsgid(2).
  setfsgid: {
    parameters: [
      "u32"
    ],
    result: "i32"
  },
  // int setfsuid(uid_t fsuid): of the calling thread only, setfsuid(2).
  setfsuid: {
    parameters: [
      "u32"
    ],
    result: "i32"
  },
  // int capget(cap_user_header_t hdrp, cap_user_data_t datap);
  capget: {
    parameters: [
      "buffer",
      "buffer"
    ],
    result: "i32"
  },
  // int capset(cap_user_header_t hdrp, const cap_user_data_t datap): of the
  // calling thread only.
  capset: {
    parameters: [
      "buffer",
      "buffer"
    ],
    result: "i32"
  },
  // int getpwnam_r(const char *name, struct passwd *pwd, char *buf,
  //                size_t buflen, struct passwd **result);
  getpwnam_r: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "usize",
      "buffer"
    ],
    result: "i32"
  },
  // int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen,
  //                struct passwd **result);
  getpwuid_r: {
    parameters: [
      "u32",
      "buffer",
      "buffer",
      "usize",
      "buffer"
    ],
    result: "i32"
  },
  // int getgrnam_r(const char *name, struct group *grp, char *buf,
  //                size_t buflen, struct group **result);
  getgrnam_r: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "usize",
      "buffer"
    ],
    result: "i32"
  },
  // int getgrgid_r(gid_t gid, struct group *grp, char *buf, size_t buflen,
  //                struct group **result);
  getgrgid_r: {
    parameters: [
      "u32",
      "buffer",
      "buffer",
      "usize",
      "buffer"
    ],
    result: "i32"
  }
};

// src/linux/syscall/pipe_symbols.ts
var PIPE_SYMBOLS = {
  // int pipe2(int pipefd[2], int flags);
  pipe2: {
    parameters: [
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // ssize_t splice(int fd_in, off_t *off_in, int fd_out, off_t *off_out,
  //                size_t size, unsigned int flags);
  splice: {
    parameters: [
      "i32",
      "pointer",
      "i32",
      "pointer",
      "usize",
      "u32"
    ],
    result: "i32"
  }
};

// src/linux/syscall/process_symbols.ts
var PROCESS_SYMBOLS = {
  // int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions);
  posix_spawn_file_actions_init: {
    parameters: [
      "buffer"
    ],
    result: "i32"
  },
  // int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions,
  //                                      int fd, int newfd);
  posix_spawn_file_actions_adddup2: {
    parameters: [
      "buffer",
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions);
  posix_spawn_file_actions_destroy: {
    parameters: [
      "buffer"
    ],
    result: "i32"
  },
  // int posix_spawn(pid_t *pid, const char *path,
  //                 const posix_spawn_file_actions_t *file_actions,
  //                 const posix_spawnattr_t *attrp, char *const argv[],
  //                 char *const envp[]);
  posix_spawn: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "pointer",
      "buffer",
      "buffer"
    ],
    result: "i32"
  },
  // int execv(const char *path, char *const argv[]);
  execv: {
    parameters: [
      "buffer",
      "buffer"
    ],
    result: "i32"
  },
  // int prctl(int op, unsigned long arg2, unsigned long arg3,
  //           unsigned long arg4, unsigned long arg5);
  prctl: {
    parameters: [
      "i32",
      "u64",
      "u64",
      "u64",
      "u64"
    ],
    result: "i32"
  },
  // pid_t waitpid(pid_t pid, int *wstatus, int options);
  waitpid: {
    parameters: [
      "i32",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // sighandler_t signal(int signum, sighandler_t handler);
  signal: {
    parameters: [
      "i32",
      "usize"
    ],
    result: "usize"
  },
  // pid_t getppid(void);
  getppid: {
    parameters: [],
    result: "i32"
  },
  // int kill(pid_t pid, int sig);
  kill: {
    parameters: [
      "i32",
      "i32"
    ],
    result: "i32"
  }
};

// src/linux/syscall/socket_symbols.ts
var SOCKET_SYMBOLS = {
  // int socket(int domain, int type, int protocol);
  socket: {
    parameters: [
      "i32",
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // int socketpair(int domain, int type, int protocol, int sv[2]);
  socketpair: {
    parameters: [
      "i32",
      "i32",
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  bind: {
    parameters: [
      "i32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  connect: {
    parameters: [
      "i32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int listen(int sockfd, int backlog);
  listen: {
    parameters: [
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // int accept4(int sockfd, struct sockaddr *addr, socklen_t *addrlen,
  //             int flags);
  accept4: {
    parameters: [
      "i32",
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // int shutdown(int sockfd, int how);
  shutdown: {
    parameters: [
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // ssize_t send(int sockfd, const void *buf, size_t len, int flags);
  send: {
    parameters: [
      "i32",
      "buffer",
      "usize",
      "i32"
    ],
    result: "i32"
  },
  // ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags);
  recvmsg: {
    parameters: [
      "i32",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // int getsockopt(int sockfd, int level, int optname, void *optval,
  //                socklen_t *optlen);
  getsockopt: {
    parameters: [
      "i32",
      "i32",
      "i32",
      "buffer",
      "buffer"
    ],
    result: "i32"
  },
  // int setsockopt(int sockfd, int level, int optname, const void *optval,
  //                socklen_t optlen);
  setsockopt: {
    parameters: [
      "i32",
      "i32",
      "i32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int getaddrinfo(const char *node, const char *service,
  //                 const struct addrinfo *hints, struct addrinfo **res);
  getaddrinfo_nonblocking: {
    name: "getaddrinfo",
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "buffer"
    ],
    result: "i32",
    nonblocking: true
  },
  // void freeaddrinfo(struct addrinfo *res);
  freeaddrinfo: {
    parameters: [
      "pointer"
    ],
    result: "void"
  }
};

// src/linux/syscall/thread_symbols.ts
var THREAD_SYMBOLS = {
  // void *dlsym(void *handle, const char *symbol);
  dlsym: {
    parameters: [
      "pointer",
      "buffer"
    ],
    result: "pointer",
    optional: true
  },
  // int pthread_attr_init(pthread_attr_t *attr);
  pthread_attr_init: {
    parameters: [
      "buffer"
    ],
    result: "i32",
    optional: true
  },
  // int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stacksize);
  pthread_attr_setstacksize: {
    parameters: [
      "buffer",
      "usize"
    ],
    result: "i32",
    optional: true
  },
  // int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
  //                    void *(*start_routine)(void *), void *arg);
  pthread_create: {
    parameters: [
      "buffer",
      "buffer",
      "pointer",
      "pointer"
    ],
    result: "i32",
    optional: true
  },
  // int pthread_join(pthread_t thread, void **retval);
  pthread_join: {
    parameters: [
      "u64",
      "pointer"
    ],
    result: "i32",
    optional: true
  },
  // int sem_init(sem_t *sem, int pshared, unsigned int value);
  sem_init: {
    parameters: [
      "pointer",
      "i32",
      "u32"
    ],
    result: "i32",
    optional: true
  },
  // int sem_post(sem_t *sem);
  sem_post: {
    parameters: [
      "pointer"
    ],
    result: "i32",
    optional: true
  }
};

// src/linux/syscall/tree_symbols.ts
var TREE_SYMBOLS = {
  // int mkdirat(int dirfd, const char *pathname, mode_t mode);
  mkdirat: {
    parameters: [
      "i32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int mknodat(int dirfd, const char *pathname, mode_t mode, dev_t dev);
  mknodat: {
    parameters: [
      "i32",
      "buffer",
      "u32",
      "u64"
    ],
    result: "i32"
  },
  // int symlinkat(const char *target, int newdirfd, const char *linkpath);
  symlinkat: {
    parameters: [
      "buffer",
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int renameat2(int olddirfd, const char *oldpath, int newdirfd,
  //               const char *newpath, unsigned int flags);
  renameat2: {
    parameters: [
      "i32",
      "buffer",
      "i32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int fchmodat(int dirfd, const char *pathname, mode_t mode, int flags);
  fchmodat: {
    parameters: [
      "i32",
      "buffer",
      "u32",
      "i32"
    ],
    result: "i32"
  },
  // int fchownat(int dirfd, const char *pathname, uid_t owner, gid_t group,
  //              int flags);
  fchownat: {
    parameters: [
      "i32",
      "buffer",
      "u32",
      "u32",
      "i32"
    ],
    result: "i32"
  },
  // int utimensat(int dirfd, const char *pathname,
  //               const struct timespec times[2], int flags);
  utimensat: {
    parameters: [
      "i32",
      "buffer",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // long syscall(SYS_getdents64, unsigned int fd, void *dirp, size_t count);
  getdents64: {
    name: "syscall",
    parameters: [
      "i64",
      "i32",
      "buffer",
      "usize"
    ],
    result: "i32"
  },
  // int name_to_handle_at(int dirfd, const char *pathname,
  //                       struct file_handle *handle, int *mount_id,
  //                       int flags);
  name_to_handle_at: {
    parameters: [
      "i32",
      "buffer",
      "buffer",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // int open_by_handle_at(int mount_fd, struct file_handle *handle, int flags);
  open_by_handle_at: {
    parameters: [
      "i32",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // int fsync(int fd), in a thread of Deno's pool, where errno is lost.
  fsync_nonblocking: {
    name: "fsync",
    parameters: [
      "i32"
    ],
    result: "i32",
    nonblocking: true
  },
  fdatasync_nonblocking: {
    name: "fdatasync",
    parameters: [
      "i32"
    ],
    result: "i32",
    nonblocking: true
  },
  // int fsync(int fd);
  fsync: {
    parameters: [
      "i32"
    ],
    result: "i32"
  },
  // int dup(int oldfd);
  dup: {
    parameters: [
      "i32"
    ],
    result: "i32"
  },
  // int setxattr(const char *path, const char *name, const void *value,
  //              size_t size, int flags);
  setxattr: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "usize",
      "i32"
    ],
    result: "i32"
  },
  // ssize_t listxattr(const char *path, char *list, size_t size);
  listxattr: {
    parameters: [
      "buffer",
      "buffer",
      "usize"
    ],
    result: "i32"
  },
  // int removexattr(const char *path, const char *name);
  removexattr: {
    parameters: [
      "buffer",
      "buffer"
    ],
    result: "i32"
  }
};

// src/linux/syscall/numbered_calls.ts
var NUMBERED_CALLS = {
  // long syscall(SYS_io_uring_setup, u32 entries, struct io_uring_params *p);
  io_uring_setup: {
    name: "syscall",
    parameters: [
      "i32",
      "u32",
      "buffer"
    ],
    result: "i32"
  },
  // long syscall(SYS_io_uring_enter, unsigned int fd, unsigned int to_submit,
  //              unsigned int min_complete, unsigned int flags, sigset_t *sig,
  //              size_t sz); the kernel reads sz only if sig is not null.
  io_uring_enter: {
    name: "syscall",
    parameters: [
      "i32",
      "i32",
      "u32",
      "u32",
      "u32",
      "pointer"
    ],
    result: "i32"
  },
  // long syscall(SYS_io_uring_register, unsigned int fd, unsigned int opcode,
  //              void *arg, unsigned int nr_args);
  io_uring_register: {
    name: "syscall",
    parameters: [
      "i32",
      "i32",
      "u32",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // long syscall(SYS_io_setup, unsigned int nr_events, aio_context_t *ctx);
  io_setup: {
    name: "syscall",
    parameters: [
      "i64",
      "u32",
      "buffer"
    ],
    result: "i32"
  },
  // long syscall(SYS_io_destroy, aio_context_t ctx);
  io_destroy: {
    name: "syscall",
    parameters: [
      "i64",
      "usize"
    ],
    result: "i32"
  },
  // long syscall(SYS_io_submit, aio_context_t ctx, long nr,
  //              struct iocb **iocbpp), in a thread of Deno's pool.
  io_submit_nonblocking: {
    name: "syscall",
    parameters: [
      "i64",
      "usize",
      "i64",
      "pointer"
    ],
    result: "i32",
    nonblocking: true
  },
  // long syscall(SYS_io_getevents, aio_context_t ctx, long min_nr, long nr,
  //              struct io_event *events, struct timespec *timeout);
  io_getevents: {
    name: "syscall",
    parameters: [
      "i64",
      "usize",
      "i64",
      "i64",
      "pointer",
      "pointer"
    ],
    result: "i32"
  },
  // long syscall(SYS_cachestat, unsigned int fd, struct cachestat_range *range,
  //              struct cachestat *stat, unsigned int flags);
  cachestat: {
    name: "syscall",
    parameters: [
      "i32",
      "i32",
      "pointer",
      "pointer",
      "u32"
    ],
    result: "i32"
  }
};

// src/linux/syscall/libc.ts
var SYMBOLS = {
  ...NUMBERED_CALLS,
  // ssize_t read(int fd, void *buf, size_t count);
  read: {
    parameters: [
      "i32",
      "pointer",
      "usize"
    ],
    result: "i32"
  },
  // ssize_t write(int fd, const void *buf, size_t count);
  write: {
    parameters: [
      "i32",
      "pointer",
      "usize"
    ],
    result: "i32"
  },
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  pread: {
    parameters: [
      "i32",
      "pointer",
      "usize",
      "i64"
    ],
    result: "i32"
  },
  // ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset);
  pwrite: {
    parameters: [
      "i32",
      "pointer",
      "usize",
      "i64"
    ],
    result: "i32"
  },
  // The same in a thread of Deno's pool, where errno is lost.
  read_nonblocking: {
    name: "read",
    parameters: [
      "i32",
      "pointer",
      "usize"
    ],
    result: "i32",
    nonblocking: true
  },
  write_nonblocking: {
    name: "write",
    parameters: [
      "i32",
      "pointer",
      "usize"
    ],
    result: "i32",
    nonblocking: true
  },
  // ssize_t preadv2(int fd, const struct iovec *iov, int iovcnt, off_t offset,
  //                 int flags);
  preadv2: {
    parameters: [
      "i32",
      "pointer",
      "i32",
      "i64",
      "i32"
    ],
    result: "i32"
  },
  // int fstatfs(int fd, struct statfs *buf);
  fstatfs: {
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  poll: {
    parameters: [
      "pointer",
      "usize",
      "i32"
    ],
    result: "i32"
  },
  // The same, waiting in a thread of Deno's pool.
  poll_nonblocking: {
    name: "poll",
    parameters: [
      "pointer",
      "usize",
      "i32"
    ],
    result: "i32",
    nonblocking: true
  },
  // int fdatasync(int fd);
  fdatasync: {
    parameters: [
      "i32"
    ],
    result: "i32"
  },
  // int sync_file_range(int fd, off64_t offset, off64_t nbytes,
  //                     unsigned int flags);
  sync_file_range: {
    parameters: [
      "i32",
      "i64",
      "i64",
      "u32"
    ],
    result: "i32"
  },
  // int ftruncate(int fd, off_t length);
  ftruncate: {
    parameters: [
      "i32",
      "i64"
    ],
    result: "i32"
  },
  // int fallocate(int fd, int mode, off_t offset, off_t len);
  fallocate: {
    parameters: [
      "i32",
      "i32",
      "i64",
      "i64"
    ],
    result: "i32"
  },
  // Some of these in a thread of Deno's pool, because a medium may not answer.
  ftruncate_nonblocking: {
    name: "ftruncate",
    parameters: [
      "i32",
      "i64"
    ],
    result: "i32",
    nonblocking: true
  },
  fallocate_nonblocking: {
    name: "fallocate",
    parameters: [
      "i32",
      "i32",
      "i64",
      "i64"
    ],
    result: "i32",
    nonblocking: true
  },
  // off_t lseek(int fd, off_t offset, int whence);
  lseek: {
    parameters: [
      "i32",
      "i64",
      "i32"
    ],
    result: "i64"
  },
  // The same in a thread of Deno's pool, because a server may not answer.
  lseek_nonblocking: {
    name: "lseek",
    parameters: [
      "i32",
      "i64",
      "i32"
    ],
    result: "i64",
    nonblocking: true
  },
  // int futimens(int fd, const struct timespec times[2]);
  futimens: {
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // The same in a thread of Deno's pool, because the file system may be frozen.
  futimens_nonblocking: {
    name: "futimens",
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32",
    nonblocking: true
  },
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: {
    parameters: [
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int clock_gettime(clockid_t clockid, struct timespec *tp);
  clock_gettime: {
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // The same by an address, which is faster.
  clock_gettime_at: {
    name: "clock_gettime",
    parameters: [
      "i32",
      "pointer"
    ],
    result: "i32"
  },
  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask,
  //           struct statx *statxbuf);
  statx: {
    parameters: [
      "i32",
      "buffer",
      "i32",
      "u32",
      "buffer"
    ],
    result: "i32"
  },
  // The same in a thread of Deno's pool, because a server may not answer.
  statx_nonblocking: {
    name: "statx",
    parameters: [
      "i32",
      "buffer",
      "i32",
      "u32",
      "buffer"
    ],
    result: "i32",
    nonblocking: true
  },
  // int openat(int dirfd, const char *pathname, int flags, mode_t mode);
  openat: {
    parameters: [
      "i32",
      "buffer",
      "i32",
      "u32"
    ],
    result: "i32"
  },
  // int close(int fd);
  close: {
    parameters: [
      "i32"
    ],
    result: "i32"
  },
  // The same in a thread of Deno's pool, because a FUSE server may be involved.
  openat_nonblocking: {
    name: "openat",
    parameters: [
      "i32",
      "buffer",
      "i32",
      "u32"
    ],
    result: "i32",
    nonblocking: true
  },
  close_nonblocking: {
    name: "close",
    parameters: [
      "i32"
    ],
    result: "i32",
    nonblocking: true
  },
  // int flock(int fd, int op);
  flock: {
    parameters: [
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // int ioctl(int fd, unsigned long request, void *argument);
  ioctl: {
    parameters: [
      "i32",
      "usize",
      "buffer"
    ],
    result: "i32"
  },
  // The same in a thread of Deno's pool, because a server may not answer.
  ioctl_nonblocking: {
    name: "ioctl",
    parameters: [
      "i32",
      "usize",
      "buffer"
    ],
    result: "i32",
    nonblocking: true
  },
  // int fcntl(int fd, int op, int argument);
  fcntl: {
    parameters: [
      "i32",
      "i32",
      "i32"
    ],
    result: "i32"
  },
  // int mount(const char *source, const char *target, const char *type,
  //           unsigned long flags, const void *data);
  mount: {
    parameters: [
      "buffer",
      "buffer",
      "buffer",
      "usize",
      "buffer"
    ],
    result: "i32"
  },
  // DIR *opendir(const char *name);
  opendir: {
    parameters: [
      "buffer"
    ],
    result: "pointer"
  },
  // struct dirent *readdir(DIR *dirp);
  readdir: {
    parameters: [
      "pointer"
    ],
    result: "pointer"
  },
  // int closedir(DIR *dirp);
  closedir: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int umount2(const char *target, int flags);
  umount2: {
    parameters: [
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // long syscall(SYS_fsopen, const char *fs_name, unsigned int flags);
  fsopen: {
    name: "syscall",
    parameters: [
      "i64",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // long syscall(SYS_fsconfig, int fs_fd, unsigned int cmd, const char *key,
  //              const void *value, int aux);
  fsconfig: {
    name: "syscall",
    parameters: [
      "i64",
      "i32",
      "u32",
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // long syscall(SYS_fsmount, int fs_fd, unsigned int flags,
  //              unsigned int attr_flags);
  fsmount: {
    name: "syscall",
    parameters: [
      "i64",
      "i32",
      "u32",
      "u32"
    ],
    result: "i32"
  },
  // int eventfd(unsigned int initval, int flags);
  eventfd: {
    parameters: [
      "u32",
      "i32"
    ],
    result: "i32"
  },
  // void *mmap(void *addr, size_t length, int prot, int flags, int fd,
  //            off_t offset);
  mmap: {
    parameters: [
      "pointer",
      "usize",
      "i32",
      "i32",
      "i32",
      "i64"
    ],
    result: "pointer"
  },
  // int munmap(void *addr, size_t length);
  munmap: {
    parameters: [
      "pointer",
      "usize"
    ],
    result: "i32"
  },
  // int madvise(void *addr, size_t length, int advice);
  madvise: {
    parameters: [
      "pointer",
      "usize",
      "i32"
    ],
    result: "i32"
  },
  // int mlock(const void *addr, size_t len);
  mlock: {
    parameters: [
      "pointer",
      "usize"
    ],
    result: "i32"
  },
  // int sched_yield(void);
  sched_yield: {
    parameters: [],
    result: "i32"
  },
  // int fcntl(int fd, int op, struct flock *lock);
  fcntl_lock: {
    name: "fcntl",
    parameters: [
      "i32",
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int fchmod(int fd, mode_t mode);
  fchmod: {
    parameters: [
      "i32",
      "u32"
    ],
    result: "i32"
  },
  // int getrlimit(int resource, struct rlimit *rlim);
  getrlimit: {
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int setrlimit(int resource, const struct rlimit *rlim);
  setrlimit: {
    parameters: [
      "i32",
      "buffer"
    ],
    result: "i32"
  },
  // int unlink(const char *pathname);
  unlink: {
    parameters: [
      "buffer"
    ],
    result: "i32"
  },
  // int linkat(int olddirfd, const char *oldpath, int newdirfd,
  //            const char *newpath, int flags);
  linkat: {
    parameters: [
      "i32",
      "buffer",
      "i32",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // int unlinkat(int dirfd, const char *pathname, int flags);
  unlinkat: {
    parameters: [
      "i32",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // ssize_t readlinkat(int dirfd, const char *pathname, char *buf,
  //                    size_t bufsiz);
  readlinkat: {
    parameters: [
      "i32",
      "buffer",
      "buffer",
      "usize"
    ],
    result: "i32"
  },
  // ssize_t getxattr(const char *path, const char *name, void *value,
  //                  size_t size);
  getxattr: {
    parameters: [
      "buffer",
      "buffer",
      "pointer",
      "usize"
    ],
    result: "i32"
  },
  // char *realpath(const char *path, char *resolved_path);
  realpath: {
    parameters: [
      "buffer",
      "buffer"
    ],
    result: "pointer"
  },
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  readlink: {
    parameters: [
      "buffer",
      "buffer",
      "usize"
    ],
    result: "i32"
  },
  // int access(const char *pathname, int mode);
  access: {
    parameters: [
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  ...CREDENTIAL_SYMBOLS,
  ...PIPE_SYMBOLS,
  ...PROCESS_SYMBOLS,
  ...SOCKET_SYMBOLS,
  ...THREAD_SYMBOLS,
  ...TREE_SYMBOLS,
  ...AIO_SYMBOLS,
  // char *getenv(const char *name);
  getenv: {
    parameters: [
      "buffer"
    ],
    result: "pointer"
  },
  // int setenv(const char *name, const char *value, int overwrite);
  setenv: {
    parameters: [
      "buffer",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // char *strerror(int errnum);
  strerror: {
    parameters: [
      "i32"
    ],
    result: "pointer"
  },
  // int *__errno_location(void);
  __errno_location: {
    parameters: [],
    result: "pointer"
  }
};
var CANDIDATES = [
  "libc.so.6",
  // It has aio(7) of glibc before 2.34, and leads to the rest.
  "librt.so.1",
  "libc.musl-x86_64.so.1",
  "libc.musl-aarch64.so.1",
  "libc.so"
];
var symbols;
var errnoView;
function libc() {
  return symbols ??= openLibrary();
}
function errno() {
  errnoView ??= errnoOfThisThread();
  return errnoView.getInt32();
}
function errnoOfThisThread() {
  const location = libc().__errno_location();
  if (location === null) {
    throw new Error("Cannot find errno: __errno_location() gave no address");
  }
  return new Deno.UnsafePointerView(location);
}
function openLibrary() {
  const failures = [];
  for (const name of CANDIDATES) {
    try {
      return Deno.dlopen(name, SYMBOLS).symbols;
    } catch (error) {
      if (isPermissionError(error)) {
        throw new UserError(`Cannot open the C library ${name}: Deno may not call native code (run it with --allow-ffi)`, {
          cause: error
        });
      }
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new UserError(`Cannot open the C library: ${failures.join("; ")} (mqfuse needs Linux on x86_64 or aarch64)`);
}
function isPermissionError(error) {
  return error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
}

// src/linux/syscall/monotonic_clock.ts
var CLOCK_MONOTONIC = 1;
var TIMESPEC_SIZE = 16;
var NS_PER_MS2 = NS_PER_US * US_PER_MS;
function monotonicClock() {
  const { clock_gettime_at: clockGettime } = libc();
  const bytes2 = new Uint8Array(TIMESPEC_SIZE);
  const at = pointerOf(bytes2);
  const time2 = new Uint32Array(bytes2.buffer);
  return () => {
    clockGettime(CLOCK_MONOTONIC, at);
    return time2[0] * MS_PER_S + time2[2] / NS_PER_MS2;
  };
}

// src/linux/syscall/architecture.ts
var CALLS_OF_ALL = {
  io_uring_setup: 425,
  io_uring_enter: 426,
  io_uring_register: 427,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  cachestat: 451
};
var ARCHITECTURES = {
  "x86_64": {
    calls: {
      ...CALLS_OF_ALL,
      getdents64: 217,
      io_setup: 206,
      io_destroy: 207,
      io_getevents: 208,
      io_submit: 209
    },
    open: {
      DIRECTORY: 65536,
      NOFOLLOW: 131072,
      DIRECT: 16384
    }
  },
  "aarch64": {
    calls: {
      ...CALLS_OF_ALL,
      getdents64: 61,
      io_setup: 0,
      io_destroy: 1,
      io_submit: 2,
      io_getevents: 4
    },
    open: {
      DIRECTORY: 16384,
      NOFOLLOW: 32768,
      DIRECT: 65536
    }
  }
};
var ARCHITECTURE = ARCHITECTURES[Deno.build.arch];
var CALLS = ARCHITECTURE.calls;

// src/linux/syscall/system_error.ts
var ADVICE = /* @__PURE__ */ new Map([
  [
    ERRNO.EDQUOT,
    "free space, or raise the quota"
  ],
  [
    ERRNO.ELOOP,
    "give the path that the symbolic links lead to"
  ],
  [
    ERRNO.EMFILE,
    "raise the limit on open files: see 'ulimit -n'"
  ],
  [
    ERRNO.ENAMETOOLONG,
    "use shorter names"
  ],
  [
    ERRNO.ENFILE,
    "raise the sysctl fs.file-max"
  ],
  [
    ERRNO.ENOMEM,
    "free memory, or raise the limits on it"
  ],
  [
    ERRNO.ENOSPC,
    "free space on the file system"
  ],
  [
    ERRNO.ENOTDIR,
    "check the path: a part of it is not a directory"
  ]
]);
var SystemError = class extends UserError {
  /** The positive error number, errno(3). */
  errno;
  /** The name of the error number, such as `ENOENT`. */
  code;
  /** The function that failed, such as `openat`. */
  call;
  /**
   * Composes the message.
   *
   * @param parts What failed, why, and what to do about it.
   */
  constructor(parts2) {
    const { call: call3, action, errno: errno2, cause } = parts2;
    const reason = parts2.reason ?? strerror(errno2);
    const help = parts2.advice ?? ADVICE.get(errno2);
    const advice = help === void 0 ? "" : ` (${help})`;
    super(`Cannot ${action}: ${reason}${advice}`, cause === void 0 ? {} : {
      cause
    });
    this.name = "SystemError";
    this.errno = errno2;
    this.code = errnoName(errno2);
    this.call = call3;
  }
};
function resultOrNull(call3) {
  try {
    return call3();
  } catch (error) {
    if (error instanceof SystemError) return null;
    throw error;
  }
}
function strerror(errno2) {
  return textAt(libc().strerror(errno2)) ?? errnoName(errno2);
}

// src/linux/syscall/descriptor.ts
var OPEN = {
  ...O,
  /** Fail with ENOTDIR if it is not a directory. */
  DIRECTORY: ARCHITECTURE.open.DIRECTORY,
  /** Fail with ELOOP if the last part of the path is a symbolic link. */
  NOFOLLOW: ARCHITECTURE.open.NOFOLLOW,
  /** Bypass the page cache. */
  DIRECT: ARCHITECTURE.open.DIRECT,
  /** Do not open the file itself, so that no FUSE server is involved. */
  PATH: 2097152
};
var AT_FDCWD = -100;
function openDescriptor(path, flags, options = {}) {
  const { directory = AT_FDCWD, mode = 420, label = path } = options;
  const name = cString(path);
  const fd = libc().openat(directory, name, flags | OPEN.CLOEXEC, mode);
  if (fd >= 0) return fd;
  const error = errno();
  throw new SystemError({
    call: "openat",
    action: options.action ?? `open ${label}`,
    errno: error,
    advice: options.advice?.(error)
  });
}
function closeDescriptor(fd) {
  libc().close(fd);
}
function pathOfDescriptor(fd) {
  return `/proc/self/fd/${fd}`;
}

// src/linux/syscall/idle_threads.ts
var OPAQUE_BYTES = 128;
var STACK_BYTES = 256n * 1024n;
function startIdleThreads(wanted) {
  const { pthread_create, pthread_join, sem_post, ...others } = libc();
  const attributes = threadAttributes();
  const memory = new Uint8Array(OPAQUE_BYTES);
  const semaphore = pointerOf(memory);
  const wait = others.dlsym?.(null, cString("sem_wait")) ?? null;
  const made = others.sem_init?.(semaphore, 0, 0) ?? -1;
  if (pthread_create === null || pthread_join === null || sem_post === null || attributes === null || wait === null || made < 0) return null;
  const threads = [];
  const id = new BigUint64Array(1);
  while (threads.length < wanted) {
    if (pthread_create(id, attributes, wait, semaphore) !== 0) break;
    threads.push(id[0]);
  }
  return {
    count: threads.length,
    [Symbol.dispose]() {
      for (const _ of threads) sem_post(pointerOf(memory));
      for (const thread of threads) pthread_join(thread, null);
      threads.length = 0;
    }
  };
}
function threadAttributes() {
  const { pthread_attr_init, pthread_attr_setstacksize } = libc();
  const attributes = new Uint8Array(OPAQUE_BYTES);
  if (pthread_attr_init === null) return null;
  pthread_attr_init(attributes);
  pthread_attr_setstacksize?.(attributes, STACK_BYTES);
  return attributes;
}

// src/linux/syscall/pool.ts
var KEPT_MS = 8e3;
var running = 0;
var endedAt = -Infinity;
async function inPool(call3, here) {
  if (!hasThread()) return await here();
  running++;
  try {
    return await call3();
  } finally {
    running--;
    endedAt = performance.now();
  }
}
function hasThread() {
  if (running > 0 || performance.now() - endedAt < KEPT_MS) return true;
  using threads = startIdleThreads(1);
  return threads === null || threads.count === 1;
}

// src/linux/syscall/statx.ts
var AT = {
  /** Do not follow a symbolic link. */
  SYMLINK_NOFOLLOW: 256,
  /** unlinkat(2): remove a directory. */
  REMOVEDIR: 512,
  /** linkat(2): follow a symbolic link. */
  SYMLINK_FOLLOW: 1024,
  /** Do not trigger an automount. */
  NO_AUTOMOUNT: 2048,
  /** With an empty path: use the directory descriptor itself. */
  EMPTY_PATH: 4096,
  /** Ask the server of a network or FUSE file system. */
  STATX_FORCE_SYNC: 8192,
  /** Do not ask the server of a network or FUSE file system. */
  STATX_DONT_SYNC: 16384
};
var KINDS = /* @__PURE__ */ new Map([
  [
    S_IF.REG,
    "file"
  ],
  [
    S_IF.DIR,
    "directory"
  ],
  [
    S_IF.LNK,
    "symlink"
  ],
  [
    S_IF.BLK,
    "block"
  ],
  [
    S_IF.CHR,
    "character"
  ],
  [
    S_IF.FIFO,
    "fifo"
  ],
  [
    S_IF.SOCK,
    "socket"
  ]
]);
var STATX_DIOALIGN = 8192;
var WANTED = STATX_BASIC_STATS | STATX_DIOALIGN;
var STRUCT_STATX_SIZE = 256;
var result = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
var EMPTY_PATH = new Uint8Array(new ArrayBuffer(1));
function statx(directory, path, flags) {
  return call(directory, cString(path), flags);
}
function statxDescriptor(fd, flags = 0) {
  return call(fd, EMPTY_PATH, flags | AT.EMPTY_PATH);
}
async function statxDescriptorLater(fd) {
  const own = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
  const flags = AT.EMPTY_PATH;
  const failed = await inPool(() => libc().statx_nonblocking(fd, EMPTY_PATH, flags, WANTED, own), () => -1);
  return failed < 0 ? statxDescriptor(fd) : decode(own);
}
function fileKind(mode) {
  return KINDS.get(mode & S_IF.MT) ?? "unknown";
}
function call(directory, path, flags) {
  const failed = libc().statx(directory, path, flags, WANTED, result);
  return failed < 0 ? -errno() : decode(result);
}
function decode(result3) {
  const mode = result3.getUint16(28, true);
  return {
    kind: fileKind(mode),
    mode,
    links: result3.getUint32(16, true),
    uid: result3.getUint32(20, true),
    gid: result3.getUint32(24, true),
    size: Number(result3.getBigUint64(40, true)),
    blocks: Number(result3.getBigUint64(48, true)),
    blockSize: result3.getUint32(4, true),
    directAlignment: (result3.getUint32(0, true) & STATX_DIOALIGN) === 0 ? null : result3.getUint32(156, true),
    atime: nanoseconds(result3, 64),
    mtime: nanoseconds(result3, 112),
    ctime: nanoseconds(result3, 96),
    inode: result3.getBigUint64(32, true),
    device: `${result3.getUint32(136, true)}:${result3.getUint32(140, true)}`
  };
}
function nanoseconds(result3, offset) {
  const seconds = result3.getBigInt64(offset, true);
  return timeOf(seconds, result3.getUint32(offset + 8, true));
}

// src/linux/syscall/paths.ts
function absolutePath(path) {
  const trimmed = path.replace(/(?<=[^/])\/+$/, "");
  const slash = trimmed.lastIndexOf("/");
  const last = trimmed.slice(slash + 1);
  if (last === "" || last === "." || last === "..") {
    return resolve(trimmed, path);
  }
  const parent = slash < 0 ? "." : trimmed.slice(0, slash) || "/";
  const directory = resolve(parent, path);
  return directory === "/" ? `/${last}` : `${directory}/${last}`;
}
function readLink(path) {
  const target = new Uint8Array(PATH_MAX);
  const size = BigInt(target.byteLength);
  const length2 = libc().readlink(cString(path), target, size);
  if (length2 >= 0) return textOf2(target, length2);
  throw new SystemError({
    call: "readlink",
    action: `read the symbolic link ${path}`,
    errno: errno()
  });
}
function resolve(path, given) {
  const resolved = new Uint8Array(PATH_MAX);
  if (libc().realpath(cString(path), resolved) !== null) {
    return textOf2(resolved);
  }
  const error = errno();
  throw new SystemError({
    call: "realpath",
    action: `find the directory of ${given}`,
    errno: error,
    advice: error === ERRNO.ENOENT ? "check the path" : void 0
  });
}

// src/linux/syscall/text_file.ts
var CHUNK_BYTES = 16384;
function readText(path, directory = AT_FDCWD) {
  return decodeName(readBytes(path, directory));
}
function readBytes(path, directory = AT_FDCWD) {
  const fd = openDescriptor(path, OPEN.RDONLY, {
    directory
  });
  try {
    return readAll(fd, path);
  } finally {
    closeDescriptor(fd);
  }
}
function readAll(fd, path) {
  let bytes2 = new Uint8Array(CHUNK_BYTES);
  let length2 = 0;
  for (; ; ) {
    const rest = bytes2.subarray(length2);
    const size = BigInt(rest.byteLength);
    const count2 = libc().read(fd, pointerOf(rest), size);
    if (count2 === 0) return bytes2.subarray(0, length2);
    if (count2 < 0) throwUnlessInterrupted("read", path);
    else length2 += count2;
    if (length2 === bytes2.byteLength) {
      const larger = new Uint8Array(2 * length2);
      larger.set(bytes2);
      bytes2 = larger;
    }
  }
}
function throwUnlessInterrupted(call3, path) {
  const error = errno();
  if (error === ERRNO.EINTR) return;
  throw new SystemError({
    call: call3,
    action: `${call3} ${path}`,
    errno: error
  });
}

// src/linux/syscall/process.ts
var CAP = {
  DAC_READ_SEARCH: 2n,
  SETGID: 6n,
  SETUID: 7n,
  IPC_LOCK: 14n,
  SYS_ADMIN: 21n,
  SYS_RESOURCE: 24n
};
function credentials() {
  const library = libc();
  return {
    uid: library.getuid(),
    gid: library.getgid(),
    effectiveUid: library.geteuid(),
    effectiveGid: library.getegid()
  };
}
function yieldCpu() {
  libc().sched_yield();
}
function hasCapability(name) {
  const status3 = readText("/proc/self/status");
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status3)?.[1] ?? "0";
  return (BigInt(`0x${effective}`) >> CAP[name] & 1n) === 1n;
}
function environmentVariable(name) {
  return textAt(libc().getenv(cString(name)));
}

// src/protocol/device.ts
var FUSE_DEV_IOC = {
  /** Argument: a u32, a descriptor of the connection to join. 7.15 */
  CLONE: 2147804416,
  /** Argument: a fuse_backing_map, a file for FUSE_PASSTHROUGH. 7.40 */
  BACKING_OPEN: 1074849025,
  /** Argument: a u32, the id that BACKING_OPEN returned. 7.40 */
  BACKING_CLOSE: 1074062594,
  /** No argument: mount(2) waits for the reply to INIT. 7.45 */
  SYNC_INIT: 58627
};
var FUSE_IO_URING_CMD = {
  INVALID: 0,
  /** Offers an entry and waits for a request. 7.42 */
  REGISTER: 1,
  /** Answers a request and waits for the next one. 7.42 */
  COMMIT_AND_FETCH: 2,
  /** Makes a queue with its own options. 7.46 */
  ADD_QUEUE: 3,
  /** Gives a queue one region for the payloads of all its entries. 7.46 */
  ADD_BUFPOOL: 4
};
var FUSE_URING = {
  /** The queue's payloads may stay in the pages of their request. 7.46 */
  ZERO_COPY: 1 << 0
};
var FUSE_URING_ENT = {
  /** The payload was left in the pages of its request. 7.46 */
  ZERO_COPY: 1 << 0
};

// src/linux/syscall/poll.ts
var ONE_DESCRIPTOR = 1n;
var LONGEST_WAIT_MS = 1e3;
var RETRY_MS = 10;
async function waitForEventsAsync(fd, events, limitMs) {
  const bytes2 = pollfd(fd, events);
  const ready = await pollInPool(pointerOf(bytes2), ONE_DESCRIPTOR, limitMs);
  bytes2.fill(0);
  return ready > 0;
}
function pollInPool(descriptors, count2, limitMs) {
  return inPool(() => libc().poll_nonblocking(descriptors, count2, limitMs), async () => {
    const ms = Math.min(RETRY_MS, limitMs);
    await new Promise((resolve2) => setTimeout(resolve2, ms));
    return libc().poll(descriptors, count2, 0);
  });
}
var Readable = class {
  #fd;
  #libc = libc();
  #pollfd;
  #pointer;
  #wait;
  /** Prepares waiting for a descriptor, which the caller keeps open. */
  constructor(fd) {
    this.#fd = fd;
    this.#pollfd = pollfd(fd, POLL.IN);
    this.#pointer = pointerOf(this.#pollfd);
  }
  /**
   * Whether a read would not block.
   *
   * @param limitMs The longest time to wait for that, blocking this thread, in
   * milliseconds; 0 by default.
   */
  poll(limitMs = 0) {
    return this.#libc.poll(this.#pointer, ONE_DESCRIPTOR, limitMs) > 0;
  }
  /**
   * Resolves once a read would not block, and after a second in any case. Calls
   * at the same time share one wait.
   */
  wait() {
    return this.#wait ??= this.#waitOnce().finally(() => {
      this.#wait = void 0;
    });
  }
  async #waitOnce() {
    await waitForEventsAsync(this.#fd, POLL.IN, LONGEST_WAIT_MS);
  }
};
function pollfd(fd, events) {
  const bytes2 = new Uint8Array(new ArrayBuffer(8));
  const view2 = new DataView(bytes2.buffer);
  view2.setInt32(0, fd, true);
  view2.setInt16(4, events, true);
  return bytes2;
}

// src/linux/fuse/fuse_device.ts
var DEVICE = "/dev/fuse";
var CLONE = BigInt(FUSE_DEV_IOC.CLONE);
var BACKING_OPEN = BigInt(FUSE_DEV_IOC.BACKING_OPEN);
var BACKING_CLOSE = BigInt(FUSE_DEV_IOC.BACKING_CLOSE);
var F_GETFL = 3;
var F_SETFL = 4;
function cloneFuseDevice(fd) {
  const clone = openDevice();
  const source = new Uint32Array(new ArrayBuffer(4));
  source[0] = fd;
  if (libc().ioctl(clone, CLONE, source) < 0) {
    const error = errno();
    closeDescriptor(clone);
    throw new SystemError({
      call: "ioctl",
      action: `clone descriptor ${fd} of ${DEVICE}`,
      errno: error,
      advice: error === ERRNO.EPERM ? "its connection is not mounted" : void 0
    });
  }
  return new LinuxFuseDevice(clone, true);
}
function fuseDeviceFromFd(fd) {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  if (flags < 0) {
    throw new SystemError({
      call: "fcntl",
      action: `use descriptor ${fd} of ${DEVICE}`,
      errno: errno()
    });
  }
  return new LinuxFuseDevice(fd, (flags & OPEN.NONBLOCK) === 0);
}
function openBackingFile(device, file) {
  const map2 = encodeStruct("fuse_backing_map", {
    fd: file
  });
  const id = libc().ioctl(device, BACKING_OPEN, map2);
  if (id > 0) return id;
  const error = errno();
  throw new SystemError({
    call: "ioctl",
    action: "register the image for passthrough",
    errno: error,
    advice: adviceOnBacking(error)
  });
}
function closeBackingFile(device, id) {
  const argument = new Uint32Array(new ArrayBuffer(4));
  argument[0] = id;
  libc().ioctl(device, BACKING_CLOSE, argument);
}
function adviceOnBacking(error) {
  switch (error) {
    case ERRNO.EPERM:
      return "passthrough needs CAP_SYS_ADMIN in the initial user namespace";
    case ERRNO.ELOOP:
      return "the image must not be on a stacked file system such as overlayfs";
    default:
      return void 0;
  }
}
var ADVICE_ON_CONTAINERS = "in a container: start it with --device /dev/fuse --cap-add SYS_ADMIN";
function adviceOnDevice(errno2) {
  switch (errno2) {
    case ERRNO.ENOENT:
    case ERRNO.ENODEV:
    case ERRNO.ENXIO:
      return `load the kernel's module with 'modprobe fuse'; ${ADVICE_ON_CONTAINERS}`;
    case ERRNO.EACCES:
      return "as root, run 'chmod 0666 /dev/fuse'";
    case ERRNO.EPERM:
      return ADVICE_ON_CONTAINERS;
    default:
      return void 0;
  }
}
var LinuxFuseDevice = class {
  fd;
  #libc = libc();
  #pointers = new BufferPointers();
  #readLength = new LastBigint();
  #writeLength = new LastBigint();
  #readable;
  #blocking;
  #closed = false;
  /**
   * Wraps an open descriptor.
   *
   * @param fd A descriptor of /dev/fuse.
   * @param blocking Whether it blocks: O_NONBLOCK is off.
   */
  constructor(fd, blocking) {
    this.fd = fd;
    this.#blocking = blocking;
    this.#readable = new Readable(fd);
  }
  read(buffer) {
    const pointer = this.#pointers.of(buffer);
    const length2 = this.#readLength.of(buffer.byteLength);
    for (; ; ) {
      const count2 = this.#libc.read(this.fd, pointer, length2);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  write(buffer, length2) {
    checkLength(buffer, length2);
    const pointer = this.#pointers.of(buffer);
    const size = this.#writeLength.of(length2);
    for (; ; ) {
      const count2 = this.#libc.write(this.fd, pointer, size);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  setBlocking(blocking) {
    if (blocking === this.#blocking) return;
    const flags = blocking ? 0 : OPEN.NONBLOCK;
    if (this.#libc.fcntl(this.fd, F_SETFL, flags) < 0) {
      throw new SystemError({
        call: "fcntl",
        action: `switch O_NONBLOCK of descriptor ${this.fd} of ${DEVICE}`,
        errno: errno()
      });
    }
    this.#blocking = blocking;
  }
  poll(limitMs) {
    return this.#readable.poll(limitMs);
  }
  readable() {
    return this.#readable.wait();
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
};
function checkLength(buffer, length2) {
  if (length2 < 0 || length2 > buffer.byteLength) {
    throw new RangeError(`Cannot write ${length2} bytes to ${DEVICE}: the buffer has ${buffer.byteLength}`);
  }
}
function openDevice() {
  return openDescriptor(DEVICE, OPEN.RDWR, {
    advice: adviceOnDevice
  });
}

// src/linux/syscall/memory.ts
var PROT_READ_WRITE = 3;
var MAP_SHARED = 1;
var MAP_PRIVATE = 2;
var MAP_ANONYMOUS = 32;
var MAP_NORESERVE = 16384;
var MAP_POPULATE = 32768;
var MAP_FAILED = 0xffffffffffffffffn;
var MADV_POPULATE_WRITE = 23;
function mapAnonymous(size) {
  return map(size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0n);
}
function mapShared(fd, size, offset) {
  return map(size, MAP_SHARED | MAP_POPULATE, fd, offset);
}
function mapResident(size) {
  const mapping = mapAnonymous(size);
  const pointer = Deno.UnsafePointer.create(BigInt(mapping.address));
  const length2 = BigInt(size);
  if (libc().madvise(pointer, length2, MADV_POPULATE_WRITE) < 0) {
    const error = errno();
    if (error !== ERRNO.EINVAL) {
      mapping.unmap();
      throw new SystemError({
        call: "madvise",
        action: `allocate ${size} bytes of memory`,
        errno: error
      });
    }
    new Uint8Array(mapping.buffer).fill(0);
  }
  return {
    ...mapping,
    locked: libc().mlock(pointer, length2) === 0
  };
}
function map(size, flags, fd, offset) {
  const length2 = BigInt(size);
  const { mmap, munmap } = libc();
  const pointer = mmap(null, length2, PROT_READ_WRITE, flags, fd, offset);
  const address = Deno.UnsafePointer.value(pointer);
  if (pointer === null || address === MAP_FAILED) {
    throw new SystemError({
      call: "mmap",
      action: `map ${size} bytes of memory`,
      errno: errno()
    });
  }
  let mapped = true;
  return {
    buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, size),
    address: Number(address),
    unmap() {
      if (mapped) munmap(pointer, length2);
      mapped = false;
    }
  };
}

// src/linux/fuse/message_memory.ts
var ResidentMessages = class {
  #size = 0;
  #locked = true;
  /** The memory that was provided so far. */
  get total() {
    return {
      size: this.#size,
      locked: this.#locked
    };
  }
  /**
   * Provides memory; see `AllocateMessages`.
   *
   * @param size Bytes: whole pages.
   */
  allocate(size) {
    const mapping = resultOrNull(() => mapResident(size));
    if (mapping === null) return null;
    this.add(mapping);
    return {
      bytes: new Uint8Array(mapping.buffer),
      release: () => mapping.unmap()
    };
  }
  /** Counts memory that this thread has for messages besides. */
  add({ buffer, locked }) {
    this.#size += buffer.byteLength;
    this.#locked &&= locked;
  }
};

// src/linux/io/event_fd.ts
var SIZE = 8n;
var EventFd = class {
  /** The descriptor. */
  fd;
  #readable;
  #count = new Uint8Array(new ArrayBuffer(8));
  #pointer = pointerOf(this.#count);
  #closed = false;
  /**
   * Creates an eventfd.
   *
   * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
   */
  constructor() {
    this.fd = libc().eventfd(0, OPEN.CLOEXEC | OPEN.NONBLOCK);
    if (this.fd < 0) {
      throw new SystemError({
        call: "eventfd",
        action: "create an eventfd",
        errno: errno()
      });
    }
    this.#readable = new Readable(this.fd);
  }
  /**
   * Resolves once the eventfd has been signalled since the last call, and after
   * a second in any case.
   */
  async signalled() {
    await this.#readable.wait();
    if (!this.#closed) libc().read(this.fd, this.#pointer, SIZE);
  }
  /** Closes the descriptor. Later calls do nothing. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
};

// src/linux/io/io_uring.ts
var SYS_ENTER = CALLS.io_uring_enter;
var SETUP_CLAMP = 1 << 4;
var SETUP_TASKRUN_FLAG = 1 << 9;
var SETUP_SQE128 = 1 << 10;
var SETUP_SINGLE_ISSUER = 1 << 12;
var SETUP_DEFER_TASKRUN = 1 << 13;
var SETUP_FLAGS = [
  SETUP_CLAMP | SETUP_SQE128 | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN | SETUP_TASKRUN_FLAG,
  SETUP_CLAMP | SETUP_SQE128
];
var OFF_SQ_RING = 0n;
var OFF_CQ_RING = 0x8000000n;
var OFF_SQES = 0x10000000n;
var ENTER_GETEVENTS = 1 << 0;
var ENTER_REGISTERED_RING = 1 << 4;
var REGISTER_FILES = 2;
var REGISTER_EVENTFD = 4;
var REGISTER_IOWQ_MAX_WORKERS = 19;
var REGISTER_RING_FDS = 20;
var CQ_EVENTFD_DISABLED = 1 << 0;
var SQ_CQ_OVERFLOW = 1 << 1;
var SQ_TASKRUN = 1 << 2;
var WORK = SQ_CQ_OVERFLOW | SQ_TASKRUN;
var SIZE_OF_PARAMS = 120;
var SIZE_OF_SQE = 128;
var SIZE_OF_CQE = 16;
var IORING_OP = {
  FSYNC: 3,
  POLL_ADD: 6,
  TIMEOUT: 11,
  ASYNC_CANCEL: 14,
  FALLOCATE: 17,
  READ: 22,
  WRITE: 23,
  URING_CMD: 46,
  FTRUNCATE: 55
};
var SQE_WORDS = SIZE_OF_SQE / 4;
var SQE = {
  /** `opcode`, `flags` << 8, `ioprio` << 16. */
  OP: 0,
  /** `fd`. */
  FD: 1,
  /** `off`, two words; `cmd_op`; completions that a timeout waits for. */
  OFF: 2,
  /** `addr`, two words. */
  ADDR: 4,
  /** `len`. */
  LEN: 6,
  /** `rw_flags`, `fsync_flags`, `poll32_events`. */
  FLAGS: 7,
  /** `user_data`, two words. */
  USER_DATA: 8,
  /** `cmd`: 80 bytes. */
  CMD: 12
};
var FIXED_FILE = 1 << 0;
var CQE_SKIP_SUCCESS = 1 << 6;
var IoUring = class {
  /** The io_uring's descriptor. */
  fd;
  /** Submission slots, {@linkcode SQE_WORDS} words each. */
  sqes;
  /** How many slots there are. */
  slots;
  /** The lower 32 bits of `user_data` of the completion taken last. */
  tag = 0;
  /** `res` of the completion taken last. */
  result = 0;
  #libc = libc();
  /**
   * Whether only this thread's own `enter()` posts completions. Plain loads and
   * stores are enough then; V8 would call a function for each of Atomics.
   */
  #deferred;
  #mappings;
  #sq;
  #sqTail;
  #sqFlags;
  #sqArray;
  #sqMask;
  #cq;
  #cqHead;
  #cqTail;
  #cqFlags;
  #cqes;
  #cqMask;
  #enterFd;
  #enterFlags;
  /** Slots that were pushed and not submitted yet. */
  #pushed = 0;
  #tail;
  #head;
  #closed = false;
  /**
   * Makes an io_uring.
   *
   * @param slots Submission slots, at least.
   * @throws {SystemError} ENOSYS, EPERM, ENOMEM, EMFILE; EINVAL if the kernel
   * has no 128-byte submissions.
   */
  constructor(slots) {
    const params = new DataView(new ArrayBuffer(SIZE_OF_PARAMS));
    this.fd = setUp(slots, params);
    this.#deferred = (params.getUint32(8, true) & SETUP_DEFER_TASKRUN) !== 0;
    const word = (at) => params.getUint32(at, true);
    const entries2 = word(0);
    const sqSize = word(64) + entries2 * 4;
    const cqSize = word(100) + word(4) * SIZE_OF_CQE;
    this.#mappings = [];
    try {
      const ring = this.#map(Math.max(sqSize, cqSize), OFF_SQ_RING);
      const cqRing = this.#map(cqSize, OFF_CQ_RING);
      const sqes = this.#map(entries2 * SIZE_OF_SQE, OFF_SQES);
      this.#sq = new Int32Array(ring);
      this.#cq = new Int32Array(cqRing);
      this.sqes = new Int32Array(sqes);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.slots = entries2;
    this.#sqTail = word(44) / 4;
    this.#sqMask = this.#sq[word(48) / 4];
    this.#sqFlags = word(56) / 4;
    this.#sqArray = word(64) / 4;
    this.#cqHead = word(80) / 4;
    this.#cqTail = word(84) / 4;
    this.#cqMask = this.#cq[word(88) / 4];
    this.#cqFlags = word(104) / 4;
    this.#cqes = word(100) / 4;
    this.#tail = Atomics.load(this.#sq, this.#sqTail);
    this.#head = Atomics.load(this.#cq, this.#cqHead);
    this.signalEvents(false);
    const registered = this.#registerRing();
    this.#enterFd = registered ?? this.fd;
    this.#enterFlags = ENTER_GETEVENTS | (registered === null ? 0 : ENTER_REGISTERED_RING);
  }
  /**
   * Registers files, which saves a look-up at each submission.
   *
   * @param fds Descriptors; submissions use their positions in this list.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerFiles(fds) {
    this.#register(REGISTER_FILES, fds);
  }
  /**
   * Registers an eventfd(2); {@linkcode IoUring.signalEvents} switches it on.
   * With deferred completions, poll(2) of the io_uring itself would not wake:
   * they are only posted by `enter()`.
   *
   * @param fd The eventfd.
   * @throws {SystemError} With io_uring_register(2)'s errno.
   */
  registerEvent(fd) {
    this.#register(REGISTER_EVENTFD, [
      fd
    ]);
  }
  /**
   * Switches the signals of the eventfd, which cost time, on or off. Off at
   * first. Read `hasWork` after switching them on.
   */
  signalEvents(on) {
    const flags = on ? 0 : CQ_EVENTFD_DISABLED;
    Atomics.store(this.#cq, this.#cqFlags, flags);
  }
  /**
   * Sets how many of this thread's calls on files the kernel makes at once, in
   * threads of its own, where it cannot make them without waiting. Without this,
   * a few writes to a frozen file system would keep all of these threads waiting
   * (four for each CPU). Kernels before 5.15 ignore it.
   */
  allowWorkers(count2) {
    const limits = new Uint32Array([
      count2,
      0
    ]);
    this.#libc.io_uring_register(CALLS.io_uring_register, this.fd, REGISTER_IOWQ_MAX_WORKERS, limits, limits.length);
  }
  /** Pushes a filled slot; {@linkcode IoUring.enter} submits it. */
  push(slot) {
    this.#sq[this.#sqArray + (this.#tail & this.#sqMask)] = slot;
    this.#tail = this.#tail + 1 | 0;
    this.#pushed++;
  }
  /** Whether slots were pushed and not submitted yet. */
  get needsSubmit() {
    return this.#pushed > 0;
  }
  /** Whether a completion is there, or `enter(0)` would bring one. */
  get hasWork() {
    return (this.#sq[this.#sqFlags] & WORK) !== 0 || this.#postedTail() !== this.#head;
  }
  /**
   * io_uring_enter(2): submits what was pushed, posts deferred completions, and
   * waits until there are at least `least`.
   *
   * @returns 0 or a negative errno; never EINTR.
   */
  enter(least) {
    if (this.#deferred) this.#sq[this.#sqTail] = this.#tail;
    else Atomics.store(this.#sq, this.#sqTail, this.#tail);
    for (; ; ) {
      const submitted = this.#libc.io_uring_enter(SYS_ENTER, this.#enterFd, this.#pushed, least, this.#enterFlags, null);
      if (submitted < 0) {
        const error = errno();
        if (error !== ERRNO.EINTR) return -error;
        continue;
      }
      this.#pushed -= submitted;
      if (this.#pushed === 0) return 0;
    }
  }
  /**
   * Takes the next completion into `tag` and `result`.
   *
   * @returns Whether there was one.
   */
  take() {
    const head = this.#head;
    if (this.#postedTail() === head) return false;
    const at = this.#cqes + (head & this.#cqMask) * (SIZE_OF_CQE / 4);
    this.tag = this.#cq[at];
    this.result = this.#cq[at + 2];
    this.#head = head + 1 | 0;
    if (this.#deferred) this.#cq[this.#cqHead] = this.#head;
    else Atomics.store(this.#cq, this.#cqHead, this.#head);
    return true;
  }
  /** Closes the io_uring, which cancels what is in flight. Idempotent. */
  close() {
    this.#release();
  }
  #release() {
    if (this.#closed) return;
    this.#closed = true;
    for (const mapping of this.#mappings) mapping.unmap();
    closeDescriptor(this.fd);
  }
  #postedTail() {
    return this.#deferred ? this.#cq[this.#cqTail] : Atomics.load(this.#cq, this.#cqTail);
  }
  #register(what, fds) {
    const result3 = this.#libc.io_uring_register(CALLS.io_uring_register, this.fd, what, new Int32Array(fds), fds.length);
    if (result3 < 0) throw ringError("register descriptors with", errno());
  }
  #map(size, offset) {
    const mapping = mapShared(this.fd, size, offset);
    this.#mappings.push(mapping);
    return mapping.buffer;
  }
  /**
   * Registers the io_uring itself, which saves a look-up at each call.
   *
   * @returns Its index, `null` if the kernel cannot do that.
   */
  #registerRing() {
    const update = new DataView(new ArrayBuffer(16));
    update.setUint32(0, 4294967295, true);
    update.setUint32(8, this.fd, true);
    const done = this.#libc.io_uring_register(CALLS.io_uring_register, this.fd, REGISTER_RING_FDS, update, 1);
    return done === 1 ? update.getUint32(0, true) : null;
  }
};
function setUp(slots, params) {
  let error = 0;
  for (const flags of SETUP_FLAGS) {
    new Uint8Array(params.buffer).fill(0);
    params.setUint32(8, flags, true);
    const fd = libc().io_uring_setup(CALLS.io_uring_setup, slots, params);
    if (fd >= 0) return fd;
    error = errno();
    if (error !== ERRNO.EINVAL) break;
  }
  throw ringError("make", error);
}
function ringError(what, error) {
  return new SystemError({
    call: "io_uring_setup",
    action: `${what} an io_uring`,
    errno: error
  });
}

// src/linux/io/event_ring.ts
var EventRing = class extends IoUring {
  #event = null;
  #reserved = 0;
  #closed = false;
  /**
   * Makes an io_uring.
   *
   * @param slots Submission slots, at least.
   * @throws {SystemError} As `IoUring`; EMFILE, ENFILE of eventfd(2).
   */
  constructor(slots) {
    super(slots);
    try {
      this.#event = new EventFd();
      this.registerEvent(this.#event.fd);
    } catch (error) {
      this.close();
      throw error;
    }
    for (let slot = 0; slot < this.slots; slot++) {
      this.sqes[slot * SQE_WORDS + SQE.USER_DATA] = slot;
    }
  }
  reserve(slots) {
    const first2 = this.#reserved;
    if (first2 + slots > this.slots) {
      throw new RangeError(`The io_uring has ${this.slots - first2} slots left`);
    }
    this.#reserved += slots;
    return first2;
  }
  async readable() {
    this.signalEvents(true);
    if (!this.hasWork) await this.#event.signalled();
    if (!this.#closed) this.signalEvents(false);
  }
  close() {
    this.#closed = true;
    super.close();
    this.#event?.close();
  }
};

// src/linux/io/file_system.ts
var KINDS2 = /* @__PURE__ */ new Map([
  [
    16914836,
    "memory"
  ],
  [
    2240043254,
    "memory"
  ],
  [
    26985,
    "remote"
  ],
  [
    1702057286,
    "remote"
  ],
  [
    4283649346,
    "remote"
  ],
  [
    4266872130,
    "remote"
  ],
  [
    12805120,
    "remote"
  ],
  [
    16914839,
    "remote"
  ],
  [
    1397113167,
    "remote"
  ],
  [
    1799439955,
    "remote"
  ],
  [
    198183888,
    "remote"
  ]
]);
var STRUCT_STATFS_SIZE = 120;
function fileSystemOf(fd) {
  const status3 = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE));
  if (libc().fstatfs(fd, status3) < 0) return "local";
  return KINDS2.get(status3.getUint32(0, true)) ?? "local";
}

// src/linux/io/page_cache.ts
var RWF_NOWAIT = 8;
var TWO_322 = 2 ** 32;
var PageCache = class {
  #fd;
  #libc = libc();
  /** struct cachestat_range { u64 off; u64 len; } */
  #range = new Uint32Array(4);
  #rangePointer;
  /** struct cachestat, which begins with u64 nr_cache. */
  #stat = new Uint32Array(10);
  #statPointer;
  /** A byte to read to, and a struct iovec with its address. */
  #byte = new Uint8Array(new ArrayBuffer(PAGE_SIZE));
  #iovec = new BigUint64Array(2);
  #iovecPointer;
  /**
   * Asks about a file.
   *
   * @param fd Its descriptor.
   */
  constructor(fd) {
    this.#fd = fd;
    this.#rangePointer = pointerOf(new Uint8Array(this.#range.buffer));
    this.#statPointer = pointerOf(new Uint8Array(this.#stat.buffer));
    this.#iovecPointer = pointerOf(new Uint8Array(this.#iovec.buffer));
    this.#iovec[0] = Deno.UnsafePointer.value(pointerOf(this.#byte));
    this.#iovec[1] = 1n;
  }
  /**
   * Whether every page of a range is in memory, so that reading it would not
   * wait for the medium. `false` too if that cannot be found out: before Linux
   * 6.5, and for files that this process may not write to and does not own.
   *
   * A page may still be on its way from the medium, although the last one is
   * there. A caller that must not wait for that limits it otherwise.
   *
   * @param position Bytes.
   * @param length Bytes, at least 1.
   */
  holds(position, length2) {
    const first2 = Math.floor(position / PAGE_SIZE);
    const pages = Math.ceil((position + length2) / PAGE_SIZE) - first2;
    return this.#count(position, length2) === pages && // Pages that are being read count as cached; the last one comes last.
    this.#reads(position + length2 - 1);
  }
  /** The pages of a range that are there, or on their way; -1 if unknown. */
  #count(position, length2) {
    this.#range[0] = position;
    this.#range[1] = position / TWO_322;
    this.#range[2] = length2;
    const result3 = this.#libc.cachestat(CALLS.cachestat, this.#fd, this.#rangePointer, this.#statPointer, 0);
    return result3 < 0 ? -1 : this.#stat[0];
  }
  /** Whether a byte can be read at once. */
  #reads(position) {
    const at = BigInt(position);
    const pointer = this.#iovecPointer;
    return this.#libc.preadv2(this.#fd, pointer, 1, at, RWF_NOWAIT) === 1;
  }
};

// src/linux/io/block_file.ts
var BLKGETSIZE64 = 0x80081272n;
var UTIME_NOW = 0x3fffffffn;
var UTIME_OMIT = 0x3ffffffen;
var RWF_NOWAIT2 = 8;
var NO_PAGE = 1n << 60n;
var WAIT_BEFORE = 1;
var TWO_323 = 2 ** 32;
var LinuxBlockFile = class {
  fd;
  #libc = libc();
  #pointers = new BufferPointers();
  #length = new LastBigint();
  #addresses = new BufferAddresses();
  #iovec = new Uint32Array(4);
  #iovecPointer = pointerOf(new Uint8Array(this.#iovec.buffer));
  #fileSystem = null;
  #pageCache = null;
  #closed = false;
  /**
   * Wraps an open descriptor. Only one of the threads that wrap it may call
   * {@linkcode LinuxBlockFile.close}.
   *
   * @param fd A descriptor of a file or block device.
   */
  constructor(fd) {
    this.fd = fd;
  }
  pread(buffer, start, length2, position) {
    const pointer = this.#pointer(buffer, start, length2);
    const size = this.#length.of(length2);
    const offset = BigInt(position);
    for (; ; ) {
      const count2 = this.#libc.pread(this.fd, pointer, size, offset);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  preadNow(buffer, start, length2, position) {
    checkRange(buffer, start, length2);
    const address = this.#addresses.of(buffer) + start;
    this.#iovec[0] = address;
    this.#iovec[1] = address / TWO_323;
    this.#iovec[2] = length2;
    const offset = BigInt(position);
    const pointer = this.#iovecPointer;
    const count2 = this.#libc.preadv2(this.fd, pointer, 1, offset, RWF_NOWAIT2);
    return count2 >= 0 ? count2 : -errno();
  }
  isCached(position, length2) {
    this.#pageCache ??= new PageCache(this.fd);
    return this.#pageCache.holds(position, length2);
  }
  pwrite(buffer, start, length2, position) {
    const pointer = this.#pointer(buffer, start, length2);
    const size = this.#length.of(length2);
    const offset = BigInt(position);
    for (; ; ) {
      const count2 = this.#libc.pwrite(this.fd, pointer, size, offset);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  fdatasync() {
    return retryInterrupted(() => this.#libc.fdatasync(this.fd));
  }
  writebackError() {
    const result3 = retryInterrupted(() => this.#libc.sync_file_range(this.fd, NO_PAGE, 1n, WAIT_BEFORE));
    return result3 === -ERRNO.ENOSYS ? 0 : result3;
  }
  ftruncate(size) {
    return retryInterrupted(() => this.#libc.ftruncate(this.fd, BigInt(size)));
  }
  fallocate(mode, position, length2) {
    const from = BigInt(position);
    const size = BigInt(length2);
    return retryInterrupted(() => this.#libc.fallocate(this.fd, mode, from, size));
  }
  lseek(position, whence) {
    const from = BigInt(position);
    return retryInterrupted(() => Number(this.#libc.lseek(this.fd, from, whence)));
  }
  fstat() {
    return this.#statOf(statxDescriptor(this.fd));
  }
  async fstatLater() {
    return this.#statOf(await statxDescriptorLater(this.fd));
  }
  async lseekLater(position, whence) {
    const from = BigInt(position);
    const at = await inPool(() => this.#libc.lseek_nonblocking(this.fd, from, whence), () => -1n);
    return at < 0n ? this.lseek(position, whence) : Number(at);
  }
  #statOf(status3) {
    if (typeof status3 === "number") return status3;
    const kind = kindOfImage(status3.kind);
    const device = kind === "block" ? this.#deviceSize() : void 0;
    if (device !== void 0 && device < 0) return device;
    return {
      kind,
      size: device ?? status3.size,
      allocated: device ?? status3.blocks * 512,
      blockSize: status3.blockSize,
      fileSystem: this.#fileSystem ??= fileSystemOf(this.fd),
      directAlignment: status3.directAlignment,
      identity: `${status3.device}/${status3.inode}`,
      atime: status3.atime,
      mtime: status3.mtime,
      ctime: status3.ctime
    };
  }
  futimens(atime, mtime) {
    const times2 = timesOf(atime, mtime);
    return retryInterrupted(() => this.#libc.futimens(this.fd, times2));
  }
  async futimensLater(atime, mtime) {
    const times2 = timesOf(atime, mtime);
    const result3 = await inPool(() => this.#libc.futimens_nonblocking(this.fd, times2), () => -1);
    return result3 < 0 ? this.futimens(atime, mtime) : result3;
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
  #pointer(buffer, start, length2) {
    checkRange(buffer, start, length2);
    const pointer = this.#pointers.of(buffer);
    return start === 0 || pointer === null ? pointer : Deno.UnsafePointer.offset(pointer, start);
  }
  #deviceSize() {
    const size = new BigUint64Array(new ArrayBuffer(8));
    const result3 = retryInterrupted(() => this.#libc.ioctl(this.fd, BLKGETSIZE64, size));
    return result3 < 0 ? result3 : Number(size[0]);
  }
};
function retryInterrupted(call3) {
  for (; ; ) {
    const result3 = call3();
    if (result3 >= 0) return result3;
    const error = errno();
    if (error !== ERRNO.EINTR) return -error;
  }
}
function timesOf(atime, mtime) {
  const times2 = new BigInt64Array(new ArrayBuffer(32));
  putTime(times2, 0, atime);
  putTime(times2, 2, mtime);
  return times2;
}
function putTime(times2, at, time2) {
  if (typeof time2 !== "bigint") {
    times2[at + 1] = time2 === null ? UTIME_OMIT : UTIME_NOW;
    return;
  }
  times2[at] = secondsOf(time2);
  times2[at + 1] = BigInt(nanosecondsOf(time2));
}
function checkRange(buffer, start, length2) {
  if (start < 0 || length2 < 0 || start + length2 > buffer.byteLength) {
    throw new RangeError(`Cannot transfer ${length2} bytes at ${start} of a buffer: it has ${buffer.byteLength} (pass a range within it)`);
  }
}
function kindOfImage(kind) {
  return kind === "file" || kind === "block" || kind === "directory" ? kind : "other";
}

// src/linux/io/file_slots.ts
var { FALLOCATE, FSYNC, FTRUNCATE, READ: READ3, WRITE: WRITE5 } = IORING_OP;
var FILE_OPS = [
  READ3,
  WRITE5,
  FSYNC,
  FALLOCATE,
  FTRUNCATE
];
var PLAIN_CALLS = [
  (file, buffer, start, length2, at) => file.pread(buffer, start, length2, at),
  (file, buffer, start, length2, at) => file.pwrite(buffer, start, length2, at),
  (file) => file.fdatasync(),
  (file, _, mode, length2, at) => file.fallocate(mode, at, length2),
  (file, _, _start, _length, size) => file.ftruncate(size)
];
var FSYNC_DATASYNC = 1;
var TWO_324 = 2 ** 32;
var LinuxFileSlots = class {
  first;
  count;
  #ring;
  #sqes;
  #mapping;
  /** Addresses of buffers outside of the mapping. */
  #addresses = new BufferAddresses();
  /**
   * Reserves slots of a ring.
   *
   * @param count How many.
   * @param mapping Memory whose address is known, in which most buffers lie.
   */
  constructor(ring, count2, mapping = null) {
    this.first = ring.reserve(count2);
    this.count = count2;
    ring.allowWorkers(count2);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    this.#mapping = mapping;
  }
  prepare(slot, call3, fd, buffer, start, length2, position) {
    const number2 = this.first + slot;
    const sqes = this.#sqes;
    const sqe = number2 * SQE_WORDS;
    const address = buffer === null ? 0 : this.#addressOf(buffer) + start;
    sqes[sqe + SQE.OP] = FILE_OPS[call3];
    sqes[sqe + SQE.FD] = fd;
    sqes[sqe + SQE.OFF] = position;
    sqes[sqe + SQE.OFF + 1] = position / TWO_324;
    sqes[sqe + SQE.LEN] = length2;
    sqes[sqe + SQE.FLAGS] = 0;
    if (buffer !== null) {
      sqes[sqe + SQE.ADDR] = address;
      sqes[sqe + SQE.ADDR + 1] = address / TWO_324;
    } else if (FILE_OPS[call3] === FALLOCATE) {
      sqes[sqe + SQE.ADDR] = length2;
      sqes[sqe + SQE.ADDR + 1] = length2 / TWO_324;
      sqes[sqe + SQE.LEN] = start;
    } else {
      sqes[sqe + SQE.ADDR] = 0;
      sqes[sqe + SQE.ADDR + 1] = 0;
      sqes[sqe + SQE.LEN] = 0;
      if (FILE_OPS[call3] === FSYNC) sqes[sqe + SQE.FLAGS] = FSYNC_DATASYNC;
    }
    this.#ring.push(number2);
  }
  repeat(slot) {
    this.#ring.push(this.first + slot);
  }
  makeHere(call3, fd, buffer, start, length2, position) {
    const file = new LinuxBlockFile(fd);
    return PLAIN_CALLS[call3](file, buffer, start, length2, position);
  }
  #addressOf(buffer) {
    const mapping = this.#mapping;
    return mapping !== null && buffer.buffer === mapping.buffer ? mapping.address + buffer.byteOffset : this.#addresses.of(buffer);
  }
};

// src/linux/fuse/ring_entries.ts
var CMD_REQ = accessors("fuse_uring_cmd_req");
var HEADERS = accessors("fuse_uring_req_header");
var ENT_IN_OUT2 = accessors("fuse_uring_ent_in_out");
var COMMIT_ID = SQE.CMD + CMD_REQ.at.commit_id / 4;
var QID = SQE.CMD + CMD_REQ.at.qid / 4;
var CACHE_LINE = 64;
var HEADERS_SIZE = HEADERS.size;
var HEADERS_STRIDE = roundUp(HEADERS_SIZE, CACHE_LINE);
var HEADERS_COMMIT_ID = (HEADERS.at.ring_ent_in_out + ENT_IN_OUT2.at.commit_id) / 4;
var IOVECS_SIZE = 32;
var TWO_325 = 2 ** 32;
var FUSE_FILE = 0;
var EXTRA_FILE_SLOTS = 4;
function openFuseRing(options) {
  const count2 = options.qids.length;
  const fileCount = count2 + EXTRA_FILE_SLOTS;
  const ring = new EventRing(count2 + 1 + fileCount);
  try {
    const entries2 = new LinuxRingEntries(ring, options);
    const fileSlots = new LinuxFileSlots(ring, fileCount, entries2.memory);
    return {
      ring,
      entries: entries2,
      fileSlots
    };
  } catch (error) {
    ring.close();
    throw error;
  }
}
var LinuxRingEntries = class {
  first;
  entries;
  /** The memory of all entries. */
  memory;
  #ring;
  #sqes;
  /** The headers of all entries. */
  #headers;
  /** Reserves slots of a ring, and maps memory. */
  constructor(ring, { fd, qids, payloadSize: payloadSize2 }) {
    const count2 = qids.length;
    this.first = ring.reserve(count2 + 1);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    ring.registerFiles([
      fd
    ]);
    const stride = roundUp(payloadSize2, PAGE_SIZE);
    const payloadsAt = roundUp(count2 * (HEADERS_STRIDE + IOVECS_SIZE), PAGE_SIZE);
    this.memory = mapResident(payloadsAt + count2 * stride);
    const { buffer } = this.memory;
    this.#headers = new Int32Array(buffer, 0, count2 * HEADERS_STRIDE / 4);
    this.entries = qids.map((_, i) => ({
      headers: new Uint8Array(buffer, i * HEADERS_STRIDE, HEADERS_SIZE),
      payload: new Uint8Array(buffer, payloadsAt + i * stride, payloadSize2)
    }));
    qids.forEach((qid, entry2) => this.#prepareRegister(entry2, qid));
    this.#preparePoll(this.first + count2);
  }
  register(entry2) {
    this.#ring.push(this.first + entry2);
  }
  commit(entry2) {
    const slot = this.first + entry2;
    const sqe = slot * SQE_WORDS;
    const headers = entry2 * (HEADERS_STRIDE / 4) + HEADERS_COMMIT_ID;
    this.#sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.COMMIT_AND_FETCH;
    this.#sqes[sqe + COMMIT_ID] = this.#headers[headers];
    this.#sqes[sqe + COMMIT_ID + 1] = this.#headers[headers + 1];
    this.#ring.push(slot);
  }
  repeat(entry2) {
    this.#ring.push(this.first + entry2);
  }
  pollDevice() {
    this.#ring.push(this.first + this.entries.length);
  }
  release() {
    this.memory.unmap();
  }
  //= fs/fuse/dev_uring.c fuse_uring_cmd(): the command needs 128-byte
  //= submissions; fuse_uring_create_ring_ent(): REGISTER names two iovecs, the
  //= headers and the payload.
  #prepareRegister(entry2, qid) {
    const { headers, payload } = this.entries[entry2];
    const count2 = this.entries.length;
    const iovecsAt = count2 * HEADERS_STRIDE + entry2 * IOVECS_SIZE;
    const base = this.memory.address;
    const iovecs = new DataView(this.memory.buffer, iovecsAt, IOVECS_SIZE);
    iovecs.setBigUint64(0, BigInt(base + headers.byteOffset), true);
    iovecs.setBigUint64(8, BigInt(headers.byteLength), true);
    iovecs.setBigUint64(16, BigInt(base + payload.byteOffset), true);
    iovecs.setBigUint64(24, BigInt(payload.byteLength), true);
    const sqes = this.#sqes;
    const sqe = (this.first + entry2) * SQE_WORDS;
    sqes[sqe + SQE.OP] = IORING_OP.URING_CMD | FIXED_FILE << 8;
    sqes[sqe + SQE.FD] = FUSE_FILE;
    sqes[sqe + SQE.OFF] = FUSE_IO_URING_CMD.REGISTER;
    sqes[sqe + SQE.ADDR] = base + iovecsAt;
    sqes[sqe + SQE.ADDR + 1] = (base + iovecsAt) / TWO_325;
    sqes[sqe + SQE.LEN] = 2;
    sqes[sqe + QID] = qid;
  }
  #preparePoll(slot) {
    const sqe = slot * SQE_WORDS;
    this.#sqes[sqe + SQE.OP] = IORING_OP.POLL_ADD | FIXED_FILE << 8;
    this.#sqes[sqe + SQE.FD] = FUSE_FILE;
    this.#sqes[sqe + SQE.FLAGS] = POLL.IN;
  }
};
function roundUp(value2, unit) {
  return Math.ceil(value2 / unit) * unit;
}

// src/linux/io/message_pipe.ts
var F_SETPIPE_SZ = 1031;
var SPLICE_F_NONBLOCK = 2;
var HEAD_MAX = 64;
var SCRAP = 64 * 1024;
var TWO_326 = 2 ** 32;
var PAGES = [
  512,
  256,
  128,
  64
];
function openMessagePipe() {
  return new LinuxMessagePipe(openPipe());
}
var LinuxMessagePipe = class {
  #libc = libc();
  /** `null` once it is closed, or could not be replaced. */
  #ends;
  #head = new Uint32Array(HEAD_MAX / 4);
  #headPointer = pointerOf(new Uint8Array(this.#head.buffer));
  #headSize = 0;
  #headLength = new LastBigint();
  /** The position of splice(2), an off_t. */
  #position = new Uint32Array(2);
  #positionPointer = pointerOf(new Uint8Array(this.#position.buffer));
  #appendLength = new LastBigint();
  #sendLength = new LastBigint();
  #pointers = new BufferPointers();
  /** Bytes that lie in the pipe, at most. */
  #bytes = 0;
  /** Pages of the pipe that they take, at most. */
  #pages = 0;
  /** Wraps a pipe. */
  constructor(ends) {
    this.#ends = ends;
  }
  /** Bytes of the largest piece of a file that fits at any position. */
  get capacity() {
    return this.#ends === null ? 0 : (this.#ends.pages - 2) * PAGE_SIZE;
  }
  begin(memory, size) {
    if (this.#bytes !== 0) this.#discard();
    this.#headSize = size;
    for (let i = 0; i < size / 4; i++) {
      this.#head[i] = memory.getUint32(4 * i, true);
    }
  }
  append(fd, position, length2) {
    const ends = this.#ends;
    if (ends === null) return -ERRNO.EBADF;
    if (this.#bytes === 0) {
      if (pagesOf(position, length2) + 1 > ends.pages) return 0;
      const written = this.#writeHead(ends);
      if (written < 0) return written;
    }
    let done = 0;
    while (done < length2) {
      const got = this.#splice(ends, fd, position + done, length2 - done);
      if (got < 0) return done > 0 ? done : got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }
  send(fd) {
    const ends = this.#ends;
    if (ends === null) return -ERRNO.EBADF;
    const length2 = this.#sendLength.of(this.#bytes);
    const { reading } = ends;
    const sent = this.#libc.splice(reading, null, fd, null, length2, 0);
    if (sent < 0) return -errno();
    if (sent === this.#bytes) this.#bytes = this.#pages = 0;
    return sent;
  }
  drain(buffer) {
    const pointer = this.#pointers.of(buffer);
    let done = 0;
    while (this.#ends !== null && pointer !== null && done < buffer.length) {
      const at = done === 0 ? pointer : Deno.UnsafePointer.offset(pointer, done);
      const room3 = BigInt(buffer.length - done);
      const got = this.#libc.read(this.#ends.reading, at, room3);
      if (got === 0) break;
      if (got < 0) {
        const error = errno();
        if (error === ERRNO.EINTR) continue;
        if (error !== ERRNO.EAGAIN) return -error;
        this.#bytes = this.#pages = 0;
        break;
      }
      done += got;
    }
    return done;
  }
  /** Closes both ends. Later calls do nothing. */
  close() {
    if (this.#ends === null) return;
    closeDescriptor(this.#ends.reading);
    closeDescriptor(this.#ends.writing);
    this.#ends = null;
  }
  /** Returns 0 or a negative errno. */
  #writeHead({ writing }) {
    const length2 = this.#headLength.of(this.#headSize);
    const written = this.#libc.write(writing, this.#headPointer, length2);
    if (written < 0) return -errno();
    this.#bytes = written;
    this.#pages = 1;
    return written === this.#headSize ? 0 : -ERRNO.EAGAIN;
  }
  #splice({ writing, pages }, fd, position, length2) {
    if (this.#pages + pagesOf(position, length2) > pages) return 0;
    this.#position[0] = position;
    this.#position[1] = position / TWO_326;
    const offset = this.#positionPointer;
    const size = this.#appendLength.of(length2);
    for (; ; ) {
      const flags = SPLICE_F_NONBLOCK;
      const got = this.#libc.splice(fd, offset, writing, null, size, flags);
      if (got >= 0) {
        this.#bytes += got;
        this.#pages += pagesOf(position, got);
        return got;
      }
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  /** Empties the pipe, or replaces it if that fails. */
  #discard() {
    const scrap = new Uint8Array(SCRAP);
    while (this.drain(scrap) === SCRAP) ;
    if (this.#bytes === 0) return;
    this.close();
    this.#bytes = this.#pages = 0;
    this.#ends = resultOrNull(openPipe);
  }
};
function openPipe() {
  const fds = new Int32Array(new ArrayBuffer(8));
  if (libc().pipe2(fds, OPEN.CLOEXEC | OPEN.NONBLOCK) < 0) {
    throw new SystemError({
      call: "pipe2",
      action: "make a pipe",
      errno: errno()
    });
  }
  const [reading, writing] = fds;
  let error = 0;
  for (const pages of PAGES) {
    const size = libc().fcntl(writing, F_SETPIPE_SZ, pages * PAGE_SIZE);
    if (size > 0) return {
      reading,
      writing,
      pages: size / PAGE_SIZE
    };
    error = errno();
  }
  closeDescriptor(reading);
  closeDescriptor(writing);
  throw new SystemError({
    call: "fcntl",
    action: "make a pipe large enough",
    errno: error,
    advice: error === ERRNO.EPERM ? "raise /proc/sys/fs/pipe-user-pages-soft or pipe-max-size" : void 0
  });
}
function pagesOf(position, length2) {
  return Math.ceil((position % PAGE_SIZE + length2) / PAGE_SIZE);
}

// src/backends/filter_backend.ts
var FilterBackend = class _FilterBackend {
  name;
  shared;
  writable;
  background;
  /** Present only if the image has it: it would cost a call on every write. */
  needsExclusiveWrite;
  /** Present only if the image has it, and `read()` is not overridden. */
  splice;
  /** The backend below. */
  image;
  /**
   * Filters an image.
   *
   * @param image The backend below; its owner closes it after this one.
   */
  constructor(image) {
    this.image = image;
    this.name = image.name;
    this.shared = image.shared;
    this.writable = image.writable;
    this.background = image.background ?? false;
    if (image.needsExclusiveWrite !== void 0) {
      this.needsExclusiveWrite = image.needsExclusiveWrite.bind(image);
    }
    const forwardsReads = this.read === _FilterBackend.prototype.read;
    if (image.splice !== void 0 && forwardsReads) {
      this.splice = image.splice.bind(image);
    }
  }
  stat() {
    return this.image.stat();
  }
  read(position, buffer, start, length2) {
    return this.image.read(position, buffer, start, length2);
  }
  write(position, buffer, start, length2) {
    return this.image.write(position, buffer, start, length2);
  }
  flush() {
    return this.image.flush();
  }
  queueEnded(queue) {
    this.image.queueEnded?.(queue);
  }
  truncate(size) {
    return this.image.truncate(size);
  }
  zero(position, length2, options) {
    return this.image.zero(position, length2, options);
  }
  allocate(position, length2) {
    return this.image.allocate(position, length2);
  }
  extent(position) {
    return this.image.extent(position);
  }
  setTimes(atime, mtime) {
    return this.image.setTimes(atime, mtime);
  }
  close() {
  }
};

// src/backends/counted_flush.ts
var CountedFlush = class extends FilterBackend {
  #errors;
  /** Counts the failures of an image. */
  constructor(image, errors) {
    super(image);
    this.#errors = errors;
  }
  flush() {
    let flushed;
    try {
      flushed = this.image.flush();
    } catch (error) {
      return thrown(error, this.#errors);
    }
    return typeof flushed === "number" ? counted(flushed, this.#errors) : Completion.of(flushed).after(COUNT_FAILURE, this.#errors);
  }
  close() {
    return this.image.close();
  }
};
var COUNT_FAILURE = {
  run: counted,
  recover: thrown
};
function counted(flushed, errors) {
  if (!(flushed >= 0)) errors.add(errnoOf({
    errno: -flushed
  }));
  return flushed;
}
function thrown(error, errors) {
  errors.add(errnoOf(error));
  throw error;
}

// src/backends/partitions/find_partition.ts
var NAMED_MAX = 8;
function findPartition(table2, wanted, disk) {
  const fail = (why) => new UserError(`Cannot export partition ${JSON.stringify(wanted)} of ${disk.name}: ${why}`);
  if (table2 === null) {
    throw fail("it has no partition table; leave partition out to export all of it");
  }
  const found = matches(table2.partitions, wanted);
  const [partition, other] = found;
  if (partition === void 0) {
    const names2 = listOf(table2.partitions);
    throw fail(`it has ${names2}; 'info' lists them`);
  }
  if (other !== void 0) {
    const numbers = found.map(({ number: number3 }) => number3).join(", ");
    throw fail(`${found.length} have that name; use one of the numbers ${numbers}`);
  }
  const { isExtended, offset, size, number: number2 } = partition;
  if (isExtended) {
    throw fail("it only holds the logical partitions, which have the numbers from 5 on; use one of these");
  }
  const end = offset + size;
  if (end > disk.size) {
    const why = "the image is not whole, or its table is wrong";
    throw fail(`partition ${number2} ends at byte ${end}, and the disk at ${disk.size}: ${why}; use --offset and --size for a part of it`);
  }
  return partition;
}
function matches(all, wanted) {
  const byNumber = all.filter(({ number: number2 }) => `${number2}` === wanted);
  if (byNumber.length > 0) return byNumber;
  const uuid = wanted.toLowerCase();
  const byUuid = all.filter((each) => each.uuid === uuid);
  if (byUuid.length > 0) return byUuid;
  return all.filter(({ name }) => name === wanted);
}
function listOf(all) {
  if (all.length === 0) return "no partitions";
  const named = all.slice(0, NAMED_MAX).map(({ number: number2, name }) => name === null ? `${number2}` : `${number2} (${JSON.stringify(name)})`);
  const more = all.length > NAMED_MAX ? " and others" : "";
  return `the partitions ${named.join(", ")}${more}`;
}

// src/backends/read_fully.ts
async function readFully(file, position, buffer, start, length2) {
  let done = 0;
  while (done < length2) {
    const at = position + done;
    const got = await file.read(at, buffer, start + done, length2 - done);
    if (got < 0) return got;
    if (got === 0) break;
    done += got;
  }
  return done;
}

// src/backends/partitions/file_system.ts
var MAGICS = [
  {
    name: "LUKS",
    at: 0,
    bytes: "LUKS\xBA\xBE"
  },
  ...[
    0,
    512,
    1024,
    1536
  ].map((at) => ({
    name: "LVM",
    at: at + 24,
    bytes: "LVM2 001"
  })),
  {
    name: "Linux RAID",
    at: 4096,
    bytes: "\xFCN+\xA9"
  },
  {
    name: "swap",
    at: 4086,
    bytes: "SWAPSPACE2"
  },
  {
    name: "swap",
    at: 65526,
    bytes: "SWAPSPACE2"
  },
  {
    name: "xfs",
    at: 0,
    bytes: "XFSB"
  },
  {
    name: "btrfs",
    at: 65600,
    bytes: "_BHRfS_M"
  },
  {
    name: "ext",
    at: 1080,
    bytes: "S\xEF"
  },
  {
    name: "ntfs",
    at: 3,
    bytes: "NTFS    "
  },
  {
    name: "exfat",
    at: 3,
    bytes: "EXFAT   "
  },
  {
    name: "vfat",
    at: 82,
    bytes: "FAT32   "
  },
  {
    name: "vfat",
    at: 54,
    bytes: "FAT16   "
  },
  {
    name: "vfat",
    at: 54,
    bytes: "FAT12   "
  },
  {
    name: "squashfs",
    at: 0,
    bytes: "hsqs"
  },
  {
    name: "f2fs",
    at: 1024,
    bytes: " \xF5\xF2"
  },
  {
    name: "iso9660",
    at: 32769,
    bytes: "CD001"
  }
];
var START_BYTES = 65608;
var EXT = {
  COMPAT_AT: 1116,
  INCOMPAT_AT: 1120,
  RO_COMPAT_AT: 1124,
  HAS_JOURNAL: 4,
  /** Features of ext3: filetype, recover, journal device, meta_bg. */
  INCOMPAT_EXT3: 30,
  /** Features of ext3: sparse_super, large_file, btree_dir. */
  RO_COMPAT_EXT3: 7
};
async function fileSystemAt({ image, size }, part2) {
  const position = part2.offset;
  const there = Math.min(part2.size, size - position, START_BYTES);
  const start = new Uint8Array(Math.max(0, there));
  const got = await readFully(image, position, start, 0, start.length);
  if (got < 0) return null;
  const name = MAGICS.find((magic) => isThere(magic, start))?.name ?? null;
  return name === "ext" ? extVersion(start) : name;
}
function isThere({ at, bytes: bytes2 }, start) {
  for (let i = 0; i < bytes2.length; i++) {
    if (start[at + i] !== bytes2.charCodeAt(i)) return false;
  }
  return true;
}
function extVersion(start) {
  const view2 = new DataView(start.buffer);
  if (start.length < EXT.RO_COMPAT_AT + 4) return "ext2";
  const isNewer = (view2.getUint32(EXT.INCOMPAT_AT, true) & ~EXT.INCOMPAT_EXT3) !== 0 || (view2.getUint32(EXT.RO_COMPAT_AT, true) & ~EXT.RO_COMPAT_EXT3) !== 0;
  if (isNewer) return "ext4";
  const hasJournal = (view2.getUint32(EXT.COMPAT_AT, true) & EXT.HAS_JOURNAL) !== 0;
  return hasJournal ? "ext3" : "ext2";
}

// src/backends/crc32.ts
var crc32 = crcOf(3988292384);
var crc32c = crcOf(2197175160);
function crcOf(polynomial) {
  const table2 = Uint32Array.from({
    length: 256
  }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 0 ? crc >>> 1 : crc >>> 1 ^ polynomial;
    }
    return crc;
  });
  return (bytes2, crc = 0) => {
    let state = ~crc;
    for (let i = 0; i < bytes2.length; i++) {
      state = table2[(state ^ bytes2[i]) & 255] ^ state >>> 8;
    }
    return ~state >>> 0;
  };
}

// src/backends/size.ts
var SIZE_MAX = Number.MAX_SAFE_INTEGER;
var UNITS = {
  "": 1n,
  b: 1n,
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
  p: 1n << 50n,
  e: 1n << 60n
};
function parseSize(text) {
  const match = /^(\d+)([bkmgtpe]?)$/i.exec(text);
  if (match === null) {
    throw new UserError(`Cannot read size "${text}": expected digits and one of k, M, G, T, P, E, such as 512M`);
  }
  const bytes2 = BigInt(match[1]) * UNITS[match[2].toLowerCase()];
  if (bytes2 > BigInt(SIZE_MAX)) {
    throw new UserError(`Cannot use size "${text}": the largest is 2^53 - 1 bytes (8 PiB)`);
  }
  return Number(bytes2);
}
function formatSize(bytes2) {
  const units = [
    "B",
    "KiB",
    "MiB",
    "GiB",
    "TiB",
    "PiB"
  ];
  let unit = 0;
  let value2 = bytes2;
  while (value2 >= 1023.5 && unit < units.length - 1) {
    value2 /= 1024;
    unit++;
  }
  const digits = Number.isInteger(value2) || value2 >= 100 ? 0 : 1;
  return `${value2.toFixed(digits)} ${units[unit]}`;
}

// src/backends/partitions/partition_table.ts
async function readTable({ image, name, size }, position, length2) {
  const there = Math.max(0, Math.min(length2, size - position));
  const bytes2 = new Uint8Array(there);
  const got = await readFully(image, position, bytes2, 0, there);
  if (got >= 0) return bytes2.subarray(0, got);
  throw new UserError(`Cannot read the partition table of ${name}: reading at byte ${position} failed with error ${-got}; repair the disk below it`);
}

// src/backends/partitions/type_names.ts
var MBR_TYPES = {
  "01": "FAT12",
  "04": "FAT16 <32M",
  "05": "Extended",
  "06": "FAT16",
  "07": "HPFS/NTFS/exFAT",
  "0b": "W95 FAT32",
  "0c": "W95 FAT32 (LBA)",
  "0e": "W95 FAT16 (LBA)",
  "0f": "W95 Ext'd (LBA)",
  "27": "Hidden NTFS WinRE",
  "82": "Linux swap",
  "83": "Linux",
  "85": "Linux extended",
  "8e": "Linux LVM",
  "a5": "FreeBSD",
  "a6": "OpenBSD",
  "a9": "NetBSD",
  "af": "HFS/HFS+",
  "ee": "GPT",
  "ef": "EFI (FAT-12/16/32)",
  "fd": "Linux raid autodetect"
};
var GPT_TYPES = {
  "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI System",
  "024dee41-33e7-11d3-9d69-0008c781f39f": "MBR partition scheme",
  "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
  "9e1a2d38-c612-4316-aa26-8b49521e5a8b": "PowerPC PReP boot",
  "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
  "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
  "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "Microsoft LDM metadata",
  "af9b60a0-1431-4f62-bc68-3311714a69ad": "Microsoft LDM data",
  "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery environment",
  "e75caf8f-f680-4cee-afa3-b001e56efc2d": "Microsoft Storage Spaces",
  "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
  "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
  "3b8f8425-20e0-4f3b-907f-1a25a76f98e8": "Linux server data",
  "44479540-f297-41b2-9af7-d131d5f0458a": "Linux root (x86)",
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "Linux root (ARM-64)",
  "8da63339-0007-60c0-c436-083ac8230908": "Linux reserved",
  "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
  "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
  "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux extended boot",
  "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
  "ca7d7ccb-63ed-4c53-861c-1742536059cc": "Linux LUKS",
  "516e7cb4-6ecf-11d6-8ff8-00022d09712b": "FreeBSD data",
  "516e7cb5-6ecf-11d6-8ff8-00022d09712b": "FreeBSD swap",
  "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD UFS",
  "516e7cba-6ecf-11d6-8ff8-00022d09712b": "FreeBSD ZFS",
  "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS/HFS+",
  "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS",
  "6a898cc3-1dd2-11b2-99a6-080020736631": "Solaris /usr & Apple ZFS"
};
function mbrTypeName(type) {
  return MBR_TYPES[type] ?? null;
}
function gptTypeName(type) {
  return GPT_TYPES[type] ?? null;
}

// src/backends/uuid.ts
function uuidOf(bytes2, at) {
  const order = [
    3,
    2,
    1,
    0,
    5,
    4,
    7,
    6,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15
  ];
  const digits = order.map((i) => bytes2[at + i].toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// src/backends/partitions/gpt.ts
var SIGNATURE = "EFI PART";
var HEADER_BYTES = 92;
var CRC_AT = 16;
var ENTRY_BYTES_MIN = 128;
var ENTRIES_BYTES_MAX = 4 << 20;
var SECTOR_SIZES = [
  512,
  4096
];
var NO_TYPE = "00000000-0000-0000-0000-000000000000";
async function readGpt(disk) {
  let damage = null;
  for (const sectorSize of SECTOR_SIZES) {
    const last = Math.floor(disk.size / sectorSize) - 1;
    if (last < 2) continue;
    const primary = await readCopy(disk, 1, sectorSize);
    const at = primary.state === "sound" ? primary.alternate : last;
    const backup = await readCopy(disk, at, sectorSize);
    const remarks = [
      ...remarkOn("primary", primary),
      ...remarkOn("backup", backup)
    ];
    const copy = primary.state === "sound" ? primary : backup;
    if (copy.state === "sound") {
      const table2 = partitionsOf(copy.entries, copy.entryBytes, sectorSize);
      const { partitions } = table2;
      if (remarks.length > 0) {
        const used = copy === primary ? "primary" : "backup";
        remarks.push(`its ${used} copy is used; 'gdisk' repairs the table of a disk that is not in use`);
      }
      return {
        kind: "gpt",
        sectorSize,
        partitions,
        remarks: [
          ...remarks,
          ...table2.remarks
        ]
      };
    }
    const isThere2 = primary.state === "damaged" || backup.state === "damaged";
    if (isThere2) damage ??= remarks.join(", and ");
  }
  return damage === null ? null : {
    damage
  };
}
function remarkOn(which, copy) {
  switch (copy.state) {
    case "sound":
      return [];
    case "absent":
      return [
        `the ${which} GPT is missing`
      ];
    case "damaged":
      return [
        `the ${which} GPT is damaged: ${copy.why}`
      ];
  }
}
async function readCopy(disk, lba, sectorSize) {
  const bytes2 = await readTable(disk, lba * sectorSize, sectorSize);
  if (bytes2.length < HEADER_BYTES) return {
    state: "absent"
  };
  const view2 = new DataView(bytes2.buffer);
  const signature = String.fromCharCode(...bytes2.subarray(0, 8));
  if (signature !== SIGNATURE) return {
    state: "absent"
  };
  const damaged2 = (why) => ({
    state: "damaged",
    why
  });
  const length2 = view2.getUint32(12, true);
  if (length2 < HEADER_BYTES || length2 > sectorSize) {
    return damaged2(`its header has ${length2} bytes`);
  }
  const header = bytes2.slice(0, length2);
  header.fill(0, CRC_AT, CRC_AT + 4);
  if (crc32(header) !== view2.getUint32(CRC_AT, true)) {
    return damaged2("the check of its header fails");
  }
  if (view2.getBigUint64(24, true) !== BigInt(lba)) {
    return damaged2(`its header says that it is in another sector than ${lba}`);
  }
  const count2 = view2.getUint32(80, true);
  const entryBytes = view2.getUint32(84, true);
  const isSize = entryBytes >= ENTRY_BYTES_MIN && entryBytes % 8 === 0;
  if (!isSize || count2 * entryBytes > ENTRIES_BYTES_MAX) {
    return damaged2(`it has ${count2} entries of ${entryBytes} bytes`);
  }
  const entriesAt = view2.getBigUint64(72, true) * BigInt(sectorSize);
  const entriesEnd = entriesAt + BigInt(count2 * entryBytes);
  if (entriesEnd > BigInt(disk.size)) {
    return damaged2("its entries lie beyond the end of the disk");
  }
  const entries2 = await readTable(disk, Number(entriesAt), count2 * entryBytes);
  if (crc32(entries2) !== view2.getUint32(88, true)) {
    return damaged2("the check of its entries fails");
  }
  const alternate = view2.getBigUint64(32, true);
  const isInside = alternate * BigInt(sectorSize) < BigInt(disk.size);
  return {
    state: "sound",
    // A copy beyond the end is not there; neither is one in the last sector.
    alternate: isInside ? Number(alternate) : Math.floor(disk.size / sectorSize) - 1,
    entryBytes,
    entries: entries2
  };
}
function partitionsOf(entries2, entryBytes, sectorSize) {
  const partitions = [];
  const remarks = [];
  const view2 = new DataView(entries2.buffer);
  for (let at = 0; at < entries2.length; at += entryBytes) {
    const type = uuidOf(entries2, at);
    if (type === NO_TYPE) continue;
    const number2 = at / entryBytes + 1;
    const first2 = view2.getBigUint64(at + 32, true) * BigInt(sectorSize);
    const end = (view2.getBigUint64(at + 40, true) + 1n) * BigInt(sectorSize);
    if (first2 >= end || end > BigInt(SIZE_MAX)) {
      remarks.push(`partition ${number2} is left out: it starts at byte ${first2} and ends at ${end}`);
      continue;
    }
    partitions.push({
      number: number2,
      offset: Number(first2),
      size: Number(end - first2),
      type,
      typeName: gptTypeName(type),
      name: nameOf(entries2.subarray(at + 56, at + 128)),
      uuid: uuidOf(entries2, at + 16),
      isExtended: false
    });
  }
  return {
    partitions,
    remarks
  };
}
function nameOf(bytes2) {
  const text = new TextDecoder("utf-16le", {
    ignoreBOM: true
  }).decode(bytes2);
  const [name = ""] = text.split("\0");
  return name === "" ? null : name;
}

// src/backends/partitions/mbr.ts
var MBR_BYTES = 512;
var ENTRIES_AT = 446;
var ENTRY_BYTES = 16;
var ENTRIES = 4;
var DISK_ID_AT = 440;
var EXTENDED = /* @__PURE__ */ new Set([
  5,
  15,
  133
]);
var PROTECTIVE = 238;
var LOGICAL_MAX = 100;
function parseMbr(sector) {
  const entries2 = entriesOf(sector);
  if (entries2 === null || entries2.length === 0) return null;
  const id = viewOf2(sector).getUint32(DISK_ID_AT, true);
  return {
    diskId: id === 0 ? null : id.toString(16).padStart(8, "0"),
    entries: entries2,
    isProtective: entries2.some(({ type }) => type === PROTECTIVE)
  };
}
function entriesOf(sector) {
  if (sector.length < MBR_BYTES) return null;
  if (sector[510] !== 85 || sector[511] !== 170) return null;
  const view2 = viewOf2(sector);
  const entries2 = [];
  for (let index = 0; index < ENTRIES; index++) {
    const at = ENTRIES_AT + index * ENTRY_BYTES;
    if ((sector[at] & 127) !== 0) return null;
    const type = sector[at + 4];
    const start = view2.getUint32(at + 8, true);
    const length2 = view2.getUint32(at + 12, true);
    if (type !== 0 && length2 !== 0) {
      entries2.push({
        index,
        type,
        start,
        length: length2
      });
    }
  }
  return entries2;
}
async function mbrPartitions(disk, { diskId, entries: entries2 }, sectorSize) {
  const make = (number2, type, start, length2) => partitionOf({
    number: number2,
    type,
    start,
    length: length2,
    sectorSize,
    diskId
  });
  const primary = entries2.map(({ index, type, start, length: length2 }) => make(index + 1, type, start, length2));
  const logical = [];
  const remarks = [];
  for (const extended of entries2) {
    if (!EXTENDED.has(extended.type)) continue;
    const chain = new LogicalChain(disk, extended, sectorSize);
    for await (const { type, start, length: length2 } of chain.entries()) {
      if (logical.length === LOGICAL_MAX) {
        chain.remark = `only its first ${LOGICAL_MAX} logical partitions count`;
        break;
      }
      logical.push(make(5 + logical.length, type, start, length2));
    }
    if (chain.remark !== null) remarks.push(chain.remark);
  }
  return {
    partitions: [
      ...primary,
      ...logical
    ],
    remarks
  };
}
var LogicalChain = class {
  /** Why it ended too early; `null` if it did not. */
  remark = null;
  #disk;
  #extended;
  #sectorSize;
  constructor(disk, extended, sectorSize) {
    this.#disk = disk;
    this.#extended = extended;
    this.#sectorSize = sectorSize;
  }
  /** The logical partitions, with positions on the disk. */
  async *entries() {
    const { start: first2, length: total } = this.#extended;
    const seen = /* @__PURE__ */ new Set();
    for (let at = first2; ; ) {
      if (seen.has(at)) {
        return this.#end(`leads back to sector ${at}`);
      }
      seen.add(at);
      const sector = await readTable(this.#disk, at * this.#sectorSize, MBR_BYTES);
      const entries2 = entriesOf(sector);
      if (entries2 === null) {
        return this.#end(`leads to sector ${at}, which has no table`);
      }
      for (const { index, type, start, length: length2 } of entries2) {
        const from = at + start;
        const isInside = from >= first2 && from + length2 <= first2 + total;
        if (EXTENDED.has(type) || index >= 2 && !isInside) continue;
        yield {
          type,
          start: from,
          length: length2
        };
      }
      const next = entries2.find(({ type }) => EXTENDED.has(type));
      if (next === void 0) return;
      at = first2 + next.start;
      if (seen.size > 2 * LOGICAL_MAX) return this.#end("is too long");
    }
  }
  #end(why) {
    this.remark = `the chain of logical partitions ${why}, so some may be missing`;
  }
};
function partitionOf({ number: number2, type, start, length: length2, sectorSize, diskId }) {
  const digits = type.toString(16).padStart(2, "0");
  const isExtended = EXTENDED.has(type);
  return {
    number: number2,
    offset: start * sectorSize,
    size: length2 * sectorSize,
    type: digits,
    typeName: mbrTypeName(digits),
    name: null,
    uuid: diskId === null ? null : `${diskId}-${number2.toString(16).padStart(2, "0")}`,
    isExtended
  };
}
function viewOf2(bytes2) {
  return new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
}

// src/backends/partitions/read_partitions.ts
async function readPartitions(image, name) {
  const { size } = await image.stat();
  const disk = {
    image,
    name,
    size
  };
  const mbr = parseMbr(await readTable(disk, 0, MBR_BYTES));
  if (mbr === null || mbr.isProtective) {
    const gpt = await readGpt(disk);
    if (gpt !== null && "damage" in gpt) {
      throw new UserError(`Cannot use the partition table of ${name}: ${gpt.damage}; repair a copy of the disk with 'sgdisk' or 'testdisk', or give --offset and --size`);
    }
    if (gpt !== null) {
      const unprotected = "the disk has no protective MBR";
      return withRemarks(disk, gpt, mbr === null ? [
        unprotected
      ] : []);
    }
  }
  return mbr === null ? null : await mbrTable(disk, mbr);
}
async function mbrTable(disk, mbr) {
  const table2 = ({ partitions, remarks }, sectorSize) => withRemarks(disk, {
    kind: "mbr",
    sectorSize,
    partitions,
    remarks
  }, []);
  const small = await mbrPartitions(disk, mbr, 512);
  if (await hasContent(disk, small)) return table2(small, 512);
  const large = await mbrPartitions(disk, mbr, 4096);
  const isLarge = large.partitions.every((each) => endOf(each) <= disk.size) && await hasContent(disk, large);
  return isLarge ? table2(large, 4096) : table2(small, 512);
}
async function hasContent(disk, { partitions }) {
  for (const each of partitions) {
    if (each.number > 4 || await fileSystemAt(disk, each) !== null) return true;
  }
  return false;
}
function withRemarks({ size }, table2, more) {
  const remarks = [
    ...table2.remarks,
    ...more
  ];
  const places = table2.partitions.filter(({ isExtended }) => !isExtended).toSorted((one, other) => one.offset - other.offset);
  let last = null;
  for (const each of places) {
    if (endOf(each) > size) {
      remarks.push(`partition ${each.number} ends at byte ${endOf(each)}, beyond the end of the disk at ${size}`);
    }
    if (last !== null && each.offset < endOf(last)) {
      remarks.push(`partitions ${last.number} and ${each.number} overlap`);
    }
    if (last === null || endOf(each) > endOf(last)) last = each;
  }
  return {
    ...table2,
    remarks
  };
}
function endOf({ offset, size }) {
  return offset + size;
}

// src/backends/protocols/file/direct_file.ts
var ALIGNMENT_DEFAULT = 4096;
function directAlignmentOf({ directAlignment }) {
  return directAlignment ?? ALIGNMENT_DEFAULT;
}
var DirectFile = class {
  fd;
  #direct;
  #cached;
  #alignment;
  /** Wraps both descriptors; `close()` closes them. */
  constructor({ direct, cached, alignment }) {
    this.fd = cached.fd;
    this.#direct = direct;
    this.#cached = cached;
    this.#alignment = alignment;
  }
  /** The descriptor for a transfer. */
  fdFor(position, length2) {
    return this.#fits(position, length2) ? this.#direct.fd : this.#cached.fd;
  }
  pread(buffer, start, length2, position) {
    if (this.#fits(position, length2)) {
      const got = this.#direct.pread(buffer, start, length2, position);
      if (got >= 0) return got;
    }
    return this.#cached.pread(buffer, start, length2, position);
  }
  pwrite(buffer, start, length2, position) {
    if (this.#fits(position, length2)) {
      const put2 = this.#direct.pwrite(buffer, start, length2, position);
      if (put2 !== -ERRNO.EINVAL) return put2;
    }
    return this.#cached.pwrite(buffer, start, length2, position);
  }
  /**
   * Whole blocks may be written concurrently. Other writes dirty pages, and the
   * kernel reports an I/O error if a page becomes dirty during direct I/O.
   */
  needsExclusiveWrite(position, length2) {
    return !this.#fits(position, length2);
  }
  fdatasync() {
    return this.#cached.fdatasync();
  }
  writebackError() {
    return this.#cached.writebackError?.() ?? 0;
  }
  ftruncate(size) {
    return this.#cached.ftruncate(size);
  }
  fallocate(mode, position, length2) {
    return this.#cached.fallocate(mode, position, length2);
  }
  lseek(position, whence) {
    return this.#cached.lseek(position, whence);
  }
  async lseekLater(position, whence) {
    return await this.#cached.lseekLater?.(position, whence) ?? this.#cached.lseek(position, whence);
  }
  fstat() {
    return this.#cached.fstat();
  }
  async fstatLater() {
    return await this.#cached.fstatLater?.() ?? this.#cached.fstat();
  }
  futimens(atime, mtime) {
    return this.#cached.futimens(atime, mtime);
  }
  async futimensLater(atime, mtime) {
    return await this.#cached.futimensLater?.(atime, mtime) ?? this.#cached.futimens(atime, mtime);
  }
  close() {
    this.#direct.close();
    this.#cached.close();
  }
  #fits(position, length2) {
    return position % this.#alignment === 0 && length2 % this.#alignment === 0;
  }
};

// src/backends/filters/window.ts
var EXTENTS_MAX = 256;
var WINDOW = {
  kind: "filter",
  name: "window",
  summary: "shows a part of an image",
  usage: "--offset=SIZE, --size=SIZE",
  needs: [
    "image"
  ],
  use: ({ offset, size }) => offset === 0 && size === null ? null : {
    offset,
    size
  },
  async open(window, context) {
    const { below } = context;
    refuseBeyondLimit(window, below.name);
    const { size } = await below.backend.stat();
    refuseToGrow(window, context);
    refuseBeyondEnd(window, size, context);
    refuseUnaligned(window, context);
    return {
      attachment: window,
      file: below.file
    };
  },
  attach: (window, [image]) => new WindowBackend(image, window)
};
var WindowBackend = class extends FilterBackend {
  #offset;
  #size;
  /**
   * Shows a part of an image.
   *
   * @param image The image below.
   * @param window The part; it may reach beyond the end of the image, where
   * reads are short.
   * @throws {UserError} If it ends beyond 2^53 - 1 bytes.
   */
  constructor(image, { offset, size }) {
    super(image);
    refuseBeyondLimit({
      offset,
      size
    }, image.name);
    this.#offset = offset;
    this.#size = size;
    const below = image.needsExclusiveWrite?.bind(image);
    if (below !== void 0) {
      this.needsExclusiveWrite = (position, length2) => below(offset + position, length2);
    }
    const splice = image.splice?.bind(image);
    if (splice !== void 0) {
      this.splice = (position, length2, pipe) => splice(offset + position, length2, pipe);
    }
  }
  stat() {
    const stat = this.image.stat();
    return "then" in stat ? stat.then((below) => this.#statOf(below)) : this.#statOf(stat);
  }
  read(position, buffer, start, length2) {
    return this.image.read(this.#offset + position, buffer, start, length2);
  }
  write(position, buffer, start, length2) {
    return this.image.write(this.#offset + position, buffer, start, length2);
  }
  truncate(size) {
    if (this.#size !== null) return -ERRNO.EINVAL;
    if (size > SIZE_MAX - this.#offset) return -ERRNO.EFBIG;
    return this.image.truncate(this.#offset + size);
  }
  zero(position, length2, options) {
    return this.image.zero(this.#offset + position, length2, options);
  }
  allocate(position, length2) {
    return this.image.allocate(this.#offset + position, length2);
  }
  extent(position) {
    const extent = this.image.extent(this.#offset + position);
    return "then" in extent ? extent.then((below) => this.#shifted(below)) : this.#shifted(extent);
  }
  #shifted({ data, end }) {
    return {
      data,
      end: end - this.#offset
    };
  }
  #statOf(below) {
    const size = this.#size ?? Math.max(0, below.size - this.#offset);
    const whole = this.#offset === 0 && size === below.size;
    if (whole || below.allocated === null) return {
      ...below,
      size
    };
    const allocated = this.#dataFrom(0, size, EXTENTS_MAX);
    return typeof allocated === "number" ? {
      ...below,
      size,
      allocated
    } : allocated.then((bytes2) => ({
      ...below,
      size,
      allocated: bytes2
    }));
  }
  /**
   * Counts bytes of data from a position to the end of the part. Everything
   * after the last counted extent is taken for data.
   */
  #dataFrom(position, size, extents) {
    let data = 0;
    let at = position;
    for (let i = 0; at < size && i < extents; i++) {
      const extent = this.extent(at);
      if ("then" in extent) {
        const before = data;
        const from = at;
        const left = extents - i - 1;
        return extent.then(async (below) => {
          const end2 = Math.min(below.end, size);
          const here = below.data ? end2 - from : 0;
          return before + here + await this.#dataFrom(end2, size, left);
        });
      }
      const end = Math.min(extent.end, size);
      if (extent.data) data += end - at;
      at = end;
    }
    return data + size - at;
  }
};
function refuseToGrow({ size }, { below, options: { growable: growable2 } }) {
  if (!growable2 || size === null) return;
  throw new UserError(`Cannot make a part of ${below.name} growable: its size is fixed; leave size or growable out`);
}
function refuseBeyondLimit({ offset, size }, name) {
  if (offset <= SIZE_MAX && (size ?? 0) <= SIZE_MAX - offset) return;
  throw new UserError(`Cannot export ${size} bytes of ${name} from offset ${offset}: that ends beyond 2^53 - 1 bytes (8 PiB); use a smaller offset or size`);
}
function refuseBeyondEnd({ offset, size }, end, { below, options: { growable: growable2 } }) {
  const needed2 = size ?? (offset > 0 && !growable2 ? 1 : 0);
  if (offset + needed2 <= end) return;
  const part2 = size === null ? "" : `${formatSize(size)} of `;
  const less = size === null ? "offset" : "offset or size";
  throw new UserError(`Cannot export ${part2}${below.name} from offset ${offset}: it has ${end} bytes; use a smaller ${less}`);
}
function refuseUnaligned({ offset }, { below, options: { direct } }) {
  if (!direct || below.file === null) return;
  const alignment = directAlignmentOf(below.file.stat);
  if (offset % alignment === 0) return;
  throw new UserError(`Cannot use direct I/O on ${below.name} from offset ${offset}: the offset must be a multiple of ${alignment}`);
}

// src/backends/filters/partition.ts
var PARTITION = {
  kind: "filter",
  name: "partition",
  summary: "shows a partition of an image",
  usage: "--partition=N|NAME|UUID",
  needs: [
    "image"
  ],
  use: ({ partition }) => partition,
  async open(wanted, context) {
    const { below, services } = context;
    const { name, backend, file } = below;
    refuseToGrow2(wanted, context);
    const table2 = await readPartitions(backend, name);
    const { size } = await backend.stat();
    const found = findPartition(table2, wanted, {
      name,
      size
    });
    for (const remark of table2?.remarks ?? []) {
      services.tell(`The partition table of ${name}: ${remark}`);
    }
    refuseUnaligned(found, context);
    const attachment = {
      offset: found.offset,
      size: found.size
    };
    return {
      attachment,
      file
    };
  },
  attach: WINDOW.attach
};
function refuseToGrow2(wanted, { below, options: { growable: growable2 } }) {
  if (!growable2) return;
  throw new UserError(`Cannot make partition ${JSON.stringify(wanted)} of ${below.name} growable: its table gives its size; leave growable out`);
}

// src/backends/sync_errors.ts
var COUNT2 = 0;
var SEEN = 1;
var ERROR = 2;
var LOCK2 = 3;
var LOCK_WAIT_MS = 1;
var LOCK_WAITS_MAX = 2e3;
var SyncErrors = class _SyncErrors {
  /** Words of shared memory that it takes. */
  static WORDS = 4;
  #words;
  /**
   * Wraps the memory of a count.
   *
   * @param words {@linkcode SyncErrors.WORDS} words, zero when it is made.
   */
  constructor(words) {
    this.#words = words;
  }
  /** Makes the count of a new export. */
  static create() {
    const size = _SyncErrors.WORDS * Int32Array.BYTES_PER_ELEMENT;
    return _SyncErrors.over(new SharedArrayBuffer(size));
  }
  /** Wraps memory that holds nothing else. */
  static over(memory) {
    return new _SyncErrors(new Int32Array(memory, 0, _SyncErrors.WORDS));
  }
  /** The shared memory, for {@linkcode SyncErrors.over} in other threads. */
  get memory() {
    return this.#words.buffer;
  }
  /** The number of errors found so far; it wraps around. */
  get count() {
    return Atomics.load(this.#words, COUNT2);
  }
  /** The positive error number found last; 0 if there was none. */
  get errno() {
    return Atomics.load(this.#words, ERROR);
  }
  /** Whether some client has been told of every error. */
  get allSeen() {
    const { count: count2 } = this;
    return Atomics.load(this.#words, SEEN) === count2;
  }
  /** Notes that a client has been told of all errors up to a count. */
  see(count2) {
    const words = this.#words;
    for (; ; ) {
      const seen = Atomics.load(words, SEEN);
      if ((count2 - seen | 0) <= 0) return;
      if (Atomics.compareExchange(words, SEEN, seen, count2) === seen) return;
    }
  }
  /** Counts an error. */
  add(errno2) {
    Atomics.store(this.#words, ERROR, errno2);
    Atomics.add(this.#words, COUNT2, 1);
  }
  /**
   * Runs a function while no other thread does: for those who ask the kernel
   * for an error that it tells once, and then count it. The function must not
   * wait.
   */
  alone(work) {
    const words = this.#words;
    for (let waits = 0; waits < LOCK_WAITS_MAX; waits++) {
      if (Atomics.compareExchange(words, LOCK2, 0, 1) === 0) break;
      Atomics.wait(words, LOCK2, 1, LOCK_WAIT_MS);
    }
    try {
      work();
    } finally {
      Atomics.store(words, LOCK2, 0);
      Atomics.notify(words, LOCK2);
    }
  }
  /**
   * Flushes an image after a change. The change is durable only if no flush has
   * failed since before the change: between the change and this flush, another
   * one may have written it, failed and been told of the error.
   *
   * @param image The image; its flush counts its failures here.
   * @param before The count before the change began.
   * @returns 0 or a negated errno.
   */
  flushSince(image, before) {
    const flushed = image.flush();
    return typeof flushed === "number" ? this.resultSince(flushed, before) : Completion.of(flushed).after(RESULT_SINCE, this, before);
  }
  /** The result of a flush that has to cover a change. */
  resultSince(flushed, before) {
    if (!(flushed >= 0)) return flushed;
    return this.count === before ? 0 : -this.errno;
  }
};
var RESULT_SINCE = {
  run: (flushed, errors, before) => errors.resultSince(flushed, before)
};

// src/backends/filters/writethrough.ts
var WRITETHROUGH = {
  kind: "filter",
  name: "writethrough",
  summary: "makes every change durable before its reply",
  usage: "--writethrough",
  needs: [
    "image"
  ],
  use: ({ writethrough }) => writethrough || null,
  open: (_source, { below: { file } }) => ({
    attachment: null,
    file
  }),
  attach: (_attachment, [image], { syncErrors }) => new WritethroughBackend(image, syncErrors)
};
var WritethroughBackend = class extends FilterBackend {
  #errors;
  /**
   * Filters an image.
   *
   * @param image The backend below; its owner closes it after this one.
   * @param errors Where its failed flushes are counted; if left out, flushes of
   * other threads do not matter.
   */
  constructor(image, errors = SyncErrors.create()) {
    super(image);
    this.#errors = errors;
  }
  write(position, buffer, start, length2) {
    const before = this.#errors.count;
    const put2 = this.image.write(position, buffer, start, length2);
    return this.#durable(put2, before);
  }
  truncate(size) {
    const before = this.#errors.count;
    return this.#durable(this.image.truncate(size), before);
  }
  zero(position, length2, options) {
    const before = this.#errors.count;
    return this.#durable(this.image.zero(position, length2, options), before);
  }
  allocate(position, length2) {
    const before = this.#errors.count;
    return this.#durable(this.image.allocate(position, length2), before);
  }
  /**
   * Flushes unless the change failed.
   *
   * @param result The result of the change.
   * @param before The count of errors before it.
   */
  flushAfter(result3, before) {
    if (!(result3 >= 0)) return result3;
    const flushed = this.#errors.flushSince(this.image, before);
    return typeof flushed === "number" ? this.outcomeOf(flushed, result3) : Completion.of(flushed).after(KEEP, this, result3);
  }
  /** The result of the change, unless the flush failed. */
  outcomeOf(flushed, result3) {
    if (flushed >= 0) return result3;
    this.#errors.see(this.#errors.count);
    return flushed;
  }
  #durable(answer, before) {
    return typeof answer === "number" ? this.flushAfter(answer, before) : Completion.of(answer).after(FLUSH, this, before);
  }
};
var FLUSH = {
  run: (result3, filter, before) => filter.flushAfter(result3, before)
};
var KEEP = {
  run: (flushed, filter, result3) => filter.outcomeOf(flushed, result3)
};

// src/backends/protocols/file/file_sync.ts
var FileSync = class {
  #file;
  #counter;
  #start;
  /** The count of errors up to which the kernel has told this description. */
  #told;
  #running = false;
  /** Flushes that wait for the next sync. */
  #waiting = [];
  /**
   * Prepares flushes.
   *
   * @param file The file of this thread.
   * @param counter Where errors are counted; `null` if nowhere.
   * @param start Starts a sync of the file; fdatasync(2) if left out.
   */
  constructor(file, counter, start = () => file.fdatasync()) {
    this.#file = file;
    this.#counter = counter;
    this.#start = start;
    this.#told = counter?.errors.count ?? 0;
  }
  /** Makes every write that was answered durable. 0 or `-errno`. */
  flush() {
    if (this.#running) {
      const completion = Completion.start();
      this.#waiting.push(completion);
      return completion;
    }
    this.#begin();
    const result3 = this.#start();
    if (typeof result3 === "number") return this.#end(result3);
    this.#running = true;
    return Completion.of(result3).after(END, this);
  }
  /** The same by fdatasync(2), while no other flush is in flight. */
  flushNow() {
    this.#begin();
    return this.#end(this.#file.fdatasync());
  }
  /** Called with the result of a sync that was in flight. */
  ended(result3) {
    this.#running = false;
    const counted3 = this.#end(result3);
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) this.#flushFor(waiting);
    return counted3;
  }
  #flushFor(waiting) {
    const complete = (result3) => {
      for (const each of waiting) each.complete(result3);
    };
    const fail = (error) => {
      for (const each of waiting) each.fail(error);
    };
    const flushed = this.flush();
    if (typeof flushed === "number") complete(flushed);
    else Completion.of(flushed).deliverTo({
      complete,
      fail
    });
  }
  /** Without errors since the last sync, this is one load and compare. */
  #begin() {
    const counter = this.#counter;
    if (counter === null || counter.errors.count === this.#told) return;
    counter.errors.alone(() => {
      this.#learn(counter);
      this.#told = counter.errors.count;
    });
  }
  #end(result3) {
    const counter = this.#counter;
    if (counter === null || result3 >= 0 || isNoSync(result3)) return result3;
    const { errors } = counter;
    errors.alone(() => {
      const learnt = this.#learn(counter);
      if (!learnt && errors.count === this.#told) errors.add(-result3);
      this.#told = errors.count;
    });
    return result3;
  }
  /**
   * Counts the errors that the export has not been told of, and takes those that
   * this description has not been told of, which are among the counted ones.
   */
  #learn({ first: first2, errors }) {
    for (let learnt = false; ; learnt = true) {
      this.#file.writebackError?.();
      const error = first2.writebackError?.() ?? 0;
      if (error >= 0) return learnt;
      errors.add(-error);
    }
  }
};
var END = {
  run: (result3, sync) => sync.ended(result3)
};
function isNoSync(result3) {
  return result3 === -ERRNO.ECANCELED || result3 === -ERRNO.ENODEV;
}

// src/backends/protocols/file/zero_range.ts
var SECTOR = 4096;
var ZEROES = new Uint8Array(65536);
async function zeroRange(calls, position, length2, unmap) {
  const mode = FALLOC_FL.KEEP_SIZE | (unmap ? FALLOC_FL.PUNCH_HOLE : FALLOC_FL.ZERO_RANGE);
  const end = position + length2;
  let first2 = position;
  let last = end;
  let result3 = await calls.fallocate(mode, position, length2);
  if (result3 === -ERRNO.EINVAL) {
    first2 = Math.min(end, Math.ceil(position / SECTOR) * SECTOR);
    last = Math.max(first2, Math.floor(end / SECTOR) * SECTOR);
    result3 = first2 === last ? 0 : await calls.fallocate(mode, first2, last - first2);
  }
  const refused2 = result3 === -ERRNO.EINVAL || result3 === -ERRNO.EOPNOTSUPP && !unmap;
  if (refused2) return await writeZeroes(calls, position, end);
  if (result3 < 0) return result3;
  result3 = await writeZeroes(calls, position, first2);
  return result3 < 0 ? result3 : await writeZeroes(calls, last, end);
}
async function writeZeroes(calls, from, to) {
  for (let at = from; at < to; ) {
    const length2 = Math.min(ZEROES.length, to - at);
    const put2 = await calls.write(at, ZEROES, length2);
    if (put2 < 0) return put2;
    at += put2;
  }
  return 0;
}

// src/backends/protocols/file/file_backend.ts
var FileBackend = class {
  name;
  shared = true;
  writable;
  #file;
  #sync;
  /**
   * Serves an open file, which `close()` closes.
   *
   * @param file The open file, which no other thread uses.
   * @param name Its name in messages.
   * @param writable Whether it was opened for writing.
   * @param counter Where the errors of flushes are counted; nowhere if left out.
   */
  constructor(file, name, writable, counter = null) {
    this.name = name;
    this.writable = writable;
    this.#file = file;
    this.#sync = new FileSync(file, counter);
  }
  stat() {
    return imageStatOf(this.#file.fstat(), this.name);
  }
  read(position, buffer, start, length2) {
    let done = 0;
    while (done < length2) {
      const got = this.#file.pread(buffer, start + done, length2 - done, position + done);
      if (got < 0) return done > 0 ? done : got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }
  /** splice(2), which waits for the medium as `read()` does. */
  splice(position, length2, pipe) {
    return pipe.append(this.#file.fd, position, length2);
  }
  write(position, buffer, start, length2) {
    let done = 0;
    while (done < length2) {
      const put2 = this.#file.pwrite(buffer, start + done, length2 - done, position + done);
      if (put2 < 0) return done > 0 ? done : put2;
      if (put2 === 0) return done > 0 ? done : -ERRNO.EIO;
      done += put2;
    }
    return done;
  }
  needsExclusiveWrite(position, length2) {
    return this.#file.needsExclusiveWrite?.(position, length2) ?? false;
  }
  flush() {
    return this.#sync.flushNow();
  }
  truncate(size) {
    return this.#file.ftruncate(size);
  }
  zero(position, length2, { unmap }) {
    const calls = {
      fallocate: (mode, at, count2) => this.#file.fallocate(mode, at, count2),
      write: (at, zeroes, count2) => this.write(at, zeroes, 0, count2)
    };
    return zeroRange(calls, position, length2, unmap);
  }
  allocate(position, length2) {
    return this.#file.fallocate(FALLOC_FL.KEEP_SIZE, position, length2);
  }
  extent(position) {
    const data = this.#file.lseek(position, SEEK.DATA);
    if (data === -ERRNO.ENXIO) return this.#lastHole(position);
    if (data < 0) return {
      data: true,
      end: Infinity
    };
    if (data > position) return {
      data: false,
      end: data
    };
    const hole = this.#file.lseek(position, SEEK.HOLE);
    return {
      data: true,
      end: hole > position ? hole : Infinity
    };
  }
  setTimes(atime, mtime) {
    return this.#file.futimens(atime, mtime);
  }
  close() {
    this.#file.close();
  }
  /**
   * The hole at the end of the file. What other programs have cut off is no
   * hole: a client that took it for one would have zeroes instead of an error.
   */
  #lastHole(position) {
    const { size } = this.#stat();
    return position < size ? {
      data: false,
      end: size
    } : {
      data: true,
      end: Infinity
    };
  }
  #stat() {
    return checkedStat(this.#file.fstat(), this.name);
  }
};
function imageStatOf(stat, name) {
  const checked4 = checkedStat(stat, name);
  const { size, allocated, blockSize, atime, mtime, ctime } = checked4;
  return {
    size,
    allocated,
    blockSize,
    times: {
      atime,
      mtime,
      ctime
    }
  };
}
function checkedStat(stat, name) {
  if (typeof stat !== "number") return stat;
  throw Object.assign(new UserError(`Cannot stat ${name}`), {
    errno: -stat
  });
}

// src/backends/protocols/file/async_file_backend.ts
var AsyncFileBackend = class {
  name;
  shared = true;
  writable;
  #plain;
  #file;
  #direct;
  #io;
  #sync;
  /** Whether the kernel can read without waiting for the medium. */
  #readsNow = true;
  /** The last call of `setTimes()`: they are made one at a time. */
  #settingTimes = Promise.resolve();
  /** Serves an open file. */
  constructor(options) {
    const { file, io, name, writable, counter = null } = options;
    this.name = name;
    this.writable = writable;
    this.#plain = new FileBackend(file, name, writable);
    this.#file = file;
    this.#direct = file instanceof DirectFile ? file : null;
    this.#io = io;
    this.#sync = new FileSync(file, counter, () => this.#syncFile());
  }
  stat() {
    return this.#plain.stat();
  }
  read(position, buffer, start, length2) {
    let fd = this.#file.fd;
    if (this.#direct !== null) {
      fd = this.#direct.fdFor(position, length2);
    } else if (this.#readsNow && this.#file.preadNow !== void 0) {
      const got = this.#file.preadNow(buffer, start, length2, position);
      if (got === length2) return got;
      if (got === -ERRNO.EOPNOTSUPP) this.#readsNow = false;
    }
    const fallback = this.#file.fd;
    return this.#io.read(fd, buffer, start, length2, position, fallback);
  }
  write(position, buffer, start, length2) {
    if (this.#direct === null && this.#io.mayBlock()) {
      try {
        return this.#plain.write(position, buffer, start, length2);
      } finally {
        this.#io.unblock();
      }
    }
    const fallback = this.#file.fd;
    const fd = this.#direct?.fdFor(position, length2) ?? fallback;
    return this.#io.write(fd, buffer, start, length2, position, fallback);
  }
  needsExclusiveWrite(position, length2) {
    return this.#direct?.needsExclusiveWrite(position, length2) ?? false;
  }
  flush() {
    return this.#sync.flush();
  }
  async truncate(size) {
    const result3 = await this.#io.truncate(this.#file.fd, size);
    return result3 === -ERRNO.EINVAL ? this.#plain.truncate(size) : result3;
  }
  zero(position, length2, { unmap }) {
    const calls = {
      fallocate: (mode, at, count2) => this.#io.allocate(this.#file.fd, mode, at, count2),
      write: (at, zeroes, count2) => this.write(at, zeroes, 0, count2)
    };
    return zeroRange(calls, position, length2, unmap);
  }
  allocate(position, length2) {
    const { KEEP_SIZE } = FALLOC_FL;
    return this.#io.allocate(this.#file.fd, KEEP_SIZE, position, length2);
  }
  extent(position) {
    return this.#plain.extent(position);
  }
  /**
   * futimens(3) in a thread of Deno's pool, because an io_uring cannot set
   * times. One at a time: calls that wait for a frozen file system must leave
   * most of the pool, which also waits for requests.
   */
  setTimes(atime, mtime) {
    const file = this.#file;
    if (file.futimensLater === void 0) return file.futimens(atime, mtime);
    const later = () => file.futimensLater(atime, mtime);
    const result3 = this.#settingTimes.then(later, later);
    this.#settingTimes = result3;
    return result3;
  }
  close() {
    this.#file.close();
  }
  /** fdatasync(2), by a plain call if this thread may wait. */
  #syncFile() {
    if (!this.#io.mayBlock()) return this.#io.sync(this.#file.fd);
    try {
      return this.#file.fdatasync();
    } finally {
      this.#io.unblock();
    }
  }
};

// src/backends/protocols/file/local_file_backend.ts
var LocalFileBackend = class extends AsyncFileBackend {
  #file;
  #io;
  constructor(options) {
    super(options);
    this.#file = options.file;
    this.#io = options.io;
  }
  /**
   * splice(2) of a cached range. It can wait all the same, because pages can
   * leave the cache between the check and the call. So it is made only while
   * another thread serves, or where there is no other thread.
   */
  splice(position, length2, pipe) {
    const file = this.#file;
    if (file.isCached === void 0 || !this.#io.mayBlock(true)) return 0;
    try {
      return file.isCached(position, length2) ? pipe.append(file.fd, position, length2) : 0;
    } finally {
      this.#io.unblock();
    }
  }
};

// src/backends/protocols/file/remote_file_backend.ts
var RemoteFileBackend = class extends AsyncFileBackend {
  #file;
  /** The stat that is in flight. */
  #current = null;
  /** The one after it, for all that came meanwhile. */
  #next = null;
  constructor(options) {
    super(options);
    this.#file = options.file;
  }
  /**
   * One at a time, because each takes a thread of a pool while the server does
   * not answer.
   */
  stat() {
    if (this.#current === null) return this.#startStat();
    this.#next ??= Promise.allSettled([
      this.#current
    ]).then(() => {
      this.#next = null;
      return this.#startStat();
    });
    return this.#next;
  }
  async extent(position) {
    const data = await this.#seek(position, SEEK.DATA);
    if (data === -ERRNO.ENXIO) {
      const { size } = await this.stat();
      return position < size ? {
        data: false,
        end: size
      } : {
        data: true,
        end: Infinity
      };
    }
    if (data < 0) return {
      data: true,
      end: Infinity
    };
    if (data > position) return {
      data: false,
      end: data
    };
    const hole = await this.#seek(position, SEEK.HOLE);
    return {
      data: true,
      end: hole > position ? hole : Infinity
    };
  }
  #startStat() {
    const stat = this.#fstat();
    this.#current = stat;
    const ended = () => {
      if (this.#current === stat) this.#current = null;
    };
    stat.then(ended, ended);
    return stat;
  }
  async #fstat() {
    const file = this.#file;
    const stat = await file.fstatLater?.() ?? file.fstat();
    return imageStatOf(stat, this.name);
  }
  async #seek(position, whence) {
    const file = this.#file;
    return await file.lseekLater?.(position, whence) ?? file.lseek(position, whence);
  }
};

// src/backends/protocols/file/driver.ts
var FILE = {
  kind: "protocol",
  name: "file",
  summary: "the bytes of a regular file or a block device",
  usage: null,
  prefixes: [],
  needs: [
    "descriptor"
  ],
  direct: true,
  countsSyncErrors: true,
  open(path, context) {
    const { options: { writable, lock }, services: { files } } = context;
    const file = files.open(path, {
      writable
    });
    context.defer(() => file.close());
    const stat = statOf(file, path);
    refuseToGrowDevice(path, stat, context);
    if (lock) files.lock(file, path, writable);
    const alignment = alignmentOf(path, stat, context);
    if (alignment !== null) tryDirectIo(file, path, alignment, context);
    const name = files.absolutePath(path);
    return {
      attachment: {
        name,
        writable,
        fd: file.fd,
        alignment
      },
      name,
      file: {
        fd: file.fd,
        stat
      },
      releaseWriteLock() {
        if (lock && writable) files.releaseWriteLock(file, path);
      }
    };
  },
  attach(attachment, _below, services) {
    const { name, writable, fd } = attachment;
    const first2 = services.files.wrap(fd);
    const counter = {
      first: first2,
      errors: services.syncErrors
    };
    const file = reopen(attachment, services);
    const stat = file.fstat();
    const where = typeof stat === "number" ? "local" : stat.fileSystem;
    const io = where === "memory" ? null : services.fileIo();
    if (io === null) return new FileBackend(file, name, writable, counter);
    const options = {
      file,
      io,
      name,
      writable,
      counter
    };
    if (where === "remote") return new RemoteFileBackend(options);
    return attachment.alignment === null ? new LocalFileBackend(options) : new AsyncFileBackend(options);
  }
};
function statOf(file, path) {
  const stat = file.fstat();
  if (typeof stat !== "number") return stat;
  throw new UserError(`Cannot stat ${path} (${errnoName(-stat)})`);
}
function refuseToGrowDevice(path, { kind }, { options: { growable: growable2 } }) {
  if (!growable2 || kind !== "block") return;
  throw new UserError(`Cannot make ${path} growable: a block device cannot grow; leave growable out`);
}
function alignmentOf(path, stat, { options: { direct } }) {
  if (!direct) return null;
  const alignment = directAlignmentOf(stat);
  if (alignment !== 0) return alignment;
  throw noDirectIo(path);
}
function tryDirectIo({ fd }, path, alignment, { options: { writable }, services: { files } }) {
  const file = openDirect(fd, path, writable, files);
  try {
    const read2 = files.probeDirect(file, alignment);
    if (read2 === -ERRNO.EINVAL || read2 === -ERRNO.EOPNOTSUPP) {
      throw noDirectIo(path);
    }
  } finally {
    file.close();
  }
}
function noDirectIo(path, cause) {
  return new UserError(`Cannot use direct I/O on ${path}: its file system has none; leave direct and loop-safe off`, {
    cause
  });
}
function openDirect(fd, name, writable, files) {
  try {
    return files.reopen(fd, name, {
      writable,
      direct: true
    });
  } catch (error) {
    if (errnoOf(error) === ERRNO.EINVAL) throw noDirectIo(name, error);
    throw error;
  }
}
function reopen({ fd, name, writable, alignment }, { files }) {
  const cached = files.reopen(fd, name, {
    writable
  });
  if (alignment === null) return cached;
  try {
    const direct = openDirect(fd, name, writable, files);
    return new DirectFile({
      direct,
      cached,
      alignment
    });
  } catch (error) {
    cached.close();
    throw error;
  }
}

// src/backends/image_backend.ts
var ALL_DATA = {
  data: true,
  end: Infinity
};
var ImageBackend = class {
  name;
  shared = false;
  writable = false;
  /**
   * Names the disk.
   *
   * @param name The name in messages; that of its class if left out.
   */
  constructor(name = new.target.name) {
    this.name = name;
  }
  stat() {
    return {
      size: this.size,
      allocated: null,
      blockSize: 4096,
      times: null
    };
  }
  write(_position, _buffer, _start, _length) {
    return this.#refuse();
  }
  flush() {
    return 0;
  }
  truncate(_size) {
    return this.#refuse();
  }
  zero(_position, _length, _options) {
    return this.#refuse();
  }
  allocate(_position, _length) {
    return this.#refuse();
  }
  extent(_position) {
    return ALL_DATA;
  }
  setTimes(_atime, _mtime) {
    return this.#refuse();
  }
  close() {
  }
  #refuse() {
    return this.writable ? -ERRNO.EOPNOTSUPP : -ERRNO.EROFS;
  }
};

// src/backends/sized_disk.ts
function parseSizedDisk(rest, text) {
  const size = parseSize(rest);
  if (size > 0) return {
    name: text,
    size
  };
  const prefix = text.slice(0, text.length - rest.length);
  throw new UserError(`Cannot make an empty disk "${text}": give it a size, such as ${prefix}1G`);
}

// src/backends/protocols/memory.ts
var CHUNK = 65536;
var GROWABLE_MAX = 2 ** 40;
function createMemoryDisk(size, options = {}) {
  const { growable: growable2 = false, limit = GROWABLE_MAX } = options;
  const max = Math.max(size, limit);
  const chunks = Math.ceil(size / CHUNK);
  try {
    const length2 = new SharedArrayBuffer(8);
    new Float64Array(length2)[0] = size;
    return {
      length: length2,
      bytes: growable2 ? new SharedArrayBuffer(size, {
        maxByteLength: max
      }) : new SharedArrayBuffer(size),
      chunks: growable2 ? new SharedArrayBuffer(chunks, {
        maxByteLength: Math.ceil(max / CHUNK)
      }) : new SharedArrayBuffer(chunks)
    };
  } catch (cause) {
    throw new UserError(`Cannot make a memory disk of ${size} bytes: not enough memory; use a smaller size or a sparse file`, {
      cause
    });
  }
}
var MEMORY = {
  kind: "protocol",
  name: "memory",
  summary: "a disk in memory, empty at first",
  usage: "memory:SIZE",
  prefixes: [
    "memory:"
  ],
  needs: [
    "shared memory"
  ],
  parse: parseSizedDisk,
  open({ name, size, limit }, { options: { growable: growable2 } }) {
    const disk = createMemoryDisk(size, {
      growable: growable2,
      ...limit === void 0 ? {} : {
        limit
      }
    });
    return {
      attachment: {
        name,
        disk
      },
      name
    };
  },
  attach: ({ name, disk }) => new MemoryBackend(disk, name)
};
var MemoryBackend = class extends ImageBackend {
  shared = true;
  writable = true;
  #disk;
  #bytes;
  #chunks;
  #length;
  /**
   * Wraps the memory of a disk.
   *
   * @param disk Made by {@linkcode createMemoryDisk}.
   * @param name Its name in messages.
   */
  constructor(disk, name = "memory") {
    super(name);
    this.#disk = disk;
    this.#bytes = new Uint8Array(disk.bytes);
    this.#chunks = new Uint8Array(disk.chunks);
    this.#length = new Float64Array(disk.length);
  }
  /** The current size in bytes. */
  get size() {
    return this.#length[0];
  }
  stat() {
    const { size } = this;
    const end = Math.ceil(size / CHUNK);
    let chunks = 0;
    for (let i = 0; i < end; i++) chunks += this.#chunks[i];
    return {
      size,
      allocated: chunks * CHUNK,
      blockSize: 4096,
      times: null
    };
  }
  read(position, buffer, start, length2) {
    buffer.set(this.#bytes.subarray(position, position + length2), start);
    return length2;
  }
  write(position, buffer, start, length2) {
    const whole = start === 0 && length2 === buffer.length;
    const bytes2 = whole ? buffer : buffer.subarray(start, start + length2);
    this.#bytes.set(bytes2, position);
    this.#mark(position, length2);
    return length2;
  }
  truncate(size) {
    const { bytes: bytes2, chunks } = this.#disk;
    if (size > bytes2.byteLength) {
      if (!bytes2.growable) return -ERRNO.ENOSPC;
      if (size > bytes2.maxByteLength) {
        const isBounded = bytes2.maxByteLength < GROWABLE_MAX;
        return isBounded ? -ERRNO.ENOSPC : -ERRNO.EFBIG;
      }
      try {
        chunks.grow(Math.max(chunks.byteLength, Math.ceil(size / CHUNK)));
        bytes2.grow(size);
      } catch {
        return -ERRNO.ENOMEM;
      }
    }
    const old = this.#length[0];
    if (size < old) this.zero(size, old - size, {
      unmap: true
    });
    this.#length[0] = size;
    return 0;
  }
  zero(position, length2, { unmap }) {
    const end = position + length2;
    const size = this.#length[0];
    let at = position;
    for (let chunk = Math.floor(position / CHUNK); at < end; chunk++) {
      const start = chunk * CHUNK;
      const stop = start + CHUNK;
      const to = Math.min(end, stop);
      if (this.#chunks[chunk] !== 0) {
        this.#bytes.fill(0, at, to);
        const whole = at === start && (to === stop || to === size);
        if (whole && unmap) this.#chunks[chunk] = 0;
      }
      at = to;
    }
    return 0;
  }
  allocate(position, length2) {
    this.#mark(position, length2);
    return 0;
  }
  extent(position) {
    const chunks = Math.ceil(this.#length[0] / CHUNK);
    const first2 = Math.floor(position / CHUNK);
    const data = this.#chunks[first2] !== 0;
    let chunk = first2 + 1;
    while (chunk < chunks && this.#chunks[chunk] !== 0 === data) chunk++;
    return {
      data,
      end: chunk >= chunks ? Infinity : chunk * CHUNK
    };
  }
  #mark(position, length2) {
    const last = Math.floor((position + length2 - 1) / CHUNK);
    for (let i = Math.floor(position / CHUNK); i <= last; i++) {
      this.#chunks[i] = 1;
    }
  }
};

// src/backends/new_file.ts
var ZEROES2 = new Uint8Array(1 << 20);
async function makeFile(path, files, fill) {
  const created = files.create(path);
  const file = new FileBackend(created.file, path, true);
  try {
    await fill(file, created);
    await mustSucceed(file.flush(), path);
    await mustSucceed(created.syncName(), path);
  } catch (error) {
    created.remove();
    throw error;
  } finally {
    created.close();
  }
}
async function reserve(file, from, to, preallocation) {
  if (from === to) return;
  if (preallocation === "falloc") {
    await mustSucceed(file.allocate(from, to - from), file.name);
  }
  if (preallocation !== "full") return;
  for (let at = from; at < to; ) {
    const length2 = Math.min(ZEROES2.length, to - at);
    at += await mustSucceed(file.write(at, ZEROES2, 0, length2), file.name);
  }
}
async function mustSucceed(answer, name) {
  const result3 = await answer;
  if (result3 >= 0) return result3;
  throw new UserError(`Cannot create ${name}: its file cannot be written (${errnoName(-result3)}); check the space and the limits of its file system`);
}

// src/backends/formats/qcow2/constants.ts
var QCOW2_MAGIC = 1363560955;
var INCOMPATIBLE = {
  /** Refcounts may be too low: they are rebuilt before the next change. */
  DIRTY: 1n,
  /** Some table is corrupt: only reading is allowed. */
  CORRUPT: 1n << 1n,
  /** The data are in another file. */
  DATA_FILE: 1n << 2n,
  /** The field `compression_type` counts. */
  COMPRESSION: 1n << 3n,
  /** L2 entries have 16 bytes, with a bitmap of subclusters. */
  EXTENDED_L2: 1n << 4n
};
var COMPATIBLE = {
  /** Refcounts may be written late, after setting the dirty bit. */
  LAZY_REFCOUNTS: 1n
};
var AUTOCLEAR = {
  /** The bitmaps agree with the data. */
  BITMAPS: 1n,
  /** The data file is a raw image of the disk. */
  RAW_DATA_FILE: 1n << 1n
};
var EXTENSION = {
  END: 0,
  BACKING_FORMAT: 3799591626,
  FEATURE_NAMES: 1745090647,
  BITMAPS: 595929205,
  ENCRYPTION: 87539319,
  DATA_FILE: 1145132097
};
var CRYPT_METHODS = [
  "none",
  "AES",
  "LUKS"
];
var LIMIT = {
  /** Clusters of 512 bytes. */
  CLUSTER_BITS_MIN: 9,
  /** Subclusters of 512 bytes. */
  EXTENDED_CLUSTER_BITS_MIN: 14,
  /** Clusters of 2 MiB. */
  CLUSTER_BITS_MAX: 21,
  /** Refcounts of 64 bits. */
  REFCOUNT_ORDER_MAX: 6,
  /** Bytes of a table of L1 entries. */
  L1_BYTES: 32 << 20,
  /** Bytes of the refcount table. */
  REFCOUNT_TABLE_BYTES: 8 << 20,
  /** Internal snapshots. */
  SNAPSHOTS: 65536,
  /** Bytes of the snapshot table: 1 KiB for each. */
  SNAPSHOT_TABLE_BYTES: 64 << 20,
  /** Bytes of a snapshot's extra data. */
  SNAPSHOT_EXTRA: 1024,
  /** Bytes of the backing file's name. */
  BACKING_NAME: 1023,
  /** Bytes of the data file's name. */
  DATA_FILE_NAME: 4096,
  /** Bytes of a format's name. */
  FORMAT_NAME: 64
};
var HEADER_V2 = 72;
var HEADER_V3 = 104;
var COMPRESSION_TYPE_AT = 104;
var SUBCLUSTERS = 32;
var SECTOR2 = 512;

// src/backends/formats/qcow2/write_fully.ts
async function writeFully(file, at, bytes2) {
  for (let done = 0; done < bytes2.length; ) {
    const put2 = await file.write(at + done, bytes2, done, bytes2.length - done);
    if (put2 <= 0) return put2 < 0 ? put2 : -ERRNO.ENOSPC;
    done += put2;
  }
  return 0;
}
function bytesOf2(words) {
  const view2 = new DataView(new ArrayBuffer(4 * words.length));
  for (let i = 0; i < words.length; i++) view2.setInt32(4 * i, words[i]);
  return new Uint8Array(view2.buffer);
}

// src/backends/formats/qcow2/creating/new_layout.ts
var REFCOUNT_ORDER = 4;
var REFCOUNT_BYTES = 2 ** REFCOUNT_ORDER / 8;
function layOut(image, name) {
  const { size, clusterSize, extendedL2, preallocated, dataFile } = image;
  const perTable = clusterSize / (extendedL2 ? 16 : 8);
  const diskClusters = Math.ceil(size / clusterSize);
  const l1Entries = Math.ceil(diskClusters / perTable);
  if (l1Entries * 8 > LIMIT.L1_BYTES) {
    const most = formatSize(LIMIT.L1_BYTES / 8 * perTable * clusterSize);
    throw new UserError(`Cannot create ${name} of ${formatSize(size)}: clusters of ${formatSize(clusterSize)} allow ${most} at most; use a larger cluster size`);
  }
  const l1Clusters = Math.max(1, Math.ceil(l1Entries * 8 / clusterSize));
  const l2Tables = preallocated ? l1Entries : 0;
  const dataClusters = preallocated && dataFile === null ? diskClusters : 0;
  const others = 1 + l1Clusters + l2Tables + dataClusters;
  const { blockClusters, tableClusters } = refcountsOf(others, clusterSize);
  const tableAt = 1;
  const blocksAt = tableAt + tableClusters;
  const l1At = blocksAt + blockClusters;
  const l2At = l1At + l1Clusters;
  const dataAt = l2At + l2Tables;
  return {
    tableClusters,
    blockClusters,
    l1Clusters,
    l1Entries,
    l2Tables,
    dataClusters,
    tableAt,
    blocksAt,
    l1At,
    l2At,
    dataAt,
    clusters: dataAt + dataClusters
  };
}
function refcountsOf(others, clusterSize) {
  const perBlock = clusterSize / REFCOUNT_BYTES;
  let blockClusters = 1;
  let tableClusters = 1;
  for (; ; ) {
    const all = others + blockClusters + tableClusters;
    const blocks = Math.ceil(all / perBlock);
    const tables = Math.ceil(blocks * 8 / clusterSize);
    if (blocks === blockClusters && tables === tableClusters) {
      return {
        blockClusters,
        tableClusters
      };
    }
    blockClusters = blocks;
    tableClusters = tables;
  }
}

// src/backends/formats/qcow2/creating/new_header.ts
var HEADER_BYTES2 = 112;
var FEATURE_NAMES = [
  [
    0,
    0,
    "dirty bit"
  ],
  [
    0,
    1,
    "corrupt bit"
  ],
  [
    0,
    2,
    "external data file"
  ],
  [
    0,
    3,
    "compression type"
  ],
  [
    0,
    4,
    "extended L2 entries"
  ],
  [
    1,
    0,
    "lazy refcounts"
  ],
  [
    2,
    0,
    "bitmaps"
  ],
  [
    2,
    1,
    "raw external data"
  ]
];
var NAME_ENTRY = 48;
function newHeader(image, layout, name) {
  const { size, clusterSize, extendedL2, backing, dataFile } = image;
  const isZstd = image.compression === "zstd";
  const bytes2 = new Uint8Array(clusterSize);
  const view2 = new DataView(bytes2.buffer);
  const wide = (at, value2) => view2.setBigUint64(at, BigInt(value2));
  view2.setUint32(0, QCOW2_MAGIC);
  view2.setUint32(4, 3);
  view2.setUint32(20, Math.log2(clusterSize));
  wide(24, size);
  view2.setUint32(36, layout.l1Entries);
  wide(40, layout.l1At * clusterSize);
  wide(48, layout.tableAt * clusterSize);
  view2.setUint32(56, layout.tableClusters);
  const incompatible = (dataFile === null ? 0n : INCOMPATIBLE.DATA_FILE) | (extendedL2 ? INCOMPATIBLE.EXTENDED_L2 : 0n) | (isZstd ? INCOMPATIBLE.COMPRESSION : 0n);
  view2.setBigUint64(72, incompatible);
  view2.setUint32(96, REFCOUNT_ORDER);
  view2.setUint32(100, HEADER_BYTES2);
  view2.setUint8(COMPRESSION_TYPE_AT, isZstd ? 1 : 0);
  const backingName = backing === null ? new Uint8Array() : nameBytes(backing.name, "backing file", LIMIT.BACKING_NAME, name);
  const room3 = clusterSize - backingName.length;
  const extensions = extensionsOf(image, name);
  let end = HEADER_BYTES2 + lengthOf(extensions);
  if (end > room3) {
    throw new UserError(`Cannot create ${name}: the names of the files that it refers to do not fit into a cluster of ${clusterSize} bytes; use shorter paths or a larger cluster size`);
  }
  const names2 = featureNames();
  const all = end + lengthOf([
    names2
  ]) <= room3 ? [
    ...extensions,
    names2
  ] : extensions;
  end = putExtensions(bytes2, all);
  if (backingName.length > 0) {
    bytes2.set(backingName, end);
    wide(8, end);
    view2.setUint32(16, backingName.length);
  }
  return bytes2;
}
function extensionsOf({ backing, dataFile }, name) {
  const extensions = [];
  if (backing !== null) {
    const data = new TextEncoder().encode(backing.format);
    extensions.push([
      EXTENSION.BACKING_FORMAT,
      data
    ]);
  }
  if (dataFile !== null) {
    const data = nameBytes(dataFile, "data file", LIMIT.DATA_FILE_NAME, name);
    extensions.push([
      EXTENSION.DATA_FILE,
      data
    ]);
  }
  return extensions;
}
function featureNames() {
  const data = new Uint8Array(FEATURE_NAMES.length * NAME_ENTRY);
  for (const [index, [field, bit, text]] of FEATURE_NAMES.entries()) {
    data.set([
      field,
      bit
    ], index * NAME_ENTRY);
    data.set(new TextEncoder().encode(text), index * NAME_ENTRY + 2);
  }
  return [
    EXTENSION.FEATURE_NAMES,
    data
  ];
}
function lengthOf(extensions) {
  return extensions.reduce((sum, [, data]) => sum + 8 + padded(data), 8);
}
function padded({ length: length2 }) {
  return Math.ceil(length2 / 8) * 8;
}
function putExtensions(bytes2, extensions) {
  const view2 = new DataView(bytes2.buffer);
  let at = HEADER_BYTES2;
  for (const [type, data] of extensions) {
    view2.setUint32(at, type);
    view2.setUint32(at + 4, data.length);
    bytes2.set(data, at + 8);
    at += 8 + padded(data);
  }
  return at + 8;
}
function nameBytes(text, role, max, name) {
  const bytes2 = encodeName(text);
  if (bytes2.length <= max) return bytes2;
  throw new UserError(`Cannot create ${name}: the path of its ${role} has ${bytes2.length} bytes, and an image can name ${max} at most; use a shorter path`);
}

// src/backends/formats/qcow2/creating/new_image.ts
var COPIED = 2147483648;
var ALL_ALLOCATED = 4294967295;
var PART = 65536;
function* newImage(image, layout, name) {
  const header = newHeader(image, layout, name);
  const { clusterSize } = image;
  const { blocksAt, blockClusters, l1At, l1Entries, l2At, l2Tables } = layout;
  const place = (cluster) => cluster * clusterSize;
  yield* entries(place(1), blockClusters, 2, (view2, at, i) => {
    put(view2, at, place(blocksAt + i), 0);
  });
  yield* refcounts(place(blocksAt), layout.clusters);
  if (l2Tables > 0) {
    yield* entries(place(l1At), l1Entries, 2, (view2, at, i) => {
      put(view2, at, place(l2At + i), COPIED);
    });
    yield* l2Entries(image, layout);
  }
  yield {
    at: 0,
    bytes: header
  };
}
function* refcounts(at, clusters) {
  for (let done = 0; done < clusters; done += PART / 2) {
    const count2 = Math.min(PART / 2, clusters - done);
    const bytes2 = new Uint8Array(count2 * 2);
    for (let i = 1; i < bytes2.length; i += 2) bytes2[i] = 1;
    yield {
      at: at + done * 2,
      bytes: bytes2
    };
  }
}
function* l2Entries({ size, clusterSize, extendedL2, backing, dataFile }, { l2At, dataAt }) {
  const first2 = dataFile === null ? dataAt : 0;
  const clusters = Math.ceil(size / clusterSize);
  const words = extendedL2 ? 4 : 2;
  const bitmap = backing === null ? ALL_ALLOCATED : 0;
  yield* entries(l2At * clusterSize, clusters, words, (view2, at, i) => {
    put(view2, at, (first2 + i) * clusterSize, COPIED);
    if (extendedL2) view2.setUint32(at + 12, bitmap);
  });
}
function* entries(at, count2, words, fill) {
  const each = words * 4;
  const most = PART / each;
  for (let done = 0; done < count2; done += most) {
    const part2 = Math.min(most, count2 - done);
    const view2 = new DataView(new ArrayBuffer(part2 * each));
    for (let i = 0; i < part2; i++) fill(view2, i * each, done + i);
    yield {
      at: at + done * each,
      bytes: new Uint8Array(view2.buffer)
    };
  }
}
function put(view2, at, offset, flags) {
  view2.setUint32(at, (Math.floor(offset / 2 ** 32) | flags) >>> 0);
  view2.setUint32(at + 4, offset % 2 ** 32);
}

// src/backends/formats/qcow2/creating/create_qcow2.ts
var CLUSTER_SIZE = 65536;
var CLUSTER_SIZES = {
  min: 2 ** LIMIT.CLUSTER_BITS_MIN,
  max: 2 ** LIMIT.CLUSTER_BITS_MAX
};
var EXTENDED_MIN = 2 ** LIMIT.EXTENDED_CLUSTER_BITS_MIN;
async function createQcow2(path, options, files) {
  const image = describeNew(path, options, files);
  const { preallocation, dataFile, size } = options;
  const make = () => makeFile(path, files, async (file) => {
    const { dataAt, clusters } = await writeNewImage(file, image);
    const [from, to] = [
      dataAt,
      clusters
    ].map((at) => at * image.clusterSize);
    await reserve(file, from, to, preallocation);
  });
  if (dataFile === null) return await make();
  await makeFile(dataFile, files, async (file) => {
    await mustSucceed(file.truncate(size), dataFile);
    await reserve(file, 0, size, preallocation);
    await make();
  });
}
async function writeNewImage(file, image) {
  const { name } = file;
  const layout = layOut(image, name);
  const { clusters } = layout;
  await mustSucceed(file.truncate(clusters * image.clusterSize), name);
  for (const { at, bytes: bytes2 } of newImage(image, layout, name)) {
    if (at === 0) await mustSucceed(file.flush(), name);
    await mustSucceed(writeFully(file, at, bytes2), name);
  }
  return layout;
}
function overlayOf(size, backing) {
  return {
    size,
    clusterSize: CLUSTER_SIZE,
    extendedL2: false,
    preallocated: false,
    backing,
    dataFile: null,
    compression: "deflate"
  };
}
function describeNew(path, options, files) {
  const { backing, extendedL2, dataFile, preallocation, size } = options;
  const clusterSize = options.clusterSize ?? CLUSTER_SIZE;
  const refuse3 = (why) => {
    throw new UserError(`Cannot create ${path}: ${why}`);
  };
  const { max } = CLUSTER_SIZES;
  const min = extendedL2 ? EXTENDED_MIN : CLUSTER_SIZES.min;
  const isSize = Number.isInteger(Math.log2(clusterSize)) && clusterSize >= min && clusterSize <= max;
  if (!isSize) {
    const of = extendedL2 ? " of an image with extended L2 entries" : "";
    refuse3(`clusters${of} have a power of two of bytes, from ${formatSize(min)} to ${formatSize(max)}; choose another cluster size`);
  }
  const preallocated = preallocation !== "off";
  if (preallocated && backing !== null && !extendedL2) {
    refuse3("preallocated clusters would hide the image below; leave the preallocation or the backing file out, or use extended L2 entries");
  }
  return {
    size,
    clusterSize,
    extendedL2,
    preallocated,
    backing: backing === null ? null : {
      ...backing,
      name: nameFrom(path, backing.name, files)
    },
    dataFile: dataFile === null ? null : nameFrom(path, files.absolutePath(dataFile), files),
    compression: "deflate"
  };
}
function nameFrom(image, name, files) {
  const directory = files.absolutePath(image).replace(/[^/]*$/, "");
  const isBelow = name.startsWith(directory) && name !== directory;
  return isBelow ? name.slice(directory.length) : name;
}

// src/backends/compression/load_zlib.ts
async function loadZlib(what) {
  try {
    return await import("node:zlib");
  } catch (cause) {
    throw new UserError(`Cannot load zlib for ${what}: the name of the working directory is not UTF-8; start in another directory`, {
      cause
    });
  }
}

// src/backends/compression/zlib_handle.ts
var ZlibHandle = class _ZlibHandle {
  #handle;
  #state;
  #flush;
  #hasFailed = false;
  /**
   * Makes a decompressor.
   *
   * @returns `null` if node:zlib has other insides than those of Deno 2.9.
   */
  static create(zlib2, compression) {
    const { Z_FINISH, ZSTD_e_end } = zlib2.constants;
    const stream = compression === "deflate" ? zlib2.createInflateRaw() : compression === "zlib" ? zlib2.createInflate() : zlib2.createZstdDecompress();
    const { _handle: handle, _writeState: state } = stream;
    const isKnown = typeof handle?.writeSync === "function" && typeof handle.reset === "function" && state instanceof Uint32Array;
    if (!isKnown) return null;
    const flush2 = compression === "zstd" ? ZSTD_e_end : Z_FINISH;
    return new _ZlibHandle(handle, state, flush2);
  }
  constructor(handle, state, flush2) {
    this.#handle = handle;
    this.#state = state;
    this.#flush = flush2;
    handle.onerror = () => {
      this.#hasFailed = true;
    };
  }
  /**
   * Decompresses a stream, up to the end of the output.
   *
   * @param stream The stream, and the bytes that follow it.
   * @param output Where to.
   * @returns How many bytes the stream gave; -1 if it is damaged.
   */
  decompress(stream, output) {
    const handle = this.#handle;
    const [from, to] = [
      stream.length,
      output.length
    ];
    this.#hasFailed = false;
    try {
      handle.reset();
      handle.writeSync(this.#flush, stream, 0, from, output, 0, to);
    } catch {
      return -1;
    }
    return this.#hasFailed ? -1 : to - this.#state[0];
  }
};

// src/backends/compression/zstd_frame.ts
var MAGIC = 4247762216;
var BLOCK_HEADER = 3;
var RLE = 1;
var DICTIONARY_ID = [
  0,
  1,
  2,
  4
];
var CONTENT_SIZE = [
  0,
  2,
  4,
  8
];
function zstdFrameLength(bytes2) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  if (bytes2.length < 5 || view2.getUint32(0, true) !== MAGIC) return null;
  const descriptor = bytes2[4];
  const isSingleSegment = (descriptor & 32) !== 0;
  const sizeCode = descriptor >> 6;
  const size = sizeCode === 0 && isSingleSegment ? 1 : CONTENT_SIZE[sizeCode];
  let at = 5 + (isSingleSegment ? 0 : 1) + DICTIONARY_ID[descriptor & 3] + size;
  for (let isLast = false; !isLast; ) {
    if (at + BLOCK_HEADER > bytes2.length) return null;
    const header = bytes2[at] | bytes2[at + 1] << 8 | bytes2[at + 2] << 16;
    isLast = (header & 1) !== 0;
    at += BLOCK_HEADER + ((header >> 1 & 3) === RLE ? 1 : header >> 3);
  }
  const hasChecksum = (descriptor & 4) !== 0;
  const end = at + (hasChecksum ? 4 : 0);
  return end <= bytes2.length ? end : null;
}

// src/backends/compression/decompress.ts
var zlib = null;
var handles = /* @__PURE__ */ new Map();
async function loadDecompression(what) {
  zlib ??= await loadZlib(what);
}
function decompress(compression, stream, output) {
  const most = output.length - 1;
  const got = handleOf(compression)?.decompress(stream, output);
  if (got === most) return got;
  const block = decompressBySync(compression, stream, most);
  if (block === null) return -1;
  output.set(block);
  return block.length;
}
function loaded() {
  if (zlib === null) throw new Error("loadDecompression() was not called");
  return zlib;
}
function handleOf(compression) {
  let handle = handles.get(compression);
  if (handle === void 0) {
    handle = ZlibHandle.create(loaded(), compression);
    handles.set(compression, handle);
  }
  return handle;
}
function decompressBySync(compression, stream, most) {
  const options = {
    maxOutputLength: most,
    // One piece of output with a byte to spare: zlib would else ask for more.
    chunkSize: most + 1
  };
  try {
    switch (compression) {
      case "deflate":
        return loaded().inflateRawSync(stream, options);
      case "zlib":
        return loaded().inflateSync(stream, options);
      case "zstd":
        return decompressZstd(stream, options);
    }
  } catch {
    return null;
  }
}
function decompressZstd(stream, options) {
  const length2 = zstdFrameLength(stream);
  return length2 === null ? null : loaded().zstdDecompressSync(stream.subarray(0, length2), options);
}

// src/backends/mapped/damage_signs.ts
var DamageSigns = class {
  /** Marks the image, and ends that it is written to; if it is. */
  mark = null;
  #told;
  #name;
  #tell;
  #advice;
  /** Makes the memory that the threads of an image share. */
  static create() {
    return new SharedArrayBuffer(4);
  }
  /**
   * Wraps the memory.
   *
   * @param name The image's name.
   * @param tell Receives a sentence.
   * @param advice What to do.
   */
  constructor(memory, name, tell2, advice) {
    this.#told = new Int32Array(memory);
    this.#name = name;
    this.#tell = tell2;
    this.#advice = advice;
  }
  /**
   * Notes damage.
   *
   * @param what What is damaged, such as "the entry of byte 512".
   */
  found(what) {
    if (Atomics.exchange(this.#told, 0, 1) !== 0) return;
    const { mark } = this;
    const effect = mark === null ? "what it says cannot be read" : "the image is marked as corrupt and takes no more writes";
    this.#tell(`${this.#name} is damaged: ${what} makes no sense, so ${effect}; ${this.#advice}`);
    mark?.();
  }
};

// src/backends/image_map.ts
async function rangeAt(image, position) {
  if ("rangeAt" in image) {
    return await image.rangeAt(position);
  }
  const { size } = await image.stat();
  const { data, end } = await image.extent(position);
  return {
    start: position,
    length: Math.min(end, size) - position,
    depth: 0,
    present: true,
    zero: !data,
    data,
    compressed: false,
    offset: position
  };
}

// src/backends/mapped/mapping.ts
var MAPPED = {
  /** Bytes of a file. */
  DATA: 0,
  /** Zeroes. */
  ZERO: 1,
  /** Not in this image: the one below has it, or it is zeroes. */
  UNALLOCATED: 2,
  /** Compressed. */
  COMPRESSED: 3,
  /** The tables make no sense here. */
  CORRUPT: 4
};
var NO_HOST = -1;
var Mapping = class {
  kind = MAPPED.CORRUPT;
  /** Bytes of the disk that it is valid for. */
  length = 0;
  /** The number of the file that has it, in `ReadSources`. */
  file = 0;
  /**
   * Where the first byte is in the file; of compressed data where the stream
   * starts. Zeroes have a place if a cluster is kept for them.
   */
  host = NO_HOST;
  /** Whether no snapshot shares the data: they may be overwritten in place. */
  isOwn = false;
  /** Bytes of the stream of compressed data at most. */
  streamLength = 0;
  /** Where the first byte is in what the stream gives. */
  inBlock = 0;
  /** Bytes that the stream gives. */
  blockLength = 0;
  /** Sets what has no place in the file. */
  setPlaceless(kind, length2) {
    this.kind = kind;
    this.length = length2;
    this.host = NO_HOST;
    this.isOwn = false;
  }
};

// src/backends/mapped/slice_buffer.ts
var SliceBuffer = class {
  /** As in the file. */
  bytes;
  /** In host order, once it has been read. */
  words;
  /** Which slice. */
  slice = -1;
  /** The number of the file that has it, in `ReadSources`. */
  file = 0;
  /** Where it is in the file. */
  host = 0;
  /** The cache's count before it was read. */
  changes = 0;
  /** Makes room for a slice. */
  constructor(sliceSize) {
    this.bytes = new Uint8Array(sliceSize);
    this.words = new Int32Array(sliceSize / 4);
  }
};

// src/backends/mapped/map_later.ts
async function mapLater({ lookup: lookup2, files, sliceSize }, position, length2, mapping) {
  const slice = new SliceBuffer(sliceSize);
  while (!lookup2.map(position, length2, mapping)) {
    lookup2.prepare(position, slice);
    const { bytes: bytes2, host } = slice;
    const { backend } = files[slice.file];
    const got = await readFully(backend, host, bytes2, 0, bytes2.length);
    if (got < bytes2.length) return got < 0 ? got : -ERRNO.EIO;
    if (lookup2.mapRead(slice, position, length2, mapping)) break;
  }
  return 0;
}

// src/backends/mapped/read_operation.ts
var STATE = {
  /** The next range has to be mapped. */
  MAP: 0,
  /** It is mapped. */
  MAPPED: 1,
  /** Bytes of the disk are being read. */
  BYTES: 2,
  /** A slice of a table is being read. */
  SLICE: 3,
  /** A compressed block is being read. */
  STREAM: 4
};
var NO_BUFFER = new Uint8Array(0);
var ReadOperation = class {
  #from;
  #idle;
  #mapping = new Mapping();
  #state = STATE.MAP;
  #position = 0;
  #buffer = NO_BUFFER;
  #start = 0;
  #length = 0;
  /** Bytes of the disk that have been read. */
  #done = 0;
  #answer = null;
  /** Made when first needed. */
  #slice = null;
  #stream = NO_BUFFER;
  /** Bytes of the slice or stream that have been read. */
  #filled = 0;
  /**
   * Makes an operation.
   *
   * @param from What it reads from.
   * @param idle Where it waits for its next use.
   */
  constructor(from, idle) {
    this.#from = from;
    this.#idle = idle;
  }
  /** Reads a range; the parameters are those of `Backend.read()`. */
  read(position, buffer, start, length2) {
    this.#position = position;
    this.#buffer = buffer;
    this.#start = start;
    this.#length = length2;
    this.#done = 0;
    this.#state = STATE.MAP;
    this.#answer = null;
    let result3;
    try {
      result3 = this.#run();
    } catch (error) {
      this.#release();
      throw error;
    }
    if (result3 === null) return this.#answer;
    this.#release();
    return result3;
  }
  complete(got) {
    let result3;
    try {
      const error = this.#took(got);
      result3 = error < 0 ? this.#end(error) : this.#run();
    } catch (error) {
      return this.fail(error);
    }
    if (result3 === null) return;
    const answer = this.#answer;
    this.#release();
    answer.complete(result3);
  }
  fail(error) {
    const answer = this.#answer;
    const done = this.#done;
    this.#release();
    if (done > 0) answer.complete(done);
    else answer.fail(error);
  }
  /** Goes on as far as possible; `null` if it waits. */
  #run() {
    while (this.#done < this.#length) {
      const got = this.#next();
      if (typeof got !== "number") {
        this.#answer ??= Completion.start();
        Completion.of(got).deliverTo(this);
        return null;
      }
      const error = this.#took(got);
      if (error < 0) return this.#end(error);
    }
    return this.#done;
  }
  #end(error) {
    return this.#done > 0 ? this.#done : error;
  }
  /** Makes the next call. */
  #next() {
    const { lookup: lookup2 } = this.#from;
    const position = this.#position + this.#done;
    if (this.#state === STATE.MAP) {
      const left = this.#length - this.#done;
      if (lookup2.map(position, left, this.#mapping)) {
        this.#state = STATE.MAPPED;
      } else {
        this.#slice ??= new SliceBuffer(this.#from.sliceSize);
        lookup2.prepare(position, this.#slice);
        this.#filled = 0;
        this.#state = STATE.SLICE;
      }
    }
    switch (this.#state) {
      case STATE.SLICE:
        return this.#readSlice(this.#slice);
      case STATE.STREAM:
        return this.#readStream();
      default:
        return this.#readMapped(position);
    }
  }
  #readMapped(position) {
    const { files, blocks, damage } = this.#from;
    const mapping = this.#mapping;
    const { kind, host, length: length2 } = mapping;
    const at = this.#start + this.#done;
    this.#state = STATE.BYTES;
    switch (kind) {
      case MAPPED.DATA:
        return files[mapping.file].backend.read(host, this.#buffer, at, length2);
      case MAPPED.UNALLOCATED:
        return this.#readBacking(position);
      case MAPPED.ZERO:
        return this.#zero(length2);
      case MAPPED.COMPRESSED:
        if (blocks.copy(mapping, this.#buffer, at)) return length2;
        this.#filled = 0;
        this.#state = STATE.STREAM;
        return this.#readStream();
      default:
        damage.found(`its table at byte ${position} of the disk`);
        return -ERRNO.EIO;
    }
  }
  #readBacking(position) {
    const { backing } = this.#from;
    const { length: length2 } = this.#mapping;
    const there = backing === null ? 0 : Math.min(length2, backing.size - position);
    if (there <= 0) return this.#zero(length2);
    const at = this.#start + this.#done;
    return backing.backend.read(position, this.#buffer, at, there);
  }
  #zero(length2) {
    const at = this.#start + this.#done;
    this.#buffer.fill(0, at, at + length2);
    return length2;
  }
  #readSlice({ bytes: bytes2, file, host }) {
    const filled = this.#filled;
    const left = bytes2.length - filled;
    const { backend } = this.#from.files[file];
    return backend.read(host + filled, bytes2, filled, left);
  }
  #readStream() {
    const { file, host, streamLength, blockLength } = this.#mapping;
    const filled = this.#filled;
    if (this.#stream.length < streamLength) {
      const room3 = Math.max(streamLength, 2 * blockLength);
      this.#stream = new Uint8Array(room3);
    }
    const left = streamLength - filled;
    const { backend } = this.#from.files[file];
    return backend.read(host + filled, this.#stream, filled, left);
  }
  /** Takes the result of a call; a negative errno if the read has to end. */
  #took(got) {
    if (got < 0) return got;
    switch (this.#state) {
      case STATE.SLICE:
        return this.#tookSlice(got, this.#slice);
      case STATE.STREAM:
        return this.#tookStream(got);
      default: {
        const bytes2 = got === 0 ? this.#pastEnd() : got;
        if (bytes2 < 0) return bytes2;
        this.#done += bytes2;
        this.#state = STATE.MAP;
        return 0;
      }
    }
  }
  #tookSlice(got, slice) {
    if (got === 0) return -ERRNO.EIO;
    this.#filled += got;
    if (this.#filled < slice.bytes.length) return 0;
    const position = this.#position + this.#done;
    const left = this.#length - this.#done;
    const { lookup: lookup2 } = this.#from;
    const isMapped = lookup2.mapRead(slice, position, left, this.#mapping);
    this.#state = isMapped ? STATE.MAPPED : STATE.MAP;
    return 0;
  }
  #tookStream(got) {
    const { blocks } = this.#from;
    const { streamLength } = this.#mapping;
    this.#filled += got;
    if (got > 0 && this.#filled < streamLength) return 0;
    const stream = this.#stream.subarray(0, this.#filled);
    if (!blocks.add(this.#mapping, stream)) return -ERRNO.EIO;
    this.#state = STATE.MAP;
    return 0;
  }
  /** Bytes that are zeroes because the last cluster of a file is not whole. */
  #pastEnd() {
    const { kind, file, host, length: length2 } = this.#mapping;
    const { end, zeroEnd } = this.#from.files[file];
    if (kind !== MAPPED.DATA || host < end || host >= zeroEnd) {
      return -ERRNO.EIO;
    }
    return this.#zero(Math.min(length2, zeroEnd - host));
  }
  #release() {
    this.#buffer = NO_BUFFER;
    this.#idle.push(this);
  }
};

// src/backends/mapped/read_sources.ts
function notAtEnd(answer) {
  if (typeof answer !== "number") {
    return Completion.of(answer).after(NOT_AT_END);
  }
  return answer === 0 ? -ERRNO.EIO : answer;
}
var NOT_AT_END = {
  run: (got) => got === 0 ? -ERRNO.EIO : got
};

// src/backends/mapped/mapped_backend.ts
var MAPPINGS_MAX = 1024;
var MappedImage = class extends ImageBackend {
  shared = true;
  #from;
  /** The mapping of a read that is answered without an operation. */
  #mapping = new Mapping();
  #idle = [];
  /** Puts an image together. Its owner closes the files after it. */
  constructor(parts2) {
    super(parts2.name);
    this.#from = parts2;
  }
  /** The size of the disk in bytes. */
  get size() {
    return this.#from.size;
  }
  stat() {
    const { clusterSize, files } = this.#from;
    const { size } = this;
    const statOf2 = ({ allocated, times: times2 }) => {
      return {
        size,
        allocated,
        blockSize: clusterSize,
        times: times2
      };
    };
    const stat = files[0].backend.stat();
    return "then" in stat ? stat.then(statOf2) : statOf2(stat);
  }
  read(position, buffer, start, length2) {
    const { lookup: lookup2, files, backing } = this.#from;
    const mapping = this.#mapping;
    if (length2 === 0) return 0;
    if (lookup2.map(position, length2, mapping) && mapping.length === length2) {
      const { kind, host } = mapping;
      if (kind === MAPPED.DATA) {
        const { backend, end } = files[mapping.file];
        if (host + length2 <= end) {
          return notAtEnd(backend.read(host, buffer, start, length2));
        }
      }
      const isBelow = kind === MAPPED.UNALLOCATED && backing !== null;
      if (kind === MAPPED.ZERO || kind === MAPPED.UNALLOCATED && !isBelow) {
        buffer.fill(0, start, start + length2);
        return length2;
      }
      if (isBelow && position + length2 <= backing.size) {
        return notAtEnd(backing.backend.read(position, buffer, start, length2));
      }
    }
    const operation = this.#idle.pop() ?? new ReadOperation(this.#from, this.#idle);
    return operation.read(position, buffer, start, length2);
  }
  queueEnded(queue) {
    const { lookup: lookup2, backing } = this.#from;
    lookup2.queueEnded(queue);
    backing?.backend.queueEnded?.(queue);
  }
  async extent(position) {
    const first2 = await this.#extentAt(position);
    let { end } = first2;
    for (let i = 1; i < MAPPINGS_MAX && end < this.size; i++) {
      const next = await this.#extentAt(end);
      if (next.data !== first2.data) break;
      end = next.end;
    }
    return {
      data: first2.data,
      end
    };
  }
  /** What the disk is made of at a position, in this image or one below. */
  async rangeAt(position) {
    const { backing } = this.#from;
    const mapping = await this.#mappingAt(position);
    const { kind, host } = mapping;
    if (kind === MAPPED.CORRUPT) throw tableError(this.name, -ERRNO.EIO);
    const isBelow = kind === MAPPED.UNALLOCATED && backing !== null && position < backing.size;
    if (isBelow) {
      const below = await rangeAt(backing.backend, position);
      const least = Math.min(mapping.length, below.length);
      return {
        ...below,
        length: least,
        depth: below.depth + 1
      };
    }
    const stored = await this.#storedAt(mapping);
    const data = kind === MAPPED.DATA ? stored.data : kind === MAPPED.COMPRESSED;
    const hasPlace2 = kind !== MAPPED.COMPRESSED && host !== NO_HOST;
    return {
      start: position,
      length: stored.end,
      depth: 0,
      present: kind !== MAPPED.UNALLOCATED,
      zero: !data,
      data,
      compressed: kind === MAPPED.COMPRESSED,
      offset: hasPlace2 ? host : null
    };
  }
  /** The extent of one mapping, at most to the end of the disk. */
  async #extentAt(position) {
    const { backing } = this.#from;
    const mapping = await this.#mappingAt(position);
    const { kind } = mapping;
    const end = position + mapping.length;
    if (kind === MAPPED.ZERO) return {
      data: false,
      end
    };
    if (kind === MAPPED.DATA) {
      const stored = await this.#storedAt(mapping);
      return {
        data: stored.data,
        end: position + stored.end
      };
    }
    if (kind !== MAPPED.UNALLOCATED) return {
      data: true,
      end
    };
    if (backing === null || position >= backing.size) {
      return {
        data: false,
        end
      };
    }
    const below = await backing.backend.extent(position);
    return {
      data: below.data,
      end: Math.min(end, below.end, backing.size)
    };
  }
  /** Whether a file has bytes where a mapping starts, and for how many bytes. */
  async #storedAt({ kind, file, host, length: length2 }) {
    const { hasHoles, backend } = this.#from.files[file] ?? {};
    if (kind !== MAPPED.DATA || hasHoles !== true) {
      return {
        data: true,
        end: length2
      };
    }
    const { data, end } = await backend.extent(host);
    return {
      data,
      end: Math.min(length2, end - host)
    };
  }
  async #mappingAt(position) {
    const mapping = new Mapping();
    const left = this.size - position;
    const error = await mapLater(this.#from, position, left, mapping);
    if (error < 0) throw tableError(this.name, error);
    return mapping;
  }
};
function tableError(name, error) {
  const message = `A table of ${name} cannot be read`;
  return Object.assign(new Error(message), {
    errno: -error
  });
}

// src/backends/mapped/slice_layout.ts
var WAYS = 8;
var CONTROL_WORDS = 16;
var SET_WORDS = 16;
var SLOT_WORDS = 4;
var SET_STRIDE = SET_WORDS + WAYS * SLOT_WORDS;
var SET = {
  /** While a thread changes its slots, the number of that thread; else 0. */
  LOCK: 0,
  /** The slot that is looked at first when one must be replaced. */
  HAND: 1,
  /** Counts what a slice that was being read meanwhile may not overwrite. */
  CHANGES: 2
};
var SLOT = {
  /** The slice plus 1; 0 if the slot is empty. */
  TAG: 0,
  /** Odd while the slot changes. */
  VERSION: 1,
  /** Not 0 if it was used since the hand passed it. */
  USED: 2,
  /** One of {@linkcode DIRTY}; a slot that is not clean is not replaced. */
  DIRTY: 3
};
var DIRTY = {
  CLEAN: 0,
  /** Changed, and in the list of dirty slots. */
  CHANGED: 1,
  /** Being written to the file. */
  WRITING: 2,
  /** Changed again while it is being written. */
  CHANGED_AGAIN: 3
};
var UNDO_WORDS = 4;
var UNDO = {
  /** 1 while the change is under way. */
  ACTIVE: 0,
  /** The slot, the first word of it, and how many. */
  SLOT: 1,
  AT: 2,
  COUNT: 3
};
var CONTROL = {
  /** How many sets there are. */
  SETS: 0,
  /** How many slots are in the list of dirty slots. */
  DIRTY_COUNT: 1
};

// src/backends/mapped/slice_cache.ts
var LOCK_LOOKS = 100;
function cacheOwner(queue) {
  return (queue ?? -1) + 2;
}
var SliceCache = class {
  /** The words of all slots: slot `n` starts at `n * sliceWords`. */
  data;
  words;
  sliceWords;
  /** The number of this thread as the owner of a set's lock. */
  owner;
  /** What undoes the change that is under way. */
  undo;
  #sets;
  /** The slots that have changed, in the order in which they did. */
  dirty;
  /** The version of the slot that was found last. */
  #version = 0;
  /**
   * Makes the memory of a cache.
   *
   * @param bytes How much it may take; it takes a few slots if that is less.
   * @param slices How many slices there are: it does not take more.
   * @param sliceWords 32-bit words of a slice.
   */
  static create(bytes2, slices, sliceWords) {
    const setBytes = 4 * (SET_STRIDE + WAYS * (sliceWords + 1));
    const sets = Math.max(1, Math.min(Math.floor(bytes2 / setBytes), Math.ceil(slices / WAYS)));
    const memory = new SharedArrayBuffer(4 * (CONTROL_WORDS + UNDO_WORDS + sliceWords) + sets * setBytes);
    new Int32Array(memory)[CONTROL.SETS] = sets;
    return memory;
  }
  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode SliceCache.create}.
   * @param sliceWords As there.
   * @param owner The number of this thread, of {@linkcode cacheOwner}.
   */
  constructor(memory, sliceWords, owner) {
    this.owner = owner;
    this.#sets = new Int32Array(memory, 0, 1)[0];
    this.sliceWords = sliceWords;
    const words = CONTROL_WORDS + this.#sets * SET_STRIDE;
    this.words = new Int32Array(memory, 0, words);
    const slots = this.#sets * WAYS;
    this.dirty = new Int32Array(memory, 4 * words, slots);
    const undo = words + slots;
    this.undo = new Int32Array(memory, 4 * undo, UNDO_WORDS + sliceWords);
    this.data = new Int32Array(memory, 4 * (undo + this.undo.length));
  }
  /** How many slices fit. */
  get slots() {
    return this.#sets * WAYS;
  }
  /**
   * Finds a slice. What the caller then reads of `data` counts only if
   * {@linkcode SliceCache.isUnchanged} says so afterwards.
   *
   * @returns Its slot, or -1 if it is not cached or is being changed.
   */
  find(slice) {
    const words = this.words;
    const set = slice % this.#sets;
    const tag = slice + 1 | 0;
    let at = CONTROL_WORDS + set * SET_STRIDE + SET_WORDS;
    for (let way = 0; way < WAYS; way++, at += SLOT_WORDS) {
      if (Atomics.load(words, at + SLOT.TAG) !== tag) continue;
      const version = Atomics.load(words, at + SLOT.VERSION);
      if ((version & 1) !== 0 || Atomics.load(words, at + SLOT.TAG) !== tag) {
        return -1;
      }
      if (Atomics.load(words, at + SLOT.USED) === 0) {
        Atomics.store(words, at + SLOT.USED, 1);
      }
      this.#version = version;
      return set * WAYS + way;
    }
    return -1;
  }
  /** Whether the slot found last has not changed since. */
  isUnchanged(slot) {
    const at = this.slotAt(slot) + SLOT.VERSION;
    return Atomics.load(this.words, at) === this.#version;
  }
  /** The count to hand to {@linkcode SliceCache.add} after reading a slice. */
  changes(slice) {
    return Atomics.load(this.words, this.setAt(slice) + SET.CHANGES);
  }
  /**
   * Copies a slice.
   *
   * @param into Takes its words.
   * @returns Whether it is cached, and was not being changed.
   */
  copy(slice, into) {
    const slot = this.find(slice);
    if (slot < 0) return false;
    const start = slot * this.sliceWords;
    for (let i = 0; i < into.length; i++) {
      into[i] = Atomics.load(this.data, start + i);
    }
    return this.isUnchanged(slot);
  }
  /**
   * Whether what was read of a slice in the file is its newest state: no slot has
   * it, where it may have changed, and none was written since.
   *
   * @param changes The count before it was read.
   */
  isCurrent(slice, changes) {
    const { words } = this;
    const set = this.setAt(slice);
    const tag = slice + 1 | 0;
    for (let way = 0; way < WAYS; way++) {
      const at = set + SET_WORDS + way * SLOT_WORDS + SLOT.TAG;
      if (Atomics.load(words, at) === tag) return false;
    }
    return Atomics.load(words, set + SET.CHANGES) === changes;
  }
  /**
   * Caches a slice that was read, unless it is there already, or the set has
   * changed so that it may be out of date, or another thread keeps the set for
   * too long: it then stays as it is, and the slice is read again next time.
   *
   * @param slice Its number.
   * @param words Its words in host order.
   * @param changes The count before it was read.
   * @returns Whether it was cached by this call.
   */
  add(slice, words, changes) {
    const set = this.setAt(slice);
    if (!this.lock(set)) return false;
    try {
      if (Atomics.load(this.words, set + SET.CHANGES) !== changes) {
        return false;
      }
      const slot = this.slotFor(set, slice + 1 | 0);
      if (slot >= 0) this.fill(slot, slice + 1 | 0, words);
      return slot >= 0;
    } finally {
      this.unlock(set);
    }
  }
  /**
   * Releases what a thread has locked that has ended: the slots are left as they
   * were before, or after.
   */
  threadEnded(owner) {
    const { words } = this;
    for (let set = CONTROL_WORDS; set < words.length; set += SET_STRIDE) {
      if (Atomics.load(words, set + SET.LOCK) !== owner) continue;
      for (let way = 0; way < WAYS; way++) {
        const at = set + SET_WORDS + way * SLOT_WORDS + SLOT.VERSION;
        if ((Atomics.load(words, at) & 1) !== 0) Atomics.add(words, at, 1);
      }
      this.unlock(set);
    }
  }
  unlock(set) {
    Atomics.store(this.words, set + SET.LOCK, 0);
  }
  setAt(slice) {
    return CONTROL_WORDS + slice % this.#sets * SET_STRIDE;
  }
  slotAt(slot) {
    return CONTROL_WORDS + Math.floor(slot / WAYS) * SET_STRIDE + SET_WORDS + slot % WAYS * SLOT_WORDS;
  }
  lock(set) {
    const words = this.words;
    for (let looks = 0; looks < LOCK_LOOKS; looks++) {
      const at = set + SET.LOCK;
      if (Atomics.compareExchange(words, at, 0, this.owner) === 0) return true;
    }
    return false;
  }
  /**
   * Chooses the slot for a slice: an empty one, else the first from the hand on
   * that was not used since the hand passed it.
   *
   * @returns -1 if the slice is there already, or every slot has to stay.
   */
  slotFor(set, tag) {
    const words = this.words;
    const first2 = set + SET_WORDS;
    let empty = -1;
    for (let way2 = 0; way2 < WAYS; way2++) {
      const found = Atomics.load(words, first2 + way2 * SLOT_WORDS + SLOT.TAG);
      if (found === tag) return -1;
      const at = first2 + way2 * SLOT_WORDS + SLOT.DIRTY;
      const isFree = found === 0 && Atomics.load(words, at) === DIRTY.CLEAN;
      if (isFree && empty < 0) empty = way2;
    }
    let way = empty;
    let hand = Atomics.load(words, set + SET.HAND);
    for (let looks = 0; way < 0; looks++) {
      if (looks > 2 * WAYS) return -1;
      const at = first2 + hand * SLOT_WORDS;
      const isClean = Atomics.load(words, at + SLOT.DIRTY) === DIRTY.CLEAN;
      if (isClean && Atomics.exchange(words, at + SLOT.USED, 0) === 0) {
        way = hand;
      }
      hand = (hand + 1) % WAYS;
      Atomics.store(words, set + SET.HAND, hand);
    }
    return (set - CONTROL_WORDS) / SET_STRIDE * WAYS + way;
  }
  fill(slot, tag, from) {
    const words = this.words;
    const at = this.slotAt(slot);
    Atomics.add(words, at + SLOT.VERSION, 1);
    Atomics.store(words, at + SLOT.TAG, 0);
    const { data } = this;
    const start = slot * this.sliceWords;
    for (let i = 0; i < from.length; i++) {
      Atomics.store(data, start + i, from[i]);
    }
    Atomics.store(words, at + SLOT.USED, 1);
    Atomics.store(words, at + SLOT.TAG, tag);
    Atomics.add(words, at + SLOT.VERSION, 1);
  }
};

// src/backends/mapped/l1_table.ts
var NO_TABLE = 0;
var BAD_TABLE = 4294967295;
var L1Table = class {
  #words;
  /** Wraps the words. */
  constructor(memory) {
    this.#words = new Uint32Array(memory);
  }
  /** How many tables there are at most. */
  get length() {
    return this.#words.length;
  }
  /**
   * Where a table is, in units; {@linkcode NO_TABLE} or {@linkcode BAD_TABLE} if
   * there is none.
   */
  unitOf(table2) {
    return Atomics.load(this.#words, table2);
  }
};

// src/backends/mapped/table_lookup.ts
var LOOKS = 100;
var TableLookup = class {
  #geometry;
  #l1;
  #cache;
  #entries;
  /**
   * Attaches to the tables of an open image.
   *
   * @param entries Reads their entries.
   * @param owner The number of this thread, of `cacheOwner()`.
   */
  constructor({ geometry, l1, cache }, entries2, owner) {
    this.#geometry = geometry;
    this.#l1 = new L1Table(l1);
    this.#cache = new SliceCache(cache, geometry.sliceSize / 4, owner);
    this.#entries = entries2;
  }
  map(position, length2, mapping) {
    const { sliceSpan, sliceSize } = this.#geometry;
    const slice = Math.floor(position / sliceSpan);
    const inSlice = position - slice * sliceSpan;
    const cache = this.#cache;
    for (let look = 0; look < LOOKS; look++) {
      const slot = cache.find(slice);
      if (slot < 0) break;
      const start = slot * (sliceSize / 4);
      const { data } = cache;
      this.#entries.map(data, start, position, inSlice, length2, mapping);
      if (cache.isUnchanged(slot)) return true;
    }
    return this.#mapByL1(slice, inSlice, length2, mapping);
  }
  queueEnded(queue) {
    this.#cache.threadEnded(cacheOwner(queue));
  }
  prepare(position, into) {
    const { sliceSpan, sliceSize, tableSlices, tableUnit } = this.#geometry;
    const slice = Math.floor(position / sliceSpan);
    const table2 = Math.floor(slice / tableSlices);
    into.slice = slice;
    into.changes = this.#cache.changes(slice);
    into.host = this.#l1.unitOf(table2) * tableUnit + slice % tableSlices * sliceSize;
  }
  mapRead(read2, position, length2, mapping) {
    const { words, bytes: bytes2, slice, changes } = read2;
    if (!this.#cache.isCurrent(slice, changes)) return false;
    this.#entries.decode(bytes2, words);
    this.#cache.add(slice, words, changes);
    const inSlice = position - slice * this.#geometry.sliceSpan;
    this.#entries.map(words, 0, position, inSlice, length2, mapping);
    return true;
  }
  /** Maps what has no table, as far as no further table follows. */
  #mapByL1(slice, inSlice, length2, mapping) {
    const { sliceSpan, tableSlices } = this.#geometry;
    const table2 = Math.floor(slice / tableSlices);
    const unit = this.#l1.unitOf(table2);
    if (unit !== NO_TABLE && unit !== BAD_TABLE) return false;
    const before = (slice - table2 * tableSlices) * sliceSpan + inSlice;
    const span = tableSlices * sliceSpan;
    let mapped = span - before;
    for (let next = table2 + 1; mapped < length2; next++, mapped += span) {
      if (next >= this.#l1.length || this.#l1.unitOf(next) !== unit) break;
    }
    mapping.setPlaceless(unit === NO_TABLE ? MAPPED.UNALLOCATED : MAPPED.CORRUPT, Math.min(mapped, length2));
    return true;
  }
};

// src/backends/reference_gate.ts
var CHAIN_MAX = 32;
var READ_ONLY = {
  writable: false,
  growable: false,
  snapshot: null,
  backing: null,
  overlay: null
};
var ReferenceGate = class {
  #context;
  /** Directories that may be used, without symbolic links. */
  #directories;
  /** Files of the chain, by their identities. */
  #members = /* @__PURE__ */ new Set();
  #images = 1;
  /**
   * Makes the gate of a chain.
   *
   * @param first The file of the first image, which the user named.
   * @param context The context in which it is opened.
   */
  constructor(first2, context) {
    const { options, services: { files } } = context;
    const own = first2.file === null ? [] : [
      files.pathOf(first2.file.fd)
    ];
    this.#context = context;
    this.#directories = [
      ...own.map(directoryOf),
      ...options.allowReference.map((path) => files.absolutePath(`${path}/.`))
    ];
    this.#add(first2);
  }
  /**
   * The path of a file that an image names.
   *
   * @throws {UserError} If the name is no path, or the chain is too long.
   */
  pathOf(reference) {
    const { role, name, by } = reference;
    if (/^[a-z][a-z0-9+.-]*:/i.test(name)) {
      throw refused(reference, "it is not a path; name the file yourself");
    }
    const isBelow = role === "backing file" || role === "parent";
    if (isBelow && ++this.#images > CHAIN_MAX) {
      throw refused(reference, `the chain has more than ${CHAIN_MAX} images; shorten it with 'qemu-img rebase' or 'qemu-img convert'`);
    }
    if (name.startsWith("/")) return name;
    const { files } = this.#context.services;
    const directory = by.file === null ? null : directoryOf(files.pathOf(by.file.fd));
    return directory === null ? name : `${directory}/${name}`;
  }
  /**
   * Admits a file that was opened for a reference, before any of it is read.
   *
   * @throws {UserError} If it lies elsewhere, or is part of the chain already.
   */
  admit(file, reference) {
    const { files } = this.#context.services;
    if (file.file === null) throw refused(reference, "it is not a file");
    const path = files.pathOf(file.file.fd);
    const isInside = this.#directories.some((directory) => path.startsWith(directory === "/" ? directory : `${directory}/`));
    if (!isInside) {
      const directory = directoryOf(path);
      throw refused(reference, `it is ${path}, outside of the image's directory; allow that with allow-reference=${directory} if you trust the image`);
    }
    if (!this.#add(file)) {
      throw refused(reference, "it is part of the same chain already; repair the chain with 'qemu-img rebase'");
    }
  }
  #add({ file }) {
    const identity = file?.stat.identity;
    if (identity === void 0) return true;
    const isNew = !this.#members.has(identity);
    this.#members.add(identity);
    return isNew;
  }
};
function refused({ role, name, by }, why) {
  return new UserError(`Cannot open the ${role} ${JSON.stringify(name)} of ${by.name}: ${why}`);
}
function directoryOf(path) {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

// src/backends/formats/qcow2/refusal.ts
var CHECK = "compare it with its source, or look with 'check'";
function refusal(name, why, advice = CHECK) {
  return new UserError(`Cannot open ${name} as qcow2: ${why}; ${advice}`);
}

// src/backends/formats/qcow2/header_extensions.ts
var NAME_ENTRY2 = 48;
var FEATURE_FIELDS = [
  "incompatible",
  "compatible",
  "autoclear"
];
function parseExtensions(bytes2, start, end, name) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, end);
  const extensions = [];
  for (let at = start; at + 8 <= end; ) {
    const type = view2.getUint32(at);
    const length2 = view2.getUint32(at + 4);
    at += 8;
    if (type === EXTENSION.END) break;
    if (length2 > end - at) {
      throw refusal(name, `a header extension of ${length2} bytes is too long`);
    }
    extensions.push({
      type,
      data: bytes2.slice(at, at + length2)
    });
    at += Math.ceil(length2 / 8) * 8;
  }
  return extensions;
}
function extensionOf(extensions, type) {
  return extensions.find((each) => each.type === type)?.data ?? null;
}
function textOfExtension(extensions, type, max, name) {
  const data = extensionOf(extensions, type);
  if (data === null || data.length === 0) return null;
  if (data.length > max || data.includes(0)) {
    throw refusal(name, "a name in its header is too long or has a NUL");
  }
  return decodeName(data);
}
function featureName(extensions, field, bit) {
  const table2 = extensionOf(extensions, EXTENSION.FEATURE_NAMES);
  for (let at = 0; table2 !== null && at + NAME_ENTRY2 <= table2.length; ) {
    const entry2 = table2.subarray(at, at += NAME_ENTRY2);
    if (entry2[0] !== field || entry2[1] !== bit) continue;
    const text = String.fromCharCode(...entry2.subarray(2)).replace(/\0.*$/s, "");
    if (/^[\x20-\x7e]+$/.test(text)) return `"${text}"`;
  }
  return `bit ${bit} of ${FEATURE_FIELDS[field]}_features`;
}

// src/backends/formats/qcow2/header.ts
var KNOWN_INCOMPATIBLE = Object.values(INCOMPATIBLE).reduce((all, bit) => all | bit, 0n);
function clusterSizeOf(bytes2, name) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  if (bytes2.length < HEADER_V2 || view2.getUint32(0) !== QCOW2_MAGIC) {
    const advice = "name its format, or leave the prefix out if it is raw";
    throw refusal(name, "it does not begin like a qcow2 image", advice);
  }
  const version = view2.getUint32(4);
  if (version !== 2 && version !== 3) {
    const advice = "convert it with 'qemu-img convert -O qcow2'";
    throw refusal(name, `it has version ${version}, not 2 or 3`, advice);
  }
  const clusterBits = view2.getUint32(20);
  const { CLUSTER_BITS_MIN: min, CLUSTER_BITS_MAX: max } = LIMIT;
  if (clusterBits < min || clusterBits > max) {
    const why = `cluster_bits is ${clusterBits}, not ${min} to ${max}`;
    throw refusal(name, why);
  }
  return 2 ** clusterBits;
}
function parseHeader(bytes2, name) {
  const clusterSize = clusterSizeOf(bytes2, name);
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const version = view2.getUint32(4);
  const headerLength = lengthOf2(view2, version, name);
  const backingOffset = positionOf(view2, 8, name);
  const end = backingOffset === 0 ? bytes2.length : backingOffset;
  if (end < headerLength || end > bytes2.length) {
    throw refusal(name, "the backing file's name is not in the first cluster");
  }
  const extensions = parseExtensions(bytes2, headerLength, end, name);
  const features = featuresOf(view2, version, extensions, name);
  const { incompatible } = features;
  const text = (type, max) => textOfExtension(extensions, type, max, name);
  const header = {
    version,
    ...features,
    headerLength,
    extensions,
    clusterBits: Math.log2(clusterSize),
    size: positionOf(view2, 24, name),
    l1Entries: view2.getUint32(36),
    l1Offset: positionOf(view2, 40, name),
    refcountTableOffset: positionOf(view2, 48, name),
    refcountTableClusters: view2.getUint32(56),
    snapshots: view2.getUint32(60),
    snapshotsOffset: positionOf(view2, 64, name),
    refcountOrder: version === 2 ? 4 : view2.getUint32(96),
    compression: compressionOf(bytes2, headerLength, incompatible, name),
    extendedL2: (incompatible & INCOMPATIBLE.EXTENDED_L2) !== 0n,
    backingName: backingNameOf(bytes2, backingOffset, name),
    backingFormat: text(EXTENSION.BACKING_FORMAT, LIMIT.FORMAT_NAME),
    hasDataFile: (incompatible & INCOMPATIBLE.DATA_FILE) !== 0n,
    dataFileName: text(EXTENSION.DATA_FILE, LIMIT.DATA_FILE_NAME)
  };
  refuseEncrypted(view2.getUint32(32), name);
  checkTables(header, clusterSize, name);
  return header;
}
function lengthOf2(view2, version, name) {
  if (version === 2) return HEADER_V2;
  const length2 = view2.byteLength < HEADER_V3 ? 0 : view2.getUint32(100);
  if (length2 < HEADER_V3 || length2 % 8 !== 0 || length2 > view2.byteLength) {
    throw refusal(name, `header_length is ${length2}`);
  }
  return length2;
}
function positionOf(view2, at, name) {
  const value2 = view2.getBigUint64(at);
  if (value2 <= BigInt(SIZE_MAX)) return Number(value2);
  throw refusal(name, `the header's field at byte ${at} is ${value2}`);
}
function featuresOf(view2, version, extensions, name) {
  if (version === 2) return {
    incompatible: 0n,
    compatible: 0n,
    autoclear: 0n
  };
  const incompatible = view2.getBigUint64(72);
  const unknown = [];
  for (let bit = 0; bit < 64; bit++) {
    const isSet = (incompatible & ~KNOWN_INCOMPATIBLE & 1n << BigInt(bit)) !== 0n;
    if (isSet) unknown.push(featureName(extensions, 0, bit));
  }
  if (unknown.length > 0) {
    const why = `it uses features that this version does not know (${unknown.join(", ")})`;
    throw refusal(name, why, "open it with the program that made it");
  }
  return {
    incompatible,
    compatible: view2.getBigUint64(80),
    autoclear: view2.getBigUint64(88)
  };
}
function compressionOf(bytes2, headerLength, incompatible, name) {
  const type = headerLength > COMPRESSION_TYPE_AT ? bytes2[COMPRESSION_TYPE_AT] : 0;
  const isMarked = (incompatible & INCOMPATIBLE.COMPRESSION) !== 0n;
  if (type > 1 || isMarked !== (type !== 0)) {
    throw refusal(name, `its compression type is ${type}`);
  }
  return type === 0 ? "deflate" : "zstd";
}
function backingNameOf(bytes2, offset, name) {
  if (offset === 0) return null;
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const length2 = view2.getUint32(16);
  if (length2 > LIMIT.BACKING_NAME || offset + length2 > bytes2.length) {
    const why = `the backing file's name of ${length2} bytes is too long`;
    throw refusal(name, why);
  }
  const text = bytes2.slice(offset, offset + length2);
  if (text.includes(0)) {
    throw refusal(name, "its backing file's name has a NUL");
  }
  return length2 === 0 ? null : decodeName(text);
}
function refuseEncrypted(method, name) {
  if (method === 0) return;
  const kind = CRYPT_METHODS[method] ?? `method ${method}`;
  const advice = "decrypt it with 'qemu-img convert --image-opts' first";
  throw refusal(name, `it is encrypted (${kind})`, advice);
}
function checkTables(header, clusterSize, name) {
  const check = (isRight, why) => {
    if (!isRight) throw refusal(name, why);
  };
  const { extendedL2, clusterBits, refcountOrder, l1Entries } = header;
  const isAligned = (at) => at % clusterSize === 0;
  const { hasDataFile, backingName, autoclear } = header;
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n;
  check(!extendedL2 || clusterBits >= LIMIT.EXTENDED_CLUSTER_BITS_MIN, `cluster_bits is ${clusterBits}, too small for extended L2 entries`);
  check(refcountOrder <= LIMIT.REFCOUNT_ORDER_MAX, `refcount_order is ${refcountOrder}`);
  check(l1Entries * 8 <= LIMIT.L1_BYTES, `its L1 table of ${l1Entries} entries is too large`);
  check(isAligned(header.l1Offset), "its L1 table is not aligned");
  check(header.refcountTableClusters * clusterSize <= LIMIT.REFCOUNT_TABLE_BYTES, "its refcount table is too large");
  check(isAligned(header.refcountTableOffset), "its refcount table is not aligned");
  check(header.snapshots <= LIMIT.SNAPSHOTS, `it has ${header.snapshots} snapshots`);
  check(header.snapshots === 0 || isAligned(header.snapshotsOffset), "its snapshot table is not aligned");
  check(!(hasDataFile && isRaw && backingName !== null), "it has a raw data file and a backing file");
}

// src/backends/formats/qcow2/read_header.ts
async function readHeader(file, name) {
  const start = await readStart(file, HEADER_V2, name);
  const clusterSize = clusterSizeOf(start, name);
  return parseHeader(await readStart(file, clusterSize, name), name);
}
async function readStart(file, length2, name) {
  const bytes2 = new Uint8Array(length2);
  const got = await readFully(file, 0, bytes2, 0, length2);
  if (got < 0) throw refusal(name, "its header cannot be read");
  return bytes2.subarray(0, got);
}

// src/backends/formats/qcow2/feature_bits.ts
var INCOMPATIBLE_FIELD = 72;
function writeIncompatible(file, bits) {
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, bits);
  const bytes2 = new Uint8Array(field.buffer);
  const put2 = file.write(INCOMPATIBLE_FIELD, bytes2, 0, bytes2.length);
  return typeof put2 === "number" ? resultOf(put2) : put2.then(resultOf);
}
function resultOf(put2) {
  if (put2 < 0) return put2;
  return put2 === 8 ? 0 : -ERRNO.EIO;
}

// src/backends/formats/qcow2/geometry.ts
var SLICE_MAX = 1024;
function geometryOf(header) {
  const { version, clusterBits, extendedL2, hasDataFile } = header;
  const clusterSize = 2 ** clusterBits;
  const entryWords2 = extendedL2 ? 4 : 2;
  const sliceSize = Math.min(clusterSize, SLICE_MAX);
  const sliceEntries = sliceSize / (entryWords2 * 4);
  return {
    version,
    clusterBits,
    clusterSize,
    entryWords: entryWords2,
    subclusterSize: extendedL2 ? clusterSize / SUBCLUSTERS : clusterSize,
    sliceSize,
    sliceEntries,
    sliceSpan: sliceEntries * clusterSize,
    tableSlices: clusterSize / sliceSize,
    tableUnit: clusterSize,
    hasDataFile
  };
}
function l1EntriesFor({ sliceSpan, tableSlices }, size, entries2, name) {
  const needed2 = Math.ceil(size / (sliceSpan * tableSlices));
  if (needed2 <= entries2) return needed2;
  const why = `its L1 table has ${entries2} entries, yet ${size} bytes need ${needed2}`;
  throw refusal(name, why);
}

// src/backends/formats/qcow2/check/checked_image.ts
var SECTOR3 = 512;
var CheckedImage = class {
  file;
  header;
  name;
  geometry;
  /** Refcounts of a block. */
  perBlock;
  /**
   * Wraps an open image.
   *
   * @param file Its file.
   * @param header Its header.
   * @param name Its name in errors.
   * @param length The size of the file in bytes.
   */
  constructor(file, header, name, length2) {
    this.file = file;
    this.header = header;
    this.name = name;
    this.geometry = geometryOf(header);
    this.length = Math.ceil(length2 / SECTOR3) * SECTOR3;
    this.perBlock = this.clusterSize * 8 / 2 ** header.refcountOrder;
  }
  /** The size of the file in bytes. */
  length;
  get clusterSize() {
    return this.geometry.clusterSize;
  }
  /** The clusters of the file. */
  get clusters() {
    return Math.ceil(this.length / this.clusterSize);
  }
  /** Reads bytes, with zeroes after the end of the file; `null` on an error. */
  async read(at, length2) {
    const bytes2 = new Uint8Array(length2);
    if (at >= this.length) return bytes2;
    const got = await readFully(this.file, at, bytes2, 0, length2);
    return got < 0 ? null : bytes2;
  }
  /** Reads 64-bit entries, as pairs of words; `null` on an error. */
  async readWords(at, length2) {
    const bytes2 = await this.read(at, length2);
    if (bytes2 === null) return null;
    const view2 = new DataView(bytes2.buffer);
    return Int32Array.from({
      length: length2 / 4
    }, (_, word) => view2.getInt32(4 * word));
  }
};

// src/backends/formats/qcow2/check/compare_refcounts.ts
async function compareRefcounts({ image, counts, report: report2 }, stored) {
  const { perBlock } = image;
  const clusters = Math.max(image.clusters, counts.end);
  for (const block of blocksOf(stored, counts.blocks(perBlock))) {
    if (!await stored.load(block)) continue;
    const end = Math.min((block + 1) * perBlock, clusters);
    for (let cluster = block * perBlock; cluster < end; cluster++) {
      const refcount = stored.at(cluster);
      const references = counts.get(cluster);
      if (refcount > references) {
        report2.leaks++;
      } else if (refcount < references) {
        const what = `cluster ${cluster} has refcount ${refcount}`;
        report2.corrupt("REFCOUNT_LOW", `${what}, references ${references}`);
      }
      const hasBlock = (stored.blocks[block] ?? 0) !== 0;
      if (references > 0 && !hasBlock) report2.needsRebuild = true;
    }
  }
}
function blocksOf({ blocks }, needed2) {
  const all = new Set(needed2);
  blocks.forEach((offset, block) => {
    if (offset > 0) all.add(block);
  });
  return [
    ...all
  ].sort((a, b) => a - b);
}

// src/backends/formats/qcow2/check/table_entry.ts
var OFFSET_HIGH = 16777215;
var OFFSET_LOW = 4294966784;
var COPIED2 = 2147483648;
var ZERO = 1;
function tableOffset(high, low) {
  return (high & OFFSET_HIGH) * 2 ** 32 + ((low & OFFSET_LOW) >>> 0);
}
function hasPlace(high, low, hasDataFile) {
  if (tableOffset(high, low) !== 0) return true;
  return hasDataFile && (high & COPIED2) !== 0 && (low & ZERO) === 0;
}

// src/backends/formats/qcow2/check/copied_flags.ts
var COPIED3 = 2147483648 | 0;
var COMPRESSED = 1073741824;
var CopiedFlags = class {
  #counter;
  #image;
  #refcountOf;
  #report;
  /**
   * Prepares for an image.
   *
   * @param report Takes wrong flags; if `null`, they are set right in the file,
   * except in tables that share clusters with something else.
   */
  constructor(counter, refcountOf, report2) {
    this.#counter = counter;
    this.#image = counter.image;
    this.#refcountOf = refcountOf;
    this.#report = report2;
  }
  /** Looks at all entries; 0, or a negated errno of a table not written. */
  async visit() {
    const { header: { l1Offset, l1Entries }, clusterSize } = this.#image;
    const tables = /* @__PURE__ */ new Map();
    for (let done = 0; done < l1Entries * 8; done += clusterSize) {
      const length2 = Math.min(clusterSize, l1Entries * 8 - done);
      const error = await this.#visitTable(l1Offset + done, length2, 2, (at) => {
        tables.set(at, (tables.get(at) ?? 0) + 1);
      });
      if (error < 0) return error;
    }
    const { geometry: { entryWords: entryWords2 } } = this.#image;
    for (const [at, references] of tables) {
      const error = await this.#visitTable(at, clusterSize, entryWords2, null, references);
      if (error < 0) return error;
    }
    return 0;
  }
  /**
   * Looks at the entries of a table.
   *
   * @param found Takes the tables that the entries of an L1 table refer to;
   * `null` for an L2 table.
   */
  async #visitTable(at, length2, entryWords2, found, references = 1) {
    const { clusterSize, file, geometry: { hasDataFile } } = this.#image;
    const words = await this.#image.readWords(at, length2);
    if (words === null) return 0;
    let isChanged = false;
    for (let word = 0; word < words.length; word += entryWords2) {
      const [high, low] = [
        words[word],
        words[word + 1]
      ];
      const offset = tableOffset(high, low);
      const isEntry = found === null ? (high & COMPRESSED) === 0 && hasPlace(high, low, hasDataFile) : offset !== 0;
      if (!isEntry) continue;
      found?.(offset);
      const isData = found === null && hasDataFile;
      const refcount = isData ? 1 : await this.#refcountOf(Math.floor(offset / clusterSize));
      const isCopied = (high & COPIED3) !== 0;
      if (refcount === null || refcount === 1 === isCopied) continue;
      const table2 = found === null ? "L2" : "L1";
      const what = `entry ${word / entryWords2} of the ${table2} table at ${at}`;
      this.#report?.corrupt("COPIED", what, references);
      words[word] = high ^ COPIED3;
      isChanged = true;
    }
    if (!isChanged || this.#report !== null) return 0;
    if (!this.#mayChange(at, length2, found !== null)) return 0;
    return await writeFully(file, at, bytesOf2(words));
  }
  #mayChange(at, length2, isL1) {
    const references = isL1 ? 1 : this.#counter.tables.get(at) ?? 0;
    return this.#counter.isAlone(at, length2, references);
  }
};

// src/backends/formats/qcow2/snapshot_table.ts
var ENTRY4 = 40;
var PART2 = 256 << 10;
async function readSnapshots(file, header, name) {
  return (await readSnapshotTable(file, header, name)).snapshots;
}
async function readSnapshotTable(file, header, name) {
  const snapshots = [];
  const part2 = new Uint8Array(PART2);
  let at = header.snapshotsOffset;
  let first2 = at;
  let filled = 0;
  let last = at;
  const end = at + LIMIT.SNAPSHOT_TABLE_BYTES;
  while (snapshots.length < header.snapshots) {
    const inPart = at - first2;
    let bytes2 = part2.subarray(inPart, filled);
    let length2 = entryLength(bytes2);
    if (length2 === null || length2 > bytes2.length) {
      filled = await readFully(file, first2 = at, part2, 0, PART2);
      bytes2 = part2.subarray(0, Math.max(0, filled));
      length2 = entryLength(bytes2);
    }
    if (length2 === null || length2 > bytes2.length || at + length2 > end) {
      throw refusal(name, "its snapshot table cannot be read completely");
    }
    snapshots.push(parseSnapshot(bytes2, header, name));
    last = at + length2;
    at += Math.ceil(length2 / 8) * 8;
  }
  return {
    snapshots,
    size: last - header.snapshotsOffset
  };
}
function findSnapshot(snapshots, wanted, image) {
  const byId = snapshots.find(({ id }) => id === wanted);
  const byName = snapshots.filter(({ name }) => name === wanted);
  const found = byId ?? byName[0];
  if (found === void 0) {
    const names2 = snapshots.map(({ name }) => JSON.stringify(name));
    const there = names2.length === 0 ? "no snapshots" : names2.join(", ");
    throw new UserError(`Cannot open snapshot ${JSON.stringify(wanted)} of ${image}: it has ${there}; leave snapshot out, or name one that 'info' lists`);
  }
  if (byId === void 0 && byName.length > 1) {
    throw new UserError(`Cannot open snapshot ${JSON.stringify(wanted)} of ${image}: ${byName.length} have that name; give the id of one`);
  }
  return found;
}
function entryLength(bytes2) {
  if (bytes2.length < ENTRY4) return null;
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const extra = view2.getUint32(36);
  if (extra > LIMIT.SNAPSHOT_EXTRA) return null;
  return ENTRY4 + extra + view2.getUint16(12) + view2.getUint16(14);
}
function parseSnapshot(bytes2, header, name) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const extra = view2.getUint32(36);
  const idAt2 = ENTRY4 + extra;
  const nameAt = idAt2 + view2.getUint16(12);
  const size = extra >= 16 ? view2.getBigUint64(ENTRY4 + 8) : BigInt(header.size);
  const vmState = extra >= 8 ? view2.getBigUint64(ENTRY4) : view2.getUint32(32);
  const l1Offset = view2.getBigUint64(0);
  if (size > SIZE_MAX || l1Offset > SIZE_MAX) {
    throw refusal(name, "a snapshot lies beyond 2^53 - 1 bytes");
  }
  return {
    id: decodeName(bytes2.subarray(idAt2, nameAt)),
    name: decodeName(bytes2.subarray(nameAt, nameAt + view2.getUint16(14))),
    l1Offset: Number(l1Offset),
    l1Entries: view2.getUint32(8),
    size: Number(size),
    vmStateSize: Number(vmState),
    seconds: view2.getUint32(16)
  };
}

// src/backends/formats/qcow2/check/count_bitmaps.ts
var ENTRY5 = 24;
var BITMAPS_MAX = 65535;
var DIRECTORY_MAX = 1024 * BITMAPS_MAX;
var TABLE_ENTRIES_MAX = 134217728;
var RESERVED_HIGH = 4278190080 | 0;
var RESERVED_LOW = 510;
var PART3 = 1 << 20;
async function countBitmaps(counter, data) {
  const { image, report: report2 } = counter;
  const view2 = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const damaged2 = (what) => report2.corrupt("BITMAPS", what);
  if (data.length < ENTRY5) return damaged2("the extension is too short");
  const count2 = view2.getUint32(0);
  const size = Number(view2.getBigUint64(8));
  const at = Number(view2.getBigUint64(16));
  if (count2 === 0) return;
  counter.refer(at, size, "the directory of bitmaps");
  if (count2 > BITMAPS_MAX || size > DIRECTORY_MAX || at + size > image.length) {
    return damaged2("the directory is too large");
  }
  const directory = await image.read(at, size);
  if (directory === null) return void report2.unreadable++;
  const rows2 = new DataView(directory.buffer);
  let row = 0;
  for (let bitmap = 0; bitmap < count2; bitmap++) {
    if (row + ENTRY5 > size) return damaged2("the directory ends too early");
    const table2 = Number(rows2.getBigUint64(row));
    const entries2 = rows2.getUint32(row + 8);
    await countTable(counter, table2, entries2, `bitmap ${bitmap}`);
    const length2 = ENTRY5 + rows2.getUint16(row + 18) + rows2.getUint32(row + 20);
    row += Math.ceil(length2 / 8) * 8;
  }
}
async function countTable(counter, at, entries2, what) {
  const { image, report: report2 } = counter;
  const { clusterSize } = image;
  counter.refer(at, entries2 * 8, `the table of ${what}`);
  const isSound2 = entries2 > 0 && entries2 <= TABLE_ENTRIES_MAX && at % clusterSize === 0 && at + entries2 * 8 <= image.length + clusterSize;
  if (!isSound2) return report2.corrupt("BITMAPS", `the table of ${what}`);
  for (let done = 0; done < entries2 * 8; done += PART3) {
    const length2 = Math.min(PART3, entries2 * 8 - done);
    const words = await image.readWords(at + done, length2);
    if (words === null) return void report2.unreadable++;
    for (let word = 0; word < words.length; word += 2) {
      const [high, low] = [
        words[word],
        words[word + 1]
      ];
      const offset = tableOffset(high, low);
      const isEntry = (high & RESERVED_HIGH) === 0 && (low & RESERVED_LOW) === 0 && offset % clusterSize === 0 && (offset === 0 || (low & 1) === 0);
      if (!isEntry) report2.corrupt("BITMAPS", `an entry of ${what}`);
      else if (offset > 0) counter.refer(offset, clusterSize, what);
    }
  }
}

// src/backends/formats/qcow2/check/count_entries.ts
var COPIED4 = 2147483648;
var COMPRESSED2 = 1073741824;
var RESERVED_HIGH2 = 1056964608;
var RESERVED_LOW2 = 510;
async function countEntries2(counter, at, references) {
  const { image, report: report2 } = counter;
  const { clusterSize, geometry: { entryWords: entryWords2, hasDataFile } } = image;
  const words = await image.readWords(at, clusterSize);
  if (words === null) {
    report2.unreadable++;
    return;
  }
  for (let word = 0; word < words.length; word += entryWords2) {
    const high = words[word];
    const low = words[word + 1];
    const isExtended = entryWords2 === 4;
    const zero2 = isExtended ? words[word + 2] : 0;
    const allocated = isExtended ? words[word + 3] : 0;
    if ((high | low | zero2 | allocated) === 0) continue;
    const entry2 = {
      high,
      low,
      zero: zero2,
      allocated
    };
    const what = `entry ${word / entryWords2} of the L2 table at ${at}`;
    if ((high & COMPRESSED2) !== 0) {
      countStream(counter, entry2, what, references);
      continue;
    }
    if ((high & RESERVED_HIGH2) !== 0 || (low & RESERVED_LOW2) !== 0) {
      report2.corrupt("RESERVED_BITS", what, references);
    }
    const offset = tableOffset(high, low);
    if (!hasPlace(high, low, hasDataFile)) {
      if (allocated !== 0) report2.corrupt("SUBCLUSTERS", what, references);
      continue;
    }
    if ((zero2 & allocated) !== 0) {
      report2.corrupt("SUBCLUSTERS", what, references);
    }
    if (offset % clusterSize !== 0) {
      report2.corrupt("UNALIGNED", what, references);
    }
    if (!hasDataFile) counter.refer(offset, clusterSize, what, references);
  }
}
function countStream(counter, { high, low, zero: zero2, allocated }, what, references) {
  const { report: report2, image: { geometry } } = counter;
  const damaged2 = () => report2.corrupt("COMPRESSED", what, references);
  if ((high & COPIED4) !== 0) damaged2();
  if (geometry.hasDataFile || (zero2 | allocated) !== 0) return damaged2();
  const shift = 38 - geometry.clusterBits;
  const host = (high & 2 ** shift - 1) * 2 ** 32 + (low >>> 0);
  const sectors = ((high & ~COPIED4 & ~COMPRESSED2) >>> shift) + 1;
  const length2 = sectors * SECTOR2 - (low & SECTOR2 - 1);
  counter.refer(host, length2, what, references);
}

// src/backends/formats/qcow2/check/count_references.ts
var RESERVED_HIGH3 = 2130706432;
var RESERVED_LOW3 = 511;
var PART4 = 1 << 20;
async function countReferences(counter) {
  const { image, report: report2 } = counter;
  const { header, file, name, clusterSize } = image;
  const { l1Offset, l1Entries } = header;
  counter.refer(0, clusterSize, "the header");
  await countL1(counter, l1Offset, l1Entries, "the L1 table");
  const { snapshots, size } = await readSnapshotTable(file, header, name);
  if (header.hasDataFile && snapshots.length > 0) {
    report2.corrupt("SNAPSHOTS", "an image with a data file has snapshots");
  }
  let room3 = image.length;
  for (const { l1Offset: l1Offset2, l1Entries: l1Entries2, id } of snapshots) {
    const what = `the L1 table of snapshot ${JSON.stringify(id)}`;
    if (l1Offset2 % clusterSize !== 0) {
      report2.corrupt("SNAPSHOTS", `${what} is not aligned to clusters`);
    } else if (l1Entries2 * 8 > LIMIT.L1_BYTES) {
      report2.corrupt("SNAPSHOTS", `${what} is too large`);
    } else if ((room3 -= l1Entries2 * 8) < 0) {
      report2.corrupt("SNAPSHOTS", `${what} overlaps with others`);
    } else {
      await countL1(counter, l1Offset2, l1Entries2, what);
    }
  }
  for (const [offset, references] of counter.tables) {
    await countEntries2(counter, offset, references);
  }
  counter.refer(header.snapshotsOffset, size, "the snapshot table");
  const bitmaps = extensionOf(header.extensions, EXTENSION.BITMAPS);
  const areValid = (header.autoclear & AUTOCLEAR.BITMAPS) !== 0n;
  if (bitmaps !== null && areValid) await countBitmaps(counter, bitmaps);
}
async function countL1(counter, at, entries2, what) {
  const { image, report: report2 } = counter;
  counter.refer(at, entries2 * 8, what);
  for (let done = 0; done < entries2 * 8; done += PART4) {
    const length2 = Math.min(PART4, entries2 * 8 - done);
    const words = await image.readWords(at + done, length2);
    if (words === null) {
      report2.unreadable++;
      continue;
    }
    for (let word = 0; word < words.length; word += 2) {
      const entry2 = (done + 4 * word) / 8;
      const [high, low] = [
        words[word],
        words[word + 1]
      ];
      countTable2(counter, high, low, `entry ${entry2} of ${what}`);
    }
  }
}
function countTable2(counter, high, low, what) {
  const { image: { clusterSize }, report: report2, tables } = counter;
  if (high === 0 && low === 0) return;
  if ((high & RESERVED_HIGH3) !== 0 || (low & RESERVED_LOW3) !== 0) {
    report2.corrupt("RESERVED_BITS", what);
  }
  const offset = tableOffset(high, low);
  counter.refer(offset, clusterSize, what);
  if (offset % clusterSize !== 0) report2.corrupt("UNALIGNED", what);
  tables.set(offset, (tables.get(offset) ?? 0) + 1);
}

// src/backends/formats/qcow2/check/find_overlaps.ts
function findOverlaps(counter) {
  const { image: { header, clusterSize }, report: report2, tables } = counter;
  const look = (at, length3, what, references = 1) => {
    const isAlone = length3 === 0 || counter.isAlone(at, length3, references);
    if (!isAlone) report2.corrupt("OVERLAP", `${what} at ${at}`);
    return isAlone;
  };
  look(0, clusterSize, "the header");
  look(header.l1Offset, 8 * header.l1Entries, "the L1 table");
  for (const [at, references] of tables) {
    look(at, clusterSize, "the L2 table", references);
  }
  const { refcountTableOffset, refcountTableClusters } = header;
  const length2 = refcountTableClusters * clusterSize;
  if (!look(refcountTableOffset, length2, "the refcount table")) {
    report2.needsRebuild = true;
  }
}

// src/backends/formats/qcow2/check/check_report.ts
var CheckReport = class {
  /** Clusters with a refcount above the references: space that is lost. */
  leaks = 0;
  /** Tables that could not be read, so that the check is not complete. */
  unreadable = 0;
  /** Whether the refcounts can only be repaired by a new table of them. */
  needsRebuild = false;
  #damage = /* @__PURE__ */ new Map();
  /** Notes damage; `count` says how many references lead to it. */
  corrupt(kind, first2, count2 = 1) {
    const known = this.#damage.get(kind);
    if (known === void 0) this.#damage.set(kind, {
      count: count2,
      first: first2
    });
    else known.count += count2;
  }
  /** Everything that is wrong, apart from leaks. */
  get corruptions() {
    let all = 0;
    for (const { count: count2 } of this.#damage.values()) all += count2;
    return all;
  }
  /** The same by kind. */
  get damage() {
    return [
      ...this.#damage
    ].map(([kind, found]) => ({
      kind,
      ...found
    }));
  }
  /** Whether everything is as it should be, leaks included. */
  get isClean() {
    return this.corruptions === 0 && this.leaks === 0 && this.unreadable === 0;
  }
};

// src/backends/formats/qcow2/check/cluster_counts.ts
var PART5 = 256;
var PARTS_MAX = 1 << 20;
var COUNT_MAX = 4294967295;
var ClusterCounts = class {
  #parts = /* @__PURE__ */ new Map();
  #max;
  #end = 0;
  /**
   * Starts with no references.
   *
   * @param max The greatest refcount of the image.
   */
  constructor(max) {
    this.#max = Math.min(max, COUNT_MAX);
  }
  /** The cluster after the last one that was ever counted. */
  get end() {
    return this.#end;
  }
  /** The references to a cluster, as far as a refcount can hold them. */
  get(cluster) {
    return Math.min(this.all(cluster), this.#max);
  }
  /** The references to a cluster, however many there are. */
  all(cluster) {
    const part2 = this.#parts.get(Math.floor(cluster / PART5));
    return part2 === void 0 ? 0 : part2[cluster % PART5];
  }
  /**
   * Adds references to a cluster; returns how many a refcount cannot hold.
   *
   * @throws {UserError} If there is no memory for more clusters.
   */
  add(cluster, references) {
    const index = Math.floor(cluster / PART5);
    let part2 = this.#parts.get(index);
    if (part2 === void 0) {
      if (this.#parts.size === PARTS_MAX) {
        throw new UserError("Cannot check the image: its clusters are too many; check it with 'qemu-img check'");
      }
      this.#parts.set(index, part2 = new Uint32Array(PART5));
    }
    const before = part2[cluster % PART5];
    const all = Math.min(before + references, COUNT_MAX);
    part2[cluster % PART5] = all;
    this.#end = Math.max(this.#end, cluster + 1);
    return Math.max(0, all - Math.max(before, this.#max));
  }
  /**
   * The blocks of clusters, each of a number of them, in which some have
   * references.
   */
  blocks(perBlock) {
    const blocks = /* @__PURE__ */ new Set();
    for (const [index, part2] of this.#parts) {
      part2.forEach((count2, i) => {
        if (count2 > 0) blocks.add(Math.floor((index * PART5 + i) / perBlock));
      });
    }
    return blocks;
  }
};

// src/backends/formats/qcow2/check/reference_counter.ts
var ReferenceCounter = class _ReferenceCounter {
  image;
  counts;
  report;
  /** How many entries of L1 tables refer to an L2 table, by its offset. */
  tables;
  constructor(image, counts, report2) {
    this.image = image;
    this.counts = counts;
    this.report = report2;
    this.tables = /* @__PURE__ */ new Map();
  }
  /** Starts to count. */
  static create(image) {
    const max = 2 ** 2 ** image.header.refcountOrder - 1;
    return new _ReferenceCounter(image, new ClusterCounts(max), new CheckReport());
  }
  /** Counts references to a range of the file. */
  refer(offset, length2, what, references = 1) {
    const { image: { clusterSize, length: end }, counts, report: report2 } = this;
    if (length2 <= 0) return;
    if (offset + length2 - end >= clusterSize) {
      return report2.corrupt("BEYOND_END", `${what} is at ${offset}`, references);
    }
    const last = Math.floor((offset + length2 - 1) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at <= last; at++) {
      const over = counts.add(at, references);
      if (over > 0) report2.corrupt("OVERFLOW", `${what}, cluster ${at}`, over);
    }
  }
  /**
   * Whether nothing else lies in the clusters of a table, so that it may be
   * changed where it is.
   *
   * @param references How many references lead to the table.
   */
  isAlone(offset, length2, references) {
    const { image: { clusterSize }, counts } = this;
    const last = Math.floor((offset + length2 - 1) / clusterSize);
    for (let at = Math.floor(offset / clusterSize); at <= last; at++) {
      if (counts.all(at) > references) return false;
    }
    return true;
  }
};

// src/backends/formats/qcow2/writing/refcount_words.ts
var TWO_327 = 2 ** 32;
function refcountPlace(order, index) {
  if (order === 6) return {
    word: 2 * index,
    shift: 0
  };
  const bits = 1 << order;
  const word = index * bits >>> 5;
  const inWord = index - word * (32 / bits);
  const perByte = Math.max(1, 8 / bits);
  const shift = bits >= 8 ? 32 - bits * (inWord + 1) : 24 - 8 * Math.floor(inWord / perByte) + bits * (inWord % perByte);
  return {
    word,
    shift
  };
}
function readRefcount(words, start, order, index) {
  const { word, shift } = refcountPlace(order, index);
  const value2 = Atomics.load(words, start + word);
  if (order === 6) {
    return (value2 >>> 0) * TWO_327 + (Atomics.load(words, start + word + 1) >>> 0);
  }
  if (order === 5) return value2 >>> 0;
  return value2 >>> shift & (1 << (1 << order)) - 1;
}
function withRefcount(words, start, order, index, refcount) {
  if (order === 6) {
    return [
      Math.floor(refcount / TWO_327) | 0,
      refcount % TWO_327 | 0
    ];
  }
  if (order === 5) return [
    refcount | 0
  ];
  const { word, shift } = refcountPlace(order, index);
  const mask = (1 << (1 << order)) - 1 << shift;
  const old = Atomics.load(words, start + word);
  return [
    old & ~mask | refcount << shift & mask
  ];
}

// src/backends/formats/qcow2/check/rebuild_refcounts.ts
var TABLE_FIELDS = 48;
async function rebuildRefcounts({ image, counts }) {
  const { file, clusterSize, perBlock } = image;
  const first2 = Math.max(image.clusters, counts.end);
  const { blocks, tableClusters } = layOut2(counts.blocks(perBlock), first2, image);
  if (tableClusters * clusterSize > LIMIT.REFCOUNT_TABLE_BYTES) {
    return -ERRNO.EFBIG;
  }
  const used = blocks.length + tableClusters;
  await assertUnused(image, first2, used);
  let error = await file.truncate((first2 + used) * clusterSize);
  if (error < 0) return error;
  for (let i = 0; i < used; i++) counts.add(first2 + i, 1);
  const table2 = new BigUint64Array(tableClusters * clusterSize / 8);
  for (const [i, block] of blocks.entries()) {
    const at = (first2 + i) * clusterSize;
    table2[block] = BigInt(at);
    const words = blockOf(image, counts, block);
    error = await writeFully(file, at, bytesOf2(words));
    if (error < 0) return error;
  }
  const tableAt = (first2 + blocks.length) * clusterSize;
  const view2 = new DataView(new ArrayBuffer(table2.byteLength));
  table2.forEach((entry2, i) => view2.setBigUint64(8 * i, entry2));
  error = await writeFully(file, tableAt, new Uint8Array(view2.buffer));
  if (error >= 0) error = await file.flush();
  if (error < 0) return error;
  const fields = new DataView(new ArrayBuffer(12));
  fields.setBigUint64(0, BigInt(tableAt));
  fields.setUint32(8, tableClusters);
  error = await writeFully(file, TABLE_FIELDS, new Uint8Array(fields.buffer));
  return error < 0 ? error : await file.flush();
}
async function assertUnused({ file, header, name, clusterSize }, first2, used) {
  const length2 = (first2 + used) * clusterSize;
  const longer = new CheckedImage(file, header, name, length2);
  const counter = ReferenceCounter.create(longer);
  await countReferences(counter);
  const { counts } = counter;
  for (let cluster = first2; cluster < first2 + used; cluster++) {
    if (counts.all(cluster) === 0) continue;
    const where = `byte ${cluster * clusterSize}, beyond the end of its file`;
    throw new UserError(`Cannot repair ${name}: it refers to ${where}, where its new refcounts would be; export it read-only and copy what can be read`);
  }
}
function layOut2(needed2, first2, { perBlock, clusterSize }) {
  const blocks = new Set(needed2);
  let tableClusters = 1;
  for (; ; ) {
    const end = first2 + blocks.size + tableClusters;
    const before = blocks.size;
    for (let at = first2; at < end; at += perBlock) {
      blocks.add(Math.floor(at / perBlock));
    }
    blocks.add(Math.floor((end - 1) / perBlock));
    const entries2 = Math.max(...blocks) + 1;
    const clusters = Math.ceil(entries2 * 8 / clusterSize);
    if (blocks.size === before && clusters === tableClusters) {
      return {
        blocks: [
          ...blocks
        ].sort((a, b) => a - b),
        tableClusters
      };
    }
    tableClusters = Math.max(tableClusters, clusters);
  }
}
function blockOf({ perBlock, clusterSize, header: { refcountOrder: order } }, counts, block) {
  const words = new Int32Array(clusterSize / 4);
  for (let index = 0; index < perBlock; index++) {
    const count2 = counts.get(block * perBlock + index);
    if (count2 === 0) continue;
    const { word } = refcountPlace(order, index);
    words.set(withRefcount(words, 0, order, index, count2), word);
  }
  return words;
}

// src/backends/formats/qcow2/check/stored_refcounts.ts
var OFFSET_LOW2 = 4294966784;
var PLACES_MAX = 2 ** 63 - 2 ** 30;
var StoredRefcounts = class _StoredRefcounts {
  /** The offset of each block; 0 without one. */
  blocks = [];
  /** Blocks that are somewhere, but cannot be read. */
  #lost = /* @__PURE__ */ new Set();
  #image;
  #report;
  /** The block that was used last. */
  #block = -1;
  #words = null;
  constructor(image, report2) {
    this.#image = image;
    this.#report = report2;
  }
  /** Reads the refcount table of an image, and counts the references to it. */
  static async read(counter) {
    const { image, report: report2 } = counter;
    const stored = new _StoredRefcounts(image, report2);
    const { header, clusterSize } = image;
    const { refcountTableOffset: at, refcountTableClusters } = header;
    const length2 = refcountTableClusters * clusterSize;
    counter.refer(at, length2, "the refcount table");
    const words = await image.readWords(at, length2);
    if (words === null) report2.unreadable++;
    for (let word = 0; words !== null && word < words.length; word += 2) {
      stored.#addBlock(words[word], words[word + 1], counter);
    }
    return stored;
  }
  #addBlock(high, low, counter) {
    const { image: { clusterSize, clusters }, report: report2, counts } = counter;
    const index = this.blocks.length;
    const offset = (high >>> 0) * 2 ** 32 + ((low & OFFSET_LOW2) >>> 0);
    const what = `refcount block ${index}`;
    const damaged2 = (why, at) => {
      report2.corrupt("REFCOUNT_BLOCKS", `${what} ${why}`);
      report2.needsRebuild = true;
      this.blocks.push(at);
    };
    const isPlace = offset % clusterSize === 0 && offset < PLACES_MAX;
    if (!isPlace) this.#lost.add(index);
    if ((low & ~OFFSET_LOW2) !== 0) {
      return damaged2("has reserved bits set", isPlace ? offset : 0);
    }
    if (offset % clusterSize !== 0) return damaged2("is not aligned", 0);
    if (offset === 0) return void this.blocks.push(0);
    if (offset / clusterSize >= Math.max(clusters, counts.end)) {
      return damaged2("is beyond the end of the file", 0);
    }
    counter.refer(offset, clusterSize, what);
    this.blocks.push(offset);
    const cluster = offset / clusterSize;
    if (counts.all(cluster) === 1) return;
    report2.needsRebuild = true;
    if (counts.get(cluster) !== 1) {
      report2.corrupt("REFCOUNT_BLOCKS", `${what} is used elsewhere too`);
    }
  }
  /** Reads a block for {@linkcode at}; whether that is possible. */
  async load(block) {
    if (this.#block === block) return this.#words !== null;
    const { clusterSize } = this.#image;
    const offset = this.blocks[block] ?? 0;
    this.#block = block;
    this.#words = offset === 0 ? new Int32Array(clusterSize / 4) : await this.#image.readWords(offset, clusterSize);
    if (this.#words === null) this.#report.unreadable++;
    return this.#words !== null;
  }
  /** The refcount of a cluster of the block that was loaded. */
  at(cluster) {
    const { perBlock, header: { refcountOrder } } = this.#image;
    return readRefcount(this.#words, 0, refcountOrder, cluster % perBlock);
  }
  /** The refcount of a cluster; `null` if its block cannot be read. */
  async get(cluster) {
    const block = Math.floor(cluster / this.#image.perBlock);
    if (this.#lost.has(block)) return null;
    return await this.load(block) ? this.at(cluster) : null;
  }
  /**
   * Sets refcounts of one block.
   *
   * @param wanted The refcount that a cluster is to have, by the one it has.
   * @returns 0 or a negated errno.
   */
  async change(block, wanted) {
    const { file, perBlock, header } = this.#image;
    const { refcountOrder: order } = header;
    if (!await this.load(block)) return -ERRNO.EIO;
    const words = this.#words;
    let isChanged = false;
    for (let index = 0; index < perBlock; index++) {
      const refcount = readRefcount(words, 0, order, index);
      const next = wanted(block * perBlock + index, refcount);
      if (next === refcount) continue;
      const { word } = refcountPlace(order, index);
      words.set(withRefcount(words, 0, order, index, next), word);
      isChanged = true;
    }
    if (!isChanged) return 0;
    const bytes2 = bytesOf2(words);
    return await writeFully(file, this.blocks[block], bytes2);
  }
};

// src/backends/formats/qcow2/check/zero_unaligned.ts
var COMPRESSED3 = 1073741824;
var ZERO2 = 1;
async function zeroUnaligned(counter) {
  const { image, tables } = counter;
  const { file, clusterSize, geometry: { version } } = image;
  let all = 0;
  if (version === 2) return 0;
  for (const [at, references] of tables) {
    if (!counter.isAlone(at, clusterSize, references)) continue;
    const words = await image.readWords(at, clusterSize);
    const found = words === null ? 0 : zeroEntries(words, counter);
    if (words === null || found === 0) continue;
    const error = await writeFully(file, at, bytesOf2(words));
    if (error < 0) return error;
    all += found;
  }
  return all;
}
function zeroEntries(words, { image: { clusterSize, geometry } }) {
  const { entryWords: entryWords2, hasDataFile } = geometry;
  let found = 0;
  for (let word = 0; word < words.length; word += entryWords2) {
    const [high, low] = [
      words[word],
      words[word + 1]
    ];
    const isUnaligned = (high & COMPRESSED3) === 0 && hasPlace(high, low, hasDataFile) && tableOffset(high, low) % clusterSize !== 0;
    const isExtended = entryWords2 === 4;
    const hasData = isExtended ? words[word + 3] !== 0 : (low & ZERO2) === 0;
    if (!isUnaligned || hasData) continue;
    words[word] = 0;
    words[word + 1] = isExtended ? 0 : ZERO2;
    found++;
  }
  return found;
}

// src/backends/formats/qcow2/check/check_qcow2.ts
var CLUSTERS_MAX = 2 ** 31 - 1;
async function repairQcow2(file, name, choice) {
  const examined = await examine(file, name);
  const before = examined.counter.report;
  if (before.unreadable > 0) {
    throw cannot(name, "some of its tables cannot be read; check its storage");
  }
  if (choice === "leaks" && before.leaks === 0) {
    return {
      before,
      after: before
    };
  }
  if (choice === "leaks" && before.needsRebuild) {
    throw cannot(name, "its refcounts have to be rebuilt; use repair=all");
  }
  let error = choice === "leaks" ? await freeLeaks(examined) : await repairAll(examined);
  if (error < 0) throw cannotWrite(name, error);
  const { image, report: after } = (await examine(file, name)).counter;
  if (after.corruptions === 0) error = await markSound(image);
  if (error < 0) throw cannotWrite(name, error);
  return {
    before,
    after
  };
}
async function markSound({ file, header: { incompatible } }) {
  const bits = incompatible & ~INCOMPATIBLE.DIRTY & ~INCOMPATIBLE.CORRUPT;
  if (bits === incompatible) return 0;
  const error = await writeIncompatible(file, bits);
  return error < 0 ? error : await file.flush();
}
async function examine(file, name) {
  const header = await readHeader(file, name);
  const { size } = await file.stat();
  const image = new CheckedImage(file, header, name, size);
  if (image.clusters > CLUSTERS_MAX) {
    throw new UserError(`Cannot check ${name}: its file has more than ${CLUSTERS_MAX} clusters; copy it with 'qemu-img convert'`);
  }
  const counter = ReferenceCounter.create(image);
  await countReferences(counter);
  const stored = await StoredRefcounts.read(counter);
  findOverlaps(counter);
  await compareRefcounts(counter, stored);
  const refcountOf = (cluster) => stored.get(cluster);
  await new CopiedFlags(counter, refcountOf, counter.report).visit();
  return {
    counter,
    stored
  };
}
async function freeLeaks({ counter: { image, counts }, stored }) {
  const end = Math.max(image.clusters, counts.end);
  for (const [block, offset] of stored.blocks.entries()) {
    if (offset === 0) continue;
    const error = await stored.change(block, (cluster, refcount) => cluster < end ? Math.min(refcount, counts.get(cluster)) : refcount);
    if (error < 0) return error;
  }
  return await image.file.flush();
}
async function repairAll(examined) {
  const { image, report: report2 } = examined.counter;
  if (report2.needsRebuild && !examined.counter.isAlone(0, 1, 1)) {
    throw cannot(image.name, "its header is used as a table or as data too, and would have to be changed; export it read-only and copy what can be read");
  }
  let error = await zeroUnaligned(examined.counter);
  if (error < 0) return error;
  const known = error === 0 ? examined : await examine(image.file, image.name);
  let { counter } = known;
  if (counter.report.needsRebuild) {
    counter = ReferenceCounter.create(image);
    await countReferences(counter);
    error = await rebuildRefcounts(counter);
  } else {
    error = await setRefcounts(known);
  }
  if (error >= 0) error = await image.file.flush();
  if (error < 0) return error;
  const refcountOf = (cluster) => counter.counts.get(cluster);
  error = await new CopiedFlags(counter, refcountOf, null).visit();
  return error < 0 ? error : await image.file.flush();
}
async function setRefcounts({ counter: { counts }, stored }) {
  for (const [block, offset] of stored.blocks.entries()) {
    if (offset === 0) continue;
    const error = await stored.change(block, (cluster) => counts.get(cluster));
    if (error < 0) return error;
  }
  return 0;
}
function cannotWrite(name, error) {
  return cannot(name, `${errnoName(-error)} while writing; check its storage`);
}
function cannot(name, why) {
  return new UserError(`Cannot repair ${name}: ${why}`);
}

// src/backends/formats/qcow2/check/repair_dirty.ts
async function repairDirty(file, name, tell2) {
  const { before, after } = await repairQcow2(file, name, "all");
  const [damage] = after.damage;
  if (damage !== void 0) {
    throw new UserError(`Cannot write to ${name}: it was not closed, and repairing its refcounts left damage (${damage.first}); export it read-only, or see 'check'`);
  }
  tell2(`Repaired ${name}, which was not closed: ${before.corruptions} refcounts and flags were wrong, ${before.leaks} clusters were lost`);
  return await readHeader(file, name);
}

// src/backends/formats/qcow2/chain.ts
async function openBacking({ backingName: name, backingFormat: format }, by, gate, open2, given) {
  if (given !== null) {
    const raw = /^raw:(.+)$/s.exec(given)?.[1];
    return await (raw === void 0 ? open2.any(given) : open2.raw(raw));
  }
  if (name === null) return null;
  const reference = {
    role: "backing file",
    name,
    by
  };
  if (format === null) throw formatUnknown(reference);
  if (format !== "raw" && format !== "qcow2") {
    const what = JSON.stringify(format);
    throw refused(reference, `its format is ${what}, yet only raw and qcow2 can be below an image; convert it with 'qemu-img convert'`);
  }
  const path = gate.pathOf(reference);
  if (format === "qcow2") return await open2.qcow2(path, {
    gate,
    reference
  });
  const file = await open2.raw(path);
  gate.admit(file, reference);
  return file;
}
async function openDataFile({ hasDataFile, dataFileName: name }, by, { gate }, context) {
  if (!hasDataFile) return null;
  const reference = {
    role: "data file",
    name: name ?? "",
    by
  };
  if (name === null) {
    throw refused(reference, "the image does not name it; record it with 'qemu-img amend -o data_file=PATH'");
  }
  const source = gate.pathOf(reference);
  const { writable } = context.options;
  const options = {
    ...READ_ONLY,
    writable
  };
  const file = await context.openBelow({
    driver: FILE,
    source
  }, options);
  gate.admit(file, reference);
  return file;
}
function formatUnknown(reference) {
  const { name, by } = reference;
  return refused(reference, `its format is not recorded, and formats are never guessed; give it with backing=FORMAT:${name}, or record it with 'qemu-img rebase -u -b ${name} -F FORMAT ${by.name}'`);
}

// src/backends/formats/qcow2/cluster_cache.ts
var BYTES_MAX = 4 << 20;
var CLUSTERS_MIN = 2;
var CLUSTERS_MAX2 = 32;
var ClusterCache = class {
  #compression;
  #clusterSize;
  #max;
  /** In the order of their last use. */
  #clusters = /* @__PURE__ */ new Map();
  /** Makes a cache for the clusters of an image. */
  constructor(compression, clusterSize) {
    this.#compression = compression;
    this.#clusterSize = clusterSize;
    const fits = Math.floor(BYTES_MAX / clusterSize);
    this.#max = Math.min(CLUSTERS_MAX2, Math.max(CLUSTERS_MIN, fits));
  }
  copy({ host, inBlock, length: length2 }, buffer, start) {
    const cluster = this.#clusters.get(host);
    if (cluster === void 0) return false;
    this.#clusters.delete(host);
    this.#clusters.set(host, cluster);
    buffer.set(cluster.subarray(inBlock, inBlock + length2), start);
    return true;
  }
  /** Keeps it in place of the one that was not used for longest. */
  add({ host }, stream) {
    const cluster = this.#room(host);
    const got = decompress(this.#compression, stream, cluster);
    if (got !== this.#clusterSize) return false;
    this.#clusters.set(host, cluster);
    return true;
  }
  /** Memory for a cluster, which is no longer kept for another one. */
  #room(host) {
    const clusters = this.#clusters;
    const isFull = clusters.size >= this.#max;
    const replaced = clusters.has(host) ? host : isFull ? clusters.keys().next().value : void 0;
    if (replaced === void 0) return new Uint8Array(this.#clusterSize + 1);
    const memory = clusters.get(replaced);
    clusters.delete(replaced);
    return memory;
  }
};

// src/base/quote_name.ts
function quoteName(name) {
  return /^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name);
}

// src/backends/formats/qcow2/describe.ts
async function describeQcow2(file, name) {
  const header = await readHeader(file, name);
  const { version, size, compression, clusterBits, refcountOrder } = header;
  const { backingName, backingFormat, dataFileName } = header;
  return {
    version,
    size,
    clusterSize: 2 ** clusterBits,
    refcountBits: 2 ** refcountOrder,
    compression,
    features: featuresOf2(header),
    backingName,
    backingFormat,
    dataFileName,
    snapshots: await readSnapshots(file, header, name)
  };
}
function featuresOf2({ incompatible, compatible, autoclear }) {
  const named = [
    [
      incompatible,
      INCOMPATIBLE.DIRTY,
      "dirty"
    ],
    [
      incompatible,
      INCOMPATIBLE.CORRUPT,
      "corrupt"
    ],
    [
      incompatible,
      INCOMPATIBLE.DATA_FILE,
      "external data file"
    ],
    [
      incompatible,
      INCOMPATIBLE.EXTENDED_L2,
      "extended L2 entries"
    ],
    [
      compatible,
      COMPATIBLE.LAZY_REFCOUNTS,
      "lazy refcounts"
    ],
    [
      autoclear,
      AUTOCLEAR.BITMAPS,
      "bitmaps"
    ],
    [
      autoclear,
      AUTOCLEAR.RAW_DATA_FILE,
      "raw data file"
    ]
  ];
  return named.flatMap(([field, bit, name]) => (field & bit) === 0n ? [] : [
    name
  ]);
}
function qcow2Rows(facts) {
  const { backingName, backingFormat, dataFileName } = facts;
  const { clusterSize, refcountBits, compression, features } = facts;
  const rows2 = [
    [
      "qcow2",
      `version ${facts.version}, clusters of ${formatSize(clusterSize)}`
    ],
    [
      "Refcounts",
      `${refcountBits} bits`
    ],
    [
      "Compression",
      compression
    ],
    [
      "Features",
      features.length === 0 ? "none" : features.join(", ")
    ]
  ];
  if (backingName !== null) {
    const format = backingFormat ?? "format not recorded";
    rows2.push([
      "Backing file",
      `${quoteName(backingName)} (${format})`
    ]);
  }
  if (dataFileName !== null) rows2.push([
    "Data file",
    quoteName(dataFileName)
  ]);
  for (const { id, name, size, seconds } of facts.snapshots) {
    const date = new Date(seconds * 1e3).toISOString().slice(0, 19);
    const text = `${quoteName(id)} ${quoteName(name)}, ${formatSize(size)}, ${date}Z`;
    rows2.push([
      "Snapshot",
      text
    ]);
  }
  return rows2;
}

// src/backends/formats/qcow2/qcow2_sources.ts
var FILES = {
  /** The image's own. */
  OWN: 0,
  /** That of the data, if they are in a file of their own. */
  DATA: 1
};
function sourceFiles(file, data, end, { clusterSize }) {
  const zeroEnd = Math.ceil(end / clusterSize) * clusterSize;
  const own = {
    backend: file,
    end,
    zeroEnd
  };
  return data === file ? [
    own
  ] : [
    own,
    {
      backend: data,
      end,
      zeroEnd
    }
  ];
}

// src/backends/formats/qcow2/l2_entries.ts
var COPIED5 = 2147483648 | 0;
var COMPRESSED4 = 1073741824;
var OFFSET_HIGH2 = 16777215;
var RESERVED_HIGH4 = 1056964608;
var ZERO3 = 1;
var OFFSET_LOW3 = 4294966784 | 0;
var TWO_328 = 2 ** 32;
var L2Entries = class {
  #geometry;
  /** Which file has the data. */
  #file;
  #entryWords;
  #clusterSize;
  #isExtended;
  #reservedLow;
  /** Bits of a compressed entry's upper word that belong to the offset. */
  #streamHigh;
  #streamLow;
  /** The last result of `#read()`. */
  #kind = MAPPED.CORRUPT;
  #host = NO_HOST;
  #run = 0;
  #isOwn = false;
  #streamLength = 0;
  /** Prepares for the entries of an image. */
  constructor(geometry) {
    const { entryWords: entryWords2, clusterSize, version, clusterBits } = geometry;
    this.#geometry = geometry;
    this.#file = geometry.hasDataFile ? FILES.DATA : FILES.OWN;
    this.#entryWords = entryWords2;
    this.#clusterSize = clusterSize;
    this.#isExtended = entryWords2 === 4;
    const hasZeroBit = version === 3 && !this.#isExtended;
    this.#reservedLow = ~OFFSET_LOW3 & (hasZeroBit ? ~ZERO3 : ~0);
    const offsetBits = 62 - (clusterBits - 8);
    this.#streamHigh = 2 ** (offsetBits - 32) - 1;
    this.#streamLow = offsetBits - 32;
  }
  decode(bytes2, words) {
    for (let i = 0; i < words.length; i++) {
      const at = 4 * i;
      words[i] = bytes2[at] << 24 | bytes2[at + 1] << 16 | bytes2[at + 2] << 8 | bytes2[at + 3];
    }
  }
  map(words, start, position, inSlice, length2, mapping) {
    const { clusterBits, sliceEntries } = this.#geometry;
    let entry2 = inSlice >>> clusterBits;
    const inCluster = inSlice & this.#clusterSize - 1;
    let guest = position - inCluster;
    this.#read(words, start + entry2 * this.#entryWords, inCluster, guest);
    const kind = this.#kind;
    const host = this.#host;
    const isOwn = this.#isOwn;
    let mapped = this.#run;
    mapping.kind = kind;
    mapping.file = this.#file;
    mapping.host = host;
    mapping.isOwn = isOwn;
    mapping.streamLength = this.#streamLength;
    mapping.inBlock = inCluster;
    mapping.blockLength = this.#clusterSize;
    let reachesEnd = inCluster + mapped === this.#clusterSize;
    while (mapped < length2 && reachesEnd && kind !== MAPPED.COMPRESSED) {
      if (++entry2 === sliceEntries) break;
      guest += this.#clusterSize;
      this.#read(words, start + entry2 * this.#entryWords, 0, guest);
      const follows = host === NO_HOST ? this.#host === NO_HOST : this.#host === host + mapped;
      const isSame = this.#kind === kind && this.#isOwn === isOwn;
      if (!isSame || !follows) break;
      mapped += this.#run;
      reachesEnd = this.#run === this.#clusterSize;
    }
    mapping.length = Math.min(mapped, length2);
  }
  /** Reads the entry at a word: what is at a byte of its cluster. */
  #read(words, at, inCluster, guest) {
    const high = Atomics.load(words, at);
    const low = Atomics.load(words, at + 1);
    this.#run = this.#clusterSize - inCluster;
    this.#host = NO_HOST;
    this.#isOwn = (high & COPIED5) !== 0;
    if ((high & COMPRESSED4) !== 0) return this.#readCompressed(high, low);
    const cluster = (high & OFFSET_HIGH2) * TWO_328 + ((low & OFFSET_LOW3) >>> 0);
    const hasPlace2 = cluster !== 0 || this.#geometry.hasDataFile && (high & COPIED5) !== 0 && (low & ZERO3) === 0;
    const isReserved = (high & RESERVED_HIGH4) !== 0 || (low & this.#reservedLow) !== 0;
    if (isReserved || hasPlace2 && !this.#isPlace(cluster, guest)) {
      this.#kind = MAPPED.CORRUPT;
      return;
    }
    if (hasPlace2) this.#host = cluster + inCluster;
    if (this.#isExtended) {
      this.#readBitmap(words, at + 2, inCluster, hasPlace2);
    } else if ((low & ZERO3) !== 0) {
      this.#kind = MAPPED.ZERO;
    } else {
      this.#kind = hasPlace2 ? MAPPED.DATA : MAPPED.UNALLOCATED;
    }
  }
  /** Whether data of the disk at `guest` may be at a place of the file. */
  #isPlace(cluster, guest) {
    return this.#geometry.hasDataFile ? cluster === guest : cluster % this.#clusterSize === 0 && cluster <= SIZE_MAX - this.#clusterSize;
  }
  #readCompressed(high, low) {
    if (this.#geometry.hasDataFile) {
      this.#kind = MAPPED.CORRUPT;
      return;
    }
    const sectors = (high & ~COPIED5 & ~COMPRESSED4) >>> this.#streamLow;
    const host = (high & this.#streamHigh) * TWO_328 + (low >>> 0);
    const isSound2 = host <= SIZE_MAX - 2 * this.#clusterSize;
    this.#kind = isSound2 ? MAPPED.COMPRESSED : MAPPED.CORRUPT;
    this.#host = host;
    this.#streamLength = (sectors + 1) * SECTOR2 - host % SECTOR2;
  }
  /** Reads the bitmap of an extended entry: the upper word says "zero". */
  #readBitmap(words, at, inCluster, hasPlace2) {
    const zero2 = Atomics.load(words, at);
    const allocated = Atomics.load(words, at + 1);
    const { subclusterSize } = this.#geometry;
    const first2 = Math.floor(inCluster / subclusterSize);
    const bit = 1 << first2;
    let same;
    if ((zero2 & allocated) !== 0 || allocated !== 0 && !hasPlace2) {
      this.#kind = MAPPED.CORRUPT;
      return;
    } else if ((zero2 & bit) !== 0) {
      this.#kind = MAPPED.ZERO;
      same = zero2;
    } else if ((allocated & bit) !== 0) {
      this.#kind = MAPPED.DATA;
      same = allocated;
    } else {
      this.#kind = MAPPED.UNALLOCATED;
      same = ~(zero2 | allocated);
    }
    const end = first2 + lowestZero(same >>> first2, SUBCLUSTERS - first2);
    this.#run = end * subclusterSize - inCluster;
  }
};
function lowestZero(bits, max) {
  const zeroes = ~bits;
  const count2 = zeroes === 0 ? 32 : 31 - Math.clz32(zeroes & -zeroes);
  return Math.min(count2, max);
}

// src/backends/formats/qcow2/read_l1.ts
var PART6 = 1 << 20;
var RESERVED_HIGH5 = 2130706432;
var RESERVED_LOW4 = 511;
async function readL1(file, at, entries2, { clusterSize }, name) {
  const size = entries2 * 8;
  if (size > LIMIT.L1_BYTES) throw refusal(name, "its L1 table is too large");
  const memory = new SharedArrayBuffer(entries2 * 4);
  const words = new Uint32Array(memory);
  const part2 = new Uint8Array(Math.min(size, PART6));
  const view2 = new DataView(part2.buffer);
  for (let done = 0; done < size; done += part2.length) {
    const length2 = Math.min(part2.length, size - done);
    const got = await readFully(file, at + done, part2, 0, length2);
    if (got < length2) {
      throw refusal(name, "its L1 table cannot be read completely");
    }
    for (let i = 0; i < length2; i += 8) {
      const high = view2.getUint32(i);
      const low = view2.getUint32(i + 4);
      words[(done + i) / 8] = clusterOfEntry(high, low, clusterSize);
    }
  }
  return memory;
}
function clusterOfEntry(high, low, clusterSize) {
  if ((high & RESERVED_HIGH5) !== 0 || (low & RESERVED_LOW4) !== 0) {
    return BAD_TABLE;
  }
  const cluster = ((high & 16777215) * 2 ** 32 + low) / clusterSize;
  const isValid = Number.isInteger(cluster) && cluster < BAD_TABLE;
  return isValid ? cluster : BAD_TABLE;
}

// src/shared_memory/futex.ts
var LONGEST_DELAY_MS = 1 << 30;
function futexWake(words, index) {
  Atomics.add(words, index, 1);
  Atomics.notify(words, index);
}
async function futexWait(words, index, seen) {
  const wait = Atomics.waitAsync(words, index, seen);
  if (!wait.async) return;
  const keepAlive = setInterval(() => {
  }, LONGEST_DELAY_MS);
  await wait.value;
  clearInterval(keepAlive);
}

// src/shared_memory/mutex.ts
var OWNER = 0;
var DOORBELL = 1;
var WAITERS = 2;
var SPINS = 400;
var SharedMutex = class {
  /** Words of shared memory that it takes. */
  static WORDS = 3;
  #words;
  #owner;
  /**
   * Wraps the memory of a lock.
   *
   * @param words {@linkcode SharedMutex.WORDS} words, zero when it is made.
   * @param holder The number of this thread.
   */
  constructor(words, holder) {
    this.#words = words;
    this.#owner = holder + 1;
  }
  /** Whether some caller holds it. */
  get isHeld() {
    return Atomics.load(this.#words, OWNER) !== 0;
  }
  /** Takes the lock if it is free. */
  tryLock() {
    return Atomics.compareExchange(this.#words, OWNER, 0, this.#owner) === 0;
  }
  /** Takes the lock; returns 0 at once, or a promise of it. */
  lock() {
    const words = this.#words;
    for (let spins = 0; spins < SPINS; spins++) {
      const owner = Atomics.load(words, OWNER);
      if (owner === 0 && this.tryLock()) return 0;
      if (owner === this.#owner) break;
    }
    return this.#wait();
  }
  /** Releases the lock. */
  unlock() {
    Atomics.compareExchange(this.#words, OWNER, this.#owner, 0);
    if (Atomics.load(this.#words, WAITERS) > 0) {
      futexWake(this.#words, DOORBELL);
    }
  }
  /**
   * Takes the lock from a thread that has ended.
   *
   * @returns Whether it held the lock, which this thread now holds instead.
   */
  revoke(holder) {
    const owner = holder + 1;
    const before = Atomics.compareExchange(this.#words, OWNER, owner, this.#owner);
    return before === owner;
  }
  async #wait() {
    const words = this.#words;
    Atomics.add(words, WAITERS, 1);
    try {
      for (; ; ) {
        const seen = Atomics.load(words, DOORBELL);
        if (this.tryLock()) return 0;
        await futexWait(words, DOORBELL, seen);
      }
    } finally {
      Atomics.sub(words, WAITERS, 1);
    }
  }
};

// src/backends/formats/qcow2/writing/claims.ts
var DOORBELL2 = 0;
var END2 = 1;
var WAITERS2 = 2;
var FIRST = 4;
var CLAIMS = 512;
var CLAIM_WORDS = 4;
var NO_CLAIM = -1;
var Claims = class {
  /** Words of shared memory that they take. */
  static WORDS = FIRST + CLAIMS * CLAIM_WORDS;
  #words;
  #owner;
  /** Wraps the memory, in the thread of a number. */
  constructor(words, thread) {
    this.#words = words;
    this.#owner = thread + 1;
  }
  /** The state to hand to {@linkcode Claims.changed}. */
  get seen() {
    return Atomics.load(this.#words, DOORBELL2);
  }
  /** How many of some entries of a slice are free, from the first one on. */
  freeFrom(slice, first2, count2) {
    const words = this.#words;
    const end = Atomics.load(words, END2);
    let free = count2;
    for (let claim = 0; claim < end; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(words, at) === 0) continue;
      if (Atomics.load(words, at + 1) !== (slice | 0)) continue;
      const from = Atomics.load(words, at + 2);
      if (from + Atomics.load(words, at + 3) <= first2) continue;
      free = Math.min(free, Math.max(0, from - first2));
    }
    return free;
  }
  /** Claims entries; returns the claim, or {@linkcode NO_CLAIM}. */
  add(slice, first2, count2) {
    const words = this.#words;
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(words, at) !== 0) continue;
      Atomics.store(words, at + 1, slice | 0);
      Atomics.store(words, at + 2, first2);
      Atomics.store(words, at + 3, count2);
      Atomics.store(words, at, this.#owner);
      if (claim >= Atomics.load(words, END2)) {
        Atomics.store(words, END2, claim + 1);
      }
      return claim;
    }
    return NO_CLAIM;
  }
  /** Gives a claim up. */
  remove(claim) {
    const words = this.#words;
    Atomics.store(words, FIRST + claim * CLAIM_WORDS, 0);
    this.#shrink();
    this.wake();
  }
  /**
   * Gives up the claims of a thread that has ended. The clusters that it was
   * writing to stay in use, because its I/O may still be under way.
   */
  removeAll(thread) {
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      Atomics.compareExchange(this.#words, at, thread + 1, 0);
    }
    this.#shrink();
    this.wake();
  }
  /** Whether a thread has claims. */
  isOwner(thread) {
    for (let claim = 0; claim < CLAIMS; claim++) {
      const at = FIRST + claim * CLAIM_WORDS;
      if (Atomics.load(this.#words, at) === thread + 1) return true;
    }
    return false;
  }
  /** Resolves to 0 once claims have changed since they were seen. */
  async changed(seen) {
    const words = this.#words;
    Atomics.add(words, WAITERS2, 1);
    try {
      await futexWait(words, DOORBELL2, seen);
    } finally {
      Atomics.sub(words, WAITERS2, 1);
    }
    return 0;
  }
  #shrink() {
    const words = this.#words;
    let end = Atomics.load(words, END2);
    while (end > 0) {
      const last = FIRST + (end - 1) * CLAIM_WORDS;
      if (Atomics.load(words, last) !== 0) break;
      end--;
    }
    Atomics.store(words, END2, end);
  }
  /** Wakes all that wait, to look again. */
  wake() {
    const words = this.#words;
    if (Atomics.load(words, WAITERS2) > 0) futexWake(words, DOORBELL2);
    else Atomics.add(words, DOORBELL2, 1);
  }
};

// src/backends/formats/qcow2/writing/epochs.ts
var STRIDE = 16;
var EPOCH = 0;
var COUNTERS = STRIDE;
var Epochs = class {
  #words;
  #own;
  /** Words of shared memory for a number of threads. */
  static words(threads) {
    return COUNTERS + STRIDE * threads;
  }
  /** Wraps the memory, in the thread of a number. */
  constructor(words, thread) {
    this.#words = words;
    this.#own = COUNTERS + STRIDE * thread;
  }
  /** The current epoch. */
  get current() {
    return Atomics.load(this.#words, EPOCH);
  }
  /** Begins a request; returns what to leave. */
  enter() {
    const words = this.#words;
    for (; ; ) {
      const epoch = Atomics.load(words, EPOCH);
      const counter = this.#own + (epoch & 1);
      Atomics.add(words, counter, 1);
      if (Atomics.load(words, EPOCH) === epoch) return counter;
      Atomics.sub(words, counter, 1);
    }
  }
  /** Ends a request. */
  leave(counter) {
    Atomics.sub(this.#words, counter, 1);
  }
  /** Advances the epoch if no request of the one before is left. */
  tryAdvance() {
    const words = this.#words;
    const epoch = Atomics.load(words, EPOCH);
    const other = epoch + 1 & 1;
    for (let at = COUNTERS + other; at < words.length; at += STRIDE) {
      if (Atomics.load(words, at) !== 0) return false;
    }
    const next = epoch + 1 | 0;
    return Atomics.compareExchange(words, EPOCH, epoch, next) === epoch;
  }
  /** Whether no request is left that began in an epoch or before it. */
  isOver(epoch) {
    return (this.current - epoch | 0) >= 2;
  }
};

// src/backends/formats/qcow2/writing/freed_clusters.ts
var TAIL = 0;
var DURABLE = 1;
var HEAD = 2;
var SEALED = 3;
var FIRST2 = 4;
var RANGES2 = 8192;
var RANGE_WORDS = 3;
var FreedClusters = class {
  /** Words of shared memory that it takes. */
  static WORDS = FIRST2 + RANGES2 * RANGE_WORDS;
  #words;
  /** Wraps the memory. */
  constructor(words) {
    this.#words = words;
  }
  /** Ranges that wait. */
  get length() {
    return this.#load(TAIL) - this.#load(HEAD) | 0;
  }
  /** Whether ranges wait for a flush. */
  get isUnflushed() {
    return this.#load(TAIL) !== this.#load(DURABLE);
  }
  /** Whether it should be emptied soon. */
  get isCrowded() {
    return this.length > RANGES2 * 3 / 4;
  }
  /**
   * Ends the ranges so far, for a flush that begins; returns their count, for
   * {@linkcode FreedClusters.flushed}.
   */
  seal() {
    const tail = this.#load(TAIL);
    Atomics.store(this.#words, SEALED, tail);
    return tail;
  }
  /**
   * Adds clusters.
   *
   * @returns Whether there was room; if not, they stay in use for good, which
   * a check of the image tells as a leak.
   */
  add(first2, count2, epoch) {
    const words = this.#words;
    const tail = this.#load(TAIL);
    if (tail !== this.#load(SEALED)) {
      const last = this.#at(tail - 1);
      const end = (words[last] >>> 0) + words[last + 1];
      if (end === first2 && words[last + 2] === epoch) {
        Atomics.add(words, last + 1, count2);
        return true;
      }
    }
    if (this.length >= RANGES2) return false;
    const at = this.#at(tail);
    Atomics.store(words, at, first2 | 0);
    Atomics.store(words, at + 1, count2);
    Atomics.store(words, at + 2, epoch);
    Atomics.store(words, TAIL, tail + 1 | 0);
    return true;
  }
  /** Notes that the changes of tables are durable up to a count of ranges. */
  flushed(added) {
    Atomics.store(this.#words, DURABLE, added);
  }
  /** The next range whose change is durable; `null` if there is none. */
  peek() {
    const head = this.#load(HEAD);
    if (head === this.#load(DURABLE)) return null;
    const at = this.#at(head);
    return {
      first: Atomics.load(this.#words, at) >>> 0,
      count: Atomics.load(this.#words, at + 1),
      epoch: Atomics.load(this.#words, at + 2)
    };
  }
  /** Removes the range that `peek()` returned. */
  shift() {
    Atomics.add(this.#words, HEAD, 1);
  }
  #load(index) {
    return Atomics.load(this.#words, index);
  }
  #at(range) {
    return FIRST2 + (range & RANGES2 - 1) * RANGE_WORDS;
  }
};

// src/backends/formats/qcow2/writing/write_state.ts
var THREADS_MAX = 512;
var CACHE_LINE2 = 16;
var WORD = {
  /** Threads that have attached. */
  THREADS: 0,
  /** No cluster below it is free. */
  FREE_FROM: 1,
  /** Clusters from here on were never written: they are zeroes. */
  UNUSED_FROM: 2,
  /** Clusters that the file has room for. */
  FILE_CLUSTERS: 3,
  /** Where the refcount table starts, in clusters, and how many it has. */
  TABLE_AT: 4,
  TABLE_CLUSTERS: 5,
  /** Entries of the refcount table that are to be written. */
  TABLE_DIRTY_FROM: 6,
  TABLE_DIRTY_TO: 7,
  /** Where the L1 table starts, in clusters, and its entries in the file. */
  L1_AT: 8,
  L1_ENTRIES: 9,
  /** Entries of the L1 table of which some are to be written. */
  L1_DIRTY_FROM: 10,
  L1_DIRTY_TO: 11,
  /** Whether tables may still be changed: one of `REFUSAL`. */
  REFUSAL: 12,
  /** Not 0 if the header has the dirty bit, durably. */
  DIRTY_BIT: 13,
  /** Not 0 if there is no room for refcounts until some are written. */
  REFCOUNTS_FULL: 14
};
var WORDS = 16;
var REFUSAL = {
  NONE: 0,
  /** The image is damaged; what was changed before is still written. */
  DAMAGED: 1,
  /** A thread has ended in the middle of a change; no table is written. */
  FAILED: 2
};
var LOCKS = 0;
var FLUSHES = LOCKS + CACHE_LINE2;
var NUMBERS = FLUSHES + CACHE_LINE2;
var SIZE2 = NUMBERS + WORDS;
var EPOCHS = SIZE2 + CACHE_LINE2;
var CLAIMS2 = EPOCHS + Epochs.words(THREADS_MAX);
var FREED = CLAIMS2 + Claims.WORDS;
var QUEUES = FREED + FreedClusters.WORDS;
var ALL = QUEUES + THREADS_MAX;
var WriteState = class {
  /** Held while tables are looked at or changed, never during data I/O. */
  tables;
  /** Held by the one thread that writes tables to the file; taken first. */
  flush;
  epochs;
  claims;
  freed;
  /** The number of this thread; 0 is the one that opened the image. */
  thread;
  /** Its number in caches of slices. */
  owner;
  #words;
  #size;
  /** For each thread its queue plus 1, 0 if it serves none. */
  #queues;
  /** Makes the memory of an image's state. */
  static create() {
    return new SharedArrayBuffer(4 * ALL);
  }
  /** Attaches one more thread, which serves a queue or opened the image. */
  constructor(memory, queue = null) {
    const part2 = (at, words) => new Int32Array(memory, 4 * at, words);
    this.#words = part2(NUMBERS, WORDS);
    this.#size = new Float64Array(memory, 4 * SIZE2, 1);
    const thread = Atomics.add(this.#words, WORD.THREADS, 1);
    if (thread >= THREADS_MAX) {
      throw new Error(`More than ${THREADS_MAX} threads write one image`);
    }
    this.thread = thread;
    this.owner = cacheOwner(queue);
    this.#queues = part2(QUEUES, THREADS_MAX);
    Atomics.store(this.#queues, thread, queue === null ? 0 : queue + 1);
    this.tables = new SharedMutex(part2(LOCKS, CACHE_LINE2), thread);
    this.flush = new SharedMutex(part2(FLUSHES, CACHE_LINE2), thread);
    this.epochs = new Epochs(part2(EPOCHS, Epochs.words(THREADS_MAX)), thread);
    this.claims = new Claims(part2(CLAIMS2, Claims.WORDS), thread);
    this.freed = new FreedClusters(part2(FREED, FreedClusters.WORDS));
  }
  /** The size of the disk in bytes; the export's lock orders its changes. */
  get size() {
    return this.#size[0];
  }
  set size(bytes2) {
    this.#size[0] = bytes2;
  }
  /** A shared number, from 0 to 2^32 - 1. */
  get(word) {
    return Atomics.load(this.#words, WORD[word]) >>> 0;
  }
  /** Changes a shared number. */
  set(word, value2) {
    Atomics.store(this.#words, WORD[word], value2 | 0);
  }
  /**
   * Notes that the thread of a queue has ended. If it held a lock, tables are not
   * changed any more, and callers that wait for it go on and fail.
   *
   * @param undo Undoes what the owner of the metadata lock has begun.
   * @returns The threads of that queue that held claims.
   */
  queueEnded(queue, undo) {
    const threads = this.get("THREADS");
    const claimers = [];
    for (let thread = 0; thread < threads; thread++) {
      if (Atomics.load(this.#queues, thread) !== queue + 1) continue;
      const isTables = this.tables.revoke(thread);
      const isFlush = this.flush.revoke(thread);
      if (isTables || isFlush) this.set("REFUSAL", REFUSAL.FAILED);
      if (isTables) undo();
      if (isTables) this.tables.unlock();
      if (isFlush) this.flush.unlock();
      if (this.claims.isOwner(thread)) claimers.push(thread);
      this.claims.wake();
    }
    return claimers;
  }
  /** Whether tables may not be written any more. */
  get hasFailed() {
    return this.get("REFUSAL") === REFUSAL.FAILED;
  }
  /** Whether the image may not be changed any more. */
  get refusesChanges() {
    return this.get("REFUSAL") !== REFUSAL.NONE;
  }
  /** Whether the image is damaged, and was not before. */
  get isDamaged() {
    return this.get("REFUSAL") === REFUSAL.DAMAGED;
  }
  /** Refuses changes, because the image is damaged. */
  setDamaged() {
    const { NONE: NONE2, DAMAGED } = REFUSAL;
    Atomics.compareExchange(this.#words, WORD.REFUSAL, NONE2, DAMAGED);
  }
  /** Adds an entry to the range of those that are to be written. */
  noteDirty(table2, entry2) {
    const from = this.get(`${table2}_DIRTY_FROM`);
    const to = this.get(`${table2}_DIRTY_TO`);
    const isEmpty = from === to;
    this.set(`${table2}_DIRTY_FROM`, isEmpty ? entry2 : Math.min(from, entry2));
    this.set(`${table2}_DIRTY_TO`, isEmpty ? entry2 + 1 : Math.max(to, entry2 + 1));
  }
  /** Whether entries of a table are to be written. */
  isDirty(table2) {
    return this.get(`${table2}_DIRTY_FROM`) !== this.get(`${table2}_DIRTY_TO`);
  }
};

// src/backends/formats/qcow2/writing/open_for_writing.ts
var AUTOCLEAR_FIELD = 88;
var RESERVED_LOW5 = 511;
function refuseWriting({ incompatible }, name, { snapshot }) {
  const refuse3 = (why, advice) => {
    throw new UserError(`Cannot write to ${name}: ${why}; ${advice}`);
  };
  if (snapshot !== null) {
    refuse3("a snapshot cannot be changed", "leave snapshot or writable out");
  }
  if ((incompatible & INCOMPATIBLE.CORRUPT) !== 0n) {
    refuse3("it is marked as corrupt", "repair it with 'check --repair=all'");
  }
}
async function openForWriting(image) {
  const { name, file, data, header, geometry, cacheSize } = image;
  const { clusterSize, sliceSize } = geometry;
  const { autoclear, refcountOrder: order } = header;
  const table2 = await readRefcountTable(image);
  const memory = WriteState.create();
  const state = new WriteState(memory);
  const size = await wholeClusters(image);
  const clusters = Math.ceil(size / clusterSize);
  const canGrow = file.file?.stat.kind !== "block";
  state.size = header.size;
  state.set("FILE_CLUSTERS", canGrow ? clusters : Math.floor(size / clusterSize));
  state.set("UNUSED_FROM", clusters);
  state.set("TABLE_AT", header.refcountTableOffset / clusterSize);
  state.set("TABLE_CLUSTERS", header.refcountTableClusters);
  state.set("L1_AT", header.l1Offset / clusterSize);
  state.set("L1_ENTRIES", header.l1Entries);
  state.set("THREADS", 0);
  const isRaw = (autoclear & AUTOCLEAR.RAW_DATA_FILE) !== 0n;
  if (data !== null) await extendData(data, header.size, name);
  await clearFeatures(image);
  const perSlice = sliceSize * 8 / 2 ** order;
  return {
    state: memory,
    flags: await readFlags(image),
    refcounts: {
      order,
      table: table2,
      cache: SliceCache.create(cacheSize, Math.ceil(clusters / perSlice) + 64, sliceSize / 4),
      canGrow
    },
    incompatible: header.incompatible,
    isLazy: (header.compatible & COMPATIBLE.LAZY_REFCOUNTS) !== 0n,
    isRaw: isRaw && data !== null,
    mayResize: header.snapshots === 0
  };
}
async function readRefcountTable({ name, file, header, geometry: { clusterSize } }) {
  const { refcountTableOffset: at, refcountTableClusters } = header;
  const bytes2 = await readTable2(file.backend, at, refcountTableClusters * clusterSize, name);
  const view2 = new DataView(bytes2.buffer);
  const entries2 = bytes2.length / 8;
  const memory = new SharedArrayBuffer(entries2 * 4, {
    maxByteLength: LIMIT.REFCOUNT_TABLE_BYTES / 2
  });
  const words = new Uint32Array(memory);
  for (let i = 0; i < entries2; i++) {
    const offset = view2.getUint32(8 * i) * 2 ** 32 + view2.getUint32(8 * i + 4);
    const cluster = offset / clusterSize;
    const isSound2 = (offset & RESERVED_LOW5) === 0 && Number.isInteger(cluster) && cluster < 4294967295;
    if (!isSound2) throw damaged(name, "its refcount table makes no sense");
    words[i] = cluster;
  }
  return memory;
}
async function readFlags({ name, file, header }) {
  const { l1Offset, l1Entries } = header;
  const memory = new SharedArrayBuffer(l1Entries, {
    maxByteLength: LIMIT.L1_BYTES / 8
  });
  const flags = new Uint8Array(memory);
  const bytes2 = await readTable2(file.backend, l1Offset, l1Entries * 8, name);
  for (let i = 0; i < l1Entries; i++) flags[i] = bytes2[8 * i] >> 7;
  return memory;
}
async function readTable2(file, at, length2, name) {
  const bytes2 = new Uint8Array(length2);
  const got = await readFully(file, at, bytes2, 0, length2);
  if (got === length2) return bytes2;
  throw damaged(name, "a table in it cannot be read completely");
}
async function wholeClusters({ name, file: { backend, file }, geometry: { clusterSize } }) {
  const { size } = await backend.stat();
  const whole = Math.ceil(size / clusterSize) * clusterSize;
  if (whole === size || file?.stat.kind === "block") return size;
  await succeed(backend.truncate(whole), name);
  return whole;
}
async function extendData({ backend }, size, name) {
  const stat = await backend.stat();
  if (stat.size < size) await succeed(backend.truncate(size), name);
}
async function clearFeatures({ name, file: { backend }, header }) {
  const { autoclear } = header;
  const kept = autoclear & AUTOCLEAR.RAW_DATA_FILE;
  if (kept === autoclear) return;
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, kept);
  const bytes2 = new Uint8Array(field.buffer);
  const put2 = await backend.write(AUTOCLEAR_FIELD, bytes2, 0, bytes2.length);
  await succeed(put2 === bytes2.length ? backend.flush() : -1, name);
}
async function succeed(answer, name) {
  if (await answer < 0) {
    throw new UserError(`Cannot write to ${name}: its file cannot be changed; check its storage`);
  }
}
function damaged(name, why) {
  return new UserError(`Cannot write to ${name}: ${why}; check it with 'check'`);
}

// src/backends/formats/qcow2/writing/steps.ts
function run(steps) {
  return new Run(steps).start();
}
var Run = class {
  #steps;
  #answer = null;
  constructor(steps) {
    this.#steps = steps;
  }
  start() {
    const result3 = this.#proceed(this.#steps.next());
    return result3 ?? this.#answer;
  }
  complete(value2) {
    this.#goOn(() => this.#steps.next(value2));
  }
  fail(error) {
    this.#goOn(() => this.#steps.throw(error));
  }
  #goOn(resume) {
    let result3;
    try {
      result3 = this.#proceed(resume());
    } catch (error) {
      return this.#answer.fail(error);
    }
    if (result3 !== null) this.#answer.complete(result3);
  }
  /** Goes on as far as possible; `null` if it waits. */
  #proceed(first2) {
    let step = first2;
    while (step.done !== true) {
      const answer = step.value;
      if (typeof answer !== "number") {
        this.#answer ??= Completion.start();
        Completion.of(answer).deliverTo(this);
        return null;
      }
      step = this.#steps.next(answer);
    }
    return step.value;
  }
};
function* fully(write2, length2, none) {
  for (let done = 0; done < length2; ) {
    const put2 = yield write2(done);
    if (put2 < 0) return put2;
    if (put2 === 0) return none;
    done += put2;
  }
  return 0;
}

// src/backends/formats/qcow2/writing/table_file.ts
var NO_ROOM = -1e5;
var ZEROES3 = new Uint8Array(65536);
var TableFile = class {
  file;
  #bytes;
  #words;
  /** Wraps a file whose tables are cached in slices of a size. */
  constructor(file, sliceSize) {
    this.file = file;
    this.#bytes = new Uint8Array(sliceSize);
    this.#words = new Int32Array(sliceSize / 4);
  }
  /**
   * Finds a slice in a cache, or reads it into the cache. Called by the owner of
   * the metadata lock.
   *
   * @param host Where the slice is in the file.
   * @returns Its slot, {@linkcode NO_ROOM}, or a negated errno.
   */
  *load(cache, slice, host) {
    for (; ; ) {
      const slot = cache.find(slice);
      if (slot >= 0) return slot;
      const changes = cache.changes(slice);
      const bytes2 = new Uint8Array(this.#bytes.length);
      const error = yield* this.read(host, bytes2);
      if (error < 0) return error;
      const words = wordsOf(bytes2, this.#words);
      if (!cache.add(slice, words, changes) && cache.isFull(slice)) {
        return NO_ROOM;
      }
    }
  }
  /** Reads bytes; where the file ends, the table is damaged. */
  *read(host, bytes2) {
    const read2 = (done) => this.file.read(host + done, bytes2, done, bytes2.length - done);
    return yield* fully(read2, bytes2.length, -ERRNO.EIO);
  }
  /** Writes bytes. */
  *write(host, bytes2) {
    const write2 = (done) => this.file.write(host + done, bytes2, done, bytes2.length - done);
    return yield* fully(write2, bytes2.length, -ERRNO.EIO);
  }
  /** Writes words. */
  *writeWords(host, words) {
    return yield* this.write(host, bytesOf2(words));
  }
  /** Writes zeroes. */
  *writeZeroes(host, length2) {
    for (let done = 0; done < length2; ) {
      const part2 = Math.min(ZEROES3.length, length2 - done);
      const error = yield* this.write(host + done, ZEROES3.subarray(0, part2));
      if (error < 0) return error;
      done += part2;
    }
    return 0;
  }
};
function wordsOf(bytes2, words) {
  const view2 = new DataView(bytes2.buffer);
  for (let i = 0; i < words.length; i++) words[i] = view2.getInt32(4 * i);
  return words;
}
function entryWords(value2, flags = 0) {
  return [
    Math.floor(value2 / 2 ** 32) | flags,
    value2 % 2 ** 32 | 0
  ];
}

// src/backends/formats/qcow2/writing/give_back.ts
var PART7 = 1024;
function* giveBack(image, writeRefcounts) {
  const { state: { freed, epochs, tables } } = image;
  for (; ; ) {
    yield tables.lock();
    const range = freed.peek();
    const isOver = range !== null && mayReuse(epochs, range.epoch);
    if (isOver) freed.shift();
    tables.unlock();
    if (range === null || !isOver) return 0;
    const end = range.first + range.count;
    for (let at = range.first; at < end; ) {
      const done = yield* giveSome(image, at, Math.min(PART7, end - at));
      if (done === NO_ROOM) {
        const error = yield* writeRefcounts();
        if (error < 0) return error;
      } else if (done < 0) {
        return done;
      } else {
        at += done;
      }
    }
  }
}
function mayReuse(epochs, epoch) {
  while (!epochs.isOver(epoch)) if (!epochs.tryAdvance()) return false;
  return true;
}
function* giveSome(image, first2, most) {
  const { state: { tables }, tableFile, geometry: { clusterSize } } = image;
  yield tables.lock();
  let run3;
  try {
    run3 = yield* lowerOrFind(image, first2, most);
  } finally {
    tables.unlock();
  }
  if (run3 <= 0) return run3 === 0 ? 1 : run3;
  const position = first2 * clusterSize;
  yield tableFile.file.zero(position, run3 * clusterSize, {
    unmap: true
  });
  yield tables.lock();
  try {
    for (let done = 0; done < run3; done++) {
      const error = yield* image.refcounts.set(first2 + done, 0);
      if (error < 0) return done > 0 ? done : error;
    }
  } finally {
    tables.unlock();
  }
  return run3;
}
function* lowerOrFind({ refcounts: refcounts2 }, first2, most) {
  for (let run3 = 0; run3 < most; run3++) {
    const refcount = yield* refcounts2.get(first2 + run3);
    if (refcount === 1) continue;
    if (run3 > 0) return run3;
    return refcount > 1 ? yield* refcounts2.set(first2, refcount - 1) : refcount;
  }
  return most;
}

// src/backends/formats/qcow2/writing/mark_corrupt.ts
function* markCorrupt(image) {
  const { state: { flush: flush2 }, tableFile: { file }, geometry } = image;
  if (geometry.version === 2) return 0;
  yield flush2.lock();
  try {
    const error = yield writeIncompatible(file, featuresOf3(image));
    return error < 0 ? error : yield file.flush();
  } finally {
    flush2.unlock();
  }
}
function featuresOf3({ state, incompatible }) {
  const dirty = state.get("DIRTY_BIT") === 0 ? 0n : INCOMPATIBLE.DIRTY;
  return incompatible | dirty | (state.isDamaged ? INCOMPATIBLE.CORRUPT : 0n);
}
function badRefcounts({ damage }) {
  damage.found("its refcount of a cluster that has a table");
  return -ERRNO.EIO;
}

// src/backends/formats/qcow2/writing/disk_flush.ts
var SLICES_MAX = 256;
var DiskFlush = class {
  #image;
  #errors;
  /** Prepares to flush an image; counts what the file's flushes do not. */
  constructor(image, errors) {
    this.#image = image;
    this.#errors = errors;
  }
  /** Whether the file has all tables, durably as far as it was flushed. */
  get isClean() {
    const { state, disk, isLazy } = this.#image;
    const isDirty = disk.cache.dirtyCount > 0 || state.isDirty("L1") || state.freed.isUnflushed || !isLazy && this.#hasRefcounts;
    return !isDirty && !state.flush.isHeld && !state.hasFailed;
  }
  /** Whether refcounts are to be written. */
  get #hasRefcounts() {
    const { state, refcounts: refcounts2 } = this.#image;
    return refcounts2.cache.dirtyCount > 0 || state.isDirty("TABLE");
  }
  /** Makes everything durable; 0 or a negated errno. */
  *flush() {
    const { state, data } = this.#image;
    const { flush: flush2 } = state;
    yield flush2.lock();
    try {
      if (state.hasFailed) {
        const error = yield data.flush();
        return this.#count(error < 0 ? error : -ERRNO.EIO);
      }
      for (; ; ) {
        const result3 = yield* this.#round();
        if (result3 !== 1) return result3;
      }
    } finally {
      flush2.unlock();
    }
  }
  /** Writes some tables; returns 1 if there are more. */
  *#round() {
    const { state, disk } = this.#image;
    const slices = [];
    let tables = [];
    let entries2 = [];
    let at = 0;
    let sealed = 0;
    let hasMore = false;
    yield state.tables.lock();
    try {
      if (state.hasFailed) return -ERRNO.EIO;
      this.#copyDirty(disk.cache, (slice) => disk.hostOf(slice), slices);
      at = state.get("L1_AT");
      tables = disk.takeDirty();
      entries2 = tables.map((table2) => disk.entryOf(table2));
      hasMore = disk.cache.dirtyCount > 0;
      sealed = state.freed.seal();
    } finally {
      state.tables.unlock();
    }
    let error = 0;
    try {
      error = yield* this.#writeAll(slices, tables, entries2, at);
    } catch (thrown2) {
      yield* this.#done(slices, tables, false);
      throw thrown2;
    }
    yield* this.#done(slices, tables, error >= 0);
    if (error < 0) return error;
    if (hasMore) return 1;
    state.freed.flushed(sealed);
    return yield* giveBack(this.#image, () => this.#writeRefcounts());
  }
  *#writeAll(slices, tables, entries2, at) {
    const { tableFile, data, geometry: { clusterSize } } = this.#image;
    const { file } = tableFile;
    const { state, isLazy } = this.#image;
    const isLate = isLazy && state.get("REFCOUNTS_FULL") === 0;
    let error = isLate ? yield* this.#setDirty(slices.length + tables.length > 0) : yield* this.#writeRefcounts();
    if (error < 0) return error;
    if (data !== file) {
      error = yield data.flush();
      if (error < 0) return error;
    }
    error = yield file.flush();
    if (error < 0) return error;
    if (!isLate) error = yield* this.#writeTable();
    if (error < 0) return error;
    if (slices.length === 0 && tables.length === 0) return 0;
    error = yield* this.#write(slices);
    for (let i = 0; i < tables.length && error >= 0; i++) {
      const host = at * clusterSize + tables[i] * 8;
      error = this.#count(yield* tableFile.writeWords(host, entries2[i]));
    }
    return error < 0 ? error : yield file.flush();
  }
  /**
   * Sets the dirty bit before anything that relies on refcounts which are not
   * written yet.
   */
  *#setDirty(hasTables) {
    const { state, tableFile: { file } } = this.#image;
    if (state.get("DIRTY_BIT") !== 0) return 0;
    if (!hasTables && !this.#hasRefcounts) return 0;
    const bits = featuresOf3(this.#image) | INCOMPATIBLE.DIRTY;
    let error = this.#count(yield writeIncompatible(file, bits));
    if (error >= 0) error = yield file.flush();
    if (error >= 0) state.set("DIRTY_BIT", 1);
    return error;
  }
  /** Writes the refcounts at the end, and then clears the dirty bit. */
  *settle() {
    const { state, tableFile: { file }, isLazy } = this.#image;
    if (!isLazy) return 0;
    yield state.flush.lock();
    try {
      if (state.hasFailed) return -ERRNO.EIO;
      let error = yield* this.#writeRefcounts();
      if (error >= 0) error = yield file.flush();
      if (error >= 0) error = yield* this.#writeTable();
      if (error < 0 || state.get("DIRTY_BIT") === 0) return error;
      state.set("DIRTY_BIT", 0);
      error = yield writeIncompatible(file, featuresOf3(this.#image));
      return error < 0 ? error : yield file.flush();
    } finally {
      state.flush.unlock();
    }
  }
  /** Writes changed refcounts; the flush lock is held. */
  *#writeRefcounts() {
    const { state, refcounts: refcounts2 } = this.#image;
    for (; ; ) {
      const copies = [];
      yield state.tables.lock();
      const { cache } = refcounts2;
      const hostOf = (slice) => refcounts2.hostOf(slice);
      this.#copyDirty(cache, hostOf, copies);
      state.set("REFCOUNTS_FULL", 0);
      state.tables.unlock();
      if (copies.length === 0) return 0;
      const error = yield* this.#write(copies);
      yield state.tables.lock();
      for (const { slot } of copies) refcounts2.cache.written(slot, error >= 0);
      state.tables.unlock();
      if (error < 0) return error;
    }
  }
  /** Writes changed entries of the refcount table, whose blocks are durable. */
  *#writeTable() {
    const { state, refcounts: refcounts2, tableFile, geometry } = this.#image;
    if (!state.isDirty("TABLE")) return 0;
    yield state.tables.lock();
    const from = state.get("TABLE_DIRTY_FROM");
    const to = state.get("TABLE_DIRTY_TO");
    const words = [];
    for (let block = from; block < to; block++) {
      const cluster = Atomics.load(refcounts2.table, block);
      words.push(...entryWords(cluster * geometry.clusterSize));
    }
    state.set("TABLE_DIRTY_FROM", 0);
    state.set("TABLE_DIRTY_TO", 0);
    const host = state.get("TABLE_AT") * geometry.clusterSize + from * 8;
    state.tables.unlock();
    let error = this.#count(yield* tableFile.writeWords(host, words));
    if (error >= 0) error = yield tableFile.file.flush();
    if (error >= 0) return 0;
    yield state.tables.lock();
    state.noteDirty("TABLE", from);
    state.noteDirty("TABLE", to - 1);
    state.tables.unlock();
    return error;
  }
  #copyDirty(cache, hostOf, into) {
    const { geometry: { sliceSize } } = this.#image;
    while (into.length < SLICES_MAX) {
      const words = new Int32Array(sliceSize / 4);
      const slot = cache.takeDirty(words);
      if (slot < 0) break;
      into.push({
        slot,
        host: hostOf(cache.sliceIn(slot)),
        words
      });
    }
  }
  *#write(copies) {
    const { tableFile } = this.#image;
    for (const { host, words } of copies) {
      const error = this.#count(yield* tableFile.writeWords(host, words));
      if (error < 0) return error;
    }
    return 0;
  }
  *#done(slices, tables, isWritten) {
    const { state, disk } = this.#image;
    yield state.tables.lock();
    for (const { slot } of slices) disk.cache.written(slot, isWritten);
    if (!isWritten) disk.returnDirty(tables);
    state.tables.unlock();
    return 0;
  }
  /** Counts a failed write, of which no flush of the file tells. */
  #count(result3) {
    if (result3 < 0) this.#errors.add(-result3);
    return result3;
  }
};

// src/backends/formats/qcow2/writing/slice_changes.ts
var WRITER_LOOKS = 2e3;
var WRITER_WAIT_MS = 1;
var SliceChanges = class extends SliceCache {
  /** How many slots have changed and wait to be written. */
  get dirtyCount() {
    return Atomics.load(this.words, CONTROL.DIRTY_COUNT);
  }
  /**
   * Changes words of a slice. Only the owner of the metadata lock calls this and
   * what follows.
   *
   * @param slice Its number.
   * @param at The first word.
   * @param words The new words.
   * @returns Whether the slice was cached.
   */
  change(slice, at, words) {
    const set = this.setAt(slice);
    this.#lockForWriter(set);
    try {
      const slot = this.#slotOf(set, slice + 1 | 0);
      if (slot < 0) return false;
      const slotAt = this.slotAt(slot);
      const start = slot * this.sliceWords + at;
      this.#keep(slot, start, words.length);
      Atomics.add(this.words, slotAt + SLOT.VERSION, 1);
      for (let i = 0; i < words.length; i++) {
        Atomics.store(this.data, start + i, words[i]);
      }
      Atomics.add(this.words, slotAt + SLOT.VERSION, 1);
      this.#noteChange(slot, slotAt);
      Atomics.store(this.undo, UNDO.ACTIVE, 0);
      return true;
    } finally {
      this.unlock(set);
    }
  }
  /** Keeps words that will change, in case that this thread ends meanwhile. */
  #keep(slot, start, count2) {
    const { undo } = this;
    Atomics.store(undo, UNDO.SLOT, slot);
    Atomics.store(undo, UNDO.AT, start);
    Atomics.store(undo, UNDO.COUNT, count2);
    for (let i = 0; i < count2; i++) {
      const word = Atomics.load(this.data, start + i);
      Atomics.store(undo, UNDO_WORDS + i, word);
    }
    Atomics.store(undo, UNDO.ACTIVE, 1);
  }
  /**
   * Undoes the change that the owner of the metadata lock has not lived to
   * finish. Called before the lock is free again.
   */
  undoChange() {
    const { undo, words, data } = this;
    if (Atomics.load(undo, UNDO.ACTIVE) === 0) return;
    const at = this.slotAt(Atomics.load(undo, UNDO.SLOT)) + SLOT.VERSION;
    if ((Atomics.load(words, at) & 1) === 0) Atomics.add(words, at, 1);
    const start = Atomics.load(undo, UNDO.AT);
    for (let i = 0; i < Atomics.load(undo, UNDO.COUNT); i++) {
      Atomics.store(data, start + i, Atomics.load(undo, UNDO_WORDS + i));
    }
    Atomics.add(words, at, 1);
    Atomics.store(undo, UNDO.ACTIVE, 0);
  }
  /** Whether every slot for a slice has changed and waits to be written. */
  isFull(slice) {
    const first2 = this.setAt(slice) + SET_WORDS + SLOT.DIRTY;
    for (let way = 0; way < WAYS; way++) {
      const state = Atomics.load(this.words, first2 + way * SLOT_WORDS);
      if (state === DIRTY.CLEAN) return false;
    }
    return true;
  }
  /**
   * Takes a changed slot to be written. The slot stays until
   * {@linkcode SliceCache.written}.
   *
   * @param into Takes its words.
   * @returns The slot; -1 if none has changed.
   */
  takeDirty(into) {
    const count2 = this.dirtyCount;
    if (count2 === 0) return -1;
    const slot = Atomics.load(this.dirty, count2 - 1);
    Atomics.store(this.words, CONTROL.DIRTY_COUNT, count2 - 1);
    const at = this.slotAt(slot) + SLOT.DIRTY;
    Atomics.store(this.words, at, DIRTY.WRITING);
    const start = slot * this.sliceWords;
    for (let i = 0; i < into.length; i++) {
      into[i] = Atomics.load(this.data, start + i);
    }
    return slot;
  }
  /** The slice in a slot. */
  sliceIn(slot) {
    const tag = Atomics.load(this.words, this.slotAt(slot) + SLOT.TAG);
    return (tag >>> 0) - 1;
  }
  /** Takes back a slot that {@linkcode SliceCache.takeDirty} returned. */
  written(slot, isWritten) {
    const words = this.words;
    const at = this.slotAt(slot);
    const state = Atomics.load(words, at + SLOT.DIRTY);
    const set = CONTROL_WORDS + Math.floor(slot / WAYS) * SET_STRIDE;
    Atomics.add(words, set + SET.CHANGES, 1);
    if (isWritten && state === DIRTY.WRITING) {
      Atomics.store(words, at + SLOT.DIRTY, DIRTY.CLEAN);
    } else if (state !== DIRTY.CHANGED) {
      this.#list(slot, at);
    }
  }
  #noteChange(slot, at) {
    const state = Atomics.load(this.words, at + SLOT.DIRTY);
    if (state === DIRTY.CLEAN) this.#list(slot, at);
    else if (state === DIRTY.WRITING) {
      Atomics.store(this.words, at + SLOT.DIRTY, DIRTY.CHANGED_AGAIN);
    }
  }
  #list(slot, at) {
    const count2 = this.dirtyCount;
    Atomics.store(this.dirty, count2, slot);
    Atomics.store(this.words, at + SLOT.DIRTY, DIRTY.CHANGED);
    Atomics.store(this.words, CONTROL.DIRTY_COUNT, count2 + 1);
  }
  #slotOf(set, tag) {
    const first2 = set + SET_WORDS + SLOT.TAG;
    for (let way = 0; way < WAYS; way++) {
      if (Atomics.load(this.words, first2 + way * SLOT_WORDS) === tag) {
        return (set - CONTROL_WORDS) / SET_STRIDE * WAYS + way;
      }
    }
    return -1;
  }
  #lockForWriter(set) {
    const words = this.words;
    for (let looks = 0; looks < WRITER_LOOKS; looks++) {
      if (this.lock(set)) return;
      const holder = Atomics.load(words, set + SET.LOCK);
      Atomics.wait(words, set + SET.LOCK, holder, WRITER_WAIT_MS);
    }
  }
};

// src/backends/formats/qcow2/writing/refcount_table.ts
var TABLE_FIELDS2 = 48;
function ownBlock({ clusterSize, perBlock, order }, block, first2, count2) {
  const words = new Int32Array(clusterSize / 4);
  const start = block * perBlock;
  const to = Math.min(first2 + count2 - start, perBlock);
  for (let index = Math.max(0, first2 - start); index < to; index++) {
    const { word } = refcountPlace(order, index);
    words.set(withRefcount(words, 0, order, index, 1), word);
  }
  return words;
}
function* growTable(refcounts2, block) {
  const { state, file, table: table2, clusterSize, perBlock } = refcounts2;
  const old = table2.length;
  const first2 = old * perBlock;
  const { blocks, clusters } = sizeOf2(refcounts2, block + 1);
  if (clusters * clusterSize > LIMIT.REFCOUNT_TABLE_BYTES) return -ERRNO.ENOSPC;
  const used = blocks + clusters;
  let error = yield* refcounts2.extendFile(first2 + used);
  if (error < 0) return error;
  refcounts2.use(first2, used);
  for (let i = 0; i < blocks; i++) {
    const words = ownBlock(refcounts2, old + i, first2, used);
    error = yield* file.writeWords((first2 + i) * clusterSize, words);
    if (error < 0) return error;
  }
  const entries2 = new BigUint64Array(clusters * clusterSize / 8);
  for (let i = 0; i < old + blocks; i++) {
    const cluster = i < old ? Atomics.load(table2, i) : first2 + i - old;
    entries2[i] = BigInt(cluster) * BigInt(clusterSize);
  }
  const at = first2 + blocks;
  error = yield* file.write(at * clusterSize, bigEndian(entries2));
  if (error < 0) return error;
  error = yield file.file.flush();
  if (error < 0) return error;
  const fields = new DataView(new ArrayBuffer(12));
  fields.setBigUint64(0, BigInt(at) * BigInt(clusterSize));
  fields.setUint32(8, clusters);
  error = yield* file.write(TABLE_FIELDS2, new Uint8Array(fields.buffer));
  if (error < 0) return error;
  error = yield file.file.flush();
  if (error < 0) return error;
  const before = state.get("TABLE_AT");
  const beforeClusters = state.get("TABLE_CLUSTERS");
  table2.buffer.grow(entries2.length * 4);
  for (let i = 0; i < blocks; i++) Atomics.store(table2, old + i, first2 + i);
  state.set("TABLE_AT", at);
  state.set("TABLE_CLUSTERS", clusters);
  state.set("TABLE_DIRTY_FROM", 0);
  state.set("TABLE_DIRTY_TO", 0);
  refcounts2.release(before, beforeClusters);
  return 0;
}
function sizeOf2({ table: table2, clusterSize, perBlock }, least) {
  const old = table2.length;
  for (let blocks = 1; ; blocks++) {
    const entries2 = Math.max(least, Math.ceil(old * 1.5), old + blocks);
    const clusters = Math.ceil(entries2 * 8 / clusterSize);
    if (blocks + clusters <= blocks * perBlock) return {
      blocks,
      clusters
    };
  }
}
function bigEndian(entries2) {
  const view2 = new DataView(new ArrayBuffer(entries2.length * 8));
  entries2.forEach((entry2, i) => view2.setBigUint64(8 * i, entry2));
  return new Uint8Array(view2.buffer);
}

// src/backends/formats/qcow2/writing/refcounts.ts
var GROWTH = 8 << 20;
var CLUSTERS_MAX3 = 4294967295;
var BAD_REFCOUNTS = -4e5;
var Refcounts = class {
  state;
  file;
  cache;
  /** The clusters of refcount blocks. */
  table;
  order;
  /** Refcounts of a block. */
  perBlock;
  clusterSize;
  /** How many clusters `allocate()` has allocated. */
  allocated;
  /** Whether they were never written, so that they are zeroes. */
  areUnused;
  #perSlice;
  #sliceSize;
  #canGrow;
  /** Attaches to the refcounts of an open image. */
  constructor(shared, { clusterSize, sliceSize }, state, file) {
    this.state = state;
    this.file = file;
    this.allocated = 0;
    this.areUnused = false;
    this.cache = new SliceChanges(shared.cache, sliceSize / 4, state.owner);
    this.table = new Uint32Array(shared.table);
    this.order = shared.order;
    this.clusterSize = clusterSize;
    this.perBlock = clusterSize * 8 / 2 ** shared.order;
    this.#perSlice = sliceSize * 8 / 2 ** shared.order;
    this.#sliceSize = sliceSize;
    this.#canGrow = shared.canGrow;
  }
  /** Where a slice is in the file. */
  hostOf(slice) {
    const first2 = slice * this.#perSlice;
    const block = Math.floor(first2 / this.perBlock);
    const inBlock = slice - block * this.perBlock / this.#perSlice;
    return this.#blockAt(block) * this.clusterSize + inBlock * this.#sliceSize;
  }
  /** The refcount of a cluster, or a negative number. */
  *get(cluster) {
    if (this.#blockAt(Math.floor(cluster / this.perBlock)) === 0) return 0;
    const slot = yield* this.#load(cluster);
    if (slot < 0) return slot;
    return this.#read(slot, cluster % this.#perSlice);
  }
  /** Sets the refcount of a cluster whose block exists; 0 or negative. */
  *set(cluster, refcount) {
    const slice = Math.floor(cluster / this.#perSlice);
    const index = cluster % this.#perSlice;
    for (; ; ) {
      const slot = yield* this.#load(cluster);
      if (slot < 0) return slot;
      const start = slot * (this.#sliceSize / 4);
      const { data } = this.cache;
      const words = withRefcount(data, start, this.order, index, refcount);
      const { word } = refcountPlace(this.order, index);
      if (this.cache.change(slice, word, words)) break;
    }
    if (refcount === 0 && cluster < this.state.get("FREE_FROM")) {
      this.state.set("FREE_FROM", cluster);
    }
    return 0;
  }
  /**
   * Allocates clusters that follow each other: as many as are free at the first
   * free place, and tells that by `allocated`.
   *
   * @param count How many at most.
   * @returns The first one, or a negative number.
   */
  *allocate(count2) {
    const first2 = yield* this.#findFree(count2);
    if (first2 < 0) return first2;
    const found = this.allocated;
    const error = yield* this.extendFile(first2 + found);
    if (error < 0) return error;
    for (let done = 0; done < found; done++) {
      const result3 = yield* this.set(first2 + done, 1);
      if (result3 < 0) {
        yield* this.free(first2, done);
        return result3;
      }
    }
    this.state.set("FREE_FROM", first2 + found);
    this.areUnused = this.use(first2, found);
    this.allocated = found;
    return first2;
  }
  /**
   * Allocates clusters that follow each other, exactly as many as wanted.
   *
   * @returns The first one, or a negative number.
   */
  *allocateRun(count2) {
    const passed = [];
    let first2 = 0;
    let found = 0;
    while (found < count2) {
      const next = yield* this.allocate(count2 - found);
      if (next < 0) {
        passed.push([
          first2,
          found
        ]);
        first2 = next;
        break;
      }
      if (next !== first2 + found) {
        if (found > 0) passed.push([
          first2,
          found
        ]);
        first2 = next;
        found = 0;
      }
      found += this.allocated;
    }
    for (const range of passed) yield* this.free(...range);
    return first2;
  }
  /** Frees clusters that no table has ever referred to. */
  *free(first2, count2) {
    for (let done = 0; done < count2; done++) {
      const error = yield* this.set(first2 + done, 0);
      if (error >= 0) continue;
      this.release(first2 + done, count2 - done);
      break;
    }
    return 0;
  }
  /**
   * Gives back a reference to each of some clusters. If there is no room to note
   * that, they are leaked: nothing else is wrong with them.
   */
  release(first2, count2) {
    const { freed, epochs } = this.state;
    freed.add(first2, count2, epochs.current);
  }
  /** Notes that clusters are used; returns whether none of them was before. */
  use(first2, count2) {
    const unused = this.state.get("UNUSED_FROM");
    const end = first2 + count2;
    if (end > unused) this.state.set("UNUSED_FROM", end);
    return this.#canGrow && first2 >= unused;
  }
  /** Makes the file long enough for the clusters up to one. */
  *extendFile(end) {
    const { state, clusterSize } = this;
    if (end <= state.get("FILE_CLUSTERS")) return 0;
    if (!this.#canGrow) return -ERRNO.ENOSPC;
    const ahead = Math.ceil(GROWTH / clusterSize);
    for (const clusters of [
      end + ahead,
      end
    ]) {
      const error = yield this.file.file.truncate(clusters * clusterSize);
      if (error < 0 && clusters === end) return error;
      if (error < 0) continue;
      state.set("FILE_CLUSTERS", clusters);
      break;
    }
    return 0;
  }
  /** Whether a cluster belongs to the header, the L1 or the refcount table. */
  isTable(cluster) {
    const { state, clusterSize } = this;
    const l1 = state.get("L1_AT");
    const l1Clusters = Math.ceil(state.get("L1_ENTRIES") * 8 / clusterSize);
    const table2 = state.get("TABLE_AT");
    const end = table2 + state.get("TABLE_CLUSTERS");
    return cluster === 0 || cluster >= table2 && cluster < end || cluster >= l1 && cluster < l1 + l1Clusters || cluster === this.#blockAt(Math.floor(cluster / this.perBlock));
  }
  *#findFree(count2) {
    let at = this.state.get("FREE_FROM");
    for (; ; ) {
      if (at >= CLUSTERS_MAX3) return -ERRNO.ENOSPC;
      const block = Math.floor(at / this.perBlock);
      if (this.#blockAt(block) === 0) {
        const error = yield* this.#addBlock(block, at);
        if (error < 0) return error;
        continue;
      }
      const slot = yield* this.#load(at);
      if (slot < 0) return slot;
      const from = at % this.#perSlice;
      const index = this.#firstFree(slot, from);
      const first2 = at - from + index;
      if (index < this.#perSlice) {
        if (this.isTable(first2)) return BAD_REFCOUNTS;
        let found = 1;
        const most = Math.min(count2, this.#perSlice - index);
        while (found < most && this.#read(slot, index + found) === 0) found++;
        this.allocated = found;
        return first2;
      }
      at = first2;
      this.state.set("FREE_FROM", at);
    }
  }
  #firstFree(slot, from) {
    let index = from;
    while (index < this.#perSlice && this.#read(slot, index) !== 0) index++;
    return index;
  }
  /** Adds a block, in the first cluster that it describes. */
  *#addBlock(block, at) {
    if (block === 0) return -ERRNO.EIO;
    if (block >= this.table.length) return yield* growTable(this, block);
    let error = yield* this.extendFile(at + 1);
    if (error < 0) return error;
    this.use(at, 1);
    const words = ownBlock(this, block, at, 1);
    error = yield* this.file.writeWords(at * this.clusterSize, words);
    if (error < 0) return error;
    Atomics.store(this.table, block, at);
    this.state.noteDirty("TABLE", block);
    return 0;
  }
  *#load(cluster) {
    const slice = Math.floor(cluster / this.#perSlice);
    const slot = yield* this.file.load(this.cache, slice, this.hostOf(slice));
    if (slot === NO_ROOM) this.state.set("REFCOUNTS_FULL", 1);
    return slot;
  }
  #read(slot, index) {
    const start = slot * (this.#sliceSize / 4);
    return readRefcount(this.cache.data, start, this.order, index);
  }
  #blockAt(block) {
    return block < this.table.length ? Atomics.load(this.table, block) : 0;
  }
};

// src/backends/formats/qcow2/writing/disk_resize.ts
var SIZE_FIELD = 24;
var L1_FIELDS = 36;
var DiskResize = class {
  #image;
  #zeroes;
  #mayResize;
  /**
   * Prepares to resize an image.
   *
   * @param mayResize Whether snapshots, if there are any, keep sizes of their
   * own.
   */
  constructor(image, zeroes, mayResize2) {
    this.#image = image;
    this.#zeroes = zeroes;
    this.#mayResize = mayResize2;
  }
  /** Sets the size; 0 or a negated errno. */
  *resize(size) {
    const { state } = this.#image;
    const old = state.size;
    if (size === old) return 0;
    if (!this.#mayResize) return -ERRNO.EOPNOTSUPP;
    if (size < old) {
      const error2 = yield* this.#zeroes.zero(size, old - size, true);
      if (error2 < 0 && error2 !== -ERRNO.EOPNOTSUPP) return error2;
      if (error2 < 0) return yield* this.#zeroesThenSize(size, old);
      return yield* this.#setSize(size);
    }
    let error = yield* this.#growL1(size);
    if (error < 0) return error;
    error = yield* this.#growData(size);
    if (error < 0) return error;
    state.size = size;
    error = yield* this.#zeroes.zero(old, size - old, false);
    if (error >= 0) error = yield* this.#setSize(size);
    if (error < 0) state.size = old;
    return error;
  }
  *#zeroesThenSize(size, old) {
    const error = yield* this.#zeroes.zero(size, old - size, false);
    return error < 0 ? error : yield* this.#setSize(size);
  }
  /** Writes the size to the header, once everything else is durable. */
  *#setSize(size) {
    const { state, tableFile, flush: flush2 } = this.#image;
    let error = yield flush2();
    if (error < 0) return error;
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, BigInt(size));
    const bytes2 = new Uint8Array(field.buffer);
    error = yield* tableFile.write(SIZE_FIELD, bytes2);
    if (error < 0) return error;
    error = yield tableFile.file.flush();
    if (error >= 0) state.size = size;
    return error;
  }
  *#growData(size) {
    const { data, geometry: { hasDataFile } } = this.#image;
    return hasDataFile ? yield data.truncate(size) : 0;
  }
  /** Gives the L1 table entries for a size; moves it if it has to. */
  *#growL1(size) {
    const { state, geometry } = this.#image;
    const { sliceSpan, tableSlices } = geometry;
    const needed2 = Math.ceil(size / (sliceSpan * tableSlices));
    if (needed2 <= state.get("L1_ENTRIES")) return 0;
    if (needed2 * 8 > LIMIT.L1_BYTES) return -ERRNO.EFBIG;
    return yield* this.#moveL1(needed2);
  }
  *#moveL1(needed2) {
    const { state, disk, refcounts: refcounts2, tableFile, geometry, flush: flush2 } = this.#image;
    const { clusterSize } = geometry;
    const clusters = Math.ceil(needed2 * 8 / clusterSize);
    const entries2 = Math.min(clusters * clusterSize, LIMIT.L1_BYTES) / 8;
    const beforeEntries = state.get("L1_ENTRIES");
    let first2 = yield* this.#locked(() => this.#copyL1(clusters));
    if (first2 === BAD_REFCOUNTS) return badRefcounts(this.#image);
    while (first2 === NO_ROOM) {
      const error2 = yield flush2();
      if (error2 < 0) return error2;
      first2 = yield* this.#locked(() => this.#copyL1(clusters));
    }
    if (first2 < 0) return first2;
    const { tables } = state;
    let error = yield flush2();
    if (error < 0) return error;
    const fields = new DataView(new ArrayBuffer(12));
    fields.setUint32(0, entries2);
    fields.setBigUint64(4, BigInt(first2) * BigInt(clusterSize));
    const bytes2 = new Uint8Array(fields.buffer);
    error = yield* tableFile.write(L1_FIELDS, bytes2);
    if (error >= 0) error = yield tableFile.file.flush();
    if (error < 0) return error;
    const before = state.get("L1_AT");
    disk.grow(entries2);
    state.set("L1_AT", first2);
    state.set("L1_ENTRIES", entries2);
    const old = Math.ceil(beforeEntries * 8 / clusterSize);
    yield tables.lock();
    if (old > 0) refcounts2.release(before, old);
    tables.unlock();
    return 0;
  }
  /** Writes the L1 table to new clusters; returns the first one. */
  *#copyL1(clusters) {
    const { state, disk, refcounts: refcounts2, tableFile, geometry } = this.#image;
    const first2 = yield* refcounts2.allocateRun(clusters);
    if (first2 < 0) return first2;
    const words = new Int32Array(clusters * geometry.clusterSize / 4);
    for (let table2 = 0; table2 < state.get("L1_ENTRIES"); table2++) {
      words.set(disk.entryOf(table2), 2 * table2);
    }
    const at = first2 * geometry.clusterSize;
    const error = yield* tableFile.writeWords(at, words);
    return error < 0 ? error : first2;
  }
  *#locked(work) {
    const { tables } = this.#image.state;
    yield tables.lock();
    try {
      return yield* work();
    } finally {
      tables.unlock();
    }
  }
};

// src/backends/formats/qcow2/writing/disk_tables.ts
var NO_SLICE = -2e5;
var FLAG = {
  /** Only this disk has the L2 table. */
  COPIED: 1,
  /** The entry is to be written. */
  DIRTY: 2
};
var DiskTables = class {
  state;
  file;
  refcounts;
  cache;
  l1;
  /**
   * The words of the slice that `own()` has brought: a copy, because a reader in
   * another thread may put another slice in its slot at any moment.
   */
  words;
  #flags;
  #geometry;
  /** Attaches to the tables of an open image. */
  constructor({ geometry, l1, cache }, flags, state, file, refcounts2) {
    this.state = state;
    this.file = file;
    this.refcounts = refcounts2;
    this.cache = new SliceChanges(cache, geometry.sliceSize / 4, state.owner);
    this.l1 = new Uint32Array(l1);
    this.words = new Int32Array(geometry.sliceSize / 4);
    this.#flags = new Uint8Array(flags);
    this.#geometry = geometry;
  }
  /** Where a slice is in the file. */
  hostOf(slice) {
    const { tableSlices, clusterSize, sliceSize } = this.#geometry;
    const table2 = Math.floor(slice / tableSlices);
    return Atomics.load(this.l1, table2) * clusterSize + slice % tableSlices * sliceSize;
  }
  /**
   * Brings a slice into the cache so that it may be changed, and into `words`.
   *
   * @param slice Which.
   * @param mayAdd Whether to make its table if there is none.
   * @returns 0 or a negative number.
   */
  *own(slice, mayAdd) {
    const table2 = Math.floor(slice / this.#geometry.tableSlices);
    const cluster = Atomics.load(this.l1, table2);
    if (cluster === BAD_TABLE) return -ERRNO.EIO;
    if (cluster === NO_TABLE && !mayAdd) return NO_SLICE;
    if (cluster === NO_TABLE || !this.isOwn(table2)) {
      const error = yield* this.#makeOwn(table2, cluster);
      if (error < 0) return error;
    }
    do {
      const host = this.hostOf(slice);
      const slot = yield* this.file.load(this.cache, slice, host);
      if (slot < 0) return slot;
    } while (!this.cache.copy(slice, this.words));
    return 0;
  }
  /**
   * Changes words of a slice that is this disk's own, reading it if it has left
   * the cache; 0 or a negative number.
   */
  *change(slice, at, words) {
    while (!this.cache.change(slice, at, words)) {
      const error = yield* this.own(slice, false);
      if (error < 0) return error;
    }
    return 0;
  }
  /** Whether an L2 table belongs to this disk alone. */
  isOwn(table2) {
    return (Atomics.load(this.#flags, table2) & FLAG.COPIED) !== 0;
  }
  /** Sets an entry of the L1 table. */
  set(table2, cluster) {
    const flags = cluster === NO_TABLE ? FLAG.DIRTY : FLAG.DIRTY | FLAG.COPIED;
    Atomics.store(this.#flags, table2, flags);
    Atomics.store(this.l1, table2, cluster);
    this.state.noteDirty("L1", table2);
  }
  /** Makes room in memory for more L2 tables. */
  grow(tables) {
    this.#flags.buffer.grow(tables);
    this.l1.buffer.grow(4 * tables);
  }
  /** The changed entries of the L1 table, which then count as written. */
  takeDirty() {
    const { state } = this;
    const dirty = [];
    const to = state.get("L1_DIRTY_TO");
    for (let table2 = state.get("L1_DIRTY_FROM"); table2 < to; table2++) {
      const before = Atomics.and(this.#flags, table2, ~FLAG.DIRTY);
      if ((before & FLAG.DIRTY) !== 0) dirty.push(table2);
    }
    state.set("L1_DIRTY_FROM", 0);
    state.set("L1_DIRTY_TO", 0);
    return dirty;
  }
  /** Takes back entries that could not be written. */
  returnDirty(tables) {
    for (const table2 of tables) {
      Atomics.or(this.#flags, table2, FLAG.DIRTY);
      this.state.noteDirty("L1", table2);
    }
  }
  /** The two words of an entry of the L1 table in the file. */
  entryOf(table2) {
    const cluster = Atomics.load(this.l1, table2);
    if (cluster === NO_TABLE) return [
      0,
      0
    ];
    const at = cluster * this.#geometry.clusterSize;
    const copied2 = this.isOwn(table2) ? 2147483648 : 0;
    return [
      Math.floor(at / 2 ** 32) | copied2,
      at % 2 ** 32 | 0
    ];
  }
  /** Gives a disk an L2 table of its own: an empty one, or a copy. */
  *#makeOwn(table2, old) {
    const { refcounts: refcounts2, file } = this;
    const { clusterSize } = this.#geometry;
    const cluster = yield* refcounts2.allocate(1);
    if (cluster < 0) return cluster;
    const at = cluster * clusterSize;
    let error = 0;
    if (old !== NO_TABLE) {
      const bytes2 = new Uint8Array(clusterSize);
      error = yield* file.read(old * clusterSize, bytes2);
      if (error >= 0) error = yield* file.write(at, bytes2);
    } else if (!refcounts2.areUnused) {
      error = yield* file.writeZeroes(at, clusterSize);
    }
    if (error < 0) {
      yield* refcounts2.free(cluster, 1);
      return error;
    }
    this.set(table2, cluster);
    if (old !== NO_TABLE) refcounts2.release(old, 1);
    return 0;
  }
};

// src/backends/formats/qcow2/writing/map_steps.ts
function* mapSteps({ lookup: lookup2, file, geometry }, position, length2, mapping) {
  if (lookup2.map(position, length2, mapping)) return 0;
  const slice = new SliceBuffer(geometry.sliceSize);
  do {
    lookup2.prepare(position, slice);
    const { bytes: bytes2, host } = slice;
    const read2 = (done) => file.read(host + done, bytes2, done, bytes2.length - done);
    const error = yield* fully(read2, bytes2.length, -ERRNO.EIO);
    if (error < 0) return error;
    if (lookup2.mapRead(slice, position, length2, mapping)) break;
  } while (!lookup2.map(position, length2, mapping));
  return 0;
}

// src/backends/formats/qcow2/writing/entry.ts
var COPIED6 = 2147483648;
var COMPRESSED5 = 1073741824;
var OFFSET_HIGH3 = 16777215;
var OFFSET_LOW4 = 4294966784;
var RESERVED_HIGH6 = 1056964608;
var RESERVED_LOW6 = 510;
var ZERO4 = 1;
var TWO_329 = 2 ** 32;
var ALL_SUBCLUSTERS = 4294967295 | 0;
var CLUSTER = {
  /** It has no data; what it reads as is below, or zeroes. */
  EMPTY: 0,
  /** A cluster of the file, which only this disk has. */
  OWN: 1,
  /** A cluster of the file that a snapshot may have too. */
  SHARED: 2,
  COMPRESSED: 3,
  CORRUPT: 4
};
var Entry = class {
  kind = CLUSTER.EMPTY;
  /** Where the cluster, or the compressed stream, starts in the file. */
  host = 0;
  /** Bytes of the stream. */
  streamLength = 0;
  /** Whether all of the cluster reads as zeroes; not with subclusters. */
  isZero = false;
  /** The subclusters that read as zeroes, and those that have data. */
  zero = 0;
  allocated = 0;
  #geometry;
  #streamHigh;
  #streamShift;
  /** Prepares for the entries of an image. */
  constructor(geometry) {
    this.#geometry = geometry;
    this.#streamShift = 38 - geometry.clusterBits;
    this.#streamHigh = 2 ** this.#streamShift - 1;
  }
  /**
   * Reads an entry.
   *
   * @param words Where it is.
   * @param at Its first word.
   * @param guest Where its cluster is on the disk.
   */
  read(words, at, guest) {
    const { entryWords: entryWords2, hasDataFile, clusterSize, version } = this.#geometry;
    const high = Atomics.load(words, at);
    const low = Atomics.load(words, at + 1);
    const isExtended = entryWords2 === 4;
    this.zero = isExtended ? Atomics.load(words, at + 2) : 0;
    this.allocated = isExtended ? Atomics.load(words, at + 3) : 0;
    this.isZero = false;
    if ((high & COMPRESSED5) !== 0) return this.#readStream(high, low);
    this.host = (high & OFFSET_HIGH3) * TWO_329 + ((low & OFFSET_LOW4) >>> 0);
    const isOwn = (high & COPIED6) !== 0;
    const hasZeroBit = !isExtended && (low & ZERO4) !== 0;
    const hasPlace2 = this.host !== 0 || hasDataFile && isOwn && !hasZeroBit;
    this.isZero = hasZeroBit;
    this.kind = hasPlace2 ? isOwn ? CLUSTER.OWN : CLUSTER.SHARED : CLUSTER.EMPTY;
    const isSound2 = (high & RESERVED_HIGH6) === 0 && (low & RESERVED_LOW6) === 0 && (!hasZeroBit || version === 3) && (this.zero & this.allocated) === 0 && (hasPlace2 || this.allocated === 0) && this.#isPlace(guest, hasPlace2) && !(isExtended && (low & ZERO4) !== 0) && this.host <= SIZE_MAX - clusterSize;
    if (!isSound2) this.kind = CLUSTER.CORRUPT;
  }
  /** The clusters of the file that a compressed stream touches. */
  get streamClusters() {
    const { clusterSize } = this.#geometry;
    const first2 = Math.floor(this.host / clusterSize);
    const end = this.host + this.streamLength - 1;
    return {
      first: first2,
      count: Math.floor(end / clusterSize) - first2 + 1
    };
  }
  #isPlace(guest, hasPlace2) {
    const { hasDataFile, clusterSize } = this.#geometry;
    if (!hasPlace2) return true;
    return hasDataFile ? this.host === guest : this.host % clusterSize === 0;
  }
  #readStream(high, low) {
    const { hasDataFile, clusterSize } = this.#geometry;
    const sectors = (high & ~COPIED6 & ~COMPRESSED5) >>> this.#streamShift;
    this.host = (high & this.#streamHigh) * TWO_329 + (low >>> 0);
    this.streamLength = (sectors + 1) * SECTOR2 - this.host % SECTOR2;
    const isSound2 = !hasDataFile && this.host <= SIZE_MAX - 2 * clusterSize;
    this.kind = isSound2 ? CLUSTER.COMPRESSED : CLUSTER.CORRUPT;
  }
};
function ownEntry(host, isZero2) {
  return [
    Math.floor(host / TWO_329) | COPIED6 | 0,
    host % TWO_329 | (isZero2 ? ZERO4 : 0) | 0
  ];
}
function emptyEntry(isZero2) {
  return [
    0,
    isZero2 ? ZERO4 : 0
  ];
}
function subclusterMask(from, to) {
  const below = (bits) => bits >= 32 ? ALL_SUBCLUSTERS : (1 << bits) - 1;
  return below(to) & ~below(from);
}

// src/backends/formats/qcow2/writing/new_clusters.ts
function writtenSubclusters({ from, to }, guest, { subclusterSize, clusterSize }) {
  const first2 = Math.max(from, guest) - guest;
  const end = Math.min(to, guest + clusterSize) - guest;
  return subclusterMask(first2 / subclusterSize, end / subclusterSize);
}

// src/backends/formats/qcow2/writing/release_entry.ts
function releaseEntry({ refcounts: refcounts2, geometry }, entry2) {
  const { kind, host } = entry2;
  if (kind === CLUSTER.COMPRESSED) {
    const { first: first2, count: count2 } = entry2.streamClusters;
    refcounts2.release(first2, count2);
  } else if (kind === CLUSTER.OWN || kind === CLUSTER.SHARED) {
    if (geometry.hasDataFile) return;
    refcounts2.release(host / geometry.clusterSize, 1);
  }
}

// src/backends/formats/qcow2/writing/link_clusters.ts
function* linkClusters(image, clusters) {
  const { state: { tables, claims }, flush: flush2 } = image;
  for (; ; ) {
    let result3;
    yield tables.lock();
    try {
      result3 = yield* link(image, clusters);
      if (result3 !== NO_ROOM) claims.remove(clusters.claim);
    } finally {
      tables.unlock();
    }
    if (result3 !== NO_ROOM) return result3;
    const error = yield flush2();
    if (error < 0) {
      yield* undoClusters(image, clusters);
      return error;
    }
  }
}
function* undoClusters({ state: { tables, claims }, refcounts: refcounts2, geometry }, { claim, isOwn, host, count: count2 }) {
  yield tables.lock();
  try {
    const isPart = !isOwn && !geometry.hasDataFile;
    if (isPart) yield* refcounts2.free(host / geometry.clusterSize, count2);
    claims.remove(claim);
  } finally {
    tables.unlock();
  }
  return 0;
}
function* link(image, clusters) {
  const { disk, geometry, state } = image;
  if (state.refusesChanges) return -ERRNO.EIO;
  const { slice, entry: entry2, count: count2, host, guest } = clusters;
  const { entryWords: entryWords2, clusterSize } = geometry;
  let error = yield* disk.own(slice, false);
  if (error < 0) return error;
  const words = new Int32Array(count2 * entryWords2);
  const old = [];
  for (let i = 0; i < count2; i++) {
    const before = new Entry(geometry);
    const at = (entry2 + i) * entryWords2;
    before.read(disk.words, at, guest + i * clusterSize);
    words.set(ownEntry(host + i * clusterSize, false), i * entryWords2);
    if (entryWords2 === 4) {
      const start = guest + i * clusterSize;
      const written = writtenSubclusters(clusters, start, geometry);
      const keeps = before.kind === CLUSTER.OWN ? before.allocated : 0;
      words[i * entryWords2 + 2] = before.zero & ~written;
      words[i * entryWords2 + 3] = keeps | written;
    }
    old.push(before);
  }
  error = yield* disk.change(slice, entry2 * entryWords2, words);
  if (error < 0) return error;
  if (clusters.isOwn) return 0;
  for (const before of old) releaseEntry(image, before);
  return 0;
}

// src/backends/formats/qcow2/writing/cluster_memory.ts
var KEPT_MAX = 4 << 20;
var ClusterMemory = class {
  #clusterSize;
  #idle = [];
  /** Prepares for clusters of a size. */
  constructor(clusterSize) {
    this.#clusterSize = clusterSize;
  }
  /** Memory for one cluster, with anything in it. */
  take() {
    return this.#idle.pop() ?? new Uint8Array(this.#clusterSize);
  }
  /** Ends the use of memory. */
  giveBack(memory) {
    const kept = this.#idle.length * this.#clusterSize;
    if (kept < KEPT_MAX) this.#idle.push(memory);
  }
};

// src/backends/formats/qcow2/writing/new_cluster_data.ts
var NewClusterData = class {
  #image;
  #memory;
  /** Prepares to write to new clusters of an image. */
  constructor(image) {
    this.#image = image;
    this.#memory = new ClusterMemory(image.geometry.clusterSize);
  }
  /** Writes the data, and around them what was there before. */
  *write(clusters, position, buffer, start, length2) {
    const end = position + length2;
    const head = yield* this.#bytesBefore(clusters, clusters.from, position);
    if (head < 0) return head;
    const tail = yield* this.#bytesBefore(clusters, end, clusters.to);
    if (tail < 0) return tail;
    if (head === 0 && tail === 0) {
      return yield* this.#put(clusters, position, buffer, start, length2);
    }
    const memory = this.#memory;
    const bytes2 = memory.take();
    try {
      if (head + length2 + tail <= bytes2.length) {
        const error2 = yield* this.#readBefore(position - head, head, bytes2, 0);
        if (error2 < 0) return error2;
        bytes2.set(buffer.subarray(start, start + length2), head);
        const after = yield* this.#readBefore(end, tail, bytes2, head + length2);
        if (after < 0) return after;
        const all = head + length2 + tail;
        return yield* this.#put(clusters, position - head, bytes2, 0, all);
      }
      let error = yield* this.#copy(clusters, position - head, head, bytes2);
      if (error < 0) return error;
      error = yield* this.#put(clusters, position, buffer, start, length2);
      if (error < 0) return error;
      return yield* this.#copy(clusters, end, tail, bytes2);
    } finally {
      memory.giveBack(bytes2);
    }
  }
  /**
   * How many bytes of a range beside the data have to be copied: all, or none if
   * the new cluster reads as they do.
   */
  *#bytesBefore({ areUnused }, from, to) {
    if (from >= to) return 0;
    const { image, size } = {
      image: this.#image,
      size: to - from
    };
    if (!areUnused) return size;
    const { state: { epochs } } = image;
    const mapping = new Mapping();
    const counter = epochs.enter();
    let error;
    try {
      error = yield* mapSteps(image, from, size, mapping);
    } finally {
      epochs.leave(counter);
    }
    if (error < 0) return error;
    const isBelow = mapping.kind === MAPPED.UNALLOCATED && (image.backing === null || from >= image.backing.size);
    const isZero2 = mapping.kind === MAPPED.ZERO || isBelow;
    return isZero2 && mapping.length === size ? 0 : size;
  }
  /** Copies what the disk has in a range to the new clusters. */
  *#copy(clusters, from, size, bytes2) {
    const error = yield* this.#readBefore(from, size, bytes2, 0);
    if (error < 0) return error;
    return yield* this.#put(clusters, from, bytes2, 0, size);
  }
  #readBefore(from, size, bytes2, at) {
    const read2 = (done) => this.#image.read(from + done, bytes2, at + done, size - done);
    return fully(read2, size, -ERRNO.EIO);
  }
  *#put({ host, guest }, position, buffer, start, length2) {
    const { data } = this.#image;
    const at = host + position - guest;
    const write2 = (done) => data.write(at + done, buffer, start + done, length2 - done);
    return yield* fully(write2, length2, -ERRNO.ENOSPC);
  }
};

// src/backends/formats/qcow2/writing/disk_writer.ts
var AGAIN = -3e5;
var DiskWriter = class {
  #image;
  #geometry;
  #entry;
  #data;
  /** Prepares to write an image. */
  constructor(image) {
    this.#image = image;
    this.#geometry = image.geometry;
    this.#entry = new Entry(image.geometry);
    this.#data = new NewClusterData(image);
  }
  /** Writes a range; the parameters are those of `Backend.write()`. */
  *write(position, buffer, start, length2) {
    for (let done = 0; done < length2; ) {
      const at = position + done;
      let put2 = yield* this.#inPlace(at, buffer, start + done, length2 - done);
      if (put2 === AGAIN) {
        put2 = yield* this.#allocating(at, buffer, start + done, length2 - done);
      }
      if (put2 === AGAIN) continue;
      if (put2 < 0) return done > 0 ? done : put2;
      done += put2;
    }
    return length2;
  }
  /** Writes where there are clusters of the disk's own, else says so. */
  *#inPlace(position, buffer, start, length2) {
    const { state: { epochs }, data } = this.#image;
    const counter = epochs.enter();
    try {
      const mapping = new Mapping();
      const error = yield* mapSteps(this.#image, position, length2, mapping);
      if (error < 0) return error;
      if (mapping.kind === MAPPED.CORRUPT) return this.#damaged(position);
      if (mapping.kind !== MAPPED.DATA || !mapping.isOwn) return AGAIN;
      const { host } = mapping;
      const put2 = yield data.write(host, buffer, start, mapping.length);
      return put2 === 0 ? -ERRNO.ENOSPC : put2;
    } finally {
      epochs.leave(counter);
    }
  }
  /** Writes to new clusters, as many as one slice of a table maps. */
  *#allocating(position, buffer, start, length2) {
    const { state: { tables, claims }, flush: flush2 } = this.#image;
    yield tables.lock();
    const plan = {
      clusters: null
    };
    let seen = 0;
    let result3 = 0;
    try {
      seen = claims.seen;
      result3 = yield* this.#plan(position, length2, plan);
      if (result3 === BAD_REFCOUNTS) result3 = badRefcounts(this.#image);
    } finally {
      tables.unlock();
    }
    if (result3 === NO_ROOM) {
      const error2 = yield flush2();
      return error2 < 0 ? error2 : AGAIN;
    }
    if (result3 < 0) return result3;
    const { clusters } = plan;
    if (clusters === null) {
      if (result3 === 1) yield claims.changed(seen);
      return AGAIN;
    }
    const put2 = clusters.end - position;
    let error;
    try {
      error = yield* this.#data.write(clusters, position, buffer, start, put2);
    } catch (thrown2) {
      yield* undoClusters(this.#image, clusters);
      throw thrown2;
    }
    if (error < 0) {
      yield* undoClusters(this.#image, clusters);
      return error;
    }
    const linked = yield* linkClusters(this.#image, clusters);
    return linked < 0 ? linked : put2;
  }
  /**
   * Allocates clusters for the start of a range and claims their entries.
   *
   * @param plan Takes them; `null` if there is nothing to do.
   * @returns 1 if another request has claimed them; or a negative number.
   */
  *#plan(position, length2, plan) {
    const { state, disk, refcounts: refcounts2 } = this.#image;
    const { sliceSpan, clusterSize, hasDataFile } = this.#geometry;
    if (state.refusesChanges) return -ERRNO.EIO;
    const slice = Math.floor(position / sliceSpan);
    const entry2 = Math.floor((position - slice * sliceSpan) / clusterSize);
    const guest = slice * sliceSpan + entry2 * clusterSize;
    const most = Math.ceil((position + length2 - guest) / clusterSize);
    const inSlice = Math.min(most, this.#geometry.sliceEntries - entry2);
    const free = state.claims.freeFrom(slice, entry2, inSlice);
    if (free === 0) return 1;
    const error = yield* disk.own(slice, true);
    if (error < 0) return error;
    const run3 = this.#runOf(entry2, guest, free);
    const { kind, host } = this.#entry;
    if (kind === CLUSTER.CORRUPT) return this.#damaged(position);
    const isOwn = kind === CLUSTER.OWN;
    const limit = isOwn ? this.#ownEnd(position, guest) : Infinity;
    if (run3 === 0 || limit <= position) return 0;
    let first2 = host;
    let count2 = run3;
    if (hasDataFile) first2 = guest;
    else if (!isOwn) {
      const cluster = yield* refcounts2.allocate(run3);
      if (cluster < 0) return cluster;
      first2 = cluster * clusterSize;
      count2 = refcounts2.allocated;
    }
    const claim = state.claims.add(slice, entry2, count2);
    if (claim === NO_CLAIM) {
      if (!isOwn && !hasDataFile) {
        yield* refcounts2.free(first2 / clusterSize, count2);
      }
      return 1;
    }
    const last = Math.min(position + length2, guest + count2 * clusterSize);
    const end = Math.min(last, limit);
    const areUnused = !isOwn && !hasDataFile && refcounts2.areUnused;
    plan.clusters = {
      slice,
      entry: entry2,
      count: count2,
      guest,
      host: first2,
      isOwn,
      areUnused,
      claim,
      end,
      from: position - position % this.#unitAt(entry2, guest),
      to: Math.min(this.#upTo(end, this.#unitAt(entry2 + count2 - 1, end - 1)), guest + count2 * clusterSize)
    };
    return 0;
  }
  #damaged(position) {
    this.#image.damage.found(`its table at byte ${position} of the disk`);
    return -ERRNO.EIO;
  }
  /**
   * How many entries from one on need new clusters; 0 if the first has one that
   * is written in place. `#entry` is then the first one.
   */
  #runOf(entry2, guest, most) {
    const { clusterSize, entryWords: entryWords2 } = this.#geometry;
    const isExtended = entryWords2 === 4;
    let run3 = 1;
    for (; run3 < most; run3++) {
      this.#read(entry2 + run3, guest + run3 * clusterSize);
      const { kind: kind2 } = this.#entry;
      if (kind2 === CLUSTER.OWN || kind2 === CLUSTER.CORRUPT) break;
    }
    this.#read(entry2, guest);
    const { kind, isZero: isZero2 } = this.#entry;
    if (kind !== CLUSTER.OWN) return run3;
    return isZero2 || isExtended ? 1 : 0;
  }
  /**
   * Up to where `#entry`, a cluster of the disk's own, has no data. Those that it
   * has may be overwritten in place at the same time.
   */
  #ownEnd(position, guest) {
    const { subclusterSize, entryWords: entryWords2 } = this.#geometry;
    if (entryWords2 !== 4) return Infinity;
    const { allocated } = this.#entry;
    let subcluster = Math.floor((position - guest) / subclusterSize);
    if ((allocated >>> subcluster & 1) !== 0) return position;
    while (subcluster < SUBCLUSTERS && (allocated >>> subcluster & 1) === 0) {
      subcluster++;
    }
    return guest + subcluster * subclusterSize;
  }
  #read(entry2, guest) {
    const { entryWords: entryWords2, clusterSize } = this.#geometry;
    const { words } = this.#image.disk;
    this.#entry.read(words, entry2 * entryWords2, guest - guest % clusterSize);
  }
  /** Bytes that a new cluster takes over from the old one in one piece. */
  #unitAt(entry2, guest) {
    const { clusterSize, subclusterSize } = this.#geometry;
    this.#read(entry2, guest);
    const { kind } = this.#entry;
    const hasData = kind === CLUSTER.SHARED || kind === CLUSTER.COMPRESSED;
    return hasData ? clusterSize : subclusterSize;
  }
  #upTo(position, unit) {
    return Math.ceil(position / unit) * unit;
  }
};

// src/backends/formats/qcow2/writing/disk_zeroes.ts
var ZEROES4 = new Uint8Array(65536);
var PART8 = 512;
var DiskZeroes = class {
  #image;
  #writer;
  #isRaw;
  /**
   * Prepares to zero ranges of an image.
   *
   * @param isRaw Whether the data file has to read as the disk by itself.
   */
  constructor(image, writer, isRaw) {
    this.#image = image;
    this.#writer = writer;
    this.#isRaw = isRaw;
  }
  /** Zeroes a range; 0 or a negated errno. */
  *zero(position, length2, unmap) {
    const { geometry: { clusterSize, version }, backing } = this.#image;
    const isBelow = backing !== null && position < backing.size;
    if (version === 2 && isBelow && unmap) return -ERRNO.EOPNOTSUPP;
    const end = position + length2;
    const size = this.#image.state.size;
    const first2 = Math.ceil(position / clusterSize) * clusterSize;
    const last = end === size ? Math.ceil(end / clusterSize) * clusterSize : Math.floor(end / clusterSize) * clusterSize;
    if (first2 >= last) return yield* this.#part(position, end);
    let error = yield* this.#part(position, first2);
    if (error < 0) return error;
    error = yield* this.#clusters(first2, last, unmap);
    if (error < 0) return error;
    return yield* this.#part(last, end);
  }
  /** Writes zeroes where it does not read as zeroes. */
  *#part(from, to) {
    const { state: { epochs }, backing } = this.#image;
    const mapping = new Mapping();
    for (let at = from; at < to; ) {
      const counter = epochs.enter();
      let error;
      try {
        error = yield* mapSteps(this.#image, at, to - at, mapping);
      } finally {
        epochs.leave(counter);
      }
      if (error < 0) return error;
      const { kind, length: length2 } = mapping;
      const isZero2 = kind === MAPPED.ZERO || kind === MAPPED.UNALLOCATED && (backing === null || at >= backing.size);
      const isWritten = !isZero2 || this.#isRaw;
      const part2 = isWritten ? Math.min(length2, ZEROES4.length) : length2;
      if (isWritten) {
        const put2 = yield* this.#writer.write(at, ZEROES4, 0, part2);
        if (put2 < 0) return put2;
        at += put2;
      } else {
        at += part2;
      }
    }
    return 0;
  }
  /** Zeroes whole clusters. */
  *#clusters(from, to, unmap) {
    const { geometry, backing, data } = this.#image;
    const { version, clusterSize, hasDataFile } = geometry;
    if (this.#isRaw) return yield* this.#rawClusters(from, to, unmap);
    for (let at = from; at < to; ) {
      const isBelow = backing !== null && at < backing.size;
      if (version === 2 && isBelow) {
        const end = Math.min(at + clusterSize, this.#image.state.size);
        const error = yield* this.#part(at, end);
        if (error < 0) return error;
        at += clusterSize;
        continue;
      }
      const done = yield* this.#some(at, to, unmap, isBelow);
      if (done < 0) return done;
      if (hasDataFile && unmap) {
        const length2 = Math.min(done, this.#image.state.size - at);
        if (length2 > 0) yield data.zero(at, length2, {
          unmap
        });
      }
      at += done;
    }
    return 0;
  }
  /** Zeroes the raw data file itself; it then has the clusters. */
  *#rawClusters(from, to, unmap) {
    const { data, state: { size } } = this.#image;
    const length2 = Math.min(to, size) - from;
    const error = yield data.zero(from, length2, {
      unmap
    });
    if (error !== -ERRNO.EOPNOTSUPP) return error;
    return unmap ? error : yield* this.#part(from, from + length2);
  }
  /** Zeroes clusters of one slice; returns their bytes, or a negated errno. */
  *#some(from, to, unmap, isBelow) {
    const { state: { tables, claims, freed }, flush: flush2 } = this.#image;
    for (; ; ) {
      yield tables.lock();
      let result3;
      let seen;
      try {
        seen = claims.seen;
        result3 = yield* this.#change(from, to, unmap, isBelow);
        if (result3 === BAD_REFCOUNTS) result3 = badRefcounts(this.#image);
      } finally {
        tables.unlock();
      }
      if (result3 === NO_ROOM || freed.isCrowded) {
        const error = yield flush2();
        if (error < 0) return error;
      }
      if (result3 === 0) yield claims.changed(seen);
      else if (result3 !== NO_ROOM) return result3;
    }
  }
  /** The same under the lock; 0 if the first cluster is being written to. */
  *#change(from, to, unmap, isBelow) {
    const { state, disk, geometry, backing } = this.#image;
    const { sliceSpan, clusterSize, sliceEntries } = geometry;
    if (state.refusesChanges) return -ERRNO.EIO;
    const slice = Math.floor(from / sliceSpan);
    const entry2 = (from - slice * sliceSpan) / clusterSize;
    let most = Math.min(sliceEntries - entry2, (to - from) / clusterSize, PART8);
    if (isBelow && backing.size < to) {
      const below = Math.ceil((backing.size - from) / clusterSize);
      most = Math.min(most, below);
    }
    const count2 = state.claims.freeFrom(slice, entry2, most);
    if (count2 === 0) return 0;
    const error = yield* disk.own(slice, isBelow);
    if (error === NO_SLICE) {
      return this.#withoutTable(slice, to) - from;
    }
    if (error < 0) return error;
    const changed = yield* this.#entries(slice, entry2, count2, unmap);
    return changed < 0 ? changed : count2 * clusterSize;
  }
  /** The end of what has no table like a slice, or of the range. */
  #withoutTable(slice, to) {
    const { sliceSpan, tableSlices } = this.#image.geometry;
    const table2 = Math.floor(slice / tableSlices);
    return Math.min(to, (table2 + 1) * tableSlices * sliceSpan);
  }
  *#entries(slice, entry2, count2, unmap) {
    const { disk, geometry, damage } = this.#image;
    const { entryWords: entryWords2, sliceSpan, clusterSize } = geometry;
    const words = new Int32Array(count2 * entryWords2);
    const old = [];
    const start = entry2 * entryWords2;
    for (let i = 0; i < count2; i++) {
      const before = new Entry(geometry);
      const guest = slice * sliceSpan + (entry2 + i) * clusterSize;
      before.read(disk.words, start + i * entryWords2, guest);
      if (before.kind === CLUSTER.CORRUPT) {
        damage.found(`its table at byte ${guest} of the disk`);
        return -ERRNO.EIO;
      }
      const keeps = before.kind === CLUSTER.OWN && !unmap && geometry.version === 3;
      words.set(this.#zeroEntry(before, keeps, guest), i * entryWords2);
      if (!keeps) old.push(before);
    }
    const same = words.every((word, i) => word === disk.words[start + i]);
    if (same) return 0;
    const error = yield* disk.change(slice, entry2 * entryWords2, words);
    if (error < 0) return error;
    for (const before of old) releaseEntry(this.#image, before);
    return 0;
  }
  /** The words of an entry that reads as zeroes. */
  #zeroEntry(before, keeps, guest) {
    const { geometry: { entryWords: entryWords2, version }, backing } = this.#image;
    const isExtended = entryWords2 === 4;
    const isBelow = backing !== null && guest < backing.size;
    const hasMark = version === 3 && (keeps || isBelow);
    const words = keeps ? ownEntry(before.host, !isExtended) : emptyEntry(hasMark && !isExtended);
    if (!isExtended) return words;
    const all = subclusterMask(0, 32) & ALL_SUBCLUSTERS;
    return [
      ...words,
      hasMark ? all : 0,
      0
    ];
  }
};

// src/backends/formats/qcow2/writing/writable_backend.ts
var LAST_FLUSHES = 4;
var WritableQcow2Backend = class extends MappedImage {
  writable = true;
  #image;
  #writer;
  #zeroes;
  #flush;
  #resize;
  /** The mapping of a write that is answered without an operation. */
  #mapping = new Mapping();
  /** Puts an image together. Its owner closes the files after it. */
  constructor(parts2, tables, writing, { syncErrors, queue }) {
    const state = new WriteState(writing.state, queue ?? null);
    const { geometry, file } = parts2;
    const sources = {
      ...parts2,
      get size() {
        return state.size;
      }
    };
    super(sources);
    const tableFile = new TableFile(file, geometry.sliceSize);
    const refcounts2 = new Refcounts(writing.refcounts, geometry, state, tableFile);
    const { flags, incompatible, isLazy, isRaw, mayResize: mayResize2 } = writing;
    this.#image = {
      ...parts2,
      state,
      incompatible,
      isLazy,
      tableFile,
      refcounts: refcounts2,
      disk: new DiskTables(tables, flags, state, tableFile, refcounts2),
      read: (...args) => this.read(...args),
      flush: () => this.flush()
    };
    parts2.damage.mark = () => {
      state.setDamaged();
      run(markCorrupt(this.#image));
    };
    this.#writer = new DiskWriter(this.#image);
    this.#zeroes = new DiskZeroes(this.#image, this.#writer, isRaw);
    this.#flush = new DiskFlush(this.#image, syncErrors);
    this.#resize = new DiskResize(this.#image, this.#zeroes, mayResize2);
  }
  read(position, buffer, start, length2) {
    const { epochs } = this.#image.state;
    const counter = epochs.enter();
    let got;
    try {
      got = super.read(position, buffer, start, length2);
    } catch (error) {
      epochs.leave(counter);
      throw error;
    }
    return leaveAfter(got, epochs, counter);
  }
  write(position, buffer, start, length2) {
    const { state, lookup: lookup2, data } = this.#image;
    const { epochs } = state;
    if (state.refusesChanges) return -ERRNO.EIO;
    const mapping = this.#mapping;
    const counter = epochs.enter();
    let put2 = -1;
    let isInPlace = false;
    try {
      isInPlace = lookup2.map(position, length2, mapping) && mapping.isOwn && mapping.kind === MAPPED.DATA && mapping.length === length2;
      if (isInPlace) put2 = data.write(mapping.host, buffer, start, length2);
    } catch (error) {
      epochs.leave(counter);
      throw error;
    }
    if (isInPlace) return leaveAfter(put2, epochs, counter);
    epochs.leave(counter);
    return run(this.#writer.write(position, buffer, start, length2));
  }
  needsExclusiveWrite(position, length2) {
    const { data } = this.#image;
    return data.needsExclusiveWrite?.(position, length2) ?? false;
  }
  zero(position, length2, { unmap }) {
    if (length2 === 0) return 0;
    if (this.#image.state.refusesChanges) return -ERRNO.EIO;
    return run(this.#zeroes.zero(position, length2, unmap));
  }
  truncate(size) {
    if (this.#image.state.refusesChanges) return -ERRNO.EIO;
    return run(this.#resize.resize(size));
  }
  flush() {
    return this.#flush.isClean ? this.#image.data.flush() : run(this.#flush.flush());
  }
  async extent(position) {
    const { epochs } = this.#image.state;
    const counter = epochs.enter();
    try {
      return await super.extent(position);
    } finally {
      epochs.leave(counter);
    }
  }
  queueEnded(queue) {
    const { state, disk, refcounts: refcounts2 } = this.#image;
    const claimers = state.queueEnded(queue, () => {
      disk.cache.undoChange();
      refcounts2.cache.undoChange();
      refcounts2.cache.threadEnded(cacheOwner(queue));
    });
    super.queueEnded(queue);
    for (const thread of claimers) run(this.#giveUpClaims(thread));
  }
  /** Lets others write to clusters that a thread was writing that has ended. */
  *#giveUpClaims(thread) {
    const { state: { tables, claims } } = this.#image;
    yield tables.lock();
    claims.removeAll(thread);
    tables.unlock();
    return 0;
  }
  /** The thread that opened the image brings the file to its end. */
  async close() {
    if (this.#image.state.thread !== 0) return;
    const { freed } = this.#image.state;
    const isDone = () => this.#flush.isClean && freed.length === 0;
    for (let i = 0; i < LAST_FLUSHES && !isDone(); i++) {
      if (await run(this.#flush.flush()) < 0) return;
    }
    if (await run(this.#flush.settle()) >= 0) await run(this.#trim());
  }
  /** Cuts off what the file was longer than its clusters need. */
  *#trim() {
    const { state, tableFile, geometry: { clusterSize } } = this.#image;
    const used = state.get("UNUSED_FROM");
    if (used >= state.get("FILE_CLUSTERS")) return 0;
    const error = yield tableFile.file.truncate(used * clusterSize);
    if (error >= 0) state.set("FILE_CLUSTERS", used);
    return error;
  }
};
function leaveAfter(answer, epochs, counter) {
  if (typeof answer !== "number") {
    return Completion.of(answer).after(LEAVE, epochs, counter);
  }
  epochs.leave(counter);
  return answer;
}
var LEAVE = {
  run(result3, epochs, counter) {
    epochs.leave(counter);
    return result3;
  },
  recover(error, epochs, counter) {
    epochs.leave(counter);
    throw error;
  }
};

// src/backends/formats/qcow2/driver.ts
var QCOW2 = {
  kind: "format",
  name: "qcow2",
  summary: "a qcow2 image, with the files that it refers to",
  usage: "qcow2:PATH",
  prefixes: [
    "qcow2:"
  ],
  needs: [
    "image",
    "shared memory"
  ],
  layered: true,
  parse(file, text) {
    if (file !== "") return {
      file
    };
    throw new UserError(`Cannot open "${text}": give a path, as in qcow2:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeQcow2(file, name);
    return {
      size: facts.size,
      facts: {
        ...facts
      },
      rows: qcow2Rows(facts)
    };
  },
  create: ({ file }, options, files) => createQcow2(String(file), options, files),
  open: openQcow2,
  async attach(attachment, below, services) {
    await loadDecompression("a qcow2 image");
    const [file, ...others] = below;
    const { hasDataFile, backingSize, compression, tables, writing } = attachment;
    const { geometry } = tables;
    const data = hasDataFile ? others.shift() : file;
    const end = writing === null ? attachment.dataEnd : Infinity;
    const parts2 = {
      ...attachment,
      file,
      data,
      files: sourceFiles(file, data, end, geometry),
      geometry,
      sliceSize: geometry.sliceSize,
      clusterSize: geometry.clusterSize,
      damage: new DamageSigns(attachment.damage, attachment.name, services.tell, "see 'check', and 'check --repair=all'"),
      lookup: new TableLookup(tables, new L2Entries(geometry), cacheOwner(services.queue)),
      blocks: new ClusterCache(compression, geometry.clusterSize),
      backing: backingSize === null ? null : {
        backend: others.shift(),
        size: backingSize
      }
    };
    return writing === null ? new MappedImage(parts2) : new WritableQcow2Backend(parts2, tables, writing, services);
  }
};
async function openQcow2({ file: path, base, link: link3 }, context) {
  const { cacheSize, backing: given, writable } = context.options;
  const file = typeof path === "string" ? await openOwnFile(path, link3, context) : path;
  const { name, backend } = file;
  const place = link3 ?? {
    gate: new ReferenceGate(file, context),
    reference: null
  };
  if (place.reference !== null) place.gate.admit(file, place.reference);
  const header = await openHeader(file, context);
  const disk = await diskOf(header, backend, name, context);
  const geometry = geometryOf(header);
  const entries2 = l1EntriesFor(geometry, disk.size, disk.l1Entries, name);
  const used = writable ? disk.l1Entries : entries2;
  const l1 = await readL1(backend, disk.l1Offset, used, geometry, name);
  const isLast = base === void 0 && given === null && header.backingName === null;
  const share = isLast ? cacheSize : cacheSize / 2;
  const cache = makeCache(disk.size, geometry, share);
  const data = await openDataFile(header, file, place, context);
  const image = {
    name,
    file,
    data,
    header,
    geometry,
    cacheSize: share / 4
  };
  const writing = writable ? await openForWriting(image) : null;
  const left = cacheSize - cache.byteLength;
  const options = {
    ...READ_ONLY,
    cacheSize: Math.max(0, left)
  };
  const backing = base ?? await openBacking(header, file, place.gate, {
    raw: (path2) => context.openBelow({
      driver: FILE,
      source: path2
    }, options),
    qcow2: (path2, link4) => context.openBelow({
      driver: QCOW2,
      source: {
        file: path2,
        link: link4
      }
    }, options),
    any: (source) => context.openBelow(source, options)
  }, given);
  return {
    name,
    attachment: {
      name,
      size: disk.size,
      compression: header.compression,
      tables: {
        geometry,
        l1: writable ? growable(l1) : l1,
        cache
      },
      damage: DamageSigns.create(),
      writing,
      dataEnd: await sizeOf3(data ?? file),
      hasDataFile: data !== null,
      backingSize: backing === null ? null : await sizeOf3(backing)
    }
  };
}
function openOwnFile(path, link3, context) {
  const source = link3 === void 0 ? path : {
    driver: FILE,
    source: path
  };
  const { writable } = context.options;
  return context.openBelow(source, {
    ...READ_ONLY,
    writable
  });
}
async function openHeader({ backend, name }, { options, services: { tell: tell2 } }) {
  const header = await readHeader(backend, name);
  const { incompatible } = header;
  if (options.writable) {
    refuseWriting(header, name, options);
    const isDirty = (incompatible & INCOMPATIBLE.DIRTY) !== 0n;
    return isDirty ? await repairDirty(backend, name, tell2) : header;
  }
  if ((incompatible & INCOMPATIBLE.CORRUPT) !== 0n) {
    tell2(`${name} is marked as corrupt, so parts of it may be wrong; 'check --repair=all' repairs what can be repaired`);
  }
  return header;
}
function growable(l1) {
  const larger = new SharedArrayBuffer(l1.byteLength, {
    maxByteLength: LIMIT.L1_BYTES / 2
  });
  new Uint8Array(larger).set(new Uint8Array(l1));
  return larger;
}
async function diskOf(header, file, name, { options: { snapshot } }) {
  if (snapshot === null) return header;
  const snapshots = await readSnapshots(file, header, name);
  return findSnapshot(snapshots, snapshot, name);
}
function makeCache(size, { sliceSpan, sliceSize }, share) {
  const slices = Math.ceil(size / sliceSpan);
  return SliceCache.create(share, slices, sliceSize / 4);
}
async function sizeOf3({ backend }) {
  return (await backend.stat()).size;
}

// src/backends/formats/overlay.ts
var FILE_OPTIONS = {
  writable: true,
  growable: false,
  snapshot: null,
  backing: null,
  overlay: null
};
var BELOW_OPTIONS = {
  writable: false,
  growable: false,
  overlay: null
};
var OVERLAY = {
  kind: "format",
  name: "overlay",
  summary: "takes the changes to an image",
  usage: null,
  prefixes: [],
  needs: [
    "image",
    "shared memory"
  ],
  layered: true,
  async open({ place, below, recorded }, context) {
    const { cacheSize } = context.options;
    const share = cacheSize / 2;
    const base = await context.openBelow(below, {
      ...BELOW_OPTIONS,
      cacheSize: share
    });
    const { size } = await base.backend.stat();
    const file = place.kind === "memory" ? await openMemory(place.limit, size, base, context) : await openFile(place, size, recorded ?? unrecorded(base), context);
    const options = {
      ...context.options,
      snapshot: null,
      backing: null,
      cacheSize: share
    };
    const opened = await openQcow2({
      file,
      base
    }, {
      ...context,
      options
    });
    return {
      ...opened,
      name: base.name
    };
  },
  attach: (attachment, [base, ...files], services) => QCOW2.attach(attachment, [
    ...files,
    base
  ], services)
};
function unrecorded({ name }) {
  return {
    name: `mqfuse:${name}`,
    format: "raw"
  };
}
async function openMemory(limit, size, base, context) {
  const source = {
    name: "the overlay in memory",
    size: 1,
    limit
  };
  const file = await context.openBelow({
    driver: MEMORY,
    source
  }, {
    ...FILE_OPTIONS,
    growable: true,
    direct: false
  });
  await writeNewImage(file.backend, overlayOf(size, unrecorded(base)));
  return file;
}
async function openFile({ path, keep }, size, backing, context) {
  const { services: { files } } = context;
  const name = nameFrom(path, backing.name, files);
  const recorded = {
    ...backing,
    name
  };
  const created = createUnlessKept(path, keep, context);
  if (created !== null) {
    context.defer(() => created.close());
    try {
      const file = new FileBackend(created.file, path, true);
      await writeNewImage(file, overlayOf(size, recorded));
    } catch (error) {
      created.remove();
      throw error;
    }
  }
  try {
    const source = {
      driver: FILE,
      source: path
    };
    const file = await context.openBelow(source, FILE_OPTIONS);
    if (created === null) await refuseOther(file, recorded);
    return file;
  } finally {
    if (!keep) created?.remove();
  }
}
function createUnlessKept(path, keep, { services: { files } }) {
  try {
    return files.create(path);
  } catch (error) {
    if (errnoOf(error) !== ERRNO.EEXIST) throw error;
    if (keep) return null;
    throw new UserError(`Cannot make the overlay ${path}: a file is there already; keep using it with overlay-keep, remove it, or choose another path`, {
      cause: error
    });
  }
}
async function refuseOther({ backend, name }, recorded) {
  const header = await readHeader(backend, name);
  const isSame = header.backingName === recorded.name && header.backingFormat === recorded.format;
  if (isSame) return;
  const of = header.backingName === null ? "no image" : `${header.backingFormat ?? "?"}:${header.backingName}`;
  throw new UserError(`Cannot use ${name} as the overlay: it is an overlay of ${of}, not of ${recorded.format}:${recorded.name}; choose another path`);
}

// src/backends/transfer_all.ts
async function transferAll(length2, call3) {
  let done = 0;
  while (done < length2) {
    let got;
    try {
      got = await call3(done);
    } catch (error) {
      if (done > 0) return done;
      throw error;
    }
    if (got <= 0) return done > 0 ? done : got;
    done += got;
  }
  return done;
}

// src/backends/formats/parts/parts_backend.ts
var PartsBackend = class {
  name;
  shared;
  writable;
  background;
  needsExclusiveWrite;
  splice;
  #pieces;
  /** Where each piece starts, and where the last one ends. */
  #starts;
  /** The piece of the last call: the next one often uses it too. */
  #last = 0;
  /**
   * Joins images.
   *
   * @param name The name in messages.
   * @param pieces The images; their owner closes them after this one.
   * @param sizes Their sizes in bytes, which stay.
   */
  constructor(name, pieces, sizes) {
    this.name = name;
    this.#pieces = pieces;
    const starts = [
      0
    ];
    for (const size of sizes) starts.push(starts.at(-1) + size);
    this.#starts = starts;
    this.shared = pieces.every(({ shared }) => shared);
    this.writable = pieces.every(({ writable }) => writable);
    this.background = pieces.some(({ background }) => background === true);
    if (pieces.some((piece) => piece.needsExclusiveWrite !== void 0)) {
      this.needsExclusiveWrite = this.#needsExclusiveWrite;
    }
    if (pieces.every(({ splice }) => splice !== void 0)) {
      this.splice = this.#splice;
    }
  }
  /** Times are those of the piece that was changed last. */
  async stat() {
    const stats = [];
    for (const piece of this.#pieces) stats.push(await piece.stat());
    const size = this.#starts.at(-1);
    const newest = stats.reduce((one, other) => (other.times?.mtime ?? 0n) > (one.times?.mtime ?? 0n) ? other : one);
    const spaces = stats.map(({ allocated }) => allocated);
    return {
      ...newest,
      size,
      allocated: spaces.reduce((sum, space) => sum === null || space === null ? null : sum + space)
    };
  }
  read(position, buffer, start, length2) {
    const i = this.#pieceAt(position);
    const from = this.#starts[i];
    if (position + length2 > this.#starts[i + 1]) {
      return this.#across(position, length2, (piece, at, done, here) => piece.read(at, buffer, start + done, here));
    }
    return this.#pieces[i].read(position - from, buffer, start, length2);
  }
  write(position, buffer, start, length2) {
    const i = this.#pieceAt(position);
    const from = this.#starts[i];
    if (position + length2 > this.#starts[i + 1]) {
      return this.#across(position, length2, (piece, at, done, here) => piece.write(at, buffer, start + done, here));
    }
    return this.#pieces[i].write(position - from, buffer, start, length2);
  }
  zero(position, length2, options) {
    return this.#each(position, length2, (piece, at, here) => piece.zero(at, here, options));
  }
  allocate(position, length2) {
    return this.#each(position, length2, (piece, at, here) => piece.allocate(at, here));
  }
  async extent(position) {
    const i = this.#pieceAt(position);
    const from = this.#starts[i];
    const { data, end } = await this.#pieces[i].extent(position - from);
    return {
      data,
      end: Math.min(from + end, this.#starts[i + 1])
    };
  }
  /** Flushes every piece, also after an error. */
  async flush() {
    let result3 = 0;
    for (const piece of this.#pieces) {
      const error = await piece.flush();
      if (result3 === 0) result3 = error;
    }
    return result3;
  }
  async setTimes(atime, mtime) {
    for (const piece of this.#pieces) {
      const error = await piece.setTimes(atime, mtime);
      if (error < 0) return error;
    }
    return 0;
  }
  queueEnded(queue) {
    for (const piece of this.#pieces) piece.queueEnded?.(queue);
  }
  truncate(_size) {
    return -ERRNO.EINVAL;
  }
  close() {
  }
  /** The piece with a position; the last one if that is the end. */
  #pieceAt(position) {
    const starts = this.#starts;
    let low = this.#last;
    if (position >= starts[low] && position < starts[low + 1]) return low;
    low = 0;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (position < starts[middle + 1]) high = middle;
      else low = middle + 1;
    }
    this.#last = low;
    return low;
  }
  /** Calls something for each piece of a range, until one fails. */
  async #each(position, length2, call3) {
    const end = position + length2;
    for (let at = position; at < end; ) {
      const i = this.#pieceAt(at);
      const here = Math.min(end, this.#starts[i + 1]) - at;
      const error = await call3(this.#pieces[i], at - this.#starts[i], here);
      if (error < 0) return error;
      at += here;
    }
    return 0;
  }
  /** A transfer that goes on in the next piece. */
  #across(position, length2, call3) {
    const end = this.#starts.at(-1);
    return transferAll(Math.min(length2, end - position), (done) => {
      const at = position + done;
      const i = this.#pieceAt(at);
      const here = Math.min(length2 - done, this.#starts[i + 1] - at);
      return call3(this.#pieces[i], at - this.#starts[i], done, here);
    });
  }
  #needsExclusiveWrite(position, length2) {
    const end = position + length2;
    const last = this.#pieceAt(Math.max(position, end - 1));
    for (let i = this.#pieceAt(position); i <= last; i++) {
      const from = this.#starts[i];
      const at = Math.max(position, from);
      const here = Math.min(end, this.#starts[i + 1]) - at;
      const piece = this.#pieces[i];
      if (piece.needsExclusiveWrite?.(at - from, here)) return true;
    }
    return false;
  }
  #splice = (position, length2, pipe) => {
    const i = this.#pieceAt(position);
    if (position + length2 > this.#starts[i + 1]) return 0;
    return this.#pieces[i].splice(position - this.#starts[i], length2, pipe);
  };
};

// src/backends/formats/parts/piece_names.ts
var COUNTERS2 = [
  // disk.img.001, disk.img.000, disk.img.part1, x00
  {
    suffix: /(?<!\d)0*[01]$/,
    next: nextNumber
  },
  // disk.img.aa, xaaa
  {
    suffix: /a{2,}$/,
    next: nextLetters
  }
];
function pieceNames(path) {
  for (const { suffix, next } of COUNTERS2) {
    const first2 = suffix.exec(path)?.[0];
    if (first2 === void 0) continue;
    return {
      stem: path.slice(0, -first2.length),
      first: first2,
      next
    };
  }
  return null;
}
function nextNumber(counter) {
  const plain = `${Number(counter) + 1}`.padStart(counter.length, "0");
  const widened = /^(9*)89+$/.exec(counter)?.[1];
  if (widened === void 0) return [
    plain
  ];
  const width = counter.length - widened.length + 1;
  return [
    plain,
    `${widened}9${"0".repeat(width)}`
  ];
}
function nextLetters(counter) {
  const letters = [
    ...counter
  ];
  let at = letters.length - 1;
  while (at >= 0 && letters[at] === "z") letters[at--] = "a";
  if (at < 0) return [];
  letters[at] = String.fromCharCode(letters[at].charCodeAt(0) + 1);
  const plain = letters.join("");
  const widened = /^(z*)yz+$/.exec(counter)?.[1];
  if (widened === void 0) return [
    plain
  ];
  const width = counter.length - widened.length + 1;
  return [
    plain,
    `${widened}z${"a".repeat(width)}`
  ];
}

// src/backends/formats/parts/driver.ts
var PIECES_MAX = 500;
var NAMES_AHEAD = 100;
var PARTS = {
  kind: "format",
  name: "parts",
  summary: "a raw image in pieces: PATH is the first of them",
  usage: "parts:PATH",
  prefixes: [
    "parts:"
  ],
  needs: [
    "image"
  ],
  parse(path, text) {
    namesOf(path, text);
    return path;
  },
  async open(path, context) {
    if (context.options.growable) {
      throw new UserError(`Cannot make parts:${path} growable: the sizes of its pieces are fixed; leave growable out`);
    }
    const pieces = await openPieces(path, context);
    const sizes = [];
    for (const { backend } of pieces) sizes.push((await backend.stat()).size);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (total > SIZE_MAX) {
      throw new UserError(`Cannot open parts:${path}: its pieces have more than 2^53 - 1 bytes (8 PiB)`);
    }
    return {
      attachment: {
        name: path,
        sizes
      },
      name: path
    };
  },
  attach: ({ name, sizes }, pieces) => new PartsBackend(name, pieces, sizes)
};
function namesOf(path, text) {
  const names2 = pieceNames(path);
  if (names2 !== null) return names2;
  throw new UserError(`Cannot open "${text}": give the path of the first piece, which ends in .001, .000, .aa, part1 or the like`);
}
async function openPieces(path, context) {
  const names2 = namesOf(path, `parts:${path}`);
  const pieces = [
    await openPiece(path, context)
  ];
  let counter = names2.first;
  for (; ; ) {
    const next = await openNext(names2, counter, context);
    if (next === null) break;
    if (pieces.length === PIECES_MAX) {
      throw new UserError(`Cannot open parts:${path}: it has more than ${PIECES_MAX} pieces; join them with 'cat', or export them with a larger piece size`);
    }
    pieces.push(next.piece);
    counter = next.counter;
  }
  refuseGap(path, names2, counter, context);
  return pieces;
}
function openPiece(path, context) {
  return context.openBelow({
    driver: FILE,
    source: path
  });
}
async function openNext({ stem, next }, counter, context) {
  for (const each of next(counter)) {
    try {
      const piece = await openPiece(`${stem}${each}`, context);
      return {
        counter: each,
        piece
      };
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return null;
}
function refuseGap(path, { stem, next }, last, { services: { files } }) {
  const [missing2] = next(last);
  let counter = missing2;
  for (let i = 0; i < NAMES_AHEAD && counter !== void 0; i++) {
    [counter] = next(counter);
    if (counter === void 0) return;
    try {
      files.open(`${stem}${counter}`, {
        writable: false
      }).close();
    } catch (error) {
      if (isMissing(error)) continue;
      throw error;
    }
    throw new UserError(`Cannot open parts:${path}: the piece ${stem}${missing2} is missing, yet ${stem}${counter} is there; put the missing pieces beside it`);
  }
}
function isMissing(error) {
  return error instanceof UserError && errnoOf(error) === ERRNO.ENOENT;
}

// src/backends/formats/raw.ts
var RAW = {
  kind: "format",
  name: "raw",
  summary: "a raw image: a regular file or a block device",
  usage: "PATH",
  prefixes: [
    ""
  ],
  needs: [
    "image"
  ],
  parse: (path) => path,
  create: createRaw,
  async open(path, context) {
    try {
      const { file } = await context.openBelow({
        driver: FILE,
        source: path
      });
      return {
        attachment: null,
        file
      };
    } catch (error) {
      throw withPrefixHint(error, path);
    }
  },
  attach: (_attachment, [file]) => file
};
function withPrefixHint(error, path) {
  const [, prefix] = /^([a-z][\w+-]*:)[^/]/i.exec(path) ?? [];
  const isMissing2 = error instanceof UserError && "errno" in error && error.errno === ERRNO.ENOENT;
  if (prefix === void 0 || !isMissing2) return error;
  return new UserError(`${error.message}; no driver reads "${prefix}" either: 'export --help' lists the sources`, {
    cause: error
  });
}
async function createRaw(path, options, files) {
  const { size, preallocation } = options;
  const wrong2 = [
    [
      "a backing image",
      options.backing !== null
    ],
    [
      "a cluster size",
      options.clusterSize !== null
    ],
    [
      "extended L2 entries",
      options.extendedL2
    ],
    [
      "a data file",
      options.dataFile !== null
    ],
    [
      "preallocated metadata",
      preallocation === "metadata"
    ]
  ].find(([, isGiven]) => isGiven);
  if (wrong2 !== void 0) {
    throw new UserError(`Cannot create ${path} with ${wrong2[0]}: a raw image has none; make it as qcow2:${path}`);
  }
  await makeFile(path, files, async (file) => {
    await mustSucceed(file.truncate(size), path);
    await reserve(file, 0, size, preallocation);
  });
}

// src/backends/mapped/no_blocks.ts
var NO_BLOCKS = {
  copy: () => false,
  add: () => false
};

// src/backends/mapped/sector_bitmaps.ts
var BITMAP_SLICE = 512;
var SLICES_MAX2 = 2048;
var SectorBitmaps = class {
  /** By the number of a slice modulo their count. */
  #slots = [];
  #numbers = new Float64Array(SLICES_MAX2).fill(-1);
  #isHighFirst;
  /**
   * Makes a cache.
   *
   * @param isHighFirst Whether the first sector of a byte has its highest bit.
   */
  constructor(isHighFirst) {
    this.#isHighFirst = isHighFirst;
  }
  /** The slice of a number; `null` if it is not kept. */
  find(number2) {
    const slot = number2 % SLICES_MAX2;
    return this.#numbers[slot] === number2 ? this.#slots[slot] : null;
  }
  /** Keeps a copy of a slice. */
  add(number2, bytes2) {
    const slot = number2 % SLICES_MAX2;
    const kept = this.#slots[slot] ??= new Uint8Array(BITMAP_SLICE);
    kept.set(bytes2);
    this.#numbers[slot] = number2;
  }
  /** Whether the image has a sector. */
  has(slice, sector) {
    const bit = this.#isHighFirst ? 7 - (sector & 7) : sector & 7;
    return (slice[sector >> 3] >> bit & 1) === 1;
  }
  /** How many sectors from one on are as that one, at most up to another. */
  alike(slice, from, to) {
    const first2 = this.has(slice, from);
    const whole = first2 ? 255 : 0;
    let at = from + 1;
    while (at < to) {
      if ((at & 7) === 0 && at + 8 <= to && slice[at >> 3] === whole) at += 8;
      else if (this.has(slice, at) === first2) at++;
      else break;
    }
    return at - from;
  }
};

// src/backends/formats/vhd/checksum.ts
function isSumRight(bytes2, at) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  return view2.getUint32(at) === sumOf(bytes2, at);
}
function sumOf(bytes2, at) {
  let sum = 0;
  for (let i = 0; i < bytes2.length; i++) {
    if (i < at || i >= at + 4) sum += bytes2[i];
  }
  return ~sum >>> 0;
}

// src/backends/formats/vhd/refusal.ts
var COMPARE = "compare it with its source";
function refusal2(name, why, advice = COMPARE) {
  return new UserError(`Cannot open ${name} as vhd: ${why}; ${advice}`);
}

// src/backends/formats/vhd/footer.ts
var SECTOR4 = 512;
var FOOTER_BYTES = 512;
var COOKIE = "conectix";
var CHECKSUM_AT = 64;
var GEOMETRY_MAX = 65535 * 16 * 255;
var BY_GEOMETRY = /* @__PURE__ */ new Set([
  "vpc ",
  "qemu"
]);
var VHD_KIND = {
  FIXED: 2,
  DYNAMIC: 3,
  DIFFERENCING: 4
};
async function readFooter(file, name) {
  const { size } = await file.stat();
  let damaged2 = false;
  for (const at of [
    size - FOOTER_BYTES,
    size - FOOTER_BYTES + 1,
    0
  ]) {
    if (at < 0) continue;
    const bytes2 = new Uint8Array(FOOTER_BYTES);
    const wanted = Math.min(FOOTER_BYTES, size - at);
    const got = await readFully(file, at, bytes2, 0, wanted);
    if (got < 0) throw refusal2(name, "its footer cannot be read");
    if (textOf3(bytes2, 0, 8) !== COOKIE) continue;
    damaged2 = true;
    if (!isSumRight(bytes2, CHECKSUM_AT)) continue;
    const footer = parseFooter(bytes2, name);
    if (at === 0 && footer.kind === VHD_KIND.FIXED) continue;
    return {
      footer,
      at,
      isCopy: at === 0
    };
  }
  if (damaged2) throw refusal2(name, "the checksum of its footer is wrong");
  throw refusal2(name, "it has no footer", "name its format, or leave the prefix out if it is raw");
}
function parseFooter(bytes2, name) {
  const view2 = new DataView(bytes2.buffer);
  const kind = view2.getUint32(60);
  const version = view2.getUint32(12);
  if (version >>> 16 !== 1) {
    throw refusal2(name, `its version is ${version.toString(16)}, not 1.0`);
  }
  const known = Object.values(VHD_KIND).find((each) => each === kind);
  if (known === void 0) throw refusal2(name, `it is of the kind ${kind}`);
  const current = view2.getBigUint64(48);
  if (current > BigInt(SIZE_MAX)) {
    throw refusal2(name, `it has ${current} bytes`);
  }
  const currentSize = Number(current / BigInt(SECTOR4)) * SECTOR4;
  const sectors = view2.getUint16(56) * view2.getUint8(58) * view2.getUint8(59);
  const geometrySize = sectors * SECTOR4;
  const creator = textOf3(bytes2, 28, 4);
  const headerOffset = view2.getBigUint64(16);
  return {
    kind: known,
    size: sizeOf4({
      currentSize,
      geometrySize,
      sectors,
      creator
    }),
    currentSize,
    geometrySize,
    creator,
    id: hexOf(bytes2.subarray(68, 84)),
    headerOffset: headerOffset > BigInt(SIZE_MAX) ? 0 : Number(headerOffset)
  };
}
function sizeOf4({ currentSize, geometrySize, sectors, creator }) {
  const countsGeometry = BY_GEOMETRY.has(creator) && sectors > 0 && sectors < GEOMETRY_MAX;
  return countsGeometry ? geometrySize : currentSize;
}
function textOf3(bytes2, at, length2) {
  return String.fromCharCode(...bytes2.subarray(at, at + length2));
}
function hexOf(bytes2) {
  return [
    ...bytes2
  ].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// src/backends/formats/vhd/dynamic_header.ts
var HEADER_BYTES3 = 1024;
var COOKIE2 = "cxsparse";
var CHECKSUM_AT2 = 36;
var NAME_AT = 64;
var NAME_BYTES = 512;
var LOCATORS_AT = 576;
var LOCATORS = 8;
var LOCATOR_BYTES = 24;
var LOCATOR_MAX = 4096;
var BLOCK_MAX = 256 << 20;
var RELATIVE = "W2ru";
async function readDynamicHeader(file, at, name) {
  const { size } = await file.stat();
  const bytes2 = new Uint8Array(HEADER_BYTES3);
  const there = Math.max(0, Math.min(HEADER_BYTES3, size - at));
  const got = await readFully(file, at, bytes2, 0, there);
  if (got < HEADER_BYTES3 || textOf3(bytes2, 0, 8) !== COOKIE2) {
    throw refusal2(name, `it has no header at byte ${at}`);
  }
  if (!isSumRight(bytes2, CHECKSUM_AT2)) {
    throw refusal2(name, "the checksum of its header is wrong");
  }
  const view2 = new DataView(bytes2.buffer);
  const blockSize = view2.getUint32(32);
  const isPowerOfTwo = (blockSize & blockSize - 1) === 0;
  if (!isPowerOfTwo || blockSize < SECTOR4 || blockSize > BLOCK_MAX) {
    throw refusal2(name, `its blocks have ${blockSize} bytes`);
  }
  const tableOffset2 = view2.getBigUint64(16);
  if (tableOffset2 > BigInt(size)) {
    throw refusal2(name, `its table is at byte ${tableOffset2}`);
  }
  return {
    tableOffset: Number(tableOffset2),
    entries: view2.getUint32(28),
    blockSize,
    parentId: hexOf(bytes2.subarray(40, 56)),
    parentName: utf16(bytes2.subarray(NAME_AT, NAME_AT + NAME_BYTES), true),
    relativePath: relativePathOf(view2, bytes2)
  };
}
function relativePathOf(view2, bytes2) {
  for (let i = 0; i < LOCATORS; i++) {
    const at = LOCATORS_AT + i * LOCATOR_BYTES;
    if (textOf3(bytes2, at, 4) !== RELATIVE) continue;
    const length2 = view2.getUint32(at + 8);
    const offset = view2.getBigUint64(at + 16);
    const isSane = length2 > 0 && length2 <= LOCATOR_MAX && offset < 2n ** 53n;
    if (isSane) return {
      at: Number(offset),
      length: length2
    };
  }
  return null;
}
async function parentNameOf(file, { relativePath, parentName }) {
  if (relativePath !== null) {
    const { size } = await file.stat();
    const { at, length: length2 } = relativePath;
    if (at + length2 <= size) {
      const bytes2 = new Uint8Array(length2);
      const got = await readFully(file, at, bytes2, 0, length2);
      if (got === length2) return withSlashes(utf16(bytes2, false));
    }
  }
  return withSlashes(parentName).replace(/^.*\//s, "");
}
function withSlashes(path) {
  return path.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
}
function utf16(bytes2, isBigEndian) {
  const encoding = isBigEndian ? "utf-16be" : "utf-16le";
  const text = new TextDecoder(encoding, {
    ignoreBOM: true
  }).decode(bytes2);
  return text.split("\0", 1)[0];
}

// src/backends/formats/vhd/describe.ts
var KINDS3 = {
  [VHD_KIND.FIXED]: "fixed",
  [VHD_KIND.DYNAMIC]: "dynamic",
  [VHD_KIND.DIFFERENCING]: "differencing"
};
async function describeVhd(file, name) {
  const { footer } = await readFooter(file, name);
  const { kind, size, currentSize, geometrySize, creator, id } = footer;
  const header = kind === VHD_KIND.FIXED ? null : await readDynamicHeader(file, footer.headerOffset, name);
  const hasParent = header !== null && kind === VHD_KIND.DIFFERENCING;
  return {
    kind: KINDS3[kind],
    size,
    currentSize,
    geometrySize,
    creator,
    id,
    blockSize: header?.blockSize ?? null,
    parentName: hasParent ? await parentNameOf(file, header) : null,
    parentId: hasParent ? header.parentId : null
  };
}
function vhdRows(facts) {
  const { kind, blockSize, creator, size, parentName, parentId } = facts;
  const blocks = blockSize === null ? "" : `, blocks of ${formatSize(blockSize)}`;
  const rows2 = [
    [
      "VHD",
      `${kind}${blocks}, made by ${quoteName(creator)}`
    ]
  ];
  if (facts.currentSize !== facts.geometrySize) {
    const rule = size === facts.geometrySize ? "geometry" : "current size";
    rows2.push([
      "Size",
      `that of its ${rule}`
    ]);
  }
  if (parentName !== null) {
    rows2.push([
      "Parent",
      `${quoteName(parentName)} (id ${parentId})`
    ]);
  }
  return rows2;
}

// src/backends/formats/vhd/open_parent.ts
async function openParent(by, header, { gate, context }, driver) {
  const { backing } = context.options;
  if (backing !== null) {
    const raw = /^raw:(.+)$/s.exec(backing)?.[1];
    const source2 = raw === void 0 ? backing : {
      driver: FILE,
      source: raw
    };
    return await context.openBelow(source2, READ_ONLY);
  }
  const name = await parentNameOf(by.backend, header);
  const reference = {
    role: "parent",
    name,
    by
  };
  if (name === "") {
    throw refused(reference, "the image does not name it; give it with backing=vhd:PATH");
  }
  const file = gate.pathOf(reference);
  const link3 = {
    gate,
    reference
  };
  const source = {
    file,
    link: link3,
    id: header.parentId
  };
  return await context.openBelow({
    driver,
    source
  }, READ_ONLY);
}

// src/backends/formats/vhd/read_table.ts
var TABLE_MAX = 32 << 20;
var PART9 = 1 << 20;
async function readTable3(file, { tableOffset: tableOffset2, entries: entries2, blockSize }, size, name) {
  const needed2 = Math.ceil(size / blockSize);
  const length2 = needed2 * 4;
  if (length2 > TABLE_MAX) {
    throw refusal2(name, `its table of ${needed2} entries is too large`);
  }
  if (needed2 > entries2) {
    const why = `its table has ${entries2} entries, yet ${size} bytes need ${needed2}`;
    throw refusal2(name, why);
  }
  const end = (await file.stat()).size;
  if (tableOffset2 + length2 > end) {
    throw refusal2(name, "its table lies beyond the end of its file");
  }
  const words = new Uint32Array(new SharedArrayBuffer(length2));
  const part2 = new Uint8Array(Math.min(PART9, length2));
  const view2 = new DataView(part2.buffer);
  for (let at = 0; at < length2; at += PART9) {
    const here = Math.min(PART9, length2 - at);
    const got = await readFully(file, tableOffset2 + at, part2, 0, here);
    if (got < here) throw refusal2(name, "its table cannot be read");
    for (let i = 0; i < here / 4; i++) {
      words[at / 4 + i] = view2.getUint32(4 * i);
    }
  }
  return words.buffer;
}

// src/backends/formats/vhd/vhd_lookup.ts
var SLICE_SPAN = BITMAP_SLICE * 8 * SECTOR4;
var NO_BLOCK = 4294967295;
function bitmapBytes(blockSize) {
  return Math.ceil(blockSize / SECTOR4 / 8 / SECTOR4) * SECTOR4;
}
var VhdLookup = class {
  #entries;
  #blockSize;
  #bitmapBytes;
  /** Slices of the bitmap of a block. */
  #blockSlices;
  #missing;
  #bitmaps = new SectorBitmaps(true);
  /** Attaches to the table of an open image. */
  constructor({ entries: entries2, blockSize, hasParent }) {
    this.#entries = new Uint32Array(entries2);
    this.#blockSize = blockSize;
    this.#bitmapBytes = bitmapBytes(blockSize);
    this.#blockSlices = this.#bitmapBytes / BITMAP_SLICE;
    this.#missing = hasParent ? MAPPED.UNALLOCATED : MAPPED.ZERO;
  }
  map(position, length2, mapping) {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    if (this.#entries[block] === NO_BLOCK) {
      const most = Math.min(length2, this.#blockSize - inBlock);
      mapping.setPlaceless(MAPPED.UNALLOCATED, most);
      return true;
    }
    const bitmap = this.#bitmaps.find(this.#sliceOf(block, inBlock));
    if (bitmap === null) return false;
    this.#mapBlock(block, inBlock, length2, bitmap, mapping);
    return true;
  }
  prepare(position, into) {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    into.slice = this.#sliceOf(block, inBlock);
    into.file = 0;
    into.host = this.#entries[block] * SECTOR4 + Math.floor(inBlock / SLICE_SPAN) * BITMAP_SLICE;
  }
  mapRead({ slice, bytes: bytes2 }, position, length2, mapping) {
    this.#bitmaps.add(slice, bytes2);
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    this.#mapBlock(block, inBlock, length2, bytes2, mapping);
    return true;
  }
  queueEnded() {
  }
  #sliceOf(block, inBlock) {
    return block * this.#blockSlices + Math.floor(inBlock / SLICE_SPAN);
  }
  /** Maps a range of a block by a slice of its bitmap. */
  #mapBlock(block, inBlock, length2, bitmap, mapping) {
    const inSlice = inBlock % SLICE_SPAN;
    const most = Math.min(length2, this.#blockSize - inBlock, SLICE_SPAN - inSlice);
    const first2 = Math.floor(inSlice / SECTOR4);
    const after = Math.ceil((inSlice + most) / SECTOR4);
    const alike = this.#bitmaps.alike(bitmap, first2, after);
    const mapped = Math.min(most, (first2 + alike) * SECTOR4 - inSlice);
    if (!this.#bitmaps.has(bitmap, first2)) {
      mapping.setPlaceless(this.#missing, mapped);
      return;
    }
    mapping.setPlaceless(MAPPED.DATA, mapped);
    mapping.file = 0;
    mapping.host = this.#entries[block] * SECTOR4 + this.#bitmapBytes + inBlock;
  }
};

// src/backends/formats/vhd/driver.ts
var VHD = {
  kind: "format",
  name: "vhd",
  summary: "a VHD image, with its parents",
  usage: "vhd:PATH",
  prefixes: [
    "vhd:"
  ],
  needs: [
    "image",
    "shared memory"
  ],
  layered: true,
  parse(file, text) {
    if (file !== "") return {
      file
    };
    throw new UserError(`Cannot open "${text}": give a path, as in vhd:PATH`);
  },
  fileOf: ({ file }) => file,
  async describe(file, name) {
    const facts = await describeVhd(file, name);
    return {
      size: facts.size,
      facts: {
        ...facts
      },
      rows: vhdRows(facts)
    };
  },
  open: openVhd,
  attach(attachment, [file, parent], { tell: tell2 }) {
    const { name, size, fileSize, table: table2, parentSize } = attachment;
    if (table2 === null) {
      return new FixedBackend(file, {
        offset: 0,
        size
      });
    }
    const advice = "compare it with its source";
    return new MappedImage({
      name,
      size,
      clusterSize: table2.blockSize,
      sliceSize: BITMAP_SLICE,
      files: [
        {
          backend: file,
          end: fileSize,
          zeroEnd: fileSize
        }
      ],
      lookup: new VhdLookup(table2),
      blocks: NO_BLOCKS,
      damage: new DamageSigns(attachment.damage, name, tell2, advice),
      backing: parentSize === null ? null : {
        backend: parent,
        size: parentSize
      }
    });
  }
};
var FixedBackend = class extends WindowBackend {
  writable = false;
  write() {
    return -ERRNO.EROFS;
  }
  truncate() {
    return -ERRNO.EROFS;
  }
  zero() {
    return -ERRNO.EROFS;
  }
  allocate() {
    return -ERRNO.EROFS;
  }
  setTimes() {
    return -ERRNO.EROFS;
  }
};
async function openVhd({ file: path, link: link3, id }, context) {
  const source = link3 === void 0 ? path : {
    driver: FILE,
    source: path
  };
  const file = await context.openBelow(source, READ_ONLY);
  const { name, backend } = file;
  const place = link3 ?? {
    gate: new ReferenceGate(file, context),
    reference: null
  };
  if (place.reference !== null) place.gate.admit(file, place.reference);
  refuseOptions(name, context);
  const found = await readFooter(backend, name);
  const { footer, isCopy } = found;
  if (isCopy) {
    context.services.tell(`${name} has no sound footer at its end, so the copy at its start is used: a part of the file may be missing`);
  }
  refuseOther2(name, footer.id, id);
  const { size: fileSize } = await backend.stat();
  const parts2 = footer.kind === VHD_KIND.FIXED ? fixedParts(file, found) : await tableParts(file, found, place.gate, context);
  return {
    name,
    attachment: {
      name,
      size: footer.size,
      fileSize,
      damage: DamageSigns.create(),
      ...parts2
    }
  };
}
function fixedParts({ name }, { footer, at }) {
  if (footer.size <= at) return {
    table: null,
    parentSize: null
  };
  const why = `its footer says that the disk has ${footer.size} bytes, and ${at} are before it`;
  throw refusal2(name, why);
}
async function tableParts(file, { footer }, gate, context) {
  const { backend, name } = file;
  const { kind, size, headerOffset } = footer;
  const header = await readDynamicHeader(backend, headerOffset, name);
  const entries2 = await readTable3(backend, header, size, name);
  const parent = await parentOf(kind, file, header, {
    gate,
    context
  });
  const hasParent = parent !== null;
  return {
    table: {
      entries: entries2,
      blockSize: header.blockSize,
      hasParent
    },
    parentSize: hasParent ? (await parent.backend.stat()).size : null
  };
}
async function parentOf(kind, file, header, chain) {
  if (kind === VHD_KIND.DIFFERENCING) {
    return await openParent(file, header, chain, VHD);
  }
  if (chain.context.options.backing === null) return null;
  throw refusal2(file.name, "it has no parent", "leave backing out");
}
function refuseOptions(name, { options }) {
  const { snapshot } = options;
  if (snapshot === null) return;
  const wanted = JSON.stringify(snapshot);
  throw new UserError(`Cannot open snapshot ${wanted} of ${name}: a VHD image has no snapshots in it; export the image that belongs to the snapshot`);
}
function refuseOther2(name, has2, id) {
  if (id === void 0 || id === has2) return;
  throw refusal2(name, `it has the id ${has2}, and the image above it wants the parent ${id}`, `name the parent with backing=vhd:${name} if it is the right one`);
}

// src/backends/formats/vhdx/refusal.ts
var COMPARE2 = "compare it with its source";
function refusal3(name, why, advice = COMPARE2) {
  return new UserError(`Cannot open ${name} as vhdx: ${why}; ${advice}`);
}

// src/backends/formats/vhdx/parent_locator.ts
var VHDX_LOCATOR = "b04aefb7-d19e-4a81-b789-25b8e9445913";
var ENTRIES_AT2 = 20;
var ENTRY_BYTES2 = 12;
function parseParentLocator({ bytes: bytes2, view: view2 }, name) {
  const kind = uuidOf(bytes2, 0);
  if (kind !== VHDX_LOCATOR) {
    throw refusal3(name, `its parent is told by a locator of the unknown kind ${kind}`, "name the parent with backing=vhdx:PATH");
  }
  const count2 = view2.getUint16(18, true);
  if (ENTRIES_AT2 + count2 * ENTRY_BYTES2 > bytes2.length) {
    throw refusal3(name, `the locator of its parent has ${count2} entries`);
  }
  const texts = /* @__PURE__ */ new Map();
  for (let i = 0; i < count2; i++) {
    const at = ENTRIES_AT2 + i * ENTRY_BYTES2;
    const [key, value2] = [
      [
        at,
        at + 8
      ],
      [
        at + 4,
        at + 10
      ]
    ].map(([offsetAt, lengthAt]) => {
      const from = view2.getUint32(offsetAt, true);
      const length2 = view2.getUint16(lengthAt, true);
      if (from + length2 > bytes2.length) {
        throw refusal3(name, "the locator of its parent makes no sense");
      }
      return new TextDecoder("utf-16le", {
        ignoreBOM: true
      }).decode(bytes2.subarray(from, from + length2)).split("\0", 1)[0];
    });
    texts.set(key, value2);
  }
  return texts;
}
function parentLink(texts) {
  const withSlashes2 = (key) => texts.get(key)?.replaceAll("\\", "/");
  const relative = withSlashes2("relative_path")?.replace(/^(?:\.\/)+/, "");
  const absolute = withSlashes2("absolute_win32_path") ?? withSlashes2("volume_path");
  const ids = [
    texts.get("parent_linkage"),
    texts.get("parent_linkage2")
  ];
  return {
    name: relative || absolute?.replace(/^.*\//s, "") || "",
    dataWriteIds: ids.filter((id) => id !== void 0).map((id) => id.toLowerCase().replace(/[{}]/g, ""))
  };
}

// src/backends/formats/vhdx/structure.ts
var MIB = 1 << 20;
var CHECKSUM_AT3 = 4;
async function readStructure(file, at, length2, name) {
  const { size } = await file.stat();
  const bytes2 = new Uint8Array(length2);
  const there = Math.max(0, Math.min(length2, size - at));
  const got = await readFully(file, at, bytes2, 0, there);
  if (got < 0) throw refusal3(name, `reading it at byte ${at} fails`);
  return {
    bytes: bytes2,
    view: new DataView(bytes2.buffer)
  };
}
function isSound({ bytes: bytes2, view: view2 }, signature) {
  if (signatureOf(bytes2, 0, 4) !== signature) return false;
  return checkOf(bytes2) === view2.getUint32(CHECKSUM_AT3, true);
}
function checkOf(bytes2) {
  const none = new Uint8Array(4);
  const before = crc32c(none, crc32c(bytes2.subarray(0, CHECKSUM_AT3)));
  return crc32c(bytes2.subarray(CHECKSUM_AT3 + 4), before);
}
function signatureOf(bytes2, at, length2) {
  return String.fromCharCode(...bytes2.subarray(at, at + length2));
}
function numberAt({ view: view2 }, at) {
  const value2 = view2.getBigUint64(at, true);
  return value2 > BigInt(SIZE_MAX) ? null : Number(value2);
}

// src/backends/formats/vhdx/header.ts
var IDENTIFIER = "vhdxfile";
var HEADERS_AT = [
  64 << 10,
  128 << 10
];
var HEADER_BYTES4 = 4096;
var NO_LOG = "00000000-0000-0000-0000-000000000000";
async function readHeader2(file, name) {
  const start = await readStructure(file, 0, 8, name);
  if (signatureOf(start.bytes, 0, 8) !== IDENTIFIER) {
    const advice = "name its format, or leave the prefix out if it is raw";
    throw refusal3(name, "it does not begin like a VHDX image", advice);
  }
  const sound = [];
  for (const at of HEADERS_AT) {
    const header = await readStructure(file, at, HEADER_BYTES4, name);
    if (isSound(header, "head")) sound.push(header);
  }
  const [first2, second2] = sound;
  if (first2 === void 0) {
    throw refusal3(name, "the checks of both of its headers are wrong");
  }
  if (second2 === void 0) return parse2(first2, name);
  const order = sequenceOf(second2) - sequenceOf(first2);
  if (order === 0n && !first2.bytes.every((b, i) => b === second2.bytes[i])) {
    throw refusal3(name, "its two headers have the same number and differ");
  }
  return parse2(order > 0n ? second2 : first2, name);
}
function sequenceOf({ view: view2 }) {
  return view2.getBigUint64(8, true);
}
function parse2(header, name) {
  const { bytes: bytes2, view: view2 } = header;
  const version = view2.getUint16(66, true);
  const logVersion = view2.getUint16(64, true);
  if (version !== 1 || logVersion !== 0) {
    const why = `it has version ${version}, and its log ${logVersion}`;
    throw refusal3(name, why, "convert it with 'qemu-img convert'");
  }
  const logId = uuidOf(bytes2, 48);
  const logLength = view2.getUint32(68, true);
  const logOffset = numberAt(header, 72);
  const isPlaced = logOffset !== null && logOffset >= MIB && logOffset % MIB === 0 && logLength > 0 && logLength % MIB === 0;
  if (!isPlaced) {
    throw refusal3(name, `its log of ${logLength} bytes is at byte ${view2.getBigUint64(72, true)}`);
  }
  return {
    dataWriteId: uuidOf(bytes2, 32),
    logId: logId === NO_LOG ? null : logId,
    logOffset,
    logLength
  };
}

// src/backends/formats/vhdx/metadata.ts
var TABLE_BYTES = 64 << 10;
var SIGNATURE2 = "metadata";
var ENTRIES_MAX = 2047;
var ENTRY_BYTES3 = 32;
var ITEM_MAX = MIB;
var REQUIRED = 4;
var BLOCK_MAX2 = 256 * MIB;
var DISK_MAX = 2 ** 46;
var ITEM = {
  FILE_PARAMETERS: "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
  DISK_SIZE: "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
  DISK_ID: "beca12ab-b2e6-4523-93ef-c309e000c746",
  LOGICAL_SECTOR: "8141bf1d-a96f-4709-ba47-f233a8faab5f",
  PHYSICAL_SECTOR: "cda348c7-445d-4471-9cc9-e9885251c556",
  PARENT_LOCATOR: "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"
};
var KNOWN = new Set(Object.values(ITEM));
async function readMetadata(file, region, name) {
  const items = await readItems(file, region, name);
  const parameters = itemOf(items, ITEM.FILE_PARAMETERS, 8, name);
  const blockSize = parameters.view.getUint32(0, true);
  const hasParent = (parameters.view.getUint32(4, true) & 2) !== 0;
  const isPowerOfTwo = (blockSize & blockSize - 1) === 0;
  if (!isPowerOfTwo || blockSize < MIB || blockSize > BLOCK_MAX2) {
    throw refusal3(name, `its blocks have ${blockSize} bytes`);
  }
  const sectors = itemOf(items, ITEM.LOGICAL_SECTOR, 4, name);
  const sectorSize = sectors.view.getUint32(0, true);
  if (sectorSize !== 512 && sectorSize !== 4096) {
    throw refusal3(name, `its sectors have ${sectorSize} bytes`);
  }
  const { view: view2 } = itemOf(items, ITEM.DISK_SIZE, 8, name);
  const size = view2.getBigUint64(0, true);
  if (size > BigInt(DISK_MAX) || size % BigInt(sectorSize) !== 0n) {
    throw refusal3(name, `the disk has ${size} bytes`);
  }
  const locator = hasParent ? itemOf(items, ITEM.PARENT_LOCATOR, 20, name) : null;
  return {
    size: Number(size),
    blockSize,
    sectorSize,
    parent: locator === null ? null : parseParentLocator(locator, name)
  };
}
async function readItems(file, { offset, length: length2 }, name) {
  const table2 = await readStructure(file, offset, TABLE_BYTES, name);
  if (signatureOf(table2.bytes, 0, 8) !== SIGNATURE2) {
    throw refusal3(name, "its metadata have no table");
  }
  const count2 = table2.view.getUint16(10, true);
  if (count2 > ENTRIES_MAX) {
    throw refusal3(name, `it has ${count2} items of metadata`);
  }
  const items = /* @__PURE__ */ new Map();
  for (let i = 0; i < count2; i++) {
    const at = 32 + i * ENTRY_BYTES3;
    const id = uuidOf(table2.bytes, at);
    if (!KNOWN.has(id)) {
      const isRequired = (table2.view.getUint32(at + 24, true) & REQUIRED) !== 0;
      if (!isRequired) continue;
      const advice = "open it with the program that made it";
      throw refusal3(name, `it needs metadata of the unknown kind ${id}`, advice);
    }
    const from = table2.view.getUint32(at + 16, true);
    const bytes2 = table2.view.getUint32(at + 20, true);
    const isPlaced = bytes2 <= ITEM_MAX && from >= TABLE_BYTES && from + bytes2 <= length2;
    if (!isPlaced || items.has(id)) {
      throw refusal3(name, `the item ${id} of its metadata makes no sense`);
    }
    items.set(id, await readStructure(file, offset + from, bytes2, name));
  }
  return items;
}
function itemOf(items, id, least, name) {
  const item = items.get(id);
  if (item !== void 0 && item.bytes.length >= least) return item;
  throw refusal3(name, `the item ${id} of its metadata is missing`);
}

// src/backends/formats/vhdx/log_entry.ts
var LOG_SECTOR = 4096;
var HEADER_BYTES5 = 64;
var DESCRIPTOR_BYTES = 32;
var LEADING = 8;
var TRAILING = 4;
function entryLength2({ bytes: bytes2, view: view2 }, logId) {
  if (signatureOf(bytes2, 0, 4) !== "loge") return null;
  if (uuidOf(bytes2, 32) !== logId) return null;
  const length2 = view2.getUint32(8, true);
  return length2 > 0 && length2 % LOG_SECTOR === 0 ? length2 : null;
}
function parseEntry(entry2) {
  const { bytes: bytes2, view: view2 } = entry2;
  if (checkOf(bytes2) !== view2.getUint32(4, true)) return null;
  const sequence = view2.getBigUint64(16, true);
  const flushedSize = numberAt(entry2, 48);
  const lastSize = numberAt(entry2, 56);
  if (sequence === 0n || flushedSize === null || lastSize === null) return null;
  const changes = changesOf(entry2, sequence);
  if (changes === null) return null;
  return {
    sequence,
    length: bytes2.length,
    tail: view2.getUint32(12, true),
    flushedSize,
    lastSize,
    changes
  };
}
function changesOf(entry2, sequence) {
  const { bytes: bytes2, view: view2 } = entry2;
  const count2 = view2.getUint32(24, true);
  const descriptors = HEADER_BYTES5 + count2 * DESCRIPTOR_BYTES;
  let dataAt = Math.ceil(descriptors / LOG_SECTOR) * LOG_SECTOR;
  if (dataAt > bytes2.length) return null;
  const changes = [];
  for (let i = 0; i < count2; i++) {
    const at = HEADER_BYTES5 + i * DESCRIPTOR_BYTES;
    const offset = numberAt(entry2, at + 16);
    const isOfEntry = view2.getBigUint64(at + 24, true) === sequence;
    if (!isOfEntry || offset === null || offset % LOG_SECTOR !== 0) return null;
    switch (signatureOf(bytes2, at, 4)) {
      case "zero": {
        const length2 = numberAt(entry2, at + 8);
        if (length2 === null || length2 % LOG_SECTOR !== 0) return null;
        if (!Number.isSafeInteger(offset + length2)) return null;
        changes.push({
          offset,
          length: length2,
          data: null
        });
        break;
      }
      case "desc": {
        const data = sectorOf(entry2, at, dataAt, sequence);
        if (data === null) return null;
        changes.push({
          offset,
          length: LOG_SECTOR,
          data
        });
        dataAt += LOG_SECTOR;
        break;
      }
      default:
        return null;
    }
  }
  return changes;
}
function sectorOf({ bytes: bytes2, view: view2 }, at, dataAt, sequence) {
  if (dataAt + LOG_SECTOR > bytes2.length) return null;
  if (signatureOf(bytes2, dataAt, 4) !== "data") return null;
  const high = BigInt(view2.getUint32(dataAt + 4, true));
  const low = BigInt(view2.getUint32(dataAt + LOG_SECTOR - TRAILING, true));
  if ((high << 32n | low) !== sequence) return null;
  const data = bytes2.slice(dataAt, dataAt + LOG_SECTOR);
  data.set(bytes2.subarray(at + 8, at + 8 + LEADING));
  data.set(bytes2.subarray(at + 4, at + 4 + TRAILING), LOG_SECTOR - TRAILING);
  return data;
}

// src/backends/formats/vhdx/patches.ts
var PATCHES_MAX = 1 << 16;
var ZEROES5 = -1;
var PatchList = class {
  #name;
  #sectors = [];
  #patches = [];
  /** Starts a list for an image of a name. */
  constructor(name) {
    this.#name = name;
  }
  /**
   * Adds a change.
   *
   * @throws {UserError} If there are too many.
   */
  add({ offset, length: length2, data }) {
    if (length2 === 0) return;
    let source = ZEROES5;
    if (data !== null) {
      source = this.#sectors.length * LOG_SECTOR;
      this.#sectors.push(data);
    }
    const patches = this.#patches;
    if (patches.length >= PATCHES_MAX) {
      throw refusal3(this.#name, "its log has too many changes");
    }
    const end = offset + length2;
    const from = this.#firstAfter(offset);
    let to = from;
    while (to < patches.length && patches[to].start < end) to++;
    const kept = [];
    for (const old of patches.slice(from, to)) {
      if (old.start < offset) kept.push({
        ...old,
        end: offset
      });
    }
    kept.push({
      start: offset,
      end,
      source
    });
    const last = patches[to - 1];
    if (to > from && last.end > end) {
      const skipped = end - last.start;
      kept.push({
        start: end,
        end: last.end,
        source: last.source === ZEROES5 ? ZEROES5 : last.source + skipped
      });
    }
    patches.splice(from, to - from, ...kept);
  }
  /** The patches, for a file of a size. */
  finish(size) {
    const bytes2 = new Uint8Array(new SharedArrayBuffer(this.#sectors.length * LOG_SECTOR));
    for (const [i, sector] of this.#sectors.entries()) {
      bytes2.set(sector, i * LOG_SECTOR);
    }
    return {
      size,
      starts: this.#patches.map(({ start }) => start),
      ends: this.#patches.map(({ end }) => end),
      sources: this.#patches.map(({ source }) => source),
      data: bytes2.buffer
    };
  }
  /** The first patch that ends after a position. */
  #firstAfter(position) {
    return firstAfter(this.#patches.length, position, (i) => this.#patches[i].end);
  }
};
function firstAfter(count2, position, endOf2) {
  let low = 0;
  let high = count2;
  while (low < high) {
    const middle = low + high >> 1;
    if (endOf2(middle) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

// src/backends/formats/vhdx/patched_file.ts
var PatchedFile = class extends FilterBackend {
  writable = false;
  #patches;
  #data;
  /** Bytes that the file itself has. */
  #end;
  /**
   * Puts patches over a file.
   *
   * @param file The file.
   * @param end Its size in bytes.
   */
  constructor(file, end, patches) {
    super(file);
    this.#patches = patches;
    this.#data = new Uint8Array(patches.data);
    this.#end = end;
  }
  stat() {
    const { size } = this.#patches;
    const stat = this.image.stat();
    return "then" in stat ? stat.then((below) => ({
      ...below,
      size
    })) : {
      ...stat,
      size
    };
  }
  read(position, buffer, start, length2) {
    const next = this.#nextAfter(position);
    const { starts, size } = this.#patches;
    const isPlain = position + length2 <= Math.min(this.#end, starts[next] ?? Infinity);
    if (isPlain) return this.image.read(position, buffer, start, length2);
    const there = Math.max(0, Math.min(length2, size - position));
    return transferAll(there, (done) => this.#readPart(position + done, buffer, start + done, there - done));
  }
  extent(_position) {
    return {
      data: true,
      end: this.#patches.size
    };
  }
  /** Reads up to where a patch starts or ends, or the file ends. */
  #readPart(position, buffer, start, length2) {
    const { starts, ends, sources } = this.#patches;
    const i = this.#nextAfter(position);
    const patchStart = starts[i] ?? Infinity;
    if (patchStart <= position) {
      const here2 = Math.min(length2, ends[i] - position);
      const source = sources[i];
      if (source === ZEROES5) {
        buffer.fill(0, start, start + here2);
      } else {
        const from = source + position - patchStart;
        buffer.set(this.#data.subarray(from, from + here2), start);
      }
      return here2;
    }
    const here = Math.min(length2, patchStart - position);
    if (position < this.#end) {
      const most = Math.min(here, this.#end - position);
      return this.image.read(position, buffer, start, most);
    }
    buffer.fill(0, start, start + here);
    return here;
  }
  #nextAfter(position) {
    const { ends } = this.#patches;
    return firstAfter(ends.length, position, (i) => ends[i]);
  }
};

// src/backends/formats/vhdx/read_log.ts
var LOG_MAX = 64 * MIB;
var CHECKS_MAX = 16;
async function readLog(file, { logId, logOffset, logLength }, name) {
  if (logId === null) return null;
  const { size } = await file.stat();
  if (logLength > LOG_MAX || logOffset + logLength > size) {
    throw refusal3(name, `its log of ${logLength} bytes cannot be replayed`);
  }
  const bytes2 = await readStructure(file, logOffset, logLength, name);
  const entries2 = new LogRing(bytes2, logId).activeSequence();
  if (entries2 === null) {
    throw refusal3(name, "it was not closed, and its log has no whole sequence of entries", "let the program that made it repair it");
  }
  const head = entries2.at(-1);
  if (head.flushedSize > size) {
    throw refusal3(name, `its log wants a file of ${head.flushedSize} bytes, and it has ${size}`);
  }
  const patches = new PatchList(name);
  for (const { changes } of entries2) {
    for (const change of changes) patches.add(change);
  }
  return patches.finish(Math.max(size, head.lastSize));
}
var LogRing = class {
  #log;
  #logId;
  /** Entries that were looked at, by their places; `null` if not sound. */
  #entries = /* @__PURE__ */ new Map();
  /** Bytes that may still be checked. */
  #budget;
  constructor(log, logId) {
    this.#log = log;
    this.#logId = logId;
    this.#budget = log.bytes.length * CHECKS_MAX;
  }
  /**
   * The entries to replay: those of the whole sequence with the greatest number,
   * from the one on that its last entry names. `null` if there is none.
   */
  activeSequence() {
    const { length: length2 } = this.#log.bytes;
    let best = null;
    for (let tail = 0; tail < length2; ) {
      const { entries: entries2, places } = this.#sequenceFrom(tail);
      const last = entries2.at(-1);
      const first2 = last === void 0 ? -1 : places.indexOf(last.tail);
      if (last === void 0 || first2 < 0) {
        tail += LOG_SECTOR;
        continue;
      }
      const bestNumber = best?.at(-1)?.sequence ?? 0n;
      if (last.sequence > bestNumber) best = entries2.slice(first2);
      tail += entries2.reduce((sum, each) => sum + each.length, 0);
    }
    return best;
  }
  /** Entries that follow each other, in place and in number. */
  #sequenceFrom(tail) {
    const { length: length2 } = this.#log.bytes;
    const entries2 = [];
    const places = [];
    let taken = 0;
    let at = tail;
    for (; ; ) {
      const entry2 = this.#entryAt(at);
      const last = entries2.at(-1);
      if (entry2 === null || taken + entry2.length > length2) break;
      if (last !== void 0 && entry2.sequence !== last.sequence + 1n) break;
      entries2.push(entry2);
      places.push(at);
      taken += entry2.length;
      at = (at + entry2.length) % length2;
    }
    return {
      entries: entries2,
      places
    };
  }
  #entryAt(at) {
    const known = this.#entries.get(at);
    if (known !== void 0) return known;
    const entry2 = this.#parse(at);
    this.#entries.set(at, entry2);
    return entry2;
  }
  #parse(at) {
    const length2 = entryLength2(this.#range(at, LOG_SECTOR), this.#logId);
    if (length2 === null || length2 > this.#log.bytes.length) return null;
    this.#budget -= length2;
    return this.#budget < 0 ? null : parseEntry(this.#range(at, length2));
  }
  /** A range that may wrap around the end, as one. */
  #range(at, length2) {
    const { bytes: bytes2 } = this.#log;
    const range = new Uint8Array(length2);
    const first2 = Math.min(length2, bytes2.length - at);
    range.set(bytes2.subarray(at, at + first2));
    range.set(bytes2.subarray(0, length2 - first2), first2);
    return {
      bytes: range,
      view: new DataView(range.buffer)
    };
  }
};

// src/backends/formats/vhdx/regions.ts
var TABLES_AT = [
  192 << 10,
  256 << 10
];
var TABLE_BYTES2 = 64 << 10;
var ENTRIES_MAX2 = 2047;
var ENTRY_BYTES4 = 32;
var BAT = "2dc27766-f623-4200-9d64-115e9bfd4a08";
var METADATA = "8b7ca206-4790-4b9a-b8fe-575f050f886e";
async function readRegions(file, { logOffset, logLength }, name) {
  const table2 = await readSound(file, name);
  const count2 = table2.view.getUint32(8, true);
  if (count2 > ENTRIES_MAX2) throw refusal3(name, `it has ${count2} regions`);
  const found = /* @__PURE__ */ new Map();
  for (let i = 0; i < count2; i++) {
    const at = 16 + i * ENTRY_BYTES4;
    const id = uuidOf(table2.bytes, at);
    const isRequired = (table2.view.getUint32(at + 28, true) & 1) !== 0;
    const isKnown = id === BAT || id === METADATA;
    if (!isKnown && isRequired) {
      const advice = "open it with the program that made it";
      throw refusal3(name, `it needs a region of the unknown kind ${id}`, advice);
    }
    if (isKnown && found.has(id)) throw refusal3(name, `two regions are ${id}`);
    if (isKnown) found.set(id, regionAt(table2, at, name));
  }
  const bat = found.get(BAT);
  const metadata = found.get(METADATA);
  if (bat === void 0 || metadata === void 0) {
    throw refusal3(name, "a region that it needs is missing");
  }
  const { size } = await file.stat();
  for (const { offset, length: length2 } of [
    bat,
    metadata
  ]) {
    if (offset + length2 <= size) continue;
    const why = `its region at byte ${offset} lies beyond the end of its file`;
    throw refusal3(name, why);
  }
  const log = {
    offset: logOffset,
    length: logLength
  };
  const all = [
    log,
    bat,
    metadata
  ].toSorted((a, b) => a.offset - b.offset);
  for (const [i, each] of all.entries()) {
    const next = all[i + 1]?.offset ?? Infinity;
    if (each.offset + each.length > next) {
      throw refusal3(name, "its regions overlap");
    }
  }
  return {
    bat,
    metadata
  };
}
async function readSound(file, name) {
  for (const at of TABLES_AT) {
    const table2 = await readStructure(file, at, TABLE_BYTES2, name);
    if (isSound(table2, "regi")) return table2;
  }
  throw refusal3(name, "the checks of both of its tables of regions are wrong");
}
function regionAt(table2, at, name) {
  const offset = numberAt(table2, at + 16);
  const length2 = table2.view.getUint32(at + 24, true);
  const isPlaced = offset !== null && offset >= MIB && offset % MIB === 0 && length2 > 0 && length2 % MIB === 0;
  if (isPlaced) return {
    offset,
    length: length2
  };
  throw refusal3(name, `it has a region of ${length2} bytes at byte ${offset}`);
}

// src/backends/formats/vhdx/read_vhdx.ts
async function readVhdx(file, name) {
  const { size } = await file.stat();
  const header = await readHeader2(file, name);
  const patches = await readLog(file, header, name);
  const patched = patches === null ? file : new PatchedFile(file, size, patches);
  const regions = await readRegions(patched, header, name);
  const metadata = await readMetadata(patched, regions.metadata, name);
  return {
    header,
    patches,
    file: patched,
    fileSize: patches?.size ?? size,
    regions,
    metadata
  };
}

// src/backends/formats/vhdx/describe.ts
async function describeVhdx(file, name) {
  const { header, patches, metadata } = await readVhdx(file, name);
  const { size, blockSize, sectorSize, parent } = metadata;
  return {
    size,
    blockSize,
    sectorSize,
    hasLog: patches !== null,
    dataWriteId: header.dataWriteId,
    parentName: parent === null ? null : parentLink(parent).name
  };
}
function vhdxRows(facts) {
  const { blockSize, sectorSize, hasLog, parentName } = facts;
  const rows2 = [
    [
      "VHDX",
      `blocks of ${formatSize(blockSize)}, sectors of ${sectorSize} bytes`
    ]
  ];
  if (hasLog) rows2.push([
    "Log",
    "not empty: the image was not closed"
  ]);
  if (parentName !== null) rows2.push([
    "Parent",
    quoteName(parentName)
  ]);
  return rows2;
}

// src/backends/formats/vhdx/open_parent.ts
async function openParent2(by, texts, { gate, context }, driver) {
  const { backing } = context.options;
  if (backing !== null) {
    const raw = /^raw:(.+)$/s.exec(backing)?.[1];
    const source2 = raw === void 0 ? backing : {
      driver: FILE,
      source: raw
    };
    return await context.openBelow(source2, READ_ONLY);
  }
  const { name, dataWriteIds } = parentLink(texts);
  const reference = {
    role: "parent",
    name,
    by
  };
  if (name === "") {
    throw refused(reference, "the image does not name it; give it with backing=vhdx:PATH");
  }
  const file = gate.pathOf(reference);
  const link3 = {
    gate,
    reference
  };
  const source = {
    file,
    link: link3,
    dataWriteIds
  };
  return await context.openBelow({
    driver,
    source
  }, READ_ONLY);
}

// src/backends/formats/vhdx/read_bat.ts
var BLOCK_STATE = {
  NOT_PRESENT: 0,
  UNDEFINED: 1,
  ZERO: 2,
  UNMAPPED: 3,
  /** An entry that makes no sense, whatever it is. */
  BAD: 4,
  /** What version 0.95 of the specification has for unmapped. */
  UNMAPPED_OLD: 5,
  PRESENT: 6,
  PARTLY_PRESENT: 7
};
var CHUNK_SECTORS = 2 ** 23;
var TABLE_MAX2 = 64 << 20;
var PART10 = 1 << 20;
var PLACES = 2 ** 29;
async function readBat(file, region, { size, blockSize, sectorSize, parent }, name) {
  const chunkBlocks = CHUNK_SECTORS * sectorSize / blockSize;
  const blocks = Math.ceil(size / blockSize);
  const hasParent = parent !== null;
  const chunks = Math.ceil(blocks / chunkBlocks);
  const needed2 = hasParent ? chunks * (chunkBlocks + 1) : blocks + Math.floor(Math.max(0, blocks - 1) / chunkBlocks);
  const length2 = needed2 * 8;
  if (length2 > TABLE_MAX2) {
    throw refusal3(name, `its table of ${needed2} entries is too large`, "convert it to larger blocks with 'qemu-img convert'");
  }
  if (length2 > region.length) {
    const why = `its table has ${region.length} bytes, yet ${size} bytes need ${length2}`;
    throw refusal3(name, why);
  }
  const words = new Uint32Array(new SharedArrayBuffer(4 * needed2));
  for (let at = 0; at < length2; at += PART10) {
    const here = Math.min(PART10, length2 - at);
    const part2 = await readStructure(file, region.offset + at, here, name);
    for (let i = 0; i < here / 8; i++) {
      words[at / 8 + i] = entryOf(part2.view, 8 * i);
    }
  }
  const entries2 = words.buffer;
  return {
    entries: entries2,
    blockSize,
    sectorSize,
    chunkBlocks,
    hasParent
  };
}
function entryOf(view2, at) {
  const low = view2.getUint32(at, true);
  const place = view2.getUint32(at + 4, true) * 2 ** 12 + (low >>> 20);
  const state = low & 7;
  return place < PLACES ? place * 8 + state : BLOCK_STATE.BAD;
}

// src/backends/formats/vhdx/vhdx_lookup.ts
var VhdxLookup = class {
  #entries;
  #blockSize;
  #sectorSize;
  #chunkBlocks;
  #hasParent;
  /** Bytes of the disk that a slice of a bitmap is for. */
  #sliceSpan;
  /** What blocks are that are neither here nor partly here, by their states. */
  #kinds;
  #bitmaps = new SectorBitmaps(false);
  /** Attaches to the table of an open image. */
  constructor({ entries: entries2, blockSize, sectorSize, chunkBlocks, hasParent }) {
    this.#entries = new Uint32Array(entries2);
    this.#blockSize = blockSize;
    this.#sectorSize = sectorSize;
    this.#chunkBlocks = chunkBlocks;
    this.#hasParent = hasParent;
    this.#sliceSpan = BITMAP_SLICE * 8 * sectorSize;
    const kinds = Array(8).fill(MAPPED.ZERO);
    if (hasParent) kinds[BLOCK_STATE.NOT_PRESENT] = MAPPED.UNALLOCATED;
    kinds[BLOCK_STATE.BAD] = MAPPED.CORRUPT;
    kinds[BLOCK_STATE.PARTLY_PRESENT] = MAPPED.CORRUPT;
    this.#kinds = kinds;
  }
  map(position, length2, mapping) {
    const block = Math.floor(position / this.#blockSize);
    const inBlock = position - block * this.#blockSize;
    const most = Math.min(length2, this.#blockSize - inBlock);
    const chunk = Math.floor(block / this.#chunkBlocks);
    const entry2 = this.#entries[block + chunk];
    const state = entry2 & 7;
    if (state === BLOCK_STATE.PRESENT) {
      this.#setData(entry2, inBlock, most, mapping);
      return true;
    }
    const isPartly = state === BLOCK_STATE.PARTLY_PRESENT && this.#hasParent;
    if (!isPartly || this.#bitmapAt(chunk) < 0) {
      mapping.setPlaceless(this.#kinds[state], most);
      return true;
    }
    const slice = Math.floor(position / this.#sliceSpan);
    const bitmap = this.#bitmaps.find(slice);
    if (bitmap === null) return false;
    this.#mapPartly(position, most, bitmap, mapping);
    return true;
  }
  prepare(position, into) {
    const slice = Math.floor(position / this.#sliceSpan);
    const chunkSpan = this.#blockSize * this.#chunkBlocks;
    const chunk = Math.floor(position / chunkSpan);
    into.slice = slice;
    into.file = 0;
    into.host = this.#bitmapAt(chunk) + (slice - chunk * (chunkSpan / this.#sliceSpan)) * BITMAP_SLICE;
  }
  mapRead({ slice, bytes: bytes2 }, position, length2, mapping) {
    this.#bitmaps.add(slice, bytes2);
    const most = Math.min(length2, this.#blockSize - position % this.#blockSize);
    this.#mapPartly(position, most, bytes2, mapping);
    return true;
  }
  queueEnded() {
  }
  /** Where the bitmap of a chunk is; -1 if there is none. */
  #bitmapAt(chunk) {
    const entry2 = this.#entries[(chunk + 1) * (this.#chunkBlocks + 1) - 1];
    if (entry2 === void 0 || (entry2 & 7) !== BLOCK_STATE.PRESENT) return -1;
    return (entry2 >>> 3) * MIB;
  }
  #setData(entry2, inBlock, length2, mapping) {
    mapping.setPlaceless(MAPPED.DATA, length2);
    mapping.file = 0;
    mapping.host = (entry2 >>> 3) * MIB + inBlock;
  }
  /** Maps a range of a block by a slice of its bitmap. */
  #mapPartly(position, length2, bitmap, mapping) {
    const inSlice = position % this.#sliceSpan;
    const most = Math.min(length2, this.#sliceSpan - inSlice);
    const first2 = Math.floor(inSlice / this.#sectorSize);
    const after = Math.ceil((inSlice + most) / this.#sectorSize);
    const alike = this.#bitmaps.alike(bitmap, first2, after);
    const end = (first2 + alike) * this.#sectorSize;
    const mapped = Math.min(most, end - inSlice);
    if (!this.#bitmaps.has(bitmap, first2)) {
      mapping.setPlaceless(MAPPED.UNALLOCATED, mapped);
      return;
    }
    const block = Math.floor(position / this.#blockSize);
    const chunk = Math.floor(block / this.#chunkBlocks);
    const entry2 = this.#entries[block + chunk];
    this.#setData(entry2, position % this.#blockSize, mapped, mapping);
  }
};

// src/backends/formats/vhdx/driver.ts
var VHDX = {
  kind: "format",
  name: "vhdx",
  summary: "a VHDX image, with its parents and its log",
  usage: "vhdx:PATH",
  prefixes: [
    "vhdx:"
  ],
  needs: [
    "image",
    "shared memory"
  ],
  layered: true,
  parse(file, text) {
    if (file !== "") return {
      file
    };
    throw new UserError(`Cannot open "${text}": give a path, as in vhdx:PATH`);
  },
  fileOf: ({ file }) => file,
  async describe(file, name) {
    const facts = await describeVhdx(file, name);
    return {
      size: facts.size,
      facts: {
        ...facts
      },
      rows: vhdxRows(facts)
    };
  },
  open: openVhdx,
  attach(attachment, [file, parent], { tell: tell2 }) {
    const { name, size, ownSize, fileSize, patches, table: table2 } = attachment;
    const { parentSize } = attachment;
    const backend = patches === null ? file : new PatchedFile(file, ownSize, patches);
    const advice = "compare it with its source";
    return new MappedImage({
      name,
      size,
      clusterSize: table2.blockSize,
      sliceSize: BITMAP_SLICE,
      files: [
        {
          backend,
          end: fileSize,
          zeroEnd: fileSize
        }
      ],
      lookup: new VhdxLookup(table2),
      blocks: NO_BLOCKS,
      damage: new DamageSigns(attachment.damage, name, tell2, advice),
      backing: parentSize === null ? null : {
        backend: parent,
        size: parentSize
      }
    });
  }
};
async function openVhdx({ file: path, link: link3, dataWriteIds }, context) {
  const source = link3 === void 0 ? path : {
    driver: FILE,
    source: path
  };
  const file = await context.openBelow(source, READ_ONLY);
  const { name, backend } = file;
  const place = link3 ?? {
    gate: new ReferenceGate(file, context),
    reference: null
  };
  if (place.reference !== null) place.gate.admit(file, place.reference);
  refuseSnapshot(name, context);
  const image = await readVhdx(backend, name);
  const { header, patches, fileSize, regions, metadata } = image;
  refuseOther3(name, header.dataWriteId, dataWriteIds);
  if (patches !== null) {
    context.services.tell(`${name} was not closed: what its log changes is kept in memory, and the file stays as it is`);
  }
  const table2 = await readBat(image.file, regions.bat, metadata, name);
  const parent = await parentOf2(file, metadata, place.gate, context);
  return {
    name,
    attachment: {
      name,
      size: metadata.size,
      ownSize: (await backend.stat()).size,
      fileSize,
      patches,
      table: table2,
      damage: DamageSigns.create(),
      parentSize: parent === null ? null : (await parent.backend.stat()).size
    }
  };
}
async function parentOf2(file, { parent }, gate, context) {
  if (parent !== null) {
    return await openParent2(file, parent, {
      gate,
      context
    }, VHDX);
  }
  if (context.options.backing === null) return null;
  throw refusal3(file.name, "it has no parent", "leave backing out");
}
function refuseSnapshot(name, { options }) {
  const { snapshot } = options;
  if (snapshot === null) return;
  const wanted = JSON.stringify(snapshot);
  throw new UserError(`Cannot open snapshot ${wanted} of ${name}: a VHDX image has no snapshots in it; export the image that belongs to the snapshot`);
}
function refuseOther3(name, has2, ids) {
  if (ids === void 0 || ids.includes(has2)) return;
  throw refusal3(name, `it was changed since the image above it was made, which wants the data ${ids.join(" or ")} and finds ${has2}`, `name the parent with backing=vhdx:${name} if it is the right one`);
}

// src/backends/mapped/block_cache.ts
var WAYS2 = 8;
var SLOT_WORDS2 = 8;
var SLOT2 = {
  /** How many read it; -1 while it is filled. */
  READERS: 0,
  /** The file of the block plus 1; 0 if the slot is empty. */
  FILE: 1,
  /** Where its stream is in the file: the lower and the upper 32 bits. */
  HOST_LOW: 4,
  HOST_HIGH: 5,
  /** Bytes of the block. */
  LENGTH: 2,
  /** Not 0 if it was used since the hand passed it. */
  USED: 3
};
var CONTROL_WORDS2 = 1;
var TRIES = 100;
var BlockCache = class {
  #words;
  #bytes;
  #blockSize;
  #sets;
  /** The first word of the slots. */
  #slots;
  /**
   * Makes the memory of a cache.
   *
   * @param bytes How much it may take.
   * @param blocks How many blocks there are: it does not take more.
   * @param blockSize Bytes of the largest block.
   * @returns `null` if not even a few blocks fit.
   */
  static create(bytes2, blocks, blockSize) {
    const setBytes = 4 + WAYS2 * (4 * SLOT_WORDS2 + blockSize);
    const wanted = Math.ceil(blocks / WAYS2);
    const sets = Math.min(Math.floor(bytes2 / setBytes), wanted);
    if (sets < 1) return null;
    const memory = new SharedArrayBuffer(4 * CONTROL_WORDS2 + sets * setBytes);
    new Int32Array(memory)[0] = sets;
    return memory;
  }
  /**
   * Wraps the memory of a cache.
   *
   * @param memory Of {@linkcode BlockCache.create}.
   * @param blockSize As there.
   */
  constructor(memory, blockSize) {
    const sets = new Int32Array(memory, 0, 1)[0];
    this.#sets = sets;
    this.#blockSize = blockSize;
    this.#slots = CONTROL_WORDS2 + sets;
    const words = this.#slots + sets * WAYS2 * SLOT_WORDS2;
    this.#words = new Int32Array(memory, 0, words);
    this.#bytes = new Uint8Array(memory, 4 * words);
  }
  /**
   * Copies bytes of a block.
   *
   * @param file The number of the file that has its stream.
   * @param host Where that is in the file.
   * @param from The first byte.
   * @param length How many.
   * @param buffer Where to.
   * @param start The first byte of the buffer.
   * @returns Whether the block is there, and has them.
   */
  copy(file, host, from, length2, buffer, start) {
    const words = this.#words;
    const first2 = this.#setOf(file, host) * WAYS2;
    for (let slot = first2; slot < first2 + WAYS2; slot++) {
      const at = this.#slots + slot * SLOT_WORDS2;
      if (!this.#has(at, file, host) || !this.#enter(at)) continue;
      const isThere2 = this.#has(at, file, host) && from + length2 <= Atomics.load(words, at + SLOT2.LENGTH);
      if (isThere2) {
        const begin = slot * this.#blockSize + from;
        buffer.set(this.#bytes.subarray(begin, begin + length2), start);
        Atomics.store(words, at + SLOT2.USED, 1);
      }
      Atomics.sub(words, at + SLOT2.READERS, 1);
      if (isThere2) return true;
    }
    return false;
  }
  /**
   * Keeps a block, in place of one that was not used for long; does nothing if
   * every slot for it is being read.
   */
  add(file, host, block) {
    const words = this.#words;
    const set = this.#setOf(file, host);
    const hand = CONTROL_WORDS2 + set;
    for (let looks = 0; looks < 2 * WAYS2; looks++) {
      const way = Atomics.add(words, hand, 1) & WAYS2 - 1;
      const slot = set * WAYS2 + way;
      const at = this.#slots + slot * SLOT_WORDS2;
      const isUsed = Atomics.exchange(words, at + SLOT2.USED, 0) !== 0;
      if (isUsed && looks < WAYS2) continue;
      if (Atomics.compareExchange(words, at, 0, -1) !== 0) continue;
      Atomics.store(words, at + SLOT2.FILE, 0);
      this.#bytes.set(block, slot * this.#blockSize);
      Atomics.store(words, at + SLOT2.LENGTH, block.length);
      Atomics.store(words, at + SLOT2.HOST_LOW, host | 0);
      Atomics.store(words, at + SLOT2.HOST_HIGH, highOf(host));
      Atomics.store(words, at + SLOT2.FILE, file + 1);
      Atomics.store(words, at + SLOT2.USED, 1);
      Atomics.store(words, at + SLOT2.READERS, 0);
      return;
    }
  }
  #has(at, file, host) {
    const words = this.#words;
    return Atomics.load(words, at + SLOT2.FILE) === file + 1 && Atomics.load(words, at + SLOT2.HOST_LOW) === (host | 0) && Atomics.load(words, at + SLOT2.HOST_HIGH) === highOf(host);
  }
  /** Counts this thread as a reader of a slot, unless it is being filled. */
  #enter(at) {
    const words = this.#words;
    for (let i = 0; i < TRIES; i++) {
      const readers = Atomics.load(words, at + SLOT2.READERS);
      if (readers < 0) return false;
      const before = Atomics.compareExchange(words, at + SLOT2.READERS, readers, readers + 1);
      if (before === readers) return true;
    }
    return false;
  }
  #setOf(file, host) {
    const mixed = Math.imul(host ^ highOf(host) ^ file << 20, 2654435761);
    return ((mixed ^ mixed >>> 15) >>> 0) % this.#sets;
  }
};
function highOf(host) {
  return Math.floor(host / 2 ** 32) | 0;
}

// src/backends/mapped/stream_blocks.ts
var NONE = -1;
var StreamBlocks = class {
  #compression;
  #find;
  #cache;
  /** The last block, and a byte to spare; made when first needed. */
  #block = new Uint8Array(0);
  #file = NONE;
  #host = NONE;
  #length = 0;
  /**
   * Makes the blocks of one thread.
   *
   * @param compression How they are compressed.
   * @param cache Keeps them for all threads; `null` if none fits.
   * @param find Finds the stream in what was read of the file; `null` if there
   * is none. It is all of it if left out.
   */
  constructor(compression, cache, find2 = (bytes2) => bytes2) {
    this.#compression = compression;
    this.#cache = cache;
    this.#find = find2;
  }
  copy(mapping, buffer, start) {
    const { file, host, inBlock, length: length2 } = mapping;
    if (host !== this.#host || file !== this.#file) {
      return this.#cache !== null && this.#cache.copy(file, host, inBlock, length2, buffer, start);
    }
    if (inBlock + length2 > this.#length) return false;
    buffer.set(this.#block.subarray(inBlock, inBlock + length2), start);
    return true;
  }
  add(mapping, bytes2) {
    const { file, host, blockLength, inBlock, length: length2 } = mapping;
    this.#host = NONE;
    const stream = this.#find(bytes2, mapping);
    if (stream === null) return false;
    if (this.#block.length < blockLength + 1) {
      this.#block = new Uint8Array(blockLength + 1);
    }
    const output = this.#block.subarray(0, blockLength + 1);
    const got = decompress(this.#compression, stream, output);
    if (got < inBlock + length2) return false;
    this.#file = file;
    this.#host = host;
    this.#length = got;
    this.#cache?.add(file, host, output.subarray(0, got));
    return true;
  }
};

// src/backends/formats/vmdk/constants.ts
var SECTOR5 = 512;
var SPARSE_MAGIC = 1447904331;
var COWD_MAGIC = 1146572611;
var SESPARSE_MAGIC = 3405691582;
var DESCRIPTOR_START = /^# *Disk *Descriptor *File/i;
var FLAG2 = {
  /** The bytes that show a transfer as text count. */
  NEWLINES: 1,
  /** There is a second grain directory. */
  REDUNDANT: 1 << 1,
  /** An entry of 1 is a grain of zeroes. */
  ZERO_GRAINS: 1 << 2,
  /** Grains are compressed. */
  COMPRESSED: 1 << 16,
  /** Each compressed grain and each table has a marker before it. */
  MARKERS: 1 << 17
};
var GD_AT_END = 2n ** 64n - 1n;
var MARKER = {
  END: 0,
  FOOTER: 3
};
var GRAIN_MARKER = 12;
var FOOTER_SIZE = 3 * SECTOR5;
var DEFLATE = 1;
var NO_GRAIN = 0;
var ZERO_GRAIN = 1;
var NO_PARENT = 4294967295;
var COWD_ENTRIES = 4096;
var LIMIT2 = {
  /** Bytes of a grain. */
  GRAIN: 64 << 20,
  /** Bytes of a grain that is compressed, which is held in memory. */
  COMPRESSED_GRAIN: 4 << 20,
  /** Entries of a grain table. */
  TABLE_ENTRIES: 512,
  /** Bytes of all grain directories of a disk. */
  DIRECTORIES: 64 << 20,
  /** Bytes of a descriptor. */
  DESCRIPTOR: 1 << 20,
  /** Extents of a disk. */
  EXTENTS: 1024
};

// src/backends/formats/vmdk/refusal.ts
var COMPARE3 = "compare it with its source";
function refusal4(name, why, advice = COMPARE3) {
  return new UserError(`Cannot open ${name} as vmdk: ${why}; ${advice}`);
}

// src/backends/formats/vmdk/descriptor.ts
var EXTENT = /^(RW|RDONLY|NOACCESS)\s+(\d+)\s+(\w+)(?:\s+"([^"]*)"(?:\s+(\d+))?.*)?$/;
var VALUE = /^(\w+)\s*=\s*(?:"([^"]*)"|(\S*))\s*$/;
function parseDescriptor(text, name) {
  const values = /* @__PURE__ */ new Map();
  const extents = [];
  const [lines] = text.split("\0", 1);
  for (const line of lines.split(/\r\n|\r|\n/).map((each) => each.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    if (/^(RW|RDONLY|NOACCESS)\b/.test(line)) {
      if (extents.length === LIMIT2.EXTENTS) {
        throw refusal4(name, `it has more than ${LIMIT2.EXTENTS} extents`);
      }
      extents.push(extentOf(line, name));
      continue;
    }
    const [, key, quoted, bare] = VALUE.exec(line) ?? [];
    if (key !== void 0 && !values.has(key)) {
      values.set(key, quoted ?? bare);
    }
  }
  const parentCid = cidOf(values.get("parentCID") ?? "ffffffff", name);
  return {
    createType: values.get("createType") ?? null,
    cid: cidOf(values.get("CID") ?? "0", name),
    parentCid: parentCid === NO_PARENT ? null : parentCid,
    parentName: values.get("parentFileNameHint") ?? null,
    extents
  };
}
function cidOf(text, name) {
  if (/^[0-9a-f]{1,8}$/i.test(text)) return parseInt(text, 16);
  throw refusal4(name, `its descriptor has the CID ${JSON.stringify(text)}`);
}
function extentOf(line, name) {
  const [, access2, sectors, type, file, offset = "0"] = EXTENT.exec(line) ?? [];
  const what = JSON.stringify(line.slice(0, 100));
  if (type === void 0) {
    throw refusal4(name, `its descriptor has the line ${what}`);
  }
  if (access2 === "NOACCESS") {
    throw refusal4(name, `its extent ${what} must not be read`);
  }
  const size = Number(sectors) * SECTOR5;
  const start = Number(offset) * SECTOR5;
  if (size === 0 || size > SIZE_MAX || start > SIZE_MAX - size) {
    throw refusal4(name, `its extent ${what} has no valid size`);
  }
  return {
    type,
    size,
    name: file ?? null,
    offset: start
  };
}

// src/backends/formats/vmdk/sparse_header.ts
function magicOf(bytes2) {
  if (bytes2.length < SECTOR5) return null;
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const magic = view2.getUint32(0, true);
  if (magic === SPARSE_MAGIC || magic === COWD_MAGIC) return "sparse";
  return magic === SESPARSE_MAGIC ? "sesparse" : null;
}
function parseSparseHeader(bytes2, name) {
  switch (magicOf(bytes2)) {
    case "sparse":
      break;
    case "sesparse":
      throw refusal4(name, "it is in the format SESPARSE", "convert it with 'qemu-img convert'");
    default:
      throw refusal4(name, "it does not begin like a sparse extent");
  }
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, SECTOR5);
  const isCowd = view2.getUint32(0, true) === COWD_MAGIC;
  const header = isCowd ? cowdOf(view2, name) : sparseOf(view2, name);
  checkSizes(header, name);
  return header;
}
function cowdOf(view2, name) {
  const word = (at) => view2.getUint32(at, true);
  const header = {
    kind: "cowd",
    version: word(4),
    size: word(12) * SECTOR5,
    grainSize: word(16) * SECTOR5,
    directoryAt: word(20) * SECTOR5,
    tableEntries: COWD_ENTRIES,
    redundantAt: null,
    isCompressed: false,
    hasMarkers: false,
    hasZeroGrains: false,
    descriptorAt: 0,
    descriptorSize: 0
  };
  const needed2 = Math.ceil(header.size / header.grainSize / COWD_ENTRIES);
  if (word(24) >= needed2 || header.grainSize === 0) return header;
  const why = `its grain directory has ${word(24)} entries, not ${needed2}`;
  throw refusal4(name, why);
}
function sparseOf(view2, name) {
  const version = view2.getUint32(4, true);
  if (version < 1 || version > 3) {
    const advice = "convert it with 'qemu-img convert'";
    throw refusal4(name, `it has version ${version}, not 1 to 3`, advice);
  }
  const flags = view2.getUint32(8, true);
  if ((flags & FLAG2.NEWLINES) !== 0 && view2.getUint32(73, true) !== NEWLINES) {
    const advice = "transfer it once more, as binary";
    throw refusal4(name, "it was transferred as text", advice);
  }
  const algorithm = view2.getUint16(77, true);
  if (algorithm > DEFLATE) {
    throw refusal4(name, `its grains are compressed by method ${algorithm}`);
  }
  const bytes2 = (at) => bytesOf3(view2.getBigUint64(at, true), at, name);
  const isAtEnd = view2.getBigUint64(56, true) === GD_AT_END;
  return {
    kind: "sparse",
    version,
    size: bytes2(12),
    grainSize: bytes2(20),
    tableEntries: view2.getUint32(44, true),
    directoryAt: isAtEnd ? null : bytes2(56),
    redundantAt: (flags & FLAG2.REDUNDANT) === 0 || isAtEnd ? null : bytes2(48),
    isCompressed: algorithm === DEFLATE,
    hasMarkers: (flags & FLAG2.MARKERS) !== 0,
    hasZeroGrains: (flags & FLAG2.ZERO_GRAINS) !== 0,
    descriptorAt: bytes2(28),
    descriptorSize: bytes2(36)
  };
}
var NEWLINES = 168632330;
function bytesOf3(sectors, at, name) {
  const bytes2 = sectors * BigInt(SECTOR5);
  if (bytes2 <= BigInt(SIZE_MAX)) return Number(bytes2);
  throw refusal4(name, `the header's field at byte ${at} is ${sectors}`);
}
function checkSizes(header, name) {
  const { grainSize, tableEntries, kind, size, isCompressed } = header;
  const most = isCompressed ? LIMIT2.COMPRESSED_GRAIN : LIMIT2.GRAIN;
  const isPower = Number.isInteger(Math.log2(grainSize));
  if (!isPower || grainSize > most) {
    throw refusal4(name, `its grains have ${grainSize} bytes, not a power of two up to ${most}`);
  }
  const maxEntries = kind === "cowd" ? COWD_ENTRIES : LIMIT2.TABLE_ENTRIES;
  if (tableEntries < 1 || tableEntries > maxEntries) {
    throw refusal4(name, `its grain tables have ${tableEntries} entries`);
  }
  if (directorySize(header) > LIMIT2.DIRECTORIES) {
    throw refusal4(name, `its grain directory for ${size} bytes is too large`);
  }
  if (header.descriptorSize > LIMIT2.DESCRIPTOR) {
    throw refusal4(name, "its descriptor is too long");
  }
}
function directorySize({ size, grainSize, tableEntries }) {
  return 4 * Math.ceil(size / (grainSize * tableEntries));
}

// src/backends/formats/vmdk/read_sparse.ts
async function readSparseHeader(file, name) {
  const header = parseSparseHeader(await readStart2(file, name), name);
  if (header.directoryAt !== null) return header;
  const { size } = await file.stat();
  const footer = new Uint8Array(FOOTER_SIZE);
  const at = size - FOOTER_SIZE;
  const got = at < 0 ? 0 : await readFully(file, at, footer, 0, FOOTER_SIZE);
  const isFooter = got === FOOTER_SIZE && isMarker(footer, 0, MARKER.FOOTER) && isMarker(footer, 2 * SECTOR5, MARKER.END);
  if (!isFooter) {
    const advice = "copy it once more: its end is missing";
    throw refusal4(name, "it has no footer", advice);
  }
  const inFooter = footer.subarray(SECTOR5, 2 * SECTOR5);
  const last = parseSparseHeader(inFooter, name);
  if (last.directoryAt !== null) return last;
  throw refusal4(name, "its footer does not say where its grain directory is");
}
function isMarker(bytes2, at, type) {
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset + at, SECTOR5);
  return view2.getUint32(8, true) === 0 && view2.getUint32(12, true) === type;
}
async function readStart2(file, name) {
  const bytes2 = new Uint8Array(SECTOR5);
  const got = await readFully(file, 0, bytes2, 0, SECTOR5);
  if (got < 0) throw refusal4(name, "its first bytes cannot be read");
  return bytes2.subarray(0, got);
}
async function readEmbedded(file, { descriptorAt, descriptorSize }, name) {
  if (descriptorAt === 0 || descriptorSize === 0) return null;
  return await readDescriptor(file, descriptorAt, descriptorSize, name);
}
async function readDescriptorFile(file, name) {
  const { size } = await file.stat();
  if (size > LIMIT2.DESCRIPTOR) throw noVmdk(name);
  return await readDescriptor(file, 0, size, name);
}
async function readDescriptor(file, at, length2, name) {
  const bytes2 = new Uint8Array(length2);
  const got = await readFully(file, at, bytes2, 0, length2);
  if (got < 0) throw refusal4(name, "its descriptor cannot be read");
  const text = decodeName(bytes2.subarray(0, got));
  if (!DESCRIPTOR_START.test(text)) throw noVmdk(name);
  return parseDescriptor(text, name);
}
function noVmdk(name) {
  const advice = "name its format, or leave the prefix out if it is raw";
  return refusal4(name, "it does not begin like a VMDK image", advice);
}

// src/backends/formats/vmdk/describe.ts
async function describeVmdk(file, name) {
  if (magicOf(await readStart2(file, name)) === null) {
    const descriptor2 = await readDescriptorFile(file, name);
    const { extents } = descriptor2;
    const size = extents.reduce((sum, extent) => sum + extent.size, 0);
    return factsOf(size, null, descriptor2, extents);
  }
  const header = await readSparseHeader(file, name);
  const descriptor = await readEmbedded(file, header, name);
  return factsOf(header.size, header, descriptor, []);
}
function factsOf(size, header, descriptor, extents) {
  return {
    size,
    createType: descriptor?.createType ?? null,
    version: header?.version ?? null,
    grainSize: header?.grainSize ?? null,
    isCompressed: header?.isCompressed ?? false,
    cid: hex(descriptor?.cid),
    parentCid: hex(descriptor?.parentCid),
    parentName: descriptor?.parentName ?? null,
    extents
  };
}
function hex(cid) {
  return cid?.toString(16).padStart(8, "0") ?? null;
}
function vmdkRows(facts) {
  const { createType, version, grainSize, isCompressed, extents } = facts;
  const { cid, parentCid, parentName } = facts;
  const parts2 = [
    quoteName(createType ?? "type not recorded"),
    version === null ? "" : `version ${version}`,
    grainSize === null ? "" : `grains of ${formatSize(grainSize)}`,
    isCompressed ? "compressed" : ""
  ];
  const rows2 = [
    [
      "VMDK",
      parts2.filter((part2) => part2 !== "").join(", ")
    ]
  ];
  if (cid !== null) rows2.push([
    "CID",
    cid
  ]);
  if (parentCid !== null) {
    const name = parentName === null ? "not named" : quoteName(parentName);
    rows2.push([
      "Parent",
      `${name} (CID ${parentCid})`
    ]);
  }
  for (const { type, size, name } of extents) {
    const where = name === null ? "" : ` in ${quoteName(name)}`;
    rows2.push([
      "Extent",
      `${type}, ${formatSize(size)}${where}`
    ]);
  }
  return rows2;
}

// src/backends/formats/vmdk/grain_stream.ts
function streamAfterMarker(bytes2) {
  if (bytes2.length <= GRAIN_MARKER) return null;
  const view2 = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.length);
  const end = GRAIN_MARKER + view2.getUint32(8, true);
  if (end === GRAIN_MARKER || end > bytes2.length) return null;
  return bytes2.subarray(GRAIN_MARKER, end);
}

// src/backends/formats/vmdk/grain_directory.ts
var PART11 = 1 << 20;
async function readDirectory(file, fileSize, header, name) {
  const { directoryAt, redundantAt, tableEntries } = header;
  const memory = new SharedArrayBuffer(directorySize(header));
  const words = new Uint32Array(memory);
  const lastSector = Math.floor((fileSize - 4 * tableEntries) / SECTOR5);
  const isRead = await readWords(file, directoryAt, words);
  if (!isRead && redundantAt === null) throw unreadable(name);
  if (!isRead) words.fill(BAD_TABLE);
  refuseBeyond(words, lastSector);
  if (redundantAt === null || !words.includes(BAD_TABLE)) return memory;
  const other = new Uint32Array(words.length);
  if (!await readWords(file, redundantAt, other)) {
    if (isRead) return memory;
    throw unreadable(name);
  }
  refuseBeyond(other, lastSector);
  for (let i = 0; i < words.length; i++) {
    if (words[i] === BAD_TABLE) words[i] = other[i];
  }
  return memory;
}
function unreadable(name) {
  return refusal4(name, "its grain directory cannot be read completely");
}
async function readWords(file, at, words) {
  const size = 4 * words.length;
  const part2 = new Uint8Array(Math.min(size, PART11));
  const view2 = new DataView(part2.buffer);
  for (let done = 0; done < size; done += part2.length) {
    const length2 = Math.min(part2.length, size - done);
    const got = await readFully(file, at + done, part2, 0, length2);
    if (got < length2) return false;
    for (let i = 0; i < length2; i += 4) {
      words[(done + i) / 4] = view2.getUint32(i, true);
    }
  }
  return true;
}
function refuseBeyond(words, lastSector) {
  for (let i = 0; i < words.length; i++) {
    if (words[i] > lastSector) words[i] = BAD_TABLE;
  }
}

// src/backends/formats/vmdk/open_extents.ts
var SLICE_MAX2 = 2048;
async function openExtents(described, to) {
  const numbers = /* @__PURE__ */ new Map();
  const parts2 = [];
  let end = 0;
  for (const extent of described) {
    end += extent.size;
    parts2.push(await openExtent(extent, end, numbers, to));
  }
  if (parts2.length > 0) return parts2;
  throw refusal4(to.by.name, "its descriptor names no extents");
}
async function openExtent(extent, end, numbers, to) {
  const { type, name, size, offset } = extent;
  if (type === "ZERO") return {
    kind: "zero",
    end
  };
  const isFlat = type === "FLAT" || type === "VMFS";
  const isSparse = type === "SPARSE" || type === "VMFSSPARSE";
  if (!isFlat && !isSparse) {
    throw refusal4(to.by.name, `it has an extent of the type ${type}`, "convert it with 'qemu-img convert'");
  }
  if (name === null) {
    throw refusal4(to.by.name, `an extent of the type ${type} has no file`);
  }
  const reference = {
    role: "extent",
    name,
    by: to.by
  };
  const file = numbers.get(name) ?? await openFile2(reference, to);
  numbers.set(name, file);
  const image = to.files[file];
  if (isFlat) {
    const { size: there } = await image.backend.stat();
    if (there >= offset + size) return {
      kind: "flat",
      end,
      file,
      offset
    };
    throw refused(reference, `it has ${there} bytes, yet the extent ends at ${offset + size}; copy it once more: its end is missing`);
  }
  const header = await readSparseHeader(image.backend, image.name);
  if (header.size === size) return {
    end,
    file,
    image,
    header
  };
  throw refused(reference, `it has a disk of ${header.size} bytes, not ${size}; it belongs to another image`);
}
async function openFile2(reference, { gate, context, files }) {
  const source = gate.pathOf(reference);
  const opened = await context.openBelow({
    driver: FILE,
    source
  }, READ_ONLY);
  gate.admit(opened, reference);
  return files.push(opened) - 1;
}
async function readTables(parts2, share, name) {
  const sparse = parts2.filter((part2) => "header" in part2);
  const bytes2 = sparse.reduce((sum, { header }) => sum + directorySize(header), 0);
  if (bytes2 > LIMIT2.DIRECTORIES) {
    throw refusal4(name, `its grain directories have ${bytes2} bytes`);
  }
  const entries2 = new Set(sparse.map(({ header }) => header.tableEntries));
  if (entries2.size > 1) {
    throw refusal4(name, "its extents have grain tables of different sizes");
  }
  const extents = [];
  for (const part2 of parts2) {
    extents.push("header" in part2 ? await readSparse(part2, share / sparse.length) : part2);
  }
  return extents;
}
async function readSparse({ end, file, image, header }, share) {
  const { grainSize, tableEntries, isCompressed, hasZeroGrains } = header;
  const sliceSize = Math.min(SLICE_MAX2, 4 * tableEntries);
  const sliceEntries = sliceSize / 4;
  const sliceSpan = sliceEntries * grainSize;
  const slices = Math.ceil(header.size / sliceSpan);
  const { size } = await image.backend.stat();
  return {
    kind: "sparse",
    end,
    file,
    grains: {
      grainSize,
      sliceEntries,
      isCompressed,
      hasZeroGrains
    },
    tables: {
      geometry: {
        sliceSize,
        sliceSpan,
        tableSlices: tableEntries / sliceEntries,
        tableUnit: SECTOR5
      },
      l1: await readDirectory(image.backend, size, header, image.name),
      cache: SliceCache.create(share, slices, sliceEntries)
    }
  };
}

// src/backends/formats/vmdk/open_parent.ts
async function openParent3(descriptor, { by, gate, context }, changes, driver) {
  const options = {
    ...READ_ONLY,
    ...changes
  };
  const { backing } = context.options;
  if (backing !== null) {
    const raw = /^raw:(.+)$/s.exec(backing)?.[1];
    const source2 = raw === void 0 ? backing : {
      driver: FILE,
      source: raw
    };
    return await context.openBelow(source2, options);
  }
  if (descriptor === null || descriptor.parentCid === null) return null;
  const { parentName: name, parentCid: cid } = descriptor;
  const reference = {
    role: "parent",
    name: name ?? "",
    by
  };
  if (name === null) {
    throw refused(reference, "the image does not name it; give it with backing=vmdk:PATH");
  }
  const path = gate.pathOf(reference);
  const source = {
    file: path,
    link: {
      gate,
      reference
    },
    cid
  };
  return await context.openBelow({
    driver,
    source
  }, options);
}

// src/backends/formats/vmdk/vmdk_image.ts
var VmdkImage = class extends MappedImage {
  #own;
  /** The files whose space counts. */
  #files;
  #blockSize;
  /** Puts an image together. Its owner closes the files after it. */
  constructor(parts2) {
    super(parts2);
    const { own, isOneFile, files, clusterSize } = parts2;
    const others = files.map(({ backend }) => backend);
    this.#own = own;
    this.#files = isOneFile ? others : [
      own,
      ...others
    ];
    this.#blockSize = clusterSize;
  }
  /** Times are those of the file that was named; space is that of all files. */
  async stat() {
    const { times: times2 } = await this.#own.stat();
    let allocated = 0;
    for (const file of this.#files) {
      const { allocated: more } = await file.stat();
      allocated = allocated === null || more === null ? null : allocated + more;
    }
    return {
      size: this.size,
      allocated,
      blockSize: this.#blockSize,
      times: times2
    };
  }
};

// src/backends/formats/vmdk/grain_entries.ts
var GrainEntries = class {
  #geometry;
  #file;
  /**
   * Prepares for the entries of an extent.
   *
   * @param file The number of the file that has it.
   */
  constructor(geometry, file) {
    this.#geometry = geometry;
    this.#file = file;
  }
  decode(bytes2, words) {
    for (let i = 0; i < words.length; i++) {
      const at = 4 * i;
      words[i] = bytes2[at] | bytes2[at + 1] << 8 | bytes2[at + 2] << 16 | bytes2[at + 3] << 24;
    }
  }
  map(words, start, _position, inSlice, length2, mapping) {
    const { grainSize, sliceEntries, isCompressed } = this.#geometry;
    const first2 = Math.floor(inSlice / grainSize);
    const inGrain = inSlice - first2 * grainSize;
    const sector = Atomics.load(words, start + first2) >>> 0;
    const kind = this.#kindOf(sector);
    const left = grainSize - inGrain;
    if (kind === MAPPED.COMPRESSED) {
      const next = first2 + 1;
      const end = this.#streamEnd(words, start + next, start + sliceEntries);
      this.#setStream(mapping, sector, inGrain, end);
      mapping.length = Math.min(left, length2);
      return;
    }
    const grainSectors = grainSize / SECTOR5;
    let mapped = left;
    let follows = sector;
    for (let i = first2 + 1; i < sliceEntries && mapped < length2; i++) {
      const next = Atomics.load(words, start + i) >>> 0;
      follows += grainSectors;
      const isSame = kind === MAPPED.DATA ? next === follows : this.#kindOf(next) === kind;
      if (!isSame) break;
      mapped += grainSize;
    }
    mapping.setPlaceless(kind, Math.min(mapped, length2));
    if (kind !== MAPPED.DATA || isCompressed) return;
    mapping.file = this.#file;
    mapping.host = sector * SECTOR5 + inGrain;
  }
  #kindOf(sector) {
    const { hasZeroGrains, isCompressed } = this.#geometry;
    if (sector === NO_GRAIN) return MAPPED.UNALLOCATED;
    if (sector === ZERO_GRAIN && hasZeroGrains) return MAPPED.ZERO;
    return isCompressed ? MAPPED.COMPRESSED : MAPPED.DATA;
  }
  /** The sector of the next grain of a slice; 0 if there is none. */
  #streamEnd(words, from, to) {
    for (let at = from; at < to; at++) {
      const sector = Atomics.load(words, at) >>> 0;
      if (sector > ZERO_GRAIN) return sector;
    }
    return 0;
  }
  /** Grains are written in order, mostly: a stream ends where the next starts. */
  #setStream(mapping, sector, inGrain, end) {
    const { grainSize } = this.#geometry;
    const most = 2 * grainSize;
    const known = (end - sector) * SECTOR5;
    mapping.setPlaceless(MAPPED.COMPRESSED, 0);
    mapping.file = this.#file;
    mapping.host = sector * SECTOR5;
    mapping.streamLength = known > 0 ? Math.min(known, most) : most;
    mapping.inBlock = inGrain;
    mapping.blockLength = grainSize;
  }
};

// src/backends/formats/vmdk/vmdk_lookup.ts
var VmdkLookup = class {
  #extents;
  /** Where each extent ends. */
  #ends;
  /** The tables of the sparse ones. */
  #tables;
  /** The extent that was used last, and where it starts. */
  #index = 0;
  #start = 0;
  /**
   * Attaches to the extents of an open image.
   *
   * @param queue The queue that this thread serves; `undefined` for none.
   */
  constructor(extents, queue) {
    this.#extents = extents;
    this.#ends = Float64Array.from(extents, ({ end }) => end);
    this.#tables = extents.map((extent) => {
      if (extent.kind !== "sparse") return null;
      const { tables, grains, file } = extent;
      const entries2 = new GrainEntries(grains, file);
      return new TableLookup(tables, entries2, cacheOwner(queue));
    });
  }
  map(position, length2, mapping) {
    this.#find(position);
    const extent = this.#extents[this.#index];
    const inExtent = position - this.#start;
    const most = Math.min(length2, extent.end - position);
    switch (extent.kind) {
      case "sparse":
        return this.#tables[this.#index].map(inExtent, most, mapping);
      case "flat":
        mapping.setPlaceless(MAPPED.DATA, most);
        mapping.file = extent.file;
        mapping.host = extent.offset + inExtent;
        return true;
      case "zero":
        mapping.setPlaceless(MAPPED.ZERO, most);
        return true;
    }
  }
  prepare(position, into) {
    this.#find(position);
    const extent = this.#extents[this.#index];
    if (extent.kind === "sparse") into.file = extent.file;
    this.#tables[this.#index].prepare(position - this.#start, into);
  }
  mapRead(read2, position, length2, mapping) {
    this.#find(position);
    const most = Math.min(length2, this.#ends[this.#index] - position);
    const tables = this.#tables[this.#index];
    return tables.mapRead(read2, position - this.#start, most, mapping);
  }
  queueEnded(queue) {
    for (const tables of this.#tables) tables?.queueEnded(queue);
  }
  /** Finds the extent at a position of the disk. */
  #find(position) {
    const ends = this.#ends;
    if (position >= this.#start && position < ends[this.#index]) return;
    let low = 0;
    let high = ends.length - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (position < ends[middle]) high = middle;
      else low = middle + 1;
    }
    this.#index = low;
    this.#start = low === 0 ? 0 : ends[low - 1];
  }
};

// src/backends/formats/vmdk/driver.ts
var VMDK = {
  kind: "format",
  name: "vmdk",
  summary: "a VMDK image, with the files that it refers to",
  usage: "vmdk:PATH",
  prefixes: [
    "vmdk:"
  ],
  needs: [
    "image",
    "shared memory"
  ],
  layered: true,
  parse(file, text) {
    if (file !== "") return {
      file
    };
    throw new UserError(`Cannot open "${text}": give a path, as in vmdk:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeVmdk(file, name);
    return {
      size: facts.size,
      facts: {
        ...facts
      },
      rows: vmdkRows(facts)
    };
  },
  open: openVmdk,
  async attach(attachment, below, { tell: tell2, queue }) {
    await loadDecompression("a VMDK image");
    const { name, extents, isOneFile, grainSize, hasMarkers } = attachment;
    const { fileSizes, parentSize, blocks } = attachment;
    const [own, ...others] = below;
    const backends = isOneFile ? [
      own,
      ...others
    ] : others;
    const files = fileSizes.map((end, i) => {
      const zeroEnd = Math.ceil(end / SECTOR5) * SECTOR5;
      const hasHoles = extents.some((extent) => extent.kind === "flat" && extent.file === i);
      return {
        backend: backends[i],
        end,
        zeroEnd,
        hasHoles
      };
    });
    const cache = blocks === null ? null : new BlockCache(blocks, grainSize);
    return new VmdkImage({
      ...attachment,
      own,
      files,
      clusterSize: grainSize,
      sliceSize: sliceSizeOf(extents),
      lookup: new VmdkLookup(extents, queue),
      blocks: new StreamBlocks("zlib", cache, hasMarkers ? streamAfterMarker : void 0),
      damage: new DamageSigns(attachment.damage, name, tell2, "compare it with its source"),
      backing: parentSize === null ? null : {
        backend: backends[files.length],
        size: parentSize
      }
    });
  }
};
async function openVmdk({ file: path, link: link3, cid }, context) {
  const file = typeof path === "string" ? await openOwnFile2(path, link3, context) : path;
  const { name } = file;
  const place = link3 ?? {
    gate: new ReferenceGate(file, context),
    reference: null
  };
  if (place.reference !== null) place.gate.admit(file, place.reference);
  refuseSnapshot2(name, context);
  const layout = await layoutOf2(file, place.gate, context);
  const { parts: parts2, files, descriptor, isOneFile } = layout;
  refuseOther4(name, descriptor, cid);
  const { cacheSize } = context.options;
  const hasParent = context.options.backing !== null || (descriptor?.parentCid ?? null) !== null;
  const share = hasParent ? cacheSize / 2 : cacheSize;
  const headers = parts2.flatMap((part2) => "header" in part2 ? [
    part2.header
  ] : []);
  const compressed = compressionOf2(headers, name);
  const tableShare = compressed === null ? share : share / 4;
  const extents = await readTables(parts2, tableShare, name);
  const grainSize = Math.max(SECTOR5, ...headers.map((each) => each.grainSize));
  const size = extents.at(-1).end;
  const blocks = compressed === null ? null : BlockCache.create(share - tableShare, size / grainSize, grainSize);
  const below = {
    by: file,
    gate: place.gate,
    context
  };
  const cacheLeft = {
    cacheSize: cacheSize - share
  };
  const parent = await openParent3(descriptor, below, cacheLeft, VMDK);
  const fileSizes = [];
  for (const each of files) {
    fileSizes.push((await each.backend.stat()).size);
  }
  return {
    name,
    attachment: {
      name,
      size,
      extents,
      fileSizes,
      isOneFile,
      grainSize,
      hasMarkers: compressed?.hasMarkers ?? false,
      blocks,
      damage: DamageSigns.create(),
      parentSize: parent === null ? null : (await parent.backend.stat()).size
    }
  };
}
function openOwnFile2(path, link3, context) {
  const source = link3 === void 0 ? path : {
    driver: FILE,
    source: path
  };
  return context.openBelow(source, READ_ONLY);
}
async function layoutOf2(file, gate, context) {
  const { backend, name } = file;
  if (magicOf(await readStart2(backend, name)) !== null) {
    const header = await readSparseHeader(backend, name);
    return {
      parts: [
        {
          end: header.size,
          file: 0,
          image: file,
          header
        }
      ],
      files: [
        file
      ],
      isOneFile: true,
      descriptor: await readEmbedded(backend, header, name)
    };
  }
  const descriptor = await readDescriptorFile(backend, name);
  const files = [];
  const to = {
    by: file,
    gate,
    context,
    files
  };
  const parts2 = await openExtents(descriptor.extents, to);
  return {
    parts: parts2,
    files,
    isOneFile: false,
    descriptor
  };
}
function compressionOf2(headers, name) {
  const compressed = headers.filter((header) => header.isCompressed);
  const [first2] = compressed;
  if (compressed.every((each) => each.hasMarkers === first2.hasMarkers)) {
    return first2 ?? null;
  }
  throw refusal4(name, "only some of its extents have markers");
}
function sliceSizeOf(extents) {
  const sparse = extents.find((extent) => extent.kind === "sparse");
  return sparse?.tables.geometry.sliceSize ?? 0;
}
function refuseSnapshot2(name, { options }) {
  if (options.snapshot === null) return;
  const what = JSON.stringify(options.snapshot);
  throw new UserError(`Cannot open snapshot ${what} of ${name}: a VMDK image has no snapshots in it; export the image that belongs to the snapshot`);
}
function refuseOther4(name, descriptor, cid) {
  if (cid === void 0 || descriptor?.cid === cid) return;
  const has2 = descriptor?.cid.toString(16) ?? "no";
  throw refusal4(name, `it was changed since the image above it was made, which wants the CID ${cid.toString(16)} and finds ${has2}`, `name the parent with backing=vmdk:${name} if it is the right one`);
}

// src/base/import_factory.ts
var METHODS = {
  backend: [
    "stat",
    "read",
    "close"
  ],
  handler: [
    "handle"
  ]
};
async function importFactory(spec, what) {
  const { module } = spec;
  const { default: factory } = await importModule(spec, what);
  return async (options, ...context) => {
    let made;
    try {
      made = await factory(options, ...context);
    } catch (cause) {
      throw new UserError(`Cannot make a ${what} from the module ${module}: ${messageOf(cause)}`, {
        cause
      });
    }
    checkMethods(made, module, what);
    return made;
  };
}
async function importModule({ module }, what) {
  if (!URL.canParse(module)) {
    throw new UserError(`Cannot load the ${what} module ${module}: expected a URL, such as import.meta.resolve() returns`);
  }
  let loaded2;
  try {
    loaded2 = await import(module);
  } catch (cause) {
    const message = messageOf(cause);
    const hint = /read access|NotCapable/.test(message) ? "; each Worker imports it, so run with --allow-read for that module and what it imports" : "";
    throw new UserError(`Cannot load the ${what} module ${module}: ${message}${hint}`, {
      cause
    });
  }
  if (typeof loaded2.default !== "function") {
    throw new UserError(`Cannot use the ${what} module ${module}: its default export must be a function that makes a ${what}`);
  }
  return loaded2;
}
function checkMethods(made, module, what) {
  const methods = Object(made);
  const missing2 = METHODS[what].find((name) => typeof methods[name] !== "function");
  if (missing2 === void 0) return;
  throw new UserError(`Cannot use the ${what} module ${module}: what it makes has no method ${missing2}()`);
}

// src/backends/checked_backend.ts
var CheckedBackend = class extends FilterBackend {
  /**
   * Checks the answers of a backend.
   *
   * @param image The backend, which is closed with this one.
   */
  constructor(image) {
    super(image);
    if (image.splice !== void 0) this.splice = image.splice.bind(image);
  }
  stat() {
    return checked2(this.image.stat(), STAT, void 0);
  }
  read(position, buffer, start, length2) {
    const got = this.image.read(position, buffer, start, length2);
    return got === length2 ? got : checked2(got, COUNT3, length2);
  }
  write(position, buffer, start, length2) {
    const put2 = this.image.write(position, buffer, start, length2);
    return put2 === length2 ? put2 : checked2(put2, COUNT3, length2);
  }
  flush() {
    return checked2(this.image.flush(), COUNT3, 0);
  }
  truncate(size) {
    return checked2(this.image.truncate(size), COUNT3, 0);
  }
  zero(position, length2, options) {
    return checked2(this.image.zero(position, length2, options), COUNT3, 0);
  }
  allocate(position, length2) {
    return checked2(this.image.allocate(position, length2), COUNT3, 0);
  }
  extent(position) {
    return checked2(this.image.extent(position), EXTENT2, position);
  }
  setTimes(atime, mtime) {
    return checked2(this.image.setTimes(atime, mtime), COUNT3, 0);
  }
  close() {
    return this.image.close();
  }
};
function checked2(answer, step, argument) {
  return isLater(answer) ? Completion.of(answer).after(step, argument) : step.run(answer, argument, void 0, void 0);
}
function isLater(answer) {
  return typeof answer === "object" && answer !== null && "then" in answer;
}
var COUNT3 = {
  run(count2, most) {
    const isRight = Number.isInteger(count2) && count2 >= -ERRNO_MAX && count2 <= most;
    if (isRight) return count2;
    const range = most === 0 ? "0" : `0 to ${most}`;
    throw wrong(count2, `${range} or a negated error number`);
  }
};
var STAT = {
  run(stat) {
    if (Number.isSafeInteger(stat?.size) && stat.size >= 0) return stat;
    throw wrong(stat?.size, "a size");
  }
};
var EXTENT2 = {
  run(extent, position) {
    if (typeof extent?.end === "number" && extent.end > position) return extent;
    throw wrong(extent?.end, `the end of an extent at ${position}`);
  }
};
function wrong(value2, expected) {
  return new TypeError(`The backend has returned ${showValue(value2)}: expected ${expected}`);
}

// src/backends/protocols/module.ts
var MODULE = {
  kind: "protocol",
  name: "module",
  summary: "a backend that a module of your own makes",
  usage: null,
  prefixes: [],
  needs: [
    "module"
  ],
  open: ({ module, options }) => ({
    attachment: {
      module,
      options
    }
  }),
  async attach(spec) {
    const make = await importFactory(spec, "backend");
    return new CheckedBackend(await make(spec.options));
  }
};

// src/backends/protocols/nbd/constants.ts
var NBD_PORT = 10809;
var MAGIC2 = {
  /** `NBDMAGIC` */
  INIT: 0x4e42444d41474943n,
  /** `IHAVEOPT` */
  OPTION: 0x49484156454f5054n,
  OPTION_REPLY: 0x3e889045565a9n
};
var REQUEST_MAGIC = 627086611;
var SIMPLE_REPLY_MAGIC = 1732535960;
var STRUCTURED_REPLY_MAGIC = 1720595439;
var HANDSHAKE = {
  FIXED_NEWSTYLE: 1,
  NO_ZEROES: 2
};
var OPTION = {
  ABORT: 2,
  LIST: 3,
  STARTTLS: 5,
  GO: 7,
  STRUCTURED_REPLY: 8,
  SET_META_CONTEXT: 10
};
var REPLY = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4
};
var REPLY_ERROR = 2147483648;
var OPTION_ERROR = {
  UNSUPPORTED: 2147483649,
  POLICY: 2147483650,
  INVALID: 2147483651,
  TLS_REQUIRED: 2147483653,
  UNKNOWN: 2147483654,
  SHUTDOWN: 2147483655,
  BLOCK_SIZE_REQUIRED: 2147483656,
  TOO_BIG: 2147483657
};
var INFO = {
  EXPORT: 0,
  BLOCK_SIZE: 3
};
var EXPORT_FLAG = {
  HAS_FLAGS: 1,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  ROTATIONAL: 1 << 4,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  SEND_DF: 1 << 7,
  CAN_MULTI_CONN: 1 << 8,
  SEND_RESIZE: 1 << 9,
  SEND_CACHE: 1 << 10,
  SEND_FAST_ZERO: 1 << 11
};
var COMMAND = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  CACHE: 5,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7
};
var COMMAND_FLAG = {
  FUA: 1,
  NO_HOLE: 1 << 1,
  DF: 1 << 2,
  REQ_ONE: 1 << 3,
  FAST_ZERO: 1 << 4
};
var CHUNK2 = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5
};
var CHUNK_ERROR = 1 << 15;
var CHUNK_DONE = 1;
var ALLOCATION = {
  HOLE: 1,
  ZERO: 2
};
var BASE_ALLOCATION = "base:allocation";
var REQUEST_BYTES = 28;
var SIMPLE_REPLY_BYTES = 16;
var CHUNK_BYTES2 = 20;
var LIMIT3 = {
  /** Bytes of an export's name, and of any other text. */
  STRING: 4096,
  /** Bytes of a reply to an option. */
  OPTION_REPLY: 64 * 1024,
  /** Replies to one option. */
  OPTION_REPLIES: 4096,
  /** Bytes of a chunk without data: texts of errors, extents. */
  CHUNK: 64 * 1024,
  /** The largest request of a server that states no size: 32 MiB. */
  PAYLOAD: 32 << 20
};

// src/backends/protocols/nbd/handshake.ts
var UnknownExportError = class extends UserError {
  name = "UnknownExportError";
  constructor(uri, why) {
    super(`Cannot open ${uri}: ${why}; check the name after the last '/'`);
  }
};
var ENCODER3 = new TextEncoder();
function* greet(name) {
  const greeting = viewOf3(yield {
    receive: 18
  });
  const isNbd = greeting.getBigUint64(0) === MAGIC2.INIT;
  if (!isNbd || greeting.getBigUint64(8) !== MAGIC2.OPTION) {
    throw failure(name, isNbd ? "its server only knows the old handshake; use a newer one" : "what answers there is no NBD server; check host and port");
  }
  const flags = greeting.getUint16(16);
  if ((flags & HANDSHAKE.FIXED_NEWSTYLE) === 0) {
    throw failure(name, "its server has no fixed newstyle; use a newer one");
  }
  const reply = new DataView(new ArrayBuffer(4));
  reply.setUint32(0, flags & (HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES));
  yield {
    send: new Uint8Array(reply.buffer)
  };
}
function* enterExport(name, exportName) {
  yield option(OPTION.STRUCTURED_REPLY);
  const structured = yield* isAcknowledged(OPTION.STRUCTURED_REPLY, name);
  const allocationId = structured ? yield* askAllocation(name, exportName) : null;
  const bytes2 = ENCODER3.encode(exportName);
  const data = new DataView(new ArrayBuffer(4 + bytes2.length + 4));
  data.setUint32(0, bytes2.length);
  new Uint8Array(data.buffer).set(bytes2, 4);
  data.setUint16(4 + bytes2.length, 1);
  data.setUint16(6 + bytes2.length, INFO.BLOCK_SIZE);
  yield option(OPTION.GO, new Uint8Array(data.buffer));
  let size = null;
  let flags = 0;
  let blocks = {
    minBlock: 1,
    preferredBlock: 4096,
    maxPayload: LIMIT3.PAYLOAD
  };
  yield* eachReply(OPTION.GO, name, (type, payload) => {
    if (type !== REPLY.INFO || payload.byteLength < 2) return;
    const info = payload.getUint16(0);
    if (info === INFO.EXPORT && payload.byteLength >= 12) {
      size = payload.getBigUint64(2);
      flags = payload.getUint16(10);
    } else if (info === INFO.BLOCK_SIZE && payload.byteLength >= 14) {
      blocks = {
        minBlock: payload.getUint32(2),
        preferredBlock: payload.getUint32(6),
        maxPayload: payload.getUint32(10)
      };
    }
  });
  if (size === null) throw failure(name, "its server does not tell its size");
  if (size > BigInt(SIZE_MAX)) {
    throw failure(name, "it is larger than 8 PiB (2^53 - 1 bytes)");
  }
  if ((flags & EXPORT_FLAG.HAS_FLAGS) === 0) flags = 0;
  return {
    size: Number(size),
    flags,
    ...checkedBlocks(blocks, name),
    structured,
    allocationId
  };
}
function* listExports(name) {
  yield option(OPTION.LIST);
  const names2 = [];
  yield* eachReply(OPTION.LIST, name, (type, payload) => {
    if (type !== REPLY.SERVER || payload.byteLength < 4) return;
    const length2 = Math.min(payload.getUint32(0), payload.byteLength - 4);
    const bytes2 = new Uint8Array(payload.buffer, payload.byteOffset + 4, length2);
    names2.push(new TextDecoder().decode(bytes2));
  });
  yield option(OPTION.ABORT);
  return names2;
}
function* askAllocation(name, exportName) {
  const bytes2 = ENCODER3.encode(exportName);
  const query = ENCODER3.encode(BASE_ALLOCATION);
  const length2 = 4 + bytes2.length + 4 + 4 + query.length;
  const data = new DataView(new ArrayBuffer(length2));
  const all = new Uint8Array(data.buffer);
  data.setUint32(0, bytes2.length);
  all.set(bytes2, 4);
  data.setUint32(4 + bytes2.length, 1);
  data.setUint32(8 + bytes2.length, query.length);
  all.set(query, 12 + bytes2.length);
  yield option(OPTION.SET_META_CONTEXT, all);
  let id = null;
  yield* eachReply(OPTION.SET_META_CONTEXT, name, (type, payload) => {
    const isContext = type === REPLY.META_CONTEXT && payload.byteLength > 4;
    if (!isContext) return;
    const { buffer, byteOffset, byteLength } = payload;
    const text = new Uint8Array(buffer, byteOffset + 4, byteLength - 4);
    if (new TextDecoder().decode(text) === BASE_ALLOCATION) {
      id = payload.getUint32(0);
    }
  }, true);
  return id;
}
function* isAcknowledged(code, name) {
  return yield* eachReply(code, name, () => {
  }, true);
}
function* eachReply(code, name, take, mayFail = false) {
  for (let replies = 0; replies < LIMIT3.OPTION_REPLIES; replies++) {
    const header = viewOf3(yield {
      receive: 20
    });
    const isReply = header.getBigUint64(0) === MAGIC2.OPTION_REPLY && header.getUint32(8) === code;
    const length2 = header.getUint32(16);
    if (!isReply || length2 > LIMIT3.OPTION_REPLY) {
      throw failure(name, "its server breaks the protocol in the handshake");
    }
    const type = header.getUint32(12);
    const payload = length2 === 0 ? new Uint8Array(0) : yield {
      receive: length2
    };
    if (type === REPLY.ACK) return true;
    if ((type & REPLY_ERROR) === 0) {
      take(type, viewOf3(payload));
      continue;
    }
    if (mayFail && type !== OPTION_ERROR.TLS_REQUIRED) return false;
    const why = explain(type, payload);
    if (type === OPTION_ERROR.UNKNOWN) throw new UnknownExportError(name, why);
    throw failure(name, why);
  }
  throw failure(name, "its server answers without end");
}
function explain(type, payload) {
  const said = new TextDecoder().decode(payload.subarray(0, 200)).replaceAll(/[^\x20-\x7e]/g, "?");
  const words = said === "" ? "" : ` ("${said}")`;
  switch (type) {
    case OPTION_ERROR.UNKNOWN:
      return `its server has no such export${words}`;
    case OPTION_ERROR.TLS_REQUIRED:
      return `its server requires TLS${words}; write nbds: instead of nbd:`;
    case OPTION_ERROR.POLICY:
      return `its server refuses it${words}; ask who runs it`;
    case OPTION_ERROR.SHUTDOWN:
      return `its server is ending${words}; try again later`;
    case OPTION_ERROR.BLOCK_SIZE_REQUIRED:
      return `its server wants block sizes that this client has offered to keep${words}; report this`;
    case OPTION_ERROR.UNSUPPORTED:
      return `its server does not know NBD_OPT_GO${words}; use a newer one`;
    default:
      return `its server refuses it with error ${type - REPLY_ERROR}${words}; look at its messages`;
  }
}
function checkedBlocks(blocks, name) {
  const { minBlock, preferredBlock, maxPayload } = blocks;
  const isPower = (value2) => Number.isInteger(Math.log2(value2));
  const isRight = isPower(minBlock) && minBlock <= 65536 && isPower(preferredBlock) && preferredBlock >= minBlock && maxPayload >= minBlock && maxPayload % minBlock === 0;
  if (isRight) {
    return {
      ...blocks,
      maxPayload: Math.min(maxPayload, LIMIT3.PAYLOAD)
    };
  }
  if (maxPayload === 4294967295 && isPower(minBlock)) {
    return {
      ...blocks,
      maxPayload: LIMIT3.PAYLOAD
    };
  }
  throw failure(name, "its server gives block sizes that make no sense");
}
function option(code, data = new Uint8Array(0)) {
  const bytes2 = new Uint8Array(16 + data.length);
  const view2 = new DataView(bytes2.buffer);
  view2.setBigUint64(0, MAGIC2.OPTION);
  view2.setUint32(8, code);
  view2.setUint32(12, data.length);
  bytes2.set(data, 16);
  return {
    send: bytes2
  };
}
function viewOf3(bytes2) {
  return new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
}
function failure(name, why) {
  return new UserError(`Cannot open ${name}: ${why}`);
}

// src/backends/protocols/nbd/open_connection.ts
async function connectToExport({ uri, address, exportName }, sockets, limitMs) {
  const socket = await sockets.connect(address, uri, limitMs);
  try {
    await carry(greet(uri), socket);
    const exported = await carry(enterExport(uri, exportName), socket);
    return {
      socket,
      exported
    };
  } catch (error) {
    socket.close();
    throw error;
  }
}
async function exportsOf({ uri, address }, sockets, limitMs) {
  const socket = await sockets.connect(address, uri, limitMs);
  try {
    await carry(greet(uri), socket);
    return await carry(listExports(uri), socket);
  } finally {
    socket.close();
  }
}
async function carry(steps, socket) {
  let step = steps.next();
  while (!step.done) {
    const exchange = step.value;
    if ("receive" in exchange) {
      step = steps.next(await socket.receive(exchange.receive));
    } else {
      await socket.send(exchange.send);
      step = steps.next(new Uint8Array(0));
    }
  }
  return step.value;
}

// src/backends/protocols/nbd/replies.ts
var ProtocolViolation = class extends Error {
  name = "ProtocolViolation";
};
var OFFSET_BYTES = 8;
var HOLE_BYTES = 12;
var EXTENT_BYTES = 8;
var ReplyParser = class {
  #export;
  #owner;
  /** The READ whose data come, and how many are still to come. */
  #reading = null;
  #at = 0;
  #left = 0;
  /** Whether the reply ends with these data. */
  #isLast = false;
  /** Takes the replies of a connection apart. */
  constructor(exported, owner) {
    this.#export = exported;
    this.#owner = owner;
  }
  /**
   * Where the bytes that come next belong: the rest of a READ's data.
   *
   * @returns How many; 0 if a header comes next.
   */
  get directLength() {
    return this.#left;
  }
  /** The buffer of these bytes. */
  get directBuffer() {
    return this.#reading.buffer;
  }
  /** The place of these bytes in it. */
  get directStart() {
    return this.#reading.start + this.#at;
  }
  /** Notes that some of these bytes have come. */
  filled(count2) {
    this.#at += count2;
    this.#left -= count2;
    if (this.#left === 0) this.#endData();
  }
  /**
   * Takes bytes apart.
   *
   * @param bytes What has come.
   * @param from The first byte that was not taken yet.
   * @param to The end.
   * @returns Up to where it took them; the rest is a part of a message.
   * @throws {ProtocolViolation} If they break the protocol.
   */
  take(bytes2, from, to) {
    const view2 = new DataView(bytes2.buffer, bytes2.byteOffset);
    let at = from;
    for (; ; ) {
      if (this.#left > 0) {
        const count2 = Math.min(this.#left, to - at);
        const part2 = bytes2.subarray(at, at + count2);
        this.directBuffer.set(part2, this.directStart);
        at += count2;
        this.filled(count2);
        if (this.#left > 0) return at;
        continue;
      }
      const next = this.#message(view2, at, to);
      if (next === at) return at;
      at = next;
    }
  }
  /** Takes one message; returns its end, or `at` if it is not complete. */
  #message(view2, at, to) {
    if (to - at < SIMPLE_REPLY_BYTES) return at;
    const magic = view2.getUint32(at);
    if (magic === SIMPLE_REPLY_MAGIC) return this.#simple(view2, at);
    if (magic !== STRUCTURED_REPLY_MAGIC || !this.#export.structured) {
      throw new ProtocolViolation("a reply does not begin like one");
    }
    return to - at < CHUNK_BYTES2 ? at : this.#chunk(view2, at, to);
  }
  #simple(view2, at) {
    const error = view2.getUint32(at + 4);
    const request = this.#find(view2, at + 8);
    const end = at + SIMPLE_REPLY_BYTES;
    if (error !== 0) request.error = errnoOfNbd(error);
    const { command } = request;
    if (command === COMMAND.READ && error === 0) {
      if (this.#export.structured) {
        throw new ProtocolViolation("a READ has a simple reply");
      }
      request.fill(0, request.length);
      this.#read(request, 0, request.length, true);
      return end;
    }
    if (command === COMMAND.BLOCK_STATUS && error === 0) {
      throw new ProtocolViolation("a BLOCK_STATUS has a simple reply");
    }
    this.#owner.answered(request);
    return end;
  }
  #chunk(view2, at, to) {
    const isLast = (view2.getUint16(at + 4) & CHUNK_DONE) !== 0;
    const type = view2.getUint16(at + 6);
    const request = this.#find(view2, at + 8);
    const length2 = view2.getUint32(at + 16);
    const body = at + CHUNK_BYTES2;
    if (type === CHUNK2.OFFSET_DATA) {
      if (to - body < OFFSET_BYTES) return at;
      const place = this.#placeOf(request, view2, body);
      const count2 = length2 - OFFSET_BYTES;
      this.#fill(request, place, count2);
      this.#read(request, place, count2, isLast);
      return body + OFFSET_BYTES;
    }
    if (length2 > LIMIT3.CHUNK) {
      throw new ProtocolViolation(`a chunk has ${length2} bytes`);
    }
    if (to - body < length2) return at;
    const payload = new DataView(view2.buffer, view2.byteOffset + body, length2);
    this.#small(request, type, payload);
    if (isLast) this.#end(request);
    return body + length2;
  }
  /** A chunk without data. */
  #small(request, type, payload) {
    if ((type & CHUNK_ERROR) !== 0) {
      const code = payload.byteLength < 6 ? 0 : payload.getUint32(0);
      request.error ||= errnoOfNbd(code === 0 ? 5 : code);
      return;
    }
    switch (type) {
      case CHUNK2.NONE:
        if (payload.byteLength === 0) return;
        break;
      case CHUNK2.OFFSET_HOLE: {
        if (payload.byteLength !== HOLE_BYTES) break;
        const place = this.#placeOf(request, payload, 0);
        const count2 = payload.getUint32(8);
        this.#fill(request, place, count2);
        const from = request.start + place;
        request.buffer.fill(0, from, from + count2);
        return;
      }
      case CHUNK2.BLOCK_STATUS:
        if (this.#takeExtent(request, payload)) return;
    }
    throw new ProtocolViolation(`a chunk of type ${type} makes no sense`);
  }
  #takeExtent(request, payload) {
    const isOurs = request.command === COMMAND.BLOCK_STATUS && payload.byteLength >= 4 + EXTENT_BYTES && payload.getUint32(0) === this.#export.allocationId;
    if (!isOurs || request.extent !== null) return false;
    const length2 = payload.getUint32(4);
    const flags = payload.getUint32(8);
    if (length2 === 0) return false;
    const isHole = (flags & ALLOCATION.ZERO) !== 0;
    request.extent = {
      data: !isHole,
      end: request.offset + length2
    };
    return true;
  }
  /** Where a chunk belongs, from the start of its request. */
  #placeOf(request, view2, at) {
    return Number(view2.getBigUint64(at)) - request.offset;
  }
  #fill(request, place, count2) {
    const isRight = request.command === COMMAND.READ && request.fill(place, count2);
    if (isRight) return;
    throw new ProtocolViolation("data come that were not asked for");
  }
  /** The data of a READ come next. */
  #read(request, place, count2, isLast) {
    this.#reading = request;
    this.#at = place;
    this.#left = count2;
    this.#isLast = isLast;
  }
  #endData() {
    const request = this.#reading;
    this.#reading = null;
    if (this.#isLast) this.#end(request);
  }
  #end(request) {
    const { command, error } = request;
    const isComplete = error !== 0 || (command === COMMAND.READ ? request.filled === request.length : command !== COMMAND.BLOCK_STATUS || request.extent !== null);
    if (!isComplete) throw new ProtocolViolation("a reply lacks a part");
    this.#owner.answered(request);
  }
  #find(view2, at) {
    const [high, low] = [
      view2.getUint32(at),
      view2.getUint32(at + 4)
    ];
    const request = this.#owner.find(high, low);
    if (request !== null) return request;
    throw new ProtocolViolation("a reply belongs to no request");
  }
};
function errnoOfNbd(code) {
  const { EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, EOPNOTSUPP, ESHUTDOWN } = ERRNO;
  const known = [
    EPERM,
    EIO,
    ENOMEM,
    EINVAL,
    ENOSPC,
    EOVERFLOW,
    EOPNOTSUPP
  ];
  if (known.includes(code)) return -code;
  return code === ESHUTDOWN ? -EIO : -EINVAL;
}

// src/backends/protocols/nbd/request.ts
var OUTCOME = {
  /** It waits for its reply. */
  PENDING: 0,
  /** The server has answered it. */
  ANSWERED: 1,
  /** Its connection was lost before a reply. */
  LOST: 2
};
var NbdRequest = class {
  /** One of `COMMAND`. */
  command = 0;
  /** Bits of `COMMAND_FLAG`. */
  flags = 0;
  offset = 0;
  length = 0;
  /** Where the data of a READ go, and those of a WRITE are. */
  buffer = null;
  start = 0;
  /** When it began: performance.now(). */
  begun = 0;
  /** What has become of it: one of `OUTCOME`. */
  outcome = OUTCOME.PENDING;
  /** The words of its cookie: how often the slot was used, and the slot. */
  generation = 0;
  slot = -1;
  /** A negative errno, or 0. */
  error = 0;
  /** Bytes of a READ that have come. */
  filled = 0;
  /** Parts of a READ that have come, if they came in several: start, end. */
  parts = [];
  /** The first extent of a BLOCK_STATUS. */
  extent = null;
  /** What the caller waits for. */
  completion = null;
  #owner;
  constructor(owner) {
    this.#owner = owner;
  }
  /** Prepares it for another use; returns what the caller is to wait for. */
  begin(command, offset, length2, buffer, start, flags) {
    this.command = command;
    this.flags = flags;
    this.offset = offset;
    this.length = length2;
    this.buffer = buffer;
    this.start = start;
    this.begun = performance.now();
    this.rewind();
    return this.completion = Completion.start();
  }
  /** Forgets what has come of a reply, before it is sent once more. */
  rewind() {
    this.outcome = OUTCOME.PENDING;
    this.error = 0;
    this.filled = 0;
    this.parts.length = 0;
    this.extent = null;
  }
  /**
   * Notes that a part of a READ has come.
   *
   * @returns Whether it lies within the request and has not come before.
   */
  fill(from, length2) {
    const to = from + length2;
    if (from < 0 || length2 === 0 || to > this.length) return false;
    for (let i = 0; i < this.parts.length; i += 2) {
      if (from < this.parts[i + 1] && to > this.parts[i]) return false;
    }
    this.parts.push(from, to);
    this.filled += length2;
    return true;
  }
  settle() {
    this.#owner.ended(this);
  }
};

// src/backends/protocols/nbd/connection.ts
var SEND_BYTES = 256 * 1024;
var RECEIVE_BYTES = 256 * 1024;
var RECEIVE_LEAST = 4096;
var NbdConnection = class {
  #owner;
  #parser;
  #stream = null;
  /** Requests that await a reply, by slot. */
  #awaited = [];
  #freeSlots = [];
  #generations = [];
  #count = 0;
  /** Requests that are still to be sent, from `#next` on. */
  #queue = [];
  #next = 0;
  #sendBuffer = new Uint8Array(SEND_BYTES);
  #sendView = new DataView(this.#sendBuffer.buffer);
  #isSending = false;
  /** A WRITE whose header was sent without its data. */
  #separate = null;
  #bytes = new Uint8Array(RECEIVE_BYTES);
  /** What has come and was not taken apart yet. */
  #from = 0;
  #to = 0;
  #isReceiving = false;
  #isDirect = false;
  #isLost = false;
  /** Makes a connection, which `attach()` gives a stream. */
  constructor(exported, owner) {
    this.#owner = owner;
    this.#parser = new ReplyParser(exported, {
      find: (high, low) => this.#find(high, low),
      answered: (request) => this.#answered(request)
    });
  }
  /** Starts to use a stream that is past the handshake. */
  attach(stream) {
    this.#stream = stream;
  }
  /** Sends a request; its `settle()` follows when it is answered or lost. */
  submit(request) {
    const slot = this.#freeSlots.pop() ?? this.#awaited.length;
    request.slot = slot;
    request.generation = this.#generations[slot] = (this.#generations[slot] ?? 0) + 1 >>> 0;
    this.#awaited[slot] = request;
    this.#count++;
    this.#stream.started();
    this.#queue.push(request);
    this.#send();
    this.#receive();
  }
  sent(result3) {
    this.#isSending = false;
    if (result3 < 0) return this.#lose(`sending failed (error ${-result3})`);
    this.#send();
  }
  received(result3) {
    this.#isReceiving = false;
    if (result3 <= 0) {
      return this.#lose(result3 === 0 ? "the server closed the connection" : `receiving failed (error ${-result3})`);
    }
    try {
      if (this.#isDirect) this.#parser.filled(result3);
      else {
        this.#to += result3;
        this.#from = this.#parser.take(this.#bytes, this.#from, this.#to);
      }
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return this.#lose(`the server broke the protocol: ${error.message}`);
    }
    this.#receive();
  }
  /** Closes the connection, without a word to the server. */
  close() {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#stream?.close();
  }
  /** Sends as many requests as fit into one buffer. */
  #send() {
    if (this.#isSending || this.#isLost) return;
    const separate = this.#separate;
    if (separate !== null) {
      this.#separate = null;
      const { buffer, start, length: length3 } = separate;
      return this.#sendFrom(buffer, start, length3);
    }
    let length2 = 0;
    while (this.#next < this.#queue.length) {
      const request = this.#queue[this.#next];
      const data = request.command === COMMAND.WRITE ? request.length : 0;
      const end = length2 + REQUEST_BYTES + data;
      if (end > SEND_BYTES && length2 > 0) break;
      this.#next++;
      this.#header(request, length2);
      length2 += REQUEST_BYTES;
      if (end > SEND_BYTES) {
        this.#separate = request;
        break;
      }
      if (data === 0) continue;
      const { buffer, start } = request;
      this.#sendBuffer.set(buffer.subarray(start, start + data), length2);
      length2 += data;
    }
    if (this.#next === this.#queue.length) {
      this.#queue.length = 0;
      this.#next = 0;
    }
    if (length2 > 0) this.#sendFrom(this.#sendBuffer, 0, length2);
  }
  #sendFrom(buffer, start, length2) {
    this.#isSending = true;
    this.#stream.send(buffer, start, length2);
  }
  #header(request, at) {
    const view2 = this.#sendView;
    const { offset } = request;
    view2.setUint32(at, REQUEST_MAGIC);
    view2.setUint16(at + 4, request.flags);
    view2.setUint16(at + 6, request.command);
    view2.setUint32(at + 8, request.generation);
    view2.setUint32(at + 12, request.slot);
    view2.setUint32(at + 16, Math.floor(offset / 2 ** 32));
    view2.setUint32(at + 20, offset % 2 ** 32);
    view2.setUint32(at + 24, request.length);
  }
  /** Receives while a reply is awaited. */
  #receive() {
    if (this.#isReceiving || this.#isLost || this.#count === 0) return;
    const parser = this.#parser;
    this.#isReceiving = true;
    this.#isDirect = this.#from === this.#to && parser.directLength >= RECEIVE_LEAST;
    if (this.#isDirect) {
      const { directBuffer, directStart, directLength } = parser;
      return this.#stream.receive(directBuffer, directStart, directLength);
    }
    if (this.#from === this.#to) this.#from = this.#to = 0;
    else if (RECEIVE_BYTES - this.#to < RECEIVE_LEAST) this.#compact();
    this.#stream.receive(this.#bytes, this.#to, RECEIVE_BYTES - this.#to);
  }
  /** Moves the part of a message that has come to the start of the buffer. */
  #compact() {
    this.#bytes.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    if (this.#to < RECEIVE_BYTES) return;
    throw new ProtocolViolation("a chunk is too long");
  }
  #find(high, low) {
    const request = this.#awaited[low] ?? null;
    return request?.generation === high ? request : null;
  }
  #answered(request) {
    request.outcome = OUTCOME.ANSWERED;
    this.#awaited[request.slot] = null;
    this.#freeSlots.push(request.slot);
    this.#count--;
    this.#stream.completed(request);
  }
  /** The connection cannot be used further: its owner and all requests learn it. */
  #lose(why) {
    if (this.#isLost) return;
    this.#isLost = true;
    const stream = this.#stream;
    this.#owner.lost(why);
    for (const request of this.#awaited) {
      if (request === null) continue;
      request.outcome = OUTCOME.LOST;
      request.error = -ERRNO.EIO;
      stream.completed(request);
    }
    this.#awaited.length = 0;
    stream.close();
  }
};

// src/backends/protocols/nbd/link.ts
var PAUSE_MS = 100;
var LONGEST_PAUSE_MS = 5e3;
var ATTEMPT_MS = 1e4;
var NbdLink = class {
  #options;
  #idle = [];
  /** Requests that wait for a connection. */
  #waiting = [];
  #connection = null;
  #generation = 0;
  /** When it was connected last: performance.now(). */
  #connectedAt = -Infinity;
  #isConnecting = false;
  /** Whether the last attempts took all of their time. */
  #isDown = false;
  #isClosed = false;
  /** What each flush in flight covers. */
  #flushes = /* @__PURE__ */ new Map();
  /** Why the last connection was lost. */
  why = "";
  /** Makes a link; a request connects it if `connect()` has not. */
  constructor(options) {
    this.#options = options;
  }
  /** Connects, before anything is served. */
  async connect() {
    await this.#attempt(ATTEMPT_MS);
  }
  /**
   * Makes a request.
   *
   * @returns Its length, or 0 for requests without data, or a negative errno.
   */
  perform(command, offset, length2, buffer, start, flags) {
    const request = this.#idle.pop() ?? new NbdRequest(this);
    const completion = request.begin(command, offset, length2, buffer, start, flags);
    this.#start(request);
    return completion;
  }
  /** The extent at a position, as far as the server looks in a range. */
  async extentAt(position, length2) {
    const request = new NbdRequest(this);
    const { BLOCK_STATUS } = COMMAND;
    const { REQ_ONE } = COMMAND_FLAG;
    const completion = request.begin(BLOCK_STATUS, position, length2, null, 0, REQ_ONE);
    this.#start(request);
    const error = await completion;
    return error < 0 || request.extent === null ? {
      data: true,
      end: position + length2
    } : request.extent;
  }
  ended(request) {
    const { outcome, command } = request;
    if (outcome === OUTCOME.LOST && command !== COMMAND.FLUSH) {
      return this.#again(request);
    }
    const covered = this.#flushes.get(request);
    if (covered !== void 0) {
      this.#flushes.delete(request);
      if (outcome === OUTCOME.LOST) return this.#flushLost(request, covered);
      if (request.error < 0) this.#options.losses.flushFailed(covered);
    } else if (request.error >= 0 && isChange(command)) {
      this.#options.losses.wrote();
    }
    this.#complete(request);
  }
  /** Ends the connection; requests that wait fail. */
  close() {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
    this.#failWaiting();
  }
  /**
   * Starts a request whose connection was lost once more, unless it has been
   * tried for so long: a server may end the connection because of this request.
   */
  #again(request) {
    const { reconnectMs } = this.#options;
    if (performance.now() - request.begun <= reconnectMs) {
      return this.#start(request);
    }
    request.error = -ERRNO.EIO;
    this.#complete(request);
  }
  #start(request) {
    request.rewind();
    const connection = this.#connection;
    if (connection === null) {
      this.#waiting.push(request);
      if (!this.#isConnecting) this.#reconnect();
      return;
    }
    if (request.command === COMMAND.FLUSH) {
      this.#flushes.set(request, this.#options.losses.flushBegins());
    }
    connection.submit(request);
  }
  /**
   * The connection ended before the reply to a flush. If it covered writes, they
   * are doubtful: a later flush of another server says nothing of them.
   */
  #flushLost(request, covered) {
    if (covered.length === 0) return this.#again(request);
    this.#options.syncErrors.add(ERRNO.EIO);
    request.error = -ERRNO.EIO;
    this.#complete(request);
  }
  #complete(request) {
    const completion = request.completion;
    const { error, command, length: length2 } = request;
    const isTransfer = command === COMMAND.READ || command === COMMAND.WRITE;
    request.completion = null;
    request.buffer = null;
    if (command !== COMMAND.BLOCK_STATUS) this.#idle.push(request);
    completion.complete(error < 0 ? error : isTransfer ? length2 : 0);
  }
  /** The connection is gone. Runs no code of a handler. */
  #lost(why) {
    this.why = why;
    this.#connection = null;
    const { losses, syncErrors, source: { uri }, tell: tell2 } = this.#options;
    const mayBeLost = losses.lost(this.#generation);
    if (mayBeLost) syncErrors.add(ERRNO.EIO);
    const loss = mayBeLost ? "; writes that were not flushed may be lost with its server, and the next fsync of every open file says so" : "";
    tell2(`The connection to ${uri} was lost: ${why}${loss}; connecting anew`);
  }
  async #reconnect() {
    this.#isConnecting = true;
    const { reconnectMs } = this.#options;
    const limit = this.#isDown ? 0 : reconnectMs;
    const start = performance.now();
    const deadline = start + limit;
    let pause = PAUSE_MS;
    if (start - this.#connectedAt < PAUSE_MS) await sleep(PAUSE_MS);
    while (!this.#isClosed) {
      try {
        const left = deadline - performance.now();
        await this.#attempt(Math.max(1e3, Math.min(left, ATTEMPT_MS)));
        this.#isDown = false;
        break;
      } catch (error) {
        this.why = error instanceof Error ? error.message : String(error);
      }
      if (performance.now() + pause > deadline) {
        if (!this.#isDown) {
          this.#options.tell(`Requests to ${this.#options.source.uri} fail with EIO until its server is there again: ${this.why}`);
        }
        this.#isDown = true;
        break;
      }
      await sleep(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
    this.#isConnecting = false;
    if (this.#connection === null) return this.#failWaiting();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#start(request);
  }
  async #attempt(limitMs) {
    const { source, sockets, exported, losses } = this.#options;
    this.#generation = losses.generation;
    const { socket, exported: now } = await connectToExport(source, sockets, limitMs);
    const isSame = now.size === exported.size && now.flags === exported.flags && now.minBlock <= exported.minBlock && now.maxPayload >= exported.maxPayload;
    if (!isSame || this.#isClosed) {
      socket.close();
      throw new Error("the export is another one than before");
    }
    const connection = new NbdConnection(now, {
      lost: (why) => this.#lost(why)
    });
    connection.attach(socket.stream(connection));
    this.#connection = connection;
    this.#connectedAt = performance.now();
  }
  #failWaiting() {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) {
      request.error = -ERRNO.EIO;
      if (request.command === COMMAND.FLUSH) {
        this.#options.syncErrors.add(ERRNO.EIO);
      }
      this.#complete(request);
    }
  }
};
function isChange(command) {
  return command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES || command === COMMAND.TRIM;
}
function sleep(ms) {
  return new Promise((resolve2) => setTimeout(resolve2, ms));
}

// src/backends/protocols/nbd/losses.ts
var GENERATION = 0;
var UNFLUSHED = 1;
var THREADS_MAX2 = 512;
var NbdLosses = class {
  #words;
  #thread;
  /** Makes the memory of an export. */
  static create() {
    return new SharedArrayBuffer(4 * (UNFLUSHED + THREADS_MAX2));
  }
  /**
   * Wraps the memory in one thread.
   *
   * @param queue The queue that it serves; `null` for the one that opened it.
   */
  constructor(memory, queue) {
    this.#words = new Int32Array(memory);
    this.#thread = UNFLUSHED + (queue === null ? 0 : queue + 1);
  }
  /** The generation of a connection that is made now. */
  get generation() {
    return Atomics.load(this.#words, GENERATION);
  }
  /** Notes a write that was answered before it is known to be durable. */
  wrote() {
    Atomics.store(this.#words, this.#thread, 1);
  }
  /**
   * A flush begins, which covers all writes that were answered until now.
   *
   * @returns The threads that have such writes, for `flushFailed()`.
   */
  flushBegins() {
    const covered = [];
    for (let i = UNFLUSHED; i < this.#words.length; i++) {
      if (Atomics.exchange(this.#words, i, 0) !== 0) covered.push(i);
    }
    return covered;
  }
  /** That flush has failed: what it covered is still not flushed. */
  flushFailed(covered) {
    for (const i of covered) Atomics.store(this.#words, i, 1);
  }
  /**
   * A connection was lost.
   *
   * @param generation What `generation` was when it was made.
   * @returns Whether writes that were answered may be lost.
   */
  lost(generation) {
    const words = this.#words;
    const next = generation + 1 | 0;
    const isFirst = Atomics.compareExchange(words, GENERATION, generation, next) === generation;
    if (!isFirst) return Atomics.exchange(words, this.#thread, 0) !== 0;
    return this.flushBegins().length > 0;
  }
};

// src/backends/protocols/nbd/nbd_backend.ts
var ZERO_MAX = 1 << 30;
var STATUS_MAX = 1 << 30;
var NbdBackend = class extends ImageBackend {
  shared;
  writable;
  size;
  #export;
  #link;
  #block;
  /** Uses a link, which `close()` closes. */
  constructor(name, exported, writable, link3) {
    super(name);
    this.shared = has(exported, "CAN_MULTI_CONN");
    this.writable = writable;
    this.size = exported.size;
    this.#export = exported;
    this.#link = link3;
    this.#block = exported.minBlock;
  }
  stat() {
    const { size } = this;
    const blockSize = Math.max(4096, this.#export.preferredBlock);
    return {
      size,
      allocated: null,
      blockSize,
      times: null
    };
  }
  read(position, buffer, start, length2) {
    if (!this.#isAligned(position, length2)) {
      return this.#readAround(position, buffer, start, length2);
    }
    if (length2 === 0) return 0;
    const part2 = Math.min(length2, this.#export.maxPayload);
    return this.#link.perform(COMMAND.READ, position, part2, buffer, start, 0);
  }
  write(position, buffer, start, length2) {
    if (!this.writable) return -ERRNO.EROFS;
    if (length2 === 0) return 0;
    const isWhole = length2 <= this.#export.maxPayload;
    return isWhole && this.#isAligned(position, length2) ? this.#link.perform(COMMAND.WRITE, position, length2, buffer, start, 0) : this.#writeParts(position, buffer, start, length2);
  }
  /** What is not aligned is read, changed and written. */
  needsExclusiveWrite(position, length2) {
    return !this.#isAligned(position, length2);
  }
  flush() {
    return has(this.#export, "SEND_FLUSH") ? this.#link.perform(COMMAND.FLUSH, 0, 0, null, 0, 0) : 0;
  }
  async zero(position, length2, { unmap }) {
    if (!this.writable) return -ERRNO.EROFS;
    if (!has(this.#export, "SEND_WRITE_ZEROES")) {
      return unmap ? -ERRNO.EOPNOTSUPP : await this.#writeZeroes(position, length2);
    }
    const block = this.#block;
    const first2 = Math.ceil(position / block) * block;
    const last = Math.floor((position + length2) / block) * block;
    if (first2 >= last) return await this.#writeZeroes(position, length2);
    const head = await this.#writeZeroes(position, first2 - position);
    if (head < 0) return head;
    const flags = unmap ? 0 : COMMAND_FLAG.NO_HOLE;
    for (let at = first2; at < last; ) {
      const part2 = Math.min(ZERO_MAX, last - at);
      const { WRITE_ZEROES } = COMMAND;
      const error = await this.#link.perform(WRITE_ZEROES, at, part2, null, 0, flags);
      if (error < 0) return error;
      at += part2;
    }
    return await this.#writeZeroes(last, position + length2 - last);
  }
  truncate(size) {
    return size === this.size ? 0 : -ERRNO.EOPNOTSUPP;
  }
  extent(position) {
    if (this.#export.allocationId === null) {
      return {
        data: true,
        end: Infinity
      };
    }
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const rest = Math.floor((this.size - from) / block) * block;
    if (rest === 0) return {
      data: true,
      end: Infinity
    };
    return this.#link.extentAt(from, Math.min(STATUS_MAX, rest));
  }
  close() {
    this.#link.close();
  }
  #isAligned(position, length2) {
    const block = this.#block;
    return position % block === 0 && length2 % block === 0;
  }
  /** Reads whole blocks around a range. */
  async #readAround(position, buffer, start, length2) {
    const { from, bytes: bytes2 } = this.#blocksAround(position, length2);
    const got = await this.#readFully(from, bytes2);
    if (got < 0) return got;
    const at = position - from;
    const part2 = bytes2.subarray(at, at + length2);
    buffer.set(part2, start);
    return part2.length;
  }
  /** Writes by parts that the server takes; what is not aligned block by block. */
  async #writeParts(position, buffer, start, length2) {
    const { maxPayload } = this.#export;
    for (let done = 0; done < length2; ) {
      const at = position + done;
      const rest = length2 - done;
      const put2 = this.#isAligned(at, this.#block) && rest >= this.#block ? await this.#link.perform(COMMAND.WRITE, at, Math.min(maxPayload, Math.floor(rest / this.#block) * this.#block), buffer, start + done, 0) : await this.#writeWithin(at, buffer, start + done, rest);
      if (put2 < 0) return done > 0 ? done : put2;
      done += put2;
    }
    return length2;
  }
  /** Changes a part of one block: at most up to its end. */
  async #writeWithin(position, buffer, start, length2) {
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const count2 = Math.min(length2, from + block - position);
    const bytes2 = new Uint8Array(block);
    const got = await this.#readFully(from, bytes2);
    if (got < 0) return got;
    bytes2.set(buffer.subarray(start, start + count2), position - from);
    const { WRITE: WRITE6 } = COMMAND;
    const put2 = await this.#link.perform(WRITE6, from, block, bytes2, 0, 0);
    return put2 < 0 ? put2 : count2;
  }
  async #writeZeroes(position, length2) {
    const zeroes = new Uint8Array(Math.min(length2, 1 << 20));
    for (let done = 0; done < length2; ) {
      const part2 = Math.min(zeroes.length, length2 - done);
      const put2 = await this.#writeParts(position + done, zeroes, 0, part2);
      if (put2 < 0) return put2;
      done += put2;
    }
    return 0;
  }
  #blocksAround(position, length2) {
    const block = this.#block;
    const from = Math.floor(position / block) * block;
    const most = Math.floor(this.size / block) * block;
    const to = Math.min(most, Math.ceil((position + length2) / block) * block);
    return {
      from,
      bytes: new Uint8Array(Math.max(0, to - from))
    };
  }
  async #readFully(from, bytes2) {
    for (let done = 0; done < bytes2.length; ) {
      const { maxPayload } = this.#export;
      const part2 = Math.min(maxPayload, bytes2.length - done);
      const { READ: READ4 } = COMMAND;
      const got = await this.#link.perform(READ4, from + done, part2, bytes2, done, 0);
      if (got <= 0) return got < 0 ? got : -ERRNO.EIO;
      done += got;
    }
    return bytes2.length;
  }
};
function has({ flags }, name) {
  return (flags & EXPORT_FLAG[name]) !== 0;
}

// src/backends/protocols/nbd/uri.ts
var NBD_PREFIXES = [
  "nbd://",
  "nbd+unix://",
  "nbds://",
  "nbds+unix://"
];
function parseNbdUri(uri) {
  const refuse3 = (why) => new UserError(`Cannot open ${uri}: ${why}; write nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH`);
  const match = /^(nbds?)(\+unix)?:\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(uri);
  if (match === null) throw refuse3("it is no NBD URI");
  const [, scheme, unix, authority = "", name = "", query = ""] = match;
  const exportName = decoded(name, refuse3);
  if (new TextEncoder().encode(exportName).length > LIMIT3.STRING) {
    throw refuse3(`its export name has more than ${LIMIT3.STRING} bytes`);
  }
  const tls = scheme === "nbds";
  const parameters = new URLSearchParams(query);
  for (const key of parameters.keys()) {
    if (key !== "socket") {
      throw refuse3(`its parameter ${JSON.stringify(key)} is not known`);
    }
  }
  const socket = parameters.get("socket");
  if (unix !== void 0) {
    if (!socket) throw refuse3("it names no socket");
    if (authority !== "") throw refuse3("a Unix socket has no host");
    const address2 = {
      kind: "unix",
      path: socket
    };
    return {
      uri,
      address: address2,
      exportName,
      tls
    };
  }
  if (socket !== null) throw refuse3("only nbd+unix: has a socket");
  const address = addressOf(authority, refuse3);
  return {
    uri,
    address,
    exportName,
    tls
  };
}
function addressOf(authority, refuse3) {
  if (authority.includes("@")) throw refuse3("NBD has no users or passwords");
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(authority);
  if (match === null) throw refuse3("it names no host");
  const [, host, portText] = match;
  const port = portText === void 0 ? NBD_PORT : Number(portText);
  if (port < 1 || port > 65535) throw refuse3(`port ${port} does not exist`);
  return {
    kind: "tcp",
    host: decoded(host.replace(/^\[|\]$/g, ""), refuse3),
    port
  };
}
function decoded(text, refuse3) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse3("it has a % that is not followed by two hexadecimal digits");
  }
}

// src/backends/protocols/nbd/driver.ts
var OPEN_MS = 3e4;
var NAMES_MAX = 10;
var NBD = {
  kind: "protocol",
  name: "nbd",
  summary: "an export of an NBD server; nbd+unix:///EXPORT?socket=PATH too",
  usage: "nbd://HOST[:PORT]/EXPORT",
  prefixes: NBD_PREFIXES,
  needs: [
    "socket"
  ],
  countsSyncErrors: true,
  parse: (_rest, text) => parseNbdUri(text),
  open: openNbd,
  async attach(attachment, _below, { sockets, syncErrors, queue, tell: tell2 }) {
    const { source, exported, reconnectMs, writable } = attachment;
    const losses = new NbdLosses(attachment.losses, queue ?? null);
    const link3 = new NbdLink({
      source,
      exported,
      reconnectMs,
      sockets,
      losses,
      syncErrors,
      tell: tell2
    });
    await link3.connect();
    return new NbdBackend(source.uri, exported, writable, link3);
  }
};
async function openNbd(source, { options, services: { sockets } }) {
  const { uri } = source;
  if (source.tls) {
    throw new UserError(`Cannot open ${uri}: TLS is not supported yet; reach the server by nbd: through a tunnel`);
  }
  if (options.growable) {
    throw new UserError(`Cannot make ${uri} growable: NBD servers do not change the size; leave growable out`);
  }
  const { socket, exported } = await findExport(source, sockets);
  socket.close();
  const isReadOnly2 = has(exported, "READ_ONLY");
  if (options.writable && isReadOnly2) {
    throw new UserError(`Cannot export ${uri} for writing: its server allows only reading; leave writable out`);
  }
  return {
    name: uri,
    attachment: {
      source,
      exported,
      writable: options.writable && !isReadOnly2,
      reconnectMs: options.reconnect * 1e3,
      losses: NbdLosses.create()
    }
  };
}
async function findExport(source, sockets) {
  try {
    return await connectToExport(source, sockets, OPEN_MS);
  } catch (error) {
    if (!(error instanceof UnknownExportError)) throw error;
    const names2 = await exportsOf(source, sockets, OPEN_MS).catch(() => []);
    if (names2.length === 0) throw error;
    const list = names2.slice(0, NAMES_MAX).map((each) => JSON.stringify(each));
    throw new UserError(`${error.message}; the server has ${list.join(", ")}`, {
      cause: error
    });
  }
}

// src/backends/protocols/null.ts
var NULL = {
  kind: "protocol",
  name: "null",
  summary: "a disk that reads as zeroes and drops writes",
  usage: "null:SIZE",
  prefixes: [
    "null:"
  ],
  needs: [],
  parse: parseSizedDisk,
  open: (disk) => ({
    attachment: disk,
    name: disk.name
  }),
  attach: ({ size, name }) => new NullBackend(size, name)
};
var ZEROES6 = new Uint8Array(65536);
var part = ZEROES6;
var NullBackend = class extends ImageBackend {
  shared = true;
  writable = true;
  #size;
  /**
   * Makes a null disk.
   *
   * @param size Its size in bytes.
   * @param name Its name in messages.
   */
  constructor(size, name = "null") {
    super(name);
    this.#size = size;
  }
  /** The current size in bytes. */
  get size() {
    return this.#size;
  }
  stat() {
    return {
      size: this.#size,
      allocated: 0,
      blockSize: 4096,
      times: null
    };
  }
  read(_position, buffer, start, length2) {
    const end = start + length2;
    let at = start;
    for (; end - at > ZEROES6.length; at += ZEROES6.length) {
      buffer.set(ZEROES6, at);
    }
    if (part.length !== end - at) part = ZEROES6.subarray(0, end - at);
    buffer.set(part, at);
    return length2;
  }
  write(_position, _buffer, _start, length2) {
    return length2;
  }
  truncate(size) {
    this.#size = size;
    return 0;
  }
  zero(_position, _length, _options) {
    return 0;
  }
  allocate(_position, _length) {
    return 0;
  }
  extent(_position) {
    return {
      data: false,
      end: Infinity
    };
  }
};

// src/backends/protocols/object.ts
var OBJECT = {
  kind: "protocol",
  name: "object",
  summary: "a backend object of the calling thread",
  usage: null,
  prefixes: [],
  needs: [],
  oneThread: true,
  open: (backend) => ({
    attachment: backend
  }),
  attach: (backend) => new CheckedBackend(backend)
};

// src/backends/protocols/pattern.ts
var PATTERN = {
  kind: "protocol",
  name: "pattern",
  summary: "a read-only disk whose bytes are their own position",
  usage: "pattern:SIZE",
  prefixes: [
    "pattern:"
  ],
  needs: [],
  parse: parseSizedDisk,
  open: (disk) => ({
    attachment: disk,
    name: disk.name
  }),
  attach: ({ size, name }) => new PatternBackend(size, name)
};
var TWO_3210 = 2 ** 32;
var PatternBackend = class extends ImageBackend {
  shared = true;
  /** The size in bytes. */
  size;
  /**
   * Makes a pattern disk.
   *
   * @param size Its size in bytes.
   * @param name Its name in messages.
   */
  constructor(size, name = "pattern") {
    super(name);
    this.size = size;
  }
  stat() {
    const { size } = this;
    return {
      size,
      allocated: size,
      blockSize: 4096,
      times: null
    };
  }
  read(position, buffer, start, length2) {
    const view2 = new DataView(buffer.buffer, buffer.byteOffset + start, length2);
    const end = position + length2;
    let at = position;
    while (at < end && at % 8 !== 0) {
      view2.setUint8(at - position, patternByte(at++));
    }
    for (; at + 8 <= end; at += 8) {
      view2.setUint32(at - position, at / TWO_3210);
      view2.setUint32(at - position + 4, at);
    }
    while (at < end) view2.setUint8(at - position, patternByte(at++));
    return length2;
  }
};
function patternByte(position) {
  const inWord = position % 8;
  return Math.floor((position - inWord) / 256 ** (7 - inWord)) % 256;
}

// src/backends/registry.ts
var DRIVERS = [
  RAW,
  QCOW2,
  VMDK,
  VHD,
  VHDX,
  PARTS,
  OVERLAY,
  FILE,
  NBD,
  MEMORY,
  NULL,
  PATTERN,
  MODULE,
  OBJECT,
  PARTITION,
  WINDOW,
  WRITETHROUGH
];
var IMAGE_DRIVERS = DRIVERS.filter((driver) => driver.kind !== "filter");
var FILTER_DRIVERS = DRIVERS.filter((driver) => driver.kind === "filter");
var SOURCES = IMAGE_DRIVERS.flatMap(({ usage, summary }) => usage === null ? [] : [
  [
    usage,
    summary
  ]
]);
function driverOf(name) {
  const driver = DRIVERS.find((each) => each.name === name);
  if (driver === void 0) throw new TypeError(`No driver is called ${name}`);
  return driver;
}

// src/backends/attach_image.ts
async function attachImage(image, services) {
  await using stack = new AsyncDisposableStack();
  const backend = await attachTree(image, services, stack);
  const attached = stack.move();
  return {
    backend,
    close: () => attached.disposeAsync()
  };
}
async function attachTree(image, services, stack) {
  const below = [];
  for (const each of image.below) {
    below.push(await attachTree(each, services, stack));
  }
  const driver = driverOf(image.driver);
  return await attachDriver(driver, image.attachment, below, services, stack);
}
async function attachDriver(driver, attachment, below, services, stack) {
  const backend = driver.kind === "filter" ? await driver.attach(attachment, [
    below[0],
    ...below.slice(1)
  ], services) : await driver.attach(attachment, below, services);
  if (!below.includes(backend)) stack.defer(async () => await backend.close());
  const counts = driver.kind !== "protocol" || driver.countsSyncErrors === true;
  return counts || !backend.writable ? backend : new CountedFlush(backend, services.syncErrors);
}

// src/backends/convert/compare_bytes.ts
var STRIDE2 = 16;
function isZero(bytes2, start, length2) {
  const words = wordsOf2(bytes2);
  const end = start + length2;
  let at = start / 4;
  const last = Math.floor(end / 4);
  for (; at + STRIDE2 <= last; at += STRIDE2) {
    let any = 0;
    for (let i = 0; i < STRIDE2; i++) any |= words[at + i];
    if (any !== 0) return false;
  }
  for (; at < last; at++) if (words[at] !== 0) return false;
  for (let i = last * 4; i < end; i++) if (bytes2[i] !== 0) return false;
  return true;
}
function firstDifference(one, other, start, length2) {
  const [a, b] = [
    wordsOf2(one),
    wordsOf2(other)
  ];
  const end = start + length2;
  const last = Math.floor(end / 4);
  for (let at = start / 4; at < last; at++) {
    if (a[at] !== b[at]) return at * 4 - start;
  }
  for (let i = last * 4; i < end; i++) {
    if (one[i] !== other[i]) return i - start;
  }
  return -1;
}
function wordsOf2(bytes2) {
  const { buffer, byteOffset, length: length2 } = bytes2;
  return new Int32Array(buffer, byteOffset, length2 >> 2);
}

// src/backends/convert/part_copier.ts
var STEP = 1 << 20;
var UNIT = {
  /** The target reads so already. */
  SAME: 0,
  ZERO: 1,
  DATA: 2
};
var PartReader = class {
  image;
  size;
  buffer;
  constructor(image, size, step) {
    this.image = image;
    this.size = size;
    this.buffer = new Uint8Array(step);
  }
  /** Reads a range; zeroes follow the end of the image. */
  async read(position, length2, unit) {
    const there = Math.max(0, Math.min(length2, this.size - position));
    const got = await readFully(this.image, position, this.buffer, 0, there);
    if (got !== there) {
      const error = got < 0 ? -got : ERRNO.EIO;
      throw new UserError(`Cannot read ${this.image.name} at byte ${position} (${errnoName(error)}); check its storage, or its tables with 'check'`);
    }
    this.buffer.fill(0, there, Math.ceil(length2 / unit) * unit);
  }
};
var PartCopier = class _PartCopier {
  #source;
  #below;
  #writer;
  /**
   * Prepares to copy.
   *
   * @param source The disk.
   * @param size Its size.
   * @param writer Takes what differs from `below`.
   * @param below What the target reads as without being written; zeroes if
   * `null`.
   */
  constructor(source, writer, below) {
    this.#source = source;
    this.#writer = writer;
    this.#below = below;
  }
  /** Makes a copier of images that are open in this thread. */
  static async open(source, writer, below) {
    const step = Math.max(STEP, writer.unit);
    const reader = async (image) => new PartReader(image, (await image.stat()).size, step);
    return new _PartCopier(await reader(source), writer, below === null ? null : await reader(below));
  }
  /**
   * Copies a part.
   *
   * @throws {UserError} If it cannot be read or written.
   */
  async copy(part2) {
    const step = this.#source.buffer.length;
    for (const { start, end } of part2) {
      for (let at = start; at < end; at += step) {
        await this.#step(at, Math.min(step, end - at));
      }
    }
    return await this.#writer.end();
  }
  async #step(position, length2) {
    const { unit } = this.#writer;
    await this.#source.read(position, length2, unit);
    await this.#below?.read(position, length2, unit);
    let from = 0;
    let kind = this.#kindOf(0, length2);
    for (let at = unit; from < length2; at += unit) {
      const next = at < length2 ? this.#kindOf(at, length2) : null;
      if (next === kind) continue;
      const to = Math.min(at, length2);
      await this.#store(kind, position, from, to - from);
      from = to;
      if (next !== null) kind = next;
    }
  }
  #kindOf(at, length2) {
    const { buffer } = this.#source;
    const bytes2 = Math.min(this.#writer.unit, length2 - at);
    const below = this.#below;
    if (below === null) {
      return isZero(buffer, at, bytes2) ? UNIT.SAME : UNIT.DATA;
    }
    if (firstDifference(buffer, below.buffer, at, bytes2) < 0) return UNIT.SAME;
    return isZero(buffer, at, bytes2) ? UNIT.ZERO : UNIT.DATA;
  }
  async #store(kind, position, from, length2) {
    const at = position + from;
    if (kind === UNIT.ZERO) await this.#writer.zero(at, length2);
    if (kind !== UNIT.DATA) return;
    await this.#writer.put(at, this.#source.buffer, from, length2);
  }
};

// src/backends/convert/must_write.ts
async function mustWrite(file, position, buffer, start, length2) {
  for (let done = 0; done < length2; ) {
    const at = position + done;
    const put2 = await file.write(at, buffer, start + done, length2 - done);
    if (put2 <= 0) throw cannotWrite2(file.name, put2 < 0 ? -put2 : ERRNO.ENOSPC);
    done += put2;
  }
}
function cannotWrite2(name, error) {
  const advice = error === ERRNO.ENOSPC ? "its file system has no space left; free some, or choose another place" : "check its storage, and the limits of its file system";
  return new UserError(`Cannot write to ${name} (${errnoName(error)}): ${advice}`);
}

// src/backends/formats/qcow2/compress.ts
var WINDOW_BITS = 12;
var MEMORY_LEVEL = 9;
async function loadCompression(compression) {
  const { deflateRawSync, zstdCompressSync } = await loadZlib("a qcow2 image");
  const smaller = (stream, { length: length2 }) => stream.length < length2 ? new Uint8Array(stream) : null;
  if (compression === "zstd") {
    return (cluster) => {
      const frames = zstdCompressSync(cluster);
      const length2 = zstdFrameLength(frames) ?? frames.length;
      return smaller(frames.subarray(0, length2), cluster);
    };
  }
  return (cluster) => {
    const stream = deflateRawSync(cluster, {
      windowBits: WINDOW_BITS,
      memLevel: MEMORY_LEVEL,
      // In one piece.
      chunkSize: Math.max(64, cluster.length)
    });
    return smaller(stream, cluster);
  };
}

// src/backends/formats/qcow2/creating/stream_places.ts
var RUN = 1 << 20;
var STREAMS_MAX = 6e4;
var StreamPlaces = class {
  #file;
  #clusterSize;
  #take;
  /** Where the next stream starts, and where the clusters for streams end. */
  #at = 0;
  #end = 0;
  /** Streams in the cluster in which the next one starts. */
  #inCluster = 0;
  /** Bytes that are not written yet, and where they belong. */
  #pending;
  #pendingAt = 0;
  #pendingLength = 0;
  #taken = [];
  /** Takes places in a file. */
  constructor(file, clusterSize, take) {
    this.#file = file;
    this.#clusterSize = clusterSize;
    this.#take = take;
    this.#pending = new Uint8Array(Math.max(RUN, clusterSize));
  }
  /** Gives a stream its place; returns it. */
  async add(stream) {
    const { length: length2 } = stream;
    if (this.#inCluster === STREAMS_MAX) this.#toNextCluster();
    if (this.#at + length2 > this.#end) this.#extend(length2);
    const at = this.#at;
    const follows = at === this.#pendingAt + this.#pendingLength && this.#pendingLength + length2 <= this.#pending.length;
    if (!follows) {
      await this.write();
      this.#pendingAt = at;
    }
    this.#pending.set(stream, this.#pendingLength);
    this.#pendingLength += length2;
    this.#advance(at + length2);
    return at;
  }
  /** Writes the streams that were added. */
  async write() {
    const length2 = this.#pendingLength;
    this.#pendingLength = 0;
    if (length2 === 0) return;
    await mustWrite(this.#file, this.#pendingAt, this.#pending, 0, length2);
    this.#pendingAt += length2;
  }
  /** The clusters that were taken since the last call: first and count. */
  taken() {
    const taken = this.#taken;
    this.#taken = [];
    return taken;
  }
  #advance(at) {
    const clusterSize = this.#clusterSize;
    const isSame = Math.floor(at / clusterSize) === Math.floor(this.#at / clusterSize);
    this.#inCluster = isSame ? this.#inCluster + 1 : 1;
    this.#at = at;
  }
  #toNextCluster() {
    const clusterSize = this.#clusterSize;
    this.#at = Math.ceil(this.#at / clusterSize) * clusterSize;
    this.#inCluster = 0;
  }
  /** Takes more clusters; those of before are used up if these follow them. */
  #extend(length2) {
    const clusterSize = this.#clusterSize;
    const count2 = Math.ceil(Math.max(RUN, length2) / clusterSize);
    const first2 = this.#take(count2);
    this.#taken.push(first2, count2);
    if (first2 * clusterSize !== this.#end) {
      this.#at = first2 * clusterSize;
      this.#inCluster = 0;
    }
    this.#end = (first2 + count2) * clusterSize;
  }
};

// src/backends/formats/qcow2/creating/cluster_writer.ts
var ZEROES7 = -1;
var ClusterWriter = class _ClusterWriter {
  unit;
  #file;
  #take;
  #compress;
  #streams;
  #entries = [];
  constructor(file, { clusterSize, next }, compress) {
    const words = new Int32Array(next);
    this.unit = clusterSize;
    this.#file = file;
    this.#compress = compress;
    this.#take = (count2) => Atomics.add(words, 0, count2) >>> 0;
    this.#streams = new StreamPlaces(file, clusterSize, this.#take);
  }
  /**
   * Prepares to write.
   *
   * @param file The file of the image.
   * @param how How.
   * @throws {UserError} If the compression cannot be loaded.
   */
  static async open(file, how) {
    const { compression } = how;
    const compress = compression === null ? null : await loadCompression(compression);
    return new _ClusterWriter(file, how, compress);
  }
  async put(position, buffer, start, length2) {
    const { unit } = this;
    const count2 = Math.ceil(length2 / unit);
    const guest = position / unit;
    if (this.#compress === null) {
      return await this.#putPlain(guest, count2, buffer, start);
    }
    for (let i = 0; i < count2; i++) {
      const from = start + i * unit;
      const stream = this.#compress(buffer.subarray(from, from + unit));
      if (stream === null) {
        await this.#putPlain(guest + i, 1, buffer, from);
      } else {
        const host = await this.#streams.add(stream);
        this.#entries.push(guest + i, 1, host, stream.length);
      }
    }
  }
  zero(position, length2) {
    const count2 = Math.ceil(length2 / this.unit);
    this.#entries.push(position / this.unit, count2, ZEROES7, 0);
  }
  async end() {
    const entries2 = this.#entries;
    this.#entries = [];
    await this.#streams.write();
    return {
      entries: entries2,
      streamClusters: this.#streams.taken()
    };
  }
  async #putPlain(guest, count2, buffer, start) {
    const host = this.#take(count2) * this.unit;
    await mustWrite(this.#file, host, buffer, start, count2 * this.unit);
    this.#entries.push(guest, count2, host, 0);
  }
};

// src/backends/convert/compare_writer.ts
var UNIT2 = 4096;
var CompareWriter = class {
  unit = UNIT2;
  #first = null;
  put(position) {
    this.#first ??= position;
  }
  zero(position) {
    this.#first ??= position;
  }
  /** The position of the first difference, to 4 KiB; `null` without one. */
  end() {
    const first2 = this.#first;
    this.#first = null;
    return first2;
  }
};

// src/backends/convert/raw_writer.ts
var RAW_UNIT = 4096;
var RawWriter = class {
  unit = RAW_UNIT;
  #file;
  /** Writes to an open file, which has the size of the disk already. */
  constructor(file) {
    this.#file = file;
  }
  put(position, buffer, start, length2) {
    return mustWrite(this.#file, position, buffer, start, length2);
  }
  async zero(position, length2) {
    const zeroes = new Uint8Array(Math.min(length2, 1 << 20));
    for (let done = 0; done < length2; done += zeroes.length) {
      const part2 = Math.min(zeroes.length, length2 - done);
      await mustWrite(this.#file, position + done, zeroes, 0, part2);
    }
  }
  end() {
    return null;
  }
};

// src/backends/convert/part_target.ts
async function openPartWriter(target, file) {
  switch (target.kind) {
    case "raw":
      return new RawWriter(file);
    case "qcow2":
      return await ClusterWriter.open(file, target.writing);
    case "compare":
      return new CompareWriter();
  }
}

// src/linux/socket/socket.ts
var AF_UNIX = 1;
var MSG_NOSIGNAL = 16384;
var SOCK = {
  /** A byte stream. */
  STREAM: 1,
  /** Datagrams. */
  DGRAM: 2
};
var SOCK_NONBLOCK = O.NONBLOCK;
var SOCK_CLOEXEC = O.CLOEXEC;
var SOL_SOCKET = 1;
var SHUT_RDWR = 2;
function shutdownSocket(fd) {
  libc().shutdown(fd, SHUT_RDWR);
}
var SocketWait = class {
  #fd;
  #poll;
  #ended = false;
  /** Prepares waiting for a socket, which the caller closes after `end()`. */
  constructor(fd, poll2) {
    this.#fd = fd;
    this.#poll = poll2;
  }
  /** Whether {@linkcode SocketWait.end} was called. */
  get ended() {
    return this.#ended;
  }
  /**
   * Resolves once a read or accept would not block, or after `end()`.
   *
   * @param deadline The latest time of `performance.now()`.
   * @returns Whether that was the case in time.
   */
  readable(deadline = Infinity) {
    return this.#wait(POLL.IN, deadline);
  }
  /**
   * Resolves once a write would not block, or after `end()`.
   *
   * @param deadline The latest time of `performance.now()`.
   * @returns Whether that was the case in time.
   */
  writable(deadline) {
    return this.#wait(POLL.OUT, deadline);
  }
  /**
   * Shuts the socket down and ends every wait, so that it may be closed. Calls
   * that follow find that.
   */
  end() {
    this.#ended = true;
    shutdownSocket(this.#fd);
    this.#poll.release(this.#fd);
  }
  async #wait(events, deadline) {
    if (this.#ended) return true;
    return await this.#poll.wait(this.#fd, events, deadline) || this.#ended;
  }
};

// src/linux/socket/polled_stream.ts
var PolledStream = class {
  #fd;
  #wait;
  #poll;
  #owner;
  #isClosed = false;
  /** Uses a non-blocking socket, and closes it and its poll. */
  constructor(fd, wait, poll2, owner) {
    this.#fd = fd;
    this.#wait = wait;
    this.#poll = poll2;
    this.#owner = owner;
  }
  send(buffer, start, length2) {
    void this.#sendAll(buffer, start, length2);
  }
  receive(buffer, start, length2) {
    void this.#receiveSome(buffer, start, length2);
  }
  started() {
  }
  completed(operation) {
    operation.settle();
  }
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wait.end();
    closeDescriptor(this.#fd);
    void this.#poll.close();
  }
  async #sendAll(buffer, start, length2) {
    for (let done = 0; done < length2 && !this.#isClosed; ) {
      const part2 = buffer.subarray(start + done, start + length2);
      const put2 = libc().send(this.#fd, part2, BigInt(part2.length), MSG_NOSIGNAL);
      if (put2 > 0) {
        done += put2;
        continue;
      }
      const error = put2 < 0 ? errno() : ERRNO.EPIPE;
      if (error === ERRNO.EINTR) continue;
      if (error !== ERRNO.EAGAIN) {
        return this.#ended(() => this.#owner.sent(-error));
      }
      await this.#wait.writable(Infinity);
    }
    await null;
    this.#ended(() => this.#owner.sent(0));
  }
  async #receiveSome(buffer, start, length2) {
    await null;
    while (!this.#isClosed) {
      const part2 = buffer.subarray(start, start + length2);
      const at = pointerOf(part2);
      const got = libc().read(this.#fd, at, BigInt(length2));
      if (got >= 0) return this.#ended(() => this.#owner.received(got));
      const error = errno();
      if (error === ERRNO.EINTR) continue;
      if (error !== ERRNO.EAGAIN) {
        return this.#ended(() => this.#owner.received(-error));
      }
      await this.#wait.readable();
    }
  }
  #ended(tell2) {
    if (!this.#isClosed) tell2();
  }
};

// src/linux/socket/connected_socket.ts
var F_SETFL2 = 4;
var LinuxConnectedSocket = class {
  #fd;
  #name;
  #poll;
  #wait;
  #deadline;
  #makeStream;
  #isClosed = false;
  /**
   * Wraps a socket, and closes it and its poll.
   *
   * @param name The peer's name in errors.
   * @param deadline When the handshake must have ended, in the time of
   * `performance.now()`.
   */
  constructor(fd, name, poll2, deadline, makeStream) {
    this.#fd = fd;
    this.#name = name;
    this.#poll = poll2;
    this.#wait = new SocketWait(fd, poll2);
    this.#deadline = deadline;
    this.#makeStream = makeStream;
  }
  async send(bytes2) {
    for (let done = 0; done < bytes2.length; ) {
      const part2 = bytes2.subarray(done);
      const put2 = libc().send(this.#fd, part2, BigInt(part2.length), MSG_NOSIGNAL);
      if (put2 > 0) done += put2;
      else await this.#again(put2 < 0 ? errno() : ERRNO.EPIPE, "writable");
    }
  }
  async receive(length2) {
    const bytes2 = new Uint8Array(length2);
    for (let done = 0; done < length2; ) {
      const part2 = bytes2.subarray(done);
      const got = libc().read(this.#fd, pointerOf(part2), BigInt(part2.length));
      if (got === 0) throw this.#failure("its server closed the connection");
      if (got > 0) done += got;
      else await this.#again(errno(), "readable");
    }
    return bytes2;
  }
  stream(owner) {
    this.#isClosed = true;
    libc().fcntl(this.#fd, F_SETFL2, 0);
    const stream = this.#makeStream(this.#fd, owner);
    if (stream !== null) {
      void this.#poll.close();
      return stream;
    }
    libc().fcntl(this.#fd, F_SETFL2, OPEN.NONBLOCK);
    return new PolledStream(this.#fd, this.#wait, this.#poll, owner);
  }
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wait.end();
    closeDescriptor(this.#fd);
    void this.#poll.close();
  }
  async #again(error, what) {
    if (error === ERRNO.EINTR) return;
    if (error !== ERRNO.EAGAIN) {
      throw this.#failure(`the connection failed (${errnoName(error)})`);
    }
    const isReady = await this.#wait[what](this.#deadline);
    if (this.#isClosed) throw this.#failure("the connection was closed");
    if (isReady) return;
    throw this.#failure("its server does not answer in time");
  }
  #failure(why) {
    return new UserError(`Cannot open ${this.#name}: ${why}; check that it is the right server and that it runs`);
  }
};

// src/linux/socket/resolve_host.ts
var ADDRINFO_SIZE = 48;
var FAMILY_AT = 4;
var SOCKTYPE_AT = 8;
var ADDRLEN_AT = 16;
var ADDR_AT = 24;
var NEXT_AT = 40;
var AI_ADDRCONFIG = 32;
var ADDRESSES_MAX = 16;
async function resolveHost(host, port, name, limitMs) {
  const { getaddrinfo_nonblocking, freeaddrinfo } = libc();
  const hints = new DataView(new ArrayBuffer(ADDRINFO_SIZE));
  hints.setInt32(0, AI_ADDRCONFIG, true);
  hints.setInt32(SOCKTYPE_AT, SOCK.STREAM, true);
  const result3 = new BigUint64Array(new ArrayBuffer(8));
  const call3 = getaddrinfo_nonblocking(cString(host), cString(String(port)), new Uint8Array(hints.buffer), result3);
  const code = await withinTime(call3, limitMs);
  if (code === null) {
    throw failure2(name, `no name server answers about ${host}`);
  }
  if (code !== 0) throw failure2(name, `there is no host ${host}`);
  const list = Deno.UnsafePointer.create(result3[0]);
  try {
    return addressesOf(list);
  } finally {
    freeaddrinfo(list);
  }
}
function addressesOf(list) {
  const found = [];
  let next = list;
  while (next !== null && found.length < ADDRESSES_MAX) {
    const entry2 = new Deno.UnsafePointerView(next);
    const length2 = entry2.getUint32(ADDRLEN_AT);
    const at = entry2.getPointer(ADDR_AT);
    const bytes2 = new Uint8Array(length2);
    if (at !== null) new Deno.UnsafePointerView(at).copyInto(bytes2);
    found.push({
      family: entry2.getInt32(FAMILY_AT),
      bytes: bytes2
    });
    next = entry2.getPointer(NEXT_AT);
  }
  return found;
}
async function withinTime(call3, limitMs) {
  const { promise, resolve: resolve2 } = Promise.withResolvers();
  const timer = setTimeout(() => resolve2(null), limitMs);
  try {
    return await Promise.race([
      call3,
      promise
    ]);
  } finally {
    clearTimeout(timer);
  }
}
function failure2(name, why) {
  return new UserError(`Cannot open ${name}: ${why}; check the name and the network`);
}

// src/linux/socket/socket_poll.ts
var LONGEST_POLL_MS = 1e3;
var POLLFD_SIZE = 8;
var COUNTER_SIZE = 8n;
var SocketPoll = class {
  /** An eventfd that is signalled when the set of waits has changed. */
  #wake;
  #waits = /* @__PURE__ */ new Set();
  #running = null;
  #isClosed = false;
  /**
   * Makes its eventfd.
   *
   * @throws {SystemError} EMFILE, ENFILE, ENOMEM.
   */
  constructor() {
    this.#wake = libc().eventfd(0, OPEN.CLOEXEC | OPEN.NONBLOCK);
    if (this.#wake >= 0) return;
    throw new SystemError({
      call: "eventfd",
      action: "wait for Unix sockets",
      errno: errno()
    });
  }
  /**
   * Waits for one socket.
   *
   * @param fd The socket; `release()` it before closing it.
   * @param events Values of `POLL`, ORed.
   * @param deadline The latest time of `performance.now()`; may be infinite.
   * @returns Whether one of the events, an error or a hang-up occurred in time.
   */
  wait(fd, events, deadline) {
    if (this.#isClosed) return Promise.resolve(false);
    const { promise, resolve: resolve2 } = Promise.withResolvers();
    this.#waits.add({
      fd,
      events,
      deadline,
      resolve: resolve2
    });
    this.#changed();
    return promise;
  }
  /** Ends every wait for a socket, as if its time were up. */
  release(fd) {
    for (const wait of this.#waits) {
      if (wait.fd === fd) this.#end(wait, false);
    }
    this.#changed();
  }
  /** Ends every wait. Resolves when no thread waits any more. */
  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const wait of this.#waits) this.#end(wait, false);
    this.#changed();
    await this.#running;
    closeDescriptor(this.#wake);
  }
  #changed() {
    if (this.#running !== null) {
      const one = new Uint8Array(new BigUint64Array([
        1n
      ]).buffer);
      libc().write(this.#wake, pointerOf(one), COUNTER_SIZE);
    } else if (this.#waits.size > 0) {
      this.#running = this.#run();
    }
  }
  async #run() {
    while (this.#waits.size > 0) await this.#poll();
    this.#running = null;
  }
  async #poll() {
    const waits = [
      ...this.#waits
    ];
    const bytes2 = this.#pollfds(waits);
    const earliest = Math.min(...waits.map(({ deadline }) => deadline));
    const left = Math.ceil(earliest - performance.now());
    const ms = Math.min(Math.max(left, 0), LONGEST_POLL_MS);
    const count2 = BigInt(waits.length + 1);
    await pollInPool(pointerOf(bytes2), count2, ms);
    const view2 = new DataView(bytes2.buffer);
    const occurred = (index) => view2.getInt16(index * POLLFD_SIZE + 6, true) !== 0;
    if (occurred(0)) this.#clear();
    const now = performance.now();
    for (const [i, wait] of waits.entries()) {
      if (!this.#waits.has(wait)) continue;
      if (occurred(i + 1)) this.#end(wait, true);
      else if (wait.deadline <= now) this.#end(wait, false);
    }
  }
  #end(wait, isReady) {
    this.#waits.delete(wait);
    wait.resolve(isReady);
  }
  #pollfds(waits) {
    const view2 = new DataView(new ArrayBuffer((waits.length + 1) * POLLFD_SIZE));
    const set = (index, fd, events) => {
      view2.setInt32(index * POLLFD_SIZE, fd, true);
      view2.setInt16(index * POLLFD_SIZE + 4, events, true);
    };
    set(0, this.#wake, POLL.IN);
    for (const [i, { fd, events }] of waits.entries()) set(i + 1, fd, events);
    return new Uint8Array(view2.buffer);
  }
  /** Makes the eventfd not signalled. */
  #clear() {
    const counter = new Uint8Array(new ArrayBuffer(8));
    libc().read(this.#wake, pointerOf(counter), COUNTER_SIZE);
  }
};

// src/linux/socket/unix_address.ts
var AF_UNIX2 = 1;
var PATH_OFFSET = 2;
var SOCKET_PATH_MAX = 107;
function pathAddress(path) {
  return addressOf2(path, `${path}\0`);
}
function addressOf2(name, text) {
  const bytes2 = encodeName(text);
  if (name === "" || name.includes("\0")) {
    throw addressError(name, ERRNO.EINVAL);
  }
  if (bytes2.byteLength > SOCKET_PATH_MAX + 1) {
    throw addressError(name, ERRNO.ENAMETOOLONG);
  }
  const address = new Uint8Array(PATH_OFFSET + bytes2.byteLength);
  new DataView(address.buffer).setUint16(0, AF_UNIX2, true);
  address.set(bytes2, PATH_OFFSET);
  return address;
}
function addressError(name, error) {
  return new SystemError({
    call: "bind",
    action: `use ${name} as the address of a socket`,
    errno: error,
    advice: error === ERRNO.ENAMETOOLONG ? `use one of at most ${SOCKET_PATH_MAX} bytes` : void 0
  });
}

// src/linux/socket/connect_socket.ts
var SO_ERROR = 4;
var SO_KEEPALIVE = 9;
var IPPROTO_TCP = 6;
var TCP_NODELAY = 1;
var TCP_KEEPIDLE = 4;
var TCP_KEEPINTVL = 5;
var TCP_USER_TIMEOUT = 18;
var KEEPALIVE_S = 10;
var UNACKNOWLEDGED_MS = 3e4;
async function connectSocket(address, name, limitMs, makeStream) {
  const deadline = performance.now() + limitMs;
  const candidates = address.kind === "unix" ? [
    {
      family: AF_UNIX,
      bytes: pathAddress(address.path)
    }
  ] : await resolveHost(address.host, address.port, name, limitMs);
  let error = ERRNO.EHOSTUNREACH;
  for (const { family, bytes: bytes2 } of candidates) {
    const type = SOCK.STREAM | O.NONBLOCK | O.CLOEXEC;
    const fd = libc().socket(family, type, 0);
    if (fd < 0) throw failure3(address, name, errno());
    const poll2 = new SocketPoll();
    error = await connectTo(fd, bytes2, poll2, deadline);
    if (error === 0) {
      if (family !== AF_UNIX) setTcpOptions(fd);
      return new LinuxConnectedSocket(fd, name, poll2, deadline, makeStream);
    }
    closeDescriptor(fd);
    await poll2.close();
  }
  throw failure3(address, name, error);
}
async function connectTo(fd, bytes2, poll2, deadline) {
  if (libc().connect(fd, bytes2, bytes2.byteLength) === 0) return 0;
  const error = errno();
  if (error !== ERRNO.EINPROGRESS) return error;
  const wait = new SocketWait(fd, poll2);
  if (!await wait.writable(deadline)) return ERRNO.ETIMEDOUT;
  const value2 = new Int32Array(new ArrayBuffer(4));
  const length2 = new Uint32Array([
    4
  ]);
  libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value2, length2);
  return value2[0];
}
function setTcpOptions(fd) {
  const set = (level, option2, value2) => libc().setsockopt(fd, level, option2, new Int32Array([
    value2
  ]), 4);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
  set(IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_S);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS);
}
function failure3(address, name, error) {
  const where = address.kind === "unix" ? address.path : `${address.host}, port ${address.port}`;
  return new UserError(`Cannot open ${name}: nothing can be reached at ${where} (${errnoName(error)}); start the server, or check where it listens`);
}

// src/linux/tls/openssl_symbols.ts
var OPENSSL_SYMBOLS = {
  // int OPENSSL_init_crypto(uint64_t opts,
  //                         const OPENSSL_INIT_SETTINGS *settings);
  OPENSSL_init_crypto: {
    parameters: [
      "u64",
      "pointer"
    ],
    result: "i32"
  },
  // const SSL_METHOD *TLS_client_method(void);
  TLS_client_method: {
    parameters: [],
    result: "pointer"
  },
  // SSL_CTX *SSL_CTX_new(const SSL_METHOD *method);
  SSL_CTX_new: {
    parameters: [
      "pointer"
    ],
    result: "pointer"
  },
  // void SSL_CTX_free(SSL_CTX *ctx);
  SSL_CTX_free: {
    parameters: [
      "pointer"
    ],
    result: "void"
  },
  // long SSL_CTX_ctrl(SSL_CTX *ctx, int cmd, long larg, void *parg);
  SSL_CTX_ctrl: {
    parameters: [
      "pointer",
      "i32",
      "i64",
      "pointer"
    ],
    result: "i64"
  },
  // uint64_t SSL_CTX_set_options(SSL_CTX *ctx, uint64_t options);
  SSL_CTX_set_options: {
    parameters: [
      "pointer",
      "u64"
    ],
    result: "u64"
  },
  // void SSL_CTX_set_verify(SSL_CTX *ctx, int mode, SSL_verify_cb callback);
  SSL_CTX_set_verify: {
    parameters: [
      "pointer",
      "i32",
      "pointer"
    ],
    result: "void"
  },
  // int SSL_CTX_set_default_verify_paths(SSL_CTX *ctx);
  SSL_CTX_set_default_verify_paths: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int SSL_CTX_load_verify_locations(SSL_CTX *ctx, const char *CAfile,
  //                                   const char *CApath);
  SSL_CTX_load_verify_locations: {
    parameters: [
      "pointer",
      "buffer",
      "pointer"
    ],
    result: "i32"
  },
  // int SSL_CTX_use_certificate_chain_file(SSL_CTX *ctx, const char *file);
  SSL_CTX_use_certificate_chain_file: {
    parameters: [
      "pointer",
      "buffer"
    ],
    result: "i32"
  },
  // int SSL_CTX_use_PrivateKey_file(SSL_CTX *ctx, const char *file, int type);
  SSL_CTX_use_PrivateKey_file: {
    parameters: [
      "pointer",
      "buffer",
      "i32"
    ],
    result: "i32"
  },
  // void SSL_CTX_set_default_passwd_cb_userdata(SSL_CTX *ctx, void *data);
  SSL_CTX_set_default_passwd_cb_userdata: {
    parameters: [
      "pointer",
      "pointer"
    ],
    result: "void"
  },
  // SSL *SSL_new(SSL_CTX *ctx);
  SSL_new: {
    parameters: [
      "pointer"
    ],
    result: "pointer"
  },
  // void SSL_free(SSL *ssl);
  SSL_free: {
    parameters: [
      "pointer"
    ],
    result: "void"
  },
  // void SSL_set_bio(SSL *ssl, BIO *rbio, BIO *wbio);
  SSL_set_bio: {
    parameters: [
      "pointer",
      "pointer",
      "pointer"
    ],
    result: "void"
  },
  // void SSL_set_connect_state(SSL *ssl);
  SSL_set_connect_state: {
    parameters: [
      "pointer"
    ],
    result: "void"
  },
  // long SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg);
  SSL_ctrl: {
    parameters: [
      "pointer",
      "i32",
      "i64",
      "buffer"
    ],
    result: "i64"
  },
  // int SSL_set1_host(SSL *s, const char *host);
  SSL_set1_host: {
    parameters: [
      "pointer",
      "buffer"
    ],
    result: "i32"
  },
  // void SSL_set_hostflags(SSL *s, unsigned int flags);
  SSL_set_hostflags: {
    parameters: [
      "pointer",
      "u32"
    ],
    result: "void"
  },
  // X509_VERIFY_PARAM *SSL_get0_param(SSL *ssl);
  SSL_get0_param: {
    parameters: [
      "pointer"
    ],
    result: "pointer"
  },
  // int X509_VERIFY_PARAM_set1_ip_asc(X509_VERIFY_PARAM *param,
  //                                   const char *ipasc);
  X509_VERIFY_PARAM_set1_ip_asc: {
    parameters: [
      "pointer",
      "buffer"
    ],
    result: "i32"
  },
  // int SSL_set_alpn_protos(SSL *ssl, const unsigned char *protos,
  //                         unsigned int len);
  SSL_set_alpn_protos: {
    parameters: [
      "pointer",
      "buffer",
      "u32"
    ],
    result: "i32"
  },
  // int SSL_do_handshake(SSL *ssl);
  SSL_do_handshake: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int SSL_read(SSL *ssl, void *buf, int num);
  SSL_read: {
    parameters: [
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // int SSL_write(SSL *ssl, const void *buf, int num);
  SSL_write: {
    parameters: [
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // int SSL_shutdown(SSL *ssl);
  SSL_shutdown: {
    parameters: [
      "pointer"
    ],
    result: "i32"
  },
  // int SSL_get_error(const SSL *ssl, int ret);
  SSL_get_error: {
    parameters: [
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // long SSL_get_verify_result(const SSL *ssl);
  SSL_get_verify_result: {
    parameters: [
      "pointer"
    ],
    result: "i64"
  },
  // const char *X509_verify_cert_error_string(long n);
  X509_verify_cert_error_string: {
    parameters: [
      "i64"
    ],
    result: "pointer"
  },
  // const BIO_METHOD *BIO_s_mem(void);
  BIO_s_mem: {
    parameters: [],
    result: "pointer"
  },
  // BIO *BIO_new(const BIO_METHOD *type);
  BIO_new: {
    parameters: [
      "pointer"
    ],
    result: "pointer"
  },
  // int BIO_read(BIO *b, void *data, int dlen);
  BIO_read: {
    parameters: [
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // int BIO_write(BIO *b, const void *data, int dlen);
  BIO_write: {
    parameters: [
      "pointer",
      "pointer",
      "i32"
    ],
    result: "i32"
  },
  // unsigned long ERR_get_error(void);
  ERR_get_error: {
    parameters: [],
    result: "u64"
  },
  // void ERR_clear_error(void);
  ERR_clear_error: {
    parameters: [],
    result: "void"
  },
  // const char *ERR_reason_error_string(unsigned long e);
  ERR_reason_error_string: {
    parameters: [
      "u64"
    ],
    result: "pointer"
  }
};

// src/linux/tls/openssl.ts
var CANDIDATES2 = [
  "libssl.so.3",
  "libssl.so.1.1"
];
var OPENSSL_INIT_NO_ATEXIT = 0x00080000n;
var symbols2;
function openSsl(name) {
  return symbols2 ??= openLibrary2(CANDIDATES2, name);
}
function takeError(library) {
  const code = library.ERR_get_error();
  library.ERR_clear_error();
  const reason = Number(code & 0xfffn);
  const text = textAt(library.ERR_reason_error_string(code));
  if (code === 0n) return {
    reason,
    text: "without a reason"
  };
  return {
    reason,
    text: text ?? errnoName(reason)
  };
}
function openLibrary2(candidates, name) {
  for (const candidate of candidates) {
    try {
      const { symbols: symbols3 } = Deno.dlopen(candidate, OPENSSL_SYMBOLS);
      symbols3.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, null);
      return symbols3;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  const names2 = candidates.join(" or ");
  throw new UserError(`Cannot open ${name}: TLS needs OpenSSL's ${names2}, which is not there; install libssl3 (Debian, Ubuntu), openssl-libs (Fedora) or openssl (Arch)`);
}

// src/linux/tls/tls_failure.ts
var TlsFailure = class extends Error {
  name = "TlsFailure";
};
var X509_V = {
  OK: 0,
  NOT_YET_VALID: 9,
  HAS_EXPIRED: 10,
  HOSTNAME_MISMATCH: 62,
  IP_ADDRESS_MISMATCH: 64
};
var UNTRUSTED = [
  2,
  18,
  19,
  20,
  21,
  27
];
var NO_TLS = [
  156,
  198,
  267
];
var UNSUPPORTED_PROTOCOL = 258;
var ALERT = 1e3;
var ALERT_HANDSHAKE_FAILURE = ALERT + 40;
var ALERT_CERTIFICATE = [
  42,
  43,
  44,
  45,
  46,
  48,
  49
].map((n) => ALERT + n);
var ALERT_PROTOCOL_VERSION = ALERT + 70;
var ALERT_UNKNOWN_NAME = ALERT + 112;
var ALERT_CERTIFICATE_REQUIRED = ALERT + 116;
var ALERT_NO_PROTOCOL = ALERT + 120;
function failureOf(library, ssl, host) {
  const { reason, text } = takeError(library);
  const result3 = Number(library.SSL_get_verify_result(ssl));
  if (result3 !== X509_V.OK && reason < ALERT) {
    return new TlsFailure(explainCertificate(library, result3, host));
  }
  return new TlsFailure(explainReason(reason, text));
}
function explainCertificate(library, result3, host) {
  switch (result3) {
    case X509_V.NOT_YET_VALID:
      return "the certificate of its server is not valid yet; check the clocks of both machines";
    case X509_V.HAS_EXPIRED:
      return "the certificate of its server has expired; renew it there";
    case X509_V.HOSTNAME_MISMATCH:
    case X509_V.IP_ADDRESS_MISMATCH:
      return `the certificate of its server is not for ${host}; connect by a name that it has, or give that as --tls-hostname`;
  }
  const said = textAt(library.X509_verify_cert_error_string(BigInt(result3)));
  return UNTRUSTED.includes(result3) ? `no authority that is trusted here has signed the certificate of its server (${said}); give the file of that authority as --tls-ca` : `the certificate of its server is refused (${said})`;
}
function explainReason(reason, text) {
  if (NO_TLS.includes(reason)) {
    return `what answers there does not speak TLS (${text}); check the port, or leave TLS out`;
  }
  if (ALERT_CERTIFICATE.includes(reason)) {
    return `its server refuses the certificate of this client (${text}); give one that it accepts as --tls-cert and --tls-key`;
  }
  switch (reason) {
    case UNSUPPORTED_PROTOCOL:
    case ALERT_PROTOCOL_VERSION:
      return "its server and this client have no version of TLS in common, from 1.2 on; use a newer server";
    case ALERT_HANDSHAKE_FAILURE:
    case ALERT_CERTIFICATE_REQUIRED:
      return `its server ends the handshake (${text}); if it wants a certificate of this client, give --tls-cert and --tls-key`;
    case ALERT_UNKNOWN_NAME:
      return "its server does not know the host's name; give the name in its certificate as --tls-hostname";
    case ALERT_NO_PROTOCOL:
      return "its server does not speak the protocol that this client asks for over TLS; check the port";
  }
  return `TLS fails: ${text}`;
}

// src/linux/tls/tls_engine.ts
var SSL_ERROR_WANT_READ = 2;
var SSL_ERROR_ZERO_RETURN = 6;
var SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
var NAMETYPE_HOST_NAME = 0n;
var X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS = 4;
var TLS_READ = {
  /** The peer has ended the stream, and said so. */
  END: 0,
  /** More bytes of the peer are needed first. */
  MORE: -1
};
var TlsEngine = class {
  #library;
  #host;
  #pointers = new BufferPointers();
  #ssl;
  /** What the peer has sent, and what is to be sent to it: memory BIOs. */
  #input;
  #output;
  /**
   * Prepares a connection.
   *
   * @param context An SSL_CTX, which may be freed before the engine.
   * @param host The name or address for which the peer's certificate must be.
   * @param protocols The protocols to offer (ALPN); none if empty.
   * @throws {TlsFailure} If there is no memory.
   */
  constructor(library, context, host, protocols) {
    this.#library = library;
    this.#host = host;
    this.#ssl = library.SSL_new(context);
    this.#input = library.BIO_new(library.BIO_s_mem());
    this.#output = library.BIO_new(library.BIO_s_mem());
    if (!this.#ssl || !this.#input || !this.#output) {
      throw new TlsFailure("there is no memory for TLS");
    }
    library.SSL_set_bio(this.#ssl, this.#input, this.#output);
    library.SSL_set_connect_state(this.#ssl);
    this.#expect(host);
    if (protocols.length > 0) this.#offer(protocols);
  }
  /** Takes bytes that the peer has sent. */
  feed(buffer, start, length2) {
    const at = this.#at(buffer, start);
    const put2 = this.#library.BIO_write(this.#live(this.#input), at, length2);
    if (put2 !== length2) throw new TlsFailure("there is no memory for TLS");
  }
  /**
   * Gives bytes that are to be sent to the peer.
   *
   * @returns How many; 0 if there are none.
   */
  take(buffer, start, length2) {
    if (this.#output === null) return 0;
    const at = this.#at(buffer, start);
    return Math.max(0, this.#library.BIO_read(this.#output, at, length2));
  }
  /**
   * Goes on with the handshake.
   *
   * @returns Whether it is done; if not, more bytes of the peer are needed.
   * @throws {TlsFailure} If it has failed; what `take()` gives tells the peer.
   */
  handshake() {
    this.#library.ERR_clear_error();
    const result3 = this.#library.SSL_do_handshake(this.#live(this.#ssl));
    return result3 === 1 || this.#checked(result3) !== TLS_READ.MORE;
  }
  /**
   * Reads what the peer has sent, decrypted.
   *
   * @returns How many bytes, one or more, or one of `TLS_READ`.
   * @throws {TlsFailure} If the peer breaks the protocol or ends with an error.
   */
  read(buffer, start, length2) {
    this.#library.ERR_clear_error();
    const at = this.#at(buffer, start);
    const ssl = this.#live(this.#ssl);
    const result3 = this.#library.SSL_read(ssl, at, length2);
    return result3 > 0 ? result3 : this.#checked(result3);
  }
  /**
   * Encrypts all of a part of a buffer, which is not empty, for the peer.
   *
   * @throws {TlsFailure} If the connection cannot be used any more.
   */
  write(buffer, start, length2) {
    this.#library.ERR_clear_error();
    const at = this.#at(buffer, start);
    const ssl = this.#live(this.#ssl);
    const result3 = this.#library.SSL_write(ssl, at, length2);
    if (result3 !== length2) throw this.#failure();
  }
  /** Tells the peer that nothing follows (close_notify). */
  finish() {
    this.#library.SSL_shutdown(this.#live(this.#ssl));
    this.#library.ERR_clear_error();
  }
  /** Frees it: nothing comes out of it any more, and every other call fails. */
  free() {
    this.#library.SSL_free(this.#ssl);
    this.#ssl = this.#input = this.#output = null;
  }
  /** The certificate of the peer must be for a host. */
  #expect(host) {
    const library = this.#library;
    const text = cString(host);
    const param = library.SSL_get0_param(this.#ssl);
    if (library.X509_VERIFY_PARAM_set1_ip_asc(param, text) === 1) return;
    library.ERR_clear_error();
    library.SSL_set_hostflags(this.#ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const command = SSL_CTRL_SET_TLSEXT_HOSTNAME;
    const isSet = library.SSL_set1_host(this.#ssl, text) === 1 && library.SSL_ctrl(this.#ssl, command, NAMETYPE_HOST_NAME, text) === 1n;
    if (!isSet) throw new TlsFailure(`${host} cannot be the name of a host`);
  }
  /** Offers protocols: RFC 7301, each with its length before it. */
  #offer(protocols) {
    const list = protocols.flatMap((each) => {
      const bytes3 = new TextEncoder().encode(each);
      return [
        bytes3.length,
        ...bytes3
      ];
    });
    const bytes2 = Uint8Array.from(list);
    void pointerOf(bytes2);
    const { SSL_set_alpn_protos } = this.#library;
    if (SSL_set_alpn_protos(this.#ssl, bytes2, bytes2.length) === 0) return;
    throw new TlsFailure(`${protocols.join(", ")} cannot be offered`);
  }
  /** A pointer that was not freed. */
  #live(pointer) {
    if (pointer !== null) return pointer;
    throw new TlsFailure("the connection was closed");
  }
  #checked(result3) {
    const error = this.#library.SSL_get_error(this.#ssl, result3);
    if (error === SSL_ERROR_WANT_READ) return TLS_READ.MORE;
    if (error === SSL_ERROR_ZERO_RETURN) return TLS_READ.END;
    throw this.#failure();
  }
  #failure() {
    return failureOf(this.#library, this.#ssl, this.#host);
  }
  #at(buffer, start) {
    const first2 = this.#pointers.of(buffer);
    return start === 0 || first2 === null ? first2 : Deno.UnsafePointer.offset(first2, start);
  }
};

// src/linux/tls/tls_stream.ts
var SEND_BYTES2 = 128 * 1024;
var RECORD_BYTES = 16 * 1024;
var RECORD_OVERHEAD = 256;
var OUTPUT_BYTES = SEND_BYTES2 + SEND_BYTES2 / RECORD_BYTES * RECORD_OVERHEAD;
var INPUT_BYTES = 128 * 1024;
var TlsStream = class {
  #engine;
  #owner;
  #raw = null;
  #output = new Uint8Array(OUTPUT_BYTES);
  #input = new Uint8Array(INPUT_BYTES);
  #isRawSending = false;
  #isRawReceiving = false;
  /** What the owner sends and was not encrypted yet. */
  #source = null;
  #sourceAt = 0;
  #sourceLeft = 0;
  /** Where the owner receives. */
  #target = null;
  #targetAt = 0;
  #targetLength = 0;
  #isDelivering = false;
  /** What every later `receive()` ends with; `null` while the stream goes on. */
  #end = null;
  #isClosed = false;
  /**
   * Uses an engine that is past the handshake, and frees it. The stream below
   * follows by `attach()`.
   */
  constructor(engine, owner) {
    this.#engine = engine;
    this.#owner = owner;
  }
  /** Starts to use the stream below, which it closes. */
  attach(raw) {
    this.#raw = raw;
  }
  send(buffer, start, length2) {
    this.#source = buffer;
    this.#sourceAt = start;
    this.#sourceLeft = length2;
    this.#push();
  }
  receive(buffer, start, length2) {
    this.#target = buffer;
    this.#targetAt = start;
    this.#targetLength = length2;
    this.#deliver();
  }
  started() {
    this.#raw.started();
  }
  completed(operation) {
    this.#raw.completed(operation);
  }
  /** Ends at once, so without a close_notify. */
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#raw.close();
    this.#engine.free();
  }
  sent(result3) {
    this.#isRawSending = false;
    if (result3 < 0) return this.#sendFailed(result3);
    this.#push();
    if (this.#isRawSending || this.#source === null) return;
    this.#source = null;
    this.#owner.sent(0);
  }
  received(result3) {
    this.#isRawReceiving = false;
    if (result3 > 0) this.#engine.feed(this.#input, 0, result3);
    else if (result3 < 0) this.#end = result3;
    else {
      this.#fail(-ERRNO.ECONNABORTED, "the connection ended without the end of TLS");
    }
    this.#deliver();
  }
  /** Sends what the engine has for the peer, else more of the owner's bytes. */
  #push() {
    if (this.#isRawSending || this.#isClosed) return;
    const engine = this.#engine;
    let length2 = engine.take(this.#output, 0, OUTPUT_BYTES);
    if (length2 === 0 && this.#sourceLeft > 0) {
      const count2 = Math.min(this.#sourceLeft, SEND_BYTES2);
      try {
        engine.write(this.#source, this.#sourceAt, count2);
      } catch (error) {
        this.#fail(-ERRNO.EPROTO, messageOf(error));
        return this.#sendFailed(-ERRNO.EPROTO);
      }
      this.#sourceAt += count2;
      this.#sourceLeft -= count2;
      length2 = engine.take(this.#output, 0, OUTPUT_BYTES);
    }
    if (length2 === 0) return;
    this.#isRawSending = true;
    this.#raw.send(this.#output, 0, length2);
  }
  #sendFailed(result3) {
    const wasSending = this.#source !== null;
    this.#source = null;
    this.#sourceLeft = 0;
    if (wasSending) this.#owner.sent(result3);
  }
  /** Gives the owner what has come, as long as it wants more. */
  #deliver() {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#target !== null && !this.#isClosed) {
      const result3 = this.#read();
      if (result3 === TLS_READ.MORE) {
        this.#receiveMore();
        break;
      }
      this.#target = null;
      if (!this.#isClosed) this.#owner.received(result3);
    }
    this.#isDelivering = false;
    this.#push();
  }
  #receiveMore() {
    if (this.#isRawReceiving) return;
    this.#isRawReceiving = true;
    this.#raw.receive(this.#input, 0, INPUT_BYTES);
  }
  /** Reads records until there are no more of them, or no more room. */
  #read() {
    let done = 0;
    while (done < this.#targetLength) {
      const got = this.#readRecord(done);
      if (got <= 0) return done > 0 ? done : got;
      done += got;
    }
    return done;
  }
  /** Reads (a part of) one record: a count, `TLS_READ` or a negative errno. */
  #readRecord(done) {
    const at = this.#targetAt + done;
    const room3 = this.#targetLength - done;
    let got = TLS_READ.MORE;
    try {
      got = this.#engine.read(this.#target, at, room3);
    } catch (error) {
      if (this.#end === null) this.#fail(-ERRNO.EPROTO, messageOf(error));
    }
    return got === TLS_READ.MORE ? this.#end ?? TLS_READ.MORE : got;
  }
  #fail(result3, why) {
    this.#end = result3;
    this.#owner.failed?.(why);
  }
};

// src/linux/tls/tls_socket.ts
var HEADER_BYTES6 = 5;
var LENGTH_AT = 3;
var TYPES2 = {
  FIRST: 20,
  LAST: 24
};
var OUTPUT_BYTES2 = 18 * 1024;
var TlsSocket = class _TlsSocket {
  #socket;
  #engine;
  #name;
  #isClosed = false;
  /**
   * Does the handshake.
   *
   * @param socket The connection, which is closed in the end, or if this fails.
   * @param engine A new engine, which is freed likewise.
   * @param name The server's name in errors.
   * @throws {UserError} If the handshake fails.
   */
  static async start(socket, engine, name) {
    const own = new _TlsSocket(socket, engine, name);
    try {
      await own.#shakeHands();
      return own;
    } catch (error) {
      own.close();
      throw error;
    }
  }
  constructor(socket, engine, name) {
    this.#socket = socket;
    this.#engine = engine;
    this.#name = name;
  }
  async send(bytes2) {
    if (bytes2.length === 0) return;
    this.#do(() => this.#engine.write(bytes2, 0, bytes2.length));
    await this.#flush();
  }
  async receive(length2) {
    const bytes2 = new Uint8Array(length2);
    for (let done = 0; done < length2; ) {
      const got = this.#do(() => this.#engine.read(bytes2, done, length2 - done));
      if (got === TLS_READ.END) {
        throw this.#failure("its server closed the connection");
      }
      if (got === TLS_READ.MORE) await this.#receiveRecord();
      else done += got;
    }
    return bytes2;
  }
  stream(owner) {
    this.#isClosed = true;
    const stream = new TlsStream(this.#engine, owner);
    stream.attach(this.#socket.stream(stream));
    return stream;
  }
  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.finish();
    void this.#flush().catch(() => {
    });
    this.#engine.free();
    this.#socket.close();
  }
  async #shakeHands() {
    for (; ; ) {
      try {
        const isDone = this.#engine.handshake();
        await this.#flush();
        if (isDone) return;
      } catch (error) {
        await this.#flush().catch(() => {
        });
        throw this.#explained(error);
      }
      await this.#receiveRecord();
    }
  }
  /**
   * Takes one record of the peer, and no byte that follows it, so that these are
   * there for the stream.
   */
  async #receiveRecord() {
    const header = await this.#socket.receive(HEADER_BYTES6);
    this.#engine.feed(header, 0, HEADER_BYTES6);
    const isRecord = header[0] >= TYPES2.FIRST && header[0] <= TYPES2.LAST;
    if (!isRecord) return;
    const length2 = new DataView(header.buffer).getUint16(LENGTH_AT);
    if (length2 === 0) return;
    const fragment = await this.#socket.receive(length2);
    this.#engine.feed(fragment, 0, length2);
  }
  /** Sends what the engine has for the peer. */
  async #flush() {
    for (; ; ) {
      const bytes2 = new Uint8Array(OUTPUT_BYTES2);
      const length2 = this.#engine.take(bytes2, 0, bytes2.length);
      if (length2 === 0) return;
      await this.#socket.send(bytes2.subarray(0, length2));
    }
  }
  #do(call3) {
    try {
      return call3();
    } catch (error) {
      throw this.#explained(error);
    }
  }
  #explained(error) {
    return error instanceof TlsFailure ? this.#failure(error.message) : error;
  }
  #failure(why) {
    return new UserError(`Cannot open ${this.#name}: ${why}`);
  }
};

// src/linux/tls/tls_client.ts
var SSL_VERIFY_PEER = 1;
var SSL_FILETYPE_PEM = 1;
var SSL_CTRL_SET_MIN_PROTO_VERSION = 123;
var TLS1_2_VERSION = 0x0303n;
var SSL_OP_NO_RENEGOTIATION = 1n << 30n;
var NO_PASSWORD = new Uint8Array(new ArrayBuffer(1));
var LinuxTlsClient = class {
  #library;
  #name;
  #context;
  /**
   * Reads the files.
   *
   * @param name What is being opened, in errors.
   * @throws {UserError} If they cannot be used, or OpenSSL is not installed.
   */
  constructor(files, name) {
    const library = this.#library = openSsl(name);
    this.#name = name;
    library.ERR_clear_error();
    this.#context = library.SSL_CTX_new(library.TLS_client_method());
    if (this.#context === null) {
      throw this.#failure("TLS cannot be used", "look at OpenSSL's set-up");
    }
    try {
      this.#setUp(files);
    } catch (error) {
      this.close();
      throw error;
    }
  }
  async start(socket, host, protocols = []) {
    const engine = new TlsEngine(this.#library, this.#context, host, protocols);
    return await TlsSocket.start(socket, engine, this.#name);
  }
  close() {
    this.#library.SSL_CTX_free(this.#context);
    this.#context = null;
  }
  #setUp({ ca, certificate, key }) {
    const library = this.#library;
    const context = this.#context;
    const command = SSL_CTRL_SET_MIN_PROTO_VERSION;
    library.SSL_CTX_ctrl(context, command, TLS1_2_VERSION, null);
    library.SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    library.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, null);
    const password = pointerOf(NO_PASSWORD);
    library.SSL_CTX_set_default_passwd_cb_userdata(context, password);
    if (ca === null) this.#trustSystem();
    else this.#trust(ca);
    if (certificate !== null) this.#present(certificate, key ?? certificate);
    else if (key !== null) {
      throw this.#refusal(`--tls-key has no use without a certificate`, "give --tls-cert too");
    }
    library.ERR_clear_error();
  }
  #trustSystem() {
    const { SSL_CTX_set_default_verify_paths: trust } = this.#library;
    if (trust(this.#context) === 1) return;
    throw this.#failure("the authorities that this system trusts cannot be read", "give those to trust as --tls-ca");
  }
  #trust(ca) {
    const { SSL_CTX_load_verify_locations: trust } = this.#library;
    if (trust(this.#context, cString(ca), null) === 1) return;
    throw this.#failure(`${ca} has no certificates of authorities to trust`, "give a file in PEM as --tls-ca");
  }
  /** Has a certificate for servers that want one, and those that it leads to. */
  #present(certificate, key) {
    const library = this.#library;
    const context = this.#context;
    const chain = cString(certificate);
    if (library.SSL_CTX_use_certificate_chain_file(context, chain) !== 1) {
      throw this.#failure(`${certificate} has no certificate of this client`, "give a file in PEM as --tls-cert");
    }
    const type = SSL_FILETYPE_PEM;
    const path = cString(key);
    if (library.SSL_CTX_use_PrivateKey_file(context, path, type) !== 1) {
      throw this.#failure(`${key} cannot be the private key of ${certificate}`, "give the one that belongs to it, in PEM and without a password, as --tls-key");
    }
  }
  #failure(why, advice) {
    return this.#refusal(`${why} (${takeError(this.#library).text})`, advice);
  }
  #refusal(why, advice) {
    return new UserError(`Cannot open ${this.#name}: ${why}; ${advice}`);
  }
};

// src/linux/syscall/directory_entry.ts
var DirectoryEntry = class {
  /** An O_PATH descriptor of the directory. */
  directory;
  /** The name in that directory; "." for the root directory itself. */
  name;
  /** An O_PATH descriptor of the file when it was found; `null` for none. */
  fd;
  /** The absolute path, without symbolic links. */
  path;
  /** Whether a symbolic link that was the last part has been followed. */
  followed;
  #closed = false;
  /** Wraps descriptors, and closes them. */
  constructor(parts2) {
    this.directory = parts2.directory;
    this.name = parts2.name;
    this.fd = parts2.fd;
    this.path = parts2.path;
    this.followed = parts2.followed;
  }
  /**
   * Opens the file that has this name now. A symbolic link is not followed.
   *
   * @param flags Flags of open(2).
   * @throws {SystemError} With the errno of openat.
   */
  open(flags, options = {}) {
    return openDescriptor(this.name, flags | OPEN.NOFOLLOW, {
      label: this.path,
      ...options,
      directory: this.directory
    });
  }
  /** Whether the name stands for the file that a descriptor is open on. */
  leadsTo(fd) {
    const now = this.#handle();
    if (now === null) return false;
    try {
      const [one, other] = [
        now,
        fd
      ].map((each) => statxDescriptor(each, AT.STATX_DONT_SYNC));
      return typeof one === "object" && typeof other === "object" && one.inode === other.inode && one.device === other.device;
    } finally {
      closeDescriptor(now);
    }
  }
  /**
   * Removes the name: unlinkat(2).
   *
   * @returns False if there was none.
   * @throws {SystemError} With any errno of unlinkat but ENOENT.
   */
  remove() {
    if (libc().unlinkat(this.directory, cString(this.name), 0) === 0) {
      return true;
    }
    const error = errno();
    if (error === ERRNO.ENOENT) return false;
    const action = `remove ${this.path}`;
    throw new SystemError({
      call: "unlinkat",
      action,
      errno: error
    });
  }
  /** Closes the descriptors. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.directory);
    if (this.fd !== null) closeDescriptor(this.fd);
  }
  /** Closes the descriptors. */
  [Symbol.dispose]() {
    this.close();
  }
  #handle() {
    const name = cString(this.name);
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const fd = libc().openat(this.directory, name, flags, 0);
    return fd < 0 ? null : fd;
  }
};

// src/linux/syscall/accounts.ts
var NAME = 0;
var ID = 16;
var PW_GID = 20;
var STRUCT_BYTES = 48;
var TEXT_BYTES = 1024;
var TEXT_BYTES_MAX = 16 * 1024 * 1024;
var NOT_FOUND = /* @__PURE__ */ new Set([
  ERRNO.ENOENT,
  ERRNO.ESRCH,
  ERRNO.EBADF,
  ERRNO.EPERM
]);
function userName(uid) {
  return nameOf2(uid, "user");
}
function groupName(gid) {
  return nameOf2(gid, "group");
}
function usersInGroup(gid) {
  const lines = linesOf("/etc/group").filter((each) => Number(each[2]) === gid);
  if (lines.length === 0) return null;
  const found = linesOf("/etc/passwd").filter((user) => Number(user[3]) === gid).map((user) => Number(user[2]));
  for (const name of lines.flatMap((line) => (line[3] ?? "").split(","))) {
    if (name === "") continue;
    const user = findNamed(name, "user");
    if (user === null) return null;
    found.push(user.id);
  }
  return found;
}
function linesOf(path) {
  const text = resultOrNull(() => readText(path)) ?? "";
  return text.split("\n").filter((line) => line.includes(":")).map((line) => line.split(":"));
}
function nameOf2(id, kind) {
  return resultOrNull(() => findNumbered(id, kind))?.name ?? String(id);
}
function findNamed(name, kind) {
  const { getpwnam_r, getgrnam_r } = libc();
  const call3 = kind === "user" ? getpwnam_r : getgrnam_r;
  const key = cString(name);
  return find(`${kind} ${name}`, (...out) => call3(key, ...out));
}
function findNumbered(id, kind) {
  const { getpwuid_r, getgrgid_r } = libc();
  const call3 = kind === "user" ? getpwuid_r : getgrgid_r;
  return find(`${kind} ${id}`, (...out) => call3(id, ...out));
}
function find(what, call3) {
  const struct = new Uint8Array(STRUCT_BYTES);
  const found = new BigUint64Array(1);
  let size = TEXT_BYTES;
  for (; ; ) {
    const texts = new Uint8Array(size);
    const error = call3(struct, texts, BigInt(size), found);
    if (error === ERRNO.ERANGE && size < TEXT_BYTES_MAX) {
      size *= 4;
      continue;
    }
    if (error !== 0 && !NOT_FOUND.has(error)) throw lookupError(what, error);
    if (error !== 0 || found[0] === 0n) return null;
    const view2 = new DataView(struct.buffer);
    const name = textAt(Deno.UnsafePointer.create(view2.getBigUint64(NAME, true))) ?? "";
    void texts.byteLength;
    const id = view2.getUint32(ID, true);
    return {
      name,
      id,
      group: view2.getUint32(PW_GID, true)
    };
  }
}
function lookupError(what, error) {
  return new SystemError({
    call: "getpwnam_r",
    action: `look up ${what}`,
    errno: error,
    advice: "see nsswitch.conf(5), or give a number"
  });
}

// src/linux/syscall/path_safety.ts
var GROUP_WRITES = 16;
var OTHERS_WRITE = 2;
var PERMISSIONS = 4095;
var ROOT = 0;
function findWeakness(directory, name, entry2) {
  const { status: { uid, mode } } = directory;
  const trusted = trustedUsers();
  if (!trusted.has(uid)) return ofOwner(directory, name);
  const others = (mode & OTHERS_WRITE) !== 0;
  const group = (mode & GROUP_WRITES) !== 0 && !isPrivate(directory, trusted);
  if (!others && !group) return null;
  if ((mode & S_IS.VTX) === 0) return ofMode(directory, name, others);
  return entry2 === null || trusted.has(entry2.uid) ? null : ofEntry(directory, name, entry2);
}
function weaknessError(action, { reason, advice }) {
  return new SystemError({
    call: "openat",
    action,
    errno: ERRNO.EPERM,
    reason,
    advice
  });
}
function trustedUsers() {
  const users = /* @__PURE__ */ new Set([
    ROOT,
    libc().geteuid()
  ]);
  const root = statx(-1, "/", AT.STATX_DONT_SYNC);
  if (typeof root !== "number") users.add(root.uid);
  return users;
}
function isPrivate({ fd, status: { gid } }, trusted) {
  if (hasAccessList(fd)) return false;
  const members = usersInGroup(gid);
  return members !== null && members.length > 0 && members.every((uid) => trusted.has(uid));
}
function hasAccessList(fd) {
  const path = cString(pathOfDescriptor(fd));
  const name = cString("system.posix_acl_access");
  return libc().getxattr(path, name, null, 0n) > 0;
}
function ofOwner({ fd, status: status3 }, name) {
  const owner = userName(status3.uid);
  return {
    reason: `user ${owner} can replace ${name} in ${readLink(pathOfDescriptor(fd))} (owner ${owner}, mode ${modeOf(status3)})`,
    advice: environmentVariable("SUDO_UID") === String(status3.uid) ? `run it as ${owner}, without sudo, use a directory that only root can change, or add --insecure-path if you trust every program of ${owner}` : `use a directory that only you and root can change, or add --insecure-path if you trust ${owner}`
  };
}
function ofMode({ fd, status: status3 }, name, others) {
  const path = readLink(pathOfDescriptor(fd));
  const group = groupName(status3.gid);
  const who = others ? "every user" : `the group ${group}`;
  const list = hasAccessList(fd) ? ", with an access control list" : "";
  const facts = `owner ${userName(status3.uid)}, group ${group}, mode ${modeOf(status3)}${list}`;
  return {
    reason: `${who} can replace ${name} in ${path} (${facts})`,
    advice: `run 'chmod go-w ${path}', use another directory, or add --insecure-path`
  };
}
function ofEntry({ fd }, name, status3) {
  const path = readLink(pathOfDescriptor(fd));
  const owner = userName(status3.uid);
  const whole = path === "/" ? `/${name}` : `${path}/${name}`;
  return {
    reason: `user ${owner} can replace ${whole} (owner ${owner}, mode ${modeOf(status3)})`,
    advice: `use another path, or add --insecure-path if you trust ${owner}`
  };
}
function modeOf({ mode }) {
  return (mode & PERMISSIONS).toString(8).padStart(4, "0");
}

// src/linux/syscall/path_walk.ts
var LINKS_MAX = 40;
var PROC_SUPER_MAGIC = 40864;
var STRUCT_STATFS_SIZE2 = 120;
function findEntry(path, rules) {
  if (path === "") throw lookupError2(path, rules, ERRNO.ENOENT);
  const start = path.startsWith("/") ? "" : readLink("/proc/self/cwd");
  const walk = new Walk(path, rules);
  try {
    return walk.find(partsOf(`${start}/${path}`));
  } catch (error) {
    walk.close();
    throw error;
  }
}
var Walk = class {
  #path;
  #rules;
  #fd;
  #links = 0;
  #followed = false;
  /** Whether the last part was a link of /proc/PID. */
  #jumped = false;
  constructor(path, rules) {
    this.#path = path;
    this.#rules = rules;
    this.#fd = openDescriptor("/", OPEN.PATH | OPEN.DIRECTORY);
  }
  /** Closes the directory. */
  close() {
    closeDescriptor(this.#fd);
  }
  find(path) {
    let parts2 = path;
    for (; ; ) {
      const [part2, ...rest] = parts2;
      if (part2 === void 0) return this.#itself();
      const isLast = rest.length === 0;
      if (part2 === "..") {
        this.#enter(this.#open(part2, OPEN.DIRECTORY));
        parts2 = rest;
        continue;
      }
      this.#jumped = false;
      const found = this.#look(part2, isLast);
      if (found === null) return this.#entry(part2, null);
      const { fd, link: link3 } = found;
      if (link3 !== null) {
        if (isLast) this.#followed = true;
        parts2 = [
          ...partsOf(link3),
          ...rest
        ];
        if (link3.startsWith("/")) this.#enter(openDescriptor("/", OPEN.PATH));
      } else if (isLast) {
        return this.#entry(part2, fd);
      } else {
        this.#enter(fd);
        parts2 = rest;
      }
    }
  }
  #entry(name, fd) {
    const directory = this.#fd;
    const parent = readLink(pathOfDescriptor(directory));
    const path = this.#jumped && fd !== null ? readLink(pathOfDescriptor(fd)) : name === "." ? parent : join(parent, name);
    const followed = this.#followed;
    return new DirectoryEntry({
      directory,
      name,
      fd,
      path,
      followed
    });
  }
  /** The directory itself, as an entry of the one above it. */
  #itself() {
    const path = readLink(pathOfDescriptor(this.#fd));
    if (path === "/") {
      return this.#entry(".", openDescriptor(path, OPEN.PATH));
    }
    this.#enter(openDescriptor("/", OPEN.PATH | OPEN.DIRECTORY));
    return this.find(partsOf(path));
  }
  /**
   * Opens and checks an entry.
   *
   * @returns `null` if it does not exist and need not; `link` is the target of
   * a symbolic link to follow, whose descriptor is closed then.
   */
  #look(name, isLast) {
    const fd = this.#openEntry(name, isLast);
    try {
      const status3 = fd === null ? null : statxDescriptor(fd, AT.NO_AUTOMOUNT | AT.STATX_DONT_SYNC);
      if (typeof status3 === "number") return {
        fd,
        link: null
      };
      const isLink = status3?.kind === "symlink" && (!isLast || this.#rules.follow === true);
      this.#check(name, status3, isLink);
      if (fd === null) return null;
      return isLink ? this.#follow(name, fd) : {
        fd,
        link: null
      };
    } catch (error) {
      if (fd !== null) closeDescriptor(fd);
      throw error;
    }
  }
  #openEntry(name, isLast) {
    const { openat } = libc();
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const bytes2 = cString(name);
    let fd = isLast ? -1 : openat(this.#fd, bytes2, flags | OPEN.DIRECTORY, 0);
    if (isLast || fd < 0 && errno() === ERRNO.ENOTDIR) {
      fd = openat(this.#fd, bytes2, flags, 0);
    }
    if (fd >= 0) return fd;
    const error = errno();
    if (isLast && error === ERRNO.ENOENT) return null;
    throw this.#error(error);
  }
  #check(name, entry2, isLink) {
    const status3 = statxDescriptor(this.#fd, AT.STATX_DONT_SYNC);
    if (typeof status3 === "number") throw this.#error(-status3);
    const weakness = findWeakness({
      fd: this.#fd,
      status: status3
    }, name, entry2);
    if (weakness === null) return;
    const { action, insecurePath = false } = this.#rules;
    if (!insecurePath) throw weaknessError(action, weakness);
    if (isLink) throw weaknessError(action, linkWeakness(weakness));
  }
  #follow(name, fd) {
    if (++this.#links > LINKS_MAX) throw this.#error(ERRNO.ELOOP);
    if (isProc(this.#fd)) {
      const target = this.#open(name, 0);
      this.#jumped = true;
      closeDescriptor(fd);
      return {
        fd: target,
        link: null
      };
    }
    const link3 = readLinkAt(fd);
    if (link3 === null) throw this.#error(errno());
    closeDescriptor(fd);
    return {
      fd: -1,
      link: link3
    };
  }
  #open(name, flags) {
    const fd = libc().openat(this.#fd, cString(name), flags | OPEN.PATH | OPEN.CLOEXEC, 0);
    if (fd < 0) throw this.#error(errno());
    return fd;
  }
  #error(error) {
    return lookupError2(this.#path, this.#rules, error);
  }
  #enter(fd) {
    closeDescriptor(this.#fd);
    this.#fd = fd;
  }
};
function partsOf(path) {
  return path.split("/").filter((part2) => part2 !== "" && part2 !== ".");
}
function join(directory, name) {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}
function linkWeakness({ reason }) {
  return {
    reason: `${reason}, and it is a symbolic link, which may lead anywhere`,
    advice: "give the path that the link leads to"
  };
}
function lookupError2(path, { opening, advice }, error) {
  return new SystemError({
    call: "openat",
    action: opening ?? `find the directory of ${path}`,
    errno: error,
    advice: advice?.(error) ?? adviceOnLookup(error)
  });
}
function adviceOnLookup(error) {
  switch (error) {
    case ERRNO.ENOENT:
      return "check the path, or create the directory with 'mkdir -p'";
    case ERRNO.EACCES:
      return "grant this user the permission to search its directories, or run as a user who has it";
    default:
      return void 0;
  }
}
function isProc(fd) {
  const status3 = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE2));
  return libc().fstatfs(fd, status3) === 0 && status3.getUint32(0, true) === PROC_SUPER_MAGIC;
}
function readLinkAt(fd) {
  const target = new Uint8Array(PATH_MAX);
  const size = BigInt(target.byteLength);
  const length2 = libc().readlinkat(fd, cString(""), target, size);
  return length2 < 0 ? null : textOf2(target, length2);
}

// src/linux/io/create_block_file.ts
var MODE = 438;
function createBlockFile(path, insecurePath) {
  const entry2 = findEntry(path, {
    action: `create ${path}`,
    opening: `create ${path}`,
    insecurePath,
    advice: adviceOnCreate
  });
  let fd;
  try {
    fd = entry2.open(OPEN.RDWR | OPEN.CREAT | OPEN.EXCL, {
      mode: MODE,
      label: path,
      action: `create ${path}`,
      advice: adviceOnCreate
    });
  } catch (error) {
    entry2.close();
    throw error;
  }
  const file = new LinuxBlockFile(fd);
  return {
    file,
    path: entry2.path,
    syncName: () => syncDirectory(entry2.directory),
    rename: (path2, replace) => rename(entry2, path2, replace),
    remove() {
      if (entry2.leadsTo(fd)) entry2.remove();
    },
    close() {
      file.close();
      entry2.close();
    }
  };
}
function rename({ directory, name, path }, to, replace) {
  const [from, other] = [
    name,
    to.replace(/^.*\//s, "")
  ].map(cString);
  const flags = replace ? 0 : RENAME.NOREPLACE;
  const { renameat2, linkat, unlinkat } = libc();
  if (renameat2(directory, from, directory, other, flags) === 0) return;
  let error = errno();
  if (error === ERRNO.EINVAL && !replace) {
    const isLinked = linkat(directory, from, directory, other, 0) === 0;
    error = isLinked ? 0 : errno();
    if (isLinked && unlinkat(directory, from, 0) === 0) return;
    if (isLinked) error = errno();
  }
  throw new SystemError({
    call: "renameat2",
    action: `rename ${path} to ${to}`,
    errno: error,
    advice: adviceOnCreate(error)
  });
}
function syncDirectory(directory) {
  const fd = openDescriptor(".", OPEN.RDONLY | OPEN.DIRECTORY, {
    directory
  });
  try {
    return libc().fdatasync(fd) < 0 ? -errno() : 0;
  } finally {
    closeDescriptor(fd);
  }
}
function adviceOnCreate(error) {
  switch (error) {
    case ERRNO.EEXIST:
      return "remove it, or choose another path";
    case ERRNO.ENOENT:
      return "make its directory first";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "choose a directory that this user may write to";
    default:
      return void 0;
  }
}

// src/linux/io/open_block_file.ts
function openBlockFile(path, options) {
  const action = `open ${path}`;
  const { insecurePath } = options;
  using entry2 = findEntry(path, {
    action,
    opening: action,
    insecurePath,
    follow: true,
    advice: adviceOnOpen
  });
  if (entry2.fd === null) throw missing(path);
  refuseOtherKinds(entry2.fd, path);
  return reopenBlockFile(entry2.fd, path, options);
}
function reopenBlockFile(fd, name, options) {
  const flags = (options.writable ? OPEN.RDWR : OPEN.RDONLY) | (options.direct === true ? OPEN.DIRECT : 0);
  const how = {
    label: name,
    advice: adviceOnOpen
  };
  return new LinuxBlockFile(openDescriptor(pathOfDescriptor(fd), flags, how));
}
function refuseOtherKinds(handle, path) {
  const status3 = statxDescriptor(handle);
  if (typeof status3 === "number") {
    throw new SystemError({
      call: "statx",
      action: `open ${path}`,
      errno: -status3
    });
  }
  const kind = kindOfImage(status3.kind);
  if (kind === "file" || kind === "block") return;
  throw new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: kind === "directory" ? ERRNO.EISDIR : ERRNO.ENOTBLK,
    advice: "give a regular file or a block device"
  });
}
function missing(path) {
  return new SystemError({
    call: "openat",
    action: `open ${path}`,
    errno: ERRNO.ENOENT,
    advice: adviceOnOpen(ERRNO.ENOENT)
  });
}
function adviceOnOpen(error) {
  switch (error) {
    case ERRNO.EROFS:
    case ERRNO.ETXTBSY:
      return "open it read-only";
    case ERRNO.ENOENT:
      return "check the path, or create an image with 'truncate -s 1G FILE'";
    case ERRNO.EACCES:
    case ERRNO.EPERM:
      return "grant this user the permission, or run as a user who has it";
    default:
      return void 0;
  }
}

// src/linux/io/direct_probe.ts
function probeDirect(fd, length2) {
  const memory = mapAnonymous(length2);
  try {
    const buffer = new Uint8Array(memory.buffer);
    return new LinuxBlockFile(fd).pread(buffer, 0, length2, 0);
  } finally {
    memory.unmap();
  }
}

// src/linux/syscall/file_lock.ts
var F_OFD_GETLK = 36;
var F_OFD_SETLK = 37;
var LOCK_TYPE = {
  READ: 0,
  WRITE: 1,
  NONE: 2
};
var STRUCT_FLOCK_SIZE = 32;
function setFileLock(fd, type, range) {
  return call2(fd, F_OFD_SETLK, flock(type, range));
}
function conflictingLock(fd, type, range) {
  const lock = flock(type, range);
  const result3 = call2(fd, F_OFD_GETLK, lock);
  return result3 < 0 ? result3 : lock.getInt16(0, true);
}
function call2(fd, operation, lock) {
  const bytes2 = new Uint8Array(lock.buffer);
  for (; ; ) {
    if (libc().fcntl_lock(fd, operation, bytes2) === 0) return 0;
    const error = errno();
    if (error !== ERRNO.EINTR) return -error;
  }
}
function flock(type, { start, length: length2 }) {
  const lock = new DataView(new ArrayBuffer(STRUCT_FLOCK_SIZE));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, BigInt(start), true);
  lock.setBigInt64(16, BigInt(length2), true);
  return lock;
}

// src/linux/io/image_lock.ts
var USED_BASE = 100;
var UNSHARED_BASE = 200;
var PERMISSION = {
  read: 0,
  write: 1,
  resize: 3
};
var UNSHARED = [
  "write",
  "resize"
];
function lockImage(fd, use) {
  if (!canLock(fd)) return false;
  const used = permissionsOf(use);
  const bytes2 = [
    ...used.map(usedByte),
    ...UNSHARED.map(unsharedByte)
  ];
  try {
    for (const byte of bytes2) setLock(fd, LOCK_TYPE.READ, byte, use);
    const refused2 = used.find((each) => isHeld(fd, unsharedByte(each)));
    if (refused2 !== void 0) throw notShared(use, refused2);
    const busy = UNSHARED.find((each) => isHeld(fd, usedByte(each)));
    if (busy !== void 0) throw inUse(use, busy);
    return true;
  } catch (error) {
    for (const byte of bytes2) setLock(fd, LOCK_TYPE.NONE, byte, use);
    throw error;
  }
}
function lockImageReadOnly(fd, name) {
  for (const each of UNSHARED) {
    setLock(fd, LOCK_TYPE.NONE, usedByte(each), {
      name,
      writable: false
    });
  }
}
function permissionsOf({ writable }) {
  return writable ? [
    "read",
    "write",
    "resize"
  ] : [
    "read"
  ];
}
function usedByte(permission) {
  return USED_BASE + PERMISSION[permission];
}
function unsharedByte(permission) {
  return UNSHARED_BASE + PERMISSION[permission];
}
function isHeld(fd, byte) {
  const type = conflictingLock(fd, LOCK_TYPE.WRITE, rangeOf(byte));
  return type >= 0 && type !== LOCK_TYPE.NONE;
}
function canLock(fd) {
  return conflictingLock(fd, LOCK_TYPE.WRITE, rangeOf(USED_BASE)) >= 0;
}
function setLock(fd, type, byte, use) {
  const result3 = setFileLock(fd, type, rangeOf(byte));
  if (result3 === 0 || type === LOCK_TYPE.NONE) return;
  throw result3 === -ERRNO.EAGAIN ? inUse(use, "read") : lockError(use, {
    errno: -result3
  });
}
function rangeOf(byte) {
  return {
    start: byte,
    length: 1
  };
}
var OTHER = "another program, such as QEMU or another export,";
var ADVICE2 = "stop it, or use --no-lock if sharing the image is safe";
function notShared(use, permission) {
  const what = permission === "read" ? "read" : "written to";
  return lockError(use, {
    errno: ERRNO.EAGAIN,
    reason: `${OTHER} has it open and does not allow it to be ${what}`,
    advice: ADVICE2
  });
}
function inUse(use, permission) {
  const what = permission === "read" ? "has it locked" : "has it open for writing";
  return lockError(use, {
    errno: ERRNO.EAGAIN,
    reason: `${OTHER} ${what}`,
    advice: ADVICE2
  });
}
function lockError({ name, writable }, facts) {
  const purpose = writable ? "writing" : "reading";
  return new SystemError({
    call: "fcntl",
    action: `lock ${name} for ${purpose}`,
    ...facts
  });
}

// src/session/driver_services.ts
var SOCKET_CALLS = {
  shutdown: shutdownSocket,
  close: closeDescriptor
};
function driverServices({ fileIo = () => null, insecurePath = false, tell: tell2 = () => {
} }) {
  const makeStream = (fd, owner) => fileIo()?.stream?.(fd, owner, SOCKET_CALLS) ?? null;
  return {
    sockets: {
      connect: (address, name, limitMs) => connectSocket(address, name, limitMs, makeStream),
      tls: (files, name) => new LinuxTlsClient(files, name)
    },
    files: {
      open: (path, options) => openBlockFile(path, {
        ...options,
        insecurePath
      }),
      create: (path) => createBlockFile(path, insecurePath),
      wrap: (fd) => new LinuxBlockFile(fd),
      reopen: reopenBlockFile,
      probeDirect: ({ fd }, length2) => probeDirect(fd, length2),
      lock: ({ fd }, name, writable) => void lockImage(fd, {
        name,
        writable
      }),
      releaseWriteLock: ({ fd }, name) => lockImageReadOnly(fd, name),
      absolutePath,
      pathOf: (fd) => readLink(pathOfDescriptor(fd))
    },
    fileIo,
    tell: tell2
  };
}

// src/session/copying/copy_job.ts
async function openCopyJob(job, index) {
  const services = {
    ...driverServices({}),
    syncErrors: SyncErrors.create(),
    queue: index
  };
  await using stack = new AsyncDisposableStack();
  const attach = async (image) => {
    const { backend, close: close3 } = await attachImage(image, services);
    stack.defer(close3);
    return backend;
  };
  const source = await attach(job.source);
  const below = job.below === null ? null : await attach(job.below);
  const { copier, close: close2 } = await openCopier({
    ...job,
    source,
    below
  });
  stack.defer(close2);
  const opened = stack.move();
  return {
    copier,
    close: () => opened.disposeAsync()
  };
}
async function openCopier({ source, below, target, file }) {
  await using stack = new AsyncDisposableStack();
  let output = null;
  if (file !== null) {
    const { fd, name } = file;
    const { files } = driverServices({});
    const opened2 = files.reopen(fd, name, {
      writable: true
    });
    stack.defer(() => opened2.close());
    output = new FileBackend(opened2, name, true);
  }
  const writer = await openPartWriter(target, output);
  const copier = await PartCopier.open(source, writer, below);
  const opened = stack.move();
  return {
    copier,
    close: () => opened.disposeAsync()
  };
}

// src/session/copying/copy_worker.ts
async function copyJobs(first2, port) {
  const messages = [];
  let wake = () => {
  };
  port.addEventListener("message", ({ data }) => {
    messages.push(data);
    wake();
  });
  const next = async () => {
    while (messages.length === 0) {
      await new Promise((resolve2) => wake = resolve2);
    }
    return messages.shift();
  };
  const post2 = (message2) => port.postMessage(message2);
  let message = first2;
  for (; ; message = await next()) {
    if (message.kind === "copy") await copyParts(message, next, post2);
  }
}
async function copyParts({ index, job }, next, post2) {
  try {
    const { copier, close: close2 } = await openCopyJob(job, index);
    try {
      for (; ; ) {
        const message = await next();
        if (message.kind !== "part") break;
        post2({
          kind: "copied",
          result: await copier.copy(message.part)
        });
      }
    } finally {
      await close2();
    }
    post2({
      kind: "ended"
    });
  } catch (error) {
    const isUserError = error instanceof UserError;
    post2({
      kind: "failed",
      message: messageOf(error),
      isUserError
    });
  }
}

// src/queue/shared_room.ts
function sharedRoom({ queues }, index) {
  const own = queues[index];
  const others = queues.filter((queue) => queue !== own);
  return {
    tell: (hasRoom) => own.hasRoom = hasRoom,
    othersHaveRoom: () => others.some(({ hasRoom }) => hasRoom)
  };
}

// src/linux/io/device_slots.ts
var TWO_3211 = 2 ** 32;
var LinuxDeviceSlots = class {
  first;
  #ring;
  /** struct __kernel_timespec, which the timer's submission points to. */
  #time = new BigInt64Array(2);
  /**
   * Reserves two slots of a ring.
   *
   * @param fd The descriptor to poll.
   */
  constructor(ring, fd) {
    this.first = ring.reserve(2);
    this.#ring = ring;
    const { sqes } = ring;
    const poll2 = this.first * SQE_WORDS;
    sqes[poll2 + SQE.OP] = IORING_OP.POLL_ADD;
    sqes[poll2 + SQE.FD] = fd;
    sqes[poll2 + SQE.FLAGS] = POLL.IN;
    const bytes2 = new Uint8Array(this.#time.buffer);
    const address = Number(Deno.UnsafePointer.value(pointerOf(bytes2)));
    const timer = poll2 + SQE_WORDS;
    sqes[timer + SQE.OP] = IORING_OP.TIMEOUT;
    sqes[timer + SQE.FD] = -1;
    sqes[timer + SQE.ADDR] = address;
    sqes[timer + SQE.ADDR + 1] = address / TWO_3211;
    sqes[timer + SQE.LEN] = 1;
  }
  poll() {
    this.#ring.push(this.first);
  }
  startTimer(ms) {
    const time2 = BigInt(ms) * NS_PER_MS;
    this.#time[0] = secondsOf(time2);
    this.#time[1] = BigInt(nanosecondsOf(time2));
    this.#ring.push(this.first + 1);
  }
};

// src/linux/io/file_ring.ts
var FILE_SLOTS = 62;
var DEVICE_SLOTS = 2;
function openFileRing(fd) {
  const ring = new EventRing(FILE_SLOTS + DEVICE_SLOTS);
  return {
    ring,
    fileSlots: new LinuxFileSlots(ring, FILE_SLOTS),
    deviceSlots: new LinuxDeviceSlots(ring, fd)
  };
}

// src/linux/fuse/batch_slots.ts
var TWO_3212 = 2 ** 32;
var FUSE_FILE2 = 0;
var BATCH_READS = 8;
var BATCH_WRITES = 16;
var BATCH_SLOTS = BATCH_READS + BATCH_WRITES + 1;
var LinuxBatchSlots = class {
  first;
  reads = BATCH_READS;
  writes = BATCH_WRITES;
  #ring;
  #sqes;
  #addresses = new BufferAddresses();
  /**
   * Reserves slots of a ring whose registered file 0 is a descriptor of
   * /dev/fuse.
   */
  constructor(ring) {
    this.first = ring.reserve(BATCH_SLOTS);
    this.#ring = ring;
    this.#sqes = ring.sqes;
    for (let i = 0; i < BATCH_READS; i++) {
      this.#prepare(i, IORING_OP.READ | FIXED_FILE << 8);
    }
    const write2 = IORING_OP.WRITE | (FIXED_FILE | CQE_SKIP_SUCCESS) << 8;
    for (let i = 0; i < BATCH_WRITES; i++) {
      this.#prepare(BATCH_READS + i, write2);
    }
    this.#prepare(BATCH_READS + BATCH_WRITES, IORING_OP.ASYNC_CANCEL);
  }
  read(index, buffer) {
    this.#push(index, buffer, buffer.length);
  }
  write(index, buffer, length2) {
    this.#push(BATCH_READS + index, buffer, length2);
  }
  cancel(index) {
    const slot = this.first + BATCH_READS + BATCH_WRITES;
    this.#sqes[slot * SQE_WORDS + SQE.ADDR] = this.first + index;
    this.#ring.push(slot);
  }
  #prepare(index, op) {
    const sqe = (this.first + index) * SQE_WORDS;
    this.#sqes[sqe + SQE.OP] = op;
    this.#sqes[sqe + SQE.FD] = FUSE_FILE2;
  }
  #push(index, buffer, length2) {
    const slot = this.first + index;
    const sqe = slot * SQE_WORDS;
    const sqes = this.#sqes;
    const address = this.#addresses.of(buffer);
    sqes[sqe + SQE.ADDR] = address;
    sqes[sqe + SQE.ADDR + 1] = address / TWO_3212;
    sqes[sqe + SQE.LEN] = length2;
    this.#ring.push(slot);
  }
};

// src/linux/fuse/batch_ring.ts
function openBatchRing(fd) {
  const device = cloneFuseDevice(fd);
  let ring = null;
  try {
    ring = new EventRing(FILE_SLOTS + DEVICE_SLOTS + BATCH_SLOTS);
    ring.registerFiles([
      device.fd
    ]);
    device.setBlocking(false);
    return {
      ring,
      device,
      batchSlots: new LinuxBatchSlots(ring),
      fileSlots: new LinuxFileSlots(ring, FILE_SLOTS),
      deviceSlots: new LinuxDeviceSlots(ring, fd)
    };
  } catch (error) {
    ring?.close();
    device.close();
    throw error;
  }
}

// src/shared_memory/blocking_calls.ts
var GUARD = 0;
var STRIDE3 = 32;
var OUTSIDE = 0;
var INSIDE = 1;
var ENDED = 2;
var BlockingCalls = class {
  #words;
  #thread;
  /** Index of this thread's state. */
  #own;
  /**
   * Wraps the memory for one thread.
   *
   * @param words What {@linkcode BlockingCalls.create} made.
   * @param thread The number of the thread, from 0.
   */
  constructor(words, thread) {
    this.#words = words;
    this.#thread = thread;
    this.#own = stateOf(thread);
  }
  /** Makes the memory, for a number of threads. */
  static create(threads) {
    const bytes2 = stateOf(threads) * Int32Array.BYTES_PER_ELEMENT;
    return new Int32Array(new SharedArrayBuffer(bytes2));
  }
  /** Whether there is no other thread. */
  get isAlone() {
    return this.#words.length === stateOf(1);
  }
  /**
   * Enters a call, unless this thread is the guard and has to remain it.
   *
   * @param rarely Whether it waits so rarely that a thread without others may
   * enter it; no if left out.
   */
  tryEnter(rarely = false) {
    const words = this.#words;
    if (this.isAlone) return rarely;
    Atomics.store(words, this.#own, INSIDE);
    if (Atomics.load(words, GUARD) !== this.#thread) return true;
    Atomics.store(words, this.#own, OUTSIDE);
    if (!passOn(words, this.#thread)) return false;
    Atomics.store(words, this.#own, INSIDE);
    if (Atomics.load(words, GUARD) !== this.#thread) return true;
    Atomics.store(words, this.#own, OUTSIDE);
    return false;
  }
  /** Leaves a call. */
  leave() {
    Atomics.store(this.#words, this.#own, OUTSIDE);
  }
  /** Notes that this thread has ended; called by another one. */
  ended() {
    const words = this.#words;
    Atomics.store(words, this.#own, ENDED);
    if (Atomics.load(words, GUARD) !== this.#thread) return;
    if (passOn(words, this.#thread)) return;
    for (let other = 0; stateOf(other) < words.length; other++) {
      if (Atomics.load(words, stateOf(other)) === ENDED) continue;
      Atomics.compareExchange(words, GUARD, this.#thread, other);
      return;
    }
  }
};
function stateOf(thread) {
  return STRIDE3 * (1 + thread);
}
function passOn(words, guard) {
  for (let other = 0; stateOf(other) < words.length; other++) {
    const state = stateOf(other);
    if (other === guard || Atomics.load(words, state) !== OUTSIDE) continue;
    if (Atomics.compareExchange(words, GUARD, guard, other) !== guard) {
      return false;
    }
    if (Atomics.load(words, state) === OUTSIDE) return true;
    if (Atomics.compareExchange(words, GUARD, other, guard) !== other) {
      return true;
    }
  }
  return false;
}

// src/session/open_device_queue.ts
function openDeviceQueue(start, onRefused) {
  const device = fuseDeviceFromFd(start.fd);
  const messages = new ResidentMessages();
  const events = new DeviceEvents(device, {
    poll: pollStrategy(start),
    longestSleepMs: start.longestSleepMs ?? void 0
  });
  const pipe = openPipe2(start);
  const queue = new DeviceQueue(device, {
    maxPayload: start.maxPayload,
    protocolVersion: protocolVersionOf(start.negotiated),
    memoryMax: start.memory.max,
    allocate: (size) => messages.allocate(size),
    events,
    shared: sharedRoom(new QueueStatistics(start.statistics), start.index),
    pipe: pipe instanceof LinuxMessagePipe ? pipe : void 0
  });
  queue.prepare(start.memory.largeSlots);
  const open2 = {
    queue,
    events,
    memory: messages.total,
    pipe
  };
  const ring = start.batching === "off" ? null : batchRing(start.fd);
  if (ring === null || typeof ring === "string") {
    const fileIo2 = fileIoBeside(start, events);
    return {
      ...open2,
      fileIo: fileIo2,
      descriptors: [],
      whyNoBatches: ring
    };
  }
  const ringEvents = new RingEvents(ring.ring, pollStrategy(start));
  events.addRing(ringEvents, ring.deviceSlots, true);
  const works = queue.startBatches({
    events: ringEvents,
    slots: ring.batchSlots,
    device: ring.device,
    onRefused
  });
  const calls = new BlockingCalls(start.blockingCalls, start.index);
  const fileIo = new RingFileIo(ringEvents, ring.fileSlots, unlessBusy(queue, calls));
  return {
    ...open2,
    fileIo: () => fileIo,
    descriptors: [
      ring.device.fd,
      ring.ring.fd
    ],
    whyNoBatches: works ? null : "this kernel lets a READ of /dev/fuse wait in an io_uring"
  };
}
function batchRing(fd) {
  try {
    return openBatchRing(fd);
  } catch (error) {
    if (error instanceof UserError) return messageOf(error);
    throw error;
  }
}
function openPipe2({ spliceFrom }) {
  if (spliceFrom === null) return null;
  try {
    return openMessagePipe();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message;
  }
}
function fileIoBeside(start, device) {
  let fileIo;
  const make = () => {
    const ring = resultOrNull(() => openFileRing(start.fd));
    if (ring === null) return null;
    const events = new RingEvents(ring.ring, pollStrategy(start));
    device.addRing(events, ring.deviceSlots);
    const limit = new BlockingCalls(start.blockingCalls, start.index);
    return new RingFileIo(events, ring.fileSlots, limit);
  };
  return () => fileIo === void 0 ? fileIo = make() : fileIo;
}
function unlessBusy(queue, calls) {
  return {
    tryEnter: (rarely) => (calls.isAlone || !queue.isBusy) && calls.tryEnter(rarely),
    leave: () => calls.leave()
  };
}
function pollStrategy({ pollUs }) {
  return new PollStrategy(pollUs, {
    yieldCpu
  });
}

// src/export/reply_result.ts
function replyError(reply, result3) {
  reply.error(errnoOf({
    errno: -result3
  }));
}
function replyResult(reply, result3) {
  if (result3 >= 0) reply.ok();
  else replyError(reply, result3);
}

// src/export/set_ids.ts
var GROUP_EXEC = 8;
function dropSetIds(state, gid) {
  const { mode } = state;
  const keepsGroup = (mode & GROUP_EXEC) === 0 && gid === state.gid;
  const lost = mode & (keepsGroup ? S_IS.UID : S_IS.UID | S_IS.GID);
  if (lost === 0) return;
  state.clearModeBits(lost);
  state.changed();
}

// src/export/image_size.ts
var ZEROES8 = new Uint8Array(65536);
function mayResize({ growable: growable2, truncate: truncate2 }) {
  return growable2 || truncate2 === "as-qemu";
}
function maySetSize({ rules, state }, size) {
  if (size === state.size || mayResize(rules)) return true;
  return rules.truncate === "zero" && size < state.size;
}
async function setImageSize(context, size) {
  if (size === context.state.size) return 0;
  if (mayResize(context.rules)) return await resizeImage(context, size);
  const { lock } = context.state;
  await lock.lock();
  try {
    return await zeroFrom(context, size);
  } finally {
    lock.unlock();
  }
}
async function zeroFrom(context, position) {
  const { backend, state } = context;
  if (!maySetSize(context, position)) return -ERRNO.EPERM;
  if (state.readOnly) return -ERRNO.EACCES;
  const length2 = state.size - position;
  if (length2 === 0) return 0;
  try {
    const result3 = await zeroRange2(backend, position, length2);
    if (result3 >= 0) state.written();
    return result3;
  } finally {
    context.onZeroed?.();
  }
}
async function zeroRange2(backend, position, length2) {
  for (const unmap of [
    true,
    false
  ]) {
    const result3 = await backend.zero(position, length2, {
      unmap
    });
    if (result3 !== -ERRNO.EOPNOTSUPP) return result3;
  }
  for (let done = 0; done < length2; ) {
    const rest = Math.min(ZEROES8.length, length2 - done);
    const put2 = await backend.write(position + done, ZEROES8, 0, rest);
    if (!(put2 > 0)) return put2 < 0 ? put2 : -ERRNO.EIO;
    done += put2;
  }
  return 0;
}
async function resizeLocked({ backend, state }, size) {
  if (state.readOnly) return -ERRNO.EACCES;
  if (size === state.size) return 0;
  const result3 = await backend.truncate(size);
  if (!(result3 >= 0)) return result3;
  state.size = size;
  state.written();
  return 0;
}
async function resizeImage(context, size) {
  const { lock } = context.state;
  await lock.lock();
  try {
    return await resizeLocked(context, size);
  } finally {
    lock.unlock();
  }
}
async function followImage({ backend, state }) {
  await state.lock.lock();
  try {
    const { size } = await backend.stat();
    if (size !== state.size) state.size = size;
  } finally {
    state.lock.unlock();
  }
}

// src/export/attributes.ts
var IN_HEADER3 = accessors("fuse_in_header");
var ATTR2 = accessors("fuse_attr");
var ATTR_OUT = accessors("fuse_attr_out");
var SETATTR_IN = accessors("fuse_setattr_in");
var ATTR_VALID_S = 1n;
var GROUP_OR_OTHERS = 63;
var ANY_WRITE = 146;
var SETTABLE = FATTR.SIZE | FATTR.MODE | FATTR.FH | FATTR.LOCKOWNER | FATTR.KILL_SUIDGID | FATTR.ATIME | FATTR.MTIME | FATTR.CTIME | FATTR.ATIME_NOW | FATTR.MTIME_NOW;
var TIMES = FATTR.ATIME | FATTR.MTIME;
function replyAttributes(context, reply) {
  const { backend, state } = context;
  const stat = backend.stat();
  return "then" in stat ? Completion.of(stat).after(FILL_ATTRIBUTES, state, reply) : fillAttributes(stat, state, reply);
}
var FILL_ATTRIBUTES = {
  run: fillAttributes
};
function fillAttributes(stat, state, reply) {
  const size = state.size;
  const { atime, mtime, ctime } = stat.times ?? state;
  const changed = ctime > state.changedAt ? ctime : state.changedAt;
  const body = reply.zeroed(ATTR_OUT.size);
  const at = ATTR_OUT.at.attr;
  ATTR_OUT.set.attr_valid(body, 0, ATTR_VALID_S);
  ATTR2.set.ino(body, at, 1n);
  ATTR2.setNumber.size(body, at, size);
  ATTR2.setNumber.blocks(body, at, Math.ceil((stat.allocated ?? size) / 512));
  ATTR2.set.atime(body, at, secondsOf(atime));
  ATTR2.set.atimensec(body, at, nanosecondsOf(atime));
  ATTR2.set.mtime(body, at, secondsOf(mtime));
  ATTR2.set.mtimensec(body, at, nanosecondsOf(mtime));
  ATTR2.set.ctime(body, at, secondsOf(changed));
  ATTR2.set.ctimensec(body, at, nanosecondsOf(changed));
  ATTR2.set.mode(body, at, S_IF.REG | state.mode);
  ATTR2.set.nlink(body, at, 1);
  ATTR2.set.uid(body, at, state.uid);
  ATTR2.set.gid(body, at, state.gid);
  ATTR2.set.blksize(body, at, stat.blockSize);
  reply.ok(ATTR_OUT.size);
}
async function setAttributes(context, request, reply) {
  const wanted = readWanted(request);
  const refusal5 = refuse2(context, wanted);
  if (refusal5 !== 0) return reply.error(refusal5);
  const { state } = context;
  const { valid } = wanted;
  if ((valid & FATTR.SIZE) !== 0) {
    const result3 = await setImageSize(context, wanted.size);
    if (!(result3 >= 0)) return replyError(reply, result3);
  }
  if ((valid & TIMES) !== 0) {
    const result3 = await setTimes(context, wanted.atime, wanted.mtime);
    if (!(result3 >= 0)) return replyError(reply, result3);
  }
  const changesFile = (valid & (FATTR.SIZE | FATTR.UID | FATTR.GID)) !== 0;
  if (changesFile && (valid & FATTR.KILL_SUIDGID) !== 0) {
    dropSetIds(state, wanted.callerGid);
  }
  if ((valid & FATTR.MODE) !== 0) state.mode = wanted.mode;
  if ((valid & FATTR.UID) !== 0) state.uid = wanted.uid;
  if ((valid & FATTR.GID) !== 0) state.gid = wanted.gid;
  if ((valid & (FATTR.MODE | FATTR.UID | FATTR.GID)) !== 0) state.changed();
  await replyAttributes(context, reply);
}
function readWanted({ header, body }) {
  const { get, number: number2 } = SETATTR_IN;
  const valid = get.valid(body);
  const time2 = (flag, nowFlag, s, ns) => {
    if ((valid & flag) === 0) return null;
    return (valid & nowFlag) !== 0 ? "now" : timeOf(s, ns);
  };
  return {
    valid,
    callerGid: IN_HEADER3.get.gid(header),
    size: number2.size(body),
    mode: get.mode(body),
    uid: get.uid(body),
    gid: get.gid(body),
    atime: time2(FATTR.ATIME, FATTR.ATIME_NOW, get.atime(body), get.atimensec(body)),
    mtime: time2(FATTR.MTIME, FATTR.MTIME_NOW, get.mtime(body), get.mtimensec(body))
  };
}
function refuse2(context, { valid, mode, size }) {
  const { rules, state } = context;
  const writable = rules.writable && !state.readOnly;
  const owner = rules.allowOther ? FATTR.UID | FATTR.GID : 0;
  if ((valid & ~(SETTABLE | owner)) !== 0) return ERRNO.EOPNOTSUPP;
  if ((valid & FATTR.MODE) !== 0) {
    if (!rules.allowOther && (mode & GROUP_OR_OTHERS) !== 0) return ERRNO.EPERM;
    if (!writable && (mode & ANY_WRITE) !== 0) return ERRNO.EROFS;
  }
  if ((valid & FATTR.SIZE) !== 0) {
    if (!writable) return ERRNO.EACCES;
    if (size > Number.MAX_SAFE_INTEGER) return ERRNO.EFBIG;
    if (!maySetSize(context, size)) return ERRNO.EPERM;
  }
  if ((valid & TIMES) !== 0 && !writable) return ERRNO.EROFS;
  return 0;
}
async function setTimes({ backend, state }, atime, mtime) {
  if ((await backend.stat()).times !== null) {
    return await backend.setTimes(atime, mtime);
  }
  state.touch(atime, mtime);
  return 0;
}

// src/export/handle_requests.ts
var OPEN_IN = accessors("fuse_open_in");
var OPEN_OUT = accessors("fuse_open_out");
var FSYNC_IN = accessors("fuse_fsync_in");
var FLUSH_IN = accessors("fuse_flush_in");
var RELEASE_IN = accessors("fuse_release_in");
function openHandle({ rules, state, syncErrors }, request, reply) {
  const flags = OPEN_IN.get.flags(request.body);
  const writable = (flags & O.ACCMODE) !== O.RDONLY;
  if (writable && !rules.writable) return reply.error(ERRNO.EROFS);
  const { count: count2 } = syncErrors;
  const since = syncErrors.allSeen ? count2 : count2 - 1;
  const fh = rules.writable ? state.handles.open(writable, since) : 0n;
  if (fh === null) return reply.error(ERRNO.ENFILE);
  const backingId = rules.backingId ?? 0;
  const transfer = transferBy(rules, flags);
  const body = reply.zeroed(OPEN_OUT.size);
  OPEN_OUT.set.fh(body, 0, fh);
  OPEN_OUT.set.open_flags(body, 0, writable ? transfer : transfer | FOPEN.NOFLUSH);
  OPEN_OUT.set.backing_id(body, 0, backingId);
  reply.ok(OPEN_OUT.size);
}
function transferBy({ backingId, cache }, flags) {
  if ((backingId ?? 0) !== 0) return FOPEN.PASSTHROUGH;
  const direct = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
  if ((cache ?? "none") === "none") return direct;
  const isDirect2 = (flags & O_DIRECT) !== 0;
  return isDirect2 ? FOPEN.KEEP_CACHE | direct : FOPEN.KEEP_CACHE;
}
function syncHandle(context, request, reply) {
  const { backend, rules, state } = context;
  if (!rules.writable) return reply.ok();
  const fh = FSYNC_IN.get.fh(request.body);
  if (!state.handles.has(fh)) return reply.error(ERRNO.EBADF);
  state.stampWrites();
  const handle = {
    context,
    fh
  };
  let flushed;
  try {
    flushed = backend.flush();
  } catch (error) {
    return failSync(error, handle);
  }
  return typeof flushed === "number" ? replySync(flushed, handle, reply) : Completion.of(flushed).after(REPLY_SYNC, handle, reply);
}
var REPLY_SYNC = {
  run: replySync,
  recover: failSync
};
function failSync(error, { context, fh }) {
  tellHandle(context, fh);
  throw error;
}
function replySync(flushed, { context, fh }, reply) {
  const error = tellHandle(context, fh);
  replyResult(reply, flushed >= 0 ? error : flushed);
}
function tellHandle({ state, syncErrors }, fh) {
  const { count: count2 } = syncErrors;
  if (!state.handles.tell(fh, count2)) return 0;
  syncErrors.see(count2);
  return -syncErrors.errno;
}
function flushHandle(context, request, reply) {
  const { backend, rules, state } = context;
  const fh = FLUSH_IN.get.fh(request.body);
  if (!rules.writable) return reply.ok();
  if (!state.handles.has(fh)) return reply.error(ERRNO.EBADF);
  if (!state.handles.isWritable(fh)) return reply.ok();
  state.stampWrites();
  const flushed = backend.flush();
  return typeof flushed === "number" ? replyFlush(flushed, {
    context,
    fh
  }, reply) : Completion.of(flushed).after(REPLY_FLUSH, {
    context,
    fh
  }, reply);
}
var REPLY_FLUSH = {
  run: replyFlush
};
function replyFlush(flushed, { context: { state, syncErrors }, fh }, reply) {
  const { count: count2 } = syncErrors;
  if (!(flushed >= 0)) replyError(reply, flushed);
  else if (state.handles.hasNews(fh, count2)) reply.error(syncErrors.errno);
  else reply.ok();
}
function releaseHandle({ state }, request, reply) {
  state.handles.close(RELEASE_IN.get.fh(request.body));
  reply.ok();
}

// src/export/partial_read.ts
var READ_IN3 = accessors("fuse_read_in");
function continueRead(got, context, request, reply) {
  if (!(got >= 0)) return replyError(reply, got);
  return readOn(got, context, request, reply);
}
async function readOn(got, { backend, state }, request, reply) {
  const offset = READ_IN3.number.offset(request.body);
  const size = READ_IN3.get.size(request.body);
  const fitting = () => Math.max(0, Math.min(size, state.size - offset));
  let done = got;
  let error = 0;
  let sharesLock = false;
  try {
    for (let left; error === 0 && (left = fitting() - done) > 0; ) {
      const more = await backend.read(offset + done, reply.data, done, left);
      if (more > 0) {
        done += more;
      } else if (more !== 0 || sharesLock) {
        error = more || -ERRNO.EIO;
      } else {
        await state.lock.share();
        sharesLock = true;
      }
    }
  } catch (thrown2) {
    if (done === 0 || !isDirect(request)) throw thrown2;
    error = -ERRNO.EIO;
  } finally {
    if (sharesLock) state.lock.unshare();
  }
  if (error === 0) reply.ok(Math.min(done, fitting()));
  else if (done > 0 && isDirect(request)) reply.ok(done);
  else replyError(reply, error);
}
function isDirect(request) {
  return (READ_IN3.get.read_flags(request.body) & FUSE_READ.LOCKOWNER) !== 0;
}

// src/export/splice_read.ts
var OUT_HEADER_SIZE6 = sizeOf("fuse_out_header");
function spliceImage({ backend, splicing }, reply, position, length2) {
  const { pipe } = splicing;
  reply.okInPipe(length2);
  pipe.begin(reply.header, OUT_HEADER_SIZE6);
  if (backend.splice(position, length2, pipe) === length2) return true;
  reply.reset();
  return false;
}

// src/export/whole_write.ts
var WRITE_IN4 = accessors("fuse_write_in");
var WRITE_OUT4 = accessors("fuse_write_out");
function isWriteBack({ body }) {
  return (WRITE_IN4.get.write_flags(body) & FUSE_WRITE.CACHE) !== 0;
}
async function continueWrite(done, { backend, state }, request, reply) {
  const offset = WRITE_IN4.number.offset(request.body);
  const size = WRITE_IN4.get.size(request.body);
  await state.lock.lock();
  try {
    while (done < size) {
      if (state.readOnly) return reply.error(ERRNO.EACCES);
      const at = offset + done;
      const length2 = Math.min(size - done, state.size - at);
      if (length2 <= 0) return reply.error(ERRNO.ENOSPC);
      const put2 = await backend.write(at, request.data, done, length2);
      if (put2 < 0) return replyError(reply, put2);
      if (put2 === 0) return reply.error(ERRNO.ENOSPC);
      done += put2;
    }
  } finally {
    state.lock.unlock();
  }
  WRITE_OUT4.set.size(reply.body, 0, size);
  WRITE_OUT4.set.padding(reply.body, 0, 0);
  reply.ok(WRITE_OUT4.size);
}

// src/export/transfer.ts
var READ_IN4 = accessors("fuse_read_in");
var WRITE_IN5 = accessors("fuse_write_in");
var WRITE_OUT5 = accessors("fuse_write_out");
function readImage(context, request, reply) {
  const { backend, state } = context;
  const offset = READ_IN4.number.offset(request.body);
  const size = READ_IN4.get.size(request.body);
  if (size > reply.data.length) return reply.error(ERRNO.EINVAL);
  const length2 = Math.min(size, state.size - offset);
  if (length2 <= 0) return reply.ok(0);
  if (length2 >= context.spliceFrom && spliceImage(context, reply, offset, length2)) return;
  const got = backend.read(offset, reply.data, 0, length2);
  if (typeof got !== "number") {
    return Completion.of(got).after(REPLY_READ, context, request, reply);
  }
  if (got === length2) return reply.ok(length2);
  return continueRead(got, context, request, reply);
}
var REPLY_READ = {
  run(got, context, request, reply) {
    const offset = READ_IN4.number.offset(request.body);
    const size = READ_IN4.get.size(request.body);
    const length2 = Math.min(size, context.state.size - offset);
    if (got === length2) return reply.ok(length2);
    return continueRead(got, context, request, reply);
  }
};
function writeImage(context, request, reply) {
  const { state, rules } = context;
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  const offset = WRITE_IN5.number.offset(request.body);
  const size = WRITE_IN5.get.size(request.body);
  if (!state.lock.tryShare()) {
    return state.lock.share().then(() => writeShared(context, request, reply, offset, size));
  }
  return writeShared(context, request, reply, offset, size);
}
function writeShared(context, request, reply, offset, size) {
  const { backend, state, rules } = context;
  if (state.readOnly) {
    state.lock.unshare();
    return reply.error(ERRNO.EACCES);
  }
  const fits = state.size - offset;
  if (size > fits && size > 0) {
    if (rules.growable) {
      state.lock.unshare();
      return writeExclusive(context, request, reply, offset, size);
    }
    if (fits <= 0) {
      state.lock.unshare();
      return reply.error(ERRNO.ENOSPC);
    }
  }
  const length2 = Math.max(0, Math.min(size, fits));
  if (backend.needsExclusiveWrite?.(offset, length2) === true) {
    state.lock.unshare();
    return writeExclusive(context, request, reply, offset, length2);
  }
  let put2;
  try {
    put2 = length2 === 0 ? 0 : backend.write(offset, request.data, 0, length2);
    if (typeof put2 !== "number") {
      return Completion.of(put2).after(REPLY_WRITE, context, request, reply);
    }
  } catch (error) {
    state.lock.unshare();
    throw error;
  }
  state.lock.unshare();
  return replyWrite(put2, context, request, reply);
}
var REPLY_WRITE = {
  run(put2, context, request, reply) {
    context.state.lock.unshare();
    return replyWrite(put2, context, request, reply);
  },
  recover(error, { state }) {
    state.lock.unshare();
    throw error;
  }
};
function replyWrite(put2, context, request, reply) {
  if (!(put2 >= 0)) return replyError(reply, put2);
  const size = WRITE_IN5.get.size(request.body);
  if (put2 === 0 && size > 0) return reply.error(ERRNO.ENOSPC);
  if (put2 > 0) context.state.written();
  if (put2 < size && isWriteBack(request)) {
    return continueWrite(put2, context, request, reply);
  }
  const body = reply.body;
  WRITE_OUT5.set.size(body, 0, put2);
  WRITE_OUT5.set.padding(body, 0, 0);
  reply.ok(WRITE_OUT5.size);
}
async function writeExclusive(context, request, reply, offset, size) {
  const { backend, state, rules } = context;
  const end = offset + size;
  if (end > Number.MAX_SAFE_INTEGER) return reply.error(ERRNO.EFBIG);
  let put2 = 0;
  await state.lock.lock();
  try {
    if (state.readOnly) return reply.error(ERRNO.EACCES);
    const before = state.size;
    if (end > before && size > 0 && rules.growable) {
      const result3 = await resizeLocked(context, end);
      if (result3 !== 0) return replyError(reply, result3);
    }
    const fits = state.size - offset;
    if (fits <= 0 && size > 0) return reply.error(ERRNO.ENOSPC);
    const length2 = Math.max(0, Math.min(size, fits));
    try {
      put2 = await backend.write(offset, request.data, 0, length2);
    } finally {
      const kept = Math.max(before, put2 > 0 ? offset + put2 : 0);
      if (kept < state.size) await resizeLocked(context, kept);
    }
  } finally {
    state.lock.unlock();
  }
  await replyWrite(put2, context, request, reply);
}

// src/export/durable_write.ts
var IN_HEADER4 = accessors("fuse_in_header");
var WRITE_IN6 = accessors("fuse_write_in");
function writeHandle(context, request, reply) {
  const { body } = request;
  if ((WRITE_IN6.get.write_flags(body) & FUSE_WRITE.KILL_SUIDGID) !== 0) {
    dropSetIdsOf(context, request);
  }
  const isDurable = (WRITE_IN6.get.flags(body) & O.DSYNC) !== 0;
  return isDurable ? writeDurably(context, request, reply) : writeImage(context, request, reply);
}
function dropSetIdsOf({ rules, state }, request) {
  const isChange2 = WRITE_IN6.get.size(request.body) > 0;
  if (!isChange2 || !rules.writable || state.readOnly) return;
  dropSetIds(state, IN_HEADER4.get.gid(request.header));
}
function writeDurably(context, request, reply) {
  const fh = WRITE_IN6.get.fh(request.body);
  const { rules, state, syncErrors } = context;
  if (rules.writable && !state.handles.has(fh)) {
    return reply.error(ERRNO.EBADF);
  }
  const write2 = {
    context,
    fh,
    before: syncErrors.count
  };
  const written = writeImage(context, request, reply);
  return written === void 0 ? flushAfter(write2, reply) : Completion.of(written).after(FLUSH_AFTER, write2, reply);
}
var FLUSH_AFTER = {
  run: (_written, write2, reply) => flushAfter(write2, reply)
};
function flushAfter(write2, reply) {
  if (reply.errno !== 0) return;
  const { context: { backend, syncErrors }, before } = write2;
  let flushed;
  try {
    flushed = syncErrors.flushSince(backend, before);
  } catch (error) {
    return failSync(error, write2);
  }
  return typeof flushed === "number" ? finish(flushed, write2, reply) : Completion.of(flushed).after(FINISH, write2, reply);
}
var FINISH = {
  run: finish,
  recover: failSync
};
function finish(flushed, { context, fh }, reply) {
  const error = tellHandle(context, fh);
  if (flushed >= 0 && error >= 0) return;
  reply.reset();
  replyError(reply, flushed >= 0 ? error : flushed);
}

// src/export/space.ts
var FALLOCATE_IN = accessors("fuse_fallocate_in");
var LSEEK_IN = accessors("fuse_lseek_in");
var LSEEK_OUT = accessors("fuse_lseek_out");
var KSTATFS = accessors("fuse_kstatfs");
var STATFS_OUT = accessors("fuse_statfs_out");
var STATFS_BLOCK = 4096;
async function allocateSpace(context, request, reply) {
  const { state, rules } = context;
  const offset = FALLOCATE_IN.number.offset(request.body);
  const length2 = FALLOCATE_IN.number.length(request.body);
  const mode = FALLOCATE_IN.get.mode(request.body);
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  if (length2 === 0) return reply.error(ERRNO.EINVAL);
  if (offset + length2 > Number.MAX_SAFE_INTEGER) {
    return reply.error(ERRNO.EFBIG);
  }
  await state.lock.lock();
  let result3;
  try {
    result3 = await allocateLocked(context, offset, length2, mode);
  } finally {
    state.lock.unlock();
  }
  replyResult(reply, result3);
}
async function allocateLocked(context, offset, length2, mode) {
  const { backend, state, rules } = context;
  if (state.readOnly) return -ERRNO.EACCES;
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
  const end = offset + length2;
  const kept = Math.max(0, Math.min(end, state.size) - offset);
  switch (mode) {
    case 0:
      return await growing(context, end, () => backend.allocate(offset, length2));
    case KEEP_SIZE:
      if (rules.growable && kept < length2) return -ERRNO.EOPNOTSUPP;
      return kept === 0 ? 0 : await backend.allocate(offset, kept);
    case PUNCH_HOLE:
      return -ERRNO.EINVAL;
    case PUNCH_HOLE | KEEP_SIZE:
      return await zero(context, offset, kept, true);
    case ZERO_RANGE | KEEP_SIZE:
      return await zero(context, offset, kept, false);
    case ZERO_RANGE:
      return await growing(context, end, () => zero(context, offset, length2, false));
    default:
      return -ERRNO.EOPNOTSUPP;
  }
}
async function growing(context, end, rest) {
  const old = context.state.size;
  if (end <= old) return await rest();
  if (!mayResize(context.rules)) return -ERRNO.EPERM;
  const grown = await resizeLocked(context, end);
  if (grown !== 0) return grown;
  let result3 = -1;
  try {
    return result3 = await rest();
  } finally {
    if (!(result3 >= 0)) await resizeLocked(context, old);
  }
}
async function zero({ backend, state }, offset, length2, unmap) {
  if (length2 === 0) return 0;
  const result3 = await backend.zero(offset, length2, {
    unmap
  });
  if (result3 >= 0) state.written();
  return result3;
}
async function seekSpace({ backend, state }, request, reply) {
  const offset = LSEEK_IN.number.offset(request.body);
  const whence = LSEEK_IN.get.whence(request.body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) {
    return reply.error(ERRNO.EINVAL);
  }
  const found = await seek(backend, state.size, offset, whence === SEEK.DATA);
  if (found < 0) return replyError(reply, found);
  LSEEK_OUT.setNumber.offset(reply.zeroed(LSEEK_OUT.size), 0, found);
  reply.ok(LSEEK_OUT.size);
}
async function seek(backend, size, offset, data) {
  if (offset >= size) return -ERRNO.ENXIO;
  let at = offset;
  while (at < size) {
    const extent = await backend.extent(at);
    if (extent.data === data) return at;
    if (!(extent.end > at)) return -ERRNO.EIO;
    at = extent.end;
  }
  return data ? -ERRNO.ENXIO : size;
}
async function replyStatfs({ backend, state }, reply) {
  const { allocated } = await backend.stat();
  const size = state.size;
  const blocks = Math.ceil(size / STATFS_BLOCK);
  const used = Math.ceil(Math.min(allocated ?? size, size) / STATFS_BLOCK);
  const body = reply.zeroed(STATFS_OUT.size);
  KSTATFS.setNumber.blocks(body, 0, blocks);
  KSTATFS.setNumber.bfree(body, 0, blocks - used);
  KSTATFS.setNumber.bavail(body, 0, blocks - used);
  KSTATFS.set.bsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.frsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.namelen(body, 0, NAME_MAX);
  reply.ok(STATFS_OUT.size);
}

// src/export/block_export.ts
var MAX_PAYLOAD = 1 << 20;
var EXPORT_ROOT_MODE = S_IF.REG;
var BlockExport = class {
  /** It never uses a request after its answer; see `RequestHandler`. */
  inPlace = true;
  /** Whether the backend has timers or promises that run between requests. */
  background;
  #context;
  /** The kernel's id of the image if it does the I/O by itself, else 0. */
  #backingId;
  /** Makes the handler of one queue; all queues of an export share `state`. */
  constructor(context) {
    const { backend, rules } = context;
    this.background = backend.background ?? false;
    this.#backingId = rules.backingId ?? 0;
    this.#context = counted2(context);
  }
  /** Answers one request; see `RequestHandler`. */
  handle(request, reply) {
    return this.#backingId !== 0 && dependsOnSize(request.opcode) ? followImage(this.#context).then(() => this.#answer(request, reply)) : this.#answer(request, reply);
  }
  #answer(request, reply) {
    const context = this.#context;
    switch (request.opcode) {
      case OPCODES.READ.opcode:
        return readImage(context, request, reply);
      case OPCODES.WRITE.opcode:
        return writeHandle(context, request, reply);
      case OPCODES.GETATTR.opcode:
        return replyAttributes(context, reply);
      case OPCODES.SETATTR.opcode:
        return setAttributes(context, request, reply);
      case OPCODES.OPEN.opcode:
        return openHandle(context, request, reply);
      case OPCODES.FSYNC.opcode:
        return syncHandle(context, request, reply);
      case OPCODES.FLUSH.opcode:
        return flushHandle(context, request, reply);
      case OPCODES.RELEASE.opcode:
        return releaseHandle(context, request, reply);
      case OPCODES.FALLOCATE.opcode:
        return allocateSpace(context, request, reply);
      case OPCODES.LSEEK.opcode:
        return context.rules.cache === "writeback" ? reply.error(ERRNO.ENOSYS) : seekSpace(context, request, reply);
      case OPCODES.STATFS.opcode:
        return replyStatfs(context, reply);
      case OPCODES.DESTROY.opcode:
        return reply.ok();
      case OPCODES.FORGET.opcode:
      case OPCODES.BATCH_FORGET.opcode:
      case OPCODES.NOTIFY_REPLY.opcode:
        return reply.none();
      case OPCODES.LOOKUP.opcode:
        return reply.error(ERRNO.ENOENT);
      default:
        return reply.error(ERRNO.ENOSYS);
    }
  }
};
function counted2(context) {
  const { splicing, state } = context;
  const canSplice = context.backend.splice !== void 0;
  const spliceFrom = canSplice ? splicing?.from ?? Infinity : Infinity;
  if (context.syncErrors !== void 0) {
    return {
      ...context,
      spliceFrom,
      syncErrors: context.syncErrors
    };
  }
  const { syncErrors } = state;
  const backend = new CountedFlush(context.backend, syncErrors);
  return {
    ...context,
    backend,
    spliceFrom,
    syncErrors
  };
}
function dependsOnSize(opcode) {
  return opcode === OPCODES.GETATTR.opcode || opcode === OPCODES.SETATTR.opcode || opcode === OPCODES.STATFS.opcode || opcode === OPCODES.FALLOCATE.opcode || opcode === OPCODES.LSEEK.opcode;
}

// src/shared_memory/rw_lock.ts
var OWNER2 = 0;
var DOORBELL3 = 1;
var SHARES = 32;
var STRIDE4 = 32;
var REVOKED = -(2 ** 30);
var SharedRwLock = class {
  #words;
  /** Index of this holder's number of shares. */
  #own;
  /** The value of OWNER while this holder owns the lock. */
  #owner;
  /** Callers that wait in this thread; `null` if other threads use the lock. */
  #waiters;
  /** Words of shared memory that a lock takes for a number of holders. */
  static words(holders) {
    return SHARES + STRIDE4 * holders;
  }
  /**
   * Wraps the memory of a lock.
   *
   * @param words {@linkcode SharedRwLock.words} words, zero when it is made.
   */
  constructor(words, { holder = 0, oneThread = false } = {}) {
    this.#words = words;
    this.#own = SHARES + STRIDE4 * holder;
    this.#owner = holder + 1;
    this.#waiters = oneThread ? [] : null;
  }
  /** Shares the lock, unless another caller owns it or is its next owner. */
  tryShare() {
    const words = this.#words;
    const before = Atomics.add(words, this.#own, 1);
    if (before >= 0 && Atomics.load(words, OWNER2) === 0) return true;
    this.unshare();
    return false;
  }
  /** Releases a shared lock. */
  unshare() {
    const words = this.#words;
    const before = Atomics.sub(words, this.#own, 1);
    if (before === 1 && Atomics.load(words, OWNER2) !== 0) this.#wake();
  }
  /**
   * Shares the lock; waits until that is possible.
   *
   * @throws {Error} If this holder was revoked.
   */
  async share() {
    const words = this.#words;
    for (; ; ) {
      const seen = Atomics.load(words, DOORBELL3);
      this.#checkHolder();
      if (Atomics.load(words, OWNER2) === 0 && this.tryShare()) return;
      await this.#wait(seen);
    }
  }
  /**
   * Takes the lock exclusively; waits until all sharers have released it.
   *
   * @throws {Error} If this holder was revoked.
   */
  async lock() {
    const words = this.#words;
    for (; ; ) {
      const seen = Atomics.load(words, DOORBELL3);
      this.#checkHolder();
      if (Atomics.compareExchange(words, OWNER2, 0, this.#owner) === 0) break;
      await this.#wait(seen);
    }
    try {
      for (; ; ) {
        const seen = Atomics.load(words, DOORBELL3);
        this.#checkHolder();
        if (!this.#isShared()) return;
        await this.#wait(seen);
      }
    } catch (error) {
      this.unlock();
      throw error;
    }
  }
  /** Releases an exclusive lock. */
  unlock() {
    Atomics.compareExchange(this.#words, OWNER2, this.#owner, 0);
    this.#wake();
  }
  /**
   * Takes back everything that a holder has, because its thread is dead. What
   * that thread still does with the lock has no effect, and its waiting calls
   * fail.
   *
   * @returns Whether it owned the lock, which this holder now owns instead:
   * what the lock protects may be half changed; mend it, then call
   * {@linkcode SharedRwLock.unlock}.
   */
  revoke(holder) {
    const words = this.#words;
    Atomics.store(words, SHARES + STRIDE4 * holder, REVOKED);
    const owner = holder + 1;
    const before = Atomics.compareExchange(words, OWNER2, owner, this.#owner);
    this.#wake();
    return before === owner;
  }
  #isShared() {
    const words = this.#words;
    for (let at = SHARES; at < words.length; at += STRIDE4) {
      if (Atomics.load(words, at) > 0) return true;
    }
    return false;
  }
  #checkHolder() {
    if (Atomics.load(this.#words, this.#own) >= 0) return;
    throw new Error("The lock was revoked from this thread");
  }
  #wake() {
    futexWake(this.#words, DOORBELL3);
    for (const wake of this.#waiters?.splice(0) ?? []) wake();
  }
  async #wait(seen) {
    const waiters = this.#waiters;
    if (waiters === null) return await futexWait(this.#words, DOORBELL3, seen);
    await new Promise((resolve2) => waiters.push(resolve2));
  }
};

// src/export/open_handles.ts
var HANDLES_MAX = 16384;
var NEXT = 0;
var SLOTS_AT = 2;
var WORDS_OF_SLOT = 2;
var STATE2 = 0;
var SINCE = 1;
var IS_OPEN = 1;
var IS_WRITABLE = 2;
var GENERATION2 = 4;
var LOW_WORD = 0xffffffffn;
var OpenHandles = class {
  /** Words of shared memory that the table takes. */
  static WORDS = SLOTS_AT + HANDLES_MAX * WORDS_OF_SLOT;
  #words;
  /**
   * Wraps the memory of a table.
   *
   * @param words {@linkcode OpenHandles.WORDS} words, zero when it is made.
   */
  constructor(words) {
    this.#words = words;
  }
  /**
   * Opens a handle.
   *
   * @param writable Whether the file was opened for writing.
   * @param since The count of errors up to which it needs not be told.
   * @returns Its number; `null` if the table is full.
   */
  open(writable, since) {
    const words = this.#words;
    const first2 = Atomics.add(words, NEXT, 1) >>> 0;
    for (let i = 0; i < HANDLES_MAX; i++) {
      const slot = (first2 + i) % HANDLES_MAX;
      const at = SLOTS_AT + slot * WORDS_OF_SLOT;
      const free = Atomics.load(words, at + STATE2);
      if ((free & IS_OPEN) !== 0) continue;
      const opened = (free & -GENERATION2) + GENERATION2 | IS_OPEN | (writable ? IS_WRITABLE : 0);
      if (Atomics.compareExchange(words, at + STATE2, free, opened) !== free) {
        continue;
      }
      Atomics.store(words, at + SINCE, since);
      return BigInt(generationOf(opened)) << 32n | BigInt(slot + 1);
    }
    return null;
  }
  /** Whether a number is that of an open handle. */
  has(fh) {
    return this.#find(fh) !== null;
  }
  /** Whether a handle is open for writing. */
  isWritable(fh) {
    const at = this.#find(fh);
    return at !== null && (Atomics.load(this.#words, at + STATE2) & IS_WRITABLE) !== 0;
  }
  /** Whether a handle has not been told of all errors up to a count. */
  hasNews(fh, count2) {
    const at = this.#find(fh);
    return at !== null && isLess(Atomics.load(this.#words, at + SINCE), count2);
  }
  /**
   * Notes that a handle is told of all errors up to a count.
   *
   * @returns Whether there were any; of several callers at once, one gets true.
   */
  tell(fh, count2) {
    const at = this.#find(fh);
    if (at === null) return false;
    const words = this.#words;
    for (; ; ) {
      const since = Atomics.load(words, at + SINCE);
      if (!isLess(since, count2)) return false;
      const found = Atomics.compareExchange(words, at + SINCE, since, count2);
      if (found === since) return true;
    }
  }
  /** Closes a handle; its number is not valid any more. */
  close(fh) {
    const at = this.#find(fh);
    if (at !== null) Atomics.and(this.#words, at + STATE2, -GENERATION2);
  }
  /** The index of an open handle's slot. */
  #find(fh) {
    const slot = Number(fh & LOW_WORD) - 1;
    if (slot < 0 || slot >= HANDLES_MAX) return null;
    const at = SLOTS_AT + slot * WORDS_OF_SLOT;
    const state = Atomics.load(this.#words, at + STATE2);
    const isOpen = (state & IS_OPEN) !== 0;
    return isOpen && BigInt(generationOf(state)) === fh >> 32n ? at : null;
  }
};
function generationOf(state) {
  return state >>> 2;
}
function isLess(since, count2) {
  return (since - count2 | 0) < 0;
}

// src/export/shared_time.ts
var SLOTS2 = 4;
var COUNTERS_BYTES = 8;
var SLOT_WORDS3 = 2;
var MAX_RETRIES = 1e3;
var STARTED = 0;
var FINISHED = 1;
var SharedTime = class {
  /** The bytes that one takes, a multiple of 8. */
  static BYTES = COUNTERS_BYTES + 8 * SLOT_WORDS3 * SLOTS2;
  #counters;
  #slots;
  /**
   * Uses shared memory; zeroes are the time 0.
   *
   * @param memory The memory.
   * @param at Where the time begins, a multiple of 8.
   */
  constructor(memory, at) {
    this.#counters = new Int32Array(memory, at, COUNTERS_BYTES / 4);
    this.#slots = new BigInt64Array(memory, at + COUNTERS_BYTES, SLOT_WORDS3 * SLOTS2);
  }
  /** Nanoseconds since 1970: seconds of 64 bits, and nanoseconds. */
  get value() {
    for (let retries = 0; ; retries++) {
      const write2 = Atomics.load(this.#counters, FINISHED);
      const at = slotOf(write2);
      const seconds = Atomics.load(this.#slots, at);
      const nanoseconds2 = Atomics.load(this.#slots, at + 1);
      const started = Atomics.load(this.#counters, STARTED);
      const isWhole = (started - write2 | 0) < SLOTS2;
      if (isWhole || retries === MAX_RETRIES) {
        return timeOf(seconds, Number(nanoseconds2));
      }
    }
  }
  /** Sets the time. */
  set value(ns) {
    const write2 = Atomics.add(this.#counters, STARTED, 1) + 1 | 0;
    const at = slotOf(write2);
    Atomics.store(this.#slots, at, secondsOf(ns));
    Atomics.store(this.#slots, at + 1, BigInt(nanosecondsOf(ns)));
    this.#finish(write2);
  }
  /** Makes a write the current one, unless a later one is current already. */
  #finish(write2) {
    let current = Atomics.load(this.#counters, FINISHED);
    while ((write2 - current | 0) > 0) {
      const seen = Atomics.compareExchange(this.#counters, FINISHED, current, write2);
      if (seen === current) return;
      current = seen;
    }
  }
};
function slotOf(write2) {
  return (write2 & SLOTS2 - 1) * SLOT_WORDS3;
}

// src/export/export_state.ts
var SIZE_VERSION = 0;
var SIZE_LOW = 1;
var SIZE_HIGH = 2;
var MODE2 = 3;
var UID = 4;
var GID = 5;
var READ_ONLY2 = 6;
var WRITTEN = 7;
var WORDS2 = 8;
var SYNC_ERRORS_AT = 64;
var ATIME_AT = 96;
var MTIME_AT = ATIME_AT + SharedTime.BYTES;
var CHANGED_AT = MTIME_AT + SharedTime.BYTES;
var LAST_WRITE_AT = CHANGED_AT + SharedTime.BYTES;
var HANDLES_AT = LAST_WRITE_AT + SharedTime.BYTES;
var LOCK_AT = Math.ceil((HANDLES_AT + OpenHandles.WORDS * 4) / 128) * 128;
var TWO_3213 = 2 ** 32;
var ANY_WRITE2 = 146;
var ExportState = class _ExportState {
  /** The shared memory, from which other Workers make their own object. */
  memory;
  /**
   * Writes inside the image share it; operations that change the size hold it
   * exclusively, so that no write lands beyond an end that is moving.
   */
  lock;
  /** The handles that clients have opened. */
  handles;
  /** Counts failed flushes where the image's backends do not. */
  syncErrors;
  #words;
  #clock;
  #atime;
  #mtime;
  #changed;
  /** The last write; unlike mtime, no program sets it. */
  #lastWrite;
  /** The size when this thread read it last, and its version. */
  #seenVersion = -1;
  #seenSize = 0;
  /**
   * Wraps memory that {@linkcode ExportState.create} made.
   *
   * @param memory The memory.
   * @param thread The thread that will use this object.
   */
  constructor(memory, { queue, oneThread, clock = systemTime } = {}) {
    this.memory = memory;
    this.#clock = clock;
    this.#words = new Int32Array(memory, 0, WORDS2);
    this.lock = new SharedRwLock(new Int32Array(memory, LOCK_AT), {
      holder: queue === void 0 ? 0 : holderOf(queue),
      ...oneThread === void 0 ? {} : {
        oneThread
      }
    });
    this.handles = new OpenHandles(new Int32Array(memory, HANDLES_AT, OpenHandles.WORDS));
    this.syncErrors = new SyncErrors(new Int32Array(memory, SYNC_ERRORS_AT, SyncErrors.WORDS));
    this.#atime = new SharedTime(memory, ATIME_AT);
    this.#mtime = new SharedTime(memory, MTIME_AT);
    this.#changed = new SharedTime(memory, CHANGED_AT);
    this.#lastWrite = new SharedTime(memory, LAST_WRITE_AT);
  }
  /** Makes the state of a new export. */
  static create(options) {
    const { queues = 0, oneThread = false, clock = systemTime } = options;
    const words = SharedRwLock.words(1 + queues);
    const memory = new SharedArrayBuffer(LOCK_AT + 4 * words);
    const state = new _ExportState(memory, {
      oneThread,
      clock
    });
    state.size = options.size;
    state.mode = options.mode;
    state.uid = options.uid;
    state.gid = options.gid;
    const now = clock();
    state.#set(now, now);
    state.#lastWrite.value = now;
    return state;
  }
  /**
   * Takes the lock back from the thread of a queue that has ended, as
   * {@linkcode SharedRwLock.revoke} does.
   */
  revokeLock(queue) {
    return this.lock.revoke(holderOf(queue));
  }
  /** Size of the file in bytes. */
  get size() {
    const words = this.#words;
    for (; ; ) {
      const version = Atomics.load(words, SIZE_VERSION);
      if (version === this.#seenVersion) return this.#seenSize;
      const low = Atomics.load(words, SIZE_LOW);
      const high = Atomics.load(words, SIZE_HIGH);
      const settled = (version & 1) === 0 && Atomics.load(words, SIZE_VERSION) === version;
      if (!settled) continue;
      this.#seenVersion = version;
      this.#seenSize = high * TWO_3213 + (low >>> 0);
    }
  }
  /** Sets the size. Caller holds the lock exclusively. */
  set size(bytes2) {
    Atomics.or(this.#words, SIZE_VERSION, 1);
    Atomics.store(this.#words, SIZE_LOW, bytes2 % TWO_3213 | 0);
    Atomics.store(this.#words, SIZE_HIGH, Math.floor(bytes2 / TWO_3213));
    Atomics.add(this.#words, SIZE_VERSION, 1);
  }
  /** Whether a writable export refuses changes from now on. */
  get readOnly() {
    return Atomics.load(this.#words, READ_ONLY2) !== 0;
  }
  /** Refuses changes from now on. Caller holds the lock exclusively. */
  makeReadOnly() {
    Atomics.store(this.#words, READ_ONLY2, 1);
    this.mode &= ~ANY_WRITE2;
    this.changed();
  }
  /** Permission bits, without the file's type. */
  get mode() {
    return Atomics.load(this.#words, MODE2);
  }
  /** Sets the permission bits; others are dropped. */
  set mode(bits) {
    Atomics.store(this.#words, MODE2, bits & 4095);
  }
  /** Clears permission bits; changes of the others by other threads are kept. */
  clearModeBits(bits) {
    Atomics.and(this.#words, MODE2, ~bits);
  }
  /** The owner's user id. */
  get uid() {
    return Atomics.load(this.#words, UID) >>> 0;
  }
  /** Sets the owner. */
  set uid(id) {
    Atomics.store(this.#words, UID, id | 0);
  }
  /** The group's id. */
  get gid() {
    return Atomics.load(this.#words, GID) >>> 0;
  }
  /** Sets the group. */
  set gid(id) {
    Atomics.store(this.#words, GID, id | 0);
  }
  /** Time of the last access, as it was set; nanoseconds since 1970. */
  get atime() {
    return this.#atime.value;
  }
  /** Time of the last write, nanoseconds since 1970. */
  get mtime() {
    this.stampWrites();
    return this.#mtime.value;
  }
  /** Time of the last write or change of attributes. */
  get ctime() {
    this.stampWrites();
    const { changedAt } = this;
    const lastWrite = this.#lastWrite.value;
    return lastWrite > changedAt ? lastWrite : changedAt;
  }
  /** Time of the last change of attributes; 0 if there was none. */
  get changedAt() {
    return this.#changed.value;
  }
  /**
   * Notes that bytes changed. POSIX allows to mark the time for update only;
   * reading the clock at each write would allocate.
   */
  written() {
    const words = this.#words;
    if (words[WRITTEN] === 0) Atomics.store(words, WRITTEN, 1);
  }
  /** Updates the time of the last write if it is marked; on close and stat. */
  stampWrites() {
    if (Atomics.exchange(this.#words, WRITTEN, 0) === 1) {
      const now = this.#clock();
      this.#mtime.value = now;
      this.#lastWrite.value = now;
    }
  }
  /** Notes that an attribute changed. */
  changed() {
    this.#changed.value = this.#clock();
  }
  /** Sets times, which changes the attributes too. */
  touch(atime, mtime) {
    const now = this.#clock();
    this.#set(atime === "now" ? now : atime, mtime === "now" ? now : mtime);
    this.#changed.value = now;
  }
  #set(atime, mtime) {
    if (atime !== null) this.#atime.value = atime;
    if (mtime !== null) {
      Atomics.store(this.#words, WRITTEN, 0);
      this.#mtime.value = mtime;
    }
  }
};
function holderOf(queue) {
  return queue + 1;
}

// src/linux/syscall/file_clock.ts
var MFD_CLOEXEC = 1;
var CLOCK_REALTIME_COARSE = 5;
function fileTime() {
  const fd = libc().memfd_create(cString("mqfuse-time"), MFD_CLOEXEC);
  if (fd < 0) return tickTime();
  try {
    const status3 = statxDescriptor(fd);
    return typeof status3 === "number" ? tickTime() : status3.mtime;
  } finally {
    closeDescriptor(fd);
  }
}
function tickTime() {
  const time2 = new BigInt64Array(new ArrayBuffer(16));
  libc().clock_gettime(CLOCK_REALTIME_COARSE, time2);
  return timeOf(time2[0], Number(time2[1]));
}

// src/filesystem/request_caller.ts
var RequestCaller = class {
  uid = 0;
  gid = 0;
  pid = 0;
  umask = 0;
  #sources;
  #time = null;
  #isInterrupted = false;
  #controller = null;
  /** Makes one that is not bound to a request yet: root. */
  constructor(sources) {
    this.#sources = sources;
  }
  /** Takes over the ids of a request. */
  bind(request) {
    this.#time = null;
    this.uid = request.uid;
    this.gid = request.gid;
    this.pid = request.pid;
    this.umask = this.#sources.umaskOf?.(request) ?? 0;
    this.#isInterrupted = false;
    this.#controller = null;
  }
  get time() {
    return this.#time ??= this.#sources.now();
  }
  get groups() {
    return this.#sources.groupsOf(this.pid);
  }
  get signal() {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isInterrupted) this.#controller.abort();
    }
    return this.#controller.signal;
  }
  /** Fires the signal: INTERRUPT, or the time-out of the request. */
  interrupt() {
    this.#isInterrupted = true;
    this.#controller?.abort();
  }
};

// src/filesystem/backing_files.ts
var BackingTable = class {
  #files;
  #opened = /* @__PURE__ */ new Map();
  /** Which open files are counted: those of direct I/O are not. */
  #counted = /* @__PURE__ */ new Set();
  /** Makes a table without open nodes. */
  constructor(files) {
    this.#files = files;
  }
  /**
   * Counts an open file of a node.
   *
   * @param fh The number of the open file.
   * @param fd A descriptor of its backing file; `null` if it has none.
   * @returns The `backing_id` for the reply to OPEN, or `null`.
   */
  open(node, fh, fd) {
    this.#counted.add(fh);
    let opened = this.#opened.get(node);
    if (opened === void 0) {
      const id = fd === null ? null : this.#files.open(fd);
      opened = {
        id,
        opens: 0
      };
      this.#opened.set(node, opened);
    }
    opened.opens++;
    return opened.id;
  }
  /** Counts that an open file of a node was released, if it was counted. */
  release(node, fh) {
    if (!this.#counted.delete(fh)) return;
    const opened = this.#opened.get(node);
    if (opened === void 0 || --opened.opens > 0) return;
    this.#opened.delete(node);
    if (opened.id !== null) this.#files.close(opened.id);
  }
};

// src/filesystem/handle_table.ts
var NO_HANDLE = 0;
var HandleTable = class {
  #open = /* @__PURE__ */ new Map();
  #last = NO_HANDLE;
  /** The number of open ones. */
  get size() {
    return this.#open.size;
  }
  /** Gives a handle a number, which is never that of another one. */
  add(handle) {
    this.#open.set(++this.#last, handle);
    return this.#last;
  }
  /** The handle of a number; `undefined` for {@linkcode NO_HANDLE}. */
  get(fh) {
    return fh === NO_HANDLE ? void 0 : this.#open.get(fh);
  }
  /** Takes a handle out. */
  remove(fh) {
    const handle = this.get(fh);
    this.#open.delete(fh);
    return handle;
  }
};

// src/filesystem/node_table.ts
var ROOT_ID2 = Number(FUSE_ROOT_ID);
var NodeTable = class {
  #ids = /* @__PURE__ */ new WeakMap();
  #known = /* @__PURE__ */ new Map();
  #lastId = ROOT_ID2;
  /** Makes a table in which the kernel knows the root, which it never forgets. */
  constructor(root) {
    this.#ids.set(root, ROOT_ID2);
    this.#known.set(ROOT_ID2, {
      node: root,
      lookups: Infinity
    });
  }
  /** The number of nodes that the kernel knows, the root included. */
  get size() {
    return this.#known.size;
  }
  /**
   * The node of an id that came with a request.
   *
   * @throws {Errno} ESTALE if the kernel has forgotten it.
   */
  get(id) {
    const known = this.#known.get(id);
    if (known === void 0) throw new Errno("ESTALE");
    return known.node;
  }
  /** The id of a node; a new one at the first call. */
  idOf(node) {
    let id = this.#ids.get(node);
    if (id === void 0) {
      id = ++this.#lastId;
      this.#ids.set(node, id);
    }
    return id;
  }
  /** The id of a node if the kernel knows it. */
  knownId(node) {
    const id = this.#ids.get(node);
    return id !== void 0 && this.#known.has(id) ? id : null;
  }
  /** How often the kernel has looked up a node. */
  lookups(node) {
    return this.#known.get(this.idOf(node))?.lookups ?? 0;
  }
  /** Counts a lookup: a reply has passed the node's id to the kernel. */
  remember(node) {
    const id = this.idOf(node);
    const known = this.#known.get(id);
    if (known === void 0) this.#known.set(id, {
      node,
      lookups: 1
    });
    else known.lookups++;
  }
  /**
   * Takes back lookups: FORGET.
   *
   * @returns The node, if the kernel knows it no longer.
   */
  forget(id, lookups) {
    const known = this.#known.get(id);
    if (known === void 0) return null;
    known.lookups -= lookups;
    if (known.lookups > 0) return null;
    this.#known.delete(id);
    return known.node;
  }
};

// src/filesystem/context.ts
var CHANGING = [
  "setattr",
  "create",
  "tmpfile",
  "mkdir",
  "mknod",
  "symlink",
  "link",
  "unlink",
  "rmdir",
  "rename",
  "write",
  "fallocate",
  "setxattr",
  "removexattr"
];
function isReadOnly(fs) {
  return CHANGING.every((method) => fs[method] === void 0);
}
var FileSystemContext = class {
  fs;
  rules;
  nodes;
  handles = new HandleTable();
  streams = new HandleTable();
  /** `null` if requests carry all data. */
  backing;
  /** As that of {@linkcode ContextServices}. */
  enforcesAcls;
  /** As that of {@linkcode ContextServices}. */
  privilegesKilled;
  isReadOnly;
  /** As {@linkcode ContextServices.groupsOf}. */
  groupsOf;
  /** As {@linkcode ContextServices.wakePoll}. */
  wakePoll;
  /**
   * Sent with each node id. An NFS client that kept an id of an earlier session
   * must not reach another node.
   */
  generation;
  /** Makes the state of a file system that is not in use yet. */
  constructor(fs, rules, { backingFiles = null, enforcesAcls = false, privilegesKilled, groupsOf = () => [], wakePoll = () => {
  } }) {
    this.fs = fs;
    this.rules = rules;
    this.nodes = new NodeTable(fs.root);
    this.backing = backingFiles === null || fs.backing === void 0 ? null : new BackingTable(backingFiles);
    this.enforcesAcls = enforcesAcls;
    this.privilegesKilled = privilegesKilled ?? null;
    this.isReadOnly = isReadOnly(fs);
    this.groupsOf = groupsOf;
    this.wakePoll = wakePoll;
    this.generation = BigInt.asUintN(64, rules.now());
  }
  /** The error for a method that changes something and is left out. */
  refusal(otherwise) {
    return new Errno(this.isReadOnly ? "EROFS" : otherwise);
  }
};

// src/filesystem/answer.ts
function isLater2(value2) {
  return typeof value2 === "object" && value2 !== null && typeof value2.then === "function";
}
function andThen(value2, next) {
  return isLater2(value2) ? value2.then(next) : next(value2);
}
function orElse(call3, next) {
  try {
    const value2 = call3();
    return isLater2(value2) ? value2.then(void 0, next) : value2;
  } catch (error) {
    return next(error);
  }
}

// src/filesystem/kill_privileges.ts
var GROUP_EXECUTE = 8;
function unprivilegedMode(mode) {
  const isGroup = (mode & GROUP_EXECUTE) !== 0;
  return mode & ~(isGroup ? S_IS.UID | S_IS.GID : S_IS.UID);
}
function killPrivileges({ fs, nodes, privilegesKilled }, node, caller) {
  return andThen(fs.getattr(node, caller), ({ mode }) => {
    const rest = unprivilegedMode(mode);
    if (rest === mode) return;
    const changes = {
      mode: rest,
      ctime: caller.time
    };
    return andThen(fs.setattr?.(node, changes, caller), () => {
      privilegesKilled?.(nodes.idOf(node));
    });
  });
}

// src/filesystem/request_fields.ts
var NODEID_AT = accessors("fuse_in_header").at.nodeid;
var TWO_3214 = 2 ** 32;
function nodeIdOf(request) {
  return idAt(request.header, NODEID_AT);
}
function idAt(view2, at) {
  return view2.getUint32(at, true) + view2.getUint32(at + 4, true) * TWO_3214;
}

// src/filesystem/operations/data.ts
var READ_IN5 = accessors("fuse_read_in");
var WRITE_IN7 = accessors("fuse_write_in");
var WRITE_OUT6 = accessors("fuse_write_out");
var FALLOCATE_IN2 = accessors("fuse_fallocate_in");
var LSEEK_IN2 = accessors("fuse_lseek_in");
var read = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.read === void 0) throw new Errno("EINVAL");
  const into = firstBytes(reply.data, READ_IN5.get.size(body));
  const handle = handles2.get(idAt(body, READ_IN5.at.fh));
  const offset = READ_IN5.number.offset(body);
  const result3 = fs.read(node, into, offset, caller, handle);
  if (typeof result3 === "number") return reply.ok(result3);
  return replyBytes(reply, into, result3);
};
function replyBytes(reply, into, result3) {
  return andThen(result3, (read2) => {
    if (typeof read2 === "number") return reply.ok(read2);
    if (read2.length > into.length) {
      throw new RangeError(`read() returned ${read2.length} bytes, and ${into.length} were wanted`);
    }
    into.set(read2);
    reply.ok(read2.length);
  });
}
var write = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.write === void 0) throw new Errno("EROFS");
  const data = firstBytes(request.data, WRITE_IN7.get.size(body));
  const handle = handles2.get(idAt(body, WRITE_IN7.at.fh));
  const offset = WRITE_IN7.number.offset(body);
  if (offset + data.length > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
  if ((WRITE_IN7.get.write_flags(body) & FUSE_WRITE.KILL_SUIDGID) !== 0) {
    const killed = killPrivileges(context, node, caller);
    if (isLater2(killed)) {
      return killed.then(() => fs.write(node, data, offset, caller, handle)).then((count2) => replyCount(reply, count2 ?? data.length));
    }
  }
  const written = fs.write(node, data, offset, caller, handle);
  if (written === void 0) return replyCount(reply, data.length);
  if (typeof written === "number") return replyCount(reply, written);
  return replyCountLater(reply, data.length, written);
};
function replyCountLater(reply, all, written) {
  return written.then((count2) => replyCount(reply, count2 ?? all));
}
function replyCount(reply, count2) {
  if (count2 >>> 0 !== count2) {
    throw new RangeError(`write() returned ${count2}, which is no count`);
  }
  WRITE_OUT6.set.size(reply.body, 0, count2);
  WRITE_OUT6.set.padding(reply.body, 0, 0);
  reply.ok(WRITE_OUT6.size);
}
var parts = /* @__PURE__ */ new WeakMap();
function firstBytes(bytes2, count2) {
  if (bytes2.length === count2) return bytes2;
  const last = parts.get(bytes2);
  if (last?.length === count2) return last;
  const part2 = bytes2.subarray(0, count2);
  parts.set(bytes2, part2);
  return part2;
}
var fallocate = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.fallocate === void 0) return reply.error(ERRNO.ENOSYS);
  const offset = FALLOCATE_IN2.number.offset(body);
  const length2 = FALLOCATE_IN2.number.length(body);
  if (offset + length2 > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
  const mode = FALLOCATE_IN2.get.mode(body);
  const handle = handles2.get(idAt(body, FALLOCATE_IN2.at.fh));
  const killed = context.privilegesKilled !== null && caller.uid !== 0 ? killPrivileges(context, node, caller) : void 0;
  return andThen(killed, () => {
    const done = fs.fallocate(node, mode, offset, length2, caller, handle);
    return andThen(done, () => reply.ok());
  });
};
var lseek = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  if (fs.seekData === void 0 || fs.seekHole === void 0) {
    return reply.error(ERRNO.ENOSYS);
  }
  const offset = LSEEK_IN2.number.offset(body);
  const whence = LSEEK_IN2.get.whence(body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) throw new Errno("EINVAL");
  const handle = handles2.get(idAt(body, LSEEK_IN2.at.fh));
  const found = whence === SEEK.DATA ? fs.seekData(node, offset, caller, handle) : fs.seekHole(node, offset, caller, handle);
  return andThen(found, (position) => {
    if (position === null) throw new Errno("ENXIO");
    reply.struct("fuse_lseek_out", {
      offset: BigInt(position)
    });
  });
};

// src/filesystem/operations/devices.ts
var IOCTL_IN4 = accessors("fuse_ioctl_in");
var IOCTL_OUT2 = accessors("fuse_ioctl_out");
var POLL_IN = accessors("fuse_poll_in");
var ioctl = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  if (fs.ioctl === void 0) throw new Errno("ENOTTY");
  if (IOCTL_IN4.get.flags(body) & FUSE_IOCTL.UNRESTRICTED) {
    throw new Errno("ENOTTY");
  }
  const node = nodes.get(nodeIdOf(request));
  const isDirectory = (IOCTL_IN4.get.flags(body) & FUSE_IOCTL.DIR) !== 0;
  const handle = isDirectory ? void 0 : handles2.get(idAt(body, IOCTL_IN4.at.fh));
  const command = IOCTL_IN4.get.cmd(body);
  const tail = request.tailView();
  const size = IOCTL_IN4.get.in_size(body);
  const input = new Uint8Array(tail.buffer, tail.byteOffset, size).slice();
  const room3 = IOCTL_IN4.get.out_size(body);
  const done = fs.ioctl(node, command, input, caller, handle);
  return andThen(done, (output) => {
    const bytes2 = output ?? new Uint8Array();
    if (bytes2.length > room3) {
      throw new RangeError(`ioctl() returned ${bytes2.length} bytes, and ${room3} were wanted`);
    }
    writeStruct("fuse_ioctl_out", reply.body, 0, {});
    reply.data.set(bytes2, IOCTL_OUT2.size);
    reply.ok(IOCTL_OUT2.size + bytes2.length);
  });
};
var poll = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2, wakePoll } = context;
  const { body } = request;
  if (fs.poll === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const handle = handles2.get(idAt(body, POLL_IN.at.fh));
  const kh = POLL_IN.get.kh(body);
  const waits = (POLL_IN.get.flags(body) & FUSE_POLL.SCHEDULE_NOTIFY) !== 0;
  const wake = waits ? () => wakePoll(kh) : null;
  const events = POLL_IN.get.events(body);
  const ready = fs.poll(node, events, wake, caller, handle);
  return andThen(ready, (revents) => {
    reply.struct("fuse_poll_out", {
      revents
    });
  });
};

// src/filesystem/directory_stream.ts
var DOTS = [
  ".",
  ".."
];
var DirectoryStream = class {
  #open;
  #items = [];
  /** Their names: one that is replaced meanwhile may come again. */
  #names = /* @__PURE__ */ new Set();
  #iterator = null;
  #isAtEnd = false;
  /** Whether the listing was begun by an earlier request. */
  isStale = false;
  /**
   * Opens a directory.
   *
   * @param open Begins to read the entries.
   */
  constructor(open2) {
    this.#open = open2;
  }
  /** Begins a request that reads from a position. */
  start(position) {
    this.isStale = position > 0 && this.#iterator !== null;
    if (position > 0) return;
    return andThen(this.close(), () => {
      this.#items.length = 0;
      this.#names.clear();
      this.#isAtEnd = false;
    });
  }
  /** The entry with an index, less the dots; `null` beyond the last one. */
  item(index, caller) {
    const known = this.#items[index];
    if (known !== void 0) return known;
    if (this.#isAtEnd) return null;
    if (this.#iterator !== null) {
      return this.#next(this.#iterator, index, caller);
    }
    return andThen(this.#open(caller), (entries2) => {
      this.#iterator = iterate(entries2);
      return this.#next(this.#iterator, index, caller);
    });
  }
  /** Ends the listing: the iterator of the file system is told. */
  close() {
    const iterator = this.#iterator;
    this.#iterator = null;
    if (this.#isAtEnd) return;
    return andThen(iterator?.return?.(), () => {
    });
  }
  #next(iterator, index, caller) {
    for (; ; ) {
      const result3 = iterator.next();
      if (isLater2(result3)) {
        return result3.then((result4) => this.#take(result4, index, caller));
      }
      if (this.#add(result3)) return null;
      const item = this.#items[index];
      if (item !== void 0) return item;
    }
  }
  /** Takes what came later, and goes on if that was not far enough. */
  #take(result3, index, caller) {
    return this.#add(result3) ? null : this.item(index, caller);
  }
  /** Keeps the next entry; returns whether there is none. */
  #add(result3) {
    if (result3.done) {
      this.#isAtEnd = true;
    } else if (!this.#names.has(result3.value[0])) {
      this.#names.add(result3.value[0]);
      this.#items.push(result3.value);
    }
    return this.#isAtEnd;
  }
};
function iterate(entries2) {
  return Symbol.asyncIterator in entries2 ? entries2[Symbol.asyncIterator]() : entries2[Symbol.iterator]();
}

// src/filesystem/names.ts
function entryName(request, index = 0) {
  const bytes2 = request.nameBytes(index);
  if (bytes2.length > NAME_MAX) throw new Errno("ENAMETOOLONG");
  return decodeName(bytes2);
}
function textOf4(request, index = 0) {
  return decodeName(request.nameBytes(index));
}
function wireName(name) {
  return name.isWellFormed() ? name : encodeName(name);
}

// src/filesystem/wire_attr.ts
var AT2 = accessors("fuse_attr").at;
var BLOCK_SIZE = 512;
var NS_PER_MS_NUMBER = Number(NS_PER_MS);
var NS_PER_S_NUMBER = Number(NS_PER_S);
var TWO_3215 = 2 ** 32;
function writeAttr(view2, base, attr2, id) {
  const { size = 0, mtime = 0n, atime = mtime, ctime = mtime } = attr2;
  write64(view2, base + AT2.ino, attr2.ino ?? id, "ino");
  write64(view2, base + AT2.size, size, "size");
  write64(view2, base + AT2.blocks, attr2.blocks ?? blocksOf2(size), "blocks");
  writeTime(view2, base + AT2.atime, base + AT2.atimensec, atime, "atime");
  writeTime(view2, base + AT2.mtime, base + AT2.mtimensec, mtime, "mtime");
  writeTime(view2, base + AT2.ctime, base + AT2.ctimensec, ctime, "ctime");
  write32(view2, base + AT2.mode, attr2.mode, "mode");
  write32(view2, base + AT2.nlink, attr2.nlink ?? 1, "nlink");
  write32(view2, base + AT2.uid, attr2.uid ?? 0, "uid");
  write32(view2, base + AT2.gid, attr2.gid ?? 0, "gid");
  write32(view2, base + AT2.rdev, attr2.rdev ?? 0, "rdev");
  write32(view2, base + AT2.blksize, attr2.blksize ?? PAGE_SIZE, "blksize");
  view2.setUint32(base + AT2.flags, 0, true);
}
function blocksOf2(size) {
  return Math.ceil(Number(size) / BLOCK_SIZE);
}
function write32(view2, at, value2, field) {
  if (value2 >>> 0 !== value2) throw unfit(field, value2);
  view2.setUint32(at, value2, true);
}
function write64(view2, at, value2, field) {
  if (typeof value2 === "bigint") {
    if (BigInt.asUintN(64, value2) !== value2) throw unfit(field, value2);
    view2.setBigUint64(at, value2, true);
    return;
  }
  if (!Number.isSafeInteger(value2) || value2 < 0) throw unfit(field, value2);
  view2.setUint32(at, value2 >>> 0, true);
  view2.setUint32(at + 4, value2 / TWO_3215, true);
}
function writeTime(view2, at, nanosecondsAt, time2, field) {
  if (typeof time2 === "bigint") {
    const seconds2 = secondsOf(time2);
    if (BigInt.asIntN(64, seconds2) !== seconds2) throw unfit(field, time2);
    view2.setBigInt64(at, seconds2, true);
    view2.setUint32(nanosecondsAt, nanosecondsOf(time2), true);
    return;
  }
  const { seconds, nanoseconds: nanoseconds2 } = time2 instanceof Date ? timespecOf(time2) : time2;
  const fits = nanoseconds2 >>> 0 === nanoseconds2 && nanoseconds2 < NS_PER_S_NUMBER;
  if (!Number.isSafeInteger(seconds) || !fits) throw unfit(field, seconds);
  view2.setUint32(at, seconds >>> 0, true);
  view2.setInt32(at + 4, Math.floor(seconds / TWO_3215), true);
  view2.setUint32(nanosecondsAt, nanoseconds2, true);
}
function timespecOf(date) {
  const ms = date.getTime();
  const seconds = Math.floor(ms / MS_PER_S);
  return {
    seconds,
    nanoseconds: (ms - seconds * MS_PER_S) * NS_PER_MS_NUMBER
  };
}
function unfit(field, value2) {
  const shown = typeof value2 === "bigint" ? `${value2}n` : String(value2);
  return new RangeError(`the attribute ${field} has to be a whole number that fits, not ${shown}`);
}
function wireStatFs(space) {
  const bsize = space.bsize ?? PAGE_SIZE;
  const bfree = BigInt(space.bfree ?? 0);
  return {
    bsize,
    frsize: bsize,
    blocks: BigInt(space.blocks ?? 0),
    bfree,
    bavail: BigInt(space.bavail ?? bfree),
    files: BigInt(space.files ?? 0),
    ffree: BigInt(space.ffree ?? 0),
    namelen: space.namelen ?? NAME_MAX
  };
}

// src/filesystem/replies.ts
var ATTR3 = accessors("fuse_attr_out");
var ENTRY6 = accessors("fuse_entry_out");
var OPEN_SIZE = sizeOf("fuse_open_out");
function replyAttr({ nodes, rules }, reply, node, attr2) {
  const { body } = reply;
  ATTR3.set.attr_valid(body, 0, rules.attr.seconds);
  ATTR3.set.attr_valid_nsec(body, 0, rules.attr.nanoseconds);
  ATTR3.set.dummy(body, 0, 0);
  writeAttr(body, ATTR3.at.attr, attr2, nodes.idOf(node));
  reply.ok(ATTR3.size);
}
function replyEntry(context, reply, node, attr2) {
  writeEntry(context, reply.body, node, attr2);
  reply.ok(ENTRY6.size);
  context.nodes.remember(node);
}
function replyOpenEntry(context, reply, node, attr2, open2) {
  writeEntry(context, reply.body, node, attr2);
  writeStruct("fuse_open_out", reply.body, ENTRY6.size, open2);
  reply.ok(ENTRY6.size + OPEN_SIZE);
  context.nodes.remember(node);
}
function writeEntry({ nodes, rules, generation }, view2, node, attr2) {
  const id = nodes.idOf(node);
  ENTRY6.set.nodeid(view2, 0, BigInt(id));
  ENTRY6.set.generation(view2, 0, generation);
  ENTRY6.set.entry_valid(view2, 0, rules.entry.seconds);
  ENTRY6.set.attr_valid(view2, 0, rules.attr.seconds);
  ENTRY6.set.entry_valid_nsec(view2, 0, rules.entry.nanoseconds);
  ENTRY6.set.attr_valid_nsec(view2, 0, rules.attr.nanoseconds);
  writeAttr(view2, ENTRY6.at.attr, attr2, id);
}

// src/filesystem/operations/listing.ts
var READ_IN6 = accessors("fuse_read_in");
var RELEASE_IN2 = accessors("fuse_release_in");
var ENTRY7 = new EntryMemory();
var NO_ENTRY = new EntryMemory();
var UNKNOWN_INO = 4294967295;
var UNKNOWN_TYPE = 0;
var opendir = ({ fs, nodes, streams }, request, reply) => {
  const directory = nodes.get(nodeIdOf(request));
  const stream = new DirectoryStream((caller) => {
    if (fs.readdir === void 0) throw new Errno("ENOSYS");
    return fs.readdir(directory, caller);
  });
  reply.struct("fuse_open_out", {
    fh: BigInt(streams.add(stream))
  });
};
var releasedir = ({ streams }, request, reply) => {
  const stream = streams.remove(idAt(request.body, RELEASE_IN2.at.fh));
  return andThen(stream?.close(), () => reply.ok());
};
var readdir = (context, request, reply, caller) => {
  return new Listing(context, request, reply, caller, false).answer();
};
var readdirplus = (context, request, reply, caller) => {
  return new Listing(context, request, reply, caller, true).answer();
};
var Listing = class {
  #context;
  #reply;
  #caller;
  #plus;
  #directory;
  #stream;
  #start;
  #writer;
  /** Nodes in the reply whose lookups count once it is answered. */
  #passedOn = [];
  constructor(context, { header, body }, reply, caller, plus) {
    const stream = context.streams.get(idAt(body, READ_IN6.at.fh));
    if (stream === void 0) throw new Errno("EBADF");
    this.#context = context;
    this.#reply = reply;
    this.#caller = caller;
    this.#plus = plus;
    this.#directory = context.nodes.get(nodeIdOf({
      header
    }));
    this.#stream = stream;
    this.#start = READ_IN6.number.offset(body);
    this.#writer = new DirentWriter(reply.data, READ_IN6.get.size(body));
  }
  answer() {
    const started = this.#stream.start(this.#start);
    const filled = andThen(started, () => this.#fill(this.#start));
    return andThen(filled, () => {
      this.#reply.ok(this.#writer.length);
      for (const node of this.#passedOn) this.#context.nodes.remember(node);
    });
  }
  /** Adds entries from a position on, until the reply is full. */
  #fill(position) {
    for (; ; position++) {
      const added = this.#add(position);
      if (isLater2(added)) {
        return added.then((hasRoom) => {
          if (hasRoom) return this.#fill(position + 1);
        });
      }
      if (!added) return;
    }
  }
  /** Adds what is at a position; returns whether to go on. */
  #add(position) {
    if (position < DOTS.length) return this.#addDot(position);
    return andThen(this.#item(position), (item) => {
      if (item === null) return false;
      const [name, , hint] = item;
      if (!this.#plus && hint !== void 0) {
        return this.#writeDirent(position, name, NO_ENTRY, hint.ino ?? UNKNOWN_INO, direntType(hint.mode));
      }
      return andThen(this.#nodeNow(item), (node) => {
        if (node === null) return true;
        return andThen(this.#attrOf(node), (attr2) => {
          const added = this.#write(position, name, node, attr2);
          if (item[1] === null) this.#dropUnknown(node);
          return added;
        });
      });
    });
  }
  #item(position) {
    return this.#stream.item(position - DOTS.length, this.#caller);
  }
  #addDot(position) {
    const { nodes } = this.#context;
    const name = DOTS[position];
    const ino = name === "." ? nodes.idOf(this.#directory) : UNKNOWN_INO;
    return this.#writeDirent(position, name, NO_ENTRY, ino, direntType(S_IF.DIR));
  }
  /**
   * The node of an entry; `null` if it is there no longer. READDIRPLUS makes the
   * kernel believe that a name exists, so what an earlier request may have read
   * is looked up again, as is what was listed without its node.
   */
  #nodeNow([name, node]) {
    const { fs } = this.#context;
    const isKnown = node !== null && (!this.#plus || !this.#stream.isStale);
    if (isKnown || fs.lookup === void 0) return node;
    return orElse(() => fs.lookup(this.#directory, name, this.#caller), nothingIfKnown);
  }
  /** Lets a node go that was looked up for a reply that has no room for it. */
  #dropUnknown(node) {
    const { fs, nodes } = this.#context;
    const isPassedOn = this.#passedOn.at(-1) === node;
    if (!isPassedOn && nodes.knownId(node) === null) fs.forget?.(node);
  }
  #attrOf(node) {
    const { fs } = this.#context;
    return orElse(() => fs.getattr(node, this.#caller), nothingIfKnown);
  }
  #write(position, name, node, attr2) {
    const context = this.#context;
    const id = context.nodes.idOf(node);
    const ino = attr2?.ino ?? id;
    const type = attr2 === null ? UNKNOWN_TYPE : direntType(attr2.mode);
    const isPassedOn = this.#plus && attr2 !== null;
    if (isPassedOn) writeEntry(context, ENTRY7.view, node, attr2);
    const entry2 = isPassedOn ? ENTRY7 : NO_ENTRY;
    const added = this.#writeDirent(position, name, entry2, ino, type);
    if (added && isPassedOn) this.#passedOn.push(node);
    return added;
  }
  #writeDirent(position, name, entry2, number2, type) {
    const writer = this.#writer;
    const text = wireName(name);
    const ino = BigInt(number2);
    const next = BigInt(position + 1);
    return this.#plus ? writer.addPlus(text, entry2, ino, next, type) : writer.add(text, ino, next, type);
  }
};
function nothingIfKnown(error) {
  if (knownErrnoOf(error) === null) throw error;
  return null;
}

// src/filesystem/lock.ts
var KINDS4 = [
  "shared",
  "exclusive",
  "none"
];
var LOCK_END_MAX = 2n ** 63n - 1n;
function lockKindOf(type) {
  return KINDS4[type] ?? null;
}
function lockType(kind) {
  return KINDS4.indexOf(kind);
}

// src/filesystem/operations/locking.ts
var LK_IN = accessors("fuse_lk_in");
var getlk = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  if (fs.conflictingLock === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const handle = handles2.get(idAt(request.body, LK_IN.at.fh));
  const found = fs.conflictingLock(node, lockOf(request), caller, handle);
  return andThen(found, (lock) => {
    const { start, end, kind, pid } = lock ?? {
      start: 0n,
      end: 0n,
      kind: "none",
      pid: 0
    };
    reply.struct("fuse_lk_out", {
      lk: {
        start,
        end,
        type: lockType(kind),
        pid
      }
    });
  });
};
var setlk = (context, request, reply, caller) => {
  const done = setLock2(context, request, caller, false);
  return andThen(done, () => reply.ok());
};
var setlkw = (context, request, reply, caller) => {
  const done = setLock2(context, request, caller, true);
  return andThen(done, () => reply.ok());
};
function setLock2({ fs, nodes, handles: handles2 }, request, caller, wait) {
  if (fs.lock === void 0) throw new Errno("ENOSYS");
  const node = nodes.get(nodeIdOf(request));
  const handle = handles2.get(idAt(request.body, LK_IN.at.fh));
  return fs.lock(node, lockOf(request), wait, caller, handle);
}
function lockOf(request) {
  const { owner, lk, lk_flags } = decodeStruct("fuse_lk_in", request.body);
  const kind = lockKindOf(lk.type);
  if (kind === null) throw new Errno("EINVAL");
  return {
    kind,
    start: lk.start,
    end: lk.end,
    owner,
    pid: lk.pid,
    isFlock: (lk_flags & FUSE_LK.FLOCK) !== 0
  };
}
function unlockAll({ fs }, node, owner, isFlock, caller, handle) {
  const { pid } = caller;
  const all = {
    start: 0n,
    end: LOCK_END_MAX,
    owner,
    pid,
    isFlock
  };
  return fs.lock?.(node, {
    ...all,
    kind: "none"
  }, false, caller, handle);
}

// src/filesystem/make_node.ts
function makeNode(context, directory, name, mode, rdev, caller, refusal5 = "EPERM") {
  const { fs } = context;
  const type = mode & S_IF.MT;
  if (type === S_IF.DIR && fs.mkdir !== void 0) {
    return fs.mkdir(directory, name, mode, caller);
  }
  const hasMknod = fs.mknod !== void 0;
  if (type === S_IF.REG && fs.create !== void 0 && !hasMknod) {
    return fs.create(directory, name, mode, caller);
  }
  if (fs.mknod === void 0) throw context.refusal(refusal5);
  return fs.mknod(directory, name, mode, rdev, caller);
}

// src/filesystem/operations/names.ts
var MKNOD_IN2 = accessors("fuse_mknod_in");
var MKDIR_IN = accessors("fuse_mkdir_in");
var LINK_IN = accessors("fuse_link_in");
var RENAME_IN = accessors("fuse_rename_in");
var RENAME2_IN = accessors("fuse_rename2_in");
var mknod = (context, request, reply, caller) => {
  const directory = context.nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = withType(MKNOD_IN2.get.mode(request.body), S_IF.REG);
  const rdev = MKNOD_IN2.get.rdev(request.body);
  const made = makeNode(context, directory, name, mode, rdev, caller);
  return replyNew(context, reply, caller, made);
};
var mkdir = (context, request, reply, caller) => {
  const directory = context.nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = withType(MKDIR_IN.get.mode(request.body), S_IF.DIR);
  const made = makeNode(context, directory, name, mode, 0, caller);
  return replyNew(context, reply, caller, made);
};
function withType(mode, type) {
  return (mode & S_IF.MT) === 0 ? mode | type : mode;
}
var symlink = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  if (fs.symlink === void 0) throw context.refusal("EPERM");
  const made = fs.symlink(directory, name, textOf4(request, 1), caller);
  return replyNew(context, reply, caller, made);
};
var link2 = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const node = nodes.get(idAt(request.body, LINK_IN.at.oldnodeid));
  const name = entryName(request);
  if (fs.link === void 0) throw context.refusal("EPERM");
  const done = fs.link(node, directory, name, caller);
  return andThen(done, () => replyNew(context, reply, caller, node));
};
function replyNew(context, reply, caller, made) {
  return andThen(made, (node) => {
    return andThen(context.fs.getattr(node, caller), (attr2) => {
      replyEntry(context, reply, node, attr2);
    });
  });
}
var unlink = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  if (fs.unlink === void 0) throw context.refusal("EPERM");
  const done = fs.unlink(directory, entryName(request), caller);
  return andThen(done, () => reply.ok());
};
var rmdir = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  if (fs.rmdir === void 0) throw context.refusal("EPERM");
  const done = fs.rmdir(directory, entryName(request), caller);
  return andThen(done, () => reply.ok());
};
var rename2 = (context, request, reply, caller) => {
  const newdir = idAt(request.body, RENAME_IN.at.newdir);
  return move(context, request, reply, caller, newdir, 0);
};
var rename22 = (context, request, reply, caller) => {
  const newdir = idAt(request.body, RENAME2_IN.at.newdir);
  const flags = RENAME2_IN.get.flags(request.body);
  return move(context, request, reply, caller, newdir, flags);
};
function move(context, request, reply, caller, newdir, flags) {
  const { fs, nodes } = context;
  const from = nodes.get(nodeIdOf(request));
  const to = nodes.get(newdir);
  if (fs.rename === void 0) throw context.refusal("EPERM");
  const oldName = entryName(request);
  const newName = entryName(request, 1);
  const done = fs.rename(from, oldName, to, newName, flags, caller);
  return andThen(done, () => reply.ok());
}

// src/filesystem/operations/nodes.ts
var GETATTR_IN = accessors("fuse_getattr_in");
var SETATTR_IN2 = accessors("fuse_setattr_in");
var ACCESS_IN = accessors("fuse_access_in");
var FORGET_IN = accessors("fuse_forget_in");
var FORGET_ONE = accessors("fuse_forget_one");
var BATCH_FORGET_IN2 = accessors("fuse_batch_forget_in");
var lookup = (context, request, reply, caller) => {
  const { fs, nodes, rules } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  return andThen(fs.lookup?.(directory, name, caller) ?? null, (node) => {
    if (node !== null) {
      return andThen(fs.getattr(node, caller), (attr2) => {
        replyEntry(context, reply, node, attr2);
      });
    }
    const { seconds, nanoseconds: nanoseconds2 } = rules.negative;
    if (seconds === 0n && nanoseconds2 === 0) return reply.error(ERRNO.ENOENT);
    reply.struct("fuse_entry_out", {
      entry_valid: seconds,
      entry_valid_nsec: nanoseconds2
    });
  });
};
var forget = (context, request, reply) => {
  const lookups = Number(FORGET_IN.get.nlookup(request.body));
  reply.none();
  forgetNode(context, nodeIdOf(request), lookups);
};
var batchForget = (context, request, reply) => {
  const items = request.tailView();
  const count2 = BATCH_FORGET_IN2.get.count(request.body);
  reply.none();
  for (let i = 0; i < count2; i++) {
    const at = i * FORGET_ONE.size;
    const lookups = Number(FORGET_ONE.get.nlookup(items, at));
    forgetNode(context, idAt(items, at + FORGET_ONE.at.nodeid), lookups);
  }
};
function forgetNode({ fs, nodes }, id, lookups) {
  const node = nodes.forget(id, lookups);
  if (node !== null) fs.forget?.(node);
}
var getattr = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const hasHandle = GETATTR_IN.get.getattr_flags(body) & FUSE_GETATTR.FH;
  const handle = hasHandle ? handles2.get(idAt(body, GETATTR_IN.at.fh)) : void 0;
  return andThen(fs.getattr(node, caller, handle), (attr2) => {
    replyAttr(context, reply, node, attr2);
  });
};
var setattr = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  const node = nodes.get(nodeIdOf(request));
  if (fs.setattr === void 0) throw context.refusal("EPERM");
  const wanted = decodeStruct("fuse_setattr_in", request.body);
  const handle = wanted.valid & FATTR.FH ? handles2.get(idAt(request.body, SETATTR_IN2.at.fh)) : void 0;
  const changes = changesOf2(wanted, caller.time);
  const killed = wanted.valid & FATTR.KILL_SUIDGID ? killPrivileges(context, node, caller) : void 0;
  const done = andThen(killed, () => fs.setattr(node, changes, caller, handle));
  return andThen(done, (attr2) => {
    const now = attr2 ?? fs.getattr(node, caller, handle);
    return andThen(now, (attr3) => replyAttr(context, reply, node, attr3));
  });
};
function changesOf2(wanted, now) {
  const { valid } = wanted;
  const changes = {
    ctime: now
  };
  if (valid & FATTR.MODE) changes.mode = wanted.mode;
  if (valid & FATTR.UID) changes.uid = wanted.uid;
  if (valid & FATTR.GID) changes.gid = wanted.gid;
  if (valid & FATTR.SIZE) {
    if (wanted.size > Number.MAX_SAFE_INTEGER) throw new Errno("EFBIG");
    changes.size = Number(wanted.size);
    changes.mtime = now;
  }
  if (valid & FATTR.ATIME_NOW) changes.atime = now;
  else if (valid & FATTR.ATIME) {
    changes.atime = timeOf(wanted.atime, wanted.atimensec);
  }
  if (valid & FATTR.MTIME_NOW) changes.mtime = now;
  else if (valid & FATTR.MTIME) {
    changes.mtime = timeOf(wanted.mtime, wanted.mtimensec);
  }
  if (valid & FATTR.CTIME) {
    changes.ctime = timeOf(wanted.ctime, wanted.ctimensec);
  }
  return changes;
}
var readlink = ({ fs, nodes }, request, reply, caller) => {
  if (fs.readlink === void 0) throw new Errno("EINVAL");
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.readlink(node, caller), (target) => {
    const bytes2 = encodeName(target);
    if (bytes2.length > reply.data.length) throw new Errno("ENAMETOOLONG");
    reply.data.set(bytes2);
    reply.ok(bytes2.length);
  });
};
var access = ({ fs, nodes }, request, reply, caller) => {
  if (fs.access === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const mask = ACCESS_IN.get.mask(request.body);
  return andThen(fs.access(node, mask, caller), () => reply.ok());
};
var statfs = ({ fs, nodes }, request, reply, caller) => {
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.statfs?.(node, caller) ?? {}, (space) => {
    reply.struct("fuse_statfs_out", {
      st: wireStatFs(space)
    });
  });
};

// src/filesystem/operations/opening.ts
var DIRECT = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
var OPEN_IN2 = accessors("fuse_open_in");
var CREATE_IN = accessors("fuse_create_in");
var FLUSH_IN2 = accessors("fuse_flush_in");
var FSYNC_IN2 = accessors("fuse_fsync_in");
var RELEASE_IN3 = accessors("fuse_release_in");
var open = (context, request, reply, caller) => {
  const node = context.nodes.get(nodeIdOf(request));
  const flags = OPEN_IN2.get.flags(request.body);
  const opened = openNode(context, node, flags, caller);
  return andThen(opened, (out) => {
    return orClose(context, node, out, () => reply.struct("fuse_open_out", out));
  });
};
function openNode({ fs, handles: handles2, rules, backing }, node, flags, caller) {
  const access2 = flags & O.ACCMODE;
  if (fs.write === void 0 && access2 !== O.RDONLY) throw new Errno("EROFS");
  const openFlags = rules.openFlags(node);
  const given = rules.writeback ? forWriteback(flags) : flags;
  return andThen(fs.open?.(node, given, caller), (handle) => {
    if (handle === void 0) {
      return {
        fh: BigInt(NO_HANDLE),
        open_flags: openFlags
      };
    }
    const number2 = handles2.add(handle);
    const fh = BigInt(number2);
    if (backing === null || (openFlags & FOPEN.DIRECT_IO) !== 0) {
      return {
        fh,
        open_flags: openFlags
      };
    }
    const id = backing.open(node, number2, fs.backing(node, handle));
    if (id === null) return {
      fh,
      open_flags: openFlags
    };
    const isDirect2 = (flags & O_DIRECT) !== 0 && access2 !== O.RDONLY;
    const direct = isDirect2 ? DIRECT : 0;
    return {
      fh,
      open_flags: FOPEN.PASSTHROUGH | direct,
      backing_id: id
    };
  });
}
function forWriteback(flags) {
  const access2 = flags & O.ACCMODE;
  const reads = access2 === O.WRONLY ? O.RDWR : access2;
  return flags & ~(O.ACCMODE | O.APPEND) | reads;
}
function orClose(context, node, { fh }, answer) {
  try {
    answer();
  } catch (error) {
    return andThen(close(context, node, Number(fh)), () => {
      throw error;
    });
  }
}
var create = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  const directory = nodes.get(nodeIdOf(request));
  const name = entryName(request);
  const mode = CREATE_IN.get.mode(request.body);
  const flags = CREATE_IN.get.flags(request.body) & ~O.TRUNC;
  const isTruncated = (CREATE_IN.get.flags(request.body) & O.TRUNC) !== 0;
  let opens = flags;
  const made = orElse(() => fs.create !== void 0 ? fs.create(directory, name, mode, caller) : makeNode(context, directory, name, mode, 0, caller, "EACCES"), (error) => {
    if (errnoOf(error) !== ERRNO.EEXIST || flags & O.EXCL) throw error;
    opens = flags & ~O.CREAT;
    return existing(context, directory, name, isTruncated, caller);
  });
  return andThen(made, (node) => {
    return replyOpened(context, reply, node, opens, caller);
  });
};
var tmpfile = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.tmpfile === void 0) return reply.error(ERRNO.ENOSYS);
  const directory = nodes.get(nodeIdOf(request));
  const mode = CREATE_IN.get.mode(request.body);
  const flags = CREATE_IN.get.flags(request.body);
  return andThen(fs.tmpfile(directory, mode, caller), (node) => {
    return replyOpened(context, reply, node, flags, caller);
  });
};
function replyOpened(context, reply, node, flags, caller) {
  return andThen(context.fs.getattr(node, caller), (attr2) => {
    return andThen(openNode(context, node, flags, caller), (out) => {
      return orClose(context, node, out, () => {
        replyOpenEntry(context, reply, node, attr2, out);
      });
    });
  });
}
function existing({ fs }, directory, name, isTruncated, caller) {
  return andThen(fs.lookup?.(directory, name, caller) ?? null, (node) => {
    if (node === null) throw new Errno("ENOENT");
    return andThen(fs.getattr(node, caller), ({ mode }) => {
      if ((mode & S_IF.MT) !== S_IF.REG) throw new Errno("ESTALE");
      if (!isTruncated) return node;
      if (fs.setattr === void 0) throw new Errno("EACCES");
      const ctime = caller.time;
      const changes = {
        size: 0,
        mtime: ctime,
        ctime
      };
      return andThen(fs.setattr(node, changes, caller), () => node);
    });
  });
}
var flush = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  if (fs.flush === void 0 && fs.lock === void 0) {
    return reply.error(ERRNO.ENOSYS);
  }
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const handle = handles2.get(idAt(body, FLUSH_IN2.at.fh));
  const owner = FLUSH_IN2.get.lock_owner(body);
  const unlocked = unlockAll(context, node, owner, false, caller, handle);
  const flushed = andThen(unlocked, () => fs.flush?.(node, caller, handle));
  return andThen(flushed, () => reply.ok());
};
var fsync = (context, request, reply, caller) => {
  const { fs, nodes, handles: handles2 } = context;
  if (fs.fsync === void 0) return reply.error(ERRNO.ENOSYS);
  const { body } = request;
  const node = nodes.get(nodeIdOf(request));
  const handle = handles2.get(idAt(body, FSYNC_IN2.at.fh));
  const flags = FSYNC_IN2.get.fsync_flags(body);
  const dataOnly = (flags & FUSE_FSYNC.FDATASYNC) !== 0;
  const done = fs.fsync(node, dataOnly, caller, handle);
  return andThen(done, () => reply.ok());
};
var fsyncdir = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.fsync === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const flags = FSYNC_IN2.get.fsync_flags(request.body);
  const dataOnly = (flags & FUSE_FSYNC.FDATASYNC) !== 0;
  return andThen(fs.fsync(node, dataOnly, caller), () => reply.ok());
};
var release = (context, request, reply, caller) => {
  const { body } = request;
  const node = context.nodes.get(nodeIdOf(request));
  const fh = idAt(body, RELEASE_IN3.at.fh);
  const flags = RELEASE_IN3.get.release_flags(body);
  if ((flags & FUSE_RELEASE.FLOCK_UNLOCK) === 0) {
    return andThen(close(context, node, fh), () => reply.ok());
  }
  const owner = RELEASE_IN3.get.lock_owner(body);
  const handle = context.handles.get(fh);
  const unlocked = unlockAll(context, node, owner, true, caller, handle);
  const closed = andThen(unlocked, () => close(context, node, fh));
  return andThen(closed, () => reply.ok());
};
function close({ fs, handles: handles2, backing }, node, fh) {
  backing?.release(node, fh);
  const handle = handles2.remove(fh);
  return fs.release?.(node, handle);
}

// src/filesystem/operations/xattrs.ts
var SETXATTR_IN2 = accessors("fuse_setxattr_in");
var GETXATTR_IN3 = accessors("fuse_getxattr_in");
var ACL = "system.posix_acl_";
function attributeName({ enforcesAcls }, request) {
  const name = textOf4(request);
  if (!enforcesAcls && name.startsWith(ACL)) throw new Errno("EOPNOTSUPP");
  return name;
}
var getxattr = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.getxattr === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const name = attributeName(context, request);
  return andThen(fs.getxattr(node, name, caller), (value2) => {
    if (value2 === null) throw new Errno("ENODATA");
    replyValue(request, reply, value2);
  });
};
var setxattr = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.setxattr === void 0) {
    return reply.error(context.isReadOnly ? ERRNO.EROFS : ERRNO.ENOSYS);
  }
  const node = nodes.get(nodeIdOf(request));
  const size = SETXATTR_IN2.get.size(request.body);
  const flags = SETXATTR_IN2.get.flags(request.body);
  if (size > XATTR_SIZE_MAX) throw new Errno("E2BIG");
  const name = attributeName(context, request);
  const value2 = request.value().subarray(0, size);
  const checked4 = checkExistence(fs, node, name, flags, caller);
  const done = andThen(checked4, () => {
    return fs.setxattr(node, name, value2, flags, caller);
  });
  return andThen(done, () => reply.ok());
};
function checkExistence(fs, node, name, flags, caller) {
  if ((flags & (XATTR.CREATE | XATTR.REPLACE)) === 0) return;
  return andThen(fs.getxattr?.(node, name, caller), (value2) => {
    if (value2 === void 0) return;
    if (value2 !== null && flags & XATTR.CREATE) throw new Errno("EEXIST");
    if (value2 === null && flags & XATTR.REPLACE) throw new Errno("ENODATA");
  });
}
var listxattr = ({ fs, nodes }, request, reply, caller) => {
  if (fs.listxattr === void 0) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  return andThen(fs.listxattr(node, caller), (names2) => {
    const text = Array.from(names2, (name) => `${name}\0`).join("");
    replyValue(request, reply, encodeName(text));
  });
};
var removexattr = (context, request, reply, caller) => {
  const { fs, nodes } = context;
  if (fs.removexattr === void 0) {
    return reply.error(context.isReadOnly ? ERRNO.EROFS : ERRNO.ENOSYS);
  }
  const node = nodes.get(nodeIdOf(request));
  const done = fs.removexattr(node, attributeName(context, request), caller);
  return andThen(done, () => reply.ok());
};
function replyValue(request, reply, value2) {
  const room3 = GETXATTR_IN3.get.size(request.body);
  if (room3 === 0) {
    return reply.struct("fuse_getxattr_out", {
      size: value2.length
    });
  }
  if (value2.length > room3) throw new Errno("ERANGE");
  reply.data.set(value2);
  reply.ok(value2.length);
}

// src/filesystem/lifetime.ts
var SECONDS_MAX = 2 ** 31;
function readLifetime(seconds, name) {
  if (typeof seconds !== "number" || !(seconds >= 0)) {
    throw new UserError(`Cannot use ${seconds} (${name}): expected a number of seconds from 0`);
  }
  const whole = Math.floor(Math.min(seconds, SECONDS_MAX));
  const rest = Math.min(seconds, SECONDS_MAX) - whole;
  return {
    seconds: BigInt(whole),
    nanoseconds: Math.min(Math.round(rest * Number(NS_PER_S)), Number(NS_PER_S) - 1)
  };
}

// src/filesystem/options.ts
var TIMEOUT_MAX_MS = 2 ** 31 - 1;
var OPEN_FLAGS = {
  open: 0,
  keep: FOPEN.KEEP_CACHE,
  none: FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES
};
function checkCacheOptions(options) {
  const { cache = "open" } = options;
  return {
    attr: readLifetime(options.attrSeconds ?? 1, "attrSeconds"),
    entry: readLifetime(options.entrySeconds ?? 1, "entrySeconds"),
    negative: readLifetime(options.negativeSeconds ?? 0, "negativeSeconds"),
    openFlags: typeof cache === "function" ? (node) => flagsOf(cache(node)) : constant(flagsOf(cache)),
    now: options.now ?? systemTime,
    timeoutMs: checkTimeout(options.timeoutMs),
    writeback: options.writeback ?? false
  };
}
function checkTimeout(ms) {
  if (ms === void 0) return null;
  if (Number.isInteger(ms) && ms > 0 && ms <= TIMEOUT_MAX_MS) return ms;
  throw new UserError(`Cannot use ${ms} (timeoutMs): expected a whole number from 1 to ${TIMEOUT_MAX_MS}`);
}
function constant(flags) {
  return () => flags;
}
function flagsOf(cache) {
  if (Object.hasOwn(OPEN_FLAGS, cache)) return OPEN_FLAGS[cache];
  throw new UserError(`Cannot use ${cache} (cache): expected open, keep or none`);
}

// src/filesystem/time_out.ts
async function inTime(answer, ms, caller, reply) {
  const late = Promise.withResolvers();
  const timer = setTimeout(() => {
    reply.expire(`timeoutMs of ${ms} has failed the request with ETIMEDOUT`);
    late.reject(new Errno("ETIMEDOUT"));
    caller.interrupt();
  }, ms);
  try {
    await Promise.race([
      answer,
      late.promise
    ]);
  } finally {
    clearTimeout(timer);
  }
}

// src/filesystem/umask.ts
var MKNOD_IN3 = accessors("fuse_mknod_in");
var MKDIR_IN2 = accessors("fuse_mkdir_in");
var CREATE_IN2 = accessors("fuse_create_in");
function umaskOf({ opcode, body }) {
  switch (opcode) {
    case OPCODES.MKNOD.opcode:
      return MKNOD_IN3.get.umask(body);
    case OPCODES.MKDIR.opcode:
      return MKDIR_IN2.get.umask(body);
    case OPCODES.CREATE.opcode:
    case OPCODES.TMPFILE.opcode:
      return CREATE_IN2.get.umask(body);
    default:
      return 0;
  }
}

// src/filesystem/file_system_handler.ts
var INTERRUPT2 = OPCODES.INTERRUPT.opcode;
var INTERRUPT_IN2 = accessors("fuse_interrupt_in");
var OPERATIONS2 = {
  LOOKUP: lookup,
  FORGET: forget,
  BATCH_FORGET: batchForget,
  GETATTR: getattr,
  SETATTR: setattr,
  READLINK: readlink,
  STATFS: statfs,
  ACCESS: access,
  MKNOD: mknod,
  MKDIR: mkdir,
  SYMLINK: symlink,
  LINK: link2,
  UNLINK: unlink,
  RMDIR: rmdir,
  RENAME: rename2,
  RENAME2: rename22,
  OPENDIR: opendir,
  READDIR: readdir,
  READDIRPLUS: readdirplus,
  RELEASEDIR: releasedir,
  FSYNCDIR: fsyncdir,
  OPEN: open,
  CREATE: create,
  TMPFILE: tmpfile,
  FLUSH: flush,
  FSYNC: fsync,
  RELEASE: release,
  GETLK: getlk,
  SETLK: setlk,
  SETLKW: setlkw,
  IOCTL: ioctl,
  POLL: poll,
  READ: read,
  WRITE: write,
  FALLOCATE: fallocate,
  LSEEK: lseek,
  GETXATTR: getxattr,
  SETXATTR: setxattr,
  LISTXATTR: listxattr,
  REMOVEXATTR: removexattr
};
var BY_OPCODE2 = new Array(64).fill(null);
for (const [name, operation] of Object.entries(OPERATIONS2)) {
  BY_OPCODE2[OPCODES[name].opcode] = operation;
}
var FileSystemHandler = class {
  inPlace;
  #context;
  #sources;
  /** Callers of requests that are answered later, by `unique`. */
  #waiting = /* @__PURE__ */ new Map();
  /** A caller for the next request. */
  #idle = null;
  /**
   * Makes a handler.
   *
   * @param fs The file system.
   * @param options What the kernel may cache.
   * @param services What the session offers.
   * @throws {UserError} If an option cannot be used.
   */
  constructor(fs, options = {}, services = {}) {
    const own = fs.cache === void 0 ? {} : {
      cache: (node) => fs.cache(node)
    };
    const rules = checkCacheOptions({
      ...own,
      ...options
    });
    this.#context = new FileSystemContext(fs, rules, services);
    const { now } = rules;
    this.#sources = {
      now,
      groupsOf: this.#context.groupsOf,
      umaskOf: services.leavesUmask === true ? umaskOf : void 0
    };
    this.inPlace = services.inPlace ?? false;
  }
  /** The number of nodes that the kernel knows, the root included. */
  get nodes() {
    return this.#context.nodes.size;
  }
  /** The number of open files with a handle, and of open directories. */
  get handles() {
    const { handles: handles2, streams } = this.#context;
    return handles2.size + streams.size;
  }
  /** The id by which the kernel knows a node; `null` if it does not. */
  nodeid(node) {
    const id = this.#context.nodes.knownId(node);
    return id === null ? null : BigInt(id);
  }
  /** How often the kernel has looked up a node and not forgotten it. */
  lookups(node) {
    return this.#context.nodes.lookups(node);
  }
  handle(request, reply) {
    const { opcode } = request;
    if (opcode === INTERRUPT2) return this.#interrupt(request, reply);
    const operation = BY_OPCODE2[opcode] ?? null;
    if (operation === null) return reply.error(ERRNO.ENOSYS);
    const caller = this.#idle ?? new RequestCaller(this.#sources);
    this.#idle = null;
    caller.bind(request);
    const answer = operation(this.#context, request, reply, caller);
    if (answer !== void 0) {
      return this.#later(answer, request.unique, caller, reply);
    }
    this.#idle = caller;
  }
  async #later(answer, unique, caller, reply) {
    const { timeoutMs } = this.#context.rules;
    this.#waiting.set(unique, caller);
    try {
      if (timeoutMs === null) await answer;
      else await inTime(answer, timeoutMs, caller, reply);
    } finally {
      this.#waiting.delete(unique);
    }
  }
  /** A request that does not wait here has just been answered. */
  #interrupt(request, reply) {
    reply.none();
    this.#waiting.get(INTERRUPT_IN2.get.unique(request.body))?.interrupt();
  }
};

// src/linux/fuse/attribute_notice.ts
function invalidateAttributesNow(device, nodeid) {
  const body = {
    ino: BigInt(nodeid),
    off: -1n,
    len: 0n
  };
  const bytes2 = encodeNotification("INVAL_INODE", {
    body
  });
  libc().write(device, pointerOf(bytes2), BigInt(bytes2.byteLength));
}

// src/linux/syscall/thread_capabilities.ts
var CAP2 = {
  FSETID: 4
};
var VERSION_3 = 537396514;
var HEADER_WORDS = 2;
var DATA_WORDS = 6;
var ThreadCapabilities = class {
  #header = new Uint32Array(new ArrayBuffer(4 * HEADER_WORDS));
  #all = new Uint32Array(new ArrayBuffer(4 * DATA_WORDS));
  #fewer = new Uint32Array(new ArrayBuffer(4 * DATA_WORDS));
  /** Notes the capabilities of the calling thread. */
  constructor() {
    this.#header[0] = VERSION_3;
    libc().capget(this.#header, this.#all);
  }
  /** Gives them back to the thread, after setfsuid(2) has taken some away. */
  restore() {
    libc().capset(this.#header, this.#all);
  }
  /** Calls a function without one of them. */
  without(name, call3) {
    this.#fewer.set(this.#all);
    this.#fewer[0] &= ~(1 << CAP2[name]);
    libc().capset(this.#header, this.#fewer);
    try {
      return call3();
    } finally {
      this.restore();
    }
  }
};

// src/linux/syscall/thread_groups.ts
function groupsOfThread(pid) {
  try {
    const status3 = readText(`/proc/${pid}/status`);
    const list = /^Groups:\s*(.*)$/m.exec(status3)?.[1] ?? "";
    return list.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

// src/mirror/failure.ts
function failureOf2(number2) {
  const name = errnoName(number2);
  return new Errno(Object.hasOwn(ERRNO, name) ? name : "EIO");
}
function checked3(result3) {
  if (result3 < 0) throw failureOf2(errno());
  return result3;
}

// src/mirror/data.ts
var pointers = new BufferPointers();
function readFile(fd, into, offset) {
  const pointer = pointers.of(into);
  const length2 = BigInt(into.byteLength);
  for (; ; ) {
    const count2 = libc().pread(fd, pointer, length2, BigInt(offset));
    if (count2 >= 0) return count2;
    const error = errno();
    if (error !== ERRNO.EINTR) throw failureOf2(error);
  }
}
function writeFile(fd, data, offset) {
  const pointer = pointers.of(data);
  const length2 = BigInt(data.byteLength);
  for (; ; ) {
    const count2 = libc().pwrite(fd, pointer, length2, BigInt(offset));
    if (count2 >= 0) return count2;
    const error = errno();
    if (error !== ERRNO.EINTR) throw failureOf2(error);
  }
}
function seekFile(fd, offset, whence) {
  const found = Number(libc().lseek(fd, BigInt(offset), whence));
  if (found >= 0) return found;
  const error = errno();
  if (error === ERRNO.ENXIO) return null;
  throw failureOf2(error);
}
async function syncFile(fd, dataOnly, close2) {
  const { fdatasync, fdatasync_nonblocking, fsync: fsync2, fsync_nonblocking } = libc();
  const [later, now] = dataOnly ? [
    fdatasync_nonblocking,
    fdatasync
  ] : [
    fsync_nonblocking,
    fsync2
  ];
  try {
    if (await inPool(() => later(fd), () => now(fd)) === 0) return;
    throw failureOf2(now(fd) === 0 ? ERRNO.EIO : errno());
  } finally {
    if (close2) libc().close(fd);
  }
}

// src/mirror/host_file_system.ts
var STRUCT_STATFS_SIZE3 = 120;
var LATE_ERRORS = /* @__PURE__ */ new Set([
  26985,
  4283649346,
  4266872130,
  1702057286,
  12805120,
  16914839,
  1397113167,
  198183888,
  1937076805,
  1196443219
]);
var status = new DataView(new ArrayBuffer(STRUCT_STATFS_SIZE3));
function hasLateErrors(fd) {
  checked3(libc().fstatfs(fd, status));
  return LATE_ERRORS.has(status.getUint32(0, true));
}
function spaceOf(fd) {
  checked3(libc().fstatfs(fd, status));
  return {
    // The unit of the counts.
    bsize: Number(status.getBigUint64(72, true)),
    blocks: status.getBigUint64(16, true),
    bfree: status.getBigUint64(24, true),
    bavail: status.getBigUint64(32, true),
    files: status.getBigUint64(40, true),
    ffree: status.getBigUint64(48, true),
    namelen: Number(status.getBigUint64(64, true))
  };
}

// src/mirror/names.ts
var ENCODER4 = new TextEncoder();
var PROC = ENCODER4.encode("/proc/self/fd/");
var DIGIT_0 = 48;
var DIGITS_MAX = 10;
var NO_NAME = new Uint8Array(new ArrayBuffer(1));
var DOT2 = cBytes(".");
var first = new Uint8Array(new ArrayBuffer(PATH_MAX + 1));
var second = new Uint8Array(new ArrayBuffer(PATH_MAX + 1));
var number = new Uint8Array(new ArrayBuffer(DIGITS_MAX + 1));
var procPath = new Uint8Array(new ArrayBuffer(PROC.length + DIGITS_MAX + 1));
procPath.set(PROC);
function nameArgument(name) {
  return encodeEntry(name, first);
}
function secondNameArgument(name) {
  return encodeEntry(name, second);
}
function textArgument(text) {
  return encode(text, second, PATH_MAX - 1);
}
function descriptorName(fd) {
  writeNumber(fd, number, 0);
  return number;
}
function descriptorPath(fd) {
  writeNumber(fd, procPath, PROC.length);
  return procPath;
}
function encodeEntry(name, into) {
  if (name === "" || name === "." || name === ".." || name.includes("/")) {
    throw new Errno("EINVAL");
  }
  return encode(name, into, NAME_MAX);
}
function encode(text, into, max) {
  if (text.includes("\0")) throw new Errno("EINVAL");
  if (text.isWellFormed()) {
    const { read: read2, written } = ENCODER4.encodeInto(text, into);
    if (read2 < text.length || written > max) throw new Errno("ENAMETOOLONG");
    into[written] = 0;
    return into;
  }
  const bytes2 = encodeName(text);
  if (bytes2.length > max) throw new Errno("ENAMETOOLONG");
  into.set(bytes2);
  into[bytes2.length] = 0;
  return into;
}
function writeNumber(value2, into, start) {
  let digits = 1;
  for (let rest2 = value2; rest2 >= 10; digits++) rest2 = Math.floor(rest2 / 10);
  let rest = value2;
  into[start + digits] = 0;
  for (let at = start + digits - 1; at >= start; at--) {
    into[at] = DIGIT_0 + rest % 10;
    rest = Math.floor(rest / 10);
  }
}
function cBytes(text) {
  const bytes2 = new Uint8Array(new ArrayBuffer(text.length + 1));
  ENCODER4.encodeInto(text, bytes2);
  return bytes2;
}

// src/mirror/status.ts
var STRUCT_STATX_SIZE2 = 256;
var MINOR_COUNT = 2 ** 20;
var TWO_3216 = 2 ** 32;
var status2 = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE2));
function readStatus(directory, name) {
  const flags = AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT;
  return libc().statx(directory, name, flags, STATX_BASIC_STATS, status2);
}
function statusDevice() {
  return status2.getUint32(136, true) * MINOR_COUNT + status2.getUint32(140, true);
}
function statusInode() {
  const inode = status2.getUint32(32, true) + status2.getUint32(36, true) * TWO_3216;
  return inode <= Number.MAX_SAFE_INTEGER ? inode : status2.getBigUint64(32, true);
}
function statusMode() {
  return status2.getUint16(28, true);
}
function statusLinks() {
  return status2.getUint32(16, true);
}
function statusGroup() {
  return status2.getUint32(24, true);
}
function statusAttr(ino) {
  return {
    ino,
    mode: statusMode(),
    size: size64(40),
    blocks: size64(48),
    nlink: statusLinks(),
    uid: status2.getUint32(20, true),
    gid: statusGroup(),
    rdev: encodeDevice(status2.getUint32(128, true), status2.getUint32(132, true)),
    blksize: status2.getUint32(4, true),
    atime: time(64),
    mtime: time(112),
    ctime: time(96)
  };
}
function size64(at) {
  return status2.getUint32(at, true) + status2.getUint32(at + 4, true) * TWO_3216;
}
function time(at) {
  const seconds = status2.getInt32(at + 4, true) * TWO_3216 + status2.getUint32(at, true);
  return {
    seconds,
    nanoseconds: status2.getUint32(at + 8, true)
  };
}
function encodeDevice(major, minor) {
  return (minor & 255 | major << 8 | (minor & ~255) << 12) >>> 0;
}
function deviceArgument(rdev) {
  const major = rdev >>> 8 & 4095;
  const minor = rdev & 255 | rdev >>> 12 & 1048320;
  return BigInt(minor & 255) | BigInt(major) << 8n | BigInt(minor >>> 8) << 20n;
}

// src/linux/syscall/directory.ts
var NAME_OFFSET = 8 + 8 + 2 + 1;

// src/linux/syscall/resource_limits.ts
var RLIMIT = {
  /** Largest position in a file that can be written to, in bytes. */
  FSIZE: 1,
  /** Private writable memory in bytes, also if it is not resident. */
  DATA: 2,
  /** Threads of the user; ignored for root and with CAP_SYS_RESOURCE. */
  NPROC: 6,
  /** One more than the largest number of a descriptor. */
  NOFILE: 7,
  /** Locked memory in bytes; ignored with CAP_IPC_LOCK. */
  MEMLOCK: 8,
  /** Address space in bytes. */
  AS: 9
};
var RLIM_INFINITY = 2n ** 64n - 1n;
function resourceLimit(name) {
  const limit = new BigUint64Array(2);
  if (libc().getrlimit(RLIMIT[name], limit) < 0) {
    throw failure4("getrlimit", `read RLIMIT_${name}`);
  }
  return {
    soft: valueOf(limit[0]),
    hard: valueOf(limit[1])
  };
}
function raiseLimit(name, need) {
  const { soft, hard } = resourceLimit(name);
  if (soft >= need || hard <= soft) return soft;
  const raised = Math.min(need, hard);
  const limit = new BigUint64Array([
    wordOf(raised),
    wordOf(hard)
  ]);
  if (libc().setrlimit(RLIMIT[name], limit) < 0) {
    throw failure4("setrlimit", `raise RLIMIT_${name} to ${raised}`);
  }
  return raised;
}
function raiseOpenFiles(wanted) {
  const { soft, hard } = resourceLimit("NOFILE");
  if (hard < wanted) {
    const limit = new BigUint64Array([
      wordOf(soft),
      wordOf(wanted)
    ]);
    libc().setrlimit(RLIMIT.NOFILE, limit);
  }
  return raiseLimit("NOFILE", wanted);
}
function valueOf(word) {
  return word === RLIM_INFINITY ? Infinity : Number(word);
}
function wordOf(value2) {
  return value2 === Infinity ? RLIM_INFINITY : BigInt(value2);
}
function failure4(call3, action) {
  return new SystemError({
    call: call3,
    action,
    errno: errno()
  });
}

// src/mirror/as_caller.ts
var NO_ID = 4294967295;
var CallerIds = class {
  #own;
  #maySwitch;
  #capabilities = new ThreadCapabilities();
  /** Notes the ids and the capabilities of the calling thread. */
  constructor() {
    const { effectiveUid: uid, effectiveGid: gid } = credentials();
    this.#own = {
      uid,
      gid
    };
    this.#maySwitch = hasCapability("SETUID") && hasCapability("SETGID");
  }
  /**
   * Makes a system call as the caller.
   *
   * @param call Returns the result, or a negative error number.
   * @returns The same; -EOVERFLOW for a caller whose ids this process's user
   * namespace does not have.
   */
  run(caller, call3) {
    const { uid, gid } = this.#own;
    if (!this.#maySwitch || caller.uid === uid && caller.gid === gid) {
      return call3();
    }
    const { setfsgid, setfsuid } = libc();
    setfsgid(caller.gid);
    setfsuid(caller.uid);
    this.#capabilities.restore();
    try {
      const isCaller = setfsuid(NO_ID) >>> 0 === caller.uid && setfsgid(NO_ID) >>> 0 === caller.gid;
      return isCaller ? call3() : -ERRNO.EOVERFLOW;
    } finally {
      setfsuid(uid);
      setfsgid(gid);
    }
  }
};

// src/mirror/changes.ts
var NO_ID2 = 4294967295;
var UTIME_NOW2 = 0x3fffffffn;
var UTIME_OMIT2 = 0x3ffffffen;
var times = new BigInt64Array(new ArrayBuffer(32));
function changeAttributes(descriptors, fd, changes, handle) {
  const { mode, uid, gid, size } = changes;
  if (uid !== void 0 || gid !== void 0) {
    const flags = AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW;
    const owner = uid ?? NO_ID2;
    checked3(libc().fchownat(fd, NO_NAME, owner, gid ?? NO_ID2, flags));
  }
  if (mode !== void 0) {
    const name = descriptorName(fd);
    checked3(libc().fchmodat(descriptors, name, mode & ~S_IF.MT, 0));
  }
  if (size !== void 0) truncate(descriptors, fd, size, handle);
  changeTimes(fd, changes);
}
function truncate(descriptors, fd, size, handle) {
  const { close: close2, ftruncate, openat } = libc();
  const length2 = BigInt(size);
  if (handle !== void 0) {
    checked3(ftruncate(handle, length2));
    return;
  }
  const flags = OPEN.WRONLY | OPEN.NONBLOCK | OPEN.CLOEXEC;
  const file = checked3(openat(descriptors, descriptorName(fd), flags, 0));
  try {
    checked3(ftruncate(file, length2));
  } finally {
    close2(file);
  }
}
function changeTimes(fd, changes) {
  const { atime, ctime, size } = changes;
  const mtime = size !== void 0 && changes.mtime === ctime ? void 0 : changes.mtime;
  if (atime === void 0 && mtime === void 0) return;
  setTime(0, atime, ctime);
  setTime(2, mtime, ctime);
  checked3(libc().utimensat(fd, NO_NAME, times, AT.EMPTY_PATH));
}
function setTime(at, time2, now) {
  const isExact = time2 !== void 0 && time2 !== now;
  times[at] = isExact ? secondsOf(time2) : 0n;
  times[at + 1] = isExact ? BigInt(nanosecondsOf(time2)) : time2 === void 0 ? UTIME_OMIT2 : UTIME_NOW2;
}

// src/mirror/listing.ts
var BUFFER_SIZE = 32 * 1024;
var SIZE3 = BigInt(BUFFER_SIZE);
var TWO_3217 = 2 ** 32;
var TYPE_SHIFT = 12;
var LENGTH_AT2 = 16;
var TYPE_AT = 18;
var NAME_AT2 = 19;
var bytes = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));
var view = new DataView(bytes.buffer);
var DirectoryReader = class {
  #fd;
  #entries = [];
  #at = 0;
  /**
   * Opens a directory.
   *
   * @param directory An O_PATH descriptor.
   * @throws {Errno} EACCES, EMFILE, ENFILE.
   */
  constructor(directory) {
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    this.#fd = checked3(libc().openat(directory, DOT2, flags, 0));
  }
  [Symbol.iterator]() {
    return this;
  }
  next() {
    if (this.#at === this.#entries.length && !this.#refill()) {
      this.#close();
      return {
        done: true,
        value: void 0
      };
    }
    return {
      done: false,
      value: this.#entries[this.#at++]
    };
  }
  return() {
    this.#close();
    return {
      done: true,
      value: void 0
    };
  }
  #close() {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }
  /** Reads further entries; returns whether there are any. */
  #refill() {
    this.#entries = [];
    this.#at = 0;
    while (this.#fd >= 0 && this.#entries.length === 0) {
      const { getdents64 } = libc();
      const length2 = checked3(getdents64(BigInt(CALLS.getdents64), this.#fd, bytes, SIZE3));
      if (length2 === 0) return false;
      decode2(length2, this.#entries);
    }
    return this.#entries.length > 0;
  }
};
function decode2(length2, entries2) {
  for (let at = 0; at < length2; ) {
    const size = view.getUint16(at + LENGTH_AT2, true);
    const start = at + NAME_AT2;
    const end = bytes.indexOf(0, start);
    const name = decodeName(bytes.subarray(start, end));
    if (name !== "." && name !== "..") {
      const mode = view.getUint8(at + TYPE_AT) << TYPE_SHIFT;
      entries2.push([
        name,
        null,
        {
          mode,
          ino: inodeAt(at)
        }
      ]);
    }
    at += size;
  }
}
function inodeAt(at) {
  const high = view.getUint32(at + 4, true);
  return high < 2 ** 21 ? high * TWO_3217 + view.getUint32(at, true) : view.getBigUint64(at, true);
}

// src/mirror/making.ts
var PERMISSIONS2 = 511;
var DEFAULT_ACL = new TextEncoder().encode("system.posix_acl_default\0");
function makeFile2({ ids, descriptors }, directory, name, mode, caller) {
  const path = nameArgument(name);
  const permissions = masked(directory, mode, caller) & ~S_IF.MT;
  const flags = OPEN.RDWR | OPEN.CREAT | OPEN.EXCL | OPEN.NOFOLLOW | OPEN.CLOEXEC;
  const fd = orThrow(ids.run(caller, () => result2(libc().openat(directory, path, flags, permissions))));
  readStatus(fd, NO_NAME);
  const missing2 = permissions & PERMISSIONS2 & ~statusMode();
  if (missing2 !== 0 && !hasDefaultAcl(directory)) {
    libc().fchmodat(descriptors, descriptorName(fd), permissions, 0);
  }
  return fd;
}
function makeDirectory(maker, directory, name, mode, caller) {
  const path = nameArgument(name);
  const given = masked(directory, mode, caller);
  orThrow(maker.ids.run(caller, () => result2(libc().mkdirat(directory, path, given & ~S_IF.MT))));
  undoUmask(maker, directory, name, given);
}
function makeNode2(maker, directory, name, mode, rdev, caller) {
  const path = nameArgument(name);
  const device = deviceArgument(rdev);
  const given = masked(directory, mode, caller);
  orThrow(maker.ids.run(caller, () => result2(libc().mknodat(directory, path, given, device))));
  undoUmask(maker, directory, name, given);
}
function makeLink({ ids }, directory, name, target, caller) {
  const path = nameArgument(name);
  const text = textArgument(target);
  orThrow(ids.run(caller, () => result2(libc().symlinkat(text, directory, path))));
}
function masked(directory, mode, { umask }) {
  const isReplaced = (mode & umask) !== 0 && hasDefaultAcl(directory);
  return isReplaced ? mode : mode & ~umask;
}
function undoUmask({ descriptors }, directory, name, mode) {
  if (readStatus(directory, nameArgument(name)) < 0) return;
  const missing2 = mode & PERMISSIONS2 & ~statusMode();
  if (missing2 === 0 || hasDefaultAcl(directory)) return;
  const { openat, fchmodat, close: close2 } = libc();
  const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
  const fd = openat(directory, nameArgument(name), flags, 0);
  if (fd < 0) return;
  const isSame = readStatus(fd, NO_NAME) === 0 && (statusMode() & S_IF.MT) === (mode & S_IF.MT);
  if (isSame) fchmodat(descriptors, descriptorName(fd), mode & ~S_IF.MT, 0);
  close2(fd);
}
function hasDefaultAcl(directory) {
  const path = descriptorPath(directory);
  return libc().getxattr(path, DEFAULT_ACL, null, 0n) > 0;
}
function result2(value2) {
  return value2 < 0 ? -errno() : value2;
}
function orThrow(value2) {
  if (value2 < 0) throw failureOf2(-value2);
  return value2;
}

// src/mirror/file_handle.ts
var HEADER_SIZE5 = 8;
var MAX_HANDLE_SZ = 128;
var room = new Uint8Array(new ArrayBuffer(HEADER_SIZE5 + MAX_HANDLE_SZ));
var length = new Uint32Array(room.buffer, 0, 1);
var mountId = new Int32Array(new ArrayBuffer(4));
function fileHandle(fd) {
  length[0] = MAX_HANDLE_SZ;
  const { name_to_handle_at } = libc();
  const failed = name_to_handle_at(fd, NO_NAME, room, mountId, AT.EMPTY_PATH);
  return failed < 0 ? null : room.slice(0, HEADER_SIZE5 + length[0]);
}
function isSameHandle(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
function openHandle2(mount, handle) {
  const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
  return libc().open_by_handle_at(mount, handle, flags);
}

// src/mirror/nodes.ts
var DEVICE_SHIFT = 48n;
var CLOSED = -1;
var MirrorNode = class {
  /** Its inode number: that of the host on the root's device. */
  ino;
  /** A descriptor that `create()` has opened and `open()` takes; -1 for none. */
  created = CLOSED;
  /** How many files are open, which need a node with its descriptor. */
  opens = 0;
  /** Whether it was used since it was last passed over. */
  isUsed = true;
  #nodes;
  #device;
  #inode;
  #fd;
  /** What it is held by while it has no descriptor. */
  #handle = null;
  /** Called by {@linkcode MirrorNodes}. */
  constructor(nodes, fd, device, inode) {
    this.#nodes = nodes;
    this.#fd = fd;
    this.#device = device;
    this.#inode = inode;
    this.ino = device.index === 0 ? inode : BigInt.asUintN(64, BigInt(inode) ^ BigInt(device.index) << DEVICE_SHIFT);
  }
  /**
   * An O_PATH descriptor of it, until the next call of `makeRoom()`.
   *
   * @throws {Errno} ESTALE if it is gone.
   */
  get fd() {
    this.isUsed = true;
    if (this.#fd === CLOSED && this.#handle !== null) {
      this.adopt(checked3(openHandle2(this.#device.mount, this.#handle)));
    }
    return this.#fd;
  }
  /** Whether it has a descriptor now. */
  get isHeld() {
    return this.#fd !== CLOSED;
  }
  /** Takes over a descriptor of the same file. */
  adopt(fd) {
    this.#fd = fd;
    this.#handle = null;
    this.#nodes.held.add(this);
  }
  /** Whether a descriptor is of the same file, although this one has none. */
  isFileOf(fd) {
    const handle = fileHandle(fd);
    return handle !== null && this.#handle !== null && isSameHandle(handle, this.#handle);
  }
  /**
   * Lets its descriptor go, if a handle can hold it.
   *
   * @returns Whether it did.
   */
  park() {
    const isNeeded = this.opens > 0 || this.created !== CLOSED || this.#device.mount === CLOSED || readStatus(this.#fd, NO_NAME) < 0 || statusLinks() === 0;
    const handle = isNeeded ? null : fileHandle(this.#fd);
    if (handle === null) return false;
    this.#handle = handle;
    closeDescriptor(this.#fd);
    this.#fd = CLOSED;
    return true;
  }
  /** Forgets the file, and closes its descriptors. */
  close() {
    const { byInode } = this.#device;
    if (byInode.get(this.#inode) === this) byInode.delete(this.#inode);
    this.#nodes.held.delete(this);
    for (const fd of [
      this.#fd,
      this.created
    ]) {
      if (fd !== CLOSED) closeDescriptor(fd);
    }
    this.#fd = CLOSED;
    this.created = CLOSED;
    this.#handle = null;
  }
};
var MirrorNodes = class {
  /** Nodes with a descriptor, those that were passed over longest ago first. */
  held = /* @__PURE__ */ new Set();
  #max;
  #mayOpenHandles;
  #devices = /* @__PURE__ */ new Map();
  /**
   * Makes an empty table.
   *
   * @param max How many nodes may have descriptors before some are let go.
   */
  constructor(max) {
    this.#max = max;
    this.#mayOpenHandles = hasCapability("DAC_READ_SEARCH");
  }
  /** The node of a file, if its descriptor says that it is in use. */
  find(device, inode) {
    const node = this.#devices.get(device)?.byInode.get(inode);
    return node?.isHeld ? node : void 0;
  }
  /**
   * The node of a file.
   *
   * @param fd An O_PATH descriptor of it, which is closed or taken over.
   */
  nodeOf(device, inode, fd) {
    const files = this.#devices.get(device) ?? this.#addDevice(device, fd);
    const known = files.byInode.get(inode);
    if (known?.isHeld) {
      closeDescriptor(fd);
      return known;
    }
    if (known?.isFileOf(fd)) {
      known.adopt(fd);
      return known;
    }
    const node = new MirrorNode(this, fd, files, inode);
    files.byInode.set(inode, node);
    this.held.add(node);
    return node;
  }
  /** Lets descriptors of nodes go if there are too many. */
  makeRoom() {
    if (!this.#mayOpenHandles || this.held.size <= this.#max) return;
    let rest = this.held.size;
    for (const node of this.held) {
      if (--rest < 0 || this.held.size <= this.#max * 3 / 4) return;
      this.held.delete(node);
      if (!node.isUsed && node.park()) continue;
      node.isUsed = false;
      this.held.add(node);
    }
  }
  /** Closes all nodes. */
  close() {
    for (const { byInode, mount } of this.#devices.values()) {
      for (const node of [
        ...byInode.values()
      ]) node.close();
      if (mount !== CLOSED) closeDescriptor(mount);
    }
  }
  #addDevice(number2, fd) {
    const isDirectory = readStatus(fd, NO_NAME) === 0 && (statusMode() & S_IF.MT) === S_IF.DIR;
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    const mount = isDirectory ? libc().openat(fd, DOT2, flags, 0) : CLOSED;
    const index = this.#devices.size;
    const device = {
      index,
      byInode: /* @__PURE__ */ new Map(),
      mount: Math.max(mount, CLOSED)
    };
    this.#devices.set(number2, device);
    return device;
  }
};

// src/mirror/tree.ts
var DESCRIPTORS_WANTED = 2 ** 20;
var MirrorTree = class {
  root;
  #nodes;
  #maker;
  /** An O_PATH descriptor of /proc/self/fd. */
  descriptors;
  /** The node that was looked up last, if its attributes are still at hand. */
  #fresh = null;
  #freshAttr = null;
  /**
   * Called in the thread that will use it.
   *
   * @param root A descriptor of {@linkcode openRoot}, which it takes over.
   * @throws {UserError} If it cannot be used.
   */
  constructor(root, options = {}) {
    const descriptorsMax = raiseOpenFiles(DESCRIPTORS_WANTED);
    this.#nodes = new MirrorNodes(options.nodesMax ?? descriptorsMax / 2);
    const descriptors = openDescriptor("/proc/self/fd", OPEN.PATH | OPEN.DIRECTORY);
    this.descriptors = descriptors;
    this.#maker = {
      ids: new CallerIds(),
      descriptors
    };
    checked3(readStatus(root, NO_NAME));
    this.root = this.#nodes.nodeOf(statusDevice(), statusInode(), root);
    this.root.opens = Infinity;
  }
  /** Closes all descriptors; the file system cannot be used any more. */
  [Symbol.dispose]() {
    this.#nodes.close();
    closeDescriptor(this.descriptors);
  }
  getattr(node) {
    const attr2 = this.#freshAttr;
    const isFresh = this.#fresh === node;
    this.begin();
    if (isFresh && attr2 !== null) return attr2;
    checked3(readStatus(node.fd, NO_NAME));
    return statusAttr(node.ino);
  }
  lookup(directory, name) {
    this.begin();
    const path = nameArgument(name);
    if (readStatus(directory.fd, path) < 0) return nothingThere(errno());
    const known = this.#nodes.find(statusDevice(), statusInode());
    if (known !== void 0) return this.#keepFresh(known);
    const flags = OPEN.PATH | OPEN.NOFOLLOW | OPEN.CLOEXEC;
    const fd = libc().openat(directory.fd, path, flags, 0);
    return fd < 0 ? nothingThere(errno()) : this.#nodeOf(fd);
  }
  readdir(directory) {
    this.begin();
    return new DirectoryReader(directory.fd);
  }
  readlink(node) {
    this.begin();
    const target = new Uint8Array(new ArrayBuffer(PATH_MAX));
    const room3 = BigInt(target.byteLength);
    const { readlinkat } = libc();
    const length2 = checked3(readlinkat(node.fd, NO_NAME, target, room3));
    return decodeName(target.subarray(0, length2));
  }
  setattr(node, changes, _caller, handle) {
    this.begin();
    changeAttributes(this.descriptors, node.fd, changes, handle);
  }
  create(directory, name, mode, caller) {
    this.begin();
    const file = makeFile2(this.#maker, directory.fd, name, mode, caller);
    const { descriptors } = this;
    const flags = OPEN.PATH | OPEN.CLOEXEC;
    const fd = libc().openat(descriptors, descriptorName(file), flags, 0);
    if (fd < 0) {
      const error = failureOf2(errno());
      closeDescriptor(file);
      throw error;
    }
    const node = this.#nodeOf(fd);
    node.created = file;
    return node;
  }
  mkdir(directory, name, mode, caller) {
    makeDirectory(this.#maker, directory.fd, name, mode, caller);
    return this.#made(directory, name);
  }
  mknod(directory, name, mode, rdev, caller) {
    makeNode2(this.#maker, directory.fd, name, mode, rdev, caller);
    return this.#made(directory, name);
  }
  symlink(directory, name, target, caller) {
    makeLink(this.#maker, directory.fd, name, target, caller);
    return this.#made(directory, name);
  }
  link(node, directory, name) {
    this.begin();
    const { linkat } = libc();
    const path = nameArgument(name);
    const { fd } = node;
    if (linkat(fd, NO_NAME, directory.fd, path, AT.EMPTY_PATH) === 0) return;
    const error = errno();
    if (error !== ERRNO.ENOENT) throw failureOf2(error);
    const { descriptors } = this;
    const link3 = descriptorName(fd);
    checked3(linkat(descriptors, link3, directory.fd, path, AT.SYMLINK_FOLLOW));
  }
  unlink(directory, name) {
    checked3(libc().unlinkat(directory.fd, nameArgument(name), 0));
  }
  rmdir(directory, name) {
    const path = nameArgument(name);
    checked3(libc().unlinkat(directory.fd, path, AT.REMOVEDIR));
  }
  rename(from, oldName, to, newName, flags) {
    const path = nameArgument(oldName);
    const target = secondNameArgument(newName);
    checked3(libc().renameat2(from.fd, path, to.fd, target, flags));
  }
  statfs(node) {
    return spaceOf(node.fd);
  }
  forget(node) {
    this.begin();
    node.close();
  }
  /** What was made under a name, or has come there since. */
  #made(directory, name) {
    const node = this.lookup(directory, name);
    if (node === null) throw new Errno("ENOENT");
    return node;
  }
  /** The node of a file; its O_PATH descriptor is closed if it has one. */
  #nodeOf(fd) {
    if (readStatus(fd, NO_NAME) < 0) {
      const error = failureOf2(errno());
      closeDescriptor(fd);
      throw error;
    }
    const node = this.#nodes.nodeOf(statusDevice(), statusInode(), fd);
    return this.#keepFresh(node);
  }
  /** Keeps the attributes that were just read for `getattr()`. */
  #keepFresh(node) {
    this.#fresh = node;
    this.#freshAttr = statusAttr(node.ino);
    return node;
  }
  /** Whether a file has set-user-ID or set-group-ID. */
  isSetId({ fd }) {
    return readStatus(fd, NO_NAME) < 0 || (statusMode() & (S_IS.UID | S_IS.GID)) !== 0;
  }
  /**
   * Begins an operation: drops attributes that may change, and descriptors of
   * nodes if there are too many.
   */
  begin() {
    this.#fresh = null;
    this.#freshAttr = null;
    this.#nodes.makeRoom();
  }
};
function nothingThere(error) {
  if (error === ERRNO.ENOENT) return null;
  throw failureOf2(error);
}

// src/mirror/xattrs.ts
var ROOM = BigInt(XATTR_SIZE_MAX);
var EMPTY = new Uint8Array(new ArrayBuffer(1));
var room2;
function sharedRoom2() {
  return room2 ??= new Uint8Array(new ArrayBuffer(XATTR_SIZE_MAX));
}
function attributeOf(fd, name) {
  const into = sharedRoom2();
  const length2 = libc().getxattr(descriptorPath(fd), textArgument(name), pointerOf(into), ROOM);
  if (length2 >= 0) return into.slice(0, length2);
  const error = errno();
  if (error === ERRNO.ENODATA) return null;
  throw failureOf2(error);
}
function setAttribute(fd, name, value2, flags) {
  const bytes2 = value2.length === 0 ? EMPTY : value2;
  const size = BigInt(value2.length);
  const path = descriptorPath(fd);
  checked3(libc().setxattr(path, textArgument(name), bytes2, size, flags));
}
function attributeNames(fd) {
  const into = sharedRoom2();
  const length2 = checked3(libc().listxattr(descriptorPath(fd), into, ROOM));
  return decodeName(into.subarray(0, length2)).split("\0").slice(0, -1);
}
function removeAttribute(fd, name) {
  checked3(libc().removexattr(descriptorPath(fd), textArgument(name)));
}

// src/mirror/mirror.ts
var DEALT_WITH = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC | OPEN.NOFOLLOW | OPEN.DIRECT;
var ACCESS_ACL = "system.posix_acl_access";
var NOT_CREATED_WITH = O.APPEND | O.DSYNC;
var Mirror = class extends MirrorTree {
  /** Left out where close(2) tells of no errors: the kernel need not ask. */
  flush;
  /**
   * Called by {@linkcode mirror}, in the thread that will use it.
   *
   * @param root A descriptor of `openRoot()`, which it takes over.
   * @throws {UserError} If it cannot be used.
   */
  constructor(root, options = {}) {
    super(root, options);
    if (hasLateErrors(root)) this.flush = flushHandle2;
  }
  open(node, flags) {
    this.begin();
    const handle = this.#open(node, flags);
    node.opens++;
    return handle;
  }
  #open(node, flags) {
    const { created } = node;
    if (created >= 0 && (flags & O.CREAT) !== 0) {
      node.created = -1;
      if ((flags & NOT_CREATED_WITH) === 0) return created;
      closeDescriptor(created);
    }
    const { descriptors } = this;
    const name = descriptorName(node.fd);
    const wanted = flags & ~DEALT_WITH | OPEN.CLOEXEC;
    return checked3(libc().openat(descriptors, name, wanted, 0));
  }
  backing(node, handle) {
    return this.isSetId(node) ? null : handle;
  }
  read(_node, into, offset, _caller, handle) {
    return readFile(needed(handle), into, offset);
  }
  write(_node, data, offset, _caller, handle) {
    this.begin();
    return writeFile(needed(handle), data, offset);
  }
  fsync(node, dataOnly, _caller, handle) {
    if (handle !== void 0) return syncFile(handle, dataOnly, false);
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    const fd = checked3(libc().openat(node.fd, DOT2, flags, 0));
    return syncFile(fd, dataOnly, true);
  }
  release(node, handle) {
    if (handle === void 0) return;
    node.opens--;
    closeDescriptor(handle);
  }
  fallocate(_node, mode, offset, length2, _caller, handle) {
    this.begin();
    const { fallocate: fallocate2 } = libc();
    const fd = needed(handle);
    checked3(fallocate2(fd, mode, BigInt(offset), BigInt(length2)));
  }
  seekData(_node, offset, _caller, handle) {
    return seekFile(needed(handle), offset, SEEK.DATA);
  }
  seekHole(_node, offset, _caller, handle) {
    return seekFile(needed(handle), offset, SEEK.HOLE);
  }
  getxattr(node, name) {
    this.begin();
    return attributeOf(node.fd, name);
  }
  setxattr(node, name, value2, flags, caller) {
    this.begin();
    setAttribute(node.fd, name, value2, flags);
    if (name === ACCESS_ACL) this.#dropSetGroupId(node, caller);
  }
  /** Who is not in the group of a file cannot give its rights to others. */
  #dropSetGroupId({ fd }, { uid, gid, groups }) {
    checked3(readStatus(fd, NO_NAME));
    const mode = statusMode();
    const group = statusGroup();
    const isPrivileged = uid === 0 || gid === group || groups.includes(group);
    if (isPrivileged || (mode & S_IS.GID) === 0) return;
    const name = descriptorName(fd);
    const rest = mode & ~(S_IF.MT | S_IS.GID);
    checked3(libc().fchmodat(this.descriptors, name, rest, 0));
  }
  listxattr(node) {
    this.begin();
    return attributeNames(node.fd);
  }
  removexattr(node, name) {
    this.begin();
    removeAttribute(node.fd, name);
  }
};
function needed(handle) {
  if (handle === void 0) throw new Errno("EBADF");
  return handle;
}
function flushHandle2(_node, _caller, handle) {
  const { close: close2, dup } = libc();
  checked3(close2(checked3(dup(needed(handle)))));
}

// src/session/mirror_handler.ts
function openMirrorHandler({ root, cache, passthrough }, device) {
  const fs = new Mirror(root);
  const backingFiles = passthrough ? new DeviceBackingFiles(device) : null;
  const handler = new FileSystemHandler(fs, {
    now: systemTime,
    ...cache
  }, {
    backingFiles,
    enforcesAcls: true,
    leavesUmask: true,
    groupsOf: groupsOfThread,
    inPlace: true,
    privilegesKilled: (nodeid) => invalidateAttributesNow(device, nodeid)
  });
  return {
    handler,
    close: () => {
      fs[Symbol.dispose]();
      return Promise.resolve();
    }
  };
}
var DeviceBackingFiles = class {
  #device;
  #capabilities = new ThreadCapabilities();
  #isRefused = false;
  constructor(device) {
    this.#device = device;
  }
  open(fd) {
    if (this.#isRefused) return null;
    try {
      return this.#capabilities.without("FSETID", () => openBackingFile(this.#device, fd));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const { errno: errno2 } = error;
      this.#isRefused = errno2 === ERRNO.ELOOP || errno2 === ERRNO.EPERM;
      return null;
    }
  }
  close(id) {
    closeBackingFile(this.#device, id);
  }
};

// src/session/open_handler.ts
async function openHandler(spec, { device, queue, fileIo, onZeroed, tell: tell2, splicing, notifier }) {
  if (spec.kind === "mirror") return openMirrorHandler(spec, device);
  if (spec.kind === "module") {
    const make = await importFactory(spec, "handler");
    const handler2 = await make(spec.options, {
      notifier
    });
    return {
      handler: handler2,
      close: () => Promise.resolve()
    };
  }
  const syncErrors = SyncErrors.over(spec.syncErrors);
  const services = {
    ...driverServices({
      fileIo,
      tell: tell2
    }),
    syncErrors,
    queue
  };
  const image = await attachImage(spec.image, services);
  const { backend } = image;
  const state = new ExportState(spec.state, {
    queue,
    clock: fileTime
  });
  const { rules } = spec;
  const handler = new BlockExport({
    backend,
    state,
    rules,
    syncErrors,
    onZeroed,
    ...splicing === null ? {} : {
      splicing
    }
  });
  return {
    handler,
    close: () => image.close()
  };
}

// src/shared_memory/byte_budget.ts
var IN_FLIGHT2 = 0;
var ByteBudget = class {
  #words;
  #max;
  /**
   * Wraps its memory.
   *
   * @param words The memory, of {@linkcode ByteBudget.create}.
   * @param max The limit in bytes. What is taken last may exceed it.
   */
  constructor(words, max) {
    this.#words = words;
    this.#max = max;
  }
  /** Makes its memory. */
  static create() {
    const size = Int32Array.BYTES_PER_ELEMENT;
    return new Int32Array(new SharedArrayBuffer(size));
  }
  /**
   * Takes some bytes, unless the limit has been reached; they may exceed it. For
   * the thread that sends.
   *
   * @returns Whether they may be sent.
   */
  tryTake(bytes2) {
    if (Atomics.load(this.#words, IN_FLIGHT2) >= this.#max) return false;
    Atomics.add(this.#words, IN_FLIGHT2, bytes2);
    return true;
  }
  /** Gives back bytes that have arrived. For the thread that receives. */
  giveBack(bytes2) {
    Atomics.sub(this.#words, IN_FLIGHT2, bytes2);
  }
};

// src/session/trace_relay.ts
var RELAY_MAX = 4 << 20;
var RECORD_BYTES2 = 1024;
var TraceSender = class {
  #budget;
  #send;
  /** Records that were dropped since the last one that was sent. */
  #dropped = 0;
  /**
   * Makes a sender.
   *
   * @param budget Memory of a `ByteBudget` that both threads share.
   * @param send Sends a message to the session's thread.
   */
  constructor(budget, send) {
    this.#budget = new ByteBudget(budget, RELAY_MAX);
    this.#send = send;
  }
  /** Sends a record, or drops it. */
  send(record) {
    if (!this.#budget.tryTake(sizeOf5(record))) {
      this.#dropped++;
      return;
    }
    this.#send({
      kind: "trace",
      record,
      dropped: this.#dropped
    });
    this.#dropped = 0;
  }
  /** Reports records that were dropped at the end. */
  end() {
    if (this.#dropped === 0) return;
    this.#send({
      kind: "trace",
      record: null,
      dropped: this.#dropped
    });
    this.#dropped = 0;
  }
};
function sizeOf5({ wire }) {
  return RECORD_BYTES2 + (wire?.byteLength ?? 0);
}

// src/session/uncaught_replies.ts
var USE_OF_FREED_MEMORY = /\bdetached\b.*\bArrayBuffer\b/;
function uncaughtOf(event) {
  return "reason" in event ? event.reason : event.error;
}
function settleUncaught(event, report2) {
  const error = uncaughtOf(event);
  if (error instanceof ReplyError) error.uncaught();
  else if (report2 !== void 0 && isUseOfFreedMemory(error)) {
    report2(error, "an answered request");
  } else return false;
  event.preventDefault();
  return true;
}
function isUseOfFreedMemory(error) {
  return error instanceof TypeError && USE_OF_FREED_MEMORY.test(error.message);
}

// src/session/session_notifier.ts
var SessionNotifier = class {
  #notifier;
  #minor;
  /**
   * Makes a notifier.
   *
   * @param notifier Sends the messages, or the reason why that is not possible.
   * @param negotiated The negotiated capabilities.
   */
  constructor(notifier, negotiated) {
    this.#notifier = notifier;
    this.#minor = negotiated.minor;
  }
  /**
   * Drops an inode's cached attributes and the cached data of a range.
   *
   * @param nodeid The inode.
   * @param offset Where the range starts, in bytes.
   * @param length Its length in bytes; 0 for all up to the end.
   */
  invalidateInode(nodeid, offset = 0, length2 = 0) {
    return this.#send("INVAL_INODE", () => ({
      body: {
        ino: nodeid,
        off: BigInt(offset),
        len: BigInt(length2)
      }
    }));
  }
  /** Drops an inode's cached attributes and keeps its data. */
  invalidateAttributes(nodeid) {
    return this.invalidateInode(nodeid, -1);
  }
  /**
   * Drops a cached name, whether a file exists there or not.
   *
   * @param parent The directory's inode.
   * @param name The name in it.
   */
  invalidateEntry(parent, name, { expireOnly = false } = {}) {
    const flags = expireOnly ? FUSE_NOTIFY_INVAL_ENTRY.EXPIRE_ONLY : 0;
    return this.#send("INVAL_ENTRY", () => ({
      body: {
        parent,
        flags
      },
      name
    }));
  }
  /**
   * Drops a cached name as deleted: programs that watch the directory receive
   * an event. Refused if the inode is a directory with cached names, or a mount
   * point.
   *
   * @param parent The directory's inode.
   * @param child The inode that had the name.
   * @param name The name.
   */
  deleteEntry(parent, child, name) {
    return this.#send("DELETE", () => ({
      body: {
        parent,
        child
      },
      name
    }));
  }
  /**
   * Puts data into the kernel's page cache.
   *
   * @param nodeid The inode.
   * @param offset Where in the file, in bytes.
   * @param data The bytes; beyond the end of the file, it grows.
   */
  store(nodeid, offset, data) {
    return this.#send("STORE", () => ({
      body: {
        nodeid,
        offset: BigInt(offset)
      },
      data
    }));
  }
  /** Makes the kernel drop cached inodes that no program uses. */
  prune(nodeids) {
    return this.#send("PRUNE", () => ({
      nodeids
    }));
  }
  /**
   * Wakes programs that wait in poll(2) or select(2).
   *
   * @param kh The handle that came with the POLL request.
   */
  wakePoll(kh) {
    return this.#send("POLL", () => ({
      body: {
        kh
      }
    }));
  }
  /**
   * Makes the kernel send what it has cached of a file: it sends a NOTIFY_REPLY
   * to the handler, with the data after its struct, after this has resolved.
   *
   * @param nodeid The inode.
   * @param offset Where in the file, in bytes.
   * @param size The most bytes to send.
   * @param unique The `unique` that the NOTIFY_REPLY shall have.
   */
  retrieve(nodeid, offset, size, unique) {
    return this.#send("RETRIEVE", () => ({
      body: {
        notify_unique: unique,
        nodeid,
        offset: BigInt(offset),
        size
      }
    }));
  }
  /**
   * Makes all cached names stale: the kernel looks each one up again at its next
   * use.
   */
  incrementEpoch() {
    return this.#send("INC_EPOCH", () => ({}));
  }
  /**
   * Makes the kernel send all requests again that are not answered yet, for a
   * handler that has lost them. An answer to the first copy is refused then. It
   * has no effect on requests over io_uring.
   */
  resend() {
    return this.#send("RESEND", () => ({}));
  }
  /** Sends a notification; rejects at once if a value cannot be encoded. */
  #send(name, parts2) {
    let message;
    try {
      message = encodeNotification(name, parts2());
    } catch (error) {
      return Promise.reject(error);
    }
    const sent = this.#deliver(name, message);
    sent.catch(() => {
    });
    return sent;
  }
  async #deliver(name, message) {
    const { since } = NOTIFICATIONS[name];
    if (this.#minor < since) {
      throw new UserError(`Cannot send ${name} to the kernel: it needs FUSE 7.${since}, and this kernel speaks 7.${this.#minor}; use a newer kernel`);
    }
    if (typeof this.#notifier === "string") {
      throw new UserError(`Cannot send ${name} to the kernel: ${this.#notifier}`);
    }
    const errno2 = -await this.#notifier.notify(message);
    if (errno2 === 0) return true;
    if (errno2 === ERRNO.ENOENT) return false;
    throw new NotificationFailure(name, errno2);
  }
};
var REASONS = {
  [ERRNO.ENODEV]: "the session has ended",
  [ERRNO.ENOBUFS]: "too many wait already; await some of them first"
};
var NotificationFailure = class extends UserError {
  /** The positive error number. */
  errno;
  constructor(notification, errno2) {
    const reason = REASONS[errno2] ?? `the kernel refused (${errnoName(errno2)})`;
    super(`Cannot send ${notification} to the kernel: ${reason}`);
    this.errno = errno2;
  }
};

// src/queue/notifier.ts
var NOTIFICATIONS_MAX = 16384;
var BYTES_MAX2 = 32 * 2 ** 20;

// src/session/worker_notifier.ts
var WorkerNotifier = class {
  #post;
  #waiting = /* @__PURE__ */ new Map();
  #last = 0;
  /** Makes a notifier; `post` sends a message to the main thread. */
  constructor(post2) {
    this.#post = post2;
  }
  notify(message) {
    if (this.#waiting.size >= NOTIFICATIONS_MAX) {
      return Promise.resolve(-ERRNO.ENOBUFS);
    }
    const { promise, resolve: resolve2 } = Promise.withResolvers();
    const id = ++this.#last;
    this.#waiting.set(id, resolve2);
    this.#post({
      kind: "notify",
      id,
      message
    });
    return promise;
  }
  /** Settles a notification, when the main thread has answered. */
  notified({ id, result: result3 }) {
    this.#waiting.get(id)?.(result3);
    this.#waiting.delete(id);
  }
};

// src/session/worker.ts
var post = self.postMessage.bind(self);
function tell(message) {
  post(message);
}
function keepPostMessage() {
  self.postMessage = () => {
    throw new Error("A module has called postMessage(), which reaches nothing");
  };
}
function nextMessage(kind) {
  const { promise, resolve: resolve2 } = Promise.withResolvers();
  const receive = ({ data }) => {
    if (data.kind !== kind) return;
    self.removeEventListener("message", receive);
    resolve2(data);
  };
  self.addEventListener("message", receive);
  return promise;
}
async function openQueue(start) {
  const uring = start.qids === null ? null : await openRing(start, start.qids);
  return uring === null ? openDeviceQueue(start, (error) => reportRefused(start, error)) : openUringQueue(start, uring);
}
function openUringQueue(start, uring) {
  const protocolVersion = protocolVersionOf(start.negotiated);
  const messages = new ResidentMessages();
  const poll2 = new PollStrategy(start.pollUs, {
    yieldCpu
  });
  const events = new RingEvents(uring.ring, poll2);
  const pollsDevice = start.index === 0;
  const device = new DeviceQueue(fuseDeviceFromFd(start.fd), {
    maxPayload: start.maxPayload,
    protocolVersion,
    memoryMax: start.memory.max,
    allocate: (size) => messages.allocate(size)
  });
  if (pollsDevice) device.prepare(1);
  const { entries: entries2 } = uring;
  const options = {
    protocolVersion,
    device,
    pollsDevice
  };
  const queue = new UringQueue(events, entries2, options);
  messages.add(entries2.memory);
  const fileIo = new RingFileIo(events, uring.fileSlots);
  return {
    queue,
    events,
    fileIo: () => fileIo,
    memory: messages.total,
    pipe: null,
    descriptors: [],
    whyNoBatches: null
  };
}
function reportRefused({ statistics, index }, error) {
  new QueueStatistics(statistics).queues[index].failed(error.opcode);
  const during = opcodeName(error.opcode) ?? `opcode ${error.opcode}`;
  tell({
    kind: "report",
    error: cloneable(error),
    during
  });
}
async function openRing({ fd, negotiated }, qids) {
  const go = nextMessage("go");
  let uring = null;
  let failure5 = null;
  try {
    const payloadSize2 = ringPayloadSize(negotiated);
    uring = openFuseRing({
      fd,
      qids,
      payloadSize: payloadSize2
    });
  } catch (error) {
    failure5 = messageOf(error);
  }
  tell({
    kind: "ring",
    failure: failure5
  });
  const { useRing } = await go;
  if (useRing) return uring;
  uring?.ring.close();
  uring?.entries.release();
  return null;
}
async function run2(start) {
  const open2 = await openQueue(start);
  const { queue, events, fileIo, memory, pipe } = open2;
  const { descriptors, whyNoBatches } = open2;
  endEarly(queue);
  keepPostMessage();
  const { spliceFrom: from } = start;
  const splicing = pipe instanceof LinuxMessagePipe && from !== null ? {
    pipe,
    from
  } : null;
  try {
    const { handler, close: close2 } = await openHandler(start.handler, {
      device: start.fd,
      queue: start.index,
      fileIo,
      onZeroed: () => tell({
        kind: "zeroed"
      }),
      tell: (text) => tell({
        kind: "told",
        text
      }),
      splicing,
      notifier: makeNotifier(start)
    });
    const mayServe = nextMessage("serve");
    const noPipe = typeof pipe === "string" ? pipe : null;
    tell({
      kind: "ready",
      memory,
      noPipe,
      descriptors,
      whyNoBatches
    });
    const sender = start.trace && new TraceSender(start.trace, tell);
    await mayServe;
    const end = await serve(traced(queue, sender, start), handler, {
      mayBlock: true,
      events,
      statistics: new QueueStatistics(start.statistics),
      index: start.index,
      clock: monotonicClock(),
      report
    });
    await close2();
    queue.close();
    sender?.end();
    tell({
      kind: "done",
      end
    });
  } finally {
    queue.close();
    splicing?.pipe.close();
  }
}
function makeNotifier({ whyNoNotifications, negotiated }) {
  if (whyNoNotifications !== null) {
    return new SessionNotifier(whyNoNotifications, negotiated);
  }
  const notifier = new WorkerNotifier(tell);
  self.addEventListener("message", ({ data }) => {
    if (data.kind === "notified") notifier.notified(data);
  });
  return new SessionNotifier(notifier, negotiated);
}
var closeWorker = self.close.bind(self);
function endEarly(queue) {
  const end = (error) => {
    queue.close();
    tell(failureOf3(error));
  };
  const uncaught = (event) => {
    if (settleUncaught(event, report)) return;
    event.preventDefault();
    end(uncaughtOf(event));
  };
  self.addEventListener("error", uncaught);
  self.addEventListener("unhandledrejection", uncaught);
  self.close = () => end(new Error("Its Worker was ended by close()"));
  Deno.exit = () => {
    const error = new Error("Its Worker was ended by Deno.exit()");
    end(error);
    throw error;
  };
}
function traced(queue, sender, { index, wire }) {
  return sender === null ? queue : new TraceQueue(queue, (record) => sender.send(record), {
    index,
    wire
  });
}
function report(error, during) {
  tell({
    kind: "report",
    error: cloneable(error),
    during
  });
}
function cloneable(error) {
  const copy = new Error(messageOf(error));
  if (isReadableError(error)) {
    copy.name = error.name;
    if (error.stack !== void 0) copy.stack = error.stack;
  }
  return copy;
}
function failureOf3(error) {
  const isUserError = error instanceof UserError;
  return {
    kind: "failed",
    message: messageOf(error),
    isUserError
  };
}
async function main() {
  const start = nextMessage("start");
  const copy = nextMessage("copy");
  tell({
    kind: "loaded"
  });
  try {
    const first2 = await Promise.race([
      start,
      copy
    ]);
    if (first2.kind === "copy") await copyJobs(first2, self);
    else await run2(first2);
  } catch (error) {
    tell(failureOf3(error));
  }
  closeWorker();
}
void main();
