// deno-lint-ignore-file no-console -- a program: it talks to a terminal
/**
 * Simulated requests a second, checker on: a client with 16 reads or writes in
 * flight, two queues, the null disk, a model that compares every byte. Blocks
 * of 512 bytes, so that copying and comparing do not hide the requests'
 * own cost; the clock stands still: `deno run bench/sim_speed.ts`. Not for
 * `deno bench`, in which these runs do not come to an end.
 */
import { NullBackend } from "../src/backends/null_backend.ts";
import { BlockExport, exportWish } from "../src/export/block_export.ts";
import { ExportState } from "../src/export/export_state.ts";
import { CheckedFile } from "../sim/checked_file.ts";
import { Checker } from "../sim/checker.ts";
import { SimClient } from "../sim/client.ts";
import { SimKernel } from "../sim/kernel.ts";
import { DiskModel } from "../sim/model.ts";
import { serveInThread } from "../sim/server.ts";

const SIZE = 1 << 24;
const BLOCK = 512;
const DEPTH = 16;
const REQUESTS = 20_000;
const ROUNDS = 10;

async function start() {
  const checker = new Checker();
  const kernel = new SimKernel({
    queues: 2,
    capacity: DEPTH,
    maxPayload: 1 << 20,
    onTaken: (taken) => checker.taken(taken),
    onReply: (reply) => checker.replied(reply),
  });
  const rules = { writable: true, growable: false, allowOther: false };
  const state = ExportState.create({
    size: SIZE,
    mode: 0o600,
    uid: 0,
    gid: 0,
    oneThread: true,
  });
  await serveInThread(kernel, {
    wish: exportWish(rules),
    handler: () =>
      new BlockExport({ backend: new NullBackend(SIZE), state, rules }),
  });
  const file = await new SimClient(kernel).open(2);
  const checked = new CheckedFile(file, new DiskModel({ size: SIZE }));
  return { kernel, checker, checked };
}

async function run(isWrite: boolean): Promise<void> {
  const { kernel, checker, checked } = await start();
  let next = 0;
  const lane = async () => {
    const bytes = new Uint8Array(BLOCK);
    while (next < REQUESTS) {
      const at = (next++ * 7919 % (SIZE / BLOCK)) * BLOCK;
      if (isWrite) await checked.aioWrite(bytes, at);
      else await checked.aioRead(bytes, at);
    }
  };
  await Promise.all(Array.from({ length: DEPTH }, lane));
  const fault = checker.check(kernel);
  if (fault !== null) throw new Error(fault);
  kernel.unmount();
  // Lets the serve loops end.
  await new Promise((resolve) => setImmediate(resolve));
}

for (const isWrite of [false, true]) {
  await run(isWrite);
  const start = performance.now();
  for (let i = 0; i < ROUNDS; i++) await run(isWrite);
  const seconds = (performance.now() - start) / 1000;
  const rate = Math.round(ROUNDS * REQUESTS / seconds);
  console.log(`${isWrite ? "WRITE" : "READ"}: ${rate} requests/s`);
}
