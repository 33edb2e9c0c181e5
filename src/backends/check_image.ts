import { UserError } from "../base/user_error.ts";
import { checkQcow2, repairQcow2 } from "./formats/qcow2/check/check_qcow2.ts";
import type { CheckReport } from "./formats/qcow2/check/check_report.ts";
import type { RepairChoice } from "./formats/qcow2/check/check_qcow2.ts";
import { LOOK_OPTIONS } from "./driver.ts";
import { FILE } from "./protocols/file/driver.ts";
import { QCOW2, type Qcow2Source } from "./formats/qcow2/driver.ts";
import { openImage } from "./open_image.ts";
import { parseSource } from "./registry.ts";
import type { DriverServices } from "./services.ts";

/** What a check has found. */
export interface CheckedState {
  /** Before anything was repaired. */
  readonly before: CheckReport;
  /** As it is now. */
  readonly after: CheckReport;
}

/**
 * Checks the tables of an image, and repairs them if that is wanted. The image
 * must not be in use meanwhile; it is locked.
 *
 * @param text The source, as users write it.
 * @param repair What is repaired; `null` for nothing.
 * @param services The services of this thread.
 * @throws {UserError} If it cannot be checked.
 */
export async function checkImage(
  text: string,
  repair: RepairChoice | null,
  services: DriverServices,
): Promise<CheckedState> {
  const { driver, source } = parseSource(text);
  if (driver !== QCOW2) {
    throw new UserError(
      `Cannot check ${text}: only qcow2 images have tables to check; name one as qcow2:PATH`,
    );
  }
  const { file: path } = source as Qcow2Source;
  const options = { ...LOOK_OPTIONS, lock: true, writable: repair !== null };
  const image = await openImage(
    { driver: FILE, source: path },
    options,
    services,
  );
  try {
    const { backend, name } = image;
    if (repair !== null) return await repairQcow2(backend, name, repair);
    const report = await checkQcow2(backend, name);
    return { before: report, after: report };
  } finally {
    await image.close();
  }
}
