import { expect } from "chai";
import { randomBytes } from "node:crypto";
import { SecretBox } from "../../../../core/secrets.js";
import { settingsSchema } from "../../../../core/settings/settings.js";
import { LogLinks } from "../../../../server/releases/log-links.js";
import { FakeClock } from "../../../support/fakes/fake-clock.js";

const DAY_MS = 24 * 3_600_000;

describe("the link to a release's log", () => {
  const box = new SecretBox(randomBytes(32));
  const made = (settings: object = {}): { clock: FakeClock; links: LogLinks; code: string } => {
    const clock = new FakeClock();
    const links = new LogLinks(box, { ...settingsSchema.parse(settings), token: undefined }, clock);
    return { clock, links, code: links.urlOf("shop", 3).split("/").at(-1) ?? "" };
  };

  it("is good for thirty days, or for as long as the settings say", () => {
    for (const [days, settings] of [
      [30, {}],
      [0.5, { webhooks: { logLinkDays: 0.5 } }],
    ] as const) {
      const { clock, links, code } = made(settings);
      clock.advance(days * DAY_MS - 1000);
      expect(links.check("shop", 3, code)).to.equal("good");
      clock.advance(1000);
      expect(links.check("shop", 3, code)).to.equal("expired");
    }
  });

  it("is good for this release and this time alone", () => {
    const { links, code } = made();
    const [until = "", proof = ""] = code.split("-");
    expect(links.check("shop", 4, code)).to.equal("wrong");
    expect(links.check("blog", 3, code)).to.equal("wrong");
    for (const other of [
      `${Number(until) + 1}-${proof}`,
      `0${until}-${proof}`,
      `${until}-${proof.slice(1)}`,
      `-${proof}`,
      proof,
      "",
    ])
      expect(links.check("shop", 3, other), other).to.equal("wrong");
  });
});
