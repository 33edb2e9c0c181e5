/**
 * The command `snapshot` of the control socket.
 *
 * @module
 */
import type { ImageSnapshot } from "../../backends/image_snapshots.ts";
import { UserError } from "../../base/user_error.ts";
import {
  SNAPSHOT_ACTIONS,
  type SnapshotWords,
} from "../arguments/snapshot_words.ts";
import type { Controlled } from "./controlled.ts";

/** The command with its arguments. */
export type SnapshotRequest = { readonly command: "snapshot" } & SnapshotWords;

/**
 * Reads the arguments of the command.
 *
 * @throws {UserError} If there is no such action, or it has no name.
 */
export function readSnapshotRequest(
  { action, name }: Readonly<Record<string, unknown>>,
): SnapshotRequest {
  const known = SNAPSHOT_ACTIONS.find((each) => each === action);
  if (known === undefined) {
    throw new UserError(
      `Cannot change snapshots: expected one of the actions ${
        SNAPSHOT_ACTIONS.join(", ")
      }`,
    );
  }
  if (known === "list") return { command: "snapshot", action: known };
  if (typeof name === "string" && name !== "") {
    return { command: "snapshot", action: known, name };
  }
  throw new UserError(
    `Cannot ${known} a snapshot without its name: expected {"name": ...}`,
  );
}

/**
 * Carries the command out.
 *
 * @returns What the reply says.
 * @throws {UserError} If it cannot be done.
 */
export async function answerSnapshot(
  request: SnapshotRequest,
  session: Controlled,
): Promise<{ readonly snapshots?: readonly ImageSnapshot[] }> {
  switch (request.action) {
    case "list": {
      const snapshots = await session.listSnapshots();
      return {
        snapshots: snapshots.map(({ id, name, size, seconds }) => {
          return { id, name, size, seconds };
        }),
      };
    }
    case "create":
      await session.createSnapshot(request.name);
      return {};
    case "delete":
      await session.deleteSnapshot(request.name);
      return {};
    case "apply":
      throw new UserError(notWhileExported(request.name, session));
  }
}

function notWhileExported(
  snapshot: string,
  { source, mountpoint }: Controlled,
): string {
  const what = `Cannot apply snapshot ${JSON.stringify(snapshot)} of ${source}`;
  const why =
    `programs and file systems that use ${mountpoint} would go on with what they have read of the disk before`;
  return `${what} while it is exported: ${why}; stop the export and use 'snapshot', or export the snapshot itself with --snapshot`;
}
