import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  OPEN,
  pathOfDescriptor,
} from "../../src/linux/syscall/descriptor.ts";
import {
  findEntry,
  type PathRules,
} from "../../src/linux/syscall/path_walk.ts";
import { cString } from "../../src/linux/syscall/ffi_values.ts";
import { readText } from "../../src/linux/syscall/text_file.ts";
import { SystemError } from "../../src/linux/syscall/system_error.ts";
import { kernelTest } from "../requirements.ts";
import { inTemporaryDirectory, run } from "./_fixtures.ts";

const OTHER = 65534;
const RULES: PathRules = { action: "use it", follow: true };
const INSECURE: PathRules = { ...RULES, insecurePath: true };

function resolved(path: string, rules: PathRules = RULES): string {
  using entry = findEntry(path, rules);
  return entry.path;
}

function refusal(path: string, rules: PathRules = RULES): SystemError {
  return assertThrows(() => resolved(path, rules), SystemError);
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { code, text } = await run(program, ...args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text}`);
}

kernelTest("a path is resolved as realpath(1) does", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/real/deep`, { recursive: true });
    await Deno.writeTextFile(`${directory}/real/file`, "text");
    await Deno.symlink("real", `${directory}/link`);
    await Deno.symlink(`${directory}/link/file`, `${directory}/far`);
    await Deno.symlink("../file", `${directory}/real/deep/up`);
    const paths = ["link/file", "far", "real/deep/up", "link/deep/.."];
    paths.push("link/", "link/.", "real//deep/./", "..", ".", "link/none");
    for (const path of paths) {
      const whole = `${directory}/${path}`;
      const { text } = await run("realpath", whole);
      assertEquals(`${resolved(whole)}\n`, text, path);
    }
    assertEquals(resolved("/"), "/");
    assertEquals(resolved("x"), `${Deno.cwd()}/x`);
    const kept = { ...RULES, follow: false };
    assertEquals(resolved(`${directory}/far`, kept), `${directory}/far`);
    assertEquals(resolved("/dev/stdin"), await Deno.readLink("/dev/fd/0"));
  });
});

kernelTest("a path that cannot be looked up is named", async () => {
  await inTemporaryDirectory(async (directory) => {
    assertEquals(
      refusal("/none/x").message,
      "Cannot find the directory of /none/x: No such file or directory (check the path, or create the directory with 'mkdir -p')",
    );
    assertEquals(refusal("").code, "ENOENT");
    await Deno.symlink("loop", `${directory}/loop`);
    assertEquals(refusal(`${directory}/loop`).code, "ELOOP");
    assertEquals(refusal(`${directory}/loop/x`).code, "ELOOP");
    await Deno.writeTextFile(`${directory}/file`, "");
    assertEquals(
      refusal(`${directory}/file/x`).message,
      `Cannot find the directory of ${directory}/file/x: Not a directory (check the path: a part of it is not a directory)`,
    );
    const long = "n".repeat(256);
    assertMatch(
      refusal(`${directory}/${long}`).message,
      /\(use shorter names\)$/,
    );
  });
});

kernelTest("sudo does not make the caller's directory safe", async () => {
  await inTemporaryDirectory(async (directory) => {
    const part = `${directory}/part`;
    await Deno.mkdir(part);
    await Deno.chown(part, OTHER, OTHER);
    const before = Deno.env.get("SUDO_UID");
    try {
      Deno.env.set("SUDO_UID", `${OTHER}`);
      assertEquals(
        refusal(`${part}/file`).message.replace(/^.* \(run/, "run"),
        "run it as nobody, without sudo, use a directory that only root can change, or add --insecure-path if you trust every program of nobody)",
      );
      Deno.env.set("SUDO_UID", `${OTHER - 1}`);
      assertMatch(refusal(`${part}/file`).message, /only you and root can/);
    } finally {
      if (before === undefined) Deno.env.delete("SUDO_UID");
      else Deno.env.set("SUDO_UID", before);
    }
  });
});

kernelTest("parts of a path that others can change are refused", async () => {
  await inTemporaryDirectory(async (directory) => {
    const part = `${directory}/part`;
    const path = `${part}/deep/file`;
    await Deno.mkdir(`${part}/deep`, { recursive: true });
    await Deno.writeTextFile(path, "");
    const cases: [mode: number, uid: number, gid: number, sentence: string][] =
      [
        [
          0o755,
          OTHER,
          0,
          `user nobody can replace deep in ${part} (owner nobody, mode 0755) (use a directory that only you and root can change, or add --insecure-path if you trust nobody)`,
        ],
        [
          0o777,
          0,
          0,
          `every user can replace deep in ${part} (owner root, group root, mode 0777) (run 'chmod go-w ${part}', use another directory, or add --insecure-path)`,
        ],
        [
          0o775,
          0,
          OTHER,
          `the group nogroup can replace deep in ${part} (owner root, group nogroup, mode 0775) (run 'chmod go-w ${part}', use another directory, or add --insecure-path)`,
        ],
      ];
    for (const [mode, uid, gid, sentence] of cases) {
      await Deno.chown(part, uid, gid);
      await Deno.chmod(part, mode);
      const { code, message } = refusal(path);
      assertEquals([code, message], ["EPERM", `Cannot use it: ${sentence}`]);
      assertEquals(resolved(path, INSECURE), path);
    }
    for (const [mode, gid] of [[0o755, OTHER], [0o1777, 0], [0o775, 0]]) {
      await Deno.chown(part, 0, gid!);
      await Deno.chmod(part, mode!);
      assertEquals(resolved(path), path);
    }
    await Deno.chmod(part, 0o1777);
    await Deno.chown(`${part}/deep`, OTHER, OTHER);
    assertMatch(
      refusal(path).message,
      /user nobody can replace .*\/part\/deep \(owner nobody, mode 0755\)/,
    );
  });
});

kernelTest("an access control list is more than a private group", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.chmod(directory, 0o770);
    assertEquals(resolved(`${directory}/x`), `${directory}/x`);
    letWrite(directory, OTHER);
    assertMatch(refusal(`${directory}/x`).message, /access control list/);
  });
});

/** What 'setfacl -m u:UID:rwx' does: posix_acl_xattr.h. */
function letWrite(path: string, uid: number): void {
  const list = new DataView(new ArrayBuffer(44));
  list.setUint32(0, 2, true);
  const entries = [[1, -1], [2, uid], [4, -1], [0x10, -1], [0x20, -1]];
  entries.forEach(([tag, id], index) => {
    list.setUint16(4 + 8 * index, tag!, true);
    list.setUint16(6 + 8 * index, tag === 0x20 ? 0 : 7, true);
    list.setInt32(8 + 8 * index, id!, true);
  });
  const library = Deno.dlopen("libc.so.6", {
    setxattr: {
      parameters: ["buffer", "buffer", "buffer", "usize", "i32"],
      result: "i32",
    },
  });
  const name = cString("system.posix_acl_access");
  const { setxattr } = library.symbols;
  const result = setxattr(cString(path), name, list, 44n, 0);
  library.close();
  assertEquals(result, 0);
}

kernelTest("a link that others can replace is never followed", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/theirs`);
    await Deno.writeTextFile(`${directory}/victim`, "");
    await Deno.symlink(directory, `${directory}/theirs/link`);
    await Deno.symlink("../victim", `${directory}/theirs/last`);
    await Deno.chown(`${directory}/theirs`, OTHER, OTHER);
    for (const path of ["theirs/link/victim", "theirs/last"]) {
      const { code, message } = refusal(`${directory}/${path}`, INSECURE);
      assertEquals(code, "EPERM");
      assertMatch(message, /it is a symbolic link, which may lead anywhere/);
    }
    const kept = { ...INSECURE, follow: false };
    using entry = findEntry(`${directory}/theirs/last`, kept);
    const error = assertThrows(() => entry.open(OPEN.RDONLY), SystemError);
    assertEquals(error.code, "ELOOP");
    // In a sticky directory the owner of the link counts.
    await Deno.chown(`${directory}/theirs`, 0, 0);
    await Deno.chmod(`${directory}/theirs`, 0o1777);
    const last = `${directory}/theirs/last`;
    assertEquals(resolved(last), `${directory}/victim`);
    await must("chown", "-h", "65534", last);
    assertMatch(refusal(last).message, /user nobody can replace .*last/);
  });
});

kernelTest("an entry stays in its directory if paths change", async () => {
  await inTemporaryDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/first`);
    await Deno.mkdir(`${directory}/second`);
    await Deno.writeTextFile(`${directory}/first/file`, "first");
    await Deno.writeTextFile(`${directory}/second/file`, "second");
    using entry = findEntry(`${directory}/first/file`, RULES);
    await Deno.rename(`${directory}/first`, `${directory}/old`);
    await Deno.symlink("second", `${directory}/first`);
    const fd = entry.open(OPEN.RDONLY);
    try {
      assertEquals(readText(pathOfDescriptor(fd)), "first");
      assertEquals(entry.leadsTo(fd), true);
      assertEquals(entry.remove(), true);
      assertEquals(entry.leadsTo(fd), false);
      assertEquals(entry.remove(), false);
    } finally {
      closeDescriptor(fd);
    }
    assertEquals(await Deno.readTextFile(`${directory}/second/file`), "second");
  });
});
