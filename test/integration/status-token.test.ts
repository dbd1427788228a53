import { expect } from "chai";
import { execa, type Options } from "execa";
import type { WebhookAnswer } from "../../server/api/webhook-api.js";
import { eventually } from "../support/eventually.js";
import { TestSluice } from "../support/test-sluice.js";

const BIN = new URL("../../bin/sluice", import.meta.url).pathname;
const TOKEN = "status-token-that-nobody-may-see";

describe("sluice webhook --status-token", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let options: Options;
  before(async () => {
    sluice = await TestSluice.start();
    options = { env: sluice.env, extendEnv: false, reject: false, timeout: 30_000 };
  });
  after(async () => sluice.dispose());

  const reportsBack = async (app: string): Promise<boolean> =>
    (await sluice.json<WebhookAnswer>("webhook", app)).reportsBack;

  it("- takes one line of what is piped in, and does not wait for its end", async () => {
    const command = execa(process.execPath, [BIN, "webhook", "piped", "--status-token", "-"], {
      ...options,
      stdin: "pipe",
    });
    command.stdin.write(`${TOKEN}\n`);
    const { exitCode, stdout, stderr } = await command;
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    expect(stdout).to.include("The host is told what becomes of each commit.").and.not.to.include(TOKEN);
  });

  it("- asks on a terminal, and does not show what is typed", async () => {
    const quoted = [process.execPath, BIN].map((word) => `'${word}'`).join(" ");
    const terminal = execa("script", ["-qec", `${quoted} webhook typed --status-token -`, "/dev/null"], {
      ...options,
      stdin: "pipe",
      stdout: "pipe",
    });
    let screen = "";
    terminal.stdout.on("data", (chunk: Buffer) => (screen += chunk.toString()));
    await eventually("it asks", () => screen === "Token: ", 20_000);
    terminal.stdin.write(`${TOKEN}\r`);
    expect((await terminal).exitCode).to.equal(0);
    expect(screen)
      .to.include("The host is told what becomes of each commit.")
      .and.not.to.include(TOKEN.slice(0, 6));
    expect(await reportsBack("typed")).to.equal(true);
  });

  it("- refuses to go on with nothing, and the token before stays", async () => {
    await sluice.feed(TOKEN, "webhook", "kept", "--status-token", "-");
    for (const input of ["", "\n", "  \n"]) {
      const { status, stdout, stderr } = await sluice.feed(input, "webhook", "kept", "--status-token", "-");
      expect({ status, stdout }).to.deep.equal({ status: 1, stdout: "" });
      expect(stderr).to.include("no status token came on standard input");
    }
    expect(await reportsBack("kept")).to.equal(true);
  });

  it("takes a token as it stands, and says on stderr that others can see it; an empty one removes it", async () => {
    const given = await sluice.cli("webhook", "open", "--status-token", TOKEN, "--json");
    expect(JSON.parse(given.stdout)).to.include({ reportsBack: true });
    expect(given.stderr).to.include("Others on this machine can see").and.not.to.include(TOKEN);
    const removed = await sluice.cli("webhook", "open", "--status-token", "", "--json");
    expect(JSON.parse(removed.stdout)).to.include({ reportsBack: false });
    expect(removed.stderr).to.equal("");
  });
});
