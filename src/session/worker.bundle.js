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
  /** A time of statx(2). */
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
    frsize: "u32",
    padding: "u32",
    spare: "u32[6]"
  },
  /** A POSIX or flock(2) lock; `type` is F_RDLCK 0, F_WRLCK 1, F_UNLCK 2. */
  fuse_file_lock: {
    start: "u64",
    end: "u64",
    type: "u32",
    pid: "u32"
  },
  /** An inode found or made: fuse_lookup_name(). */
  fuse_entry_out: {
    nodeid: "u64",
    generation: "u64",
    entry_valid: "u64",
    attr_valid: "u64",
    entry_valid_nsec: "u32",
    attr_valid_nsec: "u32",
    attr: "fuse_attr"
  },
  fuse_forget_in: {
    nlookup: "u64"
  },
  fuse_forget_one: {
    nodeid: "u64",
    nlookup: "u64"
  },
  fuse_batch_forget_in: {
    count: "u32",
    dummy: "u32"
  },
  fuse_getattr_in: {
    getattr_flags: "u32 since 7.9",
    dummy: "u32 since 7.9",
    fh: "u64 since 7.9"
  },
  fuse_attr_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    dummy: "u32",
    attr: "fuse_attr"
  },
  fuse_statx_in: {
    getattr_flags: "u32",
    reserved: "u32",
    fh: "u64",
    sx_flags: "u32",
    sx_mask: "u32"
  },
  fuse_statx_out: {
    attr_valid: "u64",
    attr_valid_nsec: "u32",
    flags: "u32",
    spare: "u64[2]",
    stat: "fuse_statx"
  },
  fuse_mknod_in: {
    mode: "u32",
    rdev: "u32",
    umask: "u32 since 7.12",
    padding: "u32 since 7.12"
  },
  fuse_mkdir_in: {
    mode: "u32",
    umask: "u32 since 7.12"
  },
  fuse_rename_in: {
    newdir: "u64"
  },
  fuse_rename2_in: {
    newdir: "u64",
    flags: "u32",
    padding: "u32"
  },
  fuse_link_in: {
    oldnodeid: "u64"
  },
  fuse_setattr_in: {
    valid: "u32",
    padding: "u32",
    fh: "u64",
    size: "size64",
    lock_owner: "u64",
    atime: "u64",
    mtime: "u64",
    ctime: "u64",
    atimensec: "u32",
    mtimensec: "u32",
    ctimensec: "u32",
    mode: "u32",
    unused4: "u32",
    uid: "u32",
    gid: "u32",
    unused5: "u32"
  },
  fuse_open_in: {
    flags: "u32",
    open_flags: "u32 since 7.33"
  },
  fuse_create_in: {
    flags: "u32",
    mode: "u32",
    umask: "u32 since 7.12",
    open_flags: "u32 since 7.33"
  },
  fuse_open_out: {
    fh: "u64",
    open_flags: "u32",
    backing_id: "u32 since 7.40"
  },
  fuse_release_in: {
    fh: "u64",
    flags: "u32",
    release_flags: "u32 since 7.8",
    lock_owner: "u64"
  },
  fuse_flush_in: {
    fh: "u64",
    unused: "u32",
    padding: "u32",
    lock_owner: "u64"
  },
  fuse_read_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    read_flags: "u32 since 7.9",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  fuse_write_in: {
    fh: "u64",
    offset: "size64",
    size: "u32",
    write_flags: "u32",
    lock_owner: "u64 since 7.9",
    flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  fuse_write_out: {
    size: "u32",
    padding: "u32"
  },
  fuse_statfs_out: {
    st: "fuse_kstatfs"
  },
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
  fuse_getxattr_in: {
    size: "u32",
    padding: "u32"
  },
  fuse_getxattr_out: {
    size: "u32",
    padding: "u32"
  },
  fuse_lk_in: {
    fh: "u64",
    owner: "u64",
    lk: "fuse_file_lock",
    lk_flags: "u32 since 7.9",
    padding: "u32 since 7.9"
  },
  fuse_lk_out: {
    lk: "fuse_file_lock"
  },
  fuse_access_in: {
    mask: "u32",
    padding: "u32"
  },
  /** Offer of the kernel: fuse_send_init(). */
  fuse_init_in: {
    major: "u32",
    minor: "u32",
    max_readahead: "u32",
    flags: "u32",
    flags2: "u32 since 7.36",
    unused: "u32[11] since 7.36"
  },
  /** What the server makes of the offer: process_init_reply(). */
  fuse_init_out: {
    major: "u32",
    minor: "u32",
    max_readahead: "u32",
    flags: "u32",
    max_background: "u16 since 7.13",
    congestion_threshold: "u16 since 7.13",
    max_write: "u32",
    time_gran: "u32 since 7.23",
    max_pages: "u16 since 7.28",
    map_alignment: "u16 since 7.31",
    flags2: "u32 since 7.36",
    max_stack_depth: "u32 since 7.40",
    request_timeout: "u16 since 7.43",
    unused: "u16[11] since 7.23"
  },
  fuse_interrupt_in: {
    unique: "u64"
  },
  fuse_bmap_in: {
    block: "u64",
    blocksize: "u32",
    padding: "u32"
  },
  fuse_bmap_out: {
    block: "u64"
  },
  fuse_ioctl_in: {
    fh: "u64",
    flags: "u32",
    cmd: "u32",
    arg: "u64",
    in_size: "u32 since 7.11",
    out_size: "u32"
  },
  fuse_ioctl_iovec: {
    base: "u64",
    len: "u64"
  },
  fuse_ioctl_out: {
    result: "s32",
    flags: "u32",
    in_iovs: "u32",
    out_iovs: "u32"
  },
  fuse_poll_in: {
    fh: "u64",
    kh: "u64",
    flags: "u32",
    events: "u32 since 7.21"
  },
  fuse_poll_out: {
    revents: "u32",
    padding: "u32"
  },
  fuse_notify_poll_wakeup_out: {
    kh: "u64"
  },
  fuse_fallocate_in: {
    fh: "u64",
    offset: "size64",
    length: "size64",
    mode: "u32",
    padding: "u32"
  },
  /** Begins every request: fuse_dev_do_read(). `total_extlen` counts 8 bytes. */
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
  /** Begins every reply and notification: fuse_dev_do_write(). `error` is a negated errno; a notification has `unique` 0 and its code in `error`. */
  fuse_out_header: {
    len: "u32",
    error: "s32",
    unique: "u64"
  },
  /** One entry of READDIR, its name behind it, padded to 8 bytes. */
  fuse_dirent: {
    ino: "u64",
    off: "u64",
    namelen: "u32",
    type: "u32"
  },
  /** One entry of READDIRPLUS, its name behind it, padded to 8 bytes. */
  fuse_direntplus: {
    entry_out: "fuse_entry_out",
    dirent: "fuse_dirent"
  },
  fuse_notify_inval_inode_out: {
    ino: "u64",
    off: "s64",
    len: "s64"
  },
  fuse_notify_inval_entry_out: {
    parent: "u64",
    namelen: "u32",
    flags: "u32 since 7.38"
  },
  fuse_notify_delete_out: {
    parent: "u64",
    child: "u64",
    namelen: "u32",
    padding: "u32 since 7.18"
  },
  fuse_notify_store_out: {
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32"
  },
  fuse_notify_retrieve_out: {
    notify_unique: "u64",
    nodeid: "u64",
    offset: "size64",
    size: "u32",
    padding: "u32"
  },
  fuse_notify_retrieve_in: {
    dummy1: "u64",
    offset: "size64",
    size: "u32",
    dummy2: "u32",
    dummy3: "u64",
    dummy4: "u64"
  },
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
  fuse_lseek_in: {
    fh: "u64",
    offset: "size64",
    whence: "u32",
    padding: "u32"
  },
  fuse_lseek_out: {
    offset: "size64"
  },
  fuse_copy_file_range_in: {
    fh_in: "u64",
    off_in: "size64",
    nodeid_out: "u64",
    fh_out: "u64",
    off_out: "size64",
    len: "size64",
    flags: "u64"
  },
  fuse_copy_file_range_out: {
    bytes_copied: "size64"
  },
  fuse_setupmapping_in: {
    fh: "u64",
    foffset: "u64",
    len: "u64",
    flags: "u64",
    moffset: "u64"
  },
  fuse_removemapping_in: {
    count: "u32"
  },
  fuse_removemapping_one: {
    moffset: "u64",
    len: "u64"
  },
  fuse_syncfs_in: {
    padding: "u64"
  },
  fuse_secctx: {
    size: "u32",
    padding: "u32"
  },
  fuse_secctx_header: {
    size: "u32",
    nr_secctx: "u32"
  },
  /** Begins each extension behind a request; `size` includes it. */
  fuse_ext_header: {
    size: "u32",
    type: "u32"
  },
  /** Supplementary group ids behind it: FUSE_EXT_GROUPS. */
  fuse_supp_groups: {
    nr_groups: "u32"
  },
  fuse_uring_ent_in_out: {
    flags: "u64",
    commit_id: "u64",
    payload_sz: "u32",
    padding: "u32",
    reserved: "u64"
  },
  /** Headers of one io_uring entry: fuse_uring_copy_to_ring(). */
  fuse_uring_req_header: {
    in_out: "u8[128]",
    op_in: "u8[128]",
    ring_ent_in_out: "fuse_uring_ent_in_out"
  },
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
  fuse_mkdir_in: [
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
  throw new TypeError("Cannot speak FUSE on a big-endian machine");
}

// src/protocol/codec.ts
var FUSE_KERNEL_MINOR_VERSION = 45;
function readScalar(view, at, type) {
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "u16":
      return view.getUint16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "s32":
      return view.getInt32(at, true);
    case "s64":
      return view.getBigInt64(at, true);
    case "u64":
    case "size64":
      return view.getBigUint64(at, true);
  }
}
function readUnit(view, at, type) {
  return isScalar(type) ? readScalar(view, at, type) : readFields(view, at, type);
}
function readFields(view, base, name, end = Infinity) {
  const value = {};
  for (const { name: key, offset, size, type, count: count2 } of layoutOf(name).fields) {
    const at = base + offset;
    const source = offset + size <= end ? view : NOTHING;
    const start = source === view ? at : 0;
    value[key] = count2 === null ? readUnit(source, start, type) : Array.from({
      length: count2
    }, (_, i) => readUnit(source, start + i * (size / count2), type));
  }
  return value;
}
var NOTHING = new DataView(new ArrayBuffer(512));
function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function decodeStruct(name, bytes, base = 0, minor = FUSE_KERNEL_MINOR_VERSION) {
  const size = sizeAt(name, minor);
  if (base + size > bytes.byteLength) {
    throw new RangeError(`Cannot decode ${name}: expected ${size} bytes, received ${Math.max(0, bytes.byteLength - base)}`);
  }
  return readFields(viewOf(bytes), base, name, size);
}

// src/protocol/accessors.ts
var TWO_32 = 4294967296;
function getter(type, at) {
  switch (type) {
    case "u8":
      return (view, base = 0) => view.getUint8(base + at);
    case "u16":
      return (view, base = 0) => view.getUint16(base + at, true);
    case "u32":
      return (view, base = 0) => view.getUint32(base + at, true);
    case "s32":
      return (view, base = 0) => view.getInt32(base + at, true);
    case "s64":
      return (view, base = 0) => view.getBigInt64(base + at, true);
    case "u64":
    case "size64":
      return (view, base = 0) => view.getBigUint64(base + at, true);
  }
}
function setter(type, at) {
  switch (type) {
    case "u8":
      return (view, base, value) => view.setUint8(base + at, value);
    case "u16":
      return (view, base, value) => view.setUint16(base + at, value, true);
    case "u32":
      return (view, base, value) => view.setUint32(base + at, value, true);
    case "s32":
      return (view, base, value) => view.setInt32(base + at, value, true);
    case "s64":
      return (view, base, value) => view.setBigInt64(base + at, value, true);
    case "u64":
    case "size64":
      return (view, base, value) => view.setBigUint64(base + at, value, true);
  }
}
function numberGetter(at) {
  return (view, base = 0) => view.getUint32(base + at + 4, true) * TWO_32 + view.getUint32(base + at, true);
}
function numberSetter(at) {
  return (view, base, value) => {
    view.setUint32(base + at, value % TWO_32, true);
    view.setUint32(base + at + 4, value / TWO_32, true);
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
    outTail: "data",
    since: 12
  }
};
var names = [];
var rows = [];
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

// src/protocol/dialect.ts
var OPCODE_MAX = 4096;
var Dialect = class {
  /** The minor version that both sides speak. */
  minor;
  /** Whether fuse_setxattr_in has its longer form. */
  setxattrExt;
  #bodySizes = new Int16Array(OPCODE_MAX + 1).fill(-1);
  /** Describes an agreement. */
  constructor(options = {}) {
    this.minor = options.minor ?? FUSE_KERNEL_MINOR_VERSION;
    this.setxattrExt = options.setxattrExt ?? false;
    for (let opcode = 0; opcode <= OPCODE_MAX; opcode++) {
      const row = opcodeRow(opcode);
      if (row === void 0) continue;
      this.#bodySizes[opcode] = row.in === void 0 ? 0 : this.size(row.in);
    }
  }
  /** Bytes of a struct between these two sides. */
  size(name) {
    if (name === "fuse_setxattr_in" && !this.setxattrExt) {
      return FUSE_COMPAT_SETXATTR_IN_SIZE;
    }
    return sizeAt(name, this.minor);
  }
  /** Bytes of the fixed struct of a request, -1 for an unknown opcode. */
  bodySize(opcode) {
    return opcode <= OPCODE_MAX ? this.#bodySizes[opcode] : -1;
  }
};
var BEFORE_INIT = new Dialect({
  minor: 35
});

// src/protocol/errno.ts
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
var NAMES = new Map(Object.entries(ERRNO).map(([name, n]) => [
  n,
  name
]));
function errnoName(errno2) {
  return NAMES.get(errno2) ?? `E${errno2}`;
}
function errnoOf(error) {
  const errno2 = error?.errno;
  return typeof errno2 === "number" && Number.isInteger(errno2) && errno2 > 0 && errno2 < 512 ? errno2 : ERRNO.EIO;
}

// src/protocol/flags.ts
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
var S_IF = {
  MT: 61440,
  SOCK: 49152,
  LNK: 40960,
  REG: 32768,
  BLK: 24576,
  DIR: 16384,
  CHR: 8192,
  IFO: 4096
};
var FUSE_UNIQUE_RESEND = 1n << 63n;
var FUSE_MIN_READ_BUFFER = 8192;
var FUSE_NAME_MAX = 4095;

// src/protocol/init.ts
var INIT_IN = accessors("fuse_init_in");
function initFlag(name) {
  return 1n << BigInt(INIT_FLAGS[name].bit);
}
function agreed(agreement, name) {
  return (agreement.flags & initFlag(name)) !== 0n;
}
function dialectOf(agreement) {
  return new Dialect({
    minor: agreement.minor,
    setxattrExt: agreed(agreement, "SETXATTR_EXT")
  });
}

// src/protocol/reply.ts
var OUT_HEADER = accessors("fuse_out_header");
var HEADER_SIZE = OUT_HEADER.size;
var UNIQUE_AT = 8;
var Reply = class {
  /** The fuse_out_header, for accessors. */
  header;
  /**
   * The bytes behind the header, to the end of the memory; always the same
   * view for the same slot of a queue.
   */
  data;
  /** The same bytes, for accessors. */
  body;
  #request;
  #length = -1;
  /** Binds a reply to its request and to the memory of a queue's slot. */
  constructor(request, memory) {
    this.#request = request;
    this.header = memory.header;
    this.data = memory.data;
    this.body = memory.body;
  }
  /**
   * Bytes of the whole reply: 0 where none is sent, -1 until it is filled.
   */
  get length() {
    return this.#length;
  }
  /** Whether it says success or failure yet. */
  get filled() {
    return this.#length >= 0;
  }
  /** The error number of a filled reply, positive, 0 for success. */
  get errno() {
    return this.#length > 0 ? -OUT_HEADER.get.error(this.header) : 0;
  }
  /** Forgets the last reply; for queues, when they bind a new request. */
  reset() {
    this.#length = -1;
  }
  /**
   * Zeroes the first `size` bytes behind the header, so that no padding tells
   * what was there before, and returns them for accessors.
   */
  zeroed(size) {
    this.data.fill(0, 0, size);
    return this.body;
  }
  /**
   * Answers with success.
   *
   * @param size Bytes behind the header that belong to the reply.
   */
  ok(size = 0) {
    this.#finish(HEADER_SIZE + size, 0);
  }
  /**
   * Answers with an error; nothing follows the header.
   *
   * @param errno A positive error number.
   */
  error(errno2) {
    this.#finish(HEADER_SIZE, -errno2);
  }
  /** Ends a request that has no reply: FORGET, BATCH_FORGET, NOTIFY_REPLY. */
  none() {
    this.#length = 0;
  }
  #finish(length, error) {
    const from = this.#request.header;
    const low = from.getUint32(UNIQUE_AT, true);
    const high = from.getUint32(UNIQUE_AT + 4, true);
    OUT_HEADER.set.len(this.header, 0, length);
    OUT_HEADER.set.error(this.header, 0, error);
    this.header.setUint32(UNIQUE_AT, low, true);
    this.header.setUint32(UNIQUE_AT + 4, high, true);
    this.#length = length;
  }
};

// src/protocol/protocol_error.ts
var ProtocolError = class extends Error {
  /** What is wrong. */
  kind;
  /** The opcode on the wire; 0 where the header was too short to tell. */
  opcode;
  /** Bytes that the rule asks for; the limit where something is too long. */
  expected;
  /** Bytes that were there. */
  received;
  /** What to answer: ENOSYS for an unknown opcode, EINVAL otherwise. */
  errno;
  /**
   * Whether the header can be trusted, so that an answer reaches its request.
   * Where it cannot, the kernel and the server have lost each other.
   */
  answerable;
  /** Describes a message that was refused. */
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
      return `Cannot read request header: expected ${expected} bytes, received ${received}`;
    case "wrong length":
      return `Cannot read ${what}: its header says ${expected} bytes, received ${received}`;
    case "unknown opcode":
      return `Cannot read ${what}: no such request up to FUSE 7.45`;
    case "short body":
      return `Cannot read ${what}: expected at least ${expected} bytes, received ${received}`;
    case "missing NUL":
      return `Cannot read ${what}: a name of ${received} bytes lacks its NUL`;
    case "long name":
      return `Cannot read ${what}: a name has ${received} bytes, at most ${expected} are allowed`;
    case "short data":
      return `Cannot read ${what}: it announces ${expected} bytes of data, received ${received}`;
    case "short items":
      return `Cannot read ${what}: it announces ${expected} bytes of items, received ${received}`;
    case "long extensions":
      return `Cannot read ${what}: extensions take ${expected} bytes, received ${received}`;
  }
}

// src/protocol/request.ts
var IN_HEADER = accessors("fuse_in_header");
var GETXATTR_IN = accessors("fuse_getxattr_in");
var WRITE_IN = accessors("fuse_write_in");
var IOCTL_IN = accessors("fuse_ioctl_in");
var RETRIEVE_IN = accessors("fuse_notify_retrieve_in");
var BATCH_FORGET_IN = accessors("fuse_batch_forget_in");
var HEADER_SIZE2 = IN_HEADER.size;
var WRITE = 16;
var TEXT = new TextDecoder();
var Request = class {
  /** The fuse_in_header, for accessors. */
  header;
  /** The request's fixed struct, for accessors. */
  body;
  /**
   * The data of a WRITE from its first byte; its length is the request's
   * `size`. Always the same view for the same slot of a queue.
   */
  data;
  #memory;
  #tailStart = 0;
  #tailEnd = 0;
  /** Binds a request to the memory of a queue's slot. */
  constructor(memory) {
    this.#memory = memory;
    this.header = memory.header;
    this.body = memory.body;
    this.data = memory.data;
  }
  /**
   * Checks the message that now lies in the memory. After `null` no getter
   * fails until the request is answered.
   *
   * @param received Bytes of the whole message.
   * @param dialect What the two sides agreed on.
   * @returns What is wrong, or `null`.
   */
  validate(received, dialect) {
    if (received < HEADER_SIZE2) {
      return new ProtocolError("short header", 0, HEADER_SIZE2, received);
    }
    const opcode = IN_HEADER.get.opcode(this.header);
    const length = IN_HEADER.get.len(this.header);
    if (length !== received) {
      return new ProtocolError("wrong length", opcode, length, received);
    }
    const bodySize = dialect.bodySize(opcode);
    if (bodySize < 0) {
      return new ProtocolError("unknown opcode", opcode, 0, received);
    }
    const least = HEADER_SIZE2 + bodySize;
    if (received < least) {
      return new ProtocolError("short body", opcode, least, received);
    }
    const base = this.#memory.contiguous ? bodySize : 0;
    this.#tailStart = base;
    this.#tailEnd = base + received - least;
    if (opcode === WRITE) return this.#validateData(opcode, WRITE_IN.get.size);
    const row = opcodeRow(opcode);
    return row.tail === void 0 && row.extensions === void 0 ? null : this.#validateTail(opcode, row);
  }
  #validateTail(opcode, row) {
    if (row.extensions) {
      const error = this.#validateExtensions(opcode);
      if (error !== null) return error;
    }
    switch (row.tail) {
      case "name":
        return this.#validateNames(opcode, 1);
      case "name name":
        return this.#validateNames(opcode, 2);
      case "name value":
        return this.#validateNames(opcode, 1) ?? this.#validateValue(opcode);
      case "data":
        return this.#validateData(opcode, row.in === "fuse_ioctl_in" ? IOCTL_IN.get.in_size : RETRIEVE_IN.get.size);
      case "items": {
        const count2 = BATCH_FORGET_IN.get.count(this.body);
        const size = count2 * sizeOf(row.items);
        return size <= this.tailLength ? null : new ProtocolError("short items", opcode, size, this.tailLength);
      }
    }
    return null;
  }
  #validateExtensions(opcode) {
    const size = this.extensionsLength;
    const rest = this.#tailEnd - this.#tailStart;
    return size <= rest ? null : new ProtocolError("long extensions", opcode, size, rest);
  }
  #validateNames(opcode, count2) {
    let start = this.#tailStart;
    const end = this.#tailStart + this.tailLength;
    for (let i = 0; i < count2; i++) {
      const nul = this.#memory.tail.indexOf(0, start);
      if (nul < 0 || nul >= end) {
        return new ProtocolError("missing NUL", opcode, 0, end - start);
      }
      const size = nul - start;
      if (size > FUSE_NAME_MAX) {
        return new ProtocolError("long name", opcode, FUSE_NAME_MAX, size);
      }
      start = nul + 1;
    }
    return null;
  }
  #validateValue(opcode) {
    const size = GETXATTR_IN.get.size(this.body);
    const rest = this.value(0).byteLength;
    return size <= rest ? null : new ProtocolError("short data", opcode, size, rest);
  }
  #validateData(opcode, sizeIn) {
    const size = sizeIn(this.body);
    return size <= this.tailLength ? null : new ProtocolError("short data", opcode, size, this.tailLength);
  }
  /** The opcode. */
  get opcode() {
    return IN_HEADER.get.opcode(this.header);
  }
  /** Identifies the request among those in flight: opaque 64 bits. */
  get unique() {
    return IN_HEADER.get.unique(this.header);
  }
  /** The inode it is about: opaque 64 bits, 1 for the root. */
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
  /** The caller's thread id, 0 where the kernel itself asks. */
  get pid() {
    return IN_HEADER.get.pid(this.header);
  }
  /** Bytes of the whole message. */
  get length() {
    return IN_HEADER.get.len(this.header);
  }
  /** Bytes of the extensions at the end of the message. */
  get extensionsLength() {
    return IN_HEADER.get.total_extlen(this.header) * 8;
  }
  /** Bytes behind the fixed struct, without the extensions. */
  get tailLength() {
    const all = this.#tailEnd - this.#tailStart;
    const row = opcodeRow(this.opcode);
    return row?.extensions ? all - this.extensionsLength : all;
  }
  /** The bytes behind the fixed struct, in place, without the extensions. */
  tail() {
    const start = this.#tailStart;
    return this.#memory.tail.subarray(start, start + this.tailLength);
  }
  /** The extensions, in place: fuse_ext_header and what each announces. */
  extensions() {
    const end = this.#tailEnd;
    return this.#memory.tail.subarray(end - this.extensionsLength, end);
  }
  /**
   * A name's bytes, in place, without the NUL.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  nameBytes(index = 0) {
    const tail = this.#memory.tail;
    let start = this.#tailStart;
    for (let i = 0; i < index; i++) start = tail.indexOf(0, start) + 1;
    return tail.subarray(start, tail.indexOf(0, start));
  }
  /**
   * A name as text, decoded as UTF-8.
   *
   * @param index 0, or 1 for the second name of RENAME and SYMLINK.
   */
  name(index = 0) {
    return TEXT.decode(this.nameBytes(index).slice());
  }
  /**
   * The bytes behind a name: the value of SETXATTR.
   *
   * @param index The name that they follow.
   */
  value(index = 0) {
    const name = this.nameBytes(index);
    const tail = this.#memory.tail;
    const start = name.byteOffset - tail.byteOffset + name.byteLength + 1;
    return tail.subarray(start, this.#tailStart + this.tailLength);
  }
  /** The bytes behind the fixed struct as a view, for accessors of items. */
  tailView() {
    return viewOf(this.tail());
  }
};

// src/protocol/exchange.ts
var IN_HEADER_SIZE = sizeOf("fuse_in_header");
var OUT_HEADER_SIZE = sizeOf("fuse_out_header");
var WRITE_IN_SIZE = sizeOf("fuse_write_in");
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

// src/queue/device_queue.ts
var WRITE_HEAD_SIZE = sizeOf("fuse_in_header") + sizeOf("fuse_write_in");
var OUT_HEADER_SIZE2 = sizeOf("fuse_out_header");
var DeviceQueue = class {
  index;
  capacity;
  dialect;
  #device;
  #maxPayload;
  #free = [];
  #slots = 0;
  #end = null;
  /** Makes a queue of a descriptor; the queue closes it. */
  constructor(device, options) {
    this.#device = device;
    this.index = options.index;
    this.capacity = options.capacity ?? 16;
    this.#maxPayload = options.maxPayload;
    this.dialect = options.dialect ?? BEFORE_INIT;
  }
  get end() {
    return this.#end;
  }
  next(mayBlock) {
    if (this.#end !== null) return null;
    const slot = this.#free.pop() ?? this.#newSlot();
    if (slot === null) return null;
    this.#device.setBlocking(mayBlock);
    for (; ; ) {
      const received = this.#device.read(slot.incoming);
      if (received < 0) {
        if (this.#goesOn(-received, mayBlock)) continue;
        break;
      }
      slot.reply.reset();
      const error = slot.request.validate(received, this.dialect);
      if (error === null) return slot;
      if (!error.answerable) {
        this.#end = {
          reason: "failed",
          message: error.message
        };
        break;
      }
      slot.reply.error(error.errno);
      this.#device.write(slot.outgoing, slot.reply.length);
    }
    this.#free.push(slot);
    return null;
  }
  ready() {
    return this.#end === null ? this.#device.readable() : Promise.resolve();
  }
  reply(exchange) {
    const slot = exchange;
    const length = slot.reply.length;
    this.#free.push(slot);
    if (length === 0) return true;
    if (this.#end?.reason === "closed") return false;
    return this.#device.write(slot.outgoing, length) === length;
  }
  notify(message) {
    if (this.#end !== null) return -ERRNO.ENODEV;
    const written = this.#device.write(message, message.byteLength);
    return written < 0 ? written : 0;
  }
  close() {
    if (this.#end?.reason === "closed") return;
    this.#end = {
      reason: "closed",
      message: "The queue was closed"
    };
    this.#device.close();
  }
  /** Whether a failed read(2) is to be repeated; notes the end if it is one. */
  #goesOn(errno2, mayBlock) {
    switch (errno2) {
      case ERRNO.EAGAIN:
        return mayBlock;
      case ERRNO.ENOENT:
      case ERRNO.EINTR:
        return true;
      case ERRNO.ENODEV:
        this.#end = {
          reason: "unmounted",
          message: "The mount has gone"
        };
        return false;
      case ERRNO.ECONNABORTED:
        this.#end = {
          reason: "aborted",
          message: "The connection was aborted"
        };
        return false;
      default:
        this.#end = {
          reason: "failed",
          message: `Cannot read /dev/fuse: ${errnoName(errno2)}`
        };
        return false;
    }
  }
  #newSlot() {
    if (this.#slots === this.capacity) return null;
    this.#slots++;
    const incoming = new Uint8Array(Math.max(FUSE_MIN_READ_BUFFER, WRITE_HEAD_SIZE + this.#maxPayload));
    const outgoing = new Uint8Array(Math.max(FUSE_MIN_READ_BUFFER, OUT_HEADER_SIZE2 + this.#maxPayload));
    return {
      incoming,
      outgoing,
      ...contiguousExchange(incoming, outgoing)
    };
  }
};

// src/queue/queue_board.ts
var STOPPING = 0;
var IN_FLIGHT = 0;
var ROW_SIZE = 128;
var COUNTERS_AT = 8;
var QueueBoard = class _QueueBoard {
  /** The memory, for another thread to look at. */
  memory;
  /** The rows, by queue. */
  rows;
  #words;
  /** Looks at memory that {@linkcode QueueBoard.create} made. */
  constructor(memory) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 1);
    const count2 = memory.byteLength / ROW_SIZE - 1;
    this.rows = Array.from({
      length: count2
    }, (_, index) => new QueueRow(memory, index));
  }
  /** Makes a board for a number of queues. */
  static create(queues) {
    return new _QueueBoard(new SharedArrayBuffer((queues + 1) * ROW_SIZE));
  }
  /** Whether the queues are to take no more requests. */
  get stopping() {
    return Atomics.load(this.#words, STOPPING) !== 0;
  }
  /** Tells every queue to answer what it has and take no more. */
  stop() {
    Atomics.store(this.#words, STOPPING, 1);
  }
  /** Requests that have been taken and not answered, over all queues. */
  get inFlight() {
    return this.rows.reduce((sum, row) => sum + row.inFlight, 0);
  }
  /** The totals of every queue. */
  totals() {
    return this.rows.map((row) => row.totals());
  }
};
var QueueRow = class {
  /** The queue's number. */
  index;
  #words;
  #counters;
  /** Looks at a row of a board's memory. */
  constructor(memory, index) {
    const start = (index + 1) * ROW_SIZE;
    this.index = index;
    this.#words = new Int32Array(memory, start, 1);
    this.#counters = new Float64Array(memory, start + COUNTERS_AT, 6);
  }
  /** Requests that have been taken and not answered. */
  get inFlight() {
    return Atomics.load(this.#words, IN_FLIGHT);
  }
  /** Notes that a request was taken. */
  taken() {
    Atomics.add(this.#words, IN_FLIGHT, 1);
    this.#counters[0]++;
  }
  /** Notes that a request was answered. */
  answered() {
    Atomics.sub(this.#words, IN_FLIGHT, 1);
  }
  /** Counts a READ that was answered with `bytes`. */
  read(bytes) {
    this.#counters[1]++;
    this.#counters[3] += bytes;
  }
  /** Counts a WRITE of which `bytes` were written. */
  written(bytes) {
    this.#counters[2]++;
    this.#counters[4] += bytes;
  }
  /** Counts an error. */
  failed() {
    this.#counters[5]++;
  }
  /** The totals so far. */
  totals() {
    const [requests, reads, writes, bytesRead, bytesWritten, errors] = this.#counters;
    const { index } = this;
    return {
      index,
      requests,
      reads,
      writes,
      bytesRead,
      bytesWritten,
      errors
    };
  }
};

// src/queue/serve.ts
var WRITE_OUT = accessors("fuse_write_out");
var OUT_HEADER_SIZE3 = accessors("fuse_out_header").size;
var READ = OPCODES.READ.opcode;
var WRITE2 = OPCODES.WRITE.opcode;
var BURST_MAX = 64;
function serve(queue, handler, options = {}) {
  return new ServeLoop(queue, handler, options).run();
}
var ServeLoop = class {
  #queue;
  #handler;
  #options;
  #row;
  #outstanding = 0;
  /** Wakes the loop when it waits for an outstanding answer. */
  #onSettled = () => {
  };
  constructor(queue, handler, options) {
    this.#queue = queue;
    this.#handler = handler;
    this.#options = options;
    this.#row = options.board?.rows[queue.index];
  }
  async run() {
    const queue = this.#queue;
    const { board, mayBlock = false } = this.#options;
    let burst = 0;
    while (board === void 0 || !board.stopping) {
      const alone = mayBlock && this.#outstanding === 0;
      const exchange = queue.next(alone);
      if (exchange !== null) {
        this.#handle(exchange);
        if (alone || ++burst < BURST_MAX) continue;
        await turn();
      } else if (queue.end !== null) {
        break;
      } else if (this.#outstanding === queue.capacity) {
        await this.#settled();
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
  #handle(exchange) {
    this.#row?.taken();
    const opcode = exchange.request.opcode;
    try {
      const later = this.#handler.handle(exchange.request, exchange.reply);
      if (later !== void 0) return this.#later(later, exchange, opcode);
    } catch (error) {
      this.#fail(error, exchange, opcode);
    }
    this.#answer(exchange, opcode);
  }
  #later(later, exchange, opcode) {
    this.#outstanding++;
    const settle = () => {
      this.#answer(exchange, opcode);
      this.#outstanding--;
      this.#onSettled();
    };
    later.then(settle, (error) => {
      this.#fail(error, exchange, opcode);
      settle();
    });
  }
  #fail(error, { reply }, opcode) {
    const errno2 = errnoOf(error);
    reply.error(errno2);
    if (error?.errno !== errno2) {
      this.#options.report?.(error, opcodeName(opcode) ?? `opcode ${opcode}`);
    }
  }
  #answer(exchange, opcode) {
    const { reply } = exchange;
    if (!reply.filled) this.#fillForHandler(reply, opcode);
    if (this.#row !== void 0) count(this.#row, reply, opcode);
    this.#queue.reply(exchange);
    this.#row?.answered();
  }
  #fillForHandler(reply, opcode) {
    if (opcodeRow(opcode)?.noReply) return reply.none();
    reply.error(ERRNO.EIO);
    const name = opcodeName(opcode) ?? `opcode ${opcode}`;
    const error = new Error(`Handler returned without answering ${name}`);
    this.#options.report?.(error, name);
  }
  #settled() {
    return new Promise((resolve) => this.#onSettled = resolve);
  }
  async #drain() {
    const { drainMs = 2e3 } = this.#options;
    const deadline = Date.now() + drainMs;
    while (this.#outstanding > 0 && Date.now() < deadline) {
      let timer;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, deadline - Date.now());
      });
      await Promise.race([
        this.#settled(),
        late
      ]);
      clearTimeout(timer);
    }
  }
};
function count(row, reply, opcode) {
  if (reply.errno !== 0) row.failed();
  else if (opcode === READ) row.read(reply.length - OUT_HEADER_SIZE3);
  else if (opcode === WRITE2) row.written(WRITE_OUT.get.size(reply.body));
}
function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

// src/protocol/trace.ts
var SILENT = /^(padding|dummy\d?|unused\d?|reserved|spare|__\w+)$/;
var OUT_HEADER_SIZE4 = sizeOf("fuse_out_header");
function traceRequest(queue, request) {
  const { opcode, unique } = request;
  const row = opcodeRow(opcode);
  const fields = {
    nodeid: request.nodeid
  };
  if (row?.in !== void 0) {
    const size = Math.min(sizeOf(row.in), request.length - 40);
    const struct = new Uint8Array(sizeOf(row.in));
    struct.set(new Uint8Array(request.body.buffer, request.body.byteOffset, size));
    Object.assign(fields, structFields(row.in, struct, 0));
  }
  let bytes = row?.tail === void 0 ? 0 : request.tailLength;
  if (row?.tail?.startsWith("name")) {
    fields.name = request.name();
    if (row.tail === "name name") fields.name2 = request.name(1);
    bytes = row.tail === "name value" ? request.value().byteLength : 0;
  }
  return {
    queue,
    direction: "<-",
    unique,
    opcode,
    fields,
    bytes
  };
}
function traceReply(asked, reply) {
  const { queue, unique, opcode } = asked;
  const fields = {};
  const size = Math.max(0, reply.length - OUT_HEADER_SIZE4);
  let at = 0;
  for (const name of opcodeRow(opcode)?.out ?? []) {
    if (at + sizeOf(name) > size) break;
    Object.assign(fields, structFields(name, reply.body, at));
    at += sizeOf(name);
  }
  const { errno: errno2 } = reply;
  const bytes = size - at;
  return {
    queue,
    direction: "->",
    unique,
    opcode,
    fields,
    errno: errno2,
    bytes
  };
}
function structFields(name, bytes, base) {
  const all = decodeStruct(name, bytes, base);
  return Object.fromEntries(Object.entries(all).filter(([field]) => !SILENT.test(field)));
}

// src/queue/trace_queue.ts
var TraceQueue = class {
  #queue;
  #show;
  #asked = /* @__PURE__ */ new Map();
  /**
   * Puts a trace around a queue.
   *
   * @param queue The queue to look at.
   * @param show Takes each message, in the order in which they pass.
   */
  constructor(queue, show) {
    this.#queue = queue;
    this.#show = show;
  }
  get index() {
    return this.#queue.index;
  }
  get capacity() {
    return this.#queue.capacity;
  }
  get end() {
    return this.#queue.end;
  }
  get dialect() {
    return this.#queue.dialect;
  }
  set dialect(dialect) {
    this.#queue.dialect = dialect;
  }
  next(mayBlock) {
    const exchange = this.#queue.next(mayBlock);
    if (exchange !== null) {
      const record = traceRequest(this.index, exchange.request);
      this.#asked.set(exchange, record);
      this.#show(record);
    }
    return exchange;
  }
  ready() {
    return this.#queue.ready();
  }
  reply(exchange) {
    const asked = this.#asked.get(exchange);
    this.#asked.delete(exchange);
    if (asked !== void 0 && exchange.reply.length > 0) {
      this.#show(traceReply(asked, exchange.reply));
    }
    return this.#queue.reply(exchange);
  }
  notify(message) {
    return this.#queue.notify(message);
  }
  close() {
    this.#queue.close();
  }
};

// src/linux/call_arguments.ts
var BufferPointers = class {
  #last;
  #lastPointer = null;
  // Weak, so that remembering a buffer does not keep it.
  #known = /* @__PURE__ */ new WeakMap();
  /**
   * The address of a view's first byte.
   *
   * @param view Over an ArrayBuffer or a SharedArrayBuffer.
   * @returns `null` possibly, if the view is empty.
   */
  of(view) {
    if (view === this.#last) return this.#lastPointer;
    let pointer = this.#known.get(view);
    if (pointer === void 0) {
      pointer = pointerOf(view);
      this.#known.set(view, pointer);
    }
    this.#last = view;
    this.#lastPointer = pointer;
    return pointer;
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
  of(value) {
    if (value !== this.#number) {
      this.#bigint = BigInt(value);
      this.#number = value;
    }
    return this.#bigint;
  }
};
function pointerOf(view) {
  void view.buffer;
  return Deno.UnsafePointer.of(view);
}

// src/linux/c_string.ts
var ENCODER = new TextEncoder();
var DECODER = new TextDecoder();
function textAt(pointer) {
  return pointer === null ? null : Deno.UnsafePointerView.getCString(pointer);
}

// src/linux/libc.ts
var SYMBOLS = {
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
  // off_t lseek(int fd, off_t offset, int whence);
  lseek: {
    parameters: [
      "i32",
      "i64",
      "i32"
    ],
    result: "i64"
  },
  // int futimens(int fd, const struct timespec times[2]);
  futimens: {
    parameters: [
      "i32",
      "buffer"
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
  // int ioctl(int fd, unsigned long request, void *argument);
  ioctl: {
    parameters: [
      "i32",
      "usize",
      "buffer"
    ],
    result: "i32"
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
  // int unlink(const char *pathname);
  unlink: {
    parameters: [
      "buffer"
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
  // char *getenv(const char *name);
  getenv: {
    parameters: [
      "buffer"
    ],
    result: "pointer"
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
        throw new Error(`Cannot open the C library ${name}: Deno may not call native code (run it with --allow-ffi)`, {
          cause: error
        });
      }
      failures.push(`${name}: ${messageOf(error)}`);
    }
  }
  throw new Error(`Cannot open the C library: none of these worked: ${failures.join("; ")} (this program needs Linux on x86_64 or aarch64)`);
}
function isPermissionError(error) {
  return error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied;
}
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

// src/linux/system_error.ts
var SystemError = class extends Error {
  /** The positive error number, errno(3). */
  errno;
  /** Its name, such as `ENOENT`. */
  code;
  /** The function that failed, such as `openat`. */
  call;
  /**
   * Makes an error.
   *
   * @param facts What failed, and why.
   */
  constructor(facts) {
    const reason = facts.reason ?? strerror(facts.errno);
    const advice = facts.advice === void 0 ? "" : ` (${facts.advice})`;
    super(`Cannot ${facts.action}: ${reason}${advice}`);
    this.name = "SystemError";
    this.errno = facts.errno;
    this.code = errnoName(facts.errno);
    this.call = facts.call;
  }
};
function strerror(errno2) {
  return textAt(libc().strerror(errno2)) ?? errnoName(errno2);
}

// src/linux/descriptor.ts
var ARM = Deno.build.arch === "aarch64";
var OPEN = {
  /** Read. */
  RDONLY: 0,
  /** Write. */
  WRONLY: 1,
  /** Both. */
  RDWR: 2,
  /** Create a missing file. */
  CREAT: 64,
  /** With CREAT: the file must be missing. */
  EXCL: 128,
  /** Cut an existing file to nothing. */
  TRUNC: 512,
  /** Calls give EAGAIN where they would wait. */
  NONBLOCK: 2048,
  /** A symbolic link at the end is not followed. */
  NOFOLLOW: ARM ? 32768 : 131072,
  /** Not for the programs that this process starts. */
  CLOEXEC: 524288,
  /** A handle of the place only: a file system's server is not asked. */
  PATH: 2097152
};
function closeDescriptor(fd) {
  libc().close(fd);
}

// src/linux/fuse_device.ts
var DEVICE = "/dev/fuse";
var F_GETFL = 3;
var F_SETFL = 4;
var POLLIN = 1;
var ONE_DESCRIPTOR = 1n;
var LONGEST_WAIT_MS = 1e3;
function fuseDeviceFromFd(fd) {
  const flags = libc().fcntl(fd, F_GETFL, 0);
  if (flags < 0) {
    throw new SystemError({
      call: "fcntl",
      action: `use descriptor ${fd} as ${DEVICE}`,
      errno: errno()
    });
  }
  return new LinuxFuseDevice(fd, (flags & OPEN.NONBLOCK) === 0);
}
var LinuxFuseDevice = class {
  fd;
  #libc = libc();
  #pointers = new BufferPointers();
  #readLength = new LastBigint();
  #writeLength = new LastBigint();
  #pollfd;
  #blocking;
  #closed = false;
  #readable;
  /**
   * Wraps an open descriptor.
   *
   * @param fd A descriptor of /dev/fuse.
   * @param blocking Whether O_NONBLOCK is off.
   */
  constructor(fd, blocking) {
    this.fd = fd;
    this.#blocking = blocking;
    this.#pollfd = pollIn(fd);
  }
  read(buffer) {
    const pointer = this.#pointers.of(buffer);
    const length = this.#readLength.of(buffer.byteLength);
    for (; ; ) {
      const count2 = this.#libc.read(this.fd, pointer, length);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  write(buffer, length) {
    checkLength(buffer, length);
    const pointer = this.#pointers.of(buffer);
    const size = this.#writeLength.of(length);
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
        action: `switch O_NONBLOCK of ${DEVICE} descriptor ${this.fd}`,
        errno: errno()
      });
    }
    this.#blocking = blocking;
  }
  poll() {
    return this.#libc.poll(this.#pollfd.pointer, ONE_DESCRIPTOR, 0) > 0;
  }
  readable() {
    return this.#readable ??= this.#waitReadable().finally(() => {
      this.#readable = void 0;
    });
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
  async #waitReadable() {
    const pollfd = pollIn(this.fd);
    const one = ONE_DESCRIPTOR;
    let ready = 0;
    while (ready === 0 && !this.#closed) {
      ready = await this.#libc.poll_nonblocking(pollfd.pointer, one, LONGEST_WAIT_MS);
    }
    pollfd.bytes.fill(0);
  }
};
function pollIn(fd) {
  const bytes = new Uint8Array(new ArrayBuffer(8));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  return {
    bytes,
    pointer: pointerOf(bytes)
  };
}
function checkLength(buffer, length) {
  if (length < 0 || length > buffer.byteLength) {
    throw new RangeError(`Cannot write ${length} bytes to ${DEVICE}: the buffer has ${buffer.byteLength} (pass a length within it)`);
  }
}

// src/export/attributes.ts
var ATTR = accessors("fuse_attr");
var ATTR_OUT = accessors("fuse_attr_out");
var SETATTR_IN = accessors("fuse_setattr_in");
var NS_PER_S = 1000000000n;
var ATTR_VALID_S = 1n;
var GROUP_OR_OTHERS = 63;
var ANY_WRITE = 146;
var SETTABLE = FATTR.SIZE | FATTR.MODE | FATTR.FH | FATTR.LOCKOWNER | FATTR.KILL_SUIDGID | FATTR.ATIME | FATTR.MTIME | FATTR.CTIME | FATTR.ATIME_NOW | FATTR.MTIME_NOW;
var TIMES = FATTR.ATIME | FATTR.MTIME;
function replyAttributes(context, reply) {
  const stat = context.backend.stat();
  if ("then" in stat) {
    return stat.then((late) => fillAttributes(context, reply, late));
  }
  fillAttributes(context, reply, stat);
}
function fillAttributes({ state }, reply, stat) {
  const size = state.size;
  const { atime, mtime, ctime } = stat.times ?? state;
  const body = reply.zeroed(ATTR_OUT.size);
  const at = ATTR_OUT.at.attr;
  ATTR_OUT.set.attr_valid(body, 0, ATTR_VALID_S);
  ATTR.set.ino(body, at, 1n);
  ATTR.setNumber.size(body, at, size);
  ATTR.setNumber.blocks(body, at, Math.ceil((stat.allocated ?? size) / 512));
  ATTR.set.atime(body, at, seconds(atime));
  ATTR.set.atimensec(body, at, nanoseconds(atime));
  ATTR.set.mtime(body, at, seconds(mtime));
  ATTR.set.mtimensec(body, at, nanoseconds(mtime));
  ATTR.set.ctime(body, at, seconds(ctime));
  ATTR.set.ctimensec(body, at, nanoseconds(ctime));
  ATTR.set.mode(body, at, S_IF.REG | state.mode);
  ATTR.set.nlink(body, at, 1);
  ATTR.set.uid(body, at, state.uid);
  ATTR.set.gid(body, at, state.gid);
  ATTR.set.blksize(body, at, stat.blockSize);
  reply.ok(ATTR_OUT.size);
}
function seconds(ns) {
  return (ns - mod(ns)) / NS_PER_S;
}
function nanoseconds(ns) {
  return Number(mod(ns));
}
function mod(ns) {
  return (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
}
async function setAttributes(context, request, reply) {
  const wanted = readWanted(request);
  const refusal = refuse(context, wanted);
  if (refusal !== 0) return reply.error(refusal);
  const { state } = context;
  const { valid } = wanted;
  if ((valid & FATTR.SIZE) !== 0) {
    const result2 = await resize(context, wanted.size);
    if (result2 < 0) return reply.error(-result2);
  }
  if ((valid & TIMES) !== 0) {
    const result2 = await setTimes(context, wanted.atime, wanted.mtime);
    if (result2 < 0) return reply.error(-result2);
  }
  if ((valid & FATTR.MODE) !== 0) state.mode = wanted.mode;
  if ((valid & FATTR.UID) !== 0) state.uid = wanted.uid;
  if ((valid & FATTR.GID) !== 0) state.gid = wanted.gid;
  if ((valid & (FATTR.MODE | FATTR.UID | FATTR.GID)) !== 0) state.changed();
  return await replyAttributes(context, reply);
}
function readWanted({ body }) {
  const { get, number } = SETATTR_IN;
  const valid = get.valid(body);
  const now2 = BigInt(Date.now()) * 1000000n;
  const time = (flag, nowFlag, s, ns) => {
    if ((valid & flag) === 0) return null;
    if ((valid & nowFlag) !== 0) return now2;
    return BigInt.asIntN(64, s) * NS_PER_S + BigInt(ns);
  };
  return {
    valid,
    size: number.size(body),
    mode: get.mode(body),
    uid: get.uid(body),
    gid: get.gid(body),
    atime: time(FATTR.ATIME, FATTR.ATIME_NOW, get.atime(body), get.atimensec(body)),
    mtime: time(FATTR.MTIME, FATTR.MTIME_NOW, get.mtime(body), get.mtimensec(body))
  };
}
function refuse({ rules }, { valid, mode, size }) {
  const owner = rules.allowOther ? FATTR.UID | FATTR.GID : 0;
  if ((valid & ~(SETTABLE | owner)) !== 0) return ERRNO.EOPNOTSUPP;
  if ((valid & FATTR.MODE) !== 0) {
    if (!rules.allowOther && (mode & GROUP_OR_OTHERS) !== 0) return ERRNO.EPERM;
    if (!rules.writable && (mode & ANY_WRITE) !== 0) return ERRNO.EROFS;
  }
  if ((valid & FATTR.SIZE) !== 0) {
    if (!rules.writable) return ERRNO.EACCES;
    if (size > Number.MAX_SAFE_INTEGER) return ERRNO.EFBIG;
  }
  if ((valid & TIMES) !== 0 && !rules.writable) return ERRNO.EROFS;
  return 0;
}
async function resize({ backend, state }, size) {
  await state.lock.lock();
  try {
    if (size === state.size) return 0;
    const result2 = await backend.truncate(size);
    if (result2 < 0) return result2;
    state.size = size;
    state.written();
    return 0;
  } finally {
    state.lock.unlock();
  }
}
async function setTimes({ backend, state }, atime, mtime) {
  if (backend.setTimes !== void 0) {
    return await backend.setTimes(atime, mtime);
  }
  state.touch(atime, mtime);
  return 0;
}

// src/export/space.ts
var FALLOCATE_IN = accessors("fuse_fallocate_in");
var LSEEK_IN = accessors("fuse_lseek_in");
var LSEEK_OUT = accessors("fuse_lseek_out");
var KSTATFS = accessors("fuse_kstatfs");
var STATFS_OUT = accessors("fuse_statfs_out");
var STATFS_BLOCK = 4096;
var NAME_MAX = 255;
async function allocateSpace(context, request, reply) {
  const { state, rules } = context;
  const offset = FALLOCATE_IN.number.offset(request.body);
  const length = FALLOCATE_IN.number.length(request.body);
  const mode = FALLOCATE_IN.get.mode(request.body);
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  if (offset + length > Number.MAX_SAFE_INTEGER) {
    return reply.error(ERRNO.EFBIG);
  }
  await state.lock.lock();
  let result2;
  try {
    result2 = await allocateLocked(context, offset, length, mode);
  } finally {
    state.lock.unlock();
  }
  if (result2 < 0) reply.error(-result2);
  else reply.ok();
}
async function allocateLocked(context, offset, length, mode) {
  const { backend, state } = context;
  const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
  const end = offset + length;
  const kept = Math.max(0, Math.min(end, state.size) - offset);
  switch (mode) {
    case 0: {
      const old = state.size;
      if (offset < old) return -ERRNO.EOPNOTSUPP;
      const result2 = await grow(context, end);
      return result2 < 0 ? result2 : await backend.allocate(old, end - old);
    }
    case PUNCH_HOLE:
      return -ERRNO.EINVAL;
    case PUNCH_HOLE | KEEP_SIZE:
      return await zero(context, offset, kept, true);
    case ZERO_RANGE | KEEP_SIZE:
      return await zero(context, offset, kept, false);
    case ZERO_RANGE: {
      const result2 = end > state.size ? await grow(context, end) : 0;
      return result2 < 0 ? result2 : await zero(context, offset, length, false);
    }
    default:
      return -ERRNO.EOPNOTSUPP;
  }
}
async function grow({ backend, state }, size) {
  const result2 = await backend.truncate(size);
  if (result2 >= 0) {
    state.size = size;
    state.written();
  }
  return result2;
}
async function zero({ backend, state }, offset, length, unmap) {
  if (length === 0) return 0;
  const result2 = await backend.zero(offset, length, {
    unmap
  });
  if (result2 >= 0) state.written();
  return result2;
}
async function seekSpace({ backend, state }, request, reply) {
  const offset = LSEEK_IN.number.offset(request.body);
  const whence = LSEEK_IN.get.whence(request.body);
  if (whence !== SEEK.DATA && whence !== SEEK.HOLE) {
    return reply.error(ERRNO.EINVAL);
  }
  const found = await seek(backend, state.size, offset, whence === SEEK.DATA);
  if (found < 0) return reply.error(-found);
  LSEEK_OUT.setNumber.offset(reply.zeroed(LSEEK_OUT.size), 0, found);
  reply.ok(LSEEK_OUT.size);
}
async function seek(backend, size, offset, data) {
  if (offset > size) return -ERRNO.ENXIO;
  let at = offset;
  while (at < size) {
    const extent = await backend.extent(at);
    if (extent.data === data) return at;
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
  KSTATFS.setNumber.files(body, 0, 1);
  KSTATFS.set.bsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.frsize(body, 0, STATFS_BLOCK);
  KSTATFS.set.namelen(body, 0, NAME_MAX);
  reply.ok(STATFS_OUT.size);
}

// src/export/transfer.ts
var READ_IN = accessors("fuse_read_in");
var WRITE_IN2 = accessors("fuse_write_in");
var WRITE_OUT2 = accessors("fuse_write_out");
function readImage({ backend, state }, request, reply) {
  const offset = READ_IN.number.offset(request.body);
  const size = READ_IN.get.size(request.body);
  if (size > reply.data.length) return reply.error(ERRNO.EINVAL);
  const length = Math.min(size, state.size - offset);
  if (length <= 0) return reply.ok(0);
  const got = backend.read(offset, reply.data, length);
  if (typeof got === "number") return finishRead(reply, got, length);
  return got.then((late) => finishRead(reply, late, length));
}
function finishRead(reply, got, length) {
  if (got < 0) return reply.error(-got);
  if (got < length) reply.data.fill(0, got, length);
  reply.ok(length);
}
function writeImage(context, request, reply) {
  const { state, rules } = context;
  if (!rules.writable) return reply.error(ERRNO.EACCES);
  const offset = WRITE_IN2.number.offset(request.body);
  const size = WRITE_IN2.get.size(request.body);
  if (offset + size > Number.MAX_SAFE_INTEGER) {
    return reply.error(ERRNO.EINVAL);
  }
  if (!state.lock.tryShare()) {
    return state.lock.share().then(() => writeShared(context, request, reply, offset, size));
  }
  return writeShared(context, request, reply, offset, size);
}
function writeShared(context, request, reply, offset, size) {
  const { state, rules } = context;
  const fits = state.size - offset;
  if (size > fits && rules.growable) {
    state.lock.unshare();
    return writeGrowing(context, request, reply, offset, size);
  }
  const length = Math.max(0, Math.min(size, fits));
  let put;
  try {
    put = length === 0 ? 0 : context.backend.write(offset, request.data, length);
  } catch (error) {
    state.lock.unshare();
    throw error;
  }
  if (typeof put === "number") {
    state.lock.unshare();
    return finishWrite(context, reply, put);
  }
  return put.then((late) => {
    state.lock.unshare();
    finishWrite(context, reply, late);
  }, (error) => {
    state.lock.unshare();
    throw error;
  });
}
function finishWrite({ state }, reply, put) {
  if (put < 0) return reply.error(-put);
  if (put > 0) state.written();
  const body = reply.body;
  WRITE_OUT2.set.size(body, 0, put);
  WRITE_OUT2.set.padding(body, 0, 0);
  reply.ok(WRITE_OUT2.size);
}
async function writeGrowing(context, request, reply, offset, size) {
  const { backend, state } = context;
  await state.lock.lock();
  try {
    if (offset + size > state.size) {
      const result2 = await backend.truncate(offset + size);
      if (result2 < 0) return reply.error(-result2);
      state.size = offset + size;
    }
    const put = await backend.write(offset, request.data, size);
    finishWrite(context, reply, put);
  } finally {
    state.lock.unlock();
  }
}

// src/export/block_export.ts
var OPEN_OUT = accessors("fuse_open_out");
var MAX_PAYLOAD = 1 << 20;
var EXPORT_ROOT_MODE = S_IF.REG;
var BlockExport = class {
  #context;
  /** Makes the handler of one queue; the queues of an export share `state`. */
  constructor(context) {
    this.#context = context;
  }
  /** Answers one request; see `RequestHandler`. */
  handle(request, reply) {
    const context = this.#context;
    switch (request.opcode) {
      case OPCODES.READ.opcode:
        return readImage(context, request, reply);
      case OPCODES.WRITE.opcode:
        return writeImage(context, request, reply);
      case OPCODES.GETATTR.opcode:
        return replyAttributes(context, reply);
      case OPCODES.SETATTR.opcode:
        return setAttributes(context, request, reply);
      case OPCODES.OPEN.opcode:
        return replyOpen(reply);
      case OPCODES.FSYNC.opcode:
      case OPCODES.FLUSH.opcode:
        return flushImage(context, reply);
      case OPCODES.FALLOCATE.opcode:
        return allocateSpace(context, request, reply);
      case OPCODES.LSEEK.opcode:
        return seekSpace(context, request, reply);
      case OPCODES.STATFS.opcode:
        return replyStatfs(context, reply);
      case OPCODES.RELEASE.opcode:
      case OPCODES.DESTROY.opcode:
        return reply.ok();
      case OPCODES.FORGET.opcode:
      case OPCODES.BATCH_FORGET.opcode:
        return reply.none();
      case OPCODES.LOOKUP.opcode:
        return reply.error(ERRNO.ENOENT);
      default:
        return reply.error(ERRNO.ENOSYS);
    }
  }
};
function replyOpen(reply) {
  const body = reply.zeroed(OPEN_OUT.size);
  const flags = FOPEN.DIRECT_IO | FOPEN.PARALLEL_DIRECT_WRITES;
  OPEN_OUT.set.open_flags(body, 0, flags);
  reply.ok(OPEN_OUT.size);
}
function flushImage({ backend, rules }, reply) {
  if (!rules.writable) return reply.ok();
  const result2 = backend.flush();
  if (typeof result2 === "number") return replyResult(reply, result2);
  return result2.then((late) => replyResult(reply, late));
}
function replyResult(reply, result2) {
  if (result2 < 0) reply.error(-result2);
  else reply.ok();
}

// src/export/shared_lock.ts
var WRITER = -(2 ** 30);
var STATE = 0;
var WAITING = 1;
var BELL = 2;
var SharedLock = class {
  /** Words of shared memory that a lock takes. */
  static WORDS = 3;
  #words;
  /**
   * Looks at a lock.
   *
   * @param words {@linkcode SharedLock.WORDS} words that were zero at first.
   */
  constructor(words) {
    this.#words = words;
  }
  /** Shares the lock, if nobody has it alone or waits for that. */
  tryShare() {
    const words = this.#words;
    if (Atomics.load(words, WAITING) > 0) return false;
    if (Atomics.add(words, STATE, 1) >= 0) return true;
    this.unshare();
    return false;
  }
  /** Gives a share back. */
  unshare() {
    const before = Atomics.sub(this.#words, STATE, 1);
    if (before === 1 && Atomics.load(this.#words, WAITING) > 0) this.#ring();
  }
  /** Shares the lock as soon as it can be shared. */
  async share() {
    for (; ; ) {
      const seen = Atomics.load(this.#words, BELL);
      if (this.tryShare()) return;
      await this.#rung(seen);
    }
  }
  /** Takes the whole lock as soon as nobody else has a part of it. */
  async lock() {
    const words = this.#words;
    Atomics.add(words, WAITING, 1);
    for (; ; ) {
      const seen = Atomics.load(words, BELL);
      if (Atomics.compareExchange(words, STATE, 0, WRITER) === 0) break;
      await this.#rung(seen);
    }
    Atomics.sub(words, WAITING, 1);
  }
  /** Gives the whole lock back. */
  unlock() {
    Atomics.sub(this.#words, STATE, WRITER);
    this.#ring();
  }
  #ring() {
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
  }
  async #rung(seen) {
    const wait = Atomics.waitAsync(this.#words, BELL, seen);
    if (!wait.async) return;
    const alive = setInterval(() => {
    }, 1 << 30);
    await wait.value;
    clearInterval(alive);
  }
};

// src/export/export_state.ts
var SIZE_VERSION = 0;
var SIZE_LOW = 1;
var SIZE_HIGH = 2;
var MODE = 3;
var UID = 4;
var GID = 5;
var LOCK = 6;
var TIMES_AT = 64;
var MEMORY_SIZE = 128;
var ATIME = 0;
var MTIME = 1;
var CTIME = 2;
var TWO_322 = 2 ** 32;
var NS_PER_MS = 1000000n;
var ExportState = class _ExportState {
  /** The memory, for other Workers. */
  memory;
  /**
   * Shared by writes inside the image; had alone by whatever changes its size,
   * so that no write lands behind an end that is moving.
   */
  lock;
  #words;
  #times;
  #lastWriteMs;
  /** Looks at memory that {@linkcode ExportState.create} made. */
  constructor(memory) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, TIMES_AT / 4);
    this.lock = new SharedLock(this.#words.subarray(LOCK, LOCK + SharedLock.WORDS));
    this.#times = new BigInt64Array(memory, TIMES_AT, 3);
    this.#lastWriteMs = new Float64Array(memory, TIMES_AT + 24, 1);
  }
  /** Makes the state of a new export. */
  static create(options) {
    const state = new _ExportState(new SharedArrayBuffer(MEMORY_SIZE));
    state.size = options.size;
    state.mode = options.mode;
    state.uid = options.uid;
    state.gid = options.gid;
    state.touch(now(), now());
    return state;
  }
  /** Size of the file in bytes. */
  get size() {
    const words = this.#words;
    for (; ; ) {
      const version = Atomics.load(words, SIZE_VERSION);
      const low = Atomics.load(words, SIZE_LOW);
      const high = Atomics.load(words, SIZE_HIGH);
      const settled = (version & 1) === 0 && Atomics.load(words, SIZE_VERSION) === version;
      if (settled) return high * TWO_322 + (low >>> 0);
    }
  }
  /** Set by whoever has the lock alone. */
  set size(bytes) {
    Atomics.add(this.#words, SIZE_VERSION, 1);
    Atomics.store(this.#words, SIZE_LOW, bytes % TWO_322 | 0);
    Atomics.store(this.#words, SIZE_HIGH, Math.floor(bytes / TWO_322));
    Atomics.add(this.#words, SIZE_VERSION, 1);
  }
  /** Permission bits, without the file's type. */
  get mode() {
    return Atomics.load(this.#words, MODE);
  }
  /** Sets the permission bits; others are dropped. */
  set mode(bits) {
    Atomics.store(this.#words, MODE, bits & 4095);
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
  /** Time of the last read that was noted, nanoseconds since 1970. */
  get atime() {
    return Atomics.load(this.#times, ATIME);
  }
  /** Time of the last write, nanoseconds since 1970, exact to milliseconds. */
  get mtime() {
    const ms = this.#lastWriteMs[0];
    return ms === 0 ? Atomics.load(this.#times, MTIME) : BigInt(ms) * NS_PER_MS;
  }
  /** Time of the last write or change of attributes. */
  get ctime() {
    const { mtime } = this;
    const ctime = Atomics.load(this.#times, CTIME);
    return mtime > ctime ? mtime : ctime;
  }
  /** Notes that bytes changed. */
  written() {
    this.#lastWriteMs[0] = Date.now();
  }
  /** Notes that an attribute changed. */
  changed() {
    Atomics.store(this.#times, CTIME, now());
  }
  /** Sets times, nanoseconds since 1970; `null` leaves one as it is. */
  touch(atime, mtime) {
    if (atime !== null) Atomics.store(this.#times, ATIME, atime);
    if (mtime !== null) {
      this.#lastWriteMs[0] = 0;
      Atomics.store(this.#times, MTIME, mtime);
    }
    this.changed();
  }
};
function now() {
  return BigInt(Date.now()) * NS_PER_MS;
}

// src/backends/file_backend.ts
var FALLOC_FL_KEEP_SIZE = 1;
var FALLOC_FL_PUNCH_HOLE = 2;
var FALLOC_FL_ZERO_RANGE = 16;
var SEEK_DATA = 3;
var SEEK_HOLE = 4;
var EIO = 5;
var ENXIO = 6;
var EINVAL = 22;
var EOPNOTSUPP = 95;
var ZEROES = new Uint8Array(65536);
var FileBackend = class {
  name;
  shared = true;
  writable;
  #file;
  #offset;
  /** Length of the part; `null` where it goes on to the end of the file. */
  #size;
  /**
   * Serves an open file; `close()` leaves it open, since Workers share it.
   *
   * @param file The open file.
   * @param name How messages call it.
   * @param writable Whether it was opened for writing.
   */
  constructor(file, name, writable, window = {}) {
    this.name = name;
    this.writable = writable;
    this.#file = file;
    this.#offset = window.offset ?? 0;
    this.#size = window.size ?? null;
  }
  stat() {
    const stat = this.#stat();
    const whole = this.#size === null && this.#offset === 0;
    const size = this.#size ?? Math.max(0, stat.size - this.#offset);
    const { blockSize, atime, mtime, ctime } = stat;
    return {
      size,
      allocated: whole ? stat.allocated : Math.min(size, stat.allocated),
      blockSize,
      times: {
        atime,
        mtime,
        ctime
      }
    };
  }
  read(position, into, length) {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const got = this.#file.pread(into, done, length - done, at + done);
      if (got < 0) return got;
      if (got === 0) break;
      done += got;
    }
    return done;
  }
  write(position, from, length) {
    const at = this.#offset + position;
    let done = 0;
    while (done < length) {
      const put = this.#file.pwrite(from, done, length - done, at + done);
      if (put < 0) return done > 0 ? done : put;
      if (put === 0) return done > 0 ? done : -EIO;
      done += put;
    }
    return done;
  }
  flush() {
    return this.#file.fdatasync();
  }
  truncate(size) {
    return this.#size === null ? this.#file.ftruncate(this.#offset + size) : -EINVAL;
  }
  zero(position, length, { unmap }) {
    const at = this.#offset + position;
    const mode = FALLOC_FL_KEEP_SIZE | (unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
    const result2 = this.#file.fallocate(mode, at, length);
    return result2 === -EOPNOTSUPP || result2 === -EINVAL ? this.#writeZeroes(position, length) : result2;
  }
  allocate(position, length) {
    return this.#file.fallocate(FALLOC_FL_KEEP_SIZE, this.#offset + position, length);
  }
  extent(position) {
    const at = this.#offset + position;
    const data = this.#file.lseek(at, SEEK_DATA);
    if (data === -ENXIO) return {
      data: false,
      end: Infinity
    };
    if (data < 0) return {
      data: true,
      end: Infinity
    };
    if (data > at) return {
      data: false,
      end: data - this.#offset
    };
    const hole = this.#file.lseek(at, SEEK_HOLE);
    return {
      data: true,
      end: hole < 0 ? Infinity : hole - this.#offset
    };
  }
  setTimes(atime, mtime) {
    return this.#file.futimens(atime, mtime);
  }
  close() {
  }
  #stat() {
    const stat = this.#file.fstat();
    if (typeof stat !== "number") return stat;
    throw Object.assign(new Error(`Cannot stat ${this.name}`), {
      errno: -stat
    });
  }
  #writeZeroes(position, length) {
    for (let done = 0; done < length; ) {
      const put = this.write(position + done, ZEROES, Math.min(ZEROES.length, length - done));
      if (put < 0) return put;
      done += put;
    }
    return 0;
  }
};

// src/backends/memory_backend.ts
var CHUNK = 65536;
var ENOSPC = 28;
var ENOMEM = 12;
var GROWABLE_MAX = 2 ** 40;
var MemoryBackend = class {
  name;
  shared = true;
  writable = true;
  #size;
  #disk;
  #bytes;
  #chunks;
  /**
   * Looks at the memory of a disk.
   *
   * @param disk What {@linkcode createMemoryDisk} made.
   * @param name How messages call it.
   */
  constructor(disk, name = "memory") {
    this.name = name;
    this.#disk = disk;
    this.#size = disk.bytes.byteLength;
    this.#bytes = new Uint8Array(disk.bytes);
    this.#chunks = new Uint8Array(disk.chunks);
  }
  stat() {
    let chunks = 0;
    const end = Math.ceil(this.#disk.bytes.byteLength / CHUNK);
    for (let i = 0; i < end; i++) chunks += this.#chunks[i];
    return {
      size: this.#size,
      allocated: chunks * CHUNK,
      blockSize: 4096,
      times: null
    };
  }
  read(position, into, length) {
    into.set(this.#bytes.subarray(position, position + length));
    return length;
  }
  write(position, from, length) {
    this.#bytes.set(from.subarray(0, length), position);
    this.#mark(position, length);
    return length;
  }
  flush() {
    return 0;
  }
  truncate(size) {
    const { bytes } = this.#disk;
    if (size > bytes.byteLength) {
      if (!bytes.growable || size > bytes.maxByteLength) return -ENOSPC;
      try {
        bytes.grow(size);
      } catch {
        return -ENOMEM;
      }
    }
    return this.zero(size, bytes.byteLength - size);
  }
  zero(position, length, _options) {
    const end = position + length;
    const first = Math.ceil(position / CHUNK);
    const last = Math.floor(end / CHUNK);
    let at = position;
    for (let chunk = Math.floor(position / CHUNK); at < end; chunk++) {
      const stop = Math.min(end, (chunk + 1) * CHUNK);
      if (this.#chunks[chunk] !== 0) {
        this.#bytes.fill(0, at, stop);
        if (chunk >= first && chunk < last) this.#chunks[chunk] = 0;
      }
      at = stop;
    }
    return 0;
  }
  allocate(position, length) {
    this.#mark(position, length);
    return 0;
  }
  extent(position) {
    const chunks = Math.ceil(this.#disk.bytes.byteLength / CHUNK);
    const first = Math.floor(position / CHUNK);
    const data = this.#chunks[first] !== 0;
    let chunk = first + 1;
    while (chunk < chunks && this.#chunks[chunk] !== 0 === data) chunk++;
    return {
      data,
      end: chunk === chunks ? Infinity : chunk * CHUNK
    };
  }
  close() {
  }
  #mark(position, length) {
    const last = Math.floor((position + length - 1) / CHUNK);
    for (let i = Math.floor(position / CHUNK); i <= last; i++) {
      this.#chunks[i] = 1;
    }
  }
};

// src/backends/null_backend.ts
var NullBackend = class {
  name;
  shared = true;
  writable = true;
  #stat;
  /**
   * Makes a null disk.
   *
   * @param size Its size in bytes.
   * @param name How messages call it.
   */
  constructor(size, name = "null") {
    this.name = name;
    this.#stat = {
      size,
      allocated: 0,
      blockSize: 4096,
      times: null
    };
  }
  stat() {
    return this.#stat;
  }
  read(_position, into, length) {
    into.fill(0, 0, length);
    return length;
  }
  write(_position, _from, length) {
    return length;
  }
  flush() {
    return 0;
  }
  truncate(_size) {
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
  close() {
  }
};

// src/backends/pattern_backend.ts
var EROFS = 30;
var PatternBackend = class {
  name;
  shared = true;
  writable = false;
  #size;
  #word = new DataView(new ArrayBuffer(8));
  /**
   * Makes a pattern disk.
   *
   * @param size Its size in bytes.
   * @param name How messages call it.
   */
  constructor(size, name = "pattern") {
    this.name = name;
    this.#size = size;
  }
  stat() {
    return {
      size: this.#size,
      allocated: this.#size,
      blockSize: 4096,
      times: null
    };
  }
  read(position, into, length) {
    const word = this.#word;
    for (let i = 0; i < length; ) {
      const at = position + i;
      const start = at - at % 8;
      word.setUint32(0, start / 2 ** 32);
      word.setUint32(4, start % 2 ** 32);
      for (let b = at % 8; b < 8 && i < length; b++, i++) {
        into[i] = word.getUint8(b);
      }
    }
    return length;
  }
  write() {
    return -EROFS;
  }
  flush() {
    return 0;
  }
  truncate() {
    return -EROFS;
  }
  zero() {
    return -EROFS;
  }
  allocate() {
    return -EROFS;
  }
  extent() {
    return {
      data: true,
      end: Infinity
    };
  }
  close() {
  }
};

// src/linux/statx.ts
var AT = {
  /** A symbolic link at the end is not followed. */
  SYMLINK_NOFOLLOW: 256,
  /** Nothing is mounted by the look-up. */
  NO_AUTOMOUNT: 2048,
  /** With an empty path: the descriptor itself. */
  EMPTY_PATH: 4096,
  /** A file system's server must be asked. */
  STATX_FORCE_SYNC: 8192,
  /** A file system's server must not be asked. */
  STATX_DONT_SYNC: 16384
};
var S_IFMT = 61440;
var KINDS = /* @__PURE__ */ new Map([
  [
    32768,
    "file"
  ],
  [
    16384,
    "directory"
  ],
  [
    40960,
    "symlink"
  ],
  [
    24576,
    "block"
  ],
  [
    8192,
    "character"
  ],
  [
    4096,
    "fifo"
  ],
  [
    49152,
    "socket"
  ]
]);
var STATX_BASIC_STATS = 2047;
var STRUCT_STATX_SIZE = 256;
var result = new DataView(new ArrayBuffer(STRUCT_STATX_SIZE));
var EMPTY_PATH = new Uint8Array(new ArrayBuffer(1));
function statxDescriptor(fd, flags = 0) {
  return call(fd, EMPTY_PATH, flags | AT.EMPTY_PATH);
}
function fileKind(mode) {
  return KINDS.get(mode & S_IFMT) ?? "unknown";
}
function call(directory, path, flags) {
  const failed = libc().statx(directory, path, flags, STATX_BASIC_STATS, result);
  return failed < 0 ? -errno() : decode();
}
function decode() {
  const mode = result.getUint16(28, true);
  return {
    kind: fileKind(mode),
    mode,
    size: Number(result.getBigUint64(40, true)),
    blocks: Number(result.getBigUint64(48, true)),
    blockSize: result.getUint32(4, true),
    atime: nanoseconds2(64),
    mtime: nanoseconds2(112),
    ctime: nanoseconds2(96),
    inode: result.getBigUint64(32, true),
    device: `${result.getUint32(136, true)}:${result.getUint32(140, true)}`
  };
}
function nanoseconds2(offset) {
  const seconds2 = result.getBigInt64(offset, true);
  return seconds2 * 1000000000n + BigInt(result.getUint32(offset + 8, true));
}

// src/linux/block_file.ts
var BLKGETSIZE64 = 0x80081272n;
var UTIME_OMIT = 0x3ffffffen;
var NANOSECONDS = 1000000000n;
var LinuxBlockFile = class {
  fd;
  #libc = libc();
  #pointers = new BufferPointers();
  #length = new LastBigint();
  #closed = false;
  /**
   * Wraps an open descriptor, which {@linkcode close} closes: a second thread
   * that wraps the same one leaves that to the first.
   *
   * @param fd A descriptor of a file or block device.
   */
  constructor(fd) {
    this.fd = fd;
  }
  pread(buffer, start, length, position) {
    const pointer = this.#pointer(buffer, start, length);
    const size = this.#length.of(length);
    const offset = BigInt(position);
    for (; ; ) {
      const count2 = this.#libc.pread(this.fd, pointer, size, offset);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  pwrite(buffer, start, length, position) {
    const pointer = this.#pointer(buffer, start, length);
    const size = this.#length.of(length);
    const offset = BigInt(position);
    for (; ; ) {
      const count2 = this.#libc.pwrite(this.fd, pointer, size, offset);
      if (count2 >= 0) return count2;
      const error = errno();
      if (error !== ERRNO.EINTR) return -error;
    }
  }
  fdatasync() {
    return repeated(() => this.#libc.fdatasync(this.fd));
  }
  ftruncate(size) {
    return repeated(() => this.#libc.ftruncate(this.fd, BigInt(size)));
  }
  fallocate(mode, position, length) {
    const from = BigInt(position);
    const size = BigInt(length);
    return repeated(() => this.#libc.fallocate(this.fd, mode, from, size));
  }
  lseek(position, whence) {
    const from = BigInt(position);
    return repeated(() => Number(this.#libc.lseek(this.fd, from, whence)));
  }
  fstat() {
    const status = statxDescriptor(this.fd);
    if (typeof status === "number") return status;
    const kind = kindOfImage(status.kind);
    const device = kind === "block" ? this.#deviceSize() : void 0;
    if (device !== void 0 && device < 0) return device;
    return {
      kind,
      size: device ?? status.size,
      allocated: device ?? status.blocks * 512,
      blockSize: status.blockSize,
      atime: status.atime,
      mtime: status.mtime,
      ctime: status.ctime
    };
  }
  futimens(atime, mtime) {
    const times = new BigInt64Array(new ArrayBuffer(32));
    putTime(times, 0, atime);
    putTime(times, 2, mtime);
    return repeated(() => this.#libc.futimens(this.fd, times));
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }
  #pointer(buffer, start, length) {
    checkRange(buffer, start, length);
    const pointer = this.#pointers.of(buffer);
    return start === 0 || pointer === null ? pointer : Deno.UnsafePointer.offset(pointer, start);
  }
  #deviceSize() {
    const size = new BigUint64Array(new ArrayBuffer(8));
    const result2 = repeated(() => this.#libc.ioctl(this.fd, BLKGETSIZE64, size));
    return result2 < 0 ? result2 : Number(size[0]);
  }
};
function repeated(call2) {
  for (; ; ) {
    const result2 = call2();
    if (result2 >= 0) return result2;
    const error = errno();
    if (error !== ERRNO.EINTR) return -error;
  }
}
function putTime(times, at, time) {
  if (time === null) {
    times[at + 1] = UTIME_OMIT;
    return;
  }
  const nanoseconds3 = (time % NANOSECONDS + NANOSECONDS) % NANOSECONDS;
  times[at] = (time - nanoseconds3) / NANOSECONDS;
  times[at + 1] = nanoseconds3;
}
function checkRange(buffer, start, length) {
  if (start < 0 || length < 0 || start + length > buffer.byteLength) {
    throw new RangeError(`Cannot transfer ${length} bytes at ${start} of a buffer: it has ${buffer.byteLength} (pass a range within it)`);
  }
}
function kindOfImage(kind) {
  return kind === "file" || kind === "block" || kind === "directory" ? kind : "other";
}

// src/session/module_spec.ts
async function importFactory(spec, what) {
  let loaded;
  try {
    loaded = await import(spec.module);
  } catch (cause) {
    const { message } = cause;
    const hint = /read access|NotCapable/.test(message) ? "; each Worker imports it by itself, so run with --allow-read for that module and what it imports" : "";
    throw new Error(`Cannot load the ${what} module ${spec.module}: ${message}${hint}`, {
      cause
    });
  }
  if (typeof loaded.default !== "function") {
    throw new TypeError(`Cannot use the ${what} module ${spec.module}: its default export has to be a function that makes a ${what}`);
  }
  return loaded.default;
}

// src/session/backend_spec.ts
async function openBackend(spec) {
  switch (spec.kind) {
    case "null":
      return new NullBackend(spec.size, spec.name);
    case "pattern":
      return new PatternBackend(spec.size, spec.name);
    case "memory":
      return new MemoryBackend(spec.disk, spec.name);
    case "file": {
      const { fd, name, writable, offset, size } = spec;
      const window = size === null ? {
        offset
      } : {
        offset,
        size
      };
      return new FileBackend(new LinuxBlockFile(fd), name, writable, window);
    }
    case "module": {
      const make = await importFactory(spec, "backend");
      return await make(spec.options);
    }
  }
}

// src/session/handler_spec.ts
async function openHandler(spec) {
  if (spec.kind === "module") {
    const make = await importFactory(spec, "handler");
    const handler2 = await make(spec.options);
    return {
      handler: handler2,
      close: () => Promise.resolve()
    };
  }
  const backend = await openBackend(spec.backend);
  const state = new ExportState(spec.state);
  const { rules } = spec;
  const handler = new BlockExport({
    backend,
    state,
    rules
  });
  return {
    handler,
    close: async () => await backend.close()
  };
}

// src/session/worker.ts
function tell(message) {
  self.postMessage(message);
}
function openQueue(start) {
  const { index, maxPayload, agreement } = start;
  const queue = new DeviceQueue(fuseDeviceFromFd(start.fd), {
    index,
    maxPayload,
    dialect: dialectOf(agreement)
  });
  return start.trace ? new TraceQueue(queue, (record) => tell({
    kind: "trace",
    record
  })) : queue;
}
async function run(start) {
  const queue = openQueue(start);
  try {
    const { handler, close } = await openHandler(start.handler);
    tell({
      kind: "ready"
    });
    const end = await serve(queue, handler, {
      mayBlock: true,
      board: new QueueBoard(start.board),
      report: (error, during) => tell({
        kind: "report",
        during,
        message: messageOf2(error)
      })
    });
    await close();
    queue.close();
    tell({
      kind: "done",
      end
    });
  } finally {
    queue.close();
  }
}
function messageOf2(error) {
  return error instanceof Error ? error.message : String(error);
}
self.onmessage = async ({ data }) => {
  try {
    await run(data);
  } catch (error) {
    tell({
      kind: "failed",
      message: messageOf2(error)
    });
  }
  self.close();
};
