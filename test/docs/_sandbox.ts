/**
 * Runs a script as root where it can change nothing of the machine: folders of
 * the system, and this repository, are overlays that end with it, and so do its
 * mounts and processes.
 *
 * @module
 */
import { within } from "../mount/_clients.ts";

const ROOT: string = new URL("../../", import.meta.url).pathname;

/** What a script may change for itself. */
const OVERLAID = ["/etc", "/home", "/opt", "/root", "/srv", "/usr", "/var"];

/** Runs in the namespaces of the script, before it. */
const ENTER = `set -eu
here=$1
: >"$here/output"
mount -t tmpfs tmpfs "$here/layers"
mkdir "$here/layers/bin"
n=0
overlay() {
  n=$((n + 1))
  mkdir "$here/layers/$n" "$here/layers/$n.work"
  mount -t overlay overlay -o \\
    "lowerdir=$1,upperdir=$here/layers/$n,workdir=$here/layers/$n.work" "$1"
}
for folder in ${OVERLAID.join(" ")}; do
  [ ! -d "$folder" ] || overlay "$folder"
done
overlay "$repository"
printf '#!/bin/sh\\nexec %s "$@"\\n' "$deno" >"$here/layers/bin/deno"
printf '#!/bin/sh\\nexec %s run --allow-ffi --quiet --no-prompt %s/main.ts "$@"\\n' \\
  "$deno" "$repository" >"$here/layers/bin/mqfuse"
chmod +x "$here/layers/bin/"*
PATH=$here/layers/bin:$PATH
cd "$here/home"
exec bash "$here/script" >"$here/output" 2>&1 </dev/null
`;

/**
 * Runs a script for bash. Its working directory is empty; "deno" is the Deno of
 * the tests, "mqfuse" the program, and $repository this repository.
 *
 * @param directory An empty directory of the test.
 * @param script The script.
 * @param limitMs How long it may take.
 * @returns Its exit status and what it printed.
 */
export async function runInSandbox(
  directory: string,
  script: string,
  limitMs: number,
): Promise<{ code: number; output: string }> {
  await Deno.mkdir(`${directory}/layers`);
  await Deno.mkdir(`${directory}/home`);
  await Deno.writeTextFile(`${directory}/script`, script);
  const child = new Deno.Command("unshare", {
    // Everything in the namespace of processes ends with its first one.
    args: [
      ...["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["sh", "-c", ENTER, "sh", directory],
    ],
    env: {
      repository: ROOT.replace(/\/$/, ""),
      deno: Deno.execPath(),
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
    },
    stdin: "null",
  }).spawn();
  const readOutput = () => Deno.readTextFile(`${directory}/output`);
  try {
    const { code } = await within(child.status, "the script", limitMs);
    return { code, output: await readOutput() };
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw new Error(`${error}:\n${await readOutput()}`);
  }
}
