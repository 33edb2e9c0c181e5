import { rebaseImage } from "../../backends/rebase_image.ts";
import { formatSize } from "../../backends/size.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import { watchCopy } from "../output/copy_display.ts";
import type { Output } from "../output/output.ts";
import { allowReferenceOption } from "./export_request.ts";

const USAGE = "usage: rebase [OPTIONS] IMAGE";

/** `rebase`: puts an image on another backing file. */
export const REBASE: Command = {
  name: "rebase",
  summary: "put an overlay on another backing file, or on none",
  description:
    "Gives a qcow2 image another backing file. What the image shows of the old one, and the new one does not have, is copied into the image first, so that it reads the same before and after. With --unsafe only the name is changed, for a backing file that was moved or copied. No program may use the image; it is locked. If the program is killed, the image reads as before.",
  operands: { IMAGE: "qcow2:PATH" },
  options: [
    "backing",
    "no-backing",
    "unsafe",
    "allow-reference",
    "insecure-path",
    "json",
  ],
  optionHelp: {
    backing: "the new backing file: raw:PATH or qcow2:PATH",
  },
  examples: {
    "rebase qcow2:work.qcow2 --backing=qcow2:new.qcow2":
      "put an overlay on another image",
    "rebase qcow2:work.qcow2 --no-backing": "make an overlay independent",
    "rebase qcow2:work.qcow2 --unsafe --backing=raw:moved/base.img":
      "record where a backing file is now",
  },
  run: runRebase,
};

async function runRebase(args: Arguments, output: Output): Promise<ExitCode> {
  const { operands, flags, values } = args;
  const [image, more] = operands;
  if (image === undefined) {
    throw new UsageError(`Cannot rebase without an IMAGE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a second operand, ${more}; ${USAGE}`);
  }
  const backing = values.get("backing") ?? null;
  if ((backing === null) !== flags.has("no-backing")) {
    throw new UsageError(
      `Cannot rebase without either --backing=SOURCE or --no-backing; ${USAGE}`,
    );
  }
  const services = driverServices({
    insecurePath: flags.has("insecure-path"),
    tell: (text) => output.notice(text),
  });
  const stopped = `${image} was not rebased, and reads as before`;
  const unsafe = flags.has("unsafe");
  const written = await watchCopy(
    output,
    stopped,
    (watch) =>
      rebaseImage(
        image,
        { backing, unsafe, allowReference: [], ...allowReferenceOption(args) },
        services,
        watch,
      ),
  );
  if (output.json) output.event("rebased", { image, backing, written, unsafe });
  else {
    const place = backing === null ? "no backing file" : backing;
    output.print(
      `Rebased ${image} to ${place}: ${formatSize(written)} copied into it`,
    );
  }
  return EXIT.OK;
}
