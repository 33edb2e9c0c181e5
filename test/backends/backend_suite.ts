/**
 * What every backend must do: one suite that runs over each of them.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Backend } from "../../src/backends/backend.ts";
import { randomly } from "../_random.ts";
import { testIf } from "../requirements.ts";
import {
  assertHolds,
  assertReads,
  byteOfPattern,
  type Model,
  readBack,
  walkExtents,
} from "./_image.ts";

/** A backend of the given size. */
export interface Opened {
  /** The backend. */
  readonly backend: Backend;
  /** Releases what the backend leaves open. */
  readonly end?: () => void | Promise<void>;
}

/** How one backend differs from another. */
export interface Traits {
  /** The start of the tests' names. */
  readonly name: string;
  /**
   * The bytes of a new image: zeroes, the pattern of their positions, or its own,
   * which the suite reads first; zeroes if left out.
   */
  readonly content?: "zeroes" | "pattern" | "its own";
  /** How it handles writes; keeps them if left out. */
  readonly writes?: "kept" | "forgotten" | "refused";
  /** How far its size can change; up and down if left out. */
  readonly resizes?: "up and down" | "down" | "never";
  /** Whether it can be as large as 6 GiB; yes if left out. */
  readonly large?: boolean;
  /** Why the tests cannot run; "" if they can. */
  readonly missing?: string;
  /** Makes a backend of a size in bytes. */
  readonly open: (size: number) => Opened | Promise<Opened>;
}

/** A multiple of 4 KiB that is not one of 64 KiB. */
const SIZE = 81 * 4096;
const EDGES = [0, 1, 7, 8, 511, 512, 4095, 4096, 65535, 65536, SIZE - 1, SIZE];
const FAR = 6 * 2 ** 30;
/** No byte of it is 0. */
const FILLED = Uint8Array.from({ length: SIZE }, (_, i) => 1 + i % 251);

/** Registers the suite for one backend. */
export function testBackend(traits: Traits): void {
  const { name, missing = "", writes = "kept" } = traits;
  const { resizes = "up and down", large = true } = traits;
  const test = (what: string, body: Body, size = SIZE) =>
    testIf(missing, `${name} ${what}`, () => withBackend(traits, size, body));
  test("has the size that it was created with", tellsItsSize);
  test("reads between any two boundaries", readsAnywhere);
  test("reads into any part of any buffer", readsIntoBuffers);
  test("returns extents that end and agree with the data", givesExtents);
  test("flushes", flushes);
  if (large) test("reads beyond 4 GiB", readsFar, FAR);
  if (writes === "refused") return test("refuses changes", refusesChanges);
  test("writes between any two boundaries", writesAnywhere);
  test("zeroes ranges, with unmap or without", zeroesAnywhere);
  test("allocates without changing a byte", allocatesSpace);
  test("agrees with an array", agreesWithArray);
  test("sets one time and leaves the other", setsTimes);
  if (writes === "forgotten") return;
  test("takes the space of written bytes", takesSpace);
  if (large) test("writes beyond 4 GiB", writesFar, FAR);
  if (resizes === "never") return test("keeps its size", keepsItsSize);
  test("reads zeroes after it was truncated and grew again", cutsAndGrows);
  if (resizes === "up and down") test("grows with zeroes", growsWithZeroes);
}

type Body = (backend: Backend, model: Model) => void | Promise<void>;

async function withBackend(
  traits: Traits,
  size: number,
  body: Body,
): Promise<void> {
  const { backend, end } = await traits.open(size);
  try {
    const length = Math.min(size, SIZE);
    await body(backend, {
      bytes: await contentOf(backend, traits.content ?? "zeroes", length),
      keeps: (traits.writes ?? "kept") === "kept",
    });
  } finally {
    await backend.close();
    await end?.();
  }
}

async function contentOf(
  backend: Backend,
  content: NonNullable<Traits["content"]>,
  length: number,
): Promise<Uint8Array> {
  switch (content) {
    case "zeroes":
      return new Uint8Array(length);
    case "pattern":
      return Uint8Array.from({ length }, (_, i) => byteOfPattern(i));
    case "its own":
      return await readBack(backend, 0, length);
  }
}

async function tellsItsSize(backend: Backend): Promise<void> {
  const { size, allocated, blockSize } = await backend.stat();
  assertEquals(size, SIZE);
  assert(allocated === null || (allocated >= 0 && allocated <= SIZE + 65536));
  assert(blockSize >= 512);
  assert(backend.name.length > 0);
}

async function readsAnywhere(backend: Backend, model: Model): Promise<void> {
  await fill(backend, model);
  for (const from of EDGES) {
    for (const to of EDGES.filter((edge) => edge >= from)) {
      await assertReads(backend, model, from, to - from);
    }
  }
}

async function readsIntoBuffers(backend: Backend, model: Model): Promise<void> {
  await fill(backend, model);
  const buffers = [
    new Uint8Array(200),
    new Uint8Array(new ArrayBuffer(300), 13, 200),
    new Uint8Array(new SharedArrayBuffer(300), 5, 200),
  ];
  for (const buffer of buffers) {
    for (const start of [0, 1, 100]) {
      buffer.fill(0xee);
      assertEquals(await backend.read(4093, buffer, start, 100), 100);
      assertEquals(
        buffer.slice(start, start + 100),
        model.bytes.slice(4093, 4193),
      );
      const rest = [buffer.subarray(0, start), buffer.subarray(start + 100)];
      for (const outside of rest) {
        assert(outside.every((byte) => byte === 0xee));
      }
    }
  }
}

async function givesExtents(backend: Backend, model: Model): Promise<void> {
  const write = async (position: number, length: number) => {
    if (!backend.writable) return;
    const data = new Uint8Array(length).fill(7);
    assertEquals(await backend.write(position, data, 0, length), length);
    if (model.keeps) model.bytes.set(data, position);
  };
  await walkExtents(backend, model);
  await write(SIZE - 1, 1);
  await walkExtents(backend, model);
  await write(131072, 65536);
  await walkExtents(backend, model);
  await write(0, 1);
  await walkExtents(backend, model);
}

async function flushes(backend: Backend): Promise<void> {
  assertEquals(await backend.flush(), 0);
}

async function readsFar(backend: Backend, model: Model): Promise<void> {
  const isZero = model.bytes.every((byte) => byte === 0);
  const isPattern = model.bytes.every((byte, i) => byte === byteOfPattern(i));
  const positions = [2 ** 31 - 3, 2 ** 32 - 5, 2 ** 32, 5 * 2 ** 30 + 3];
  for (const position of [...positions, FAR - 9]) {
    const bytes = await readBack(backend, position, 9);
    for (const [i, byte] of bytes.entries()) {
      const at = position + i;
      const expected = isZero
        ? 0
        : isPattern
        ? byteOfPattern(at)
        : (await readBack(backend, at, 1))[0];
      assertEquals(byte, expected, `at ${at}`);
    }
  }
}

async function refusesChanges(backend: Backend): Promise<void> {
  const results = [
    await backend.write(0, new Uint8Array(1), 0, 1),
    await backend.truncate(0),
    await backend.zero(0, 1, { unmap: true }),
    await backend.allocate(0, 1),
  ];
  assertEquals(backend.writable, false);
  for (const result of results) assert(result < 0, `${result}`);
}

async function writesAnywhere(backend: Backend, model: Model): Promise<void> {
  let byte = 1;
  for (const from of EDGES) {
    for (const to of EDGES.filter((edge) => edge > from)) {
      const length = to - from;
      byte = byte % 250 + 1;
      // Bytes of the buffer outside of the range must not be written.
      const start = byte % 3;
      const data = new Uint8Array(start + length + 3);
      data.fill(byte, start, start + length);
      assertEquals(await backend.write(from, data, start, length), length);
      if (model.keeps) model.bytes.fill(byte, from, to);
      await assertReads(backend, model, Math.max(0, from - 1), 3);
      await assertReads(backend, model, Math.max(0, to - 2), 3);
    }
  }
  await assertHolds(backend, model);
}

async function zeroesAnywhere(backend: Backend, model: Model): Promise<void> {
  const ranges = [
    [0, 1],
    [511, 2],
    [4096, 4096],
    [8191, 4098],
    [65535, 65538],
    [131072, 131072],
    [SIZE - 4097, 4097],
    [1, SIZE - 2],
    [0, SIZE],
  ] as const;
  for (const unmap of [true, false]) {
    for (const [position, length] of ranges) {
      await fill(backend, model);
      assertEquals(await backend.zero(position, length, { unmap }), 0);
      model.bytes.fill(0, position, position + length);
      await assertHolds(backend, model);
    }
  }
  await walkExtents(backend, model);
}

async function allocatesSpace(backend: Backend, model: Model): Promise<void> {
  await fill(backend, model);
  assertEquals(await backend.zero(65536, 131072, { unmap: true }), 0);
  model.bytes.fill(0, 65536, 65536 + 131072);
  const result = await backend.allocate(61440, 102400);
  assert(result === 0 || result === -95, `${result}`);
  await assertHolds(backend, model);
  assertEquals((await backend.stat()).size, SIZE);
}

async function takesSpace(backend: Backend): Promise<void> {
  const allocated = async () => (await backend.stat()).allocated ?? SIZE;
  const before = await allocated();
  const data = new Uint8Array(131072).fill(1);
  await backend.write(65536, data, 0, data.length);
  await backend.flush();
  const after = await allocated();
  assert(after === before || after >= before + 131072 - 65536, `${after}`);
  assertEquals(await backend.zero(65536, 131072, { unmap: true }), 0);
  assertLessOrEqual(await allocated(), after);
}

function agreesWithArray(backend: Backend, model: Model): Promise<void> {
  return randomly(3, async (random) => {
    const data = random.bytes(SIZE);
    await fill(backend, model);
    for (let step = 0; step < 60; step++) {
      const position = random.below(SIZE);
      const most = random.pick([10, 5000, SIZE]);
      const length = 1 + random.below(Math.min(most, SIZE - position));
      if (random.oneIn(2)) {
        assertEquals(await backend.write(position, data, 0, length), length);
        if (model.keeps) {
          model.bytes.set(data.subarray(0, length), position);
        }
      } else {
        const unmap = random.oneIn(2);
        assertEquals(await backend.zero(position, length, { unmap }), 0);
        model.bytes.fill(0, position, position + length);
      }
    }
    await assertHolds(backend, model);
    await walkExtents(backend, model);
  });
}

async function writesFar(backend: Backend): Promise<void> {
  const positions = [2 ** 31 - 3, 2 ** 32 - 3, 5 * 2 ** 30, FAR - 6];
  for (const [i, position] of positions.entries()) {
    const data = new Uint8Array(6).fill(i + 1);
    assertEquals(await backend.write(position, data, 0, 6), 6);
  }
  for (const [i, position] of positions.entries()) {
    const bytes = await readBack(backend, position, 6);
    assertEquals([...bytes], Array(6).fill(i + 1), `at ${position}`);
  }
  assertEquals(await backend.zero(2 ** 32 - 3, 3, { unmap: true }), 0);
  const bytes = await readBack(backend, 2 ** 32 - 3, 6);
  assertEquals([...bytes], [0, 0, 0, 2, 2, 2]);
}

async function setsTimes(backend: Backend): Promise<void> {
  const { times } = await backend.stat();
  if (times === null) return;
  assertEquals(await backend.setTimes(1_000_000_001n, null), 0);
  assertEquals(await backend.setTimes(null, 2_000_000_002n), 0);
  const set = (await backend.stat()).times;
  assertEquals([set?.atime, set?.mtime], [1_000_000_001n, 2_000_000_002n]);
}

async function keepsItsSize(backend: Backend): Promise<void> {
  assert(await backend.truncate(SIZE / 2) < 0);
  assertEquals((await backend.stat()).size, SIZE);
}

async function cutsAndGrows(backend: Backend, model: Model): Promise<void> {
  for (const cut of [SIZE - 1, 200001, 131072, 65537, 1, 0]) {
    await fill(backend, model);
    assertEquals(await backend.truncate(cut), 0);
    assertEquals((await backend.stat()).size, cut);
    assertEquals(await backend.truncate(SIZE), 0);
    assertEquals((await backend.stat()).size, SIZE);
    model.bytes.fill(0, cut);
    await assertHolds(backend, model);
    await walkExtents(backend, model);
  }
}

async function growsWithZeroes(backend: Backend, model: Model): Promise<void> {
  await fill(backend, model);
  const larger = SIZE + 200_001;
  assertEquals(await backend.truncate(larger), 0);
  assertEquals((await backend.stat()).size, larger);
  await assertHolds(backend, model);
  const rest = await readBack(backend, SIZE, larger - SIZE);
  assert(rest.every((byte) => byte === 0));
  assertEquals(await backend.write(larger - 1, Uint8Array.of(9), 0, 1), 1);
  assertEquals([...await readBack(backend, larger - 2, 2)], [0, 9]);
}

/** Writes over all of it, where writing is supported. */
async function fill(backend: Backend, model: Model): Promise<void> {
  if (!backend.writable) return;
  assertEquals(await backend.write(0, FILLED, 0, SIZE), SIZE);
  if (model.keeps) model.bytes.set(FILLED);
}
