import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import {
  checkMode,
  checkOwner,
  fileAttributes,
} from "../../src/session/file_attributes.ts";
import { missingPermission, testIf } from "../requirements.ts";

const missing = missingPermission("ffi");
// Opened before the first test, so that it does not count as a leak.
if (missing === "") libc();

function refusal(call: () => unknown): string {
  return assertThrows(call, UserError).message;
}

Deno.test("checkMode() reads octal digits", () => {
  assertEquals(checkMode("644", "mode"), 0o644);
  assertEquals(checkMode("0", "mode"), 0);
  assertEquals(checkMode("07777", "mode"), 0o7777);
  assertEquals(checkMode(0o640, "mode"), 0o640);
  for (const bad of ["", "8", "0o644", "u+w", "-1", "10000", "1e2", " 6"]) {
    assertEquals(
      refusal(() => checkMode(bad, "--mode")),
      `Cannot use ${bad} (--mode): expected permission bits as octal digits, such as 640`,
    );
  }
  for (const bad of [-1, 0.5, NaN, 0o10000]) refusal(() => checkMode(bad, "m"));
});

testIf(missing, "checkOwner() reads numbers and names", () => {
  assertEquals(checkOwner(1000, "uid"), 1000);
  assertEquals(checkOwner("65534", "gid"), 65534);
  assertEquals(checkOwner(2 ** 32 - 2, "uid"), 2 ** 32 - 2);
  assertEquals(checkOwner("root", "uid"), 0);
  assertEquals(checkOwner("root", "gid"), 0);
  assertEquals(
    refusal(() => checkOwner("no such user", "uid", "--uid")),
    "Cannot use no such user (--uid): there is no user of that name; give a name that 'getent passwd' shows, or a number up to 4294967294",
  );
  assertMatch(
    refusal(() => checkOwner("none such", "gid", "--gid")),
    /^Cannot use none such \(--gid\): there is no group of that name; give a name that 'getent group' shows/,
  );
  assertMatch(
    refusal(() => checkOwner("4294967295", "uid", "--uid")),
    /^Cannot use 4294967295 \(--uid\): there is no user of that name;/,
  );
  for (const bad of [2 ** 32 - 1, -1, 0.5]) {
    assertEquals(
      refusal(() => checkOwner(bad, "uid")),
      `Cannot use ${bad} (uid): expected a number up to 4294967294, or a name`,
    );
  }
});

testIf(missing, "the owner's access is the default", () => {
  const { uid, gid, ...rest } = fileAttributes({});
  assertEquals(rest, { mode: 0o400, needsAllowOther: false });
  const { mode } = fileAttributes({ writable: true, allowOther: "off" });
  assertEquals(mode, 0o600);
  assertEquals(fileAttributes({ uid, gid }).needsAllowOther, false);
  assertEquals(fileAttributes({ uid: uid + 1 }).needsAllowOther, true);
  assertEquals(fileAttributes({ mode: 0o440 }).needsAllowOther, true);
});

testIf(missing, "owner and mode have to fit the other options", () => {
  assertEquals(
    refusal(() => fileAttributes({ mode: 0o640 })),
    "Cannot give a read-only export the mode 640: it allows writing; use 440, or make the export writable",
  );
  assertMatch(
    refusal(() => fileAttributes({ mode: 0o440, allowOther: "off" })),
    /^Cannot show the file with the mode 440: only the user who exports it/,
  );
  assertMatch(
    refusal(() => fileAttributes({ uid: 1, gid: 2, allowOther: "off" })),
    /^Cannot show the file with the owner 1:2: only the user who exports it/,
  );
});
