/**
 * Exports and examples, mounted and used by other programs.
 *
 * Written by `deno task test:suites`; do not edit.
 *
 * @module
 */
import "../mount/bench_exports_test.ts";
import "../mount/block_device_test.ts";
import "../mount/clock_test.ts";
import "../mount/cloud_image_test.ts";
import "../mount/commands_test.ts";
import "../mount/conformance_test.ts";
import "../mount/early_unmount_test.ts";
import "../mount/ending_test.ts";
import "../mount/examples_test.ts";
import "../mount/examples_trees_test.ts";
import "../mount/export_test.ts";
import "../mount/far_offsets_test.ts";
import "../mount/file_system_test.ts";
import "../mount/fsync_test.ts";
import "../mount/handler_mistakes_test.ts";
import "../mount/http_test.ts";
import "../mount/https_test.ts";
import "../mount/image_test.ts";
import "../mount/in_use_test.ts";
import "../mount/last_flush_test.ts";
import "../mount/limits_test.ts";
import "../mount/live_snapshots_test.ts";
import "../mount/memory_fs_test.ts";
import "../mount/metrics_test.ts";
import "../mount/mirror_direct_test.ts";
import "../mount/mirror_rights_test.ts";
import "../mount/mirror_test.ts";
import "../mount/mountpoint_test.ts";
import "../mount/nbd_test.ts";
import "../mount/nbd_tls_test.ts";
import "../mount/overlay_test.ts";
import "../mount/partitions_test.ts";
import "../mount/passthrough_test.ts";
import "../mount/program_end_test.ts";
import "../mount/qcow2_test.ts";
import "../mount/queues_test.ts";
import "../mount/read_cache_test.ts";
import "../mount/read_only_test.ts";
import "../mount/remote_image_test.ts";
import "../mount/resize_test.ts";
import "../mount/room_test.ts";
import "../mount/secrets_test.ts";
import "../mount/several_hosts_test.ts";
import "../mount/splice_test.ts";
import "../mount/thrown_errors_test.ts";
import "../mount/tools_test.ts";
import "../mount/trees_test.ts";
import "../mount/tune_test.ts";
import "../mount/uring_test.ts";
import "../mount/vhd_test.ts";
import "../mount/vmdk_test.ts";
import "../mount/worker_death_test.ts";
import "../mount/writable_test.ts";
import "../mount/writeback_test.ts";
import "../mount/zeroes_and_holes_test.ts";
import "../oracle/compare_image_test.ts";
import "../oracle/sample_image_test.ts";
