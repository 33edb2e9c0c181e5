import { assertEquals } from "@std/assert";
import {
  ExportProcess,
  mountTest,
  must,
  randomFile,
  sideBySide,
} from "./_harness.ts";

const CLIENT = new URL("_far_client.py", import.meta.url).pathname;
const SIZE = 1 << 17;

/** What the client prints of a file. */
async function callsOn(what: "seek" | "change", path: string): Promise<string> {
  return await must("python3", CLIENT, what, path);
}

/** A plain file that has data everywhere, or nowhere. */
async function plain(path: string, full: boolean): Promise<string> {
  if (full) await randomFile(path, SIZE);
  else await Deno.writeTextFile(path, "");
  await Deno.truncate(path, SIZE);
  return path;
}

mountTest(
  "SEEK_DATA and SEEK_HOLE are those of a plain file",
  async (directory, t) => {
    const full = await plain(`${directory}/full`, true);
    const sparse = await plain(`${directory}/sparse`, false);
    const sources: [source: string, options: string[], like: string][] = [
      [full, [], full],
      [sparse, ["-w", "--growable"], sparse],
      ["memory:128k", [], sparse],
      ["null:128k", [], sparse],
      ["pattern:128k", [], full],
      ["pattern:1M", ["--offset=512", "--size=128k"], full],
      [`${directory}/window`, ["--offset=64k", "--size=128k"], sparse],
    ];
    await plain(`${directory}/window`, false);
    await Deno.truncate(`${directory}/window`, 2 * SIZE);
    await sideBySide(
      t,
      sources.map(([source, options, like], index) => [
        [source, ...options].join(" "),
        async () => {
          const mountpoint = `${directory}/mnt${index}`;
          await Deno.writeTextFile(mountpoint, "");
          const args = [...options, source, mountpoint];
          await using process = await ExportProcess.start(args);
          const expected = await callsOn("seek", like);
          assertEquals(await callsOn("seek", mountpoint), expected);
          assertEquals((await process.stop()).code, 0);
        },
      ]),
    );
  },
  ["python3"],
);

/**
 * What enormous offsets give, if the file system of the image does not refuse
 * them: images have less than 2^53 bytes.
 */
function refused(line: string): string {
  const [name, offset, result] = line.split(" ");
  if (name === "read" || !/^\d+$/.test(result!)) return line;
  return name === "size" ? line : `${name} ${offset} EFBIG`;
}

mountTest(
  "enormous offsets give the errors of a plain file",
  async (directory, t) => {
    const image = await plain(`${directory}/disk.img`, true);
    const like = await plain(`${directory}/plain`, true);
    const lines = (await callsOn("change", like)).split("\n").map(refused);
    lines[lines.length - 1] = `size ${SIZE}`;
    const sources: [source: string, options: string[]][] = [
      [image, []],
      ["memory:128k", []],
      [`${directory}/window`, ["--offset=512"]],
    ];
    await plain(`${directory}/window`, true);
    await Deno.truncate(`${directory}/window`, SIZE + 512);
    await sideBySide(
      t,
      sources.map(([source, options], index) => [source, async () => {
        const mountpoint = `${directory}/mnt${index}`;
        await Deno.writeTextFile(mountpoint, "");
        const args = ["-w", "--growable", ...options, source, mountpoint];
        await using process = await ExportProcess.start(args);
        const changes = (await callsOn("change", mountpoint)).split("\n");
        assertEquals(changes, lines);
        assertEquals((await process.stop()).code, 0);
      }]),
    );
  },
  ["python3"],
);
