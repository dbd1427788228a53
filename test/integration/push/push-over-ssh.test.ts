import { expect } from "chai";
import { execa } from "execa";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { expectAccepted } from "../../support/accepted.js";
import { eventually } from "../../support/eventually.js";
import { freeRange, type PortRange } from "../../support/network/free-range.js";
import { saying } from "../../support/running/saying.js";
import { TestClone } from "../../support/git/test-clone.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { tracesOf } from "../../support/running/traces.js";

interface Key {
  id: string;
  name: string;
  fingerprint: string;
}

/** Offers one key and signs with another. */
class SigningAgent extends ssh2.BaseAgent<ssh2.ParsedKey> {
  constructor(
    private readonly offered: ssh2.ParsedKey,
    private readonly signer: ssh2.ParsedKey,
  ) {
    super();
  }

  override getIdentities(answer: ssh2.IdentityCallback<ssh2.ParsedKey>): void {
    answer(undefined, [this.offered]);
  }

  override sign(
    _key: ssh2.ParsedKey,
    data: Buffer,
    options: ssh2.SigningRequestOptions | ssh2.SignCallback,
    callback?: ssh2.SignCallback,
  ): void {
    const answer = typeof options === "function" ? options : callback;
    answer?.(undefined, this.signer.sign(data));
  }
}

describe("git over SSH", function () {
  this.timeout(60_000);
  let ports: PortRange;
  let sluice: TestSluice;
  let known: string;
  before(async () => {
    ports = await freeRange(40);
    sluice = await TestSluice.start({ settings: { limits: { pushMegabytes: 25 }, instances: { ports } } });
    known = await makeKey("known", "ed25519");
    expect((await sluice.cli("keys", "add", `${known}.pub`)).stdout).to.match(/known@test may push: SHA256:/);
  });
  after(async () => sluice.dispose());

  async function makeKey(name: string, type: string, ...options: string[]): Promise<string> {
    const file = join(sluice.folder, name);
    await execa("ssh-keygen", ["-q", "-t", type, ...options, "-N", "", "-C", `${name}@test`, "-f", file]);
    return file;
  }

  /** A machine of somebody who has this key and nothing else. */
  function sshOptions(key: string): string[] {
    const options = [
      "IdentitiesOnly=yes",
      "IdentityAgent=none",
      "StrictHostKeyChecking=accept-new",
      "BatchMode=yes",
      `UserKnownHostsFile=${sluice.folder}/known_hosts`,
    ];
    return ["-F", "/dev/null", "-i", key, ...options.flatMap((option) => ["-o", option])];
  }

  async function clone(app: string, key: string, files: Record<string, string>): Promise<TestClone> {
    const folder = join(sluice.folder, `clone-${randomBytes(4).toString("hex")}`);
    const made = await TestClone.make(folder, `ssh://git@127.0.0.1:${sluice.sshPort}/${app}`, files);
    await made.git("config", "core.sshCommand", ["ssh", ...sshOptions(key)].join(" "));
    return made;
  }

  async function ssh(key: string, ...command: string[]): Promise<{ status: number; output: string }> {
    const args = [...sshOptions(key), "-p", String(sluice.sshPort), "git@127.0.0.1", ...command];
    const { exitCode, all } = await execa("ssh", args, { reject: false, all: true, stdin: "ignore" });
    return { status: exitCode ?? -1, output: all };
  }

  for (const [type, ...options] of [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa"]] as const) {
    it(`lets an ${type} key push from when it is added until it is removed`, async () => {
      const app = `by-${type}`;
      const key = await makeKey(type, type, ...options);
      const mine = await clone(app, key, tinyApp());
      expect((await mine.push()).output).to.match(/Permission denied \(publickey\)/);
      await sluice.cli("keys", "add", `${key}.pub`);
      const push = await mine.push();
      expect(push.output).to.match(/^-----> Live: http:/m);
      expectAccepted(push);
      expect((await sluice.get(app)).body).to.equal("v1 web.1");
      const [release] = await sluice.read<{ by: string }[]>(`apps/${app}/releases`);
      expect(release?.by).to.equal(`${type}@test`);

      const listed = (await sluice.json<Key[]>("keys")).find(({ name }) => name === `${type}@test`);
      expect((await execa("ssh-keygen", ["-l", "-f", key])).stdout).to.include(listed?.fingerprint);
      expect((await sluice.cli("keys", "remove", listed?.id ?? "")).status).to.equal(0);
      await mine.commit({ "note.txt": "2" });
      const late = await mine.push();
      expect(late.status).not.to.equal(0);
      expect(late.output).to.match(/Permission denied \(publickey\)/);
      expect((await sluice.get(app)).body).to.equal("v1 web.1");
    });
  }

  it("knows two keys of one type apart, and keeps one when the other is removed", async () => {
    const [one, two] = [await makeKey("one", "ed25519"), await makeKey("two", "ed25519")];
    for (const key of [one, two]) await sluice.cli("keys", "add", `${key}.pub`);
    const [first, second] = [await clone("by-two-keys", one, tinyApp()), await clone("by-two-keys", two, {})];
    await first.mustPush();
    await second.git("fetch", "--quiet", "sluice");
    await second.git("reset", "--hard", "--quiet", "sluice/master");
    await second.commit({ "note.txt": "2" });
    await second.mustPush();
    const by = async (): Promise<string[]> =>
      (await sluice.read<{ by: string }[]>("apps/by-two-keys/releases")).map((release) => release.by);
    expect(await by()).to.deep.equal(["two@test", "one@test"]);

    const listed = (await sluice.json<Key[]>("keys")).find(({ name }) => name === "one@test");
    expect((await sluice.cli("keys", "remove", listed?.id ?? "")).status).to.equal(0);
    expect((await sluice.json<Key[]>("keys")).map(({ name }) => name)).to.deep.equal([
      "known@test",
      "two@test",
    ]);
    await second.commit({ "note.txt": "3" });
    await second.mustPush();
    const refused = await first.push("+HEAD:refs/heads/other");
    expect(refused.output).to.match(/Permission denied \(publickey\)/);
    expect(await by()).to.deep.equal(["two@test", "two@test", "one@test"]);
  });

  it("lets nobody in who knows a public key alone", async () => {
    const offered = ssh2.utils.parseKey(await readFile(`${known}.pub`, "utf8"));
    if (offered instanceof Error) throw offered;
    for (const [owner, isIn] of [
      [known, true],
      [await makeKey("stranger", "ed25519"), false],
    ] as const) {
      const signer = ssh2.utils.parseKey(await readFile(owner, "utf8"));
      if (signer instanceof Error) throw signer;
      expect(await isLetIn(new SigningAgent(offered, signer)), owner).to.equal(isIn);
    }
  });

  async function isLetIn(agent: ssh2.BaseAgent): Promise<boolean> {
    const client = new ssh2.Client();
    const [outcome] = await new Promise<unknown[]>((resolve) => {
      client.once("ready", () => resolve([true])).once("error", (error) => resolve([error]));
      client.connect({ host: "127.0.0.1", port: sluice.sshPort, username: "git", agent });
    });
    client.end();
    if (outcome instanceof Error) expect(outcome.message).to.match(/authentication methods failed/);
    return outcome === true;
  }

  it("takes no private key for a public one", async () => {
    const { status, stderr } = await sluice.cli("keys", "add", known);
    expect(status).to.equal(1);
    expect(stderr)
      .to.match(/this is a private key/)
      .and.not.to.match(/BEGIN/);
  });

  it("runs nothing but Git, on nothing but apps", async () => {
    for (const command of [
      [],
      ["ls"],
      ["git-receive-pack '/a'; ls"],
      ["git-upload-pack --exec=ls '/a'"],
      ["git-receive-pack '/a/../b'"],
      ["git archive '/a'"],
    ]) {
      const { status, output } = await ssh(known, ...command);
      expect(status, output).to.equal(1);
      expect(output).to.match(
        /^ ! {5}Over SSH, this server accepts only Git commands\.\n ! {5}Push with git push ssh:/m,
      );
    }
    const { status, output } = await ssh(known, "git-receive-pack '/Bad_Name'");
    expect(status).to.equal(1);
    expect(output).to.match(/^ ! {5}"Bad_Name" cannot be an app's name\.\n ! {5}Use 1 to 40 characters/m);
    expect(await readdir(join(sluice.home, "apps"))).not.to.include("Bad_Name");
  });

  it("says what is wrong with a push as it does over HTTP", async () => {
    const mine = await clone("wrong", known, tinyApp({ Procfile: "nonsense\n" }));
    const push = await mine.push();
    expect(push.status).to.equal(1);
    expect(push.output).to.match(/^ ! {5}Procfile, line 1/m);
    expect(push.output).to.match(/pre-receive hook declined/);
  });

  it("shows what a gate says while it runs, and stops it when the push is interrupted", async () => {
    const mine = await clone("patient", known, tinyApp());
    await mine.mustPush();
    const before = await tracesOf(sluice, "patient", ports);
    await mine.commit({ "app.json": `{"sluice": {"gates": {"slow": "echo it began; sleep 1000"}}}` });
    const push = mine.startPush();
    await saying(push, /^ {7}it began$/m);
    push.stop();
    await push.done;
    await eventually("nothing of it is left", async () => {
      expect(await tracesOf(sluice, "patient", ports)).to.deep.equal(before);
      return true;
    });
    await mine.commit({ "app.json": "{}" });
    await mine.mustPush();
    expect((await sluice.get("patient")).body).to.equal("v3 web.1");
  });

  describe("with 20 MB", () => {
    const film = randomBytes(20_000_000);
    let cinema: TestClone;
    let head: string;
    before(async () => {
      cinema = await clone("cinema", known, tinyApp());
      await writeFile(join(cinema.folder, "film"), film);
      head = await cinema.commit({});
      await cinema.mustPush();
    });

    it("takes them in one push over either transport", async () => {
      await cinema.git(
        "remote",
        "set-url",
        "sluice",
        `http://git:${await sluice.token()}@127.0.0.1:${sluice.controlPort}/git/cinema-by-http.git`,
      );
      await cinema.mustPush();
    });

    it("gives them back by a clone over either transport", async () => {
      const mine = await clone("cinema", known, {});
      const remotes = [
        mine.remote,
        `http://git:${await sluice.token()}@127.0.0.1:${sluice.controlPort}/git/cinema.git`,
      ];
      for (const [index, remote] of remotes.entries()) {
        const folder = join(sluice.folder, `cloned-${index}`);
        await mine.git(
          "clone",
          "--quiet",
          "--config",
          `core.sshCommand=${["ssh", ...sshOptions(known)].join(" ")}`,
          remote,
          folder,
        );
        expect(sha(await readFile(join(folder, "film")))).to.equal(sha(film));
        await mine.git("fetch", "--quiet", remote, "master");
        expect(await mine.git("rev-parse", "FETCH_HEAD")).to.equal(head);
      }
    });

    it("ends git when the client of a fetch is gone, whatever it had not read", async () => {
      const args = [
        ...sshOptions(known),
        "-p",
        String(sluice.sshPort),
        "git@127.0.0.1",
        "git-upload-pack '/cinema'",
      ];
      const client = execa("ssh", args, { reject: false, buffer: false });
      const wants = `${packet(`want ${head} side-band-64k ofs-delta\n`)}0000${packet("done\n")}`;
      client.stdin.write(wants);
      await eventually("git packs", async () =>
        (await gitsOf(sluice)).some((command) => command.includes("pack-objects")),
      );
      client.kill("SIGKILL");
      await client;
      await eventually("git is gone", async () => (await gitsOf(sluice)).length === 0);

      const http = connect(sluice.controlPort, "127.0.0.1");
      const authorization = Buffer.from(`git:${await sluice.token()}`).toString("base64");
      http.write(
        `POST /git/cinema.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${authorization}\r\n` +
          `Content-Type: application/x-git-upload-pack-request\r\nContent-Length: ${wants.length}\r\n\r\n${wants}`,
      );
      http.pause();
      await eventually("git packs", async () =>
        (await gitsOf(sluice)).some((command) => command.includes("pack-objects")),
      );
      http.destroy();
      await eventually("git is gone", async () => (await gitsOf(sluice)).length === 0);
    });

    it("refuses a push over the limit and says what the limit is", async () => {
      const mine = await clone("cinema", known, tinyApp());
      await writeFile(join(mine.folder, "film"), Buffer.concat([film, randomBytes(7_000_000)]));
      await mine.commit({});
      const push = await mine.push("--force", "HEAD:master");
      expect(push.status).not.to.equal(0);
      expect(push.output).to.match(
        /^ ! {5}The push is larger than the limit of 25 MB\.\n ! {5}.*limits\.pushMegabytes/m,
      );
      expect(await mine.git("ls-remote", "sluice", "master")).to.include(head);
    });
  });

  it("says that there is no such app to fetch, and which there are", async () => {
    await (await clone("somewhere", known, tinyApp())).mustPush();
    const mine = await clone("nowhere", known, tinyApp());
    const { status, output } = await ssh(known, "git-upload-pack '/nowhere'");
    expect(status).to.equal(1);
    expect(output).to.match(/^ ! {5}There is no app "nowhere" here\.\n ! {5}Apps here: .*somewhere/m);
    expect(await mine.git("ls-remote", "sluice").catch(String)).to.match(/There is no app/);
  });

  describe("when the server stops", () => {
    it("hangs up on whoever is still connected", async function () {
      this.timeout(120_000);
      const idle = connect(sluice.sshPort, "127.0.0.1");
      await new Promise((resolve) => idle.once("data", resolve));
      const closed = new Promise((resolve) => idle.once("close", resolve));
      const began = Date.now();
      expect((await sluice.cli("down", "--keep-traffic")).status).to.equal(0);
      await closed;
      // One that is waited for keeps the server until it is killed, after a minute.
      expect(Date.now() - began).to.be.lessThan(50_000);
      await sluice.up();
      expect((await ssh(known, "ls")).output, "the same host key").to.match(/accepts only Git commands/);
    });
  });
});

function sha(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** gitprotocol-common(5), pkt-line. */
function packet(text: string): string {
  return (text.length + 4).toString(16).padStart(4, "0") + text;
}

/** Command lines of the git processes that work on a Sluice's repositories. */
async function gitsOf({ home }: TestSluice): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environment.split("\0").includes(`HOME=${join(home, "git")}`)) return [];
      return [(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ")];
    }),
  );
  return commands.flat();
}
