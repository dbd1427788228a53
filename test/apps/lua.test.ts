import { expect } from "chai";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("an app that uses Redis", function () {
  this.timeout(120_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("lua");
    await app.push();
  });
  after(async () => app.dispose());

  it("runs Lua scripts, by their text and by their sum", async () => {
    expect(await app.read("/increment")).to.equal(3);
    expect(await app.read("/increment")).to.equal(6);
    const counted = ["1", "2", "3", "4", "5"];
    expect(await app.read("/count")).to.deep.equal({
      first: counted,
      again: counted,
      known: [1],
      isSame: true,
    });
  });

  it("runs the jobs of a BullMQ queue", async () => {
    expect(await app.read("/job")).to.deep.equal({
      result: "sent to ann at attempt 2",
      counts: { completed: 1, failed: 0 },
      warnings: [],
    });
  });

  it("gets its messages", async () => {
    expect(await app.read("/message")).to.deep.equal({ receivers: 2, message: "hello", byPattern: "hello" });
  });

  it("waits for the entries of a stream", async () => {
    expect(await app.read("/stream")).to.deep.equal({ fields: ["colour", "blue"], acknowledged: 1 });
  });

  it("has transactions", async () => {
    expect(await app.read("/transaction")).to.deep.equal([
      [null, "OK"],
      [null, 2],
    ]);
  });

  it("is refused only what looks beyond its own keys, and patterns of a part of its channels", async () => {
    expect(await app.read("/refused")).to.deep.equal([
      ...["KEYS", "SCAN", "FLUSHDB", "DBSIZE", "CONFIG GET", "CLIENT LIST", "FUNCTION LIST", "MONITOR"],
      ...["PSUBSCRIBE of some", "SUBSCRIBE to changes of keys"],
    ]);
  });

  it("prints nothing about commands that are refused", async () => {
    expect(await app.logs()).not.to.match(/NOPERM|warn|error/i);
  });
});
