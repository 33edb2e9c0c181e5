import { changeOffline, qcow2FileOf } from "./change_offline.ts";
import { LOOK_OPTIONS } from "./driver.ts";
import {
  changeSnapshots,
  type SnapshotAction,
} from "./formats/qcow2/snapshots/change_snapshots.ts";
import { readHeader } from "./formats/qcow2/read_header.ts";
import {
  readSnapshots,
  type Snapshot,
} from "./formats/qcow2/snapshot_table.ts";
import { openImage } from "./open_image.ts";
import { FILE } from "./protocols/file/driver.ts";
import type { DriverServices } from "./services.ts";

/**
 * Makes, applies or deletes an internal snapshot of an image that no program
 * uses; it is locked.
 *
 * @param text The source of the image, as users write it.
 * @param snapshot The name of a new snapshot; the id or name of another one.
 * @param timeMs The time of a new one, in milliseconds since 1970.
 * @throws {UserError} If it cannot be done; the image is as before then.
 */
export async function snapshotImage(
  text: string,
  action: SnapshotAction,
  snapshot: string,
  timeMs: number,
  services: DriverServices,
): Promise<void> {
  await changeOffline(
    qcow2FileOf(text, "change the snapshots of"),
    services,
    async ({ backend, name }) => {
      await changeSnapshots(backend, name, action, snapshot, timeMs);
    },
  );
}

/**
 * Lists the internal snapshots of an image, which others may use.
 *
 * @throws {UserError} If it cannot be read.
 */
export async function listSnapshots(
  text: string,
  services: DriverServices,
): Promise<readonly Snapshot[]> {
  const source = qcow2FileOf(text, "list the snapshots of");
  const image = await openImage(
    { driver: FILE, source },
    LOOK_OPTIONS,
    services,
  );
  try {
    const { backend, name } = image;
    return await readSnapshots(backend, await readHeader(backend, name), name);
  } finally {
    await image.close();
  }
}
