import { expect } from "chai";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { control } from "../../../core/exec/runsv.js";
import { groupMembers } from "../../../core/exec/process-group.js";
import { eventually } from "../../support/eventually.js";
import { TestSluice } from "../../support/running/test-sluice.js";
import { TINY_SERVER, tinyApp } from "../../support/git/tiny-app.js";

interface App {
  instances: { id: string; pid?: number }[];
}

describe("an app that is started by its package.json or Procfile", function () {
  this.timeout(60_000);
  let sluice: TestSluice;
  before(async () => (sluice = await TestSluice.start()));
  after(async () => sluice.dispose());

  const push = async (app: string, scripts: Record<string, string>): Promise<void> => {
    const clone = await sluice.clone(app, {
      "server.js": TINY_SERVER,
      "package.json": JSON.stringify({ name: "@shop/web", version: "1.2.3", config: { size: "7" }, scripts }),
    });
    await clone.mustPush();
  };
  const pidOf = async (app: string, process = "web"): Promise<number> => {
    const apps = await sluice.read<(App & { app: string })[]>("apps");
    const { instances } = apps.find((summary) => summary.app === app) ?? { instances: [] };
    return instances.find(({ id }) => id.endsWith(`.${process}.1`))?.pid ?? 0;
  };
  /** Command lines of an instance's processes, as `ps` shows them. */
  const commandsOf = async (app: string, process?: string): Promise<string[]> => {
    const group = await groupMembers(await pidOf(app, process));
    const lines = await Promise.all(group.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8")));
    const commands = lines.map((line) => line.replaceAll("\0", " ").trim());
    // Of the sandbox, not of the instance.
    return commands.filter((command) => !command.startsWith("bwrap ")).sort();
  };
  const logOf = async (app: string): Promise<string> =>
    readFile(join(sluice.home, "logs", `${app}.v1.web.1`, "current"), "utf8");
  const environmentOf = async (app: string): Promise<Record<string, string>> =>
    JSON.parse((await sluice.get(app, "/env")).body) as Record<string, string>;

  it("runs the script itself: one process, without npm around it", async () => {
    await push("plain", { start: "node server.js" });
    expect(await commandsOf("plain")).to.deep.equal(["node server.js"]);
  });

  it("runs a simple command of a Procfile itself, too, and any other as it stands", async () => {
    const clone = await sluice.clone(
      "lines",
      tinyApp({
        Procfile: "web: STAGE=x node server.js\nworker: node server.js & wait\n",
        "app.json": JSON.stringify({ formation: { worker: { quantity: 1 } } }),
      }),
    );
    await clone.mustPush();
    expect(await commandsOf("lines", "web")).to.deep.equal(["node server.js"]);
    await eventually("the worker's shell has started its command", async () => {
      expect(await commandsOf("lines", "worker")).to.deep.equal([
        "/bin/sh -c node server.js & wait",
        "node server.js",
      ]);
      return true;
    });
    expect(await environmentOf("lines")).to.include({ STAGE: "x" });
  });

  it("has what npm tells a script of its package, and nothing else of npm's", async () => {
    const environment = await environmentOf("plain");
    const { PATH = "", HOME: tree = "" } = environment;
    const ofNpm = Object.entries(environment).filter(([name]) =>
      /^(npm_|COLOR$|NODE$|EDITOR$|INIT_)/.test(name),
    );
    expect(Object.fromEntries(ofNpm)).to.deep.equal({
      npm_command: "start",
      npm_lifecycle_event: "start",
      npm_lifecycle_script: "node server.js",
      npm_package_config_size: "7",
      npm_package_json: `${tree}/package.json`,
      npm_package_name: "@shop/web",
      npm_package_version: "1.2.3",
    });
    expect(PATH.split(":")[0]).to.equal(`${tree}/node_modules/.bin`);
  });

  it("is asked to stop by TERM", async () => {
    const service = join(sluice.home, "services", "plain.v1.web.1");
    await control(service, "t");
    await eventually("it says goodbye", async () => /goodbye/.test(await logOf("plain")));
  });

  it("runs the scripts before and after it, each in a shell of its own", async () => {
    await push("staged", {
      prestart: "cd /; STAGE=pre; echo before: $npm_lifecycle_event $0",
      start: 'STAGE="${STAGE-none}" && export STAGE && exec node server.js',
      poststart: "echo after: $npm_lifecycle_event",
    });
    expect((await environmentOf("staged"))["STAGE"]).to.equal("none");
    process.kill((await groupMembers(await pidOf("staged"))).at(-1) ?? 0, "SIGTERM");
    await eventually(
      "it is started again",
      async () => (await logOf("staged")).split("before: prestart").length === 3,
    );
    expect(await logOf("staged")).to.match(/before: prestart[^]*listening[^]*goodbye[^]*after: poststart/);
  });

  it("is not started when the script before it fails", async () => {
    const clone = await sluice.clone("unready", {
      "server.js": TINY_SERVER,
      "package.json": JSON.stringify({
        scripts: { prestart: "echo not ready; exit 7", start: "node server.js" },
      }),
    });
    const declined = await clone.push();
    expect(declined.status).not.to.equal(0);
    expect(declined.output).to.match(/status 7[^]*not ready/);
  });
});
