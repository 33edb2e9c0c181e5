/**
 * With --writethrough, or with O_DSYNC, a write that a failing medium loses is
 * never acknowledged, however many queues flush the image at the same time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ExportProcess, must, within } from "../mount/_harness.ts";
import { withSetting } from "../mount/_uring.ts";
import { GOOD_SIZE, LOST_FROM, makeFailingDevice } from "./_failing_device.ts";
import { emptyFile, torture } from "./_harness.ts";
import { amount, isFull, tell } from "./_scale.ts";

/** Seconds for the writes of one export. */
const LIMIT_S = isFull ? 1800 : 150;
const CLIENTS = 4;

/**
 * A client: writes blocks of its own, each with a new number, and prints how
 * many writes it made to the good and to the lost part, how many of them failed
 * there, and the last acknowledged number of each block.
 */
const WRITER = `
import json, os, random, struct, sys
path, me, clients, count, good, lost, flags = sys.argv[1], *map(int, sys.argv[2:8])
chance = random.Random(me)
fd = os.open(path, os.O_RDWR | flags)
made, failed, last = [0, 0], [0, 0], {}
for number in range(1, count + 1):
    loses = chance.random() < 0.3
    blocks = 8192 if loses else good // 4096
    first = lost // 4096 if loses else 0
    block = first + chance.randrange(blocks // clients) * clients + me
    made[loses] += 1
    try:
        os.pwrite(fd, struct.pack("<IIQ", 0x6d717775, me, number) * 256, block * 4096)
        last[block] = number
    except OSError:
        failed[loses] += 1
        last.pop(block, None)
print(json.dumps({"made": made, "failed": failed, "last": last}))
os._exit(0)
`;

/** What a client prints. Of two numbers, the second is of the lost part. */
interface Figures {
  readonly made: readonly [number, number];
  readonly failed: readonly [number, number];
  readonly last: Readonly<Record<string, number>>;
}

async function runWriter(
  path: string,
  client: number,
  count: number,
  flags: number,
): Promise<Figures> {
  const numbers = [client, CLIENTS, count, GOOD_SIZE, LOST_FROM, flags];
  const limit = ["-k", "2", `${LIMIT_S}`];
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: [...limit, "python3", "-c", WRITER, path, ...numbers.map(String)],
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

/** Requires that every acknowledged block is on the device. */
async function checkBlocks(path: string, all: Figures[]): Promise<void> {
  // Drops the device's page cache, in which lost writes still are.
  await must("blockdev", "--flushbufs", path);
  using file = await Deno.open(path);
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  for (const [client, { last }] of all.entries()) {
    for (const [block, number] of Object.entries(last)) {
      await file.seek(Number(block) * 4096, Deno.SeekMode.Start);
      assertEquals(await file.read(bytes), 4096);
      const found = [view.getUint32(4, true), view.getBigUint64(8, true)];
      assertEquals(found, [client, BigInt(number)], `block ${block}`);
    }
  }
}

/** Adds the two figures of all clients. */
function sumOf(all: Figures[], name: "made" | "failed"): [number, number] {
  const sum: [number, number] = [0, 0];
  for (const { [name]: [good, lost] } of all) {
    sum[0] += good;
    sum[1] += lost;
  }
  return sum;
}

async function writeAll(
  directory: string,
  options: readonly string[],
  count: number,
  flags: number,
): Promise<void> {
  await using device = await makeFailingDevice(directory, "disk");
  const mountpoint = await emptyFile(`${directory}/mnt.img`);
  const args = ["-w", ...options, device.path, mountpoint];
  await using process = await ExportProcess.start(args, { lifeS: LIMIT_S });
  const all = await Promise.all(
    Array.from(
      { length: CLIENTS },
      (_, i) => runWriter(mountpoint, i, Math.ceil(count / CLIENTS), flags),
    ),
  );
  process.signal("SIGTERM");
  const { code, stderr } = await within(process.ended, "ending");
  const [good, lost] = sumOf(all, "made");
  const [wrong, told] = sumOf(all, "failed");
  const how = `${options.join(" ")} flags ${flags}`;
  tell(
    `${how}: ${
      lost - told
    } of ${lost} lost writes acknowledged, ${wrong} of ${good} others failed`,
  );
  assertEquals(told, lost, `${how}: lost writes were acknowledged`);
  assert(lost > 0 && good > lost);
  await checkBlocks(device.path, all);
  // Every client was told by the result of its write.
  assertEquals(code, 0, stderr);
}

const O_DSYNC = 0o10000;

for (const transport of ["device", "uring"]) {
  torture(
    `no lost write is acknowledged with writethrough or O_DSYNC, over ${transport}`,
    async (directory) => {
      const setting = transport === "uring" ? "Y" : "N";
      const count = amount(200, 100_000);
      await withSetting(setting, async () => {
        for (const queues of isFull ? [1, 2, 4] : [4]) {
          for (const flags of [0, O_DSYNC]) {
            const options = [`--transport=${transport}`, `-q${queues}`];
            if (flags === 0) options.push("--writethrough");
            const part = await Deno.makeTempDir({ dir: directory });
            // Both count errors in the same way; one is tried at length.
            await writeAll(part, options, count / (flags === 0 ? 1 : 5), flags);
          }
        }
      });
    },
    { programs: ["mount", "python3", "blockdev"], limitS: LIMIT_S },
  );
}
