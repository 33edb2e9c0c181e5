/**
 * Each fsync on an export gives what it gives on the device itself, whichever
 * process wrote, closed or asked before.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ExportProcess, within } from "../mount/_harness.ts";
import { withSetting } from "../mount/_uring.ts";
import {
  GOOD_SIZE,
  LOST_FROM,
  makeFailingDevice,
  withoutWriteback,
} from "./_failing_device.ts";
import { emptyFile, torture } from "./_harness.ts";
import { HISTORIES } from "./_histories.ts";
import { amount, isFull, tell } from "./_scale.ts";

/** Seconds for the histories of one export. */
const LIMIT_S = isFull ? 1800 : 150;

/** Plays histories on an export and on a device of its own. */
async function play(
  directory: string,
  options: readonly string[],
  seed: number,
  count: number,
): Promise<void> {
  await using device = await makeFailingDevice(directory, "a");
  await using exported = await makeFailingDevice(directory, "b");
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  const args = ["-w", ...options, exported.path, mountpoint];
  await using process = await ExportProcess.start(args, { lifeS: LIMIT_S });
  const numbers = [seed, count, GOOD_SIZE, LOST_FROM].map(String);
  const client = new Deno.Command("timeout", {
    args: [
      ...["-k", "2", `${LIMIT_S}`, "python3", "-c", HISTORIES],
      ...[device.path, mountpoint, ...numbers],
    ],
    stdin: "null",
  });
  const { code, stdout, stderr } = await client.output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout).trim();
  const how = `${options.join(" ")}, seed ${seed}`;
  assertEquals(code, 0, `${how}: ${text}${decoder.decode(stderr)}`);
  assert(Number(/, (\d+) failed/.exec(text)?.[1]) >= count / 2, text);
  tell(`${how}: ${text}`);
  process.signal("SIGTERM");
  await within(process.ended, "ending");
}

for (const transport of ["device", "uring"]) {
  torture(
    `fsync tells what it tells on the device itself, over ${transport}`,
    async (directory) => {
      const setting = transport === "uring" ? "Y" : "N";
      const options = [`--transport=${transport}`];
      await withSetting(setting, () =>
        withoutWriteback(async () => {
          for (const queues of isFull ? [1, 2, 4] : [2]) {
            const all = [...options, `-q${queues}`];
            const part = await Deno.makeTempDir({ dir: directory });
            await play(part, all, queues, amount(15, 200));
          }
        }));
    },
    { programs: ["mount", "python3"], limitS: LIMIT_S },
  );
}
