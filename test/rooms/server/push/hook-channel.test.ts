import { expect } from "chai";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { deferred } from "../../../../core/async/deferred.js";
import { silentLog } from "../../../../core/log.js";
import { HookChannel, type HookAnswerer } from "../../../../server/push/hook-channel.js";

const FOREIGN = "|  !     This hook does not belong to a push in progress.\nexit 1\n";

describe("the channel of hooks", () => {
  let channel: HookChannel;
  before(async () => (channel = await HookChannel.open(silentLog)));
  after(() => channel.close());

  const accepting: HookAnswerer = {
    answer: async ({ updates }, print) => {
      print(`${updates.length} refs`);
      return Promise.resolve(0);
    },
    interrupt: () => undefined,
  };

  async function ask(port: string | undefined, first: string): Promise<string> {
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(`${first}\nupdate 0 1 refs/heads/master\n\n`);
    return text(socket);
  }

  it("answers a hook with its push's token", async () => {
    const { token, env } = channel.register(accepting);
    for (const hook of ["pre-receive", "post-receive"])
      expect(await ask(env["SLUICE_HOOK_PORT"], `${hook} ${token}`)).to.equal("| 1 refs\nexit 0\n");
    expect(env["SLUICE_HOOK_TOKEN"]).to.equal(token);
    channel.forget(token);
  });

  it("refuses a hook without a token, with a wrong one, or of another kind", async () => {
    const { token, env } = channel.register(accepting);
    for (const first of ["pre-receive", "pre-receive ", `pre-receive ${"0".repeat(32)}`, `update ${token}`])
      expect(await ask(env["SLUICE_HOOK_PORT"], first), first).to.equal(FOREIGN);
    channel.forget(token);
  });

  it("refuses the token of a push that is over, though another one is under way", async () => {
    const { token, env } = channel.register(accepting);
    const other = channel.register(accepting);
    channel.forget(token);
    expect(await ask(env["SLUICE_HOOK_PORT"], `pre-receive ${token}`)).to.equal(FOREIGN);
    channel.forget(other.token);
  });

  it("tells when a hook goes away before its answer, and not after it", async () => {
    const began = deferred<undefined>();
    const gone = deferred<undefined>();
    let interrupts = 0;
    const answerer: HookAnswerer = {
      answer: async () => {
        began.resolve(undefined);
        await gone.promise;
        return 1;
      },
      interrupt: () => {
        interrupts++;
        gone.resolve(undefined);
      },
    };
    const { token, env } = channel.register(answerer);
    const socket = connect(Number(env["SLUICE_HOOK_PORT"]), "127.0.0.1");
    socket.write(`pre-receive ${token}\n\n`);
    await began.promise;
    socket.destroy();
    await gone.promise;
    expect(interrupts).to.equal(1);
    channel.forget(token);
    const answered = channel.register({ ...accepting, interrupt: () => interrupts++ });
    await ask(answered.env["SLUICE_HOOK_PORT"], `pre-receive ${answered.token}`);
    expect(interrupts).to.equal(1);
    channel.forget(answered.token);
  });
});
