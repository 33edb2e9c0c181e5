import type { ConnectedSocket } from "../../backends/services.ts";
import { ERRNO, errnoName } from "../../base/errno.ts";
import { UserError } from "../../base/user_error.ts";
import type { ByteStream, StreamOwner } from "../../event/byte_stream.ts";
import { closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { pointerOf } from "../syscall/ffi_values.ts";
import { errno, libc } from "../syscall/libc.ts";
import { PolledStream } from "./polled_stream.ts";
import { MSG_NOSIGNAL, SocketWait } from "./socket.ts";
import type { SocketPoll } from "./socket_poll.ts";

const F_SETFL = 4;

/** Makes a stream of a blocking socket, and closes it. */
export type StreamMaker = (fd: number, owner: StreamOwner) => ByteStream | null;

/** A connected, non-blocking socket. */
export class LinuxConnectedSocket implements ConnectedSocket {
  readonly #fd: number;
  readonly #name: string;
  readonly #poll: SocketPoll;
  readonly #wait: SocketWait;
  readonly #deadline: number;
  readonly #makeStream: StreamMaker;
  #isClosed = false;

  /**
   * Wraps a socket, and closes it and its poll.
   *
   * @param name The peer's name in errors.
   * @param deadline When the handshake must have ended, in the time of
   * `performance.now()`.
   */
  constructor(
    fd: number,
    name: string,
    poll: SocketPoll,
    deadline: number,
    makeStream: StreamMaker,
  ) {
    this.#fd = fd;
    this.#name = name;
    this.#poll = poll;
    this.#wait = new SocketWait(fd, poll);
    this.#deadline = deadline;
    this.#makeStream = makeStream;
  }

  async send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done);
      const put = libc().send(
        this.#fd,
        part,
        BigInt(part.length),
        MSG_NOSIGNAL,
      );
      if (put > 0) done += put;
      else await this.#again(put < 0 ? errno() : ERRNO.EPIPE, "writable");
    }
  }

  async receive(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const part = bytes.subarray(done);
      const got = libc().read(this.#fd, pointerOf(part), BigInt(part.length));
      if (got === 0) throw this.#failure("its server closed the connection");
      if (got > 0) done += got;
      else await this.#again(errno(), "readable");
    }
    return bytes;
  }

  stream(owner: StreamOwner): ByteStream {
    this.#isClosed = true;
    libc().fcntl(this.#fd, F_SETFL, 0);
    const stream = this.#makeStream(this.#fd, owner);
    if (stream !== null) {
      void this.#poll.close();
      return stream;
    }
    libc().fcntl(this.#fd, F_SETFL, OPEN.NONBLOCK);
    return new PolledStream(this.#fd, this.#wait, this.#poll, owner);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wait.end();
    closeDescriptor(this.#fd);
    void this.#poll.close();
  }

  async #again(error: number, what: "readable" | "writable"): Promise<void> {
    if (error === ERRNO.EINTR) return;
    if (error !== ERRNO.EAGAIN) {
      throw this.#failure(`the connection failed (${errnoName(error)})`);
    }
    const isReady = await this.#wait[what](this.#deadline);
    // Its number may belong to another file by now.
    if (this.#isClosed) throw this.#failure("the connection was closed");
    if (isReady) return;
    throw this.#failure("its server does not answer in time");
  }

  #failure(why: string): UserError {
    return new UserError(
      `Cannot open ${this.#name}: ${why}; check that it is the right server and that it runs`,
    );
  }
}
