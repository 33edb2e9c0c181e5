/**
 * Objects of radosgw, Ceph's object store: public ones, and ones that want a
 * signature.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  assertSame,
  ExportProcess,
  MIB,
  must,
  pause,
  randomFile,
  runMain,
} from "../mount/_harness.ts";
import { CephCluster } from "./ceph_cluster.ts";
import type { Trial } from "./inside.ts";
import { patiently } from "./patience.ts";

const HOST = "127.0.0.1:7480";
const ARGS = ["-q2", `--s3-endpoint=http://${HOST}`];
/** The user of the object store, with keys of no worth. */
const USER = { id: "TRIALKEY", secret: "trialsecret" };
/** Seconds that a server is away. */
const AWAY_S = 3;
const PATIENT = { lifeS: 900, limitMs: 120_000 };

/** Tries objects that are public, private, changed, and of a store that stops. */
export async function tryS3(trial: Trial): Promise<void> {
  const { directory } = trial;
  await using cluster = await CephCluster.start(`${directory}/ceph`);
  await cluster.startGateway();
  await makeObjects(directory);
  const mountpoint = `${directory}/mnt.img`;
  await Deno.writeTextFile(mountpoint, "");
  const images = new Images(directory, mountpoint);

  await images.compare("s3://images/public.img");
  trial.tell("a public object is read without a signature: equal");
  await images.compare("s3://images/private.img", images.keys);
  trial.tell("a private object is read with a signature: equal");
  await images.compare("qcow2:s3://images/private.qcow2", images.keys);
  trial.tell("the disk in a private qcow2 image: equal");

  const wrong = await keysFile(directory, "wrong", USER.id, "anothersecret");
  const unknown = await keysFile(directory, "unknown", "NOBODY", USER.secret);
  for (
    const [what, source, keys] of [
      ["no key", "s3://images/private.img", []],
      ["a wrong secret", "s3://images/private.img", [wrong]],
      ["an unknown key", "s3://images/private.img", [unknown]],
      ["no such object", "s3://images/none.img", [images.keys]],
    ] as const
  ) {
    const args = ["export", ...ARGS, ...keys, source, mountpoint];
    const { code, stdout, stderr } = await runMain(args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, what === "no such object" ? /\(404\)/ : /\(403\)/);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    trial.tell(`${what}: ${stderr.trim()}`);
  }

  await images.readThrough(
    () => cluster.stopGateway(),
    () => cluster.startGateway(),
  );
  trial.tell(`the object store is away for ${AWAY_S} s: equal, no error`);
  await images.readThrough(
    () => cluster.stopOsd("KILL"),
    () => cluster.startOsd(),
  );
  trial.tell(`the OSD is killed, away for ${AWAY_S} s: equal, no error`);
}

/** The images as files, to compare objects with. */
class Images {
  /** The option that signs requests. */
  readonly keys: string;
  readonly #disk: string;
  readonly #mountpoint: string;

  constructor(directory: string, mountpoint: string) {
    this.keys = `--s3-credentials=${directory}/keys`;
    this.#disk = `${directory}/disk.img`;
    this.#mountpoint = mountpoint;
  }

  /** Requires that a mount of a source is the disk. */
  async compare(source: string, ...options: string[]): Promise<void> {
    await using process = await this.#show(source, options);
    await assertSame(this.#mountpoint, this.#disk);
    assertEquals((await process.stop()).code, 0);
  }

  /** Requires it of a mount that is read while something is away. */
  async readThrough(
    stop: () => Promise<void>,
    start: () => Promise<void>,
  ): Promise<void> {
    const source = "s3://images/private.img";
    await using process = await this.#show(source, [this.keys]);
    await stop();
    const raw = ["compare", "-U", "-f", "raw", "-F", "raw"];
    let isOver = false;
    const comparing = patiently(
      "qemu-img",
      ...[...raw, this.#mountpoint, this.#disk],
    ).finally(() => isOver = true);
    const away = async () => {
      await pause(AWAY_S * 1000);
      assertEquals(isOver, false, "reads did not need what was away");
      await start();
    };
    await Promise.all([comparing, away()]);
    assertEquals((await process.stop()).code, 0);
  }

  #show(source: string, options: string[]): Promise<ExportProcess> {
    const args = [...ARGS, ...options, source, this.#mountpoint];
    return ExportProcess.start(args, PATIENT);
  }
}

/** Makes images, a user, and objects of that user. */
async function makeObjects(directory: string): Promise<void> {
  const disk = `${directory}/disk.img`;
  const qcow2 = `${directory}/disk.qcow2`;
  await randomFile(disk, 24 * MIB + 512);
  await must("qemu-img", "convert", "-c", "-O", "qcow2", disk, qcow2);
  await keysFile(directory, "keys", USER.id, USER.secret);
  await patiently(
    ...["radosgw-admin", "user", "create", "--uid=trial"] as const,
    ...["--display-name=trial", `--access-key=${USER.id}`],
    `--secret=${USER.secret}`,
  );
  const config = `${directory}/s3cfg`;
  await Deno.writeTextFile(
    config,
    `[default]
access_key = ${USER.id}
secret_key = ${USER.secret}
host_base = ${HOST}
host_bucket = ${HOST}
use_https = False
`,
  );
  for (
    const command of [
      ["mb", "s3://images"],
      ["put", "--acl-public", disk, "s3://images/public.img"],
      ["put", disk, "s3://images/private.img"],
      ["put", qcow2, "s3://images/private.qcow2"],
    ]
  ) {
    await patiently("s3cmd", "-q", "-c", config, ...command);
  }
}

/** Writes a file of keys; returns the option that names it. */
async function keysFile(
  directory: string,
  name: string,
  id: string,
  secret: string,
): Promise<string> {
  await Deno.writeTextFile(
    `${directory}/${name}`,
    `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`,
    { mode: 0o600 },
  );
  return `--s3-credentials=${directory}/${name}`;
}
