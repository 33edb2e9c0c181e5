import { assert, assertEquals } from "@std/assert";
import { ExportProcess, mountTest, must } from "./_harness.ts";

const CLIENT = new URL("_direct_client.py", import.meta.url).pathname;
const BLOCK = "a".repeat(4096);

/** What a direct write, and then a short one without O_DIRECT, have done. */
interface Written {
  readonly text: string;
  /** The name of the error of the short write; empty if it succeeded. */
  readonly error: string;
  /** How many of the two were requests. */
  readonly requests: number;
  readonly isPassed: boolean;
}

/** Writes both to a mirror of a directory. */
async function write(
  parent: string,
  mountpoint: string,
  ...options: readonly string[]
): Promise<Written> {
  const host = await Deno.makeTempDir({ dir: parent, prefix: "mqfuse_" });
  try {
    await using process = await ExportProcess.start(
      [...options, `mirror:${host}`, mountpoint],
      { command: "mount" },
    );
    const error = await must("python3", CLIENT, `${mountpoint}/file`);
    await process.stop();
    const { kind } = process.ready.passthrough as { kind: string };
    return {
      text: await Deno.readTextFile(`${host}/file`),
      error,
      requests: process.totals[0]!.writes,
      isPassed: kind === "on",
    };
  } finally {
    await Deno.remove(host, { recursive: true });
  }
}

for (const [medium, parent] of [["disk", "/var/tmp"], ["tmpfs", "/dev/shm"]]) {
  mountTest(
    `direct writes to a mirror of a ${medium} may end with a short one`,
    async (mountpoint) => {
      const type = await must("stat", "-f", "-c", "%T", parent!);
      const written = await write(parent!, mountpoint);
      const isKernels = written.isPassed && type === "tmpfs";
      const { text, error, requests } = written;
      assertEquals([text, error], [`${BLOCK}end`, ""]);
      assertEquals(requests, isKernels ? 0 : 2);
    },
    ["python3"],
  );
}

mountTest(
  "direct writes to a mirror are the kernel's everywhere if it is told so, which may refuse a short one",
  async (mountpoint) => {
    const option = "--direct-writes=kernel";
    const { text, error, requests, isPassed } = await write(
      "/var/tmp",
      mountpoint,
      option,
    );
    assertEquals(requests, isPassed ? 0 : 2);
    if (isPassed) assert(error === "" || error === "EINVAL", error);
    assertEquals(text, error === "" ? `${BLOCK}end` : BLOCK);
  },
  ["python3"],
);
