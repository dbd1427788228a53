import { expect } from "chai";
import {
  lineOptions,
  serverCheck,
  slotText,
  withOptions,
} from "../../../../../proxy/haproxy/config/text/slot-text.js";

const [HERE, THERE] = [lineOptions({}), lineOptions({ instancesOn: "many-machines" })];
const SERVERS = new Map([
  ["place-1", "10.0.0.3:32768"],
  ["shop.v1.web.5", "10.0.0.4:32769"],
]);

/** `inter`, `fastinter` and `fall` of a check: milliseconds, and how often it must fail. */
const partsOf = (check: string): { inter: number; fastinter: number; fall: number } => {
  const [, inter = "", fastinter = "", fall = ""] =
    /inter (\d+)ms fastinter (\d+)ms downinter \d+ms fall (\d+)/.exec(check) ?? [];
  return { inter: Number(inter), fastinter: Number(fastinter), fall: Number(fall) };
};

describe("the check of a slot's servers", () => {
  it("finds a machine that is silent within 1.5 s, where instances are on several", () => {
    const { inter, fastinter, fall } = partsOf(serverCheck({ instancesOn: "many-machines" }));
    // A check takes as long as `inter` at most (HAProxy's manual, "timeout check").
    expect(inter + fall * inter + (fall - 1) * fastinter).to.be.at.most(1500);
  });

  it("is exchanged in a slot that has another, and nothing else", () => {
    const [before, after] = [slotText("slot-00001", SERVERS, HERE), slotText("slot-00001", SERVERS, THERE)];
    expect(before).not.to.equal(after);
    expect(withOptions(before, THERE)).to.equal(after);
    expect(withOptions(after, HERE)).to.equal(before);
    expect(withOptions(after, THERE)).to.equal(after);
  });
});
