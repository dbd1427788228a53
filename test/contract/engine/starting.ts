import { expect } from "chai";
import { rm, stat } from "node:fs/promises";
import { eventually } from "../../support/eventually.js";
import { freePort } from "../../support/network/free-port.js";
import { answerAt, LIMITS, type EngineTrial } from "./engine-trial.js";

export const USER = { uid: 234_567, gid: 234_568 };

export function startsInstances(trial: EngineTrial): void {
  const ifFilesAreShared = trial.itIf("sharesFiles");
  it("tells an instance its PORT, and answers where it will listen", async () => {
    const { address } = await trial.start(trial.web());
    expect(address).to.match(/^[\d.]+:\d+$/);
    expect((await answerAt(address)).body).to.equal("v1 web.1");
  });

  ifFilesAreShared("tells an instance its SOCKET, and answers where it will listen", async function () {
    const { address } = await trial.start(trial.web({ listen: "socket" }));
    expect(address).to.match(/^unix@\/.+/);
    expect((await answerAt(address)).body).to.equal("v1 web.1");
  });

  it("gives no address to an instance that serves nobody", async () => {
    expect(await trial.start(trial.worker("exec sleep 1000"))).to.deep.equal({ address: undefined });
    expect(await trial.engine.state("shop.v1.worker.1")).to.include({ address: undefined });
  });

  it("finds an instance running that is started again: same address, same process", async () => {
    const first = await trial.start(trial.web());
    await answerAt(first.address);
    const before = await trial.engine.state("shop.v1.web.1");
    expect(await trial.start(trial.web())).to.deep.equal(first);
    expect(await trial.engine.state("shop.v1.web.1")).to.deep.equal(before);
    expect(before?.pid).to.be.a("number");
    expect(await trial.engine.list()).to.have.length(1);
  });

  it("leaves an instance that it keeps as it was first given, also when it dies", async () => {
    const { address } = await trial.start(trial.web());
    await answerAt(address);
    const other = trial.web({
      command: "exit 7",
      listen: "socket",
      limits: { ...LIMITS, memoryMegabytes: 512 },
    });
    expect(await trial.start(other)).to.deep.equal({ address });
    await trial.kill(await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running));
    const again = await trial.reaches(
      "shop.v1.web.1",
      "runs again",
      ({ ends, running }) => ends === 1 && running,
    );
    expect((await answerAt(again.address)).body).to.equal("v1 web.1");
  });

  it("says what it keeps: each by its id, all in a list, none that it does not know", async () => {
    const { address } = await trial.start(trial.web());
    await trial.start(trial.worker("exec sleep 1000"));
    const state = await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running);
    expect(state).to.deep.include({ id: "shop.v1.web.1", address, ends: 0, lastEnd: undefined });
    await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running);
    const all = await trial.engine.list();
    expect(all.map(({ id }) => id)).to.have.members(["shop.v1.web.1", "shop.v1.worker.1"]);
    expect(all).to.deep.include(state);
    expect(await trial.engine.state("shop.v2.web.1")).to.equal(undefined);
  });

  ifFilesAreShared(
    "tells on which addresses an instance listens, wherever it was told to",
    async function () {
      const other = await freePort();
      const { address } = await trial.start(trial.web());
      await answerAt(address);
      const command = `PORT=${other} node server.js`;
      const second = await trial.start(trial.web({ id: "shop.v1.web.2", command }));
      await answerAt(`${second.address?.split(":")[0]}:${other}`);
      const portsOf = async (id: string): Promise<(string | undefined)[]> =>
        (await trial.engine.listening(id)).map((listening) => listening.split(":").at(-1));
      expect(await portsOf("shop.v1.web.1")).to.deep.equal([address?.split(":")[1]]);
      expect(await portsOf("shop.v1.web.2")).to.deep.equal([String(other)]);
      expect(await trial.engine.listening("shop.v9.web.1")).to.deep.equal([]);
    },
  );

  it("runs an instance as its own user, in no other group", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const command = 'echo "is $(id -u) $(id -g) $(id -G)"; exec sleep 1000';
    await trial.start(trial.worker(command, { user: USER }));
    expect(await trial.said("shop.v1.worker.1", "is")).to.equal(`${USER.uid} ${USER.gid} ${USER.gid}`);
  });

  ifFilesAreShared("lets an instance with a user of its own listen on its SOCKET", async function () {
    if (process.getuid?.() !== 0) this.skip();
    const { address = "" } = await trial.start(trial.web({ listen: "socket", user: USER }));
    expect((await answerAt(address)).status).to.equal(200);
    expect((await stat(address.slice("unix@".length))).uid).to.equal(USER.uid);
  });

  it("holds an instance to its memory; the others do not feel it", async () => {
    await trial.start(trial.web());
    const other = await trial.reaches("shop.v1.web.1", "runs", ({ running }) => running);
    const command = "dd if=/dev/zero of=/dev/null bs=300M count=1 || exit 1; echo swallowed; exec sleep 1000";
    await trial.start(trial.worker(command, { limits: { ...LIMITS, memoryMegabytes: 64 } }));
    await trial.reaches("shop.v1.worker.1", "has ended", ({ ends }) => ends > 0);
    expect(await trial.logOf("shop.v1.worker.1")).not.to.include("swallowed");
    await trial.start(trial.worker(command, { id: "shop.v1.worker.2" }));
    await trial.said("shop.v1.worker.2", "swallowed");
    expect(await trial.engine.state("shop.v1.web.1")).to.deep.equal(other);
  });

  it("runs nothing when its folder is gone, and says so in its log", async () => {
    await rm(trial.path("tree"), { recursive: true });
    const gone = { ...trial.web().artifact, at: trial.path("tree") };
    await trial.start(trial.worker("echo ran; exec sleep 1000", { artifact: gone }));
    await trial.reaches("shop.v1.worker.1", "has ended", ({ ends }) => ends > 0);
    const lines = await eventually("a line in the log", async () => {
      const log = await trial.logOf("shop.v1.worker.1");
      return log.length > 0 && log;
    });
    expect(lines.join("\n")).to.include(trial.path("tree")).and.not.include("ran");
  });
}
