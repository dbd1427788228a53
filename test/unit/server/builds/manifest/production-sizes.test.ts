import { expect } from "chai";
import { isAppError } from "../../../../../core/errors/app-error.js";
import { parseAppJson } from "../../../../../server/builds/manifest/app-json.js";
import { productionSizes } from "../../../../../server/builds/manifest/production-sizes.js";

const process = (name: string, quantity: number) => ({ name, quantity, command: `run ${name}` });
const sizes = (appJson: object, present: Record<string, number>): Record<string, number> => {
  const processes = [process("web", 1), process("worker", 0)];
  const now = Object.entries(present).map(([name, quantity]) => process(name, quantity));
  const { formation, sluice } = parseAppJson(JSON.stringify(appJson));
  const bounds = { fixedSizes: Object.keys(formation), scale: sluice.scale };
  const sized = productionSizes(processes, bounds, now);
  return Object.fromEntries(sized.map(({ name, quantity }) => [name, quantity]));
};

describe("the size of production", () => {
  it("is what the files say at first, then what it is", () => {
    expect(sizes({}, {})).to.deep.equal({ web: 1, worker: 0 });
    expect(sizes({}, { web: 3, worker: 2, gone: 5 })).to.deep.equal({ web: 3, worker: 2 });
  });

  it("is what formation says, for the processes that it names", () => {
    const formation = { worker: { quantity: 0 } };
    expect(sizes({ formation }, { web: 3, worker: 2 })).to.deep.equal({ web: 3, worker: 0 });
  });

  it("stays within the bounds of the autoscaler", () => {
    const sluice = { scale: { min: 2, max: 4 } };
    expect(sizes({ sluice }, {})).to.deep.equal({ web: 2, worker: 0 });
    expect(sizes({ sluice }, { web: 9, worker: 9 })).to.deep.equal({ web: 4, worker: 9 });
    expect(sizes({ sluice }, { web: 3 })).to.deep.equal({ web: 3, worker: 0 });
  });
});

describe("`scale` in app.json", () => {
  const problemOf = (appJson: object): string => {
    try {
      parseAppJson(JSON.stringify(appJson));
    } catch (error) {
      if (isAppError(error, "manifest-invalid")) return error.message;
    }
    throw new Error("it was not refused");
  };

  it("has defaults, and is not there by itself", () => {
    expect(parseAppJson("{}").sluice.scale).to.equal(undefined);
    const { scale } = parseAppJson('{"sluice": {"scale": {}}}').sluice;
    expect(scale).to.deep.equal({ min: 1, max: 4, cpuTarget: 60, cooldownSeconds: 120 });
  });

  it("is refused where it cannot be meant", () => {
    expect(problemOf({ sluice: { scale: { min: 3, max: 2 } } })).to.include("min is greater than max");
    expect(problemOf({ sluice: { scale: { maximum: 2 } } }))
      .to.include("maximum")
      .and.include("max");
    expect(problemOf({ sluice: { scale: { cpuTarget: 100 } } })).to.include("cpuTarget");
    expect(problemOf({ formation: { web: { quantity: 2 } }, sluice: { scale: {} } })).to.include(
      "formation.web.quantity",
    );
  });
});
