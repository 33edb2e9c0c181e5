import type { Backend } from "../../backend.ts";
import { readExactly } from "../../read_fully.ts";
import { ovfDisks } from "./ovf_disks.ts";
import { refusal } from "./refusal.ts";
import { type TarMember, tarMembers } from "./tar_members.ts";

/** Bytes of an OVF descriptor. */
const OVF_MAX = 4 << 20;

/** Whether a member is the descriptor of a virtual machine. */
export function isDescriptor({ path }: TarMember): boolean {
  return /\.ovf$/i.test(path);
}

/**
 * The disks of an archive, in the order of its OVF descriptor.
 *
 * @param file The archive.
 * @param name Its name in errors.
 * @throws {UserError} If it is no archive, or has no descriptor that makes sense.
 */
export async function readDisks(
  file: Backend,
  name: string,
): Promise<TarMember[]> {
  const members = await tarMembers(file, name);
  const ovf = members.find(isDescriptor);
  if (ovf === undefined) {
    const advice = "take the disk out of it with 'tar -xf'";
    throw refusal(name, "it has no OVF descriptor", advice);
  }
  if (ovf.size > OVF_MAX) throw refusal(name, "its OVF descriptor is too long");
  const bytes = await readExactly(file, ovf.offset, ovf.size);
  if (bytes === null) throw refusal(name, "its OVF descriptor cannot be read");
  return ovfDisks(new TextDecoder().decode(bytes), members);
}
