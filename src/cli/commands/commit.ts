import { commitImage } from "../../backends/commit_image.ts";
import { formatSize } from "../../backends/size.ts";
import { driverServices } from "../../session/driver_services.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { UsageError } from "../arguments/options.ts";
import { type Command, EXIT, type ExitCode } from "../command.ts";
import { watchCopy } from "../output/copy_display.ts";
import type { Output } from "../output/output.ts";
import { allowReferenceOption } from "./export_request.ts";

const USAGE = "usage: commit [OPTIONS] IMAGE";

/** `commit`: writes an overlay into the image below it. */
export const COMMIT: Command = {
  name: "commit",
  summary: "write what an overlay has into its backing file",
  description:
    "Writes what a qcow2 image has itself into its backing file, which becomes as large as the image if it is smaller, and then empties the image. Other images on the same backing file then show something else. No program may use either; both are locked. The image reads the same at every moment, also if the program is killed: run it again then.",
  operands: { IMAGE: "qcow2:PATH" },
  options: ["keep", "allow-reference", "insecure-path", "json"],
  examples: {
    "commit qcow2:work.qcow2": "take the changes over into the image below",
  },
  run: runCommit,
};

async function runCommit(args: Arguments, output: Output): Promise<ExitCode> {
  const { operands, flags } = args;
  const [image, more] = operands;
  if (image === undefined) {
    throw new UsageError(`Cannot commit without an IMAGE; ${USAGE}`);
  }
  if (more !== undefined) {
    throw new UsageError(`Cannot use a second operand, ${more}; ${USAGE}`);
  }
  const keep = flags.has("keep");
  const services = driverServices({
    insecurePath: flags.has("insecure-path"),
    tell: (text) => output.notice(text),
  });
  const stopped =
    `${image} was not committed, and reads as before; run it again to commit the rest`;
  const { backing, written } = await watchCopy(
    output,
    stopped,
    (watch) =>
      commitImage(
        image,
        { keep, allowReference: [], ...allowReferenceOption(args) },
        services,
        watch,
      ),
  );
  if (output.json) {
    output.event("committed", { image, backing, written, emptied: !keep });
  } else {
    output.print(
      `Committed ${image} to ${backing}: ${formatSize(written)} written`,
    );
  }
  return EXIT.OK;
}
