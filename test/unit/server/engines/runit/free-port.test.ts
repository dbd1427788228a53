import { expect } from "chai";
import { createServer } from "node:net";
import { isAppError } from "../../../../../core/errors/app-error.js";
import { FreePorts } from "../../../../../server/engines/runit/free-port.js";
import { freeRange } from "../../../../support/network/free-range.js";

describe("the ports of instances", () => {
  it("are given out one after the other, a port that was given back last of all", async () => {
    const { first, last } = await freeRange(4);
    const ports = new FreePorts({ first, last }, []);
    const around = (port: number): number => (port === last ? first : port + 1);
    const one = await ports.take();
    const two = await ports.take();
    expect(one).to.be.within(first, last);
    expect(two).to.equal(around(one));
    ports.give(one);
    ports.give(two);
    const others = [await ports.take(), await ports.take(), await ports.take(), await ports.take()];
    expect(others).to.deep.equal([around(two), around(around(two)), one, two]);
  });

  it("begin anywhere: two Sluices on a machine would give out the same ones before anybody listens", async () => {
    const range = { first: 30_000, last: 32_700 };
    const firsts = await Promise.all(Array.from({ length: 8 }, async () => new FreePorts(range, []).take()));
    expect(new Set(firsts).size).to.be.greaterThan(1);
  });

  it("leave out those that are taken, and those that somebody listens on until they are left", async () => {
    const { first, last } = await freeRange(3);
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(first + 2, "127.0.0.1", resolve));
    const ports = new FreePorts({ first, last }, [first]);
    expect(await ports.take()).to.equal(first + 1);
    const error: unknown = await ports.take().catch((reason: unknown) => reason);
    expect(isAppError(error, "no-free-port")).to.equal(true);
    await new Promise((resolve) => stranger.close(resolve));
    expect(await ports.take()).to.equal(first + 2);
  });

  it("begin again when an earlier server had another range", async () => {
    const { first, last } = await freeRange(3);
    expect(await new FreePorts({ first, last }, [last + 500]).take()).to.equal(first);
    expect(await new FreePorts({ first, last }, [last, 80]).take()).to.equal(first);
  });
});
