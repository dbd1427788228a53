import { expect } from "chai";
import { cpus } from "node:os";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("an app that asks what machine it runs on", function () {
  this.timeout(120_000);
  let app: FixtureApp;
  let output: string;
  let seen: Record<string, unknown>;

  before(async () => {
    app = await FixtureApp.prepare("machine");
    ({ output } = await app.push());
    seen = await app.read("/machine");
  });
  after(async () => app.dispose());

  it("is a user with a name and a home, for whatever asks", () => {
    expect(seen["user"]).to.deep.equal(["app", "/app", "app"]);
    expect(seen["home"]).to.equal("/app");
  });

  it("finds itself by its name", () => {
    expect(seen["hostname"]).to.equal("machine");
    expect(seen["addresses"]).to.deep.equal(["127.0.1.1", "127.0.0.1"]);
  });

  it("finds itself in its gates, too", () => {
    expect(output).to.include("gate: app at 127.0.1.1");
  });

  it("sees every processor, its own limit of memory and of /dev/shm", function () {
    expect(seen).to.include({ cpus: cpus().length, hasMeminfo: true, sharedMegabytes: 256 });
    // Only control groups tell a program its limit.
    if (process.getuid?.() === 0) expect(seen["memoryMegabytes"]).to.equal(512);
  });

  it("has the machine's time zone and UTF-8", () => {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    expect(seen).to.include({ zone: timeZone, characters: "UTF-8" });
  });

  it("sees its own processes, and the system's programs", () => {
    expect(seen["processes"]).to.include("node").and.not.include("haproxy");
    expect(seen["tools"]).to.have.length(2);
  });
});
