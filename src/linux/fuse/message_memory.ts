import type { MessageMemory } from "../../queue/message_memory.ts";
import { mapResident, type ResidentMapping } from "../syscall/memory.ts";
import { resultOrNull } from "../syscall/system_error.ts";

/** How much memory there is for messages. */
export interface ResidentTotal {
  /** Bytes. */
  readonly size: number;
  /** Whether all of it is locked. */
  readonly locked: boolean;
}

/**
 * Memory for the messages of one thread. Its pages are allocated at once and
 * locked, so that serving a request needs no new page: while memory is short,
 * the kernel gets pages by writing back dirty data, possibly through this very
 * server.
 */
export class ResidentMessages {
  #size = 0;
  #locked = true;

  /** The memory that was provided so far. */
  get total(): ResidentTotal {
    return { size: this.#size, locked: this.#locked };
  }

  /**
   * Provides memory; see `AllocateMessages`.
   *
   * @param size Bytes: whole pages.
   */
  allocate(size: number): MessageMemory | null {
    const mapping = resultOrNull(() => mapResident(size));
    if (mapping === null) return null;
    this.add(mapping);
    return {
      bytes: new Uint8Array(mapping.buffer),
      release: () => mapping.unmap(),
    };
  }

  /** Counts memory for messages that this thread has from elsewhere. */
  add({ buffer, locked }: ResidentMapping): void {
    this.#size += buffer.byteLength;
    this.#locked &&= locked;
  }
}
