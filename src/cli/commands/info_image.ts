/**
 * `info IMAGE`: what a file looks like, and what its format says of it.
 *
 * @module
 */
import { type ImageOptions, LOOK_OPTIONS } from "../../backends/driver.ts";
import { shownSource } from "../../backends/protocols/http/url.ts";
import { mapImage } from "../../backends/image_map.ts";
import type { OpenImage } from "../../backends/open_image.ts";
import { checkHttpOptions } from "../../session/http_options.ts";
import { imageTls } from "../../session/image_options.ts";
import type { Arguments } from "../arguments/read_arguments.ts";
import { EXIT, type ExitCode } from "../command.ts";
import { inUsage } from "../arguments/values.ts";
import type { Output } from "../output/output.ts";
import { imageOptionsOf, tlsOptions } from "./export_request.ts";
import { httpOptionsOf } from "./http_options.ts";
import { type ImageFacts, openForInfo, withImageFacts } from "./image_facts.ts";
import { imageRows, mapLine } from "./info_image_text.ts";

/** Runs `info IMAGE`. */
export async function runImageInfo(
  args: Arguments,
  source: string,
  output: Output,
): Promise<ExitCode> {
  const options = optionsOf(args);
  const insecurePath = args.flags.has("insecure-path");
  await withImageFacts(source, options, insecurePath, async (facts) => {
    if (args.flags.has("map")) {
      const from = facts.exportAs ?? source;
      await printMap(await openForInfo(from, options, insecurePath), output);
    } else if (output.json) output.event("image", eventOf(facts));
    else for (const line of imageRows(facts)) output.print(line);
  });
  return EXIT.OK;
}

async function printMap(image: OpenImage, output: Output): Promise<void> {
  try {
    for await (const range of mapImage(image.backend)) {
      if (output.json) output.event("range", { ...range });
      else output.print(mapLine(range));
    }
  } finally {
    await image.close();
  }
}

function optionsOf(args: Arguments): ImageOptions {
  const http = inUsage(() => checkHttpOptions(httpOptionsOf(args)));
  const tls = imageTls(tlsOptions(args));
  const image = imageOptionsOf(args);
  return { ...LOOK_OPTIONS, ...image, tls, http, describe: true };
}

function eventOf(facts: ImageFacts): Record<string, unknown> {
  const { looksLike, format, source, exportAs, ...rest } = facts;
  const described = format === null ? {} : { [format.driver]: format.facts };
  return {
    source: shownSource(source),
    ...rest,
    exportAs: exportAs === null ? null : shownSource(exportAs),
    looksLike: looksLike?.name ?? null,
    qcow2: null,
    ...described,
  };
}
