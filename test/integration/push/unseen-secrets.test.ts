import { expect } from "chai";
import { execa, type Options } from "execa";
import type { WebhookAnswer } from "../../../core/api/apps/webhook.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { tinyApp } from "../../support/git/tiny-app.js";

const BIN = new URL("../../../bin/sluice", import.meta.url).pathname;
const TOKEN = "status-token-that-nobody-may-see";

describe("what nobody may see", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  let options: Options;
  before(async () => {
    sluice = await TestSluice.start();
    options = { env: sluice.env, extendEnv: false, reject: false, timeout: 30_000 };
    await (await sluice.clone("shop", tinyApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const reportsBack = async (app: string): Promise<boolean> =>
    (await sluice.json<WebhookAnswer>("webhook", app)).reportsBack;

  it("is not in a command: webhook --status-token - takes one line of what is piped in, and does not wait for its end", async () => {
    const command = execa(process.execPath, [BIN, "webhook", "piped", "--status-token", "-"], {
      ...options,
      stdin: "pipe",
    });
    command.stdin.write(`${TOKEN}\n`);
    const { exitCode, stdout, stderr } = await command;
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: "" });
    expect(stdout).to.include("Results are reported to the forge.").and.not.to.include(TOKEN);
  });

  it("is asked for on a terminal, and not shown while it is typed", async () => {
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
    expect(screen).to.include("Results are reported to the forge.").and.not.to.include(TOKEN.slice(0, 6));
    expect(await reportsBack("typed")).to.equal(true);
  });

  it("is refused when nothing comes, and the token before stays", async () => {
    await sluice.feed(TOKEN, "webhook", "kept", "--status-token", "-");
    for (const input of ["", "\n", "  \n"]) {
      const { status, stdout, stderr } = await sluice.feed(input, "webhook", "kept", "--status-token", "-");
      expect({ status, stdout }).to.deep.equal({ status: 1, stdout: "" });
      expect(stderr).to.include("Token: standard input was empty");
    }
    expect(await reportsBack("kept")).to.equal(true);
  });

  it("is told to be seen when it stands in the command all the same; an empty status token removes it", async () => {
    const given = await sluice.cli("webhook", "open", "--status-token", TOKEN, "--json");
    expect(JSON.parse(given.stdout)).to.include({ reportsBack: true });
    expect(given.stderr).to.include("Other users of this machine can see").and.not.to.include(TOKEN);
    const removed = await sluice.cli("webhook", "open", "--status-token", "", "--json");
    expect(JSON.parse(removed.stdout)).to.include({ reportsBack: false });
    expect(removed.stderr).to.equal("");
  });

  it("is the value of `config APP NAME`", async () => {
    const set = await sluice.feed("s3 cret=\n", "config", "shop", "PASSWORD");
    expect(set).to.deep.equal({
      status: 0,
      stdout: "Set for the next release of shop: PASSWORD\n".trim(),
      stderr: "",
    });
    expect(await sluice.json("config", "shop")).to.deep.equal({ PASSWORD: "s3 cret=" });
    const nothing = await sluice.feed("", "config", "shop", "PASSWORD");
    expect(nothing.status).to.equal(1);
    expect(nothing.stderr).to.include("Value of PASSWORD: standard input was empty");
    expect((await sluice.feed("x\n", "config", "shop", "A=1", "B")).stderr).to.include(
      '"B" is not NAME=VALUE',
    );
    expect(await sluice.json("config", "shop")).to.deep.equal({ PASSWORD: "s3 cret=" });
  });

  it("is the URL of `notify APP add -`", async () => {
    const added = await sluice.feed("http://127.0.0.1:9/hook\n", "notify", "shop", "add", "-", "--slack");
    expect(added).to.include({ status: 0, stderr: "" });
    const [receiver] = await sluice.json<{ form: string }[]>("notify", "shop");
    expect(receiver?.form).to.equal("slack");
  });
});
