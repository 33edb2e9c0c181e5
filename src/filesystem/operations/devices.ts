/**
 * What files that act as devices do: IOCTL, POLL.
 *
 * @module
 */
import { ERRNO, Errno } from "../../base/errno.ts";
import { accessors } from "../../protocol/accessors.ts";
import { writeStruct } from "../../protocol/codec.ts";
import { FUSE_IOCTL, FUSE_POLL } from "../../protocol/flags.ts";
import { andThen } from "../answer.ts";
import { idAt, nodeIdOf } from "../request_fields.ts";
import type { Operation } from "./operation.ts";

const IOCTL_IN = accessors("fuse_ioctl_in");
const IOCTL_OUT = accessors("fuse_ioctl_out");
const POLL_IN = accessors("fuse_poll_in");

/** IOCTL: a command whose number tells how many bytes go each way. */
export const ioctl: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles } = context;
  const { body } = request;
  if (fs.ioctl === undefined) throw new Errno("ENOTTY");
  // Only CUSE sends those whose number tells nothing.
  if (IOCTL_IN.get.flags(body) & FUSE_IOCTL.UNRESTRICTED) {
    throw new Errno("ENOTTY");
  }
  const node = nodes.get(nodeIdOf(request));
  const isDirectory = (IOCTL_IN.get.flags(body) & FUSE_IOCTL.DIR) !== 0;
  const handle = isDirectory
    ? undefined
    : handles.get(idAt(body, IOCTL_IN.at.fh));
  const command = IOCTL_IN.get.cmd(body);
  const tail = request.tailView();
  const size = IOCTL_IN.get.in_size(body);
  const input = new Uint8Array(tail.buffer, tail.byteOffset, size).slice();
  const room = IOCTL_IN.get.out_size(body);
  const done = fs.ioctl(node, command, input, caller, handle);
  return andThen(done, (output) => {
    const bytes = output ?? new Uint8Array();
    if (bytes.length > room) {
      throw new RangeError(
        `ioctl() returned ${bytes.length} bytes, and ${room} were wanted`,
      );
    }
    writeStruct("fuse_ioctl_out", reply.body, 0, {});
    reply.data.set(bytes, IOCTL_OUT.size);
    reply.ok(IOCTL_OUT.size + bytes.length);
  });
};

/** POLL: the events that are ready; more of them are notified later. */
export const poll: Operation = (context, request, reply, caller) => {
  const { fs, nodes, handles, wakePoll } = context;
  const { body } = request;
  // The kernel does not send it again: all files are ready at any time.
  if (fs.poll === undefined) return reply.error(ERRNO.ENOSYS);
  const node = nodes.get(nodeIdOf(request));
  const handle = handles.get(idAt(body, POLL_IN.at.fh));
  const kh = POLL_IN.get.kh(body);
  const waits = (POLL_IN.get.flags(body) & FUSE_POLL.SCHEDULE_NOTIFY) !== 0;
  const wake = waits ? () => wakePoll(kh) : null;
  const events = POLL_IN.get.events(body);
  const ready = fs.poll(node, events, wake, caller, handle);
  return andThen(ready, (revents) => {
    reply.struct("fuse_poll_out", { revents });
  });
};
