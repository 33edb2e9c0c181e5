import { assert, assertEquals } from "@std/assert";
import {
  credentials,
  environmentVariable,
  findExecutable,
  hasCapSysAdmin,
  kernelRelease,
} from "../../src/linux/syscall/process.ts";
import { fuseParameters } from "../../src/linux/fuse/fuse_parameters.ts";
import { strerror, SystemError } from "../../src/linux/syscall/system_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { missingPermission, missingRoot, testIf } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

testIf(missing || missingRoot(), "credentials are those of the process", () => {
  const mine = credentials();
  assertEquals(mine.uid, Deno.uid());
  assertEquals(mine.gid, Deno.gid());
  const text = Deno.readTextFileSync("/proc/self/status");
  assert(text.includes(`Uid:\t${mine.uid}\t${mine.effectiveUid}\t`));
  assert(text.includes(`Gid:\t${mine.gid}\t${mine.effectiveGid}\t`));
});

testIf(missing || missingRoot(), "root may mount", () => {
  assertEquals(hasCapSysAdmin(), true);
});

testIf(missing || missingPermission("env"), "the environment is read", () => {
  assertEquals(environmentVariable("PATH"), Deno.env.get("PATH") ?? null);
  assertEquals(environmentVariable("MQFUSE_NOT_SET"), null);
});

testIf(
  missing || missingPermission("env"),
  "programs are found along a path, directories are not",
  async () => {
    assert(findExecutable("sh")?.endsWith("/sh"));
    await inTemporaryDirectory(async (directory) => {
      await Deno.mkdir(`${directory}/a/tool`, { recursive: true });
      await Deno.mkdir(`${directory}/b`);
      await Deno.writeTextFile(`${directory}/b/tool`, "", { mode: 0o644 });
      const path = `${directory}/a:relative::${directory}/b`;
      assertEquals(findExecutable("tool", path), null);
      await Deno.chmod(`${directory}/b/tool`, 0o755);
      assertEquals(findExecutable("tool", path), `${directory}/b/tool`);
    });
  },
);

testIf(missing, "the kernel's release and settings are read", async () => {
  assertEquals(kernelRelease(), (await run("uname", "-r")).text.trim());
  const { enableUring, maxPagesLimit, maxUserBackground } = fuseParameters();
  assert(enableUring === null || typeof enableUring === "boolean");
  assert(maxPagesLimit === null || maxPagesLimit > 0);
  assert(maxUserBackground === null || maxUserBackground > 0);
});

testIf(missing, "a SystemError says what, why and what to do", () => {
  assertEquals(strerror(2), "No such file or directory");
  const error = new SystemError({
    call: "openat",
    action: "open disk.img",
    errno: 2,
  });
  assertEquals(
    error.message,
    "Cannot open disk.img: No such file or directory",
  );
  assertEquals([error.errno, error.code, error.call], [
    2,
    "ENOENT",
    "openat",
  ]);
  const advised = new SystemError({
    call: "mount",
    action: "mount on x",
    errno: 1,
    reason: "the moon is full",
    advice: "wait",
  });
  assertEquals(advised.message, "Cannot mount on x: the moon is full (wait)");
});

testIf(missing, "without --allow-ffi the error names it", async () => {
  await inTemporaryDirectory(async (directory) => {
    const source =
      new URL("../../src/linux/syscall/process.ts", import.meta.url).href;
    const main = `${directory}/main.ts`;
    await Deno.writeTextFile(
      main,
      `import { credentials } from "${source}";\ncredentials();\n`,
    );
    const flags = ["run", "--no-prompt", "--no-lock", "--no-config"];
    const denied = await run(Deno.execPath(), ...flags, main);
    assertEquals(denied.code, 1);
    assert(
      denied.text.includes(
        "Cannot open the C library libc.so.6: Deno may not call native code (run it with --allow-ffi)",
      ),
      denied.text,
    );
    const allowed = await run(Deno.execPath(), ...flags, "--allow-ffi", main);
    assertEquals(allowed, { code: 0, text: "" });
  });
});
