import { expect } from "chai";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { haproxy } from "../../support/running/leftovers.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

describe("sluice destroy", function () {
  this.timeout(60_000);
  const app = "vanish";
  let sluice: TestSluice;
  let clone: TestClone;

  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone(app, tinyApp());
    await clone.mustPush();
  });
  after(async () => sluice.dispose());

  async function does(...command: string[]): Promise<void> {
    const { status, stderr } = await sluice.cli(...command);
    expect(status, stderr).to.equal(0);
  }

  /** Files and folders that are called after the app. */
  async function files(): Promise<string[]> {
    const all = await readdir(sluice.home, { recursive: true });
    return all.filter((path) => path.includes(app)).sort();
  }

  it("leaves nothing of an app, of instances that were scaled away and of previews neither", async () => {
    await clone.commit({ "note.txt": "2" });
    await clone.mustPush("HEAD:master");
    await clone.mustPush("HEAD:refs/heads/aside");
    await does("scale", app, "web=3");
    expect(await files()).to.include(`logs/${app}.v2.web.3`);
    await does("scale", app, "web=1");
    await eventually("those scaled away have stopped", async () =>
      (await sluice.instances()).every((id) => !/\.web\.[23]$/.test(id)),
    );
    await does("destroy", app, "--yes");
    expect(await files()).to.deep.equal([]);
    expect(await readFile(join(sluice.home, "redis/users.acl"), "utf8")).not.to.include(app);
    for (const map of ["hosts", "visitors", "tracks", "splits", "slots"])
      expect(
        await haproxy(sluice, `show map ${join(sluice.home, `haproxy/${map}.map`)}`),
        map,
      ).not.to.include(app);
    const connection = await sluice.redis();
    const { redis } = connection;
    try {
      expect((await redis.keys("*")).filter((key) => key.includes(app))).to.deep.equal([]);
    } finally {
      connection.close();
    }
  });
});
