import { UserError } from "../../../base/user_error.ts";
import type { FileService } from "../../services.ts";
import { parseHeadersFile } from "./headers_file.ts";
import { basicField, findLogin } from "./netrc.ts";
import type { HttpOptions } from "./options.ts";
import type { HttpField } from "./request_text.ts";
import { readSecretFile } from "./secret_file.ts";
import { type HttpLocation, locationOf, shownUrl } from "./url.ts";

/** The proxy, and what authorises requests. Plain data, and secret. */
export interface HttpAuthority {
  /** Fields for requests to the origin that the user has named. */
  readonly fields: readonly HttpField[];
  /** The proxy; `null` for none. */
  readonly proxy: HttpLocation | null;
  /** Fields for the proxy. */
  readonly proxyFields: readonly HttpField[];
}

/**
 * Reads the files that authorise requests.
 *
 * @throws {UserError} If they cannot be used.
 */
export function readAuthority(
  location: HttpLocation,
  { headersFile, netrc, proxy }: HttpOptions,
  files: FileService,
): HttpAuthority {
  const fields = headersFile === null ? [] : parseHeadersFile(
    readSecretFile(headersFile, "http-headers-file", files),
    headersFile,
  );
  const proxyAt = proxy === null ? null : parseProxy(proxy);
  const proxyFields: HttpField[] = [];
  if (netrc !== null) {
    const text = readSecretFile(netrc, "netrc", files);
    const login = findLogin(text, location.host, netrc);
    // What the user writes as a field counts more.
    const isGiven = fields.some(([name]) =>
      name.toLowerCase() === "authorization"
    );
    if (login !== null && !isGiven) {
      fields.push(basicField("Authorization", login));
    }
    const proxyLogin = proxyAt && findLogin(text, proxyAt.host, netrc);
    if (proxyLogin) {
      proxyFields.push(basicField("Proxy-Authorization", proxyLogin));
    }
  }
  return { fields, proxy: proxyAt, proxyFields };
}

/**
 * Parses the URL of a proxy.
 *
 * @throws {UserError} If it is none.
 */
export function parseProxy(text: string): HttpLocation {
  const url = URL.parse(text);
  const refuse = (why: string) =>
    new UserError(
      `Cannot use ${
        shownUrl(text)
      } as http-proxy: ${why}; write http://HOST:PORT`,
    );
  if (url === null || url.protocol !== "http:" || url.hostname === "") {
    throw refuse("it is no URL of a proxy");
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse(
      "everybody can see a password on the command line, so it belongs into the file that netrc names",
    );
  }
  if (url.pathname !== "/" || url.search !== "") throw refuse("it has a path");
  return locationOf(url);
}
