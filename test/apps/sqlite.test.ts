import { expect } from "chai";
import { FixtureApp } from "../support/running/fixture-app.js";

const POST = { method: "POST" };

describe("an app with SQLite", function () {
  this.timeout(180_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("sqlite");
    await app.sluice.cli("config", app.name, `DATA=${app.sluice.shared}`);
    await app.push();
  });
  after(async () => app.dispose());

  const visits = (beside: number, outside: number): object => ({
    beside: { journal: "wal", visits: beside },
    outside: { journal: "wal", visits: outside },
  });

  it("keeps a write-ahead log beside its code and in a folder of sandbox.folders", async () => {
    expect(await app.read("/", POST)).to.deep.equal(visits(1, 1));
    expect(await app.read("/", POST)).to.deep.equal(visits(2, 2));
  });

  it("finds the folder's database again in the next release, and the one beside its code as it was pushed", async () => {
    await app.push({ note: "" });
    expect(await app.read("/")).to.deep.equal(visits(0, 2));
  });

  it("shares the folder's database between instances", async () => {
    const { status, stderr } = await app.sluice.cli("scale", app.name, "web=2");
    expect(status, stderr).to.equal(0);
    const answers = await Promise.all(Array.from({ length: 20 }, async () => app.read("/", POST)));
    expect(answers).to.have.length(20);
    expect(await app.read("/")).to.have.nested.property("outside.visits", 22);
  });
});
