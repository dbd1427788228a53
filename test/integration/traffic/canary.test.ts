import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "../../../core/redis/database.js";
import type { AppSummary } from "../../../core/api/apps/apps.js";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { startLoad } from "../../support/running/load.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice, type HttpAnswer } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

const APP = "shop";
const SETTINGS = { standbySeconds: 600, canary: { share: 30 } };

describe("a canary beside production", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let redis: Database;
  before(async () => {
    sluice = await TestSluice.start({});
    clone = await sluice.clone(APP, tinyApp({ "app.json": JSON.stringify({ sluice: SETTINGS }) }));
    await clone.mustPush();
    ({ redis } = await sluice.redis());
  });
  after(async () => {
    redis.disconnect();
    await sluice.dispose();
  });

  const get = async (headers: Record<string, string> = {}): Promise<HttpAnswer> =>
    sluice.get(APP, "/", headers);
  const releaseOf = (answer: HttpAnswer): string => String(answer.headers["sluice-release"]);
  const cookieOf = ({ headers }: HttpAnswer): string | undefined => headers["set-cookie"]?.[0]?.split(";")[0];
  const visits = async (
    count: number,
    headers: Record<string, string> = {},
  ): Promise<Record<string, number>> => {
    const seen: Record<string, number> = {};
    for (let visit = 0; visit < count; visit++) {
      const release = releaseOf(await get(headers));
      seen[release] = (seen[release] ?? 0) + 1;
    }
    return seen;
  };
  const pushCanary = async (): Promise<string> => {
    await clone.commit({ "note.txt": String(Math.random()) });
    const push = await clone.push("HEAD:staging");
    expectAccepted(push);
    return /\((v\d+), /.exec(push.output)?.[1] ?? "";
  };

  /** The canary; a new one where there is none. */
  const present = async (): Promise<string> => {
    const green = await get({ "x-client-mode": "green" });
    return green.status === 200 ? releaseOf(green) : pushCanary();
  };
  const production = async (): Promise<string> => releaseOf(await get({ "x-client-mode": "blue" }));

  it("answers 404 to green and production to blue while there is none", async () => {
    await sluice.cli("abort", APP);
    expect((await get({ "x-client-mode": "green" })).status).to.equal(404);
    expect(releaseOf(await get({ "x-client-mode": "Blue" }))).to.equal(await production());
    expect(cookieOf(await get())).to.equal(undefined);
  });

  it("gets the share of the visitors that app.json says", async () => {
    // A share that an admin chose would stay.
    await sluice.cli("abort", APP);
    const canary = await pushCanary();
    const seen = await visits(300);
    expect(seen[canary], JSON.stringify(seen)).to.be.within(50, 130);
  });

  it("gets the share that an admin says, and only who asks for it at 0", async () => {
    const [canary, before] = [await present(), await production()];
    await sluice.cli("weight", APP, "100");
    expect(await visits(30)).to.deep.equal({ [canary]: 30 });
    await sluice.cli("weight", APP, "0");
    expect(await visits(30)).to.deep.equal({ [before]: 30 });
    expect(await visits(5, { cookie: `sluice=canary.${canary}` })).to.deep.equal({ [before]: 5 });
    expect(releaseOf(await get({ "x-client-mode": "green" }))).to.equal(canary);
    const wrong = await sluice.cli("weight", APP, "130");
    expect([wrong.status, wrong.stderr]).to.deep.equal([2, wrong.stderr]);
    expect(wrong.stderr).to.match(/from 0 to 100/);
  });

  it("has no visitor left while sluice:alert says yes, whoever sets it; they come back after no", async () => {
    const [canary, before] = [await present(), await production()];
    await sluice.cli("weight", APP, "50");
    const load = startLoad(sluice.httpPort, APP);
    const pinned = { cookie: `sluice=canary.${canary}` };
    expect(releaseOf(await get(pinned))).to.equal(canary);
    await redis.set("sluice:alert", "yes");
    await eventually("nobody on the canary", async () => releaseOf(await get(pinned)) === before);
    const during = await get(pinned);
    expect([releaseOf(during), cookieOf(during)]).to.deep.equal([before, undefined]);
    expect(await visits(40)).to.deep.equal({ [before]: 40 });
    const another = await pushCanary();
    expect(await visits(40)).to.deep.equal({ [before]: 40 });
    await redis.set("sluice:alert", "no");
    await eventually("back on the canary", async () => releaseOf(await get(pinned)) === another);
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("obeys the alert also while the server role is down", async () => {
    const [canary, before] = [await present(), await production()];
    const pinned = { cookie: "sluice=canary.v1" };
    await sluice.cli("down", "--keep-traffic");
    await sluice.up("--roles", "proxy");
    expect(releaseOf(await get(pinned))).to.equal(canary);
    await redis.set("sluice:alert", "yes");
    await eventually("nobody on the canary", async () => releaseOf(await get(pinned)) === before);
    await redis.del("sluice:alert");
    await eventually("back on the canary", async () => releaseOf(await get(pinned)) === canary);
    await sluice.cli("down", "--keep-traffic");
    await sluice.up();
  });

  it("becomes production by promotion, under load, as it is; a rollback is a switch", async () => {
    const [canary, current] = [await present(), await production()];
    const load = startLoad(sluice.httpPort, APP);
    const before = await sluice.read<{ instances: { id: string; pid: number }[] }[]>("apps");
    const promoted = await sluice.cli("promote", APP);
    expect(promoted.stdout).to.match(
      new RegExp(`^-----> Live: http://shop\\.localhost:\\d+ \\(${canary}, `, "m"),
    );
    expect(await visits(30)).to.deep.equal({ [canary]: 30 });
    const moved = await get({ cookie: `sluice=canary.${canary}` });
    expect([releaseOf(moved), cookieOf(moved)]).to.deep.equal([canary, `sluice=production.${canary}`]);
    expect((await get({ "x-client-mode": "green" })).status).to.equal(404);
    const after = await sluice.read<{ instances: { id: string; pid: number }[] }[]>("apps");
    const pidOf = (summaries: typeof after): number | undefined =>
      summaries[0]?.instances.find(({ id }) => id === `shop.${canary}.web.1`)?.pid;
    expect(pidOf(after)).to.equal(pidOf(before));
    expect((await sluice.cli("promote", APP)).stderr).to.match(/no canary/);
    await sluice.cli("rollback", APP);
    expect(await visits(30)).to.deep.equal({ [current]: 30 });
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("goes at once by abort, drained", async () => {
    const [canary, before] = [await pushCanary(), await production()];
    await sluice.cli("weight", APP, "100");
    const load = startLoad(sluice.httpPort, APP, "/?ms=300");
    const answer = await sluice.cli("abort", APP);
    expect(answer.stdout).to.include(`${canary} gets no more visitors`);
    expect(await visits(30)).to.deep.equal({ [before]: 30 });
    expect(await visits(3, { cookie: `sluice=canary.${canary}` })).to.deep.equal({ [before]: 3 });
    await eventually("its instance is gone", async () => {
      const [summary] = await sluice.read<{ instances: { id: string }[] }[]>("apps");
      return summary?.instances.every(({ id }) => !id.includes(`.${canary}.`));
    });
    expect((await load.stop()).failures).to.deep.equal([]);
    expect((await sluice.cli("abort", APP)).stderr).to.match(/no canary/);
  });

  it("is not promoted when it has died, though nothing new is started for that", async () => {
    const obstacle = join(sluice.shared, "obstacle");
    await clone.commit({
      "server.js": `if (require("node:fs").existsSync(${JSON.stringify(obstacle)})) process.exit(4);${TINY_SERVER}`,
    });
    const before = (await sluice.get(APP, "/", { "x-client-mode": "blue" })).headers["sluice-release"];
    const canary = await pushCanary();
    await writeFile(obstacle, "");
    await sluice.get(APP, "/crash", { "x-client-mode": "green" }).catch(() => undefined);
    await eventually("it cannot start any more", async () =>
      (await sluice.read<AppSummary[]>("apps"))
        .flatMap(({ instances }) => instances)
        .some(({ id, restarts }) => id.includes(`.${canary}.`) && restarts > 1),
    );
    expect((await sluice.cli("promote", APP)).stderr).to.match(
      /web\.\d ended \(status 4\) before it was ready/,
    );
    expect(await visits(30, { "x-client-mode": "blue" })).to.deep.equal({ [String(before)]: 30 });
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    await clone.commit({ "server.js": TINY_SERVER });
  });

  it("is not promoted when it is aborted meanwhile, and what was started for that goes too", async () => {
    expect((await sluice.cli("scale", APP, "web=2")).status).to.equal(0);
    const gate = join(sluice.shared, "gate");
    await clone.commit({ "server.js": secondOneWaitsFor(gate) });
    const [canary, before] = [await pushCanary(), await production()];
    const promotion = sluice.cli("promote", APP);
    const instances = async (): Promise<string[]> =>
      (await sluice.instances()).filter((id) => id.includes(`.${canary}.`));
    await eventually("it starts another instance", async () => (await instances()).length === 2);
    expect((await sluice.cli("abort", APP)).status).to.equal(0);
    await writeFile(gate, "");
    expect((await promotion).stderr).to.match(/no canary/);
    expect(await visits(30)).to.deep.equal({ [before]: 30 });
    await eventually("its instances are gone", async () => (await instances()).length === 0);
  });

  it("has as many instances after its promotion as a push of the same to master would have", async () => {
    const appJson = { formation: { web: { quantity: 1 } }, sluice: SETTINGS };
    await clone.commit({ "server.js": TINY_SERVER, "app.json": JSON.stringify(appJson) });
    const canary = await pushCanary();
    expect((await sluice.cli("promote", APP)).status).to.equal(0);
    expect((await sluice.instances()).filter((id) => id.includes(`.${canary}.`))).to.deep.equal([
      `${APP}.${canary}.web.1`,
    ]);
    await clone.commit({ "app.json": JSON.stringify({ sluice: SETTINGS }) });
    expect((await sluice.cli("rollback", APP)).status).to.equal(0);
  });
});

function secondOneWaitsFor(gate: string): string {
  return TINY_SERVER.replace(
    /^server\.listen\(.*\);$/m,
    (listen) => `const begin = () => {
      if (DYNO === "web.2" && !require("node:fs").existsSync(${JSON.stringify(gate)})) setTimeout(begin, 20);
      else ${listen}
    };
    begin();`,
  );
}
