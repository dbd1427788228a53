import { expect } from "chai";
import { expectAccepted } from "../../support/accepted.js";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

interface App {
  url?: string;
  tracks: { track: string; url?: string }[];
}

describe("an app without a web process", function () {
  this.timeout(60_000);
  const app = "jobs";
  const formation = (worker: number): string =>
    JSON.stringify({ formation: { worker: { quantity: worker } }, sluice: { standbySeconds: 0 } });
  const worker = { Procfile: "worker: node work.js\n", "work.js": "setInterval(() => undefined, 1000);" };
  let sluice: TestSluice;

  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  const appOf = async (name: string): Promise<App | undefined> =>
    (await sluice.read<(App & { app: string })[]>("apps")).find((summary) => summary.app === name);

  it("says what runs and gives no URL, and no host leads to it", async () => {
    const clone = await sluice.clone(app, { ...worker, "app.json": formation(2) });
    const push = await clone.push();
    expectAccepted(push);
    expect(push.output).to.match(/^-----> Live: worker ×2, no web process \(v1, [\d.]+ s\)$/m);
    expect(push.output).not.to.match(/Live: http/);
    expect((await sluice.get(app)).status).to.equal(404);
    expect((await sluice.get(`v1.${app}`)).status).to.equal(404);
    const summary = await appOf(app);
    expect(summary).not.to.have.property("url");
    expect(summary?.tracks.map((track) => Object.keys(track).includes("url"))).to.deep.equal([false]);
    expect((await sluice.cli("apps")).stdout).to.match(
      /^jobs +production +v1 +no web process +2\/2 running/m,
    );
  });

  it("says that nothing runs, and how to change that", async () => {
    const clone = await sluice.clone("idle", worker);
    const push = await clone.push();
    expectAccepted(push);
    expect(push.output).to.match(/^-----> Live: worker ×0, no web process \(v1, [\d.]+ s\)$/m);
    expect(push.output).to.match(/^ {7}No instance is running\. To start one: sluice scale idle worker=1$/m);
    expect(push.output).not.to.match(/Health:/);
  });

  it("is told to others without a URL", async () => {
    const receiver = await HttpReceiver.start();
    try {
      const clone = await sluice.clone("told", { ...worker, "app.json": formation(1) });
      await clone.mustPush();
      await sluice.cli("notify", "told", "add", receiver.url());
      await clone.commit({ "note.txt": "2" });
      await clone.mustPush();
      const body = await eventually("it is told", async () => receiver.received[0]?.body);
      const { type, data } = JSON.parse(body) as { type: string; data: object };
      expect(type).to.equal("release.live");
      expect(data).not.to.have.property("url");
      expect((await sluice.cli("notify", "told", "test")).status).to.equal(0);
      const test = await eventually("the test is told", () =>
        receiver.received
          .map(({ body }) => JSON.parse(body) as { data: { test?: true } })
          .find(({ data }) => data.test),
      );
      expect(test.data).not.to.have.property("url");
    } finally {
      await receiver.stop();
    }
  });

  it("takes its host out of the traffic when it drops `web`, and leads there again when it has one", async () => {
    const clone = await sluice.clone("mixed", tinyApp({ "app.json": formation(1) }));
    await clone.mustPush();
    expect((await sluice.get("mixed")).status).to.equal(200);
    await clone.commit(worker);
    await clone.mustPush();
    expect((await sluice.get("mixed")).status).to.equal(404);
    await clone.commit(tinyApp());
    const push = await clone.push();
    expect(push.output).to.match(/^-----> Live: http:\/\/mixed\.localhost/m);
    expect((await sluice.get("mixed")).body).to.equal("v3 web.1");
  });

  it("as a canary without a web process takes no visitor from production", async () => {
    const clone = await sluice.clone("birds", tinyApp());
    await clone.mustPush();
    await clone.commit({ ...worker, "app.json": `{"sluice": {"canary": {"share": 100}}}` });
    await clone.mustPush("HEAD:staging");
    for (let i = 0; i < 20; i++) expect((await sluice.get("birds")).status).to.equal(200);
  });
});
