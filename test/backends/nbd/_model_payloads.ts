/** Payloads of the chunks of a model server's structured replies. */

/** Data of a disk that begin at a position of it. */
export function dataPayload(position: number, data: Uint8Array): Uint8Array {
  const payload = new DataView(new ArrayBuffer(8 + data.length));
  payload.setBigUint64(0, BigInt(position));
  new Uint8Array(payload.buffer).set(data, 8);
  return new Uint8Array(payload.buffer);
}

/** A range of zeroes. */
export function holePayload(position: number, length: number): Uint8Array {
  const payload = new DataView(new ArrayBuffer(12));
  payload.setBigUint64(0, BigInt(position));
  payload.setUint32(8, length);
  return new Uint8Array(payload.buffer);
}

/** The first extent of a range: as many bytes as are zero, or are not. */
export function extentPayload(disk: Uint8Array, from: number, count: number) {
  const isZero = (position: number) => disk[position] === 0;
  let end = 1;
  while (end < count && isZero(from + end) === isZero(from)) end++;
  const payload = new DataView(new ArrayBuffer(12));
  payload.setUint32(0, 9);
  payload.setUint32(4, end);
  payload.setUint32(8, isZero(from) ? 3 : 0);
  return new Uint8Array(payload.buffer);
}
