import { assertEquals } from "@std/assert";
import { imageIn, MAIN, mountTest, runFor } from "./_harness.ts";

const CLIENT = new URL("_early_unmount.py", import.meta.url).pathname;
/** How often it is tried to be earlier than the first request is answered. */
const TRIES = 8;
const LIMIT_S = 20;

// In a mount namespace of its own, because other tests copy that of all: what is
// unmounted here would stay mounted in the copy.
const SCRIPT = `"$1" run --no-prompt --allow-ffi "$2" export "$3" "$4" &
python3 "$5" "$4"
echo "unmounted with $?"
wait $!
echo "ended with $?"
`;

mountTest(
  "an export that is unmounted before it is ready ends without an error",
  async (directory) => {
    const { image, mountpoint } = await imageIn(directory, 1 << 20);
    const args = [Deno.execPath(), MAIN, image, mountpoint, CLIENT];
    for (let i = 0; i < TRIES; i++) {
      const { stdout, stderr } = await runFor(
        LIMIT_S,
        ...["unshare", "--mount", "sh", "-c", SCRIPT, "sh"] as const,
        ...args,
      );
      assertEquals(stdout, "unmounted with 0\nended with 0\n", stderr);
      if (stderr.includes("Unmounted before it was ready")) return;
    }
  },
  ["python3", "unshare"],
);
