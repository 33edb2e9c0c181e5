import { assertEquals, assertThrows } from "@std/assert";
import { writeWhole } from "../../bench/report/write_whole.ts";
import { inTemporaryDirectory } from "../linux/_fixtures.ts";
import { missingPermission, testIf } from "../requirements.ts";

testIf(
  missingPermission("read", "write"),
  "writeWhole() never shows a part of a file",
  async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/results.json`;
      writeWhole(path, "the first text");
      // Who has opened the file before goes on reading the first text.
      using reader = await Deno.open(path);
      await Deno.symlink(path, `${directory}/link`);
      writeWhole(`${directory}/link`, "2");
      const bytes = new Uint8Array(100);
      const length = await reader.read(bytes);
      assertEquals(
        new TextDecoder().decode(bytes.subarray(0, length!)),
        "the first text",
      );
      assertEquals(await Deno.readTextFile(path), "2");
      const names = await Array.fromAsync(Deno.readDir(directory));
      assertEquals(names.map(({ name }) => name).sort(), [
        "link",
        "results.json",
      ]);
      writeWhole("/dev/null", "nothing");
      assertEquals((await Deno.stat("/dev/null")).isCharDevice, true);
      const none = `${directory}/none/results.json`;
      const { message } = assertThrows(() => writeWhole(none, ""), Error);
      assertEquals(message.startsWith(`Cannot write ${none}: `), true);
    });
  },
);
