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

/** The check of a polynomial, whose lowest term is the highest bit. */
function crcOf(polynomial: number): Crc {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    }
    return crc;
  });
  return (bytes, crc = 0) => {
    let state = ~crc;
    for (let i = 0; i < bytes.length; i++) {
      state = table[(state ^ bytes[i]!) & 0xff]! ^ (state >>> 8);
    }
    return ~state >>> 0;
  };
}
