import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { EventStream } from "../../support/network/event-stream.js";
import { routesOf, type ProxyTrial } from "./proxy-trial.js";

export function lettingOpenOnesEnd(trial: ProxyTrial): void {
  for (const [what, wanted] of [
    ["was replaced", "kept"],
    ["has left", "gone"],
  ] as const) {
    it(`finishes on a release that ${what}: requests of any method, upgraded connections, event streams`, async () => {
      const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
      const slow = trial.get("a", "/?ms=600");
      const slowPost = trial.post("a", "/?ms=600", "body");
      const socket = await trial.upgraded("a");
      const events = await EventStream.open(trial.running.port, "a");
      await eventually("all have begun", () => one.requests === 3);
      const releases = wanted === "kept" ? { 1: [one], 2: [two] } : { 2: [two] };
      await trial.apply("a", routesOf("a", { live: 2, releases }));
      expect((await trial.get("a")).body).to.equal("v2");
      expect((await slow).body).to.equal("v1");
      expect((await slowPost).body).to.equal("v1");
      expect(await socket.echo("still")).to.equal("v1");
      const { count } = events;
      await eventually("more events", () => events.count > count + 2);
      expect(events.names).to.deep.equal(new Set(["v1"]));
      socket.close();
      events.close();
    });
  }

  it("finishes what is open on an app that it forgets", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const slow = trial.get("a", "/?ms=300");
    const socket = await trial.upgraded("a");
    await eventually("it has begun", () => one.requests === 1);
    await trial.apply("a", undefined);
    expect((await trial.get("a")).status).to.equal(404);
    expect((await slow).body).to.equal("v1");
    expect(await socket.echo("still")).to.equal("v1");
    socket.close();
  });

  it("passes events on as they come", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const events = await EventStream.open(trial.running.port, "a");
    await eventually("the first events", () => events.count >= 2);
    expect(events.isClosed).to.equal(false);
    events.close();
    await eventually("the app sees that the visitor has left", () => one.open === 0);
  });
}

export function tellsWhatLeaves(trial: ProxyTrial): void {
  for (const [what, socket] of [
    ["an address", false],
    ["a Unix socket", true],
  ] as const) {
    it(`tells of a server at ${what} that left while its release goes on, until nothing is open on it`, async () => {
      const [stays, leaves] = [await trial.upstream("v1"), await trial.upstream("v1", { socket })];
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [stays, leaves] } }));
      expect(await trial.proxy.leaving()).to.deep.equal([]);
      const sockets = [await trial.upgraded("a"), await trial.upgraded("a")];
      expect([stays.open, leaves.open]).to.deep.equal([1, 1]);
      await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [stays] } }));
      await trial.proxy.sweep();
      expect(await trial.proxy.leaving()).to.deep.equal([leaves.address]);
      const before = leaves.requests;
      for (let visit = 0; visit < 4; visit++) expect((await trial.get("a")).body).to.equal("v1");
      expect(leaves.requests).to.equal(before);
      for (const open of sockets) open.close();
      await eventually("it is forgotten", async () => {
        await trial.proxy.sweep();
        return (await trial.proxy.leaving()).length === 0;
      });
    });
  }
}

export function countsWhatIsOpen(trial: ProxyTrial): void {
  it("counts what is open on a release, and leaves out one that it does not serve", async () => {
    const [one, two] = [await trial.upstream("v1"), await trial.upstream("v2")];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one], 2: [two] } }));
    const slow = trial.get("a", "/?ms=4000");
    const socket = await trial.upgraded("a");
    const events = await EventStream.open(trial.running.port, "a");
    await eventually("all have begun", () => one.requests === 2);
    await trial.apply("a", routesOf("a", { live: 2, releases: { 1: [one], 2: [two] } }));
    const loads = await trial.proxy.loads(["a/v1", "a/v2", "a/v9"]);
    expect(loads.get("a/v1")?.connections).to.equal(3);
    expect(loads.get("a/v2")).to.deep.equal({ connections: 0, idleSeconds: Infinity });
    expect([...loads.keys()]).to.have.members(["a/v1", "a/v2"]);
    await slow;
    events.close();
    await eventually("the upgraded one is left", async () => (await trial.connectionsTo("a/v1")) === 1);
    socket.close();
    await eventually("nothing is open", async () => (await trial.connectionsTo("a/v1")) === 0);
  });

  it("counts over all servers of a release", async () => {
    const upstreams = [await trial.upstream("v1"), await trial.upstream("v1", { socket: true })];
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: upstreams } }));
    const sockets = await Promise.all([1, 2, 3, 4].map(async () => trial.upgraded("a")));
    expect(upstreams.map(({ open }) => open)).to.deep.equal([2, 2]);
    expect(await trial.connectionsTo("a/v1")).to.equal(4);
    for (const socket of sockets) socket.close();
  });

  it("tells how long ago the last visitor came to a release", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const idle = async (): Promise<number | undefined> =>
      (await trial.proxy.loads(["a/v1"])).get("a/v1")?.idleSeconds;
    expect(await idle()).to.equal(Infinity);
    await trial.get("a");
    expect(await idle()).to.be.within(0, 1);
    await eventually("it was idle for two seconds", async () => ((await idle()) ?? 0) >= 2);
    await trial.get("a");
    expect(await idle()).to.be.within(0, 1);
  });
}
