import { assert, assertEquals } from "@std/assert";
import { eventually, ExportProcess, sideBySide } from "../mount/_harness.ts";
import { torture } from "./_harness.ts";
import { FILES } from "./_notifying_fs.ts";
import { amount, tell } from "./_scale.ts";

/** Notifications, both places together. */
const TOTAL = amount(6_000, 100_000);
const LIMIT_S = 90 + amount(0, 600);
const LIMIT_MS = (LIMIT_S - 20) * 1000;
const PROGRAM = new URL("./_notifying_program.ts", import.meta.url).pathname;

/** The figures that `_notifying_program.ts` prints. */
interface Settled {
  readonly handler: number;
  readonly timers: number;
  readonly taken: number;
  readonly absent: number;
  readonly rejected: number;
  readonly retrieved: number;
}

/** Writes files and compares what they hold, until told to stop. */
const CLIENT = `
i=0
while [ ! -e "$3" ]; do
  i=$((i + 1))
  cp "$2/source" "$1" || exit 1
  cmp "$2/source" "$1" || exit 1
  dd if="$2/source" of="$1" bs=4k count=8 conv=notrunc,fsync 2>/dev/null || exit 1
  stat -c %s "$1" >/dev/null || exit 1
  cat "$4" >/dev/null || exit 1
done
echo $i`;

function startClient(
  ...args: string[]
): Promise<Deno.CommandOutput> {
  return new Deno.Command("timeout", {
    args: ["-k", "2", String(LIMIT_S), "sh", "-c", CLIENT, "sh", ...args],
    env: { LC_ALL: "C" },
    stdin: "null",
  }).output();
}

async function notifyUnderLoad(
  directory: string,
  place: string,
  total: number,
): Promise<void> {
  const here = `${directory}/${place}`;
  const mountpoint = `${here}/mnt`;
  await Deno.mkdir(mountpoint, { recursive: true });
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(`${here}/source`, bytes);
  await using process = await ExportProcess.start(
    [place, mountpoint, String(total)],
    { main: PROGRAM, permissions: ["-A"], lifeS: LIMIT_S },
  );
  const began = performance.now();
  const stop = `${here}/stop`;
  const clients = FILES.slice(0, 3).map((name) =>
    startClient(`${mountpoint}/${name}`, here, stop, `${mountpoint}/f3`)
  );
  const settled = () => process.events.find((each) => each.event === "settled");
  const all = eventually(() => settled() !== undefined, "all settle", LIMIT_MS);
  const early = process.ended.then(({ stderr }) => {
    throw new Error(`The server ended before all were settled: ${stderr}`);
  });
  await Promise.race([all, early]);
  const seconds = (performance.now() - began) / 1000;
  await Deno.writeFile(stop, new Uint8Array());
  let rounds = 0;
  for (const { code, stdout, stderr } of await Promise.all(clients)) {
    const text = new TextDecoder();
    assertEquals([code, text.decode(stderr)], [0, ""]);
    rounds += Number(text.decode(stdout));
  }
  const figures = settled() as unknown as Settled;
  const { handler, timers, taken, absent, rejected } = figures;
  assertEquals(rejected, 0);
  assertEquals([handler + timers, taken + absent], [total, total]);
  assertEquals(handler, timers);
  assert(taken > 0 && figures.retrieved > 0, JSON.stringify(figures));
  const text = JSON.stringify(figures);
  tell(`${place}: ${text} in ${seconds.toFixed(1)} s, ${rounds} rounds`);
  const { code, stderr } = await process.stop();
  assertEquals([code, stderr], [0, ""]);
}

torture(
  "notifications from handlers and timers deadlock nothing, while clients write",
  async (directory, t) => {
    const half = Math.round(TOTAL / 2);
    await sideBySide(t, [
      ["in a Worker", () => notifyUnderLoad(directory, "worker", half)],
      ["on the calling thread", () => notifyUnderLoad(directory, "here", half)],
    ]);
  },
  { programs: ["cmp", "dd"], limitS: LIMIT_S + 30 },
);
