/**
 * Exports and examples, mounted and used by other programs.
 *
 * Written by `deno task test:suites`; do not edit.
 *
 * @module
 */
import "../mount/allow_other_test.ts";
import "../mount/attributes_test.ts";
import "../mount/bench_fio_test.ts";
import "../mount/block_device_test.ts";
import "../mount/commands_test.ts";
import "../mount/control_test.ts";
import "../mount/ending_test.ts";
import "../mount/examples_test.ts";
import "../mount/export_test.ts";
import "../mount/far_offsets_test.ts";
import "../mount/file_size_limit_test.ts";
import "../mount/fixed_size_test.ts";
import "../mount/fsync_test.ts";
import "../mount/handler_mistakes_test.ts";
import "../mount/image_test.ts";
import "../mount/in_use_test.ts";
import "../mount/insecure_path_test.ts";
import "../mount/last_flush_test.ts";
import "../mount/limit_effects_test.ts";
import "../mount/limits_test.ts";
import "../mount/locked_memory_test.ts";
import "../mount/mount_helper_test.ts";
import "../mount/mount_options_test.ts";
import "../mount/mountpoint_test.ts";
import "../mount/names_test.ts";
import "../mount/output_test.ts";
import "../mount/owner_test.ts";
import "../mount/passthrough_test.ts";
import "../mount/queues_test.ts";
import "../mount/read_only_test.ts";
import "../mount/refusals_test.ts";
import "../mount/remote_image_test.ts";
import "../mount/resize_test.ts";
import "../mount/room_test.ts";
import "../mount/run_as_test.ts";
import "../mount/services_test.ts";
import "../mount/set_ids_test.ts";
import "../mount/thrown_errors_test.ts";
import "../mount/tools_test.ts";
import "../mount/tree_fs_test.ts";
import "../mount/unit_test.ts";
import "../mount/uring_test.ts";
import "../mount/user_test.ts";
import "../mount/writable_test.ts";
import "../mount/zeroes_and_holes_test.ts";
