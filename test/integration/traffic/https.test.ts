import { execa } from "execa";
import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestClone } from "../../support/git/test-clone.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { ask } from "../../support/network/ask.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { askHttps, type HttpsAnswer } from "../../support/tls/ask-https.js";
import { TestAuthorityFiles, type CertificateWishes } from "../../support/tls/test-certificates.js";

describe("https with a certificate of one's own", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let authority: TestAuthorityFiles;
  before(async () => {
    authority = await TestAuthorityFiles.make();
    sluice = await TestSluice.start();
    clone = await sluice.clone("shop", tinyApp());
    await clone.mustPush();
    await (await sluice.clone("bank", tinyApp())).mustPush();
    await sluice.says("domains", "shop", "add", "www.shop.test", "*.wild.test");
    await sluice.says("domains", "bank", "add", "bank.test");
  });
  after(async () => {
    await sluice.dispose();
    await authority.remove();
  });

  const files = async (wishes: CertificateWishes): Promise<[certificate: string, key: string]> => {
    const { certificate, key } = await authority.issue(wishes);
    const paths = [join(sluice.folder, "given.crt"), join(sluice.folder, "given.key")] as const;
    await writeFile(paths[0], certificate + authority.intermediate);
    await writeFile(paths[1], key);
    return [...paths];
  };
  const get = async (host: string, path = "/"): Promise<HttpsAnswer> =>
    askHttps(sluice.httpsPort, host, { root: authority.root, path });
  const subjectOf = async (host: string): Promise<string> =>
    String((await askHttps(sluice.httpsPort, host)).certificate.subject.CN ?? "");
  const plain = async (host: string, method = "GET", path = "/"): Promise<string> => {
    const { status, headers } = await ask(`127.0.0.1:${sluice.httpPort}`, {
      headers: { host },
      method,
      path,
    });
    return `${status} ${headers.location ?? ""}`;
  };

  it("is served at once, for the app's own names alone, without a reload", async () => {
    const { proxy } = await sluice.read<{ proxy: { pid: number } }>("status");
    expect(await subjectOf("www.shop.test")).to.equal("no certificate for this name yet");
    const names = ["www.shop.test", "bank.test", "shop.localhost"];
    const added = await sluice.says("certs", "shop", "add", ...(await files({ names })));
    expect(added).to.include(
      "shop.localhost, www.shop.test: served with the certificate of Test intermediate",
    );
    expect(added).to.include("shop does not have bank.test");
    expect((await get("www.shop.test")).body).to.equal("v1 web.1");
    expect((await get("shop.localhost")).body).to.equal("v1 web.1");
    expect(await subjectOf("bank.test")).to.equal("no certificate for this name yet");
    expect((await sluice.read<{ proxy: { pid: number } }>("status")).proxy.pid).to.equal(proxy.pid);
  });

  it("leads http there: 301 for GET and HEAD, 308 else, and other apps stay as they are", async () => {
    expect(await plain("www.shop.test", "GET", "/a?b=c")).to.equal("301 https://www.shop.test/a?b=c");
    expect(await plain("www.shop.test", "HEAD")).to.equal("301 https://www.shop.test/");
    expect(await plain("www.shop.test", "POST", "/form")).to.equal("308 https://www.shop.test/form");
    expect(await plain(`www.shop.test:${sluice.httpPort}`)).to.equal(
      `301 https://www.shop.test:${sluice.httpsPort}/`,
    );
    expect(await plain("bank.test")).to.equal("200 ");
    const answer = await get("www.shop.test");
    expect(answer.headers["strict-transport-security"]).to.equal("max-age=300");
    const withPort = await get(`www.shop.test:${sluice.httpsPort}`);
    expect(withPort.headers["strict-transport-security"], "a browser would keep the port").to.equal(
      undefined,
    );
  });

  it("tells the app, and keeps its cookie to https", async () => {
    await clone.commit({ "app.json": JSON.stringify({ sluice: { sessions: "sticky" } }) });
    await clone.mustPush();
    const { headers, protocol } = await get("www.shop.test");
    expect(protocol).to.equal("TLSv1.3");
    expect(String(headers["set-cookie"])).to.match(
      /^sluice=production\.v2; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  it("serves both, or nothing but http, as app.json says", async () => {
    await clone.commit({ "app.json": JSON.stringify({ sluice: { https: "both" } }) });
    await clone.mustPush();
    expect(await plain("www.shop.test")).to.equal("200 ");
    expect((await get("www.shop.test")).headers["strict-transport-security"]).to.equal(undefined);
    await clone.commit({ "app.json": JSON.stringify({ sluice: { hstsSeconds: 31_536_000 } }) });
    await clone.mustPush();
    expect((await get("www.shop.test")).headers["strict-transport-security"]).to.equal("max-age=31536000");
    const wrong = { "app.json": JSON.stringify({ sluice: { https: "always" } }) };
    await clone.commit(wrong);
    expect((await clone.push()).output).to.include("sluice.https");
  });

  it("has wildcards for what is below the app's own", async () => {
    await sluice.says("certs", "shop", "add", ...(await files({ names: ["*.wild.test"] })));
    expect((await get("any.wild.test")).status).to.equal(200);
    expect(await plain("any.wild.test")).to.equal("301 https://any.wild.test/");
    expect(await subjectOf("a.b.wild.test")).to.equal("no certificate for this name yet");
  });

  it("is replaced by a later one for the same names, and can be removed", async () => {
    const [before] = (await certificates("shop")).filter(({ names }) => names.includes("www.shop.test"));
    await sluice.says(
      "certs",
      "shop",
      "add",
      ...(await files({ names: ["www.shop.test", "bank.test", "shop.localhost"] })),
    );
    const now = await certificates("shop");
    expect(now.map(({ id }) => id)).not.to.include(before?.id);
    expect(now).to.have.length(2);
    const [later] = now.filter(({ names }) => names.includes("www.shop.test"));
    expect(await sluice.refuses("certs", "bank", "remove", later?.id ?? "")).to.include(
      "bank has no certificate",
    );
    await sluice.says("certs", "shop", "remove", later?.id.slice(0, 8) ?? "");
    expect(await subjectOf("www.shop.test")).to.equal("no certificate for this name yet");
    expect(await plain("www.shop.test")).to.equal("200 ");
  });

  it("is refused for none of the app's names, with what it has, and when it is broken", async () => {
    const stranger = await files({ names: ["stranger.test"] });
    expect(await sluice.refuses("certs", "shop", "add", ...stranger))
      .to.include("shop has none of these names")
      .and.include("www.shop.test");
    const [certificate] = await files({ names: ["www.shop.test"] });
    const { key } = await authority.issue({ names: ["www.shop.test"] });
    const other = join(sluice.folder, "other.key");
    await writeFile(other, key);
    expect(await sluice.refuses("certs", "shop", "add", certificate, other)).to.include(
      "the key belongs to none",
    );
    expect(await sluice.refuses("certs", "shop", "add", certificate, "/nowhere")).to.include(
      "/nowhere cannot be read",
    );
    expect((await sluice.cli("certs", "shop", "add", certificate)).status).to.equal(2);
  });

  it("is there after HAProxy and the server have been killed", async () => {
    await sluice.says("certs", "shop", "add", ...(await files({ names: ["www.shop.test"] })));
    const { proxy } = await sluice.read<{ proxy: { pid: number } }>("status");
    process.kill(proxy.pid, "SIGKILL");
    await eventually(
      "it is served again",
      async () => (await get("www.shop.test").catch(() => undefined))?.status === 200,
    );
    await sluice.kill();
    await sluice.up();
    expect((await get("www.shop.test")).status).to.equal(200);
    expect(await subjectOf("any.wild.test")).not.to.include("no certificate");
  });

  it("leaves nothing when its app is destroyed", async () => {
    await sluice.says("certs", "bank", "add", ...(await files({ names: ["bank.test"] })));
    expect((await get("bank.test")).status).to.equal(200);
    await sluice.says("destroy", "bank", "--yes");
    await eventually("it is gone", async () => (await subjectOf("bank.test")).startsWith("no certificate"));
    const connection = await sluice.redis();
    await eventually(
      "nor is it in Redis",
      async () => (await connection.redis.hlen("sluice:certificates")) === 2,
      10_000,
    );
    connection.close();
  });

  it("offers what browsers of the last ten years know, and nothing older", async () => {
    const connect = async (...args: string[]): Promise<string> => {
      const name = ["-connect", `127.0.0.1:${sluice.httpsPort}`, "-servername", "www.shop.test"];
      const { stdout, stderr } = await execa("openssl", ["s_client", ...name, ...args], {
        input: "",
        reject: false,
      });
      return `${stdout}\n${stderr}`;
    };
    for (const old of ["-tls1", "-tls1_1"])
      expect(await connect(old, "-cipher", "ALL:@SECLEVEL=0"), old).to.match(
        /alert|no protocols available|unsupported/,
      );
    for (const weak of ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "NULL", "CAMELLIA"])
      expect(await connect("-tls1_2", "-cipher", `${weak}:@SECLEVEL=0`), weak).to.match(
        /alert|no cipher match/,
      );
    expect(await connect("-tls1_2")).to.include("Cipher is ECDHE-ECDSA-AES256-GCM-SHA384");
    expect(await connect("-tls1_3", "-alpn", "h2,http/1.1")).to.include("ALPN protocol: h2");
    expect(await connect("-alpn", "http/1.1")).to.include("ALPN protocol: http/1.1");
    const chain = await connect("-showcerts", "-CAfile", authority.rootFile, "-verify_return_error");
    expect(chain).to.include("Verify return code: 0 (ok)").and.include("1 s:CN = Test intermediate");
    const session = join(sluice.folder, "session");
    await connect("-tls1_2", "-sess_out", session);
    expect(await connect("-tls1_2", "-sess_in", session)).to.include("Reused, TLSv1.2");
  });

  it("is valid for curl, over HTTP/2", async () => {
    const { stdout } = await execa("curl", [
      ...[
        "--silent",
        "--cacert",
        authority.rootFile,
        "--resolve",
        `www.shop.test:${sluice.httpsPort}:127.0.0.1`,
      ],
      ...["--write-out", " %{http_version}", `https://www.shop.test:${sluice.httpsPort}/`],
    ]);
    expect(stdout).to.match(/^v\d+ web\.1 2$/);
  });

  interface Shown {
    readonly id: string;
    readonly names: readonly string[];
  }

  async function certificates(app: string): Promise<Shown[]> {
    return (await sluice.json<{ certificates: Shown[] }>("certs", app)).certificates;
  }
});
