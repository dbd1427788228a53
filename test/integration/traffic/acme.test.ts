import { expect } from "chai";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { askHttps } from "../../support/tls/ask-https.js";
import { Pebble } from "../../support/tls/pebble.js";

describe("certificates from an authority", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let pebble: Pebble;
  let clone: TestClone;
  before(async () => {
    sluice = await TestSluice.prepare();
    pebble = await Pebble.start({ httpPort: sluice.httpPort });
    await sluice.configure({
      tls: { email: "admin@example.test", directory: pebble.directory, caFile: pebble.caFile },
      network: { allow: ["127.0.0.0/8"], nameServers: [pebble.nameServer] },
      publicAddresses: ["127.0.0.1"],
    });
    await sluice.up();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
  });
  after(async () => {
    await sluice.dispose();
    await pebble.stop();
  });

  const says = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await sluice.cli(...args);
    expect(status, stderr).to.equal(0);
    return stdout;
  };

  it("come some seconds after a domain was added, and http leads there", async () => {
    const began = Date.now();
    await says("domains", "shop", "add", "www.shop.test");
    const root = await pebble.root();
    const answer = await eventually(
      "https answers",
      async () => askHttps(sluice.httpsPort, "www.shop.test", { root }).catch(() => undefined),
      30_000,
    );
    process.stdout.write(`      https after ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
    expect(answer.body).to.equal("v1 web.1");
    expect(answer.headers["strict-transport-security"]).to.equal("max-age=300");
    const redirect = await ask(`127.0.0.1:${sluice.httpPort}`, {
      headers: { host: "www.shop.test" },
      path: "/a?b=c",
    });
    expect([redirect.status, redirect.headers.location]).to.deep.equal([301, "https://www.shop.test/a?b=c"]);
    expect(await says("certs", "shop")).to.match(
      /www\.shop\.test +\d{4}-\d\d-\d\d \(\d+ days\) +Pebble Intermediate/,
    );
  });
});
