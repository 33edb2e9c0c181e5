/**
 * Cyclic redundancy checks of 32 bits, bit-reflected, with all bits inverted
 * before and after.
 *
 * @module
 */

/** A function that continues a check; it starts from 0. */
export type Crc = (bytes: Uint8Array, crc?: number) => number;

/** The check of zip, Ethernet and GPT. */
export const crc32: Crc = crcOf(0xedb8_8320);

/** CRC-32C (Castagnoli), RFC 3720: the check of iSCSI and VHDX. */
export const crc32c: Crc = crcOf(0x82f6_3b78);

/**
 * The check of a polynomial, whose lowest term is the highest bit. Four bytes are
 * taken at once, each by a table of its own: a table for a byte that others
 * follow is that of the last byte, applied once more for each of them.
 */
function crcOf(polynomial: number): Crc {
  const last = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    }
    return crc;
  });
  const before = (after: Uint32Array) =>
    after.map((crc) => last[crc & 0xff]! ^ (crc >>> 8));
  const third = before(last);
  const second = before(third);
  const first = before(second);
  return (bytes, crc = 0) => {
    let state = ~crc;
    let i = 0;
    for (const whole = bytes.length - 3; i < whole; i += 4) {
      state ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 |
        bytes[i + 3]! << 24;
      state = first[state & 0xff]! ^ second[state >>> 8 & 0xff]! ^
        third[state >>> 16 & 0xff]! ^ last[state >>> 24]!;
    }
    for (; i < bytes.length; i++) {
      state = last[(state ^ bytes[i]!) & 0xff]! ^ (state >>> 8);
    }
    return ~state >>> 0;
  };
}
