import { assertEquals } from "@std/assert";
import { must } from "./_harness.ts";
import { mirrorTest } from "./_mirror.ts";

mirrorTest(
  "what is made in a mirror belongs to the caller, by all of its groups",
  async ({ host, mountpoint }) => {
    // Only a supplementary group may write there.
    await must("chown", "1234:5678", host);
    await Deno.chmod(host, 0o770);
    const line = 'cd "$0" && umask 0 && echo x > file && mkdir dir && ' +
      "mkfifo fifo && ln -s x link && chmod 4755 file && truncate -s 0 file";
    const user = ["--reuid=4321", "--regid=8765", "--groups=5678"];
    await must("setpriv", ...user, "sh", "-c", line, mountpoint);
    assertEquals(
      await must("stat", "-c", "%n %a %u:%g", ...names(host)),
      `${host}/dir 777 4321:8765
${host}/fifo 666 4321:8765
${host}/file 755 4321:8765
${host}/link 777 4321:8765`,
    );
  },
  { programs: ["setpriv"] },
);

function names(directory: string): string[] {
  return ["dir", "fifo", "file", "link"].map((name) => `${directory}/${name}`);
}

/** Sets an access control list that takes all rights from user 4321. */
const DENY = `
import os, struct, sys
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER, NO_ID = 1, 2, 4, 16, 32, 0xffffffff
entries = [(USER_OBJ, 6, NO_ID), (USER, 0, 4321), (GROUP_OBJ, 4, NO_ID)]
entries += [(MASK, 4, NO_ID), (OTHER, 4, NO_ID)]
value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
os.setxattr(sys.argv[1], "system.posix_acl_access", value)
`;

mirrorTest(
  "access control lists are enforced in a mirror, and can be set there",
  async ({ host, mountpoint }) => {
    for (const name of ["plain", "host", "mirror"]) {
      await Deno.writeTextFile(`${host}/${name}`, "text");
      await Deno.chmod(`${host}/${name}`, 0o644);
    }
    await must("python3", "-c", DENY, `${host}/host`);
    await must("python3", "-c", DENY, `${mountpoint}/mirror`);
    const user = ["--reuid=4321", "--regid=4321", "--clear-groups"];
    const line = 'cd "$0"; cat plain; cat host; cat mirror; true';
    for (const directory of [host, mountpoint]) {
      const read = await must("setpriv", ...user, "sh", "-c", line, directory);
      assertEquals(read, "text", directory);
    }
  },
  { programs: ["setpriv", "python3"] },
);

/** Sets a list, by its kind, that gives all rights; as a user if one is given. */
const ALLOW = `
import os, struct, sys
entries = [(tag, 7, 0xffffffff) for tag in (1, 4, 32)]
value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
for user in map(int, sys.argv[3:]):
    os.setgroups([]); os.setgid(user); os.setuid(user)
os.setxattr(sys.argv[1], "system.posix_acl_" + sys.argv[2], value)
`;

mirrorTest(
  "a default access control list replaces the umask in a mirror, as on the host",
  async ({ host, mountpoint }) => {
    await Deno.mkdir(`${host}/plain`);
    await Deno.mkdir(`${host}/listed`);
    await must("python3", "-c", ALLOW, `${host}/listed`, "default");
    const line = 'cd "$0" && umask 077 && for d in plain listed; do ' +
      "echo x > $d/$1.file; mkdir $d/$1.dir; mkfifo $d/$1.fifo; done && " +
      "stat -c %a */$1.*";
    assertEquals(
      await must("sh", "-c", line, mountpoint, "a"),
      await must("sh", "-c", line, host, "b"),
    );
  },
  { programs: ["python3"] },
);

mirrorTest(
  "who is not in its group clears set-group-ID of a file by setting its list",
  async ({ host, mountpoint }) => {
    const modes: string[] = [];
    for (const [name, gid] of [["theirs", 5678], ["own", 4321]] as const) {
      for (const directory of [host, mountpoint]) {
        const path = `${directory}/${name}`;
        await Deno.writeTextFile(path, "");
        await Deno.chown(path, 4321, gid);
        await Deno.chmod(path, 0o2755);
        await must("python3", "-c", ALLOW, path, "access", "4321");
        modes.push(await must("stat", "-c", "%a", path));
      }
    }
    assertEquals(modes, ["777", "777", "2777", "2777"]);
  },
  { programs: ["python3"] },
);

for (const choice of ["auto", "off"]) {
  mirrorTest(
    `files lose set-user-ID when others write to them, passthrough ${choice}`,
    async ({ host, mountpoint }) => {
      const user = ["--reuid=4321", "--regid=4321", "--clear-groups"];
      const writes = [
        "echo x >> f",
        ": > f",
        "truncate -s 1 f",
        "fallocate -l 100000 f",
        "dd if=/dev/zero of=f bs=4k count=1 conv=notrunc status=none",
      ];
      const prepare = 'cd "$0"; rm -f f; echo data > f; chmod 6777 f';
      for (const write of writes) {
        await must("sh", "-c", prepare, mountpoint);
        const line = `cd "$0"; ${write}`;
        await must("setpriv", ...user, "sh", "-c", line, mountpoint);
        const modes = [mountpoint, host].map((path) =>
          must("stat", "-c", "%a", `${path}/f`)
        );
        assertEquals(await Promise.all(modes), ["777", "777"], write);
      }
      await must("sh", "-c", `${prepare}; echo x >> f`, mountpoint);
      assertEquals(await must("stat", "-c", "%a", `${host}/f`), "6777");
    },
    {
      options: ["--allow-other=on", `--passthrough=${choice}`],
      programs: ["setpriv"],
    },
  );
}
