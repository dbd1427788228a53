import { expect } from "chai";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAppsRedis, type AppsRedisService } from "../../../../cli/start/apps-redis/start-apps-redis.js";
import { Home } from "../../../../core/home.js";
import { settingsSchema } from "../../../../core/settings/settings.js";
import { endService } from "../../../../core/exec/runsv.js";
import { fillUp, mountSmall, unmount } from "../../../support/running/small-disk.js";

const GRACE_MS = 5000;

describe("the file of Redis' users", function () {
  this.timeout(30_000);
  const settings = { ...settingsSchema.parse({}), token: undefined };
  const users = (count: number): string[] =>
    Array.from(
      { length: count },
      (_, index) => `user app-${index} on #${"0".repeat(64)} ~app:${index}:* +@all`,
    );

  async function withRedis(folder: string, test: (redis: AppsRedisService, home: Home) => Promise<void>) {
    const home = new Home(folder);
    try {
      await test(
        await startAppsRedis({ home, settings, path: process.env["PATH"] ?? "", isRoot: false }),
        home,
      );
    } finally {
      await endService(home.service("apps-redis"), GRACE_MS);
    }
  }

  const textOf = async (home: Home): Promise<string> => readFile(home.appsRedis("users.acl"), "utf8");

  it("is the old one or the new one at every moment, so whatever ends the writer leaves a whole one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "users-"));
    try {
      await withRedis(folder, async ({ keepUsers }, home) => {
        const versions = new Set<string>();
        for (const count of [500, 1000]) {
          await keepUsers(users(count));
          versions.add(await textOf(home));
        }
        const writes = { left: 50 };
        const writing = (async () => {
          for (; writes.left > 0; writes.left--) await keepUsers(users(writes.left % 2 === 0 ? 500 : 1000));
        })();
        let reads = 0;
        for (; writes.left > 0; reads++)
          expect(versions.has(await textOf(home)), `read ${reads}`).to.equal(true);
        await writing;
        expect(reads).to.be.greaterThan(50);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("stays as it was when a full disk has no room for another one, and leaves nothing else behind", async function () {
    const disk = await mountSmall("size=16m,mode=711");
    if (disk === undefined) return this.skip();
    try {
      await withRedis(disk, async ({ keepUsers }, home) => {
        await keepUsers(users(3));
        const before = await textOf(home);
        const full = fillUp(disk);
        const problem = await keepUsers(users(300))
          .catch((error: unknown) => error)
          .finally(() => full.stop());
        expect(problem).to.have.property("code", "ENOSPC");
        expect(await textOf(home)).to.equal(before);
        const files = await readdir(home.appsRedis());
        expect(files.filter((name) => name.startsWith("users"))).to.deep.equal(["users.acl"]);
        await keepUsers(users(300));
        expect((await textOf(home)).match(/^user app-/gm)).to.have.length(300);
      });
    } finally {
      await unmount(disk);
    }
  });
});
