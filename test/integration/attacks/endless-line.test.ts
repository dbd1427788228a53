import { expect } from "chai";
import { ENDLESS_LINE } from "../../fixtures/attacks/endless-line.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { peakMegabytes } from "../../support/running/peak-memory.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("a gate that prints 600 MB without an end of line", function () {
  this.timeout(90_000);
  let sluice: TestSluice;

  before(async () => {
    sluice = await TestSluice.start();
  });
  after(async () => sluice.dispose());

  it("leaves the server running and small", async () => {
    const pid = await sluice.pid();
    const before = await peakMegabytes(pid);
    const clone = await sluice.clone("endless", tinyApp(ENDLESS_LINE));
    const { output } = await clone.mustPush();
    expect(output)
      .to.match(/^ {7}a{1000,}…$/m)
      .and.to.match(/^ {7}the end$/m);
    expect(await sluice.pid()).to.equal(pid);
    expect((await peakMegabytes(pid)) - before).to.be.below(150);
  });
});
