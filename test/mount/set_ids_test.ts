import { assert, assertEquals } from "@std/assert";
import {
  ExportProcess,
  imageIn,
  MIB,
  mountTest,
  must,
  sideBySide,
} from "./_harness.ts";

const CLIENT = new URL("_set_id_client.py", import.meta.url).pathname;

/** Users who change the file, which belongs to root: uid and gid. */
const USERS = {
  "another user": ["65534", "65534"],
  "a member of the file's group": ["65534", "0"],
  "root": ["0", "0"],
} as const;

mountTest(
  "changing a file clears its set-id bits as on a plain file",
  async (directory, t) => {
    await Deno.chmod(directory, 0o755);
    const source = `${directory}/source`;
    await Deno.writeTextFile(source, "x".repeat(1000));
    await Deno.chmod(source, 0o644);
    const marks = async (file: string, ids: readonly string[]) =>
      (await must("python3", CLIENT, file, source, ...ids)).split("\n");
    const plain = `${directory}/plain`;
    await Deno.writeTextFile(plain, "");
    const expected: Record<string, string[]> = {};
    for (const [user, ids] of Object.entries(USERS)) {
      expected[user] = await marks(plain, ids);
      assert(expected[user].length > 50);
    }
    const cases = ["device", "uring", "passthrough"] as const;
    await sideBySide(
      t,
      cases.map((name, i) => [
        name,
        async () => {
          // With passthrough no WRITE is sent: the kernel clears by SETATTR, and
          // keeps set-group-id without execution on a FUSE file.
          const comparable = (lines: readonly string[]) =>
            lines.filter((line) =>
              name !== "passthrough" || !line.startsWith("2767")
            );
          const { mountpoint, image } = await imageIn(
            await Deno.makeTempDir({ dir: directory, prefix: `${i}` }),
            MIB,
          );
          const how = name === "passthrough"
            ? ["--passthrough=on"]
            : [`--transport=${name === "uring" ? "auto" : "device"}`];
          const args = ["-w", "--growable", "-q2", ...how, image, mountpoint];
          await using process = await ExportProcess.start(args);
          await Deno.chmod(mountpoint.replace(/\/[^/]*$/, ""), 0o755);
          for (const [user, ids] of Object.entries(USERS)) {
            assertEquals(
              comparable(await marks(mountpoint, ids)),
              comparable(expected[user]!),
              user,
            );
          }
          assertEquals((await process.stop()).code, 0);
        },
      ]),
    );
  },
  ["python3"],
);
