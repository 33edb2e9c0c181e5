import { assertEquals } from "@std/assert";
import { ERRNO } from "../../src/base/errno.ts";
import { FALLOC_FL } from "../../src/base/file_flags.ts";
import type { ExportRules } from "../../src/export/export_context.ts";
import { type Random, randomly } from "../_random.ts";
import type { Client } from "./_client.ts";
import { testExport } from "./_fixtures.ts";

const START = 70_001;
const LIMIT = 200_000;
const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FALLOC_FL;
const MODES = [
  0,
  KEEP_SIZE,
  PUNCH_HOLE | KEEP_SIZE,
  ZERO_RANGE | KEEP_SIZE,
  ZERO_RANGE,
];

/** What happens at the end of the image. */
type Rules = Pick<ExportRules, "growable" | "truncate">;
const RULES: Readonly<Record<string, Rules>> = {
  "a growable image": { growable: true },
  "an image of fixed size": { growable: false },
  "an image that is zeroed": { growable: false, truncate: "zero" },
  "an image resized as by QEMU": { growable: false, truncate: "as-qemu" },
};

/** The file as a plain array of bytes. */
class Model {
  bytes: number[] = new Array(START).fill(0);
  readonly rules: Rules;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  read(offset: number, size: number): number[] {
    return this.bytes.slice(offset, offset + size);
  }

  write(offset: number, data: Uint8Array): number {
    if (this.rules.growable && data.length > 0) this.grow(offset + data.length);
    const fits = Math.max(0, this.bytes.length - offset);
    const taken = Math.min(data.length, fits);
    if (taken === 0 && data.length > 0) return -ERRNO.ENOSPC;
    for (let i = 0; i < taken; i++) this.bytes[offset + i] = data[i]!;
    return taken;
  }

  truncate(size: number): number {
    const old = this.bytes.length;
    if (size !== old && !this.resizes) {
      if (this.rules.truncate !== "zero" || size > old) return ERRNO.EPERM;
      this.bytes.fill(0, size);
      return 0;
    }
    this.bytes.length = Math.min(size, this.bytes.length);
    this.grow(size);
    return 0;
  }

  fallocate(mode: number, offset: number, length: number): number {
    if (length === 0) return ERRNO.EINVAL;
    const end = offset + length;
    const crosses = end > this.bytes.length;
    if (mode === KEEP_SIZE) {
      return crosses && this.rules.growable ? ERRNO.EOPNOTSUPP : 0;
    }
    if (mode === 0 || mode === ZERO_RANGE) {
      if (crosses && !this.resizes) return ERRNO.EPERM;
      this.grow(end);
    }
    if (mode === 0) return 0;
    const stop = Math.min(end, this.bytes.length);
    for (let i = offset; i < stop; i++) this.bytes[i] = 0;
    return 0;
  }

  get resizes(): boolean {
    return this.rules.growable || this.rules.truncate === "as-qemu";
  }

  grow(size: number): void {
    while (this.bytes.length < size) this.bytes.push(0);
  }
}

async function step(
  client: Client,
  model: Model,
  random: Random,
): Promise<void> {
  const edge = random.pick([0, 4096, 65536, model.bytes.length, LIMIT]);
  const near = Math.max(0, edge + random.below(200) - 100);
  const offset = random.oneIn(2) ? near : random.below(LIMIT);
  const length = random.below(random.pick([2, 100, 65537]));
  switch (random.below(6)) {
    case 0:
      return assertEquals(
        await client.truncate(offset),
        model.truncate(offset),
      );
    case 1: {
      const mode = random.pick(MODES);
      const errno = await client.fallocate(mode, offset, length);
      const expected = model.fallocate(mode, offset, length);
      return assertEquals(errno, expected, `fallocate ${mode}`);
    }
    case 2:
    case 3: {
      const data = random.bytes(length);
      const put = await client.write(offset, data);
      return assertEquals(put, model.write(offset, data));
    }
    default: {
      const { errno, body } = await client.read(offset, length);
      assertEquals(errno, 0);
      assertSame(body!, model.read(offset, length), offset);
    }
  }
}

function assertSame(
  actual: Uint8Array,
  expected: readonly number[],
  offset: number,
): void {
  assertEquals(actual.length, expected.length, `length at ${offset}`);
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  if (at >= 0) assertEquals(actual[at], expected[at], `byte ${offset + at}`);
}

/** Asserts that the extents cover all data, with some bytes around it. */
async function assertSeeks(client: Client, model: Model): Promise<void> {
  const size = model.bytes.length;
  for (let at = 0; at < size;) {
    const data = await client.lseek(at, "DATA");
    const end = data < 0 ? size : data;
    const lost = model.bytes.slice(at, end).findIndex((byte) => byte !== 0);
    assertEquals(lost, -1, `data in a hole from ${at}`);
    if (data < 0) return assertEquals(data, -ERRNO.ENXIO);
    at = await client.lseek(data, "HOLE");
    assertEquals(at > data && at <= size, true, `${data} to ${at} of ${size}`);
  }
}

for (const [kind, rules] of Object.entries(RULES)) {
  testExport(
    `${kind} does as a plain array does`,
    (make) =>
      randomly(4, async (random) => {
        const { client } = make({ size: START, ...rules });
        const model = new Model(rules);
        for (let i = 0; i < 100; i++) {
          await step(client, model, random);
          const { size } = await client.getattr();
          assertEquals(size, BigInt(model.bytes.length));
        }
        assertSame(await client.readAll(), model.bytes, 0);
        await assertSeeks(client, model);
      }),
  );
}
