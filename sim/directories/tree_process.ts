import { ERRNO } from "../../src/base/errno.ts";
import { S_IF, STATX } from "../../src/base/file_flags.ts";
import type { RequestParts } from "../../src/protocol/message.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import {
  type Credentials,
  Signals,
  type SimAnswer,
  SimError,
} from "../kernel/call.ts";
import { type CallContext, fetchAttributes } from "../vfs/getattr.ts";
import { InodeLock } from "../vfs/locks.ts";
import { MAY, requireAccess, requirePermission } from "../vfs/permission.ts";
import type { TreeNode } from "./dcache.ts";
import { ask } from "./name_requests.ts";
import type { Superblock } from "./superblock.ts";

const ANY_EXEC = 0o111;

/**
 * A process that uses a tree.
 *
 * @category Directories
 */
export class TreeProcess {
  /** The mount. */
  readonly tree: Superblock;
  /** The ids of the process. */
  readonly credentials: Credentials;
  /** Identifies the process in file locks. */
  readonly lockOwner: bigint;
  /** Delivers signals to the process. */
  readonly signals: Signals = new Signals();
  /** Held during an io_submit(2) that waits for its requests. */
  readonly submission: InodeLock = new InodeLock();
  /** umask(2): mode bits that new files do not get. */
  umask = 0o022;

  /** Starts a process. */
  constructor(tree: Superblock, credentials: Credentials) {
    this.tree = tree;
    this.credentials = credentials;
    this.lockOwner = 0x9e37_79b9_7f4a_7c15n ^ BigInt(credentials.pid);
  }

  /** The context of a system call on a node. */
  at(node: TreeNode): CallContext {
    const { tree, credentials, signals, lockOwner } = this;
    return {
      caller: node,
      inode: node.inode,
      credentials,
      signals,
      lockOwner,
      readOnly: tree.readOnly,
      allowOther: tree.allowOther,
      defaultPermissions: tree.defaultPermissions,
    };
  }

  /** Sends a request about a node. */
  ask<N extends OpcodeName>(
    node: TreeNode,
    opcode: N,
    parts: RequestParts<N> = {},
    replyMax?: number,
  ): Promise<SimAnswer> {
    const { credentials, signals } = this;
    const how = { credentials, signals };
    const { protocolVersion } = this.tree;
    const room = replyMax === undefined ? {} : { replyMax };
    return ask(node, protocolVersion, opcode, parts, { ...how, ...room });
  }

  /**
   * Fails unless the process has permissions on a node: `inode_permission()`.
   *
   * @param node The node.
   * @param call The name of the system call.
   * @param wanted Bits of `MAY`.
   * @param isAccess Whether the call is access(2) or chdir(2).
   */
  async requirePermission(
    node: TreeNode,
    call: string,
    wanted: number,
    isAccess: boolean = false,
  ): Promise<void> {
    if (node.bad) throw new SimError(call, ERRNO.EIO);
    const context = this.at(node);
    if (this.tree.defaultPermissions) {
      return await requirePermission(context, call, wanted);
    }
    if ((wanted & MAY.WRITE) !== 0 && this.tree.readOnly) {
      throw new SimError(call, ERRNO.EROFS);
    }
    requireAccess(context, call);
    //= fs/fuse/dir.c fuse_permission(): without default_permissions the server
    //= checks each request; only access(2) sends ACCESS.
    const runs = (wanted & MAY.EXEC) !== 0 && node.type === S_IF.REG;
    const mask = STATX.MODE | STATX.UID | STATX.GID;
    if (runs && !node.inode.isValid(mask)) await fetchAttributes(context, call);
    if (isAccess) return await this.#access(node, call, wanted);
    if (runs && (node.inode.stat.mode & ANY_EXEC) === 0) {
      throw new SimError(call, ERRNO.EACCES);
    }
  }

  async #access(node: TreeNode, call: string, mask: number): Promise<void> {
    const { unsupported } = this.tree;
    if (unsupported.has("ACCESS")) return;
    const { errno } = await this.ask(node, "ACCESS", { body: { mask } });
    //= fs/fuse/dir.c fuse_access(): ENOSYS permits everything and is
    //= remembered.
    if (errno === ERRNO.ENOSYS) unsupported.add("ACCESS");
    else if (errno !== 0) throw new SimError(call, errno);
  }
}
