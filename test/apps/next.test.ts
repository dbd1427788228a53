import { expect } from "chai";
import { eventually } from "../support/eventually.js";
import { FixtureApp } from "../support/running/fixture-app.js";

describe("a Next.js app", function () {
  this.timeout(300_000);
  let app: FixtureApp;

  before(async () => {
    app = await FixtureApp.prepare("next");
    await app.push();
  });
  after(async () => app.dispose());

  it("serves a page that is made for each visitor", async () => {
    expect((await app.ask("/")).body).to.include("Release v1");
  });

  it("serves its API", async () => {
    expect(await app.read("/api/hello?name=Ann")).to.deep.equal({ hello: "Ann" });
    const headers = { "content-type": "application/json" };
    expect(await app.read("/api/hello", { method: "POST", headers, body: '{"a":1}' })).to.deep.equal({
      a: 1,
    });
  });

  it("serves its scripts", async () => {
    const [path] = /\/_next\/static\/[^"]+\.js/.exec((await app.ask("/")).body)!;
    const { status, headers } = await app.ask(path);
    expect([status, headers["cache-control"]]).to.deep.equal([200, "public, max-age=31536000, immutable"]);
  });

  it("makes a cached page again when it is old", async () => {
    const { body } = await app.ask("/cached");
    await eventually("the page is new", async () => (await app.ask("/cached")).body !== body);
  });

  it("shrinks its images", async () => {
    const [path] = /\/_next\/image\?[^" ]+/.exec((await app.ask("/photo")).body)!;
    const headers = { accept: "image/webp" };
    const answer = await app.ask(path.replaceAll("&amp;", "&"), { headers });
    expect([answer.status, answer.headers["content-type"]]).to.deep.equal([200, "image/webp"]);
  });

  it("prints nothing about a folder that it may not write", async () => {
    expect(await app.logs()).not.to.match(/EACCES|EROFS|ENOENT|EPERM/);
  });

  it("is pushed again with the dependencies that it has", async () => {
    const { output } = await app.push({ "public/note.txt": "" });
    expect(output).to.include("unchanged, taken from the cache");
    expect((await app.ask("/")).body).to.include("Release v2");
  });
});
