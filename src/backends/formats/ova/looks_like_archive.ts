import { UserError } from "../../../base/user_error.ts";
import type { Backend } from "../../backend.ts";
import type { KnownFormat } from "../known_formats.ts";
import { isDescriptor, readDisks } from "./read_disks.ts";
import { isHeader, tarMembers } from "./tar_members.ts";

/** Members before the descriptor, which has to be the first (DSP0243, 6.1). */
const MEMBERS_MAX = 16;

const TAR: KnownFormat = {
  name: "tar",
  prefix: null,
  kind: "a tar archive",
  advice: "take the disk out of it with 'tar -xf'",
};

/**
 * Whether a file is a tar archive, and that of a virtual machine.
 *
 * @param file The file.
 * @param start Its first bytes.
 * @returns `null` if it is none.
 */
export async function looksLikeArchive(
  file: Backend,
  start: Uint8Array,
): Promise<KnownFormat | null> {
  if (start.length < 512 || !isHeader(start.subarray(0, 512))) return null;
  try {
    const first = await tarMembers(file, "", MEMBERS_MAX);
    if (!first.some(isDescriptor)) return TAR;
    const disks = await readDisks(file, "");
    const suffix = disks.length > 1 ? { suffix: "#1" } : {};
    return { name: "OVA", prefix: "ova:", ...suffix };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // It is damaged, which the driver says better.
    return { name: "OVA", prefix: "ova:" };
  }
}
