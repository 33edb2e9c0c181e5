import { assertEquals } from "@std/assert";
import { ExampleProcess, script } from "./_example.ts";
import { runFor } from "./_clients.ts";
import { mountTest } from "./_harness.ts";

const PROGRAM = "../test/mount/_device_program.ts";
const CLIENT = new URL("./_device_client.py", import.meta.url).pathname;

mountTest(
  "files act as devices: poll, ioctl, groups, time-outs, own permissions",
  async (directory) => {
    const options = {
      timeoutMs: 500,
      permissions: "server",
      allowOther: "on",
      readahead: 0,
    };
    await using process = await ExampleProcess.start(PROGRAM, directory, {
      args: [JSON.stringify(options)],
    });
    const { code, stderr } = await runFor(50, "python3", CLIENT, directory);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await process.stop("SIGTERM"), 0);
  },
  ["python3"],
);

/** Runs commands of `_told_program.ts`, and shows what programs see then. */
const TOLD = `
tell() { for command; do echo $command > control; sleep 0.2; done; }
cat told; tell change; cat told; tell invalidate; cat told
tell store; cat told
mode() { stat -c '%a' told; }
mode; tell protect; mode; tell attributes; mode
stat -c '%n' new 2>&1; tell add; stat -c '%n' new 2>&1; tell entry; stat -c '%n' new
tell remove; stat -c '%n' told; tell deleted; stat -c '%n' told 2>&1
cat control; tell prune; cat control`;

mountTest(
  "the kernel drops and replaces what the session tells it to",
  async (directory) => {
    await using process = await ExampleProcess.start(
      "../test/mount/_told_program.ts",
      directory,
    );
    const { text } = await script(directory, TOLD);
    assertEquals(text.split("\n"), [
      "first",
      "first",
      "other",
      "store",
      "644",
      "644",
      "600",
      "stat: cannot statx 'new': No such file or directory",
      "stat: cannot statx 'new': No such file or directory",
      "new",
      "told",
      "stat: cannot statx 'told': No such file or directory",
      "0",
      "1",
      "",
    ]);
    assertEquals(await process.stop("SIGTERM"), 0);
  },
);

mountTest("options that cannot be used mount nothing", async (directory) => {
  for (
    const options of [
      { timeoutMs: 0 },
      { permissions: "anyone" },
      { autoUnmount: "yes" },
      { readahead: -1 },
      { attrSeconds: -1 },
      { maxWrite: 1000 },
    ]
  ) {
    const path = new URL("./_device_program.ts", import.meta.url).pathname;
    const args = ["run", "--allow-ffi", path, JSON.stringify(options)];
    const { code, stderr } = await runFor(
      30,
      Deno.execPath(),
      ...args,
      directory,
    );
    const [name] = Object.keys(options);
    assertEquals([code, stderr.includes(name!)], [1, true], stderr);
  }
  assertEquals((await script(directory, "ls -A")).text, "");
});
