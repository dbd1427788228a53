import { expect } from "chai";
import { appLines } from "../../../../cli/show/app-lines.js";
import type { AppSummary } from "../../../../core/api/apps/apps.js";

describe("the list of apps", () => {
  const traffic = { requestsPerSecond: 0, errorShare: null, p50: null, p99: null };
  const track = (name: string, release: string, asleep = false): AppSummary["tracks"][number] => ({
    ...{ track: name, release, asleep, traffic },
    ...{ commit: "c", url: `http://${name}` },
  });
  const instance = (release: string, index: number, running: boolean): AppSummary["instances"][number] => ({
    ...{ id: `shop.${release}.web.${index}`, release, running },
    ...{ address: undefined, pid: undefined, restarts: 0 },
  });
  const cells = (summary: Omit<AppSummary, "app" | "url">): string[] =>
    appLines([{ app: "shop", url: "http://shop", ...summary }])
      .slice(1)
      .map((line) => line.split(/ {2,}/).slice(1, 5).join(" | "));

  it("has for each track the instances of its own release, or says that it sleeps", () => {
    const tracks = [track("production", "v2"), track("canary", "v3"), track("feature", "v4", true)];
    // v1 is on standby.
    const instances = [
      ...[instance("v1", 1, true), instance("v2", 1, true), instance("v2", 2, false)],
      instance("v3", 1, true),
    ];
    expect(cells({ tracks, instances })).to.deep.equal([
      "production | v2 | http://production | 1/2 running",
      "canary | v3 | http://canary | 1/1 running",
      "feature | v4 | http://feature | asleep",
    ]);
  });

  it("has what runs of an app that serves nothing", () => {
    expect(cells({ tracks: [], instances: [instance("v1", 1, true)] })).to.deep.equal([
      "- | nothing live | http://shop | 1/1 running",
    ]);
  });
});
