/**
 * Set-id bits: a change of the contents clears them, unless the process has
 * CAP_FSETID. The kernel says in the request whether they have to be cleared.
 *
 * @module
 */
import { S_IS } from "../base/file_flags.ts";
import type { ExportState } from "./export_state.ts";

const GROUP_EXEC = 0o010;

/**
 * Clears the bits that a change by a process without CAP_FSETID clears, as
 * setattr_should_drop_suidgid() in the kernel's fs/attr.c does.
 *
 * @param state The state of the export.
 * @param gid The group id of the process: that of the request. The kernel also
 * looks at its other groups, which a request does not have.
 */
export function dropSetIds(state: ExportState, gid: number): void {
  const { mode } = state;
  const keepsGroup = (mode & GROUP_EXEC) === 0 && gid === state.gid;
  const lost = mode & (keepsGroup ? S_IS.UID : S_IS.UID | S_IS.GID);
  if (lost === 0) return;
  state.clearModeBits(lost);
  state.changed();
}
