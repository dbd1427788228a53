import { expect } from "chai";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { HttpReceiver } from "../../support/network/http-receiver.js";
import { TestSluice, type CommandResult } from "../../support/running/test-sluice.js";

describe("the control socket", function () {
  this.timeout(120_000);
  let sluice: TestSluice;
  /** Another program, which listens where the CLI looks for the control port. */
  let stranger: HttpReceiver;

  before(async () => {
    sluice = await TestSluice.start();
    stranger = await HttpReceiver.start();
  });
  after(async () => {
    await stranger.stop();
    await sluice.dispose();
  });

  const socket = (): string => join(sluice.home, "control.sock");
  const mode = async (): Promise<string> => ((await stat(socket())).mode & 0o777).toString(8);
  const statusBesideStranger = async (): Promise<CommandResult> =>
    sluice.cliWith({ SLUICE_CONTROL_PORT: String(stranger.port) }, "status", "--json");

  it("is for the server's user alone", async () => {
    expect(await mode()).to.equal("600");
    expect((await stat(socket())).uid).to.equal(process.getuid?.());
  });

  it("takes commands to the server while another program listens at the port, which hears nothing", async () => {
    const { status, stdout, stderr } = await statusBesideStranger();
    expect(status, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.include({ pid: await sluice.pid(), home: sluice.home });
    expect(stranger.received).to.deep.equal([]);
  });

  it("can be missing: the port serves", async () => {
    await rm(socket());
    const { status, stderr } = await sluice.cli("status");
    expect(status, stderr).to.equal(0);
  });

  it("that a killed server leaves refuses; no token goes to the port", async () => {
    await sluice.cli("down", "--keep-traffic");
    await sluice.up();
    await sluice.kill();
    expect((await stat(socket())).isSocket()).to.equal(true);
    const { status, stderr } = await statusBesideStranger();
    expect(status).to.equal(1);
    expect(stderr).to.include(`No Sluice server answers for the state folder ${sluice.home}`);
    expect(stranger.received).to.deep.equal([]);
  });

  it("is made again by the next server, and goes when that is stopped", async () => {
    await sluice.up();
    expect((await sluice.cli("status")).status).to.equal(0);
    expect(await mode()).to.equal("600");
    await sluice.cli("down", "--keep-traffic");
    expect(await readdir(sluice.home)).not.to.include("control.sock");
  });
});
