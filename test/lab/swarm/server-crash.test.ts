import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { TINY_SERVER } from "../../support/git/tiny-app.js";
import { Upgraded } from "../../support/network/upgraded.js";
import { SERVER_PACKAGES } from "../lab-swarm.js";
import { LabTest } from "../lab-test.js";
import { FleetApp, plainApp } from "./fleet-app.js";
import { HTTP_PORT, LabFleet, type StartedPush } from "./lab-fleet.js";

const INSTANCES = 3;
const MARK = "the-step-is-under-way";
/** By the command itself; a heading may show the command. */
const SAID = new RegExp(`^(remote: )? +${MARK}\\s*$`, "m");
const HANGS = `echo ${MARK}; sleep 300`;
const STEP_MS = 60_000;

/** A step at which the server is killed. `files`: they make it long. `hold` begins before the push, and returns its end. */
interface Moment {
  readonly files: Readonly<Record<string, string>>;
  readonly isThere: (said: string) => boolean | Promise<boolean>;
  readonly hold?: () => Promise<() => Promise<unknown>>;
}

/** Kills the server at every step; the traffic must not notice, and the release is finished or undone. */
describe("a Sluice with two hosts whose server is killed (-9)", function () {
  this.timeout(300_000);
  const test = new LabTest();
  let fleet: LabFleet;
  let app: FleetApp;
  before(async function () {
    await test.open(this, SERVER_PACKAGES);
    fleet = await LabFleet.start(test.lab, { hosts: 2 });
    app = new FleetApp(fleet, "shop");
    await fleet.push("shop", plainApp("first"));
    await fleet.sluice(`scale shop web=${INSTANCES}`);
  });
  after(async () => test.close());

  const isSaid = (said: string): boolean => SAID.test(said);
  const undone: Record<string, Moment> = {
    gates: { files: withScripts({ lint: HANGS }), isThere: isSaid },
    "the build": { files: withScripts({ build: HANGS }), isThere: isSaid },
    "the sending of its image": {
      files: {},
      hold: async () => stopped("docker-registry"),
      isThere: async () => (await phases())[0] === "gated",
    },
    "the release command": {
      files: { Procfile: `web: node server.js\nrelease: ${HANGS}\n` },
      isThere: isSaid,
    },
    "the health check": {
      files: { "server.js": `setTimeout(() => {${TINY_SERVER}}, 20000);` },
      isThere: (said) => said.includes("-----> Health"),
    },
  };
  for (const [step, moment] of Object.entries(undone))
    it(`during ${step}: takes the release back when it returns`, async () => {
      const before = await app.release();
      const { failures } = await app.underLoad(async () => killedAt(step, moment));
      expect(failures).to.deep.equal([]);
      expect(await app.release()).to.equal(before);
      expect((await phases())[0]).to.equal("failed");
    });

  it("while a proxy has not switched yet: finishes the release", async () => {
    const before = await app.release();
    await killedAt("the switch", {
      files: {},
      hold: async () => stopped("haproxy"),
      isThere: async () => (await phases())[0] === "live",
    });
    expect(await app.release()).not.to.equal(before);
  });

  it("after the switch, during postdeploy: finishes the release", async () => {
    const before = await app.release();
    const { failures } = await app.underLoad(async () =>
      killedAt("postdeploy", {
        files: appJson({ scripts: { dokku: { postdeploy: `echo ${MARK}; sleep 5` } } }),
        isThere: isSaid,
      }),
    );
    expect(failures).to.deep.equal([]);
    expect(await app.release()).not.to.equal(before);
  });

  it("while an old release drains: goes on draining, and no connection is cut", async () => {
    const socket = await Upgraded.open(HTTP_PORT, "shop", {}, fleet.server.address);
    await fleet.push("shop", plainApp("drained"));
    await fleet.killServer();
    expect(await socket.echo("unhurt")).to.equal(socket.release);
    await fleet.up();
    expect(await socket.echo("still")).to.equal(socket.release);
    expect((await app.owners("service")).some((id) => id.startsWith(`shop.${socket.release}.`))).to.equal(
      true,
    );
    socket.close();
    await onlyOneServes();
  });

  it("during a rollback: finishes it", async () => {
    const before = await app.release();
    const { failures } = await app.underLoad(async () => {
      const rollback = fleet.sluice("rollback shop").catch(String);
      await eventually(
        "the instances are made",
        async () => (await app.owners("service")).length > INSTANCES || (await app.release()) !== before,
        STEP_MS,
      );
      await fleet.killServer();
      await rollback;
      await fleet.up();
      await onlyOneServes();
    });
    expect(failures).to.deep.equal([]);
    expect(await app.release()).not.to.equal(before);
  });

  it("takes the next push", async () => {
    const before = await app.release();
    expect(await fleet.push("shop", plainApp("next"))).to.include("Live:");
    expect(await app.release()).not.to.equal(before);
    await onlyOneServes();
  });

  /** A push whose server is killed at that moment and started again; resolves when one release is left. */
  async function killedAt(step: string, { files, isThere, hold }: Moment): Promise<void> {
    const release = await hold?.();
    try {
      await fleet.commit("shop", { ...plainApp(step), ...files });
      const push: StartedPush = await fleet.startPush("shop");
      let said = "";
      await eventually(
        () => `${step} is under way: ${said}`,
        async () => isThere((said = await push.said())),
        STEP_MS,
      );
      await fleet.killServer();
      await push.ended;
    } finally {
      await release?.();
    }
    await fleet.up();
    await onlyOneServes();
  }

  /** Stops all processes of that name on the server's host. Returns what lets them go on. */
  async function stopped(program: string): Promise<() => Promise<unknown>> {
    const pids = (await fleet.server.run(`pgrep -x ${program}`)).split("\n").join(" ");
    await fleet.server.run(`kill -STOP ${pids}`);
    return async () => fleet.server.run(`kill -CONT ${pids}`);
  }

  /** Of all releases, the newest first. */
  async function phases(): Promise<string[]> {
    const releases = JSON.parse(await fleet.sluice("releases shop --json")) as { phase: string }[];
    return releases.map(({ phase }) => phase);
  }

  /** All instances, services and secrets are of the release that serves. */
  async function onlyOneServes(): Promise<void> {
    await eventually(
      "one release is left",
      async () => {
        const release = await app.release();
        const ids = Array.from({ length: INSTANCES }, (_, index) => `${release} web.${index + 1}`);
        expect([...(await app.answers())].sort()).to.deep.equal(ids);
        expect(await app.owners("service")).to.deep.equal(ids.map((id) => `shop.${id.replace(" ", ".")}`));
        expect(await app.owners("secret")).to.deep.equal(await app.owners("service"));
        expect(await app.names()).to.have.length(INSTANCES);
        return true;
      },
      STEP_MS,
    );
  }
});

function appJson(more: object): Record<string, string> {
  return { "app.json": JSON.stringify({ sluice: { standbySeconds: 0 }, ...more }) };
}

/** A package.json with these scripts. */
function withScripts(scripts: Record<string, string>): Record<string, string> {
  return { "package.json": JSON.stringify({ name: "tiny", version: "1.0.0", scripts }) };
}
