import { expect } from "chai";
import { Redis } from "ioredis";
import { statfs } from "node:fs/promises";
import { eventually } from "../../support/eventually.js";
import { mountSmall, unmount } from "../../support/running/small-disk.js";
import { fromHere } from "../../support/network/from-here.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const FOR_GOOD_MS = 1000;

interface Status {
  readonly redis: { readonly pid: number };
  readonly disk: { readonly isFull: boolean };
}

describe("an app that writes to its Redis as much as it can", function () {
  this.timeout(90_000);
  let disk: string | undefined;
  let sluice: TestSluice;
  before(async function () {
    disk = await mountSmall("size=96m,mode=711");
    if (disk === undefined) return this.skip();
    sluice = await TestSluice.start({ homeFolder: disk });
  });
  after(async () => {
    if (disk === undefined) return;
    await sluice.dispose();
    await unmount(disk);
  });

  const freeMegabytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(disk ?? "");
    return (bavail * bsize) / (1 << 20);
  };

  /** Writes until that is refused for a while: while the file is being rewritten, it is refused earlier. */
  async function writeUntilRefused(app: Redis, block: string): Promise<{ refused: string; lowest: number }> {
    let [refused, since, lowest] = ["", Infinity, Infinity];
    for (let index = 0; Date.now() - since < FOR_GOOD_MS; index++) {
      lowest = Math.min(lowest, await freeMegabytes());
      refused = await app.set(`app:fat:${index}`, block).then(
        () => "",
        (error: unknown) => String(error),
      );
      if (refused === "") since = Infinity;
      else since = Math.min(since, Date.now());
    }
    return { refused, lowest };
  }

  it("is stopped before the disk is full: pushes, records and flags go on", async () => {
    const clone = await sluice.clone("fat", tinyApp());
    await clone.mustPush();
    const { REDIS_URL } = JSON.parse((await sluice.get("fat", "/env")).body) as { REDIS_URL: string };
    const app = new Redis(fromHere(REDIS_URL), { retryStrategy: () => 50 });
    app.on("error", () => undefined);
    const { redis } = await sluice.read<Status>("status");
    const block = "x".repeat(1 << 18);
    try {
      const { refused, lowest } = await writeUntilRefused(app, block);
      expect(refused).to.match(/NOREPLICAS/);
      // A tenth of the disk must stay free for pushes; a rewrite of the file may take some of it for a moment.
      expect(lowest).to.be.greaterThan(4);
      expect(await freeMegabytes()).to.be.greaterThan(9.6);
      expect(String(await app.expire("app:fat:1", 1000).catch((error: unknown) => error))).to.include(
        "NOREPLICAS",
      );
      expect(await app.get("app:fat:2")).to.equal(block);

      expect((await sluice.cli("flags", "fat", "dark", "1")).status).to.equal(0);
      await eventually("the flag is there", async () => (await app.hget("sluice:flags:fat", "dark")) === "1");
      expect(String(await app.set("app:fat:x", "1").catch((error: unknown) => error))).to.include(
        "NOREPLICAS",
      );
      await clone.commit({ note: "2" });
      await clone.mustPush();
      const { redis: now, disk: space } = await sluice.read<Status>("status");
      expect(now).to.deep.equal(redis);
      expect(space.isFull).to.equal(false);
      expect(await sluice.serverLog()).to.include(
        "the disk is almost full: apps cannot write in their Redis",
      );
    } finally {
      app.disconnect();
    }
  });
});
