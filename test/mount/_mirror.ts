/**
 * Mirrors that are mounted by processes of their own, for tests.
 *
 * @module
 */
import { ExportProcess, mountTest } from "./_harness.ts";

/** A mounted mirror. */
export interface Mirrored {
  readonly process: ExportProcess;
  /** The directory that it shows. */
  readonly host: string;
  readonly mountpoint: string;
}

/** Registers a test of a mirror that is mounted by a process of its own. */
export function mirrorTest(
  name: string,
  body: (mirrored: Mirrored, t: Deno.TestContext) => Promise<void>,
  { options = ["--allow-other=on"], programs = [] }: {
    readonly options?: readonly string[];
    readonly programs?: readonly string[];
  } = {},
): void {
  mountTest(name, async (directory, t) => {
    await Deno.chmod(directory, 0o755);
    const host = `${directory}/host`;
    const mountpoint = `${directory}/mnt`;
    for (const path of [host, mountpoint]) await Deno.mkdir(path);
    await Deno.chmod(host, 0o777);
    await using process = await ExportProcess.start(
      [...options, `mirror:${host}`, mountpoint],
      { command: "mount" },
    );
    await body({ process, host, mountpoint }, t);
  }, programs);
}
