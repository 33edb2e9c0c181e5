/**
 * What is wrong with an image, to QEMU and to this program.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { checkImage } from "../../src/backends/check_image.ts";
import { driverServices } from "../../src/session/driver_services.ts";
import type { QemuTools } from "./tools.ts";

/** How many faults there are of each kind. */
export interface Verdict {
  readonly corruptions: number;
  readonly leaks: number;
}

/**
 * Checks an image that no process uses by both programs, which must find the
 * same numbers of faults.
 *
 * @param image The name of a qcow2 image in a directory.
 */
export async function verdictOn(
  tools: QemuTools,
  directory: string,
  image: string,
): Promise<Verdict> {
  const args = ["check", "-f", "qcow2", "--output=json", image];
  const { code, output } = await tools.run(directory, "qemu-img", ...args);
  assert(
    [0, 2, 3].includes(code),
    `qemu-img check ended with ${code}: ${output}`,
  );
  // QEMU 11 has warnings after its JSON.
  const json = /^\{$.*?^\}$/ms.exec(output)?.[0] ?? "{}";
  const { corruptions = 0, leaks = 0 } = JSON.parse(json);
  const source = `qcow2:${directory}/${image}`;
  const { after } = await checkImage(source, null, driverServices({}));
  const ours = { corruptions: after.corruptions, leaks: after.leaks };
  assertEquals(ours, { corruptions, leaks }, `the check of ${image}`);
  return ours;
}
