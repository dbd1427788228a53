import { expect } from "chai";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moveAppData } from "../../../cli/start/apps-redis/move-app-data.js";
import { Home } from "../../../core/home.js";
import { silentLog } from "../../../core/log.js";
import { connectRedis, openRedis } from "../../../core/redis/connection.js";
import type { Database } from "../../../core/redis/database.js";
import { settingsSchema } from "../../../core/settings/settings.js";
import { CuttingRedis } from "../../support/redis/cutting-redis.js";
import { TestRedis } from "../../support/redis/test-redis.js";

const COUNT = 450;

describe("the move of the apps' keys", function () {
  this.timeout(30_000);
  let folder: string;
  let home: Home;
  let old: TestRedis;
  let apps: TestRedis;
  let from: Database;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "move-"));
    home = new Home(folder);
    await mkdir(home.appsRedis(), { recursive: true });
    [old, apps] = [await TestRedis.start(), await TestRedis.start()];
    from = await old.connect();
    for (let index = 0; index < COUNT; index++) await from.set(`app:shop:${index}`, `value ${index}`);
  });
  afterEach(async () => {
    await old.dispose();
    await apps.dispose();
    await rm(folder, { recursive: true });
  });

  const settings = { ...settingsSchema.parse({}), token: undefined };
  const move = async (to: Database): Promise<void> =>
    moveAppData({ home, settings, from, to, log: silentLog });

  for (const command of ["restore", "config"])
    it(`goes on after a crash at any ${command}, and loses nothing`, async () => {
      const wire = await CuttingRedis.before({ path: apps.socket });
      try {
        const to = connectRedis({ kind: "socket", path: wire.socket, password: "" }, silentLog);
        await openRedis(to);
        let count = 0;
        const cut = wire.loseAnswer(
          ([name = ""]) => name.toLowerCase() === command && ++count === (command === "config" ? 5 : 250),
          { thenAway: true },
        );
        const outcome: unknown = await move(to).catch((error: unknown) => error);
        expect(outcome).to.be.an("error");
        await cut;
        to.disconnect();
        await move(await apps.connect());
        const direct = await apps.connect();
        for (let index = 0; index < COUNT; index++)
          expect(await direct.get(`app:shop:${index}`)).to.equal(`value ${index}`);
        expect(await from.dbsize()).to.equal(0);
        expect((await direct.config("GET", "maxmemory"))[1]).not.to.equal("0");
      } finally {
        await wire.stop();
      }
    });
});
