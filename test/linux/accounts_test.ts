import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/base/user_error.ts";
import {
  accountNumber,
  groupName,
  ownGroup,
  userName,
  usersInGroup,
} from "../../src/linux/syscall/accounts.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import {
  missingPermission,
  missingProgram,
  missingRoot,
  testIf,
} from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const missing = missingPermission("ffi", "read", "write", "run", "env", "sys");
// Opened before the tests, so that the first one is not reported to leak it.
if (missing === "") libc();

testIf(missing || missingRoot(), "names and numbers of accounts", () => {
  for (const kind of ["user", "group"] as const) {
    assertEquals(accountNumber("root", kind, "Cannot use root"), 0);
    assertEquals(accountNumber("4294967294", kind, ""), 2 ** 32 - 2);
    for (const bad of ["none such", "4294967295", "", "-1"]) {
      const { message } = assertThrows(
        () => accountNumber(bad, kind, `Cannot use ${bad}`),
        UserError,
      );
      const database = kind === "user" ? "passwd" : "group";
      assertEquals(
        message,
        `Cannot use ${bad}: there is no ${kind} of that name; give a name that 'getent ${database}' shows, or a number up to 4294967294`,
      );
    }
  }
  assertEquals([userName(0), groupName(0), ownGroup(0)], ["root", "root", 0]);
  assertEquals([userName(54321), groupName(54321)], ["54321", "54321"]);
  assertEquals([ownGroup(54321), usersInGroup(54321)], [null, null]);
});

/** A name service with one user and one group, the latter with many members. */
const SERVICE = `
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <errno.h>
#include <string.h>
enum nss_status user(struct passwd *u, char *buf, size_t len, int *error) {
  if (len < 100000) return *error = ERANGE, NSS_STATUS_TRYAGAIN;
  memset(u, 0, sizeof *u);
  strcpy(buf, "remote");
  u->pw_name = u->pw_passwd = u->pw_gecos = u->pw_dir = u->pw_shell = buf;
  u->pw_uid = 70001, u->pw_gid = 70002;
  return NSS_STATUS_SUCCESS;
}
enum nss_status group(struct group *g, char *buf, size_t len, int *error) {
  if (len < 100000) return *error = ERANGE, NSS_STATUS_TRYAGAIN;
  static char *none[1];
  memset(g, 0, sizeof *g);
  strcpy(buf, "remotes");
  g->gr_name = g->gr_passwd = buf, g->gr_gid = 70002, g->gr_mem = none;
  return NSS_STATUS_SUCCESS;
}
#define NAMED(call, type, fill, own) \\
  enum nss_status call(const char *name, struct type *e, char *b, size_t l, int *x) { \\
    return strcmp(name, own) ? NSS_STATUS_NOTFOUND : fill(e, b, l, x); }
#define NUMBERED(call, type, fill, own) \\
  enum nss_status call(unsigned id, struct type *e, char *b, size_t l, int *x) { \\
    return id != own ? NSS_STATUS_NOTFOUND : fill(e, b, l, x); }
NAMED(_nss_trial_getpwnam_r, passwd, user, "remote")
NAMED(_nss_trial_getgrnam_r, group, group, "remotes")
NUMBERED(_nss_trial_getpwuid_r, passwd, user, 70001)
NUMBERED(_nss_trial_getgrgid_r, group, group, 70002)
`;

/** Asks for its accounts in a process that uses that service. */
const ASK = `
import * as accounts from ${
  JSON.stringify(
    import.meta.resolve("../../src/linux/syscall/accounts.ts"),
  )
};
import { cString } from ${
  JSON.stringify(
    import.meta.resolve("../../src/linux/syscall/ffi_values.ts"),
  )
};
const { symbols } = Deno.dlopen("libc.so.6", {
  __nss_configure_lookup: { parameters: ["buffer", "buffer"], result: "i32" },
});
for (const database of ["passwd", "group"]) {
  symbols.__nss_configure_lookup(cString(database), cString("files trial"));
}
console.log(JSON.stringify([
  accounts.accountNumber("remote", "user", ""),
  accounts.accountNumber("remotes", "group", ""),
  accounts.ownGroup(70001),
  accounts.userName(70001),
  accounts.groupName(70002),
  accounts.usersInGroup(70002),
  accounts.userName(0),
]));
`;

testIf(
  missing || missingProgram("gcc"),
  "accounts of a name service are found like those of files",
  () =>
    inTemporaryDirectory(async (directory) => {
      const source = `${directory}/service.c`;
      await Deno.writeTextFile(source, SERVICE);
      const library = `${directory}/libnss_trial.so.2`;
      await run("gcc", "-shared", "-fPIC", "-o", library, source);
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-check", ASK],
        env: { LD_LIBRARY_PATH: directory },
      }).output();
      const decoder = new TextDecoder();
      assertEquals(
        decoder.decode(stdout).trim(),
        JSON.stringify(
          [70001, 70002, 70002, "remote", "remotes", null, "root"],
        ),
        decoder.decode(stderr),
      );
    }),
);
