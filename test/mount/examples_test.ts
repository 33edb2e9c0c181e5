import { assert, assertEquals } from "@std/assert";
import { ExampleProcess, script } from "./_example.ts";
import { mountTest } from "./_harness.ts";

mountTest("hello.ts shows one file", async (directory) => {
  await Deno.writeTextFile(`${directory}/underneath`, "");
  await using process = await ExampleProcess.start("hello.ts", directory);
  const { text } = await script(
    directory,
    "ls -A; cat hello.txt; tail -c 11 hello.txt; stat -c '%s %a' hello.txt; echo x > hello.txt",
  );
  assertEquals(text.split("\n").slice(0, 4), [
    "hello.txt",
    "Hello from TypeScript",
    "TypeScript",
    "22 444",
  ]);
  assert(text.includes("Read-only file system"), text);
  assertEquals(await process.stop("SIGINT"), 0);
  assertEquals((await script(directory, "ls -A")).text, "underneath\n");
});

mountTest("custom_backend.ts is served by Workers", async (directory) => {
  const path = `${directory}/sectors.img`;
  await Deno.writeTextFile(path, "");
  await using process = await ExampleProcess.start("custom_backend.ts", path, {
    permissions: ["--allow-ffi", "--allow-read"],
  });
  const { text } = await script(
    directory,
    `dd if=sectors.img bs=512 skip=1000000 count=2 status=none | tr -d .
    dd if=sectors.img bs=1 skip=1019 count=5 status=none
    for i in 1 2 3 4; do head -c 8M sectors.img | md5sum & done | sort -u | wc -l
    wait; stat -c %s sectors.img`,
  );
  assertEquals(text.split("\n"), [
    "sector 1000000",
    "sector 1000001",
    "or 1",
    "1",
    `${2 ** 40}`,
    "",
  ]);
  assertEquals(await process.stop("SIGINT"), 0);
});
