/**
 * The host files that are in use, each of which is one node, found again by
 * device and inode number. A node is held by an O_PATH descriptor, so that its
 * numbers cannot become those of another file. Where descriptors get scarce,
 * nodes that were not used lately are held by a file handle instead.
 *
 * @module
 */
import { S_IF, S_IS } from "../base/file_flags.ts";
import { closeDescriptor, OPEN } from "../linux/syscall/descriptor.ts";
import { libc } from "../linux/syscall/libc.ts";
import { hasCapability } from "../linux/syscall/process.ts";
import { checked } from "./failure.ts";
import {
  type FileHandle,
  fileHandle,
  isSameHandle,
  openHandle,
} from "./file_handle.ts";
import { takesUnaligned } from "./host_file_system.ts";
import { DOT, NO_NAME } from "./names.ts";
import { readStatus, statusLinks, statusMode } from "./status.ts";

/** Bits of inode numbers that tell devices apart, above all usual numbers. */
const DEVICE_SHIFT = 48n;
const CLOSED = -1;

/** The files of one device. */
interface Device {
  /** 0 for the device of the root, others by the time they were seen first. */
  readonly index: number;
  readonly byInode: Map<number | bigint, MirrorNode>;
  /** Whether direct writes may have any length and offset. */
  readonly takesUnaligned: boolean;
  /** A descriptor by which handles are opened, or -1. */
  readonly mount: number;
}

/** A host file, directory or other node. */
export class MirrorNode {
  /** Its inode number: that of the host on the root's device. */
  readonly ino: number | bigint;
  /** A descriptor that `create()` has opened and `open()` takes; -1 for none. */
  created: number = CLOSED;
  /** How many files are open, which need a node with its descriptor. */
  opens = 0;
  /** Whether it was used since it was last passed over. */
  isUsed = true;
  /** Its mode when that was last read; until then it may have set-user-ID. */
  mode: number = S_IF.REG | S_IS.UID | S_IS.GID;
  /** Of a directory: whether the name looked up last was that of a known node. */
  findsKnown = false;
  readonly #nodes: MirrorNodes;
  readonly #device: Device;
  readonly #inode: number | bigint;
  #fd: number;
  /** What it is held by while it has no descriptor. */
  #handle: FileHandle | null = null;

  /** Called by {@linkcode MirrorNodes}. */
  constructor(
    nodes: MirrorNodes,
    fd: number,
    device: Device,
    inode: number | bigint,
  ) {
    this.#nodes = nodes;
    this.#fd = fd;
    this.#device = device;
    this.#inode = inode;
    this.ino = device.index === 0 ? inode : BigInt.asUintN(
      64,
      BigInt(inode) ^ BigInt(device.index) << DEVICE_SHIFT,
    );
  }

  /**
   * An O_PATH descriptor of it, until the next call of `makeRoom()`.
   *
   * @throws {Errno} ESTALE if it is gone.
   */
  get fd(): number {
    this.isUsed = true;
    if (this.#fd === CLOSED && this.#handle !== null) {
      this.adopt(checked(openHandle(this.#device.mount, this.#handle)));
    }
    return this.#fd;
  }

  /** Whether direct writes to it may have any length and offset. */
  get takesUnaligned(): boolean {
    return this.#device.takesUnaligned;
  }

  /** Whether it has a descriptor now. */
  get isHeld(): boolean {
    return this.#fd !== CLOSED;
  }

  /** Takes over a descriptor of the same file. */
  adopt(fd: number): void {
    this.#fd = fd;
    this.#handle = null;
    this.#nodes.held.add(this);
  }

  /** Whether a descriptor is of the same file, although this one has none. */
  isFileOf(fd: number): boolean {
    const handle = fileHandle(fd);
    return handle !== null && this.#handle !== null &&
      isSameHandle(handle, this.#handle);
  }

  /**
   * Lets its descriptor go, if a handle can hold it.
   *
   * @returns Whether it did.
   */
  park(): boolean {
    // Handles do not lead to files without a name.
    const isNeeded = this.opens > 0 || this.created !== CLOSED ||
      this.#device.mount === CLOSED ||
      readStatus(this.#fd, NO_NAME) < 0 || statusLinks() === 0;
    const handle = isNeeded ? null : fileHandle(this.#fd);
    if (handle === null) return false;
    this.#handle = handle;
    closeDescriptor(this.#fd);
    this.#fd = CLOSED;
    return true;
  }

  /** Forgets the file, and closes its descriptors. */
  close(): void {
    const { byInode } = this.#device;
    if (byInode.get(this.#inode) === this) byInode.delete(this.#inode);
    this.#nodes.held.delete(this);
    for (const fd of [this.#fd, this.created]) {
      if (fd !== CLOSED) closeDescriptor(fd);
    }
    this.#fd = CLOSED;
    this.created = CLOSED;
    this.#handle = null;
  }
}

/** The nodes of a mirror. */
export class MirrorNodes {
  /** Nodes with a descriptor, those that were passed over longest ago first. */
  readonly held: Set<MirrorNode> = new Set();
  readonly #max: number;
  readonly #mayOpenHandles: boolean;
  readonly #devices: Map<number, Device> = new Map();

  /**
   * Makes an empty table.
   *
   * @param max How many nodes may have descriptors before some are let go.
   */
  constructor(max: number) {
    this.#max = max;
    this.#mayOpenHandles = hasCapability("DAC_READ_SEARCH");
  }

  /** The node of a file, if its descriptor says that it is in use. */
  find(device: number, inode: number | bigint): MirrorNode | undefined {
    const node = this.#devices.get(device)?.byInode.get(inode);
    return node?.isHeld ? node : undefined;
  }

  /**
   * The node of a file.
   *
   * @param fd An O_PATH descriptor of it, which is closed or taken over.
   */
  nodeOf(device: number, inode: number | bigint, fd: number): MirrorNode {
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
  makeRoom(): void {
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
  close(): void {
    for (const { byInode, mount } of this.#devices.values()) {
      for (const node of [...byInode.values()]) node.close();
      if (mount !== CLOSED) closeDescriptor(mount);
    }
  }

  #addDevice(number: number, fd: number): Device {
    const isDirectory = readStatus(fd, NO_NAME) === 0 &&
      (statusMode() & S_IF.MT) === S_IF.DIR;
    const flags = OPEN.RDONLY | OPEN.DIRECTORY | OPEN.CLOEXEC;
    const mount = isDirectory ? libc().openat(fd, DOT, flags, 0) : CLOSED;
    const index = this.#devices.size;
    const device = {
      index,
      byInode: new Map(),
      takesUnaligned: takesUnaligned(fd),
      mount: Math.max(mount, CLOSED),
    };
    this.#devices.set(number, device);
    return device;
  }
}
