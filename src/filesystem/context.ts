import { Errno, type ErrnoName } from "../base/errno.ts";
import { type BackingFiles, BackingTable } from "./backing_files.ts";
import type { DirectoryStream } from "./directory_stream.ts";
import type { FileSystem } from "./file_system.ts";
import { HandleTable } from "./handle_table.ts";
import { NodeTable } from "./node_table.ts";
import type { CacheRules } from "./options.ts";

/** The methods that change something. */
const CHANGING = [
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
  "removexattr",
] as const satisfies readonly (keyof FileSystem<object>)[];

/**
 * Whether a file system has no method that changes anything.
 *
 * @category Writing a file system
 */
export function isReadOnly<N extends object, H>(
  fs: FileSystem<N, H>,
): boolean {
  return CHANGING.every((method) => fs[method] === undefined);
}

/**
 * What a session offers to the file system that it serves.
 *
 * @category Without mountFileSystem
 */
export interface ContextServices {
  /**
   * Whether POSIX_ACL is requested: the kernel enforces access control lists, so
   * that programs may read and set them. No if left out.
   */
  readonly enforcesAcls?: boolean;
  /**
   * Whether DONT_MASK is requested: modes come as programs give them, and the
   * umask as that of the caller. No if left out.
   */
  readonly leavesUmask?: boolean;
  /** The supplementary groups of a thread; none if left out. */
  readonly groupsOf?: (pid: number) => readonly number[];
  /** Wakes programs that poll(2) a file, by the number that came with POLL. */
  readonly wakePoll?: (kh: bigint) => void;
  /** Makes the kernel read and write files by itself; not if left out. */
  readonly backingFiles?: BackingFiles | null;
  /**
   * Makes the kernel ask for the attributes of a node again, which has lost
   * set-user-ID or set-group-ID: given where HANDLE_KILLPRIV_V2 is requested, with
   * which the kernel does not take them away itself.
   */
  readonly privilegesKilled?: (nodeid: number) => void;
}

/** What the operations of one file system share. */
export class FileSystemContext<N extends object, H> {
  readonly fs: FileSystem<N, H>;
  readonly rules: CacheRules<N>;
  readonly nodes: NodeTable<N>;
  readonly handles: HandleTable<H> = new HandleTable();
  readonly streams: HandleTable<DirectoryStream<N>> = new HandleTable();
  /** `null` if requests carry all data. */
  readonly backing: BackingTable<N> | null;
  /** As that of {@linkcode ContextServices}. */
  readonly enforcesAcls: boolean;
  /** As that of {@linkcode ContextServices}. */
  readonly privilegesKilled: ((nodeid: number) => void) | null;
  readonly isReadOnly: boolean;
  /** As {@linkcode ContextServices.groupsOf}. */
  readonly groupsOf: (pid: number) => readonly number[];
  /** As {@linkcode ContextServices.wakePoll}. */
  readonly wakePoll: (kh: bigint) => void;
  /**
   * Sent with each node id. An NFS client that kept an id of an earlier session
   * must not reach another node.
   */
  readonly generation: bigint;

  /** Makes the state of a file system that is not in use yet. */
  constructor(
    fs: FileSystem<N, H>,
    rules: CacheRules<N>,
    {
      backingFiles = null,
      enforcesAcls = false,
      privilegesKilled,
      groupsOf = () => [],
      wakePoll = () => {},
    }: ContextServices,
  ) {
    this.fs = fs;
    this.rules = rules;
    this.nodes = new NodeTable(fs.root);
    this.backing = backingFiles === null || fs.backing === undefined
      ? null
      : new BackingTable(backingFiles);
    this.enforcesAcls = enforcesAcls;
    this.privilegesKilled = privilegesKilled ?? null;
    this.isReadOnly = isReadOnly(fs);
    this.groupsOf = groupsOf;
    this.wakePoll = wakePoll;
    this.generation = BigInt.asUintN(64, rules.now());
  }

  /** The error for a method that changes something and is left out. */
  refusal(otherwise: ErrnoName): Errno {
    return new Errno(this.isReadOnly ? "EROFS" : otherwise);
  }
}
