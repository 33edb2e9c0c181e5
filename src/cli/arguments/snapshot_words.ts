import type { SnapshotAction } from "../../backends/formats/qcow2/snapshots/change_snapshots.ts";
import { UsageError } from "./options.ts";

/** What can be done with snapshots. */
export const SNAPSHOT_ACTIONS = ["create", "list", "apply", "delete"] as const;

/** What is to be done, and to which snapshot. */
export type SnapshotWords =
  | { readonly action: "list" }
  | { readonly action: SnapshotAction; readonly name: string };

/**
 * Reads `create NAME`, `list`, `apply NAME` or `delete NAME`.
 *
 * @param words These words, of which there is at least one.
 * @param usage The usage of the command, for errors.
 * @throws {UsageError} If they are something else.
 */
export function readSnapshotWords(
  [word, name, more]: readonly string[],
  usage: string,
): SnapshotWords {
  const action = SNAPSHOT_ACTIONS.find((each) => each === word);
  if (action === undefined) {
    throw new UsageError(`Unknown action ${word}; ${usage}`);
  }
  const extra = action === "list" ? name : more;
  if (extra !== undefined) {
    throw new UsageError(`Cannot use the operand ${extra}; ${usage}`);
  }
  if (action === "list") return { action };
  if (name === undefined || name === "") {
    throw new UsageError(
      `Cannot ${action} a snapshot without its NAME; ${usage}`,
    );
  }
  return { action, name };
}
