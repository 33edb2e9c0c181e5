import { assertEquals, assertRejects } from "@std/assert";
import { PoolFile } from "../../src/linux/io/pool_file.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory } from "./_fixtures.ts";

kernelTest("PoolFile writes and reads whole buffers", async () => {
  await inTemporaryDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "0123456789");
    const file = await PoolFile.open(path);
    await file.write(new TextEncoder().encode("abc"), 3);
    const read = new Uint8Array(5);
    await file.read(read, 2);
    assertEquals(new TextDecoder().decode(read), "2abc6");
    await assertRejects(
      () => file.read(read, 8),
      Error,
      `Cannot read 5 bytes at 8 of ${path}: only 2 were transferred`,
    );
    await file.close();
    await assertRejects(() => file.read(read, 0), Error, "it failed");
    assertEquals(await Deno.readTextFile(path), "012abc6789");
  });
});

kernelTest("PoolFile does not create a file", async () => {
  await inTemporaryDirectory(async (directory) => {
    await assertRejects(
      () => PoolFile.open(`${directory}/none`),
      Error,
      `Cannot open ${directory}/none`,
    );
  });
});
