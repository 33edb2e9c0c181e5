/** Workers that copy parts of images. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  type DiskRange,
  partsOf,
} from "../../../src/backends/convert/disk_part.ts";
import {
  type CopyThread,
  runParts,
} from "../../../src/backends/convert/run_parts.ts";
import { LOOK_OPTIONS } from "../../../src/backends/driver.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { CopyWorkers } from "../../../src/session/copying/copy_threads.ts";
import { driverServices } from "../../../src/session/driver_services.ts";
import { inDirectory } from "../../backends/qcow2/_qemu.ts";
import { kernelTest } from "../../requirements.ts";

const SIZE = 3 << 20;
const DIVISION = { size: SIZE, unit: 4096, partSize: 65_536 };

async function* allOf(size: number): AsyncGenerator<DiskRange, void> {
  await Promise.resolve();
  yield { start: 0, end: size };
}

/** Lets a function copy a file of random bytes to another one by Workers. */
async function copying(
  body: (
    threads: CopyThread[],
    run: () => Promise<void>,
    paths: { readonly from: string; readonly to: string },
  ) => Promise<void>,
): Promise<void> {
  await inDirectory(async (directory) => {
    const paths = { from: `${directory}/from`, to: `${directory}/to` };
    const bytes = new Uint8Array(SIZE);
    for (let at = 0; at < SIZE; at += 65_536) {
      crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    }
    await Deno.writeFile(paths.from, bytes);
    const services = driverServices({});
    const source = await openImage(paths.from, LOOK_OPTIONS, services);
    const created = services.files.create(paths.to);
    const workers = new CopyWorkers(2);
    try {
      assertEquals(created.file.ftruncate(SIZE), 0);
      const threads = workers.begin({
        source: source.attachment!,
        below: null,
        target: { kind: "raw" },
        file: { fd: created.file.fd, name: paths.to },
      }, Promise.resolve());
      const parts = partsOf(allOf(SIZE), DIVISION);
      const run = () =>
        runParts(parts, threads, {
          signal: new AbortController().signal,
          copied: () => Promise.resolve(),
        });
      await body(threads, run, paths);
    } finally {
      workers.terminate();
      created.close();
      await source.close();
    }
  });
}

kernelTest(
  "Workers copy all parts between them",
  () =>
    copying(async (threads, run, { from, to }) => {
      // Else the first that is ready might copy all.
      await Promise.all(threads.map(({ ready }) => ready));
      await run();
      for (const thread of threads) await thread.end();
      assertEquals(await Deno.readFile(to), await Deno.readFile(from));
    }),
);

kernelTest(
  "a part that a Worker cannot read is an error that says so",
  () =>
    copying(async (threads, run, { from }) => {
      await Promise.all(threads.map(({ ready }) => ready));
      await Deno.truncate(from, SIZE / 2);
      await assertRejects(run, UserError, "Cannot read");
      for (const thread of threads) await thread.end();
    }),
);

kernelTest(
  "Workers that are not ready yet can be left alone",
  () =>
    copying(async (threads) => {
      for (const thread of threads) await thread.end();
    }),
);
