import { notifyService, type ServiceState } from "../linux/socket/sd_notify.ts";
import type { Output } from "./output.ts";

/**
 * Tells systemd how this service is, where systemd started it. That it cannot
 * be told is no reason to stop.
 */
export function tellService(state: ServiceState, output: Output): void {
  try {
    notifyService(state);
  } catch (error) {
    output.notice((error as Error).message);
  }
}
