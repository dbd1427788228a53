import { expect } from "chai";
import { changesOf, flapsOf, mostWithinAnHour, takenBack } from "../../../bench/autoscaling/flaps.js";

const COOLDOWN = 120;

interface Stretch {
  readonly seconds: number;
  readonly instances: number;
  readonly demand: number;
}

const dayOf = (...stretches: Stretch[]): { instances: number; demand: number; stolenShare: number }[] =>
  stretches.flatMap(({ seconds, instances, demand }) =>
    Array.from({ length: seconds }, () => ({ instances, demand, stolenShare: 0 })),
  );

/** Visitors asked for 200, then for 100 over `calm` seconds; an instance goes, and `late` seconds after comes back for `again`. */
const tooth = ({ calm = 300, late = 100, again = 150 } = {}): ReturnType<typeof dayOf> =>
  dayOf(
    { seconds: 900, instances: 4, demand: 200 },
    { seconds: calm, instances: 4, demand: 100 },
    { seconds: late, instances: 3, demand: again },
    { seconds: 900, instances: 4, demand: again },
  );

const flaps = (day: ReturnType<typeof dayOf>, startSeconds = 3): number =>
  flapsOf(day, { cooldownSeconds: COOLDOWN, startSeconds }).length;
const back = (day: ReturnType<typeof dayOf>): number => takenBack(changesOf(day), COOLDOWN).length;

describe("flaps", () => {
  it("are decreases taken back for what visitors had asked for within ten minutes", () => {
    expect(flaps(tooth())).to.equal(1);
    expect(flaps(tooth({ again: 200 }))).to.equal(1);
  });

  it("are none where visitors ask for more than they had, or had long ago: only taken back", () => {
    for (const day of [tooth({ again: 250 }), tooth({ calm: 700 })]) {
      expect(flaps(day)).to.equal(0);
      expect(back(day)).to.equal(1);
    }
  });

  it("are none where the decrease lasted two cooldowns", () => {
    expect(back(tooth({ late: 240 }))).to.equal(1);
    expect(back(tooth({ late: 241 }))).to.equal(0);
    expect(flaps(tooth({ late: 241 }))).to.equal(0);
  });

  it("are increases taken back within one cooldown, whatever visitors asked for", () => {
    const burst = (seconds: number): ReturnType<typeof dayOf> =>
      dayOf(
        { seconds: 900, instances: 1, demand: 50 },
        { seconds, instances: 2, demand: 500 },
        { seconds: 900, instances: 1, demand: 50 },
      );
    expect(flaps(burst(120))).to.equal(1);
    expect(flaps(burst(121))).to.equal(0);
  });

  it("do not depend on what is asked for after the increase was decided", () => {
    const day = dayOf(
      { seconds: 900, instances: 4, demand: 200 },
      { seconds: 300, instances: 4, demand: 100 },
      { seconds: 70, instances: 3, demand: 150 },
      { seconds: 30, instances: 3, demand: 500 },
      { seconds: 900, instances: 4, demand: 500 },
    );
    expect(flaps(day, 30)).to.equal(1);
    expect(flaps(day, 3)).to.equal(0);
  });

  it("are counted together when an hour has several of them", () => {
    const at = (...seconds: number[]): number =>
      mostWithinAnHour(seconds.map((second) => ({ second, from: 2, to: 1 })));
    expect(at()).to.equal(0);
    expect(at(0, 3600, 7200)).to.equal(1);
    expect(at(0, 3000, 6500, 6599, 10_000)).to.equal(3);
  });
});
