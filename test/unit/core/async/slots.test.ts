import { expect } from "chai";
import { setImmediate } from "node:timers/promises";
import { Slots } from "../../../../core/async/slots.js";

describe("slots", () => {
  const never = new AbortController().signal;

  it("let in as many as there are, and the others in the order of arrival", async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const enter = async (name: string): Promise<() => void> => {
      const giveBack = await slots.take(never);
      order.push(name);
      return giveBack;
    };
    const [a, b] = [await enter("a"), await enter("b")];
    const [c, d] = [enter("c"), enter("d")];
    await setImmediate();
    expect(order).to.deep.equal(["a", "b"]);
    b();
    (await c)();
    const last = await d;
    expect(order).to.deep.equal(["a", "b", "c", "d"]);
    expect(slots.isIdle).to.equal(false);
    a();
    last();
    expect(slots.isIdle).to.equal(true);
  });

  it("are given back once, however often that is said", async () => {
    const slots = new Slots(1);
    const giveBack = await slots.take(never);
    giveBack();
    giveBack();
    const held = await slots.take(never);
    let isIn = false;
    const next = slots.take(never).then((leave) => {
      isIn = true;
      return leave;
    });
    await setImmediate();
    expect(isIn).to.equal(false);
    held();
    (await next)();
  });

  it("are not kept for those who have stopped waiting, who learn why", async () => {
    const slots = new Slots(1);
    const held = await slots.take(never);
    const stop = new AbortController();
    const reason = new Error("the server stops");
    const impatient = slots.take(stop.signal).catch((error: unknown) => error);
    const next = slots.take(never);
    stop.abort(reason);
    expect(await impatient).to.equal(reason);
    held();
    (await next)();
    expect(slots.isIdle).to.equal(true);
    expect(await slots.take(stop.signal).catch((error: unknown) => error)).to.equal(reason);
    expect(slots.isIdle).to.equal(true);
  });
});
