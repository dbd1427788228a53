import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function doesWithoutDeadServers(trial: ProxyTrial): void {
  it("shares a release's load among its servers, on ports and on Unix sockets", async () => {
    const upstreams = [
      await trial.upstream("v1"),
      await trial.upstream("v1", { socket: true }),
      await trial.upstream("v1"),
    ];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
    await Promise.all(Array.from({ length: 30 }, async () => trial.get("a", "/?ms=50")));
    for (const upstream of upstreams) expect(upstream.requests).to.be.within(7, 13);
  });

  it("does without a server that is dead: no request is lost, of whatever method", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v1", { socket: true })];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one, two] } }));
    await trial.get("a");
    await one.stop();
    const gets = await Promise.all(Array.from({ length: 20 }, async () => trial.get("a")));
    const posts = await Promise.all(Array.from({ length: 20 }, async () => trial.post("a", "/", "body")));
    expect(new Set([...gets, ...posts].map(({ status }) => status))).to.deep.equal(new Set([200]));
  });

  it("asks another server when one hangs up on a GET", async () => {
    const [one, two] = [await trial.upstream("v1", { hangsUp: true }), await trial.upstream("v1")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one, two] } }));
    const answers = await Promise.all(Array.from({ length: 6 }, async () => trial.get("a")));
    expect(answers.map(({ status }) => status)).to.deep.equal(answers.map(() => 200));
    expect(one.requests).to.be.greaterThan(0);
  });

  it("asks another server when one hangs up, by whatever method that may be repeated", async () => {
    const [one, two] = [await trial.upstream("v1", { hangsUp: true }), await trial.upstream("v1")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one, two] } }));
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
      const before = one.requests;
      const statuses = new Set<number>();
      await eventually(`${method} met the one that hangs up`, async () => {
        statuses.add((await trial.ask({ method, headers: { host: "a.localhost" } })).status);
        return one.requests > before;
      });
      expect([...statuses], method).to.deep.equal([200]);
    }
  });

  it("sends a PATCH once, as every method that may not be repeated", async () => {
    const upstreams = [
      await trial.upstream("v1", { hangsUp: true }),
      await trial.upstream("v1", { hangsUp: true }),
    ];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
    const requests = (): number => upstreams.reduce((sum, each) => sum + each.requests, 0);
    for (const [index, method] of ["PATCH", "PROPFIND", "LOCK", "PATCH"].entries()) {
      const { status } = await trial.ask({ method, body: "once", headers: { host: "a.localhost" } });
      expect(status, method).to.equal(502);
      expect(requests(), method).to.equal(index + 1);
    }
  });

  it("never sends a POST twice", async () => {
    const upstreams = [
      await trial.upstream("v1", { hangsUp: true }),
      await trial.upstream("v1", { hangsUp: true }),
    ];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
    for (let post = 1; post <= 4; post++) {
      expect((await trial.post("a", "/", "once")).status).to.equal(502);
      expect(upstreams.reduce((sum, { requests }) => sum + requests, 0)).to.equal(post);
    }
  });

  it("answers 503 with Retry-After when no server is left, and is back when one is", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    expect((await trial.get("a")).status).to.equal(200);
    await one.stop();
    const answer = await trial.get("a");
    expect(answer.status).to.equal(503);
    expect(Number(answer.headers["retry-after"])).to.be.greaterThan(0);
    await trial.upstream("v1 again", { address: one.address });
    await eventually("it answers again", async () => (await trial.get("a")).body === "v1 again");
  });
}
