import { stat, statfs } from "node:fs/promises";
import { outputOf } from "../../../core/exec/exec.js";
import type { Home } from "../../../core/home.js";
import type { Log } from "../../../core/log.js";
import { Ticker } from "../../../core/loop/ticker.js";

const TICK_MS = 5000;
const RESERVE_BYTES = 8 * 1024 * 1024;
/** On a small disk it is a part of it. */
const RESERVE_SHARE = 0.02;
/** The file is made only while this many times its size is free. */
const ROOM = 8;

/** Keeps a file that only holds disk space: it is deleted when an instance must be started on a full disk. */
export async function keepReserveFile({
  home,
  path,
  log,
}: {
  readonly home: Home;
  readonly path: string;
  readonly log: Log;
}): Promise<{ stop(): Promise<void> }> {
  let hasFailed = false;
  const ticker = new Ticker({
    everyMs: TICK_MS,
    job: async () => {
      await make(home, path);
      hasFailed = false;
    },
    onError: (error) => {
      if (!hasFailed)
        log.error({ err: error }, "no disk space is reserved for starting instances on a full disk");
      hasFailed = true;
    },
  });
  await ticker.startNow();
  return ticker;
}

async function make(home: Home, path: string): Promise<void> {
  if ((await stat(home.reserve()).catch(() => undefined)) !== undefined) return;
  const { bavail, blocks, bsize } = await statfs(home.root);
  const bytes = Math.floor(Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE));
  if (bavail * bsize < ROOM * bytes) return;
  await outputOf({
    argv: ["fallocate", "--posix", "--length", String(bytes), home.reserve()],
    env: { PATH: path },
  });
}
