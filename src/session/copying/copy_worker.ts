import { messageOf } from "../../base/message_of.ts";
import { UserError } from "../../base/user_error.ts";
import {
  type CopierMessage,
  type CopyMessage,
  type MessageToCopier,
  openCopyJob,
} from "./copy_job.ts";

/** What a Worker receives from and sends to. */
export interface CopyPort {
  postMessage(message: unknown): void;
  addEventListener(
    type: "message",
    listener: (event: MessageEvent<MessageToCopier>) => void,
  ): void;
}

/**
 * Copies the parts that a Worker is told of, job after job. It ends when the
 * Worker is terminated.
 *
 * @param first The first job; what follows it has not arrived yet.
 */
export async function copyJobs(
  first: CopyMessage,
  port: CopyPort,
): Promise<never> {
  const messages: MessageToCopier[] = [];
  let wake = () => {};
  port.addEventListener("message", ({ data }) => {
    messages.push(data);
    wake();
  });
  const next = async () => {
    while (messages.length === 0) {
      await new Promise<void>((resolve) => wake = resolve);
    }
    return messages.shift()!;
  };
  const post = (message: CopierMessage) => port.postMessage(message);
  let message: MessageToCopier = first;
  for (;; message = await next()) {
    // After a failure the rest of a job is passed over.
    if (message.kind === "copy") await copyParts(message, next, post);
  }
}

async function copyParts(
  { index, job }: CopyMessage,
  next: () => Promise<MessageToCopier>,
  post: (message: CopierMessage) => void,
): Promise<void> {
  try {
    const { copier, close } = await openCopyJob(job, index);
    try {
      for (;;) {
        const message = await next();
        if (message.kind !== "part") break;
        post({ kind: "copied", result: await copier.copy(message.part) });
      }
    } finally {
      await close();
    }
    post({ kind: "ended" });
  } catch (error) {
    const isUserError = error instanceof UserError;
    post({ kind: "failed", message: messageOf(error), isUserError });
  }
}
