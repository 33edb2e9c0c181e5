import type { ImageDriver, ServerPlace } from "../../driver.ts";
import { readAuthority } from "./authority.ts";
import {
  attachHttpImage,
  type HttpAttachment,
  openHttpImage,
} from "./image.ts";
import { besideUrl, type HttpLocation, parseHttpUrl, shownUrl } from "./url.ts";

const NO_SIGNATURE = () => [];

/** Images on web servers, read by ranges. */
export const HTTP: ImageDriver<HttpLocation, HttpAttachment> = {
  kind: "protocol",
  name: "http",
  summary: "an image on a web server, read-only",
  usage: "https://HOST[:PORT]/PATH",
  prefixes: ["https://", "http://"],
  needs: ["socket", "shared memory"],
  asStored: true,
  parse: (_rest, text) => parseHttpUrl(text),
  async open(location, context) {
    const { options, services } = context;
    const authority = readAuthority(location, options.http, services.files);
    const name = shownUrl(location.url);
    const source = { name, location, authority, tls: options.tls };
    const opened = await openHttpImage(source, NO_SIGNATURE, context);
    return { ...opened, place: placeOf(location) };
  },
  attach: (attachment, _below, services) =>
    attachHttpImage(attachment, NO_SIGNATURE, services),
};

function placeOf({ url }: HttpLocation): ServerPlace {
  return {
    url,
    beside(path) {
      const source = besideUrl(url, path);
      if (typeof source === "string") return source;
      return { url: source.url, source: { driver: HTTP, source } };
    },
  };
}
