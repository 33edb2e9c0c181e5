/**
 * A pipe in which one thread puts a message to a device together: a head from
 * memory, then pieces of files, whose pages the pipe refers to without a copy.
 *
 * It holds one message at a time: `begin()`, `append()` for each piece, then
 * `send()`. A message that is not sent is discarded by the next `begin()`.
 *
 * @category Disks of your own
 */
export interface MessagePipe {
  /**
   * Begins a message, and discards what an earlier one has left.
   *
   * @param memory Memory that begins with the head, which is copied.
   * @param size Bytes of the head: a multiple of 4, at most 64.
   */
  begin(memory: DataView, size: number): void;
  /**
   * Appends bytes of a file. Never waits for room in the pipe.
   *
   * @param fd A descriptor of a regular file or block device.
   * @returns The bytes appended: fewer than `length` at the end of the file,
   * after an error, or if they do not fit; or a negative errno. The message is
   * then of no use.
   */
  append(fd: number, position: number, length: number): number;
  /**
   * Moves the whole message to a device, which takes it as one write(2).
   *
   * @param fd A descriptor of the device.
   * @returns The bytes of the message, or a negative errno.
   */
  send(fd: number): number;
  /**
   * Moves what a failed `send()` has left to memory, up to its length.
   *
   * @returns The bytes, or a negative errno.
   */
  drain(buffer: Uint8Array<ArrayBuffer>): number;
}
