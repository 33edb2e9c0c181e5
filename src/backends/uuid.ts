/**
 * The text of a GUID: its first three fields are little-endian, as in GPT and
 * VHDX.
 *
 * @param bytes What has it.
 * @param at Where its 16 bytes start.
 */
export function uuidOf(bytes: Uint8Array, at: number): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const digits = order.map((i) => bytes[at + i]!.toString(16).padStart(2, "0"))
    .join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
