/**
 * Exports and examples, mounted and used by other programs.
 *
 * Written by `deno task test:suites`; do not edit.
 *
 * @module
 */
import "../mount/allow_other_test.ts";
import "../mount/bench_fio_test.ts";
import "../mount/commands_test.ts";
import "../mount/control_test.ts";
import "../mount/ending_test.ts";
import "../mount/examples_test.ts";
import "../mount/export_test.ts";
import "../mount/extras_test.ts";
import "../mount/failing_image_test.ts";
import "../mount/idle_test.ts";
import "../mount/image_lock_test.ts";
import "../mount/mountpoint_test.ts";
import "../mount/passthrough_test.ts";
import "../mount/pidfile_test.ts";
import "../mount/queues_test.ts";
import "../mount/read_only_test.ts";
import "../mount/refusals_test.ts";
import "../mount/semantics_test.ts";
import "../mount/services_test.ts";
import "../mount/tools_test.ts";
import "../mount/tree_fs_test.ts";
import "../mount/uring_faults_test.ts";
import "../mount/uring_test.ts";
import "../mount/writable_test.ts";
import "../mount/writethrough_test.ts";
import "../mount/zeroes_and_holes_test.ts";
