import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freeRange } from "../../support/network/free-range.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

/** As Debian sets it for an ordinary user: HAProxy lies in /usr/sbin, which is not part of it. */
const USERS_PATH = "/usr/local/bin:/usr/bin:/bin";

describe("PATH", function () {
  this.timeout(60_000);
  let closed: string;
  let sluice: TestSluice;

  before(async () => {
    // Mode 700: of root's, when root runs this.
    closed = await mkdtemp(join(tmpdir(), "sluice-closed-"));
    sluice = await TestSluice.start({
      path: `${closed}:${dirname(process.execPath)}:${USERS_PATH}`,
      settings: { instances: { ports: await freeRange(20) } },
    });
  });
  after(async () => {
    await sluice.dispose();
    await rm(closed, { recursive: true });
  });

  it("may be an ordinary user's, without the folders of HAProxy and other administrators' programs", async () => {
    const clone = await sluice.clone("hello", tinyApp());
    expect((await clone.push()).output).to.include("Live: ");
    expect((await sluice.get("hello")).body).to.equal("v1 web.1");
    expect((await sluice.cli("doctor")).stdout).to.match(/^ok {3}programs: git, haproxy/m);
  });

  it("may have a folder that apps cannot enter; a missing command is still told as missing", async () => {
    const clone = await sluice.clone("lost", tinyApp({ Procfile: "web: nest start\n" }));
    const { status, output } = await clone.push();
    expect(status).to.equal(1);
    expect(output).to.match(/nest: (?:\S+: )?not found/);
    expect(output).not.to.include("Permission denied");
  });
});
