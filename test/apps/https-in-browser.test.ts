import { execa } from "execa";
import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tinyApp } from "../support/git/tiny-app.js";
import { TestSluice } from "../support/running/test-sluice.js";
import { TestAuthorityFiles } from "../support/tls/test-certificates.js";

const HOST = "www.shop.test";
const PAGE_MS = 40_000;

describe("a site over https in a real browser", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  let authority: TestAuthorityFiles;
  let home: string;
  before(async () => {
    authority = await TestAuthorityFiles.make();
    home = await mkdtemp(join(tmpdir(), "sluice-browser-"));
    sluice = await TestSluice.start();
    await (await sluice.clone("shop", tinyApp())).mustPush();
    const { certificate, key } = await authority.issue({ names: [HOST] });
    const [crt, keyFile] = [join(sluice.folder, "crt"), join(sluice.folder, "key")];
    await writeFile(crt, certificate + authority.intermediate);
    await writeFile(keyFile, key);
    expect((await sluice.cli("domains", "shop", "add", HOST)).status).to.equal(0);
    expect((await sluice.cli("certs", "shop", "add", crt, keyFile)).status).to.equal(0);
  });
  after(async () => {
    await sluice.dispose();
    await authority.remove();
    await rm(home, { recursive: true, force: true });
  });

  /** What Chromium shows of a URL, or says of it, with every name at this machine. */
  const seen = async (url: string): Promise<string> => {
    const { stdout, stderr } = await execa(
      "/usr/bin/chromium",
      [
        ...["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(home, "profile")}`],
        ...["--host-resolver-rules=MAP * 127.0.0.1", "--dump-dom", url],
      ],
      { env: { HOME: home }, timeout: PAGE_MS, reject: false },
    );
    return stdout + stderr;
  };

  it("is refused while nobody vouches for it", async () => {
    expect(await seen(`https://${HOST}:${sluice.httpsPort}/`)).to.include("ERR_CERT_AUTHORITY_INVALID");
  });

  it("is shown once its authority is trusted, also to who came by http", async () => {
    const database = join(home, ".pki/nssdb");
    await mkdir(database, { recursive: true });
    await execa("certutil", ["-d", `sql:${database}`, "-N", "--empty-password"]);
    await execa("certutil", [
      "-d",
      `sql:${database}`,
      "-A",
      "-t",
      "C,,",
      "-n",
      "test",
      "-i",
      authority.rootFile,
    ]);
    expect(await seen(`https://${HOST}:${sluice.httpsPort}/`)).to.include("v1 web.1");
    expect(await seen(`http://${HOST}:${sluice.httpPort}/`)).to.include("v1 web.1");
  });
});
