import { expect } from "chai";
import { Agent } from "node:http";
import { eventually } from "../support/eventually.js";
import { AnsweringServer, Book, countsTraffic, routesTo } from "./proxy/counting.js";
import { ProxyTrial, routesOf } from "./proxy/proxy-trial.js";
import { RunningHaproxy } from "./proxy/running-haproxy.js";

describe("HAProxy's counters", function () {
  this.timeout(60_000);
  const trial = new ProxyTrial(async () => RunningHaproxy.start());
  let web: AnsweringServer;
  beforeEach(async () => {
    await trial.begin();
    web = await AnsweringServer.start();
  });
  afterEach(async () => {
    await trial.end();
    await web.stop();
  });

  countsTraffic(trial);

  it("go on through a reload, in the old process too", async () => {
    const one = await trial.upstream("v1");
    await trial.apply("a", routesOf("a", { live: 1, releases: { 1: [one] } }));
    const book = new Book(trial.proxy);
    for (let request = 0; request < 5; request++) await trial.get("a");
    const socket = await trial.upgraded("a");
    expect(await book.of("a/v1")).to.include({ requests: 6, answersOk: 6 });
    for (let request = 0; request < 3; request++) await trial.get("a");
    await trial.proxy.reload();
    expect(await book.of("a/v1")).to.include({ requests: 9, answersOk: 9 });
    for (let request = 0; request < 4; request++) await trial.get("a");
    expect(await socket.echo("still")).to.equal("v1");
    await book.look(false);
    expect(await book.of("a/v1")).to.include({ requests: 13, answersOk: 13, failed: 0 });
    socket.close();
    await eventually("the old process is gone", async () => {
      await book.look(false);
      return new Set((await trial.proxy.counts(true)).map(({ process }) => process)).size === 1;
    });
    expect(await book.of("a/v1")).to.include({ requests: 13, answersOk: 13, failed: 0 });
  });

  it("tell what a process had counted when a reload ended it, until that is kept", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    for (const path of ["/200", "/404", "/500"]) await trial.get("a", path);
    await trial.proxy.reload();
    const wanted = { requests: 3, answersOk: 1, answers4xx: 1, answers5xx: 1, failed: 0 };
    // An answer that is lost is asked for again.
    await trial.proxy.counts(true);
    const book = new Book(trial.proxy);
    expect(await book.of("a/v1")).to.include(wanted);
    await book.look(false);
    expect(await book.of("a/v1")).to.include(wanted);
    expect(await trial.proxy.counts(false)).to.deep.equal([]);
  });

  it("begin at zero with a new HAProxy, and nothing is counted twice", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    const book = new Book(trial.proxy);
    await trial.get("a", "/200");
    await trial.get("a", "/500");
    await book.look(true);
    await trial.running.restart();
    await trial.get("a", "/200");
    expect(await book.of("a/v1")).to.include({ requests: 3, answersOk: 2, answers5xx: 1, failed: 0 });
  });

  it("blame no release for the failures of one that had its slot before", async () => {
    const book = new Book(trial.proxy);
    await trial.apply("a", routesTo("a", 1, web.address));
    await trial.post("a", "/drop", "once");
    await trial.get("a", "/500");
    await eventually("it is counted", async () => (await book.of("a/v1")).failed === 1);
    await trial.apply("a", undefined);
    await trial.apply("b", routesTo("b", 1, web.address));
    const slots = new Set((await trial.proxy.counts(true)).map(({ slot }) => slot?.name));
    await trial.get("b", "/500");
    await trial.post("b", "/drop", "once");
    await eventually("it is counted", async () => (await book.of("b/v1")).failed === 1);
    expect(await book.of("b/v1")).to.include({ requests: 2, answers5xx: 1, failed: 1 });
    expect(await book.of("a/v1")).to.include({ requests: 2, answers5xx: 1, failed: 1 });
    expect(new Set((await trial.proxy.counts(true)).map(({ slot }) => slot?.name))).to.deep.equal(slots);
  });

  it("are exact under load, however often they are read", async () => {
    await trial.apply("a", routesTo("a", 1, web.address));
    const book = new Book(trial.proxy);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const paths = ["/200", "/200", "/404", "/500", "/500"];
    const load = Array.from({ length: 1000 }, async (_, index) =>
      trial.ask({ agent, path: paths[index % 5] ?? "/", headers: { host: "a.localhost" } }),
    );
    const state = { isOver: false };
    const done = Promise.all(load).then(() => (state.isOver = true));
    const wanted = { requests: 1000, answersOk: 400, answers4xx: 200, answers5xx: 400, failed: 0 };
    while (!state.isOver) await book.look(false);
    await done;
    agent.destroy();
    expect(await book.of("a/v1")).to.include(wanted);
    expect(await book.of("a/v1")).to.include(wanted);
  });
});
