import type { SnapshotAction } from "../../backends/formats/qcow2/snapshots/change_snapshots.ts";
import type { Snapshot } from "../../backends/formats/qcow2/snapshot_table.ts";
import { formatSize } from "../../backends/size.ts";
import { listSnapshots, snapshotImage } from "../../backends/snapshot_image.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { formatTable } from "../output/table.ts";

const USAGE = "usage: snapshot [OPTIONS] IMAGE create|list|apply|delete [NAME]";
const ACTIONS = ["create", "list", "apply", "delete"] as const;
const DONE: Readonly<Record<SnapshotAction, string>> = {
  create: "Created",
  apply: "Applied",
  delete: "Deleted",
};

/** `snapshot`: makes, lists, applies and deletes internal snapshots. */
export const SNAPSHOT: Command = {
  name: "snapshot",
  summary: "make, list, apply or delete internal snapshots of a qcow2 image",
  description:
    "'create' keeps the disk as it is now, within the image; 'apply' makes the disk what it was at a snapshot, and what was written since is lost; 'delete' gives the space of a snapshot back; 'list' prints all of them. The image must not be in use, except for 'list'; it is locked. If the program is killed, the image is as it was, or as it is to be",
  operands: {
    IMAGE: "qcow2:PATH",
    ACTION: "create, list, apply or delete",
    NAME: "the name of a new snapshot; the id or name of another one",
  },
  words: { ACTION: ACTIONS },
  options: ["insecure-path", "json"],
  examples: {
    "snapshot qcow2:disk.qcow2 create before": "keep the disk as it is now",
    "snapshot qcow2:disk.qcow2 list": "see the snapshots of an image",
    "snapshot qcow2:disk.qcow2 apply before": "go back to a snapshot",
  },
  run: runSnapshot,
};

async function runSnapshot(
  { operands, flags }: Arguments,
  output: Output,
): Promise<ExitCode> {
  const [image, word, name, more] = operands;
  if (image === undefined || word === undefined) {
    throw new UsageError(
      `Cannot change snapshots without IMAGE and ACTION; ${USAGE}`,
    );
  }
  const action = ACTIONS.find((each) => each === word);
  if (action === undefined) {
    throw new UsageError(`Unknown action ${word}; ${USAGE}`);
  }
  const extra = action === "list" ? name : more;
  if (extra !== undefined) {
    throw new UsageError(`Cannot use the operand ${extra}; ${USAGE}`);
  }
  const services = driverServices({
    insecurePath: flags.has("insecure-path"),
    tell: (text) => output.notice(text),
  });
  if (action === "list") {
    list(image, await listSnapshots(image, services), output);
    return EXIT.OK;
  }
  if (name === undefined || name === "") {
    throw new UsageError(
      `Cannot ${action} a snapshot without its NAME; ${USAGE}`,
    );
  }
  await snapshotImage(image, action, name, Date.now(), services);
  if (output.json) output.event("snapshot", { image, action, name });
  else {output.print(
      `${DONE[action]} snapshot ${JSON.stringify(name)} of ${image}`,
    );}
  return EXIT.OK;
}

function list(
  image: string,
  snapshots: readonly Snapshot[],
  output: Output,
): void {
  if (output.json) return output.event("snapshots", { image, snapshots });
  if (snapshots.length === 0) return output.print(`${image} has no snapshots`);
  const rows = snapshots.map(({ id, name, size, seconds }) => [
    id,
    formatSize(size),
    new Date(seconds * 1000).toISOString().slice(0, 19) + "Z",
    name,
  ]);
  for (const line of formatTable([["id", "disk", "made", "name"], ...rows])) {
    output.print(line);
  }
}
