/**
 * Every struct of the FUSE wire protocol, version 7.45. Sizes, offsets,
 * TypeScript types, accessors, traces and docs/PROTOCOL.md all derive from this
 * table.
 *
 * Names and order are those of the kernel's `include/uapi/linux/fuse.h`. A cell
 * is a type and, if the field or its meaning is newer than 7.1, the version
 * that introduced it. The types:
 *
 * - `u8`, `u16`, `u32`, `s32`: a number. `u64`, `s64`: a bigint.
 * - `size64`: a `u64` that counts bytes, blocks or files, and can be read as a
 *   number too. Identifiers (`unique`, `nodeid`, `fh`, `lock_owner`) cannot.
 * - `u32[11]`: an array. `fuse_attr`: that struct, in place.
 *
 * Integers are in the host's byte order, which is little-endian on all supported
 * machines. Layout follows C's rule of natural alignment, with all padding
 * spelled out: `layout.ts` asserts that when it is loaded.
 *
 * @module
 */

/**
 * Field types by struct and field, in wire order.
 *
 * @category Structs
 */
export const STRUCTS = {
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
    flags: "u32 since 7.32",
  },
  /** A timestamp of statx(2). */
  fuse_sx_time: { tv_sec: "s64", tv_nsec: "u32", __reserved: "s32" },
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
    __spare2: "u64[14]",
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
    spare: "u32[6] since 7.4",
  },
  /** A POSIX or flock(2) lock; `type` is F_RDLCK 0, F_WRLCK 1, F_UNLCK 2. */
  fuse_file_lock: { start: "u64", end: "u64", type: "u32", pid: "u32" },
  /** An inode that was found or created: fuse_lookup_name(). */
  fuse_entry_out: {
    nodeid: "u64",
    generation: "u64",
    entry_valid: "u64",
    attr_valid: "u64",
    entry_valid_nsec: "u32",
    attr_valid_nsec: "u32",
    attr: "fuse_attr",
  },
  /** The kernel drops `nlookup` references to an inode. */
  fuse_forget_in: { nlookup: "u64" },
  /** One inode of BATCH_FORGET. */
  fuse_forget_one: { nodeid: "u64", nlookup: "u64" },
  /** Starts BATCH_FORGET; `count` items follow. */
  fuse_batch_forget_in: { count: "u32", dummy: "u32" },
  /** `fh` is valid if `getattr_flags` says so. */
  fuse_getattr_in: {
    getattr_flags: "u32 since 7.9",
    dummy: "u32 since 7.9",
    fh: "u64 since 7.9",
  },
  /** The attributes of an inode, and how long they may be cached. */
  fuse_attr_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    dummy: "u32",
    attr: "fuse_attr",
  },
  /** statx(2): the request. */
  fuse_statx_in: {
    getattr_flags: "u32",
    reserved: "u32",
    fh: "u64",
    sx_flags: "u32",
    sx_mask: "u32",
  },
  /** statx(2): the reply. */
  fuse_statx_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    flags: "u32",
    spare: "u64[2]",
    stat: "fuse_statx",
  },
  /** mknod(2); a name follows. */
  fuse_mknod_in: {
    mode: "u32",
    rdev: "u32",
    umask: "u32 since 7.12",
    padding: "u32 since 7.12",
  },
  /** mkdir(2); a name follows. */
  fuse_mkdir_in: { mode: "u32", umask: "u32 since 7.12" },
  /** rename(2); two names follow. */
  fuse_rename_in: { newdir: "u64" },
  /** renameat2(2); two names follow. */
  fuse_rename2_in: { newdir: "u64", flags: "u32", padding: "u32" },
  /** link(2); the new name follows. */
  fuse_link_in: { oldnodeid: "u64" },
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
    unused5: "u32",
  },
  /** open(2) of a file or directory. */
  fuse_open_in: { flags: "u32", open_flags: "u32 since 7.33" },
  /** open(2) with O_CREAT, or O_TMPFILE; a name follows. */
  fuse_create_in: {
    flags: "u32",
    mode: "u32",
    umask: "u32 since 7.12",
    open_flags: "u32 since 7.33",
  },
  /** An open file or directory. */
  fuse_open_out: { fh: "u64", open_flags: "u32", backing_id: "u32 since 7.40" },
  /** The last close of an open file or directory. */
  fuse_release_in: {
    fh: "u64",
    flags: "u32",
    release_flags: "u32 since 7.8",
    lock_owner: "u64 since 7.8",
  },
  /** Each close(2) of a descriptor. */
  fuse_flush_in: {
    fh: "u64",
    unused: "u32",
    padding: "u32",
    lock_owner: "u64 since 7.7",
  },
  /** pread(2) of a file, or a part of a directory listing. */
  fuse_read_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    read_flags: "u32 since 7.9",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9",
  },
  /** pwrite(2); `size` bytes follow. */
  fuse_write_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    write_flags: "u32",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9",
  },
  /** Bytes written. */
  fuse_write_out: { size: "u32", padding: "u32" },
  /** statfs(2): the reply. */
  fuse_statfs_out: { st: "fuse_kstatfs" },
  /** fsync(2), fdatasync(2). */
  fuse_fsync_in: { fh: "u64", fsync_flags: "u32", padding: "u32" },
  /** Ends after `flags` unless FUSE_SETXATTR_EXT was negotiated. */
  fuse_setxattr_in: {
    size: "u32",
    flags: "u32",
    setxattr_flags: "u32 since 7.33",
    padding: "u32 since 7.33",
  },
  /** `size` 0 requests the size only. */
  fuse_getxattr_in: { size: "u32", padding: "u32" },
  /** The size of a value or of a list. */
  fuse_getxattr_out: { size: "u32", padding: "u32" },
  /** fcntl(2) or flock(2) locks. */
  fuse_lk_in: {
    fh: "u64",
    owner: "u64",
    lk: "fuse_file_lock",
    lk_flags: "u32 since 7.9",
    padding: "u32 since 7.9",
  },
  /** The conflicting lock, or `type` F_UNLCK. */
  fuse_lk_out: { lk: "fuse_file_lock" },
  /** access(2). */
  fuse_access_in: { mask: "u32", padding: "u32" },
  /** The capabilities that the kernel offers: fuse_send_init(). */
  fuse_init_in: {
    major: "u32",
    minor: "u32",
    max_readahead: "u32 since 7.6",
    flags: "u32 since 7.6",
    flags2: "u32 since 7.36",
    unused: "u32[11] since 7.36",
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
    unused: "u16[11] since 7.23",
  },
  /** `unique` of the request whose caller was interrupted by a signal. */
  fuse_interrupt_in: { unique: "u64" },
  /** FIBMAP. */
  fuse_bmap_in: { block: "u64", blocksize: "u32", padding: "u32" },
  /** FIBMAP: the block of the device. */
  fuse_bmap_out: { block: "u64" },
  /** ioctl(2); `in_size` bytes follow. */
  fuse_ioctl_in: {
    fh: "u64",
    flags: "u32",
    cmd: "u32",
    arg: "u64",
    in_size: "u32",
    out_size: "u32",
  },
  /** A range of the caller's memory, for a retry of ioctl(2). */
  fuse_ioctl_iovec: { base: "u64", len: "u64" },
  /** The result of ioctl(2), or the ranges that a retry should transfer. */
  fuse_ioctl_out: {
    result: "s32",
    flags: "u32",
    in_iovs: "u32",
    out_iovs: "u32",
  },
  /** poll(2); `kh` identifies the file in a notification. */
  fuse_poll_in: {
    fh: "u64",
    kh: "u64",
    flags: "u32",
    events: "u32 since 7.21",
  },
  /** Events that are ready. */
  fuse_poll_out: { revents: "u32", padding: "u32" },
  /** Wakes up poll(2) of the file `kh`. */
  fuse_notify_poll_wakeup_out: { kh: "u64" },
  /** fallocate(2). */
  fuse_fallocate_in: {
    fh: "u64",
    offset: "size64",
    length: "size64",
    mode: "u32",
    padding: "u32",
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
    padding: "u16",
  },
  /** Starts every reply and notification: fuse_dev_do_write(). */
  fuse_out_header: { len: "u32", error: "s32", unique: "u64" },
  /** One entry of READDIR; its name follows, padded to 8 bytes. */
  fuse_dirent: { ino: "u64", off: "u64", namelen: "u32", type: "u32" },
  /** One entry of READDIRPLUS; its name follows, padded to 8 bytes. */
  fuse_direntplus: { entry_out: "fuse_entry_out", dirent: "fuse_dirent" },
  /** Drops cached attributes and, unless `off` is negative, cached pages. */
  fuse_notify_inval_inode_out: { ino: "u64", off: "s64", len: "s64" },
  /** Drops a cached name, which follows with a NUL. */
  fuse_notify_inval_entry_out: {
    parent: "u64",
    namelen: "u32",
    flags: "u32 since 7.38",
  },
  /** A name was deleted; it follows with a NUL. */
  fuse_notify_delete_out: {
    parent: "u64",
    child: "u64",
    namelen: "u32",
    padding: "u32 since 7.18",
  },
  /** Puts `size` bytes, which follow, into the page cache. */
  fuse_notify_store_out: {
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32",
  },
  /** Requests cached pages, which the kernel sends in a NOTIFY_REPLY. */
  fuse_notify_retrieve_out: {
    notify_unique: "u64",
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32",
  },
  /** Starts NOTIFY_REPLY; `size` bytes follow. */
  fuse_notify_retrieve_in: {
    dummy1: "u64",
    offset: "size64",
    size: "u32",
    dummy2: "u32",
    dummy3: "u64",
    dummy4: "u64",
  },
  /** Drops unused inodes; `count` nodeids follow. */
  fuse_notify_prune_out: { count: "u32", padding: "u32", spare: "u64" },
  /** Argument of ioctl FUSE_DEV_IOC_BACKING_OPEN. */
  fuse_backing_map: { fd: "s32", flags: "u32", padding: "u64" },
  /** lseek(2) with SEEK_DATA or SEEK_HOLE. */
  fuse_lseek_in: { fh: "u64", offset: "size64", whence: "u32", padding: "u32" },
  /** lseek(2): the position found. */
  fuse_lseek_out: { offset: "size64" },
  /** copy_file_range(2). */
  fuse_copy_file_range_in: {
    fh_in: "u64",
    off_in: "size64",
    nodeid_out: "u64",
    fh_out: "u64",
    off_out: "size64",
    len: "size64",
    flags: "u64",
  },
  /** Bytes copied. */
  fuse_copy_file_range_out: { bytes_copied: "size64" },
  /** DAX: maps a range of a file. */
  fuse_setupmapping_in: {
    fh: "u64",
    foffset: "u64",
    len: "u64",
    flags: "u64",
    moffset: "u64",
  },
  /** DAX: removes mappings; `count` items follow. */
  fuse_removemapping_in: { count: "u32" },
  /** DAX: one mapping. */
  fuse_removemapping_one: { moffset: "u64", len: "u64" },
  /** syncfs(2). */
  fuse_syncfs_in: { padding: "u64" },
  /** One security context; its name with a NUL and `size` bytes follow. */
  fuse_secctx: { size: "u32", padding: "u32" },
  /** Starts the security contexts of a request; `size` includes it. */
  fuse_secctx_header: { size: "u32", nr_secctx: "u32" },
  /** Starts each extension of a request; `size` includes it. */
  fuse_ext_header: { size: "u32", type: "u32" },
  /** FUSE_EXT_GROUPS; `nr_groups` supplementary group ids follow, each a u32. */
  fuse_supp_groups: { nr_groups: "u32" },
  /** State of an io_uring entry; `payload_sz` is used in both directions. */
  fuse_uring_ent_in_out: {
    flags: "u64",
    commit_id: "u64",
    payload_sz: "u32",
    /** The payload's offset in the queue's buffer pool; padding before 7.46. */
    offset: "u32 since 7.46",
    reserved: "u64",
  },
  /** Headers of one io_uring entry: fuse_uring_copy_to_ring(). */
  fuse_uring_req_header: {
    in_out: "u8[128]",
    op_in: "u8[128]",
    ring_ent_in_out: "fuse_uring_ent_in_out",
  },
  /** In the SQE of a ring command; 7.46 appends a union of 16 bytes. */
  fuse_uring_cmd_req: {
    flags: "u64",
    commit_id: "u64",
    qid: "u16",
    padding: "u8[6]",
  },
  /** Character devices in user space: cuse_send_init(). */
  cuse_init_in: { major: "u32", minor: "u32", unused: "u32", flags: "u32" },
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
    spare: "u32[10]",
  },
} as const;

/**
 * Sizes of structs in older versions: `[before 7.minor, size in bytes]`, oldest
 * first. They are the FUSE_COMPAT_* constants of fuse.h, and follow from the
 * fields that 7.9 and 7.12 added. The size of fuse_setxattr_in depends on a
 * flag of INIT instead.
 */
export const COMPAT_SIZES = {
  fuse_init_in: [[6, 8], [36, 16]],
  fuse_init_out: [[5, 8], [23, 24]],
  fuse_attr: [[9, 80]],
  fuse_attr_out: [[9, 96]],
  fuse_entry_out: [[9, 120]],
  fuse_getattr_in: [[9, 0]],
  fuse_read_in: [[9, 24]],
  fuse_write_in: [[9, 24]],
  fuse_lk_in: [[9, 40]],
  fuse_mknod_in: [[12, 8]],
  fuse_create_in: [[12, 8]],
  fuse_statfs_out: [[4, 48]],
} as const;

/** Size of fuse_setxattr_in where FUSE_SETXATTR_EXT is not negotiated. */
export const FUSE_COMPAT_SETXATTR_IN_SIZE = 8;
