import { expect } from "chai";
import { monitorSettingsSchema } from "../../../core/monitor-settings.js";

const problems = (value: unknown): string[] =>
  monitorSettingsSchema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

describe("the monitor's settings", () => {
  it("watch processor and memory of every host, and the proxy's processor more closely, if nothing is said", () => {
    const { rules } = monitorSettingsSchema.parse({});
    expect(rules.map(({ hosts, metric, above, actions }) => [hosts, metric, above, actions])).to.deep.equal([
      ["all", "cpu", 50, ["email"]],
      ["all", "memory", 50, ["email"]],
      [{ role: "proxy" }, "cpu", 50, ["drain-canary", "scale-out"]],
    ]);
  });

  it("may have no rules, or others", () => {
    expect(monitorSettingsSchema.parse({ rules: [] }).rules).to.deep.equal([]);
    const rule = { name: "full", hosts: { host: "web-1" }, metric: "disk", above: 90 };
    expect(monitorSettingsSchema.parse({ rules: [rule] }).rules).to.have.length(1);
  });

  it("refuse rules that mean nothing, or two things", () => {
    const rule = { name: "a", metric: "cpu", above: 50 };
    for (const [rules, problem] of [
      [[{ ...rule, above: undefined }], /either above or below/],
      [[{ ...rule, below: 10 }], /either above or below/],
      [[rule, rule], /same name/],
      [[{ ...rule, name: "silent" }], /hosts that stop reporting/],
      [[{ ...rule, name: "Not so" }], /lower-case/],
      [[{ ...rule, metric: "heat" }], /cpu/],
      [[{ ...rule, actions: ["reboot"] }], /email/],
      [[{ ...rule, abov: 5 }], /abov/],
      [[{ ...rule, hosts: "proxy" }], /./],
    ] as const)
      expect(problems({ rules }).join(), JSON.stringify(rules)).to.match(problem);
  });
});
