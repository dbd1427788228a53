import { expect } from "chai";
import { endedLines } from "../../../../cli/show/ended-lines.js";
import type { AppSummary } from "../../../../core/api/apps/apps.js";

describe("the lines about instances that have ended", () => {
  const instance = (
    index: number,
    running: boolean,
    restarts: number,
    lastEnd?: string,
  ): AppSummary["instances"][number] => ({
    ...{ id: `shop.v1.web.${index}`, release: "v1", running, restarts },
    ...(lastEnd === undefined ? {} : { lastEnd }),
  });
  const linesOf = (...instances: AppSummary["instances"][number][]): string[] =>
    endedLines([{ app: "shop", tracks: [], instances }]);

  it("say how each ended that does not run", () => {
    const lines = linesOf(
      instance(1, false, 1, "status 3"),
      instance(2, false, 4, "killed by SIGKILL, out of memory"),
      instance(3, true, 2, "status 3"),
      instance(4, false, 0),
    );
    expect(lines).to.deep.equal([
      "ended    shop.v1.web.1, once: status 3",
      "ended    shop.v1.web.2, 4 times, the last time: killed by SIGKILL, out of memory",
    ]);
  });

  it("are few, however many have ended", () => {
    const many = Array.from({ length: 9 }, (_, index) => instance(index + 1, false, 1, "status 1"));
    expect(linesOf(...many)).to.have.lengthOf(6);
    expect(linesOf(...many).at(-1)).to.equal("         and 4 more");
  });
});
