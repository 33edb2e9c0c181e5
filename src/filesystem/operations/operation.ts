import type { Reply } from "../../protocol/reply.ts";
import type { Request } from "../../protocol/request.ts";
import type { Answer } from "../answer.ts";
import type { FileSystemContext } from "../context.ts";
import type { Caller } from "../file_system.ts";

/** Answers one kind of request: at once, by a promise, or by throwing. */
export type Operation = <N extends object, H>(
  context: FileSystemContext<N, H>,
  request: Request,
  reply: Reply,
  caller: Caller,
) => Answer;
