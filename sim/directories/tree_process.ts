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
import type { SimTree } from "./sim_tree.ts";

const ANY_EXEC = 0o111;

/** What system calls of one program need to know of it. */
export class TreeProcess {
  /** The mount that it uses. */
  readonly tree: SimTree;
  /** Who it is. */
  readonly credentials: Credentials;
  /** Stands for it in locks. */
  readonly lockOwner: bigint;
  /** The signals that it gets. */
  readonly signals: Signals = new Signals();
  /** Held while it waits in io_submit(2). */
  readonly submission: InodeLock = new InodeLock();
  /** Permissions that what it makes does not get: umask(2). */
  umask = 0o022;

  /** Starts a program. */
  constructor(tree: SimTree, credentials: Credentials) {
    this.tree = tree;
    this.credentials = credentials;
    this.lockOwner = 0x9e37_79b9_7f4a_7c15n ^ BigInt(credentials.pid);
  }

  /** A node, as the calls on single files want it. */
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

  /** Asks the server for something about a node. */
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
   * Refuses what must not be done with a node: `inode_permission()`.
   *
   * @param node What is to be used.
   * @param call The system call.
   * @param wanted Bits of `MAY`.
   * @param isAccess Whether access(2) or chdir(2) asks.
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
    //= fs/fuse/dir.c fuse_permission(): otherwise the server decides as each
    //= request comes, and is asked beforehand by access(2) alone.
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
    //= fs/fuse/dir.c fuse_access(): ENOSYS allows everything, for ever.
    if (errno === ERRNO.ENOSYS) unsupported.add("ACCESS");
    else if (errno !== 0) throw new SimError(call, errno);
  }
}
