/**
 * A mistake of a file system's author.
 *
 * @module
 */
import {
  encodeRequest,
  type RequestParts,
} from "../../src/protocol/message.ts";
import type { OpcodeName } from "../../src/protocol/opcodes.ts";
import type { RequestHandler } from "../../src/queue/request_handler.ts";

/** A request's name, and its parts. */
export type WrongRequest = readonly [OpcodeName, RequestParts<OpcodeName>];

/** A mistake. */
export interface Mistake {
  /** What the handler does. */
  readonly name: string;
  /** The request; a READ of 512 bytes if left out. */
  readonly request?: WrongRequest;
  /** Makes the mistake. */
  readonly handle: RequestHandler["handle"];
  /** What the reports say, in order. */
  readonly reports: readonly RegExp[];
  /** What the reports say that it was made during, if not the request. */
  readonly during?: string;
  /** The error that the caller gets, if not EIO; 0 if the answer is right. */
  readonly errno?: number;
}

const READ: WrongRequest = ["READ", { body: { size: 512 } }];

/** The request of a mistake, as bytes. */
export function requestOf(
  { request = READ }: Mistake,
  unique: bigint,
): Uint8Array<ArrayBuffer> {
  const [name, parts] = request;
  return encodeRequest(name, { ...parts, header: { unique, nodeid: 1n } });
}
