/**
 * Runs shell scripts as root where mount.fuse.mqfuse is installed in /sbin: in
 * mount and process namespaces of their own, so that the machine's own /sbin
 * stays as it is, and all mounts and servers end with the script.
 *
 * @module
 */
import { userProgram } from "../_user_program.ts";
import { run } from "./_harness.ts";

const CONTRIB = new URL("../../contrib/", import.meta.url).pathname;
const LONGEST_S = 50;

/** Programs that the scripts need besides coreutils. */
export const INSTALLED_HELPER_NEEDS: readonly string[] = [
  "unshare",
  "nsenter",
  "mount",
  "setpriv",
];

// The namespace begins with copies of all mounts, which would keep those that
// other tests unmount meanwhile in use.
const SETUP = `set -eu
for copy in $(cut -d " " -f 2 /proc/self/mounts | grep mqfuse | grep -vF "$1"); do
  umount -l "$copy" || true
done 2>/dev/null
cd "$1"
sbin=$(readlink -f /sbin)
mkdir layer
mount -t tmpfs none layer
mkdir layer/upper layer/work
mount -t overlay -o "lowerdir=$sbin,upperdir=$PWD/layer/upper,workdir=$PWD/layer/work" overlay "$sbin"
install "$2mount.fuse.mqfuse" "$2mqfuse-daemonize" "$sbin"
truncate -s 1M disk.img
printf '#!/bin/sh\\necho ran\\n' | dd of=disk.img conv=notrunc status=none
touch mnt.img
options() {
  sed -n "s,.* $PWD/mnt.img \\([^ ]*\\).* - [^ ]* [^ ]* \\([^ ]*\\),\\1 \\2,p" /proc/self/mountinfo
}
flags() {
  options | tr ' ,' '\\n\\n' | grep -vE '^(user_id|group_id|max_read)=|^(default_permissions|allow_other)$' | tr '\\n' ' ' | sed 's/ $/\\n/'
}
unmount() {
  umount "$PWD/mnt.img"
}
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
eval "$3"
`;

/**
 * Runs a script. Its directory has an image that begins with a shell script,
 * `disk.img`, and a mount point, `mnt.img`. `flags` prints the mount's flags,
 * `$nobody` runs a command as another user.
 *
 * @param directory A directory of the test.
 * @param script The script, for sh.
 * @returns What it printed on both outputs, by line.
 */
export async function withInstalledHelper(
  directory: string,
  script: string,
): Promise<string[]> {
  const { deno, main, denoDir } = await userProgram();
  const { stdout, stderr } = await run(
    "env",
    "LC_ALL=C",
    `MQFUSE_DENO=${deno}`,
    `MQFUSE_MAIN=${main}`,
    `DENO_DIR=${denoDir}`,
    ...["timeout", "-k", "2", `${LONGEST_S}`],
    ..."unshare --mount --propagation private --pid --fork --mount-proc".split(
      " ",
    ),
    "--kill-child",
    ...["sh", "-c", `exec 2>&1\n${SETUP}`, "sh", directory, CONTRIB, script],
  );
  return `${stdout}${stderr}`.trim().split("\n");
}
