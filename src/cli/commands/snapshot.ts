import type { SnapshotAction } from "../../backends/formats/qcow2/snapshots/change_snapshots.ts";
import { listSnapshots, snapshotImage } from "../../backends/snapshot_image.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import {
  readSnapshotWords,
  SNAPSHOT_ACTIONS,
} from "../arguments/snapshot_words.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import type { Output } from "../output/output.ts";
import { snapshotLines } from "../output/snapshot_lines.ts";

const USAGE = "usage: snapshot [OPTIONS] IMAGE create|list|apply|delete [NAME]";
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
    "'create' keeps the disk as it is now, within the image; 'apply' makes the disk what it was at a snapshot, and what was written since is lost; 'delete' gives the space of a snapshot back; 'list' prints all of them. The image must not be in use, except for 'list'; it is locked. 'ctl PATH snapshot' does the same, except for 'apply', while the image is exported. If the program is killed, the image is as it was, or as it is to be",
  operands: {
    IMAGE: "qcow2:PATH",
    ACTION: "create, list, apply or delete",
    NAME: "the name of a new snapshot; the id or name of another one",
  },
  words: { ACTION: SNAPSHOT_ACTIONS },
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
  const [image, ...words] = operands;
  if (image === undefined || words.length === 0) {
    throw new UsageError(
      `Cannot change snapshots without IMAGE and ACTION; ${USAGE}`,
    );
  }
  const wanted = readSnapshotWords(words, USAGE);
  const services = driverServices({
    insecurePath: flags.has("insecure-path"),
    tell: (text) => output.notice(text),
  });
  if (wanted.action === "list") {
    const snapshots = await listSnapshots(image, services);
    if (output.json) output.event("snapshots", { image, snapshots });
    else snapshotLines(image, snapshots).forEach((line) => output.print(line));
    return EXIT.OK;
  }
  const { action, name } = wanted;
  await snapshotImage(image, action, name, Date.now(), services);
  if (output.json) output.event("snapshot", { image, action, name });
  else {output.print(
      `${DONE[action]} snapshot ${JSON.stringify(name)} of ${image}`,
    );}
  return EXIT.OK;
}
