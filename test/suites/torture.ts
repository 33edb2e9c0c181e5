/**
 * Kills, faults, load; the simulator beside the real kernel; the docs.
 *
 * Written by `deno task test:suites`; do not edit.
 *
 * @module
 */
import "../differential/differential_test.ts";
import "../docs/events_test.ts";
import "../docs/pages_test.ts";
import "../docs/performance_test.ts";
import "../docs/prometheus_test.ts";
import "../docs/readme_test.ts";
import "../torture/bad_sectors_test.ts";
import "../torture/batch_test.ts";
import "../torture/client_test.ts";
import "../torture/cycles_test.ts";
import "../torture/durability_test.ts";
import "../torture/file_system_test.ts";
import "../torture/frozen_test.ts";
import "../torture/fsync_history_test.ts";
import "../torture/image_kills_test.ts";
import "../torture/kill_test.ts";
import "../torture/load_test.ts";
import "../torture/medium_test.ts";
import "../torture/nbd_test.ts";
import "../torture/notify_test.ts";
import "../torture/output_test.ts";
import "../torture/power_cut_test.ts";
import "../torture/qcow2_crash_test.ts";
import "../torture/swaps_test.ts";
import "../torture/worker_test.ts";
import "../torture/writethrough_test.ts";
