import { expect } from "chai";
import { monitorSettingsSchema } from "../../../../core/settings/monitor-settings.js";

const problems = (value: unknown): string[] =>
  monitorSettingsSchema.safeParse(value).error?.issues.map(({ message }) => message) ?? [];

describe("the monitor's settings", () => {
  it("watch processor and memory of every host, and the proxy's processor more closely, if nothing is said", () => {
    const { rules } = monitorSettingsSchema.parse({});
    expect(rules.map(({ hosts, metric, above, actions }) => [hosts, metric, above, actions])).to.deep.equal([
      ["all", "cpu", 50, ["notify"]],
      ["all", "memory", 50, ["notify"]],
      [{ role: "proxy" }, "cpu", 50, ["drain-canary", "scale-out"]],
    ]);
  });

  it("may have no rules, or others", () => {
    expect(monitorSettingsSchema.parse({ rules: [] }).rules).to.deep.equal([]);
    const rule = { name: "full", hosts: { host: "web-1" }, metric: "disk", above: 90 };
    expect(monitorSettingsSchema.parse({ rules: [rule] }).rules).to.have.length(1);
  });

  it("name whom to tell, by addresses and servers that can be", () => {
    const email = { smtp: { host: "mail" }, from: "Sluice <a@b.c>", to: ["a@b.c"] };
    const secret = `whsec_${"x".repeat(32)}`;
    for (const good of [
      { email },
      { email: { ...email, smtp: { url: "smtps://u:p@mail:465", password: "p" } } },
      { webhook: { url: "http://h/x", secret } },
      { slack: { url: "https://h/x" } },
    ])
      expect(problems(good), JSON.stringify(good)).to.deep.equal([]);
    for (const [bad, problem] of [
      [{ email: { ...email, smtp: {} } }, /either host or url/],
      [{ email: { ...email, smtp: { host: "m", url: "smtp://m" } } }, /either host or url/],
      [{ email: { ...email, smtp: { url: "smtp://m", port: 25 } } }, /in the url/],
      [{ email: { ...email, smtp: { url: "http://m" } } }, /URL/],
      [{ email: { ...email, to: [] } }, /./],
      [{ email: { ...email, to: ["a@b, c@d"] } }, /must be an address/],
      [{ email: { ...email, from: "a\r\nBcc: x@y" } }, /must be an address/],
      [{ webhook: { url: "http://u:p@h" } }, /must not contain a user/],
      [{ webhook: { url: "http://h", secret: "short" } }, /whsec_/],
      [{ slack: { url: "ftp://h" } }, /URL/],
    ] as const)
      expect(problems(bad).join(), JSON.stringify(bad)).to.match(problem);
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
      [[{ ...rule, actions: ["reboot"] }], /notify/],
      [[{ ...rule, abov: 5 }], /abov/],
      [[{ ...rule, hosts: "proxy" }], /./],
    ] as const)
      expect(problems({ rules }).join(), JSON.stringify(rules)).to.match(problem);
  });
});
