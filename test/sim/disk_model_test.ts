import { assertEquals, assertThrows } from "@std/assert";
import { CheckedFile } from "../../sim/oracle/checked_file.ts";
import { DiskModel } from "../../sim/oracle/disk_model.ts";
import { ModelMismatch } from "../../sim/oracle/model_calls.ts";
import { exported } from "./_fixtures.ts";

const fill = (value: number, length = 8) => new Uint8Array(length).fill(value);

function write(model: DiskModel, position: number, value: number, length = 8) {
  const token = model.beginWrite(position, fill(value, length));
  model.endWrite(token, length);
}

function read(model: DiskModel, position: number, bytes: Uint8Array) {
  model.endRead(model.beginRead(position, bytes.length), bytes);
}

function misread(model: DiskModel, position: number, bytes: Uint8Array) {
  return assertThrows(() => read(model, position, bytes), ModelMismatch);
}

Deno.test("DiskModel accepts what was written last", () => {
  const model = new DiskModel({ size: 100_000 });
  write(model, 65_530, 1, 20);
  write(model, 65_534, 2, 4);
  read(model, 65_529, Uint8Array.of(0, 1, 1, 1, 1, 2, 2, 2, 2, 1));
});

Deno.test("DiskModel finds one wrong byte and says where", () => {
  const model = new DiskModel({ size: 100_000 });
  write(model, 65_530, 1, 20);
  const bytes = fill(1, 20);
  bytes[11] = 9;
  const error = misread(model, 65_530, bytes);
  assertEquals(error.position, 65_541);
  assertEquals(error.message, "Cannot have read 9 at 65541: expected 1");
});

Deno.test("DiskModel starts with the initial bytes", () => {
  const initial = (position: number, into: Uint8Array) => {
    for (let i = 0; i < into.length; i++) into[i] = (position + i) & 0xff;
  };
  const model = new DiskModel({ size: 200_000, initial });
  read(model, 131_070, Uint8Array.of(254, 255, 0, 1));
  misread(model, 131_070, Uint8Array.of(254, 255, 0, 0));
});

Deno.test("DiskModel finds reads of the wrong length", () => {
  const model = new DiskModel({ size: 10 });
  const short = model.beginRead(0, 8);
  assertThrows(() => model.endRead(short, fill(0, 7)), ModelMismatch);
  const beyond = model.beginRead(8, 8);
  assertThrows(() => model.endRead(beyond, fill(0, 8)), ModelMismatch);
  const end = model.beginRead(8, 8);
  model.endRead(end, fill(0, 2));
  read(model, 20, fill(0, 0));
});

Deno.test("DiskModel accepts either byte while a write is under way", () => {
  const model = new DiskModel({ size: 100 });
  write(model, 0, 1);
  const writing = model.beginWrite(0, fill(2));
  read(model, 0, Uint8Array.of(1, 2, 1, 2, 2, 2, 2, 2));
  misread(model, 0, Uint8Array.of(1, 2, 3, 2, 2, 2, 2, 2));
  model.endWrite(writing, 8);
  read(model, 0, fill(2));
  misread(model, 0, fill(1));
});

Deno.test("DiskModel accepts a read that begins before and ends after a write", () => {
  const model = new DiskModel({ size: 100 });
  write(model, 0, 1);
  const early = model.beginRead(0, 8);
  write(model, 0, 2);
  // Later reads must see the write; the early one need not.
  misread(model, 0, fill(1));
  read(model, 0, fill(2));
  model.endRead(early, fill(1));
  misread(model, 0, fill(1));
});

Deno.test("DiskModel accepts either of two writes at the same time", () => {
  const concurrent = () => {
    const model = new DiskModel({ size: 100 });
    const one = model.beginWrite(0, fill(1));
    const two = model.beginWrite(4, fill(2));
    model.endWrite(two, 8);
    model.endWrite(one, 8);
    return model;
  };
  for (const middle of [1, 2]) {
    const model = concurrent();
    read(
      model,
      0,
      Uint8Array.of(1, 1, 1, 1, middle, middle, middle, middle, 2),
    );
  }
  const model = concurrent();
  misread(model, 0, Uint8Array.of(2));
  misread(model, 4, Uint8Array.of(0));
  misread(model, 8, Uint8Array.of(1));
  // The result of the first read stays.
  read(model, 4, Uint8Array.of(2, 1));
  misread(model, 4, Uint8Array.of(1));
  misread(model, 5, Uint8Array.of(2));
  write(model, 0, 3, 16);
  read(model, 0, fill(3, 16));
  misread(model, 4, Uint8Array.of(1));
});

Deno.test("DiskModel accepts any part of a failed write", () => {
  const model = new DiskModel({ size: 100 });
  const failed = model.beginWrite(0, fill(1));
  model.endWrite(failed, -1);
  read(model, 0, Uint8Array.of(0, 1, 0, 1));
  misread(model, 0, Uint8Array.of(2));
  write(model, 0, 4);
  read(model, 0, fill(4));
  misread(model, 0, fill(1));
});

Deno.test("DiskModel accepts a lost write later, until forgetLost()", () => {
  const model = new DiskModel({ size: 100 });
  model.mayComeLate(0, fill(1));
  write(model, 0, 2);
  read(model, 0, Uint8Array.of(2, 1, 2, 1));
  read(model, 0, fill(2));
  misread(model, 0, Uint8Array.of(0));
  model.forgetLost();
  read(model, 0, fill(1));
  misread(model, 0, fill(2));
});

Deno.test("DiskModel finds writes of the wrong length", () => {
  const model = new DiskModel({ size: 10 });
  const short = model.beginWrite(0, fill(1));
  assertThrows(() => model.endWrite(short, 7), ModelMismatch);
  const beyond = model.beginWrite(8, fill(1));
  assertThrows(() => model.endWrite(beyond, 8), ModelMismatch);
  const end = model.beginWrite(8, fill(1));
  model.endWrite(end, 2);
  assertEquals(model.size, 10);
});

Deno.test("DiskModel grows and shrinks", () => {
  const model = new DiskModel({ size: 10, growable: true });
  write(model, 20, 1);
  assertEquals(model.size, 28);
  read(model, 18, Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  model.resize(24);
  model.resize(30);
  const read8 = model.beginRead(22, 8);
  model.endRead(read8, Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0));
});

Deno.test("DiskModel grows where space is reserved, and never shrinks", () => {
  const model = new DiskModel({ size: 10 });
  write(model, 0, 1);
  model.endReserve(model.beginReserve(2, 5), "done");
  assertEquals(model.size, 10);
  read(model, 0, Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1, 0, 0));
  model.endReserve(model.beginReserve(5, 15), "done");
  model.sawSize(20);
  assertThrows(() => model.sawSize(21), ModelMismatch);
  model.endReserve(model.beginReserve(20, 10), "failed");
  model.sawSize(20);
});

Deno.test("CheckedFile finds a disk that loses a write", async () => {
  const { kernel, client, server } = await exported();
  const file = await client.open(2);
  const model = new DiskModel({ size: 1 << 20 });
  const checked = new CheckedFile(file, model);
  await checked.pwrite(fill(5, 10_000), 123);
  assertEquals(await checked.pread(new Uint8Array(20_000), 0), 20_000);
  // Unknown to the model: this is what a lost write or a misrouted read looks
  // like.
  await file.pwrite(fill(6, 1), 5000);
  const caught: unknown = await checked.pread(new Uint8Array(20_000), 0)
    .catch((error) => error);
  assertEquals((caught as ModelMismatch).name, "ModelMismatch");
  assertEquals((caught as ModelMismatch).position, 5000);
  await file.close();
  kernel.unmount();
  await server.ended;
});

Deno.test("CheckedFile agrees with an export under overlapping load", async () => {
  const { kernel, client, server } = await exported({
    size: 300_000,
    kernel: { queues: 3, layout: "separate" },
  });
  const model = new DiskModel({ size: 300_000 });
  const files = await Promise.all([1, 2, 3, 4].map(() => client.open(2)));
  let seed = 1;
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % limit;
  };
  for (let round = 0; round < 60; round++) {
    await Promise.all(files.map(async (plain) => {
      const file = new CheckedFile(plain, model);
      const position = random(300_000);
      const length = 1 + random(150_000);
      switch (random(6)) {
        case 0:
          await file.pwrite(fill(random(256), length), position);
          break;
        case 1:
          // An asynchronous write fails if it is cut short at the end.
          await file.aioWrite(
            fill(random(256), Math.min(length, 300_000 - position)),
            position,
          );
          break;
        case 2:
          await file.zero(position, length, { unmap: true });
          break;
        case 3:
          await file.aioRead(new Uint8Array(length), position);
          break;
        default:
          await file.pread(new Uint8Array(length), position);
      }
    }));
  }
  kernel.unmount();
  await server.ended;
  assertEquals(kernel.violations, []);
});
