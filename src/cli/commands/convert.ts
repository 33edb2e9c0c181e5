import { LOOK_OPTIONS, RECONNECT_DEFAULT } from "../../backends/driver.ts";
import { shownSource } from "../../backends/protocols/http/url.ts";
import { parseSource } from "../../backends/registry.ts";
import { formatSize } from "../../backends/size.ts";
import { MS_PER_S } from "../../base/timespec.ts";
import { UserError } from "../../base/user_error.ts";
import {
  type Converted,
  convertImage,
  type ConvertRequest,
} from "../../session/copying/convert_image.ts";
import { parseTarget } from "../../session/copying/new_target.ts";
import { checkHttpOptions } from "../../session/http_options.ts";
import { imageTls } from "../../session/image_options.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import {
  choiceOption,
  inUsage,
  numberOption,
  sizeOption,
} from "../arguments/values.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import { CopyDisplay } from "../output/copy_display.ts";
import type { Output } from "../output/output.ts";
import { onStopSignals } from "../service/stop_signals.ts";
import {
  allowReferenceOption,
  reconnectOption,
  tlsOptions,
} from "./export_request.ts";
import { HTTP_OPTIONS, httpOptionsOf } from "./http_options.ts";

const USAGE = "usage: convert [OPTIONS] SOURCE TARGET";
const WORKERS_MAX = 64;
/** Workers by default, at most. */
const WORKERS_DEFAULT = 8;

/** `convert`: copies an image to another format. */
export const CONVERT: Command = {
  name: "convert",
  summary: "copy an image to a raw or qcow2 image, without its empty space",
  description:
    "Copies the disk that SOURCE shows to a new image, by several threads at once. Holes and zeroes take no space in it. TARGET gets its name once all of it is on the storage; until then its file is called TARGET.part, which is removed if the copy fails or is interrupted, and is all that stays if the program is killed. With --backing the new image shows another one, and has only what differs from that.",
  operands: {
    SOURCE: "a source of export, such as a path or qcow2:PATH",
    TARGET: "a path for a raw image, or qcow2:PATH",
  },
  options: [
    "compress",
    "cluster-size",
    "backing",
    "since",
    "verify",
    "force",
    "workers",
    "snapshot",
    "partition",
    "allow-reference",
    "reconnect",
    "tls-ca",
    "tls-cert",
    "tls-key",
    "tls-hostname",
    ...HTTP_OPTIONS,
    "no-lock",
    "insecure-path",
    "json",
  ],
  optionHelp: {
    backing:
      "show this image where TARGET has nothing, raw:PATH or qcow2:PATH, and copy only what differs from it; it must not change any more",
    snapshot:
      "copy an internal snapshot of SOURCE, by its id or name (default: the current state)",
    partition:
      "copy this partition of SOURCE, by its number, name or UUID; 'info' lists them (default: all of the disk)",
    "no-lock":
      "do not lock SOURCE; by default it is locked as QEMU locks it, against programs that write to it",
  },
  examples: {
    "convert disk.img qcow2:disk.qcow2": "make a qcow2 image of a raw one",
    "convert qcow2:disk.qcow2 disk.img": "make a raw image",
    "convert --compress=zstd --verify qcow2:disk.qcow2 qcow2:backup.qcow2":
      "make a small backup, and read it again",
    "convert --partition=1 disk.img part.img": "copy one partition of it",
    "convert --since=monday --backing=qcow2:monday.qcow2 qcow2:disk.qcow2 qcow2:tuesday.qcow2":
      "back up what has changed since a snapshot",
  },
  run: runConvert,
};

async function runConvert(args: Arguments, output: Output): Promise<ExitCode> {
  const request = readRequest(args);
  const { target } = request;
  const source = shownSource(request.source);
  const stopping = new AbortController();
  using _ = onStopSignals((signal) => {
    stopping.abort(
      new UserError(
        `Stopped by ${signal}: ${source} was not copied, and nothing of ${target} is left`,
      ),
    );
  });
  const begun = performance.now();
  const display = new CopyDisplay(output);
  try {
    const converted = await convertImage(
      request,
      driverServices({
        insecurePath: args.flags.has("insecure-path"),
        tell: (text) => output.notice(text),
      }),
      {
        signal: stopping.signal,
        progress: (progress) => display.show(progress),
      },
    );
    await display.end();
    const seconds = (performance.now() - begun) / MS_PER_S;
    tell(request, converted, seconds, output);
    return EXIT.OK;
  } finally {
    await display.end();
  }
}

function readRequest(args: Arguments): ConvertRequest {
  const { operands, flags, values } = args;
  const [source, target, more] = operands;
  if (source === undefined || target === undefined || target === "") {
    throw new UsageError(`Cannot convert without SOURCE and TARGET; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a third operand, ${more}; ${USAGE}`);
  }
  inUsage(() => parseSource(source), "SOURCE");
  const cpus = navigator.hardwareConcurrency;
  const compress = choiceOption(args, "compress", ["zlib", "zstd"]);
  const request: ConvertRequest = {
    source,
    target,
    reading: {
      ...LOOK_OPTIONS,
      lock: !flags.has("no-lock"),
      snapshot: values.get("snapshot") ?? null,
      partition: values.get("partition") ?? null,
      ...allowReferenceOption(args),
      reconnect: reconnectOption(args).reconnect ?? RECONNECT_DEFAULT,
      tls: imageTls(tlsOptions(args)),
      http: inUsage(() => checkHttpOptions(httpOptionsOf(args))),
    },
    compress: compress === "zlib" ? "deflate" : compress,
    clusterSize: sizeOption(args, "cluster-size"),
    backing: values.get("backing") ?? null,
    since: values.get("since") ?? null,
    force: flags.has("force"),
    verify: flags.has("verify"),
    workers: numberOption(args, "workers", { min: 1, max: WORKERS_MAX }) ??
      Math.min(cpus, WORKERS_DEFAULT),
  };
  inUsage(() => parseTarget(request));
  if (request.since !== null && request.backing === null) {
    throw new UsageError(
      "Cannot use --since without --backing: name the copy of that snapshot, on which the new image is put",
    );
  }
  if (request.since !== null && request.reading.partition !== null) {
    throw new UsageError(
      "Cannot use --since with --partition: the tables tell the changes of the whole disk; leave one of them out",
    );
  }
  return request;
}

function tell(
  { source: given, target, verify }: ConvertRequest,
  { format, size, data, allocated }: Converted,
  seconds: number,
  output: Output,
): void {
  const source = shownSource(given);
  if (output.json) {
    const fields = { source, target, format, size, data, allocated };
    return output.event("converted", { ...fields, verified: verify, seconds });
  }
  const rate = seconds > 0
    ? ` (${(data / seconds / 1e6).toFixed(0)} MB/s)`
    : "";
  const space = allocated === null ? "" : `, it takes ${formatSize(allocated)}`;
  const done = verify ? "Converted and verified" : "Converted";
  output.print(
    `${done} ${source} to ${target}: ${formatSize(data)} of ${
      formatSize(size)
    } copied in ${seconds.toFixed(1)} s${rate}${space}`,
  );
}
