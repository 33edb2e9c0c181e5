import { GRAIN_MARKER } from "./constants.ts";

/**
 * The stream of a grain, after its marker: the first sector of the grain in 8
 * bytes, then how long the stream is in 4.
 *
 * @param bytes What was read of the file.
 * @returns `null` if the marker says more than that.
 */
export function streamAfterMarker(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length <= GRAIN_MARKER) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = GRAIN_MARKER + view.getUint32(8, true);
  if (end === GRAIN_MARKER || end > bytes.length) return null;
  return bytes.subarray(GRAIN_MARKER, end);
}
