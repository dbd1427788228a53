import { expect } from "chai";
import { Agent } from "node:http";
import { startLoad } from "../../support/running/load.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function switchesAtOnce(trial: ProxyTrial): void {
  it("switches at once and for everybody, and loses nobody", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const releases = { 1: [one], 2: [two] };
    await trial.apply("a", routesOf("a", { live: 1, releases }));
    const load = startLoad(trial.running.port, "a", "/?ms=5", 400);
    for (let round = 0; round < 20; round++) {
      const live = round % 2 === 0 ? 2 : 1;
      await trial.apply("a", routesOf("a", { live, releases }));
      const answers = await Promise.all([1, 2, 3, 4].map(async () => trial.get("a")));
      expect(answers.map(({ body }) => body)).to.deep.equal(answers.map(() => `v${live}`));
    }
    expect((await load.stop()).failures).to.deep.equal([]);
  });

  it("replaces a release by one that it did not know, and loses nobody", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const load = startLoad(trial.running.port, "a", "/?ms=20", 300);
    for (let number = 2; number <= 12; number++) {
      const next = await trial.upstream(`v${number}`);
      await trial.apply("a", routesOf("a", { live: number, releases: { [number]: [next] } }));
      expect((await trial.get("a")).body).to.equal(`v${number}`);
    }
    const { failures, releases } = await load.stop();
    expect(failures).to.deep.equal([]);
    expect(releases.size).to.be.greaterThan(2);
  });

  it("sends nothing more to the old release, not even over a connection that was open before", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    const releases = { 1: [one], 2: [two] };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { host: "a.localhost" };
    try {
      await trial.apply("a", routesOf("a", { live: 1, releases }));
      expect((await trial.ask({ headers, agent })).body).to.equal("v1");
      const before = one.requests;
      await trial.apply("a", routesOf("a", { live: 2, releases }));
      for (let request = 0; request < 10; request++)
        expect((await trial.ask({ headers, agent })).body).to.equal("v2");
      expect(one.requests).to.equal(before);
    } finally {
      agent.destroy();
    }
  });

  it("can be told the same twice: nothing changes, and what is open goes on", async () => {
    const routes = routesOf("a", { live: 1, releases: { 1: [await trial.upstream("v1")] } });
    await trial.apply("a", routes);
    const socket = await trial.upgraded("a");
    await trial.apply("a", routes);
    expect((await trial.get("a")).body).to.equal("v1");
    expect(await socket.echo("still")).to.equal("v1");
    expect(await trial.connectionsTo("a/v1")).to.equal(1);
    socket.close();
  });

  it("moves a release to other servers, and back to one that it had", async () => {
    const [one, two] = [await trial.upstream("first"), await trial.upstream("second")];
    for (const upstreams of [[one], [one, two], [two], [one]]) {
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
      const bodies = await Promise.all(Array.from({ length: 8 }, async () => (await trial.get("a")).body));
      expect(new Set(bodies)).to.deep.equal(new Set(upstreams.map(({ name }) => name)));
    }
  });
}
