import { execa } from "execa";
import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { tinyApp } from "../../support/git/tiny-app.js";
import { eventually } from "../../support/eventually.js";
import { ask } from "../../support/network/ask.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { askHttps } from "../../support/tls/ask-https.js";
import { Pebble } from "../../support/tls/pebble.js";
import { TestAuthorityFiles } from "../../support/tls/test-certificates.js";

const NAME = "sluice.example.test";

describe("the control port with TLS", function () {
  this.timeout(90_000);

  describe("by an authority", () => {
    let sluice: TestSluice;
    let pebble: Pebble;
    before(async () => {
      sluice = await TestSluice.prepare();
      pebble = await Pebble.start({ httpPort: sluice.httpPort });
      await pebble.point(NAME, "127.0.0.1");
      await sluice.configure({
        control: { domain: NAME },
        tls: { email: "admin@example.test", directory: pebble.directory, caFile: pebble.caFile },
        network: { allow: ["127.0.0.0/8"], nameServers: [pebble.nameServer] },
        publicAddresses: ["127.0.0.1"],
      });
      await sluice.up();
    });
    after(async () => {
      await sluice.dispose();
      await pebble.stop();
    });

    it("has a certificate by itself, and http for programs of this machine", async () => {
      const root = await pebble.root();
      const answer = await eventually(
        "it answers",
        async () => askHttps(sluice.controlPort, NAME, { root, path: "/healthz" }).catch(() => undefined),
        30_000,
      );
      expect(answer.status).to.equal(200);
      expect((await ask(`127.0.0.1:${sluice.controlPort}`, { path: "/healthz" })).status).to.equal(200);
      await (await sluice.clone("shop", tinyApp())).mustPush();
      const { url } = await sluice.json<{ url: string }>("webhook", "shop");
      expect(url).to.equal(`https://${NAME}:${sluice.controlPort}/webhooks/shop`);
    });

    it("gives its name to no app, by no command, wildcard or app.json", async () => {
      for (const domain of [NAME, "*.example.test"]) {
        const { status, stderr } = await sluice.cli("domains", "shop", "add", domain);
        expect([status, stderr.includes("the name of the control port")], stderr).to.deep.equal([1, true]);
      }
      const clone = await sluice.clone(
        "thief",
        tinyApp({ "app.json": JSON.stringify({ sluice: { domains: [NAME] } }) }),
      );
      expect((await clone.push()).output).to.include("the name of the control port");
    });

    it("is closed to old TLS, and to who sends neither TLS nor http", async () => {
      const { stdout, stderr } = await execa(
        "openssl",
        ["s_client", "-connect", `127.0.0.1:${sluice.controlPort}`, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        { input: "", reject: false },
      );
      expect(`${stdout}${stderr}`).to.match(/alert|no protocols available|unsupported/);
      expect((await askHttps(sluice.controlPort, "other.test", { path: "/healthz" })).status).to.equal(200);
    });
  });

  it("has a certificate for an address, where it has no name", async () => {
    const sluice = await TestSluice.prepare();
    const pebble = await Pebble.start({ httpPort: sluice.httpPort });
    try {
      await sluice.configure({
        control: { domain: "127.0.0.1" },
        tls: { email: "admin@example.test", directory: pebble.directory, caFile: pebble.caFile },
        publicAddresses: ["127.0.0.1"],
      });
      await sluice.up();
      const root = await pebble.root();
      const certificate = await eventually(
        "it has one",
        async () => certificateAt(sluice.controlPort, root).catch(() => undefined),
        30_000,
      );
      expect(certificate.subjectaltname).to.equal("IP Address:127.0.0.1");
    } finally {
      await sluice.dispose();
      await pebble.stop();
    }
  });

  describe("by files", () => {
    let sluice: TestSluice;
    let authority: TestAuthorityFiles;
    let token: string;
    const write = async (): Promise<void> => {
      const { certificate, key } = await authority.issue({ names: [NAME, "127.0.0.1"] });
      await writeFile(join(sluice.folder, "control.crt"), certificate + authority.intermediate);
      await writeFile(join(sluice.folder, "control.key"), key);
    };
    before(async () => {
      authority = await TestAuthorityFiles.make();
      sluice = await TestSluice.prepare();
      await write();
      const [certificateFile, keyFile] = ["crt", "key"].map((ending) =>
        join(sluice.folder, `control.${ending}`),
      );
      await sluice.configure({ control: { domain: NAME, certificateFile, keyFile }, controlBind: "0.0.0.0" });
      await sluice.up();
      token = await sluice.token();
    });
    after(async () => {
      await sluice.dispose();
      await authority.remove();
    });
    const elsewhere = async (env: Record<string, string>, ...args: string[]): Promise<string> => {
      const { stdout, stderr } = await sluice.cliWith(
        { SLUICE_HOME: join(sluice.folder, "elsewhere"), NODE_EXTRA_CA_CERTS: authority.rootFile, ...env },
        ...args,
      );
      return stdout + stderr;
    };

    it("takes pushes, and commands of another machine, over https", async () => {
      const clone = await sluice.clone("shop", tinyApp());
      const url = `https://git:${token}@127.0.0.1:${sluice.controlPort}/git/shop.git`;
      const { all } = await execa("git", ["push", url, "HEAD:master"], {
        cwd: clone.folder,
        env: { GIT_SSL_CAINFO: authority.rootFile },
        all: true,
      });
      expect(all).to.include("HEAD -> master");
      const remote = { SLUICE_URL: `https://127.0.0.1:${sluice.controlPort}` };
      expect(await elsewhere({ ...remote, SLUICE_TOKEN: token }, "apps")).to.include("shop");
      expect(await elsewhere(remote, "apps")).to.include("SLUICE_TOKEN is not");
      const unsafe = { SLUICE_URL: "http://sluice.example.test:8081", SLUICE_TOKEN: token };
      expect(await elsewhere(unsafe, "apps")).to.include("no token is sent to");
      const nobody = { SLUICE_URL: "https://127.0.0.1:1", SLUICE_TOKEN: token };
      expect(await elsewhere(nobody, "apps")).to.include("cannot be reached");
      const stranger = { ...remote, SLUICE_TOKEN: token, NODE_EXTRA_CA_CERTS: "" };
      expect(await elsewhere(stranger, "apps")).to.match(/cannot be reached: unable to/);
    });

    it("takes another certificate as soon as its files change", async () => {
      const before = (await askHttps(sluice.controlPort, NAME)).certificate.fingerprint256;
      await write();
      const now = async (): Promise<string> =>
        (await askHttps(sluice.controlPort, NAME, { root: authority.root })).certificate.fingerprint256;
      await eventually("there is another one", async () => (await now()) !== before, 5000);
    });

    it("refuses http of another machine: a page leads to https, and all else is told why", async () => {
      const [address] = ownAddresses();
      const host = `${address}:${sluice.controlPort}`;
      const page = await ask(host, { path: "/healthz" });
      expect([page.status, page.headers.location]).to.deep.equal([
        301,
        `https://${NAME}:${sluice.controlPort}/healthz`,
      ]);
      const post = await ask(host, { path: "/api/apps", method: "POST" });
      expect(post.status).to.equal(403);
      expect(post.body).to.include("in clear");
    });
  });

  it("does not begin with files that are no certificate", async () => {
    const sluice = await TestSluice.prepare();
    try {
      const file = join(sluice.folder, "nothing");
      await writeFile(file, "nothing");
      await sluice.configure({ control: { domain: NAME, certificateFile: file, keyFile: file } });
      const { status, stderr } = await sluice.cli("up", "--detach");
      expect([status, stderr.includes("no private key")]).to.deep.equal([1, true]);
    } finally {
      await sluice.dispose();
    }
  });
});

/** Of who asks for no name. Rejects when `ca` does not vouch for it. */
async function certificateAt(port: number, ca: string): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, ca }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
}
