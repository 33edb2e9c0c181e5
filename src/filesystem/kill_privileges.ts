/**
 * Set-user-ID and set-group-ID, which a file loses when another user than root
 * writes to it. With HANDLE_KILLPRIV_V2 the kernel leaves that to the server,
 * and need not ask for `security.capability` before each write.
 *
 * @module
 */
import { S_IS } from "../base/file_flags.ts";
import { andThen } from "./answer.ts";
import type { Changes } from "./attr.ts";
import type { FileSystemContext } from "./context.ts";
import type { Caller, May } from "./file_system.ts";

const GROUP_EXECUTE = 0o010;

/** The mode without them: setattr_should_drop_suidgid() of fs/attr.c. */
export function unprivilegedMode(mode: number): number {
  const isGroup = (mode & GROUP_EXECUTE) !== 0;
  return mode & ~(isGroup ? S_IS.UID | S_IS.GID : S_IS.UID);
}

/** Takes them away before a file is changed. */
export function killPrivileges<N extends object, H>(
  { fs, nodes, privilegesKilled }: FileSystemContext<N, H>,
  node: N,
  caller: Caller,
): May<unknown> {
  return andThen(fs.getattr(node, caller), ({ mode }) => {
    const rest = unprivilegedMode(mode);
    if (rest === mode) return;
    const changes: Changes = { mode: rest, ctime: caller.time };
    return andThen(fs.setattr?.(node, changes, caller), () => {
      privilegesKilled?.(nodes.idOf(node));
    });
  });
}
