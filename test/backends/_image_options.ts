import {
  CACHE_SIZE_DEFAULT,
  type ImageOptions,
  RECONNECT_DEFAULT,
  TLS_DEFAULT,
} from "../../src/backends/driver.ts";
import { HTTP_DEFAULTS } from "../../src/backends/protocols/http/options.ts";

/** The default options of an export. */
export const imageOptions: ImageOptions = {
  writable: false,
  growable: false,
  partition: null,
  offset: 0,
  size: null,
  writethrough: false,
  direct: false,
  lock: true,
  snapshot: null,
  backing: null,
  allowReference: [],
  overlay: null,
  reconnect: RECONNECT_DEFAULT,
  cacheSize: CACHE_SIZE_DEFAULT,
  tls: TLS_DEFAULT,
  describe: false,
  http: HTTP_DEFAULTS,
};
