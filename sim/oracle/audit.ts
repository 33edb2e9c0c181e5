import { ERRNO } from "../../src/base/errno.ts";
import { CheckedFile } from "./checked_file.ts";
import { SimClient, type SimMount } from "../vfs/client.ts";
import type { DiskModel } from "./model.ts";
import { SimError } from "../kernel/sim_error.ts";

const CHUNK = 65536;
const AUDITOR = { uid: 0, gid: 0, pid: 999 };

/**
 * Reads a whole disk, while nobody else uses it, and compares its size and
 * every byte with a model.
 */
export async function auditDisk(
  mount: SimMount,
  model: DiskModel,
): Promise<void> {
  const client = new SimClient(mount, AUDITOR);
  const file = await client.open();
  const checked = new CheckedFile(file, model);
  // A read puts the attributes in doubt, so that the server is asked.
  await checked.pread(new Uint8Array(1), 0);
  const { size } = await client.stat();
  model.sawSize(size);
  for (let at = 0; at < size; at += CHUNK) {
    const count = await checked.pread(new Uint8Array(CHUNK), at);
    if (count !== Math.min(CHUNK, size - at)) {
      throw new SimError("read the whole disk", ERRNO.EIO);
    }
  }
  await file.close();
}
