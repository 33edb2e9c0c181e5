/**
 * Ways to damage a message.
 *
 * @module
 */
import type { Random } from "../_random.ts";

/** Values that often find errors. */
const NASTY = [
  0,
  1,
  7,
  8,
  0x7f,
  0x80,
  0xff,
  0x100,
  0xfff,
  0x1000,
  0x1001,
  0x7fff,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff8,
  0xffff_ffff,
];

/** A damaged copy of a message; sometimes its `len` is corrected. */
export function mutate(
  bytes: Uint8Array,
  random: Random,
): Uint8Array<ArrayBuffer> {
  let message = bytes.slice();
  const times = 1 + random.below(4);
  for (let i = 0; i < times; i++) message = damage(message, random);
  if (message.length >= 4 && !random.oneIn(8)) {
    new DataView(message.buffer).setUint32(0, message.length, true);
  }
  return message;
}

function damage(
  message: Uint8Array<ArrayBuffer>,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const { length } = message;
  if (length === 0) return random.bytes(1 + random.below(64));
  const at = random.below(length);
  switch (random.below(9)) {
    case 0:
      message[at]! ^= 1 << random.below(8);
      return message;
    case 1:
      message[at] = random.below(256);
      return message;
    case 2:
      return setWord(message, at, random.pick(NASTY));
    case 3:
      return message.slice(0, at);
    case 4:
      return joined(message, random.bytes(1 + random.below(40)));
    case 5:
      return joined(message, new Uint8Array(8 * random.below(4)));
    case 6:
      return message.fill(random.oneIn(2) ? 0 : 0x41, at);
    case 7:
      return opcodeOf(message, random);
    default:
      return joined(message.slice(0, at), message.slice(random.below(length)));
  }
}

/** Writes a word at a boundary, where fields are. */
function setWord(
  message: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  const start = at & ~3;
  if (start + 4 <= message.length) {
    new DataView(message.buffer).setUint32(start, value, true);
  }
  return message;
}

/** Changes the opcode of a request, or adds extensions. */
function opcodeOf(
  message: Uint8Array<ArrayBuffer>,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(message.buffer);
  if (message.length >= 40 && random.oneIn(2)) {
    view.setUint16(36, random.below(8), true);
  } else if (message.length >= 8) {
    view.setUint32(4, random.below(60), true);
  }
  return message;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(a.length + b.length);
  message.set(a);
  message.set(b, a.length);
  return message;
}
