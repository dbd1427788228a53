import { expect } from "chai";
import { execa } from "execa";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freeRange } from "../../support/network/free-range.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** A package from a file, so that nothing is asked of a registry. */
describe("an app's dependencies", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let tarball: string;

  before(async () => {
    sluice = await TestSluice.start({ settings: { instances: { ports: await freeRange(20) } } });
    const folder = join(sluice.shared, "greeting");
    await mkdir(folder);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "greeting", version: "1.0.0" }));
    await writeFile(join(folder, "index.js"), `module.exports = "hello";`);
    await execa("npm", ["pack"], { cwd: folder });
    tarball = join(folder, "greeting-1.0.0.tgz");
  });
  after(async () => sluice.dispose());

  const SAYS = `require("http").createServer((_, response) => response.end(require("greeting"))).listen(process.env.PORT);`;

  function files(kind: "dependencies" | "devDependencies", range = "1.0.0"): Record<string, string> {
    const root = { name: "guest", version: "1.0.0", [kind]: { greeting: range } };
    const installed = {
      version: "1.0.0",
      resolved: `file:${tarball}`,
      ...(kind === "dependencies" ? {} : { dev: true }),
    };
    const packages = { "": root, "node_modules/greeting": installed };
    return {
      "package.json": JSON.stringify(root),
      "package-lock.json": JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
    };
  }

  async function modulesOf(app: string, release: string): Promise<string[]> {
    return readdir(join(sluice.home, "apps", app, "releases", release, "tree/node_modules"));
  }

  async function expectLive(clone: TestClone, says: RegExp): Promise<void> {
    const { status, output } = await clone.push();
    expect(output).to.match(says);
    expect(status).to.equal(0);
  }

  it("are installed once, and copied while the lockfile stays the same", async () => {
    const clone = await sluice.clone("copies", {
      ...tinyApp({ "server.js": SAYS }),
      ...files("dependencies", "~1.0.0"),
    });
    await expectLive(clone, /installed by npm ci/);
    expect((await sluice.get("copies")).body).to.equal("hello");
    await clone.commit({ "note.txt": "2" });
    await expectLive(clone, /unchanged, taken from the cache/);
    expect((await sluice.get("copies")).body).to.equal("hello");
  });

  it("may be for development alone", async () => {
    const clone = await sluice.clone("tools", { ...tinyApp(), ...files("devDependencies") });
    await expectLive(clone, /installed by npm ci/);
    expect((await modulesOf("tools", "v1")).filter((name) => !name.startsWith("."))).to.deep.equal([]);
    expect((await sluice.get("tools")).body).to.equal("v1 web.1");
  });

  it("replace a node_modules that was committed, as npm ci does", async () => {
    const committed = {
      "node_modules/greeting/index.js": `module.exports = "committed";`,
      "node_modules/left/index.js": "",
    };
    const clone = await sluice.clone("committed", {
      ...tinyApp({ "server.js": SAYS }),
      ...files("dependencies"),
      ...committed,
    });
    await expectLive(clone, /installed by npm ci/);
    expect((await sluice.get("committed")).body).to.equal("hello");
    await clone.commit({ "note.txt": "2" });
    await expectLive(clone, /taken from the cache/);
    expect((await sluice.get("committed")).body).to.equal("hello");
    expect(await modulesOf("committed", "v2")).not.to.include("left");
  });
});
