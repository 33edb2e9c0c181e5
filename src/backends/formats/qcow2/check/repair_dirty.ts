import { UserError } from "../../../../base/user_error.ts";
import type { Backend } from "../../../backend.ts";
import type { Qcow2Header } from "../header.ts";
import { readHeader } from "../read_header.ts";
import { repairQcow2 } from "./check_qcow2.ts";

/**
 * Repairs an image whose dirty bit is set, because who wrote it has crashed: its
 * refcounts may be too low. They are made to agree with its tables before the
 * bit is cleared, as QEMU does when it opens such an image.
 *
 * @param tell Receives a sentence about it.
 * @returns The header as it is now.
 * @throws {UserError} If there is damage besides, or the file cannot be written.
 */
export async function repairDirty(
  file: Backend,
  name: string,
  tell: (text: string) => void,
): Promise<Qcow2Header> {
  const { before, after } = await repairQcow2(file, name, "all");
  const [damage] = after.damage;
  if (damage !== undefined) {
    throw new UserError(
      `Cannot write to ${name}: it was not closed, and repairing its refcounts left damage (${damage.first}); export it read-only, or see 'check'`,
    );
  }
  tell(
    `Repaired ${name}, which was not closed: ${before.corruptions} refcounts and flags were wrong, ${before.leaks} clusters were lost`,
  );
  return await readHeader(file, name);
}
