import { expect } from "chai";
import { chaos } from "../../chaos/chaos.js";

const SECONDS = 25;
const LONG = ["Redis is away for longer than a lock lives"];

/** The long form: `bin/bench chaos`. */
describe("chaos under load", function () {
  this.timeout(240_000);

  it("serves what the branches hold afterwards, leaves nothing over, and fails only requests on what was killed", async () => {
    const seed = Number(process.env["SLUICE_CHAOS_SEED"] ?? 1);
    const lines: string[] = [];
    const report = await chaos({ seconds: SECONDS, seed, without: LONG, say: (line) => lines.push(line) });
    expect(report.problems, lines.join("\n")).to.deep.equal([]);
    expect(report.accepted).to.be.greaterThan(0);
  });
});
