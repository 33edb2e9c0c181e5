import { assert, assertEquals } from "@std/assert";
import { ExportProcess, must, pause, within } from "../mount/_harness.ts";
import { BLOCK, sequenceOf } from "./_blocks.ts";
import { emptyFile, torture } from "./_harness.ts";
import { amount, tell } from "./_scale.ts";

const WRITER = new URL("./_writer.ts", import.meta.url).pathname;
const BLOCKS = 768;
/** Chains of kills that run side by side. */
const CHAINS = 2;
/** Longest time between the first writes and the kill. */
const LIFE_MS = 250;
/** Longest time until a client of a killed server gets its error. */
const CLIENT_MS = 15_000;

/** The blocks that clients wrote, over all rounds of a chain. */
class Ledger {
  /** The sequence of each block that was acknowledged by fsync. */
  readonly synced = new Map<number, number>();
  /** The sequence of each block that was written last. */
  readonly last = new Map<number, number>();
  /** The largest sequence so far. */
  sequence = 0;
  /** Blocks acknowledged, in all rounds. */
  acknowledged = 0;

  /** Adds what a client has logged. */
  async read(log: string): Promise<void> {
    const ends: string[] = [];
    for (const line of (await Deno.readTextFile(log)).split("\n")) {
      const [kind, block, number] = line.split(" ");
      if (kind === "END") ends.push(line);
      else this.#note(kind!, Number(block), Number(number));
    }
    assertEquals(ends.length, 3);
    for (const end of ends) assert(/os error|not connected/i.test(end), end);
  }

  #note(kind: string, block: number, sequence: number): void {
    if (kind === "SYNCED") this.acknowledged++;
    (kind === "SYNCED" ? this.synced : this.last).set(block, sequence);
    this.sequence = Math.max(this.sequence, sequence);
  }

  /** Requires that nothing acknowledged is missing, and no block damaged. */
  async check(image: string): Promise<void> {
    const bytes = await Deno.readFile(image);
    for (let block = 0; block < BLOCKS; block++) {
      const found = sequenceOf(bytes, block);
      const least = this.synced.get(block) ?? 0;
      const most = this.last.get(block) ?? 0;
      if (found >= least && found <= most) continue;
      throw new Error(
        `Block ${block} has ${found}, not ${least} to ${most}`,
      );
    }
  }
}

/** Starts a server and a client that writes, and kills the server. */
async function round(
  { image, mountpoint, log }: Record<"image" | "mountpoint" | "log", string>,
  ledger: Ledger,
  isFirst: boolean,
): Promise<void> {
  const started = await ExportProcess.start(["-wq2", image, mountpoint]);
  try {
    const notices = started.events.filter(({ event }) => event === "notice");
    const cleared = notices.some(({ message }) =>
      String(message).includes("Removed the stale mount")
    );
    assertEquals(cleared, !isFirst, JSON.stringify(started.events));
    const seed = String(1 + Math.floor(Math.random() * 0x7fff_fffe));
    const args = [mountpoint, log, String(BLOCKS), seed];
    const client = new Deno.Command("timeout", {
      args: ["-k", "1", "40", Deno.execPath(), "run", "-A", "--no-check"]
        .concat(WRITER, ...args, String(ledger.sequence)),
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = client.stdout.getReader();
    const { value } = await within(output.read(), "the first writes");
    assert(value !== undefined, "the client ended before it began");
    await pause(Math.random() * LIFE_MS);
    started.signal("SIGKILL");
    await within(started.ended, "dying");
    const { code } = await within(client.status, "the client", CLIENT_MS);
    await output.cancel();
    assertEquals(code, 0);
    await ledger.read(log);
    await ledger.check(image);
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

async function chain(directory: string, rounds: number): Promise<number> {
  await Deno.mkdir(directory);
  const image = `${directory}/disk.img`;
  await Deno.writeFile(image, new Uint8Array(BLOCKS * BLOCK));
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  const ledger = new Ledger();
  const paths = { image, mountpoint, log: `${directory}/log` };
  for (let i = 0; i < rounds; i++) await round(paths, ledger, i === 0);
  await using last = await ExportProcess.start([image, mountpoint]);
  await must("cmp", image, mountpoint);
  assertEquals((await last.stop()).code, 0);
  return ledger.acknowledged;
}

const kills = amount(12, 200);

torture(
  "a kill at any moment loses no block that was acknowledged by fsync",
  async (directory) => {
    const acknowledged = await Promise.all(
      Array.from(
        { length: CHAINS },
        (_, i) => chain(`${directory}/${i}`, kills / CHAINS),
      ),
    );
    const sum = acknowledged.reduce((a, b) => a + b);
    assert(sum > kills);
    tell(`${kills} kills, ${sum} blocks acknowledged, none lost`);
  },
  { programs: ["cmp"], limitS: 60 + kills * 4 },
);
